"""Jobs and incidents: what workers and those who mend processes may ask of the router."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select

from services.router.domain import JobState, NoSuchIncident, NoSuchJob
from services.router.handlers import mending, working
from services.router.store import RouterWork, tables
from services.router.store.rows import incident_of, job_of
from services.router.store.work import INCIDENT, JOB
from shared.database.references import request_filter
from shared.database.tables import from_us, to_us
from shared.errors import LeveeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Table

    from services.router.domain import Incident, Job
    from shared.consuming import Runtime

#: How often a worker that waits for jobs is looked for one, in seconds.
_LOOK_EVERY_S = 0.25
#: Jobs looked at for each one wanted: some are taken by others meanwhile.
_SPARE = 2
#: Incidents of a bulk retry that are under way at once.
_TOGETHER = 20
_TAKEABLE = (JobState.OPEN.value, JobState.TAKEN.value)


class Workshop:
    """Where workers fetch jobs and people mend what stands still."""

    def __init__(self, runtime: Runtime[RouterWork]) -> None:
        self._runtime = runtime

    def now(self) -> datetime:
        """Return the present moment, UTC."""
        return self._runtime.time.now()

    # ---- jobs ------------------------------------------------------------------------------

    async def take(
        self,
        worker: str,
        types: Sequence[str],
        limit: int,
        lease: timedelta,
        wait: timedelta,
        stopping: asyncio.Event | None = None,
    ) -> list[dict[str, Any]]:
        """Give a worker up to `limit` jobs of these types, oldest first.

        Waits up to `wait` for the first one; returns none when none came, or `stopping` is set.
        """
        until = self.now() + wait
        while True:
            taken = await self._take(worker, types, limit, lease)
            if taken or self.now() >= until or (stopping is not None and stopping.is_set()):
                return [job_json(job) for job in taken]
            await self._runtime.time.sleep(_LOOK_EVERY_S)

    async def _take(
        self, worker: str, types: Sequence[str], limit: int, lease: timedelta
    ) -> list[Job]:
        table, now = tables.jobs, self.now()
        wanted = (
            select(table.c.id, table.c.request_id)
            .where(
                table.c.state.in_(_TAKEABLE),
                table.c.type.in_(types),
                table.c.available_us <= to_us(now),
            )
            .order_by(table.c.available_us, table.c.id)
            .limit(limit * _SPARE)
        )
        async with self._runtime.database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        if not rows:
            return []
        ids = [UUID(row.id) for row in rows]

        def take(work: RouterWork) -> list[Job]:
            return working.take_jobs(ids, worker, lease, limit, now, work)

        # Named one by one: a row no process waits for is put away, not met again and again.
        named = [f"{JOB}{job_id}" for job_id in ids]
        locks = sorted({row.request_id for row in rows})
        return await self._runtime.do(take, locks=locks, loads=named)

    async def act(self, job_id: UUID, apply: Callable[[RouterWork], Job]) -> dict[str, Any]:
        """Do something to a job within its request; raise `NoSuchJob`."""
        request_id = await self._request_of(tables.jobs, job_id)
        if request_id is None:
            raise NoSuchJob(job_id=job_id)
        job = await self._runtime.do(apply, locks=[request_id], loads=[f"{JOB}{job_id}"])
        return job_json(job)

    async def jobs(
        self, filters: Mapping[str, str | None], limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Return a page of jobs by type, state or request, oldest first."""
        chosen = _equal(tables.jobs, filters)
        rows, total = await self._page(tables.jobs, chosen, "opened_us", limit, offset)
        return [job_json(job_of(row)) for row in rows], total

    async def job(self, job_id: UUID) -> dict[str, Any]:
        """Return one job; raise `NoSuchJob`."""
        chosen = [tables.jobs.c.id == str(job_id)]
        rows, _ = await self._page(tables.jobs, chosen, "opened_us", 1, 0)
        if not rows:
            raise NoSuchJob(job_id=job_id)
        return job_json(job_of(rows[0]))

    # ---- incidents -------------------------------------------------------------------------

    async def incidents(
        self, filters: Mapping[str, str | None], is_open: bool | None, limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Return a page of incidents, oldest first."""
        chosen = _chosen(filters, is_open)
        rows, total = await self._page(tables.incidents, chosen, "raised_us", limit, offset)
        return [incident_json(incident_of(row)) for row in rows], total

    async def incident(self, incident_id: UUID) -> dict[str, Any]:
        """Return one incident with the values that led to it; raise `NoSuchIncident`."""
        chosen = [tables.incidents.c.id == str(incident_id)]
        rows, _ = await self._page(tables.incidents, chosen, "raised_us", 1, 0)
        if not rows:
            raise NoSuchIncident(incident_id=incident_id)
        found = incident_of(rows[0])
        return {**incident_json(found), "inputs": dict(found.inputs)}

    async def groups(self) -> list[dict[str, Any]]:
        """Return open incidents by what went wrong where, the most frequent first."""
        table = tables.incidents
        cause = (table.c.process, table.c.element_id, table.c.code)
        wanted = (
            select(
                *cause,
                func.count().label("incidents"),
                func.min(table.c.raised_us).label("first_us"),
                func.max(table.c.raised_us).label("last_us"),
                func.max(table.c.detail).label("detail"),
            )
            .where(table.c.resolved_us.is_(None))
            .group_by(*cause)
            .order_by(func.count().desc(), func.min(table.c.raised_us))
        )
        async with self._runtime.database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return [
            {
                "process": row.process or "",
                "element_id": row.element_id,
                "code": row.code,
                "incidents": row.incidents,
                "first_raised_at": from_us(row.first_us),
                "last_raised_at": from_us(row.last_us),
                "example": row.detail,
            }
            for row in rows
        ]

    async def retry(self, incident_id: UUID, by: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Let a process try again; see `mending.retry_incident`."""
        now = self.now()
        return await self._mend(
            incident_id,
            lambda work: mending.retry_incident(incident_id, by, changes, now, work),
        )

    async def dismiss(self, incident_id: UUID, by: str) -> dict[str, Any]:
        """Put an incident away; see `mending.dismiss_incident`."""
        now = self.now()
        return await self._mend(
            incident_id, lambda work: mending.dismiss_incident(incident_id, by, now, work)
        )

    async def retry_all(
        self,
        filters: Mapping[str, str | None],
        by: str,
        changes: Mapping[str, Any],
        limit: int,
        until: datetime,
    ) -> dict[str, Any]:
        """Retry up to `limit` open incidents raised until then (UTC), oldest first.

        One that cannot be retried does not stop the others. What stands still again has raised an
        incident of its own; `left` counts all that are open now, `more` those of before.
        """
        table = tables.incidents
        still = _chosen(filters, is_open=True)
        chosen = [*still, table.c.raised_us <= to_us(until)]
        rows, total = await self._page(table, chosen, "raised_us", limit, 0)
        failed: list[dict[str, Any]] = []
        for begin in range(0, len(rows), _TOGETHER):
            some = [UUID(row.id) for row in rows[begin : begin + _TOGETHER]]
            # Calls that wait together share a transaction.
            results = await asyncio.gather(
                *(self.retry(one, by, changes) for one in some), return_exceptions=True
            )
            failed += [_told(one, r) for one, r in zip(some, results, strict=True) if _is_bad(r)]
        _, left = await self._page(table, still, "raised_us", 1, 0)
        return {
            "retried": len(rows) - len(failed),
            "failed": failed,
            "more": total - len(rows),
            "left": left,
            "raised_by": until,
        }

    async def _mend(
        self, incident_id: UUID, apply: Callable[[RouterWork], Incident]
    ) -> dict[str, Any]:
        request_id = await self._request_of(tables.incidents, incident_id)
        if request_id is None:
            raise NoSuchIncident(incident_id=incident_id)
        named = [f"{INCIDENT}{incident_id}"]
        done = await self._runtime.do(apply, locks=[request_id], loads=named)
        return incident_json(done)

    async def figures(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Count what stands still, by process and cause, and the jobs that are not over."""
        table, jobs = tables.incidents, tables.jobs
        cause = (table.c.process, table.c.code)
        open_ones = (
            select(*cause, func.count()).where(table.c.resolved_us.is_(None)).group_by(*cause)
        )
        waiting = (
            select(jobs.c.state, func.count())
            .where(jobs.c.state.in_((*_TAKEABLE, JobState.FAILED.value)))
            .group_by(jobs.c.state)
        )
        async with self._runtime.database.reading() as connection:
            incidents = (await connection.execute(open_ones)).all()
            states = (await connection.execute(waiting)).all()
        return {
            "levee_incidents_open": {
                (process or "", code): float(count) for process, code, count in incidents
            },
            "levee_jobs_waiting": {(state,): float(count) for state, count in states},
        }

    async def about(self, reference: UUID | str | None) -> str | None:
        """Return what a list about a request filters by."""
        return await request_filter(self._runtime.database, reference, *tables.NAMED)

    # ---- how -------------------------------------------------------------------------------

    async def _request_of(self, table: Table, wanted: UUID) -> UUID | None:
        async with self._runtime.database.reading() as connection:
            found = await connection.execute(
                select(table.c.request_id).where(table.c.id == str(wanted))
            )
            request_id = found.scalar_one_or_none()
        return None if request_id is None else UUID(request_id)

    async def _page(
        self,
        table: Table,
        chosen: Sequence[ColumnElement[bool]],
        order: str,
        limit: int,
        offset: int,
    ) -> tuple[Sequence[Any], int]:
        async with self._runtime.database.reading() as connection:
            counted = select(func.count()).select_from(table).where(*chosen)
            total = (await connection.execute(counted)).scalar_one()
            wanted = select(table).where(*chosen).order_by(table.c[order], table.c.id)
            rows = (await connection.execute(wanted.limit(limit).offset(offset))).all()
        return rows, total


def _equal(table: Table, filters: Mapping[str, str | None]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in filters.items() if value is not None]


def _chosen(filters: Mapping[str, str | None], is_open: bool | None) -> list[ColumnElement[bool]]:
    resolved = tables.incidents.c.resolved_us
    chosen = _equal(tables.incidents, filters)
    if is_open is not None:
        chosen.append(resolved.is_(None) if is_open else resolved.is_not(None))
    return chosen


def _is_bad(result: object) -> bool:
    """Whether a retry was refused; anything else that went wrong is raised."""
    if isinstance(result, BaseException) and not isinstance(result, LeveeError):
        raise result
    return isinstance(result, LeveeError)


def _told(incident_id: UUID, error: object) -> dict[str, Any]:
    assert isinstance(error, LeveeError)
    return {
        "incident_id": str(incident_id),
        "code": error.code,
        "message": {"zh-CN": error.sentence("zh-CN"), "en": error.sentence("en")},
    }


def job_json(job: Job) -> dict[str, Any]:
    """Return a job as the API shows it."""
    return {
        "id": str(job.id),
        "type": job.type,
        "state": job.state.value,
        "attempt": job.attempt,
        "retries": job.retries,
        "request_id": str(job.request_id),
        "instance_id": str(job.instance_id),
        "element_id": job.element_id,
        "headers": dict(job.headers),
        "variables": dict(job.variables),
        "worker": job.worker,
        "lease_until": job.lease_until,
        "available_at": job.available_at,
        "opened_at": job.opened_at,
        "failure": job.failure,
    }


def incident_json(incident: Incident) -> dict[str, Any]:
    """Return an incident as lists show it."""
    return {
        "id": str(incident.id),
        "request_id": str(incident.request_id),
        "instance_id": str(incident.instance_id),
        "process": incident.process,
        "process_version": incident.version,
        "element_id": incident.element_id,
        "code": incident.code,
        "detail": incident.detail,
        "job_id": None if incident.job_id is None else str(incident.job_id),
        "raised_at": incident.raised_at,
        "resolved_at": incident.resolved_at,
        "resolved_by": incident.resolved_by,
        "resolution": incident.resolution,
    }

"""Incidents: told when a process cannot go on by itself, and gone when it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.router.domain import Incident, JobState, resolve_incident
from shared.events import router as said

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from services.router.domain import Job, Record
    from services.router.store import RouterWork
    from services.router.workflow import Step

#: What a column and an event take of it; the rest is in the log of whoever failed.
_LONGEST_DETAIL = 2000
#: Nobody took a job for a long time; every other incident of a job means that it failed.
UNTAKEN = "job-untaken"
#: Who resolves what went on without anybody's doing.
NOBODY = "levee"


def raise_all(work: RouterWork, record: Record, step: Step, at: datetime) -> None:
    """Raise what one move of the diagram reports."""
    for incident in step.incidents:
        # The same operation refused again on the same state is the same incident.
        name = f"incident/{step.version}/{incident.task_id}/{incident.element_id}/{incident.code}"
        _raise(
            work,
            record,
            name,
            incident.element_id,
            incident.code,
            incident.detail,
            incident.inputs,
            at,
            task_id=incident.task_id,
        )


def raise_for(work: RouterWork, record: Record, job: Job, code: str, at: datetime) -> None:
    """Raise the incident of a job that needs a person, unless the same is open already."""
    known = [i for i in work.open_incidents(record) if i.job_id == job.id and i.code == code]
    if not known:
        name = f"incident/{job.id}/{job.attempt}/{code}"
        detail = job.failure or f"nobody took the job of type {job.type!r}"
        inputs = {"type": job.type, "headers": dict(job.headers), **job.variables}
        _raise(work, record, name, job.element_id, code, detail, inputs, at, job=job)


def _raise(
    work: RouterWork,
    record: Record,
    name: str,
    element_id: str,
    code: str,
    detail: str,
    inputs: Mapping[str, Any],
    at: datetime,
    *,
    task_id: int | None = None,
    job: Job | None = None,
) -> None:
    process = work.instance(record).process
    incident = Incident(
        id=work.new_id(name),
        request_id=record.id,
        instance_id=record.instance_id,
        element_id=element_id,
        code=code,
        detail=detail[:_LONGEST_DETAIL],
        raised_at=at,
        process=process.key,
        version=process.version,
        inputs=inputs,
        task_id=task_id,
        job_id=job.id if job else None,
    )
    work.keep_incident(incident)
    event = said.IncidentRaised(
        incident_id=incident.id,
        instance_id=incident.instance_id,
        element_id=element_id,
        code=code,
        detail=incident.detail,
        process=incident.process,
        process_version=incident.version,
        job_id=incident.job_id,
    )
    work.publish(event, subject=record.id, occurred_at=at)


def note_fault(
    work: RouterWork,
    record: Record,
    name: str,
    element_id: str,
    code: str,
    detail: str,
    at: datetime,
) -> None:
    """Raise an incident of the router's own, once per `name` and cause."""
    _raise(work, record, f"incident/{name}", element_id, code, detail, {}, at)


def pass_over(work: RouterWork, record: Record, at: datetime) -> None:
    """Resolve the incidents nothing waits for any more: the process went on without them."""
    found = work.open_incidents(record)
    if not found:
        return
    held = set(work.instance(record).held)
    for incident in found:
        if not waits(work, incident, held):
            resolve(work, incident, NOBODY, "passed", at)


def waits(work: RouterWork, incident: Incident, held: set[int]) -> bool:
    """Return whether a token or a failed job stands still because of it."""
    if incident.job_id is not None:
        job = work.find_job(incident.job_id)
        if job is None or job.is_over:
            return False
        return job.state is JobState.FAILED or incident.code == UNTAKEN
    # One of an operation that was refused as a whole is not outlived by the next operation.
    return incident.task_id is None or incident.task_id in held


def resolve(
    work: RouterWork, incident: Incident, by: str, resolution: str, at: datetime
) -> Incident:
    """Note that it is over, and say so."""
    over = resolve_incident(incident, by, resolution, at)
    work.keep_incident(over)
    event = said.IncidentResolved(incident_id=incident.id, resolved_by=by, resolution=resolution)
    work.publish(event, subject=incident.request_id, occurred_at=at)
    return over


def pass_untaken(work: RouterWork, record: Record, job: Job, at: datetime) -> None:
    """Somebody took the job after all."""
    for incident in work.open_incidents(record):
        if incident.job_id == job.id and incident.code == UNTAKEN:
            resolve(work, incident, NOBODY, "passed", at)

"""The router's unit of work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.router.domain import (
    Doer,
    Incident,
    Job,
    NoSuchIncident,
    NoSuchJob,
    Record,
    RequestNotRouted,
    TooManyOperations,
    WorkItem,
)
from services.router.domain.acts import DELEGATED
from services.router.store import tables
from services.router.store.acts import Acts
from services.router.store.drafts import Drafts
from services.router.store.hands import Hands
from services.router.store.inboxed import Inboxed
from services.router.store.letters import Letters
from services.router.store.releases import Releases
from services.router.store.rows import (
    incident_of,
    incident_row,
    item_of,
    item_row,
    job_of,
    job_row,
    record_of,
    record_row,
)
from services.router.workflow import CompiledProcess, Instance, Step, Stored, load, start
from shared.consuming import Work, WorkContext
from shared.database.statements import rows_among, upsert
from shared.id_source import derived
from shared.vocabulary import WorkItemState

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from services.router.domain.acts import Act
    from services.router.store.repository import Repository
    from shared.database.timers import Timer

#: Own operations of one cause: a diagram that needs more goes round without waiting for anything.
MAX_OPERATIONS = 100
#: What goes before the id of a job or incident among the keys to load.
JOB, INCIDENT = "job:", "incident:"
_OPEN = (WorkItemState.OPEN.value, WorkItemState.CLAIMED.value)


class RouterWork(Work):
    """Requests of the batch with their instances and open work items; the repository beside."""

    def __init__(self, context: WorkContext, repository: Repository) -> None:
        super().__init__(context)
        self.repository = repository
        self._records: dict[UUID, Record] = {}
        self._changed_records: dict[UUID, Record] = {}
        self._instances: dict[UUID, Instance] = {}
        self._instance_request: dict[UUID, UUID] = {}
        self._changed_instances: set[UUID] = set()
        self._items: dict[UUID, WorkItem] = {}
        self._changed_items: dict[UUID, WorkItem] = {}
        #: Rows of what is over, by their requests; read only where somebody asks.
        self._past: dict[UUID, list[Any]] = {}
        self._acts = Acts()
        #: Of the work items that were named among the keys.
        self.drafts = Drafts()
        self._letters = Letters()
        self._jobs: dict[UUID, Job] = {}
        self._operations: dict[UUID, int] = {}
        self._changed_jobs: dict[UUID, Job] = {}
        self._incidents: dict[UUID, Incident] = {}
        self._changed_incidents: dict[UUID, Incident] = {}
        self._hands = Hands()
        #: Definitions and the directory that come into force, and what was refused.
        self.releases = Releases()
        #: What inboxes need of open work items, and what is heard of clocks for them.
        self.inboxed = Inboxed()

    # ---- load and flush --------------------------------------------------------------------

    async def load(self, keys: Collection[str]) -> None:
        """Load requests, their current instances, open work items, jobs and incidents.

        Beside ids of requests, a key may be `job:<id>` or `incident:<id>`: one that is over.
        """
        await self.repository.refresh(self.tx, keys)
        ids = [key for key in keys if len(key) == 36]
        for row in await rows_among(self.tx, tables.requests, "id", ids):
            record = record_of(row)
            self._records[record.id] = record
            self.inboxed.saw_request(record.id, row.dues)
        if self._records:
            await self._load_instances()
            await self._load_items()
            await self._hands.load(self.tx, self._records.values(), self.repository.people)
        await self.drafts.load(self.tx, keys)
        await self._load_jobs(keys)
        await self._letters.load(self.tx, keys, self._instances, self.now)
        await self._load_incidents(keys)

    async def _load_instances(self) -> None:
        ids = [str(record.instance_id) for record in self._records.values()]
        rows = await rows_among(self.tx, tables.instances, "id", ids)
        states = [Stored(row.state) for row in rows]
        await self.repository.ensure(self.tx, states)
        for row, state in zip(rows, states, strict=True):
            instance_id = UUID(row.id)
            self._instances[instance_id] = load(self.repository.pinned(state), state)
            self._instance_request[instance_id] = UUID(row.request_id)

    async def _load_items(self) -> None:
        ids = [str(request_id) for request_id in self._records]
        for row in await rows_among(self.tx, tables.work_items, "request_id", ids):
            if row.state in _OPEN:
                item = item_of(row)
                self._items[item.id] = item
                self.inboxed.saw_item(item)
            else:
                self._past.setdefault(UUID(row.request_id), []).append(row)

    async def _load_jobs(self, keys: Collection[str]) -> None:
        """Load what the diagrams wait for, by its id: what is over costs nothing."""
        wanted = _named(keys, JOB)
        for instance_id, instance in self._instances.items():
            wanted += [str(job_id(instance_id, task_id)) for task_id in instance.open_jobs]
        if wanted:
            for row in await rows_among(self.tx, tables.jobs, "id", wanted):
                job = job_of(row)
                self._jobs[job.id] = job

    async def _load_incidents(self, keys: Collection[str]) -> None:
        """Load the incidents something waits for."""
        wanted = _named(keys, INCIDENT)
        rows = list(await rows_among(self.tx, tables.incidents, "id", wanted)) if wanted else []
        waiting = {str(job.request_id) for job in self._jobs.values()}
        waiting |= {
            str(self._instance_request[instance_id])
            for instance_id, instance in self._instances.items()
            if instance.stuck()
        }
        if waiting:
            rows += await rows_among(self.tx, tables.incidents, "request_id", sorted(waiting))
        for row in rows:
            incident = incident_of(row)
            self._incidents[incident.id] = incident

    async def flush(self) -> None:
        """Write what changed, in bulk."""
        records = sorted(self._changed_records.values(), key=lambda r: str(r.id))
        await upsert(self.tx, tables.requests, [record_row(record) for record in records])
        rows = [self._instance_row(i) for i in sorted(self._changed_instances, key=str)]
        await upsert(self.tx, tables.instances, rows)
        items = sorted(self._changed_items.values(), key=lambda i: str(i.id))
        await upsert(self.tx, tables.work_items, [self._item_row(item) for item in items])
        await self.inboxed.flush_items(self.tx, items)
        await self._acts.flush(self.tx)
        await self.drafts.flush(self.tx, items)
        await self._hands.flush(self.tx)
        await self._letters.flush(self.tx)
        jobs = sorted(self._changed_jobs.values(), key=lambda j: str(j.id))
        await upsert(self.tx, tables.jobs, [job_row(job) for job in jobs])
        incidents = sorted(self._changed_incidents.values(), key=lambda i: str(i.id))
        await upsert(self.tx, tables.incidents, [incident_row(found) for found in incidents])
        await self.inboxed.flush_dues(self.tx)
        await self.releases.flush(self.tx, self.repository)

    def _item_row(self, item: WorkItem) -> dict[str, Any]:
        record = self._records.get(item.request_id)
        return item_row(item) | self.inboxed.columns(item, record)

    def _instance_row(self, instance_id: UUID) -> dict[str, Any]:
        instance = self._instances[instance_id]
        return {
            "id": str(instance_id),
            "request_id": str(self._instance_request[instance_id]),
            "process": instance.process.key,
            "version": instance.process.version,
            "moves": instance.version,
            "is_ended": instance.is_ended,
            "state": instance.dump(),
        }

    def fires_at(self, timer: Timer) -> datetime:
        """Return the moment at which a timer goes off: when it is looked at, however late.

        After an outage its due moment lies in the past. Who is on shift, what has expired and when
        the next wait ends are asked of the present, and nothing is made up for minute by minute.
        """
        return max(timer.due_at, self.now)

    # ---- requests --------------------------------------------------------------------------

    def find(self, request_id: UUID) -> Record | None:
        """Return the request, or None when it was not routed yet."""
        return self._records.get(request_id)

    def record(self, request_id: UUID) -> Record:
        """Return the request; raise `RequestNotRouted`."""
        found = self._records.get(request_id)
        if found is None:
            raise RequestNotRouted(request_id=request_id)
        return found

    def keep(self, record: Record) -> None:
        """Keep a request as it is now; its open work items show some of it."""
        before = self._records.get(record.id)
        if before is not None and _shown(before) != _shown(record):
            for item in self.open_items(record):
                self._changed_items.setdefault(item.id, item)
        self._records[record.id] = record
        self._changed_records[record.id] = record

    # ---- instances -------------------------------------------------------------------------

    def start(
        self, process: str, instance_id: UUID, request_id: UUID, data: dict[str, Any], at: datetime
    ) -> Step:
        """Start the version in force of a process and run it to its first waits."""
        compiled = self.repository.process(process)
        instance, step = start(compiled, instance_id=instance_id, data=data, now=at)
        self._instances[instance_id] = instance
        self._instance_request[instance_id] = request_id
        self._changed_instances.add(instance_id)
        return step

    def note_step(self, record: Record, step: Step) -> None:
        """Hear of every step that is recorded; for whoever wants to know them all."""

    def instance(self, record: Record) -> Instance:
        """Return the request's running (or last) instance, to be moved."""
        self._changed_instances.add(record.instance_id)
        return self._instances[record.instance_id]

    def process_of(self, record: Record) -> CompiledProcess:
        """Return the process of the request's instance, which is not touched by it."""
        return self._instances[record.instance_id].process

    # ---- work items ------------------------------------------------------------------------

    def open_items(self, record: Record) -> list[WorkItem]:
        """Return the request's open work items, oldest first."""
        found = [i for i in self._items.values() if i.request_id == record.id and not i.is_over]
        return sorted(found, key=lambda i: (i.opened_at, i.task_id))

    def item(self, item_id: UUID) -> WorkItem | None:
        """Return a work item of a loaded request, over or not."""
        found = self._items.get(item_id)
        if found is None:
            past = (row for rows in self._past.values() for row in rows)
            found = next((item_of(row) for row in past if row.id == str(item_id)), None)
        return found

    def doers(self, record: Record) -> list[Doer]:
        """Return who completed which user task of the request's running instance."""
        past = [
            item_of(row)
            for row in self._past.get(record.id, ())
            if row.state == WorkItemState.COMPLETED.value
        ]
        elements = self.process_of(record).elements
        return [
            Doer(person, item.element_id, elements[item.element_id]["name"])
            for item in (*past, *self._items.values())
            if item.instance_id == record.instance_id and item.element_id in elements
            for person in item.doers
        ]

    def keep_item(self, item: WorkItem) -> None:
        """Keep a work item as it is now."""
        self._items[item.id] = item
        self._changed_items[item.id] = item

    def acted(self, before: WorkItem, after: WorkItem, act: Act) -> WorkItem:
        """Keep a work item as it is after somebody, or the diagram, did something to it."""
        handovers = before.handovers + (act.kind == DELEGATED)
        after = replace(after, acts=before.acts + 1, handovers=handovers)
        self.keep_item(after)
        self._acts.add(before, after, act)
        return after

    def asked_of(self, record: Record, item: WorkItem) -> Mapping[str, object]:
        """Return what the diagram shows of an open work item: the user task's own variables."""
        tasks = self.instance(record).open_user_tasks()
        return next((task.variables for task in tasks if task.task_id == item.task_id), {})

    @property
    def hands(self) -> Hands:
        """What the people of teams that wait for a choice have in hand, and whose turn it was."""
        return self._hands

    # ---- jobs and incidents ----------------------------------------------------------------

    def job(self, wanted: UUID) -> Job:
        """Return a job that is open or was named among the keys; raise `NoSuchJob`."""
        found = self._jobs.get(wanted)
        if found is None:
            raise NoSuchJob(job_id=wanted)
        return found

    def find_job(self, wanted: UUID) -> Job | None:
        """Return a job that is open or was named among the keys, if there is one."""
        return self._jobs.get(wanted)

    def keep_job(self, job: Job) -> None:
        """Keep a job as it is now."""
        self._jobs[job.id] = job
        self._changed_jobs[job.id] = job

    @property
    def letters(self) -> Letters:
        """Messages from outside, and who waits for them."""
        return self._letters

    def count_operation(self) -> None:
        """Count what the router does of its own within this cause; raise `TooManyOperations`."""
        cause = self.cause_id
        self._operations[cause] = self._operations.get(cause, 0) + 1
        if self._operations[cause] > MAX_OPERATIONS:
            raise TooManyOperations(limit=MAX_OPERATIONS)

    def incident(self, wanted: UUID) -> Incident:
        """Return an incident that was named among the keys; raise `NoSuchIncident`."""
        found = self._incidents.get(wanted)
        if found is None:
            raise NoSuchIncident(incident_id=wanted)
        return found

    def open_incidents(self, record: Record) -> list[Incident]:
        """Return what is known to keep this request's process from going on, oldest first."""
        found = [
            i for i in self._incidents.values() if i.is_open and i.instance_id == record.instance_id
        ]
        return sorted(found, key=lambda i: (i.raised_at, str(i.id)))

    def keep_incident(self, incident: Incident) -> None:
        """Keep an incident as it is now."""
        self._incidents[incident.id] = incident
        self._changed_incidents[incident.id] = incident


def job_id(instance_id: UUID, task_id: int) -> UUID:
    """Return the id of the job that a token of an instance waits for."""
    return derived(instance_id, f"job/{task_id}")


def _named(keys: Collection[str], kind: str) -> list[str]:
    return [key.removeprefix(kind) for key in keys if key.startswith(kind)]


def _shown(record: Record) -> tuple[object, ...]:
    """Return what an inbox shows of a request, and filters its work items by."""
    return (record.priority, record.process, record.context.get("title"))


def row_mapping(row: Any) -> Mapping[str, Any]:
    """Return a row as a mapping."""
    return row._mapping  # type: ignore[no-any-return]

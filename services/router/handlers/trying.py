"""What would become of a request: the very rules that route one, in a work nobody keeps.

Nothing is created because nothing is ever flushed: the unit of work is dropped with all that was
put into it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from services.router.handlers.operations import is_own
from services.router.handlers.requests import route_request
from services.router.store.work import RouterWork
from shared.consuming.work import Cause, WorkContext
from shared.database.subjects import Subject
from shared.events.base import Envelope
from shared.id_source import derived

if TYPE_CHECKING:
    from datetime import datetime

    from services.router.domain import Record, WorkItem
    from services.router.store import Repository
    from services.router.workflow import CompiledProcess, Step
    from shared.database.engine import Transaction
    from shared.events.base import EventData
    from shared.events.intake import RequestSubmitted

#: Whose request it is: nobody's, and always the same, so that the same answer comes again.
_NOBODY = derived(UUID(int=0), "try")


@dataclass(frozen=True, slots=True)
class Trial:
    """How far a request would come at once."""

    record: Record
    #: Each process that would be started, with all it would do at once; one, as a rule.
    begun: tuple[tuple[CompiledProcess, Step], ...]
    #: Work items that would be open, oldest first.
    items: tuple[WorkItem, ...]
    #: What would be said, in order.
    said: tuple[EventData, ...]


class _Dropped(RouterWork):
    """A unit of work that is never flushed, and remembers what was begun and said."""

    def __init__(self, context: WorkContext, repository: Repository) -> None:
        super().__init__(context, repository)
        self.steps: dict[UUID, list[Step]] = {}
        self.said: list[EventData] = []
        self._processes: dict[UUID, CompiledProcess] = {}

    def start(
        self, process: str, instance_id: UUID, request_id: UUID, data: dict[str, Any], at: datetime
    ) -> Step:
        """Start a process, and remember it."""
        self._processes[instance_id] = self.repository.process(process)
        return super().start(process, instance_id, request_id, data, at)

    def note_step(self, record: Record, step: Step) -> None:
        """Remember what an instance did."""
        self.steps.setdefault(record.instance_id, []).append(step)

    def begun(self) -> tuple[tuple[CompiledProcess, Step], ...]:
        """Return each process with its steps as one."""
        return tuple(
            (self._processes[instance_id], together(steps))
            for instance_id, steps in self.steps.items()
        )

    def publish(self, data: EventData, *, subject: UUID | str, occurred_at: datetime) -> UUID:
        """Say something to nobody, and remember it."""
        self.said.append(data)
        return super().publish(data, subject=subject, occurred_at=occurred_at)


def try_request(
    submitted: RequestSubmitted, at: datetime, repository: Repository, tx: Transaction | None
) -> Trial:
    """Return what would become of a request submitted at `at` (UTC); nothing is stored.

    Raises what routing one raises, such as `NothingReleasedYet`. `tx` is only read from.
    """
    context = WorkContext(
        # Nothing is loaded or flushed, so where no house runs nothing misses it.
        cast("Transaction", tx),
        at,
        "router",
        {str(_NOBODY): Subject(str(_NOBODY))},
        Cause(_NOBODY, correlation_id=str(_NOBODY), at=at),
    )
    work = _Dropped(context, repository)
    event = Envelope(
        id=_NOBODY,
        source="try",
        time=at,
        subject=str(_NOBODY),
        occurred_at=at,
        sequence=1,
        correlation_id=str(_NOBODY),
        causation_id=None,
        data=submitted,
    )
    route_request(event, work)
    record = work.record(_NOBODY)
    items = tuple(work.open_items(record))
    return Trial(record, work.begun(), items, tuple(work.said))


def together(steps: list[Step]) -> Step:
    """Return several steps of one instance as one: what it did, and where it stands then.

    What Levee does itself (`levee:…`) goes on at once, so a first step alone would stop there.
    """
    last = steps[-1]
    tasks_gone = {number for step in steps for number in step.user_tasks_gone}
    timers_gone = {number for step in steps for number in step.timers_gone}
    jobs_gone = {number for step in steps for number in step.jobs_gone}
    return replace(
        last,
        completed=tuple(element for step in steps for element in step.completed),
        decisions=tuple(decision for step in steps for decision in step.decisions),
        incidents=tuple(incident for step in steps for incident in step.incidents),
        escalations=tuple(thrown for step in steps for thrown in step.escalations),
        user_tasks=tuple(
            t for step in steps for t in step.user_tasks if t.task_id not in tasks_gone
        ),
        timers=tuple(t for step in steps for t in step.timers if t.task_id not in timers_gone),
        jobs=tuple(
            job
            for step in steps
            for job in step.jobs
            if job.task_id not in jobs_gone and not is_own(job.type)
        ),
    )

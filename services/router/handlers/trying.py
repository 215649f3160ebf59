"""What would become of a request: the very rules that route one, in a work nobody keeps.

Nothing is created because nothing is ever flushed: the unit of work is dropped with all that was
put into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

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
    #: Each process that would be started, with its first step; one, as a rule.
    begun: tuple[tuple[CompiledProcess, Step], ...]
    #: Work items that would be open, oldest first.
    items: tuple[WorkItem, ...]
    #: What would be said, in order.
    said: tuple[EventData, ...]


class _Dropped(RouterWork):
    """A unit of work that is never flushed, and remembers what was begun and said."""

    def __init__(self, context: WorkContext, repository: Repository) -> None:
        super().__init__(context, repository)
        self.begun: list[tuple[CompiledProcess, Step]] = []
        self.said: list[EventData] = []

    def start(self, process: str, *args: Any, **given: Any) -> Step:
        """Start a process, and remember it."""
        step = super().start(process, *args, **given)
        self.begun.append((self.repository.process(process), step))
        return step

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
    return Trial(record, tuple(work.begun), items, tuple(work.said))

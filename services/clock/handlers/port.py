"""What the clock's handlers need of a unit of work, and how a step is recorded in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.clock import events_out
from services.clock.domain import moving
from services.clock.domain.coverage import Known
from services.clock.domain.facts import Ledger, clock_id
from services.clock.domain.steps import Step
from services.clock.domain.targets import Library
from services.clock.store.moves import MoveJob
from shared.events.base import EventData
from shared.events.router import DefinitionReleased

#: The kind of the one timer each running clock has, named by the clock's id.
THRESHOLD = "threshold"
#: A move that nobody asked for, to a calendar that knows more holidays: the kinds of the timer
#: that hands on pages of requests and of the one at each. They are none of `moves`, so that a
#: replica of the release before does not take them for those.
EXTEND_PAGE, EXTEND = "extend_page", "extend"


class Work(Protocol):
    """What these handlers need of the unit of work."""

    #: When this process started, and when it is taken to have heard what happened meanwhile.
    started_at: datetime
    caught_up_at: datetime

    @property
    def now(self) -> datetime:
        """The moment of recording."""
        ...

    @property
    def library(self) -> Library:
        """The definitions."""
        ...

    def ledger(self, request_id: str) -> Ledger:
        """Return the ledger of a request, an empty one when nothing is known of it."""
        ...

    def keep(self, ledger: Ledger) -> None:
        """Keep a ledger as it is now."""
        ...

    def release(self, data: DefinitionReleased) -> None:
        """Take a released definition into force."""
        ...

    def made_of(self, key: str) -> list[str]:
        """Return the calendars in force that name this one as a part, sorted."""
        ...

    def renew(self, key: str) -> bool:
        """Take a calendar as it reads now into force; whether it says something else."""
        ...

    def known_of(self, subject: str) -> Known | None:
        """Return what was told of a calendar's coverage by its subject; None for nothing yet."""
        ...

    def keep_known(self, known: Known) -> None:
        """Keep what was told of a calendar's coverage."""
        ...

    def page_of(self, key: str) -> tuple[MoveJob, list[str]] | None:
        """Return the move a timer stands for, and the next requests it is to reach."""
        ...

    def keep_job(self, job: MoveJob) -> None:
        """Keep a move as it is now."""
        ...

    def new_id(self, name: str) -> UUID:
        """Return the id of a thing this cause brings about; the same when handled again."""
        ...

    def publish(self, data: EventData, *, subject: UUID | str, occurred_at: datetime) -> UUID:
        """Say something."""
        ...

    def arm(
        self,
        kind: str,
        key: UUID | str,
        name: str,
        due_at: datetime,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Arm the one timer with this kind, key and name."""
        ...

    def disarm(self, kind: str, key: UUID | str, name: str) -> None:
        """Disarm it."""
        ...


def record(step: Step, work: Work) -> None:
    """Keep the ledger, say what there is to say, set the timers."""
    request_id = step.ledger.request_id
    work.keep(step.ledger)
    for said in step.said:
        work.publish(events_out.event(said), subject=request_id, occurred_at=said.at)
    for key, next_at in (step.timers or {}).items():
        name = str(clock_id(request_id, key))
        if next_at is None:
            work.disarm(THRESHOLD, request_id, name)
        else:
            work.arm(THRESHOLD, request_id, name, next_at)
    for key in sorted(step.provisional):
        if moving.may_extend(step.ledger, key, work.library):
            # Its holidays were published while this request had no clock that needed them.
            version = work.library.calendar(key, None).version
            work.arm(EXTEND, request_id, f"{key}/{version}", work.now, {"calendar": key})

"""What handlers use of the unit of work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from services.intake.domain.values import Answer, Fact, Message, Once, Request, Submission
    from shared.events.base import EventData


class Work(Protocol):
    """Loaded values of one transaction, and where changes go; see store.IntakeWork."""

    @property
    def now(self) -> datetime:
        """The moment of recording, UTC."""
        ...

    def request(self, request_id: str) -> Request | None:
        """Return the request, or None when it was never posted here."""
        ...

    def posted_as(self, source: str, external_id: str) -> Request | None:
        """Return the request `source` posted under its own reference."""
        ...

    def answered(self, once: Once) -> tuple[str, Answer] | None:
        """Return fingerprint and answer of the call that used the same key before."""
        ...

    def catalogue_version(self, key: str) -> int:
        """Return the version of the catalogue kept here, 0 for none."""
        ...

    def check_catalogue(self, content_hash: str, content: str) -> None:
        """Raise `BadDefinition` unless the text is a catalogue whose forms can be checked."""
        ...

    def add(self, submission: Submission) -> Request:
        """Keep a request just posted."""
        ...

    def keep(self, request: Request) -> None:
        """Keep a request's new standing or promises."""
        ...

    def correct(self, request: Request, columns: Mapping[str, Any]) -> None:
        """Keep what was corrected of the post; `form` as a plain value."""
        ...

    def add_message(self, message: Message, sequence: int) -> None:
        """Keep a message; `sequence` is that of the event that said it."""
        ...

    def record(self, fact: Fact) -> None:
        """Keep an entry of a request's timeline."""
        ...

    def say(
        self, data: EventData, request_id: str, occurred_at: datetime, params: Mapping[str, Any]
    ) -> int:
        """Publish an event of our own, keep it as a fact, return its sequence."""
        ...

    def publish(self, data: EventData, *, subject: UUID | str, occurred_at: datetime) -> UUID:
        """Publish what is no fact of the timeline: a command."""
        ...

    def is_sealed(self, subject: UUID | str) -> bool:
        """Tell whether the last word about a request was said."""
        ...

    def refuse_sealed(self, subject: UUID | str) -> None:
        """Raise `Sealed` where it was."""
        ...

    def seal(self, subject: UUID | str) -> None:
        """Note that it was."""
        ...

    def remember(self, once: Once, answer: Answer) -> None:
        """Keep what was answered under an Idempotency-Key."""
        ...

    def keep_catalogue(
        self, key: str, version: int, content_hash: str, content: str, released_at: datetime
    ) -> None:
        """Keep a newer version of a catalogue."""
        ...

    def new_id(self, name: str) -> UUID:
        """Return the id of a thing this cause brings about; the same when handled again."""
        ...

    def arm(
        self,
        kind: str,
        key: UUID | str,
        name: str,
        due_at: datetime,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Arm the one timer (kind, key, name)."""
        ...

    def disarm(self, kind: str, key: UUID | str, name: str) -> None:
        """Disarm the timer (kind, key, name), if there is one."""
        ...

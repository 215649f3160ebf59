"""The desk: everything the routes do, for callers in the same process as well.

Embedded callers (the replay) hand over a `Post` and are an edge of their own: what a body model
checks (lengths, control characters) is theirs to keep; type, form and moments are checked here.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from services.intake.domain import acts
from services.intake.domain.errors import (
    FormNotValid,
    IdempotencyKeyReused,
    NoSuchRequest,
    StillInFlight,
)
from services.intake.domain.values import Answer, Once, Post, Submission, Written
from services.intake.handlers import acting, answers, posting
from services.intake.handlers.acting import Act
from services.intake.store import answer_key, external_key
from shared.errors import LeveeError, Unavailable
from shared.http.references import read_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime, timedelta

    from services.intake.store import Book, IntakeWork, Numbers, Reading, Shelf
    from shared.consuming import Runtime

#: Who acts when no API key does.
EMBEDDED = "embedded"


class Desk:
    """Takes posts and acts; each returns after its commit, many share one."""

    def __init__(
        self,
        runtime: Runtime[IntakeWork],
        *,
        shelf: Shelf,
        numbers: Numbers,
        reading: Reading,
        route_within: timedelta,
    ) -> None:
        self._runtime, self._shelf, self._numbers = runtime, shelf, numbers
        self.reading = reading
        self._route_within = route_within
        self._flying: set[tuple[str, str]] = set()

    async def catalogue(self) -> Book:
        """Return the request types in force. Raises `CatalogueMissing`."""
        return await self._shelf.current()

    async def submit(self, post: Post, caller_id: str = EMBEDDED, key: str | None = None) -> Answer:
        """Make a request: 201 with id and number; 200 when the same one was posted before.

        Raises `CatalogueMissing`, `UnknownType`, `TypeClosed`, `FormNotValid`,
        `MomentNotAllowed`, `ExternalIdTaken`, `IdempotencyKeyReused`, `StillInFlight`,
        `DatabaseUnavailable`; nothing is stored then.
        """
        content_hash = _sha256(orjson.dumps(post, option=_CANONICAL))
        once = self._once(caller_id, key, "submit", content_hash)
        with self._alone(once):
            try:
                domain, submitted_at = await self._checked(post)
            except Unavailable:
                raise
            except LeveeError as refusal:
                return await self._told_before(post, content_hash, once, refusal)
            return await self._submit(post, domain, submitted_at, content_hash, once)

    async def post_message(
        self,
        reference: str,
        written: Written,
        caller_id: str = EMBEDDED,
        key: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Answer:
        """Record a message, whatever the request's state. Raises `NoSuchRequest`."""
        message_id = str(self._runtime.ids.new())
        return await self._act(
            reference,
            ("message", written, occurred_at),
            (caller_id, key),
            occurred_at,
            lambda act, work: acting.write(act, message_id, written, work),
        )

    async def withdraw(
        self,
        reference: str,
        reason: str | None = None,
        caller_id: str = EMBEDDED,
        key: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Answer:
        """Say that it is no longer wanted. Raises `RequestIsOver` and the like."""
        return await self._act(
            reference,
            ("withdraw", reason),
            (caller_id, key),
            occurred_at,
            lambda act, work: acting.withdraw(act, reason, work),
        )

    async def confirm(
        self,
        reference: str,
        caller_id: str = EMBEDDED,
        key: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Answer:
        """Agree that it is solved. Raises `NotResolved` and the like."""
        return await self._act(
            reference, ("confirm",), (caller_id, key), occurred_at, acting.confirm
        )

    async def reopen(
        self,
        reference: str,
        reason: str,
        caller_id: str = EMBEDDED,
        key: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Answer:
        """Say that it is not solved. Raises `NotResolved` and the like."""
        return await self._act(
            reference,
            ("reopen", reason),
            (caller_id, key),
            occurred_at,
            lambda act, work: acting.reopen(act, reason, work),
        )

    async def rate(
        self,
        reference: str,
        score: int,
        comment: str = "",
        caller_id: str = EMBEDDED,
        key: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Answer:
        """Rate the result, 1 to 5. Raises `NotRatableYet`, `RatingIsFinal`."""
        return await self._act(
            reference,
            ("rate", score, comment),
            (caller_id, key),
            occurred_at,
            lambda act, work: acting.rate(act, score, comment, work),
        )

    async def correct(self, reference: str, changes: Mapping[str, Any], changed_by: str) -> Answer:
        """Correct urgency, impact, title, description or form (as a whole).

        Raises `NoSuchRequest`, `RequestIsOver`, `FormNotValid`, `UnknownType`.
        """
        row = await self.row(reference)
        kept = {"description": row.description, "form": orjson.loads(row.form)}
        new = {k: v for k, v in changes.items() if k not in kept or kept[k] != v}
        if "form" in new:
            entry = (await self._shelf.current()).entry(row.request_type)
            _refuse_form(row.request_type, entry.findings(new["form"]))
        return await self._act(
            row.id,
            ("correct",),
            (EMBEDDED, None),
            None,
            lambda act, work: acting.correct(act, new, changed_by, work),
        )

    async def row(self, reference: str) -> Any:
        """Return the stored request by id or number. Raises `NoSuchRequest`."""
        row = await self.reading.request(read_reference(reference))
        if row is None:
            raise NoSuchRequest(request=reference[:100])
        return row

    async def id_of(self, reference: str) -> str:
        """Return the id a reference means; only a number is looked up. Raises `NoSuchRequest`."""
        named = read_reference(reference)
        found = str(named) if isinstance(named, UUID) else await self.reading.id_of(named)
        if found is None:
            raise NoSuchRequest(request=reference[:100])
        return found

    # ---- posts ------------------------------------------------------------------------------

    async def _checked(self, post: Post) -> tuple[str, datetime]:
        """Return domain and moment of a post that is valid."""
        entry = (await self._shelf.current()).open_entry(post.type)
        if entry.form is not None:
            _refuse_form(post.type, entry.findings(post.form))
        return entry.type.domain, acts.submitted_at(post, self._runtime.time.now())

    async def _submit(
        self, post: Post, domain: str, submitted_at: datetime, content_hash: str, once: Once | None
    ) -> Answer:
        number = await self._numbers.take(self._runtime.time.now())
        request_id = str(self._runtime.ids.new())
        submission = Submission(request_id, number, domain, post, content_hash, submitted_at)
        loads = []
        if post.external_id is not None:
            loads.append(external_key(post.source, post.external_id))
        if once is not None:
            loads.append(answer_key(once.caller_id, once.key))
        within = self._route_within
        outcome = await self._runtime.do(
            lambda work: posting.submit(submission, once, within, work),
            new=[request_id],
            loads=loads,
        )
        is_new = isinstance(outcome, Answer) and (outcome.location or "").endswith(request_id)
        if not is_new:
            self._numbers.give_back(number)
        return _or_raise(outcome)

    async def _told_before(
        self, post: Post, content_hash: str, once: Once | None, refusal: LeveeError
    ) -> Answer:
        """Answer a repeated post as before, although it would not be accepted any more."""
        if once is not None and (earlier := await self.reading.answered(once)) is not None:
            fingerprint, answer = earlier
            if fingerprint != once.fingerprint:
                raise IdempotencyKeyReused from refusal
            return answer
        if post.external_id is not None:
            found = await self.reading.posted_as(post.source, post.external_id)
            if found is not None and found.content_hash == content_hash:
                return answers.posted(found, is_new=False)
        raise refusal

    # ---- acts -------------------------------------------------------------------------------

    async def _act(
        self,
        reference: str,
        content: tuple[Any, ...],
        caller: tuple[str, str | None],
        occurred_at: datetime | None,
        apply: Callable[[Act, IntakeWork], Answer | LeveeError],
    ) -> Answer:
        request_id = await self.id_of(reference)
        once = self._once(*caller, request_id, orjson.dumps(content, option=_CANONICAL).decode())
        act = Act(request_id, occurred_at, once)
        loads = [] if once is None else [answer_key(once.caller_id, once.key)]
        with self._alone(once):
            outcome = await self._runtime.do(
                lambda work: apply(act, work), locks=[request_id], loads=loads
            )
        return _or_raise(outcome)

    def _once(self, caller_id: str, key: str | None, act: str, content: str) -> Once | None:
        if key is None:
            return None
        return Once(caller_id, key, _sha256(f"{act}\n{content}".encode()))

    @contextmanager
    def _alone(self, once: Once | None) -> Iterator[None]:
        """Refuse a second call with the same key while the first one is in flight here.

        Another replica's call meets the unique key of the answers instead.
        """
        if once is None:
            yield
            return
        place = (once.caller_id, once.key)
        if place in self._flying:
            raise StillInFlight(retry_after_s=1)
        self._flying.add(place)
        try:
            yield
        finally:
            self._flying.discard(place)


_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _refuse_form(type_key: str, findings: Any) -> None:
    if findings:
        raise FormNotValid(findings, type=type_key, count=len(findings))


def _or_raise(outcome: Answer | LeveeError) -> Answer:
    if isinstance(outcome, LeveeError):
        raise outcome
    return outcome

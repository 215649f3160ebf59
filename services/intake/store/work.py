"""Intake's unit of work: one select per kind of thing for a whole batch, bulk writes at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from services.intake.domain.standing import Standing
from services.intake.domain.values import Answer, Fact, Message, Once, Request, Submission
from services.intake.store import prepared
from services.intake.store.keys import sort_out
from services.intake.store.rows import (
    answer_of,
    fact_row,
    json_text,
    message_row,
    request_of,
    request_row,
)
from services.intake.store.tables import answers, catalogues, messages, requests, timeline
from shared.consuming import Work, WorkContext
from shared.database.statements import change_rows, insert_rows, rows_among, upsert
from shared.database.tables import to_us

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from services.intake.store.shelf import Shelf
    from shared.events.base import EventData


class IntakeWork(Work):
    """What handlers of one transaction read and change."""

    def __init__(self, context: WorkContext, shelf: Shelf) -> None:
        super().__init__(context)
        self._shelf = shelf
        self._requests: dict[str, Request] = {}
        self._externals: dict[tuple[str, str], str] = {}
        self._answers: dict[tuple[str, str], tuple[str, Answer]] = {}
        self._versions: dict[str, int] = {}
        self._new: dict[str, dict[str, Any]] = {}
        self._changed: set[str] = set()
        self._corrections: dict[str, dict[str, Any]] = {}
        self._messages: list[dict[str, Any]] = []
        self._facts: list[dict[str, Any]] = []
        self._given: dict[tuple[str, str], dict[str, Any]] = {}
        self._catalogues: dict[str, dict[str, Any]] = {}

    # ---- what handlers read -----------------------------------------------------------------

    def request(self, request_id: str) -> Request | None:
        """Return the request, or None when it was never posted here."""
        return self._requests.get(request_id)

    def posted_as(self, source: str, external_id: str) -> Request | None:
        """Return the request `source` posted under its own reference."""
        found = self._externals.get((source, external_id))
        return None if found is None else self._requests[found]

    def answered(self, once: Once) -> tuple[str, Answer] | None:
        """Return fingerprint and answer of the call that used the same key before."""
        return self._answers.get((once.caller_id, once.key))

    def catalogue_version(self, key: str) -> int:
        """Return the version of the catalogue kept here, 0 for none."""
        return self._versions.get(key, 0)

    def check_catalogue(self, content_hash: str, content: str) -> None:
        """Raise `BadDefinition` unless the text is a catalogue whose forms can be checked."""
        self._shelf.read(content_hash, content)

    # ---- what handlers change ---------------------------------------------------------------

    def add(self, submission: Submission) -> Request:
        """Keep a request just posted."""
        row = request_row(submission, self.now)
        post = submission.post
        request = Request(
            id=submission.request_id,
            number=submission.number,
            source=post.source,
            external_id=post.external_id,
            content_hash=submission.content_hash,
            request_type=post.type,
            requester_id=post.requester.id,
            title=post.title,
            urgency=post.urgency,
            impact=post.impact,
            callback=post.callback,
            is_import=post.is_import,
            submitted_at=submission.submitted_at,
            standing=Standing(),
        )
        self._new[request.id] = row
        self._requests[request.id] = request
        if post.external_id is not None:
            self._externals[(post.source, post.external_id)] = request.id
        return request

    def keep(self, request: Request) -> None:
        """Keep a request's new standing or promises."""
        self._requests[request.id] = request
        self._changed.add(request.id)

    def correct(self, request: Request, columns: Mapping[str, Any]) -> None:
        """Keep what was corrected of the post; `form` as a plain value."""
        self._requests[request.id] = request
        told = {k: json_text(v) if k == "form" else v for k, v in columns.items()}
        self._corrections.setdefault(request.id, {}).update(told)

    def add_message(self, message: Message, sequence: int) -> None:
        """Keep a message; `sequence` is that of the event that said it."""
        self._messages.append(message_row(message, sequence))

    def record(self, fact: Fact) -> None:
        """Keep an entry of a request's timeline."""
        self._facts.append(fact_row(fact))

    def say(
        self, data: EventData, request_id: str, occurred_at: datetime, params: Mapping[str, Any]
    ) -> int:
        """Publish an event of our own, keep it as a fact, return its sequence."""
        event_id = self.publish(data, subject=request_id, occurred_at=occurred_at)
        sequence = self._context.subjects[request_id].said
        name = self._context.service
        self.record(
            Fact(
                str(event_id),
                request_id,
                occurred_at,
                self.now,
                name,
                sequence,
                data.type,
                params,
            )
        )
        return sequence

    def remember(self, once: Once, answer: Answer) -> None:
        """Keep what was answered under an Idempotency-Key."""
        place = (once.caller_id, once.key)
        self._answers[place] = (once.fingerprint, answer)
        self._given[place] = {
            "caller_id": once.caller_id,
            "key": once.key,
            "fingerprint": once.fingerprint,
            "status": answer.status,
            "body": answer.body,
            "location": answer.location,
            "created_us": to_us(self.now),
        }

    def keep_catalogue(
        self, key: str, version: int, content_hash: str, content: str, released_at: datetime
    ) -> None:
        """Keep a newer version of a catalogue."""
        self._versions[key] = version
        self._catalogues[key] = {
            "key": key,
            "version": version,
            "content_hash": content_hash,
            "content": content,
            "released_us": to_us(released_at),
        }

    # ---- the runtime's part -----------------------------------------------------------------

    async def load(self, keys: Collection[str]) -> None:
        """Read requests, external ids, answers and catalogues of a batch."""
        wanted = sort_out(keys)
        tx = self.tx
        if wanted.requests:
            self._know(await prepared.requests_by_id(tx, wanted.requests))
        if wanted.externals:
            self._know(await prepared.requests_by_external_id(tx, wanted.externals))
        if wanted.answers:
            for row in await prepared.answers_by_key(tx, wanted.answers):
                self._answers[(row.caller_id, row.key)] = (row.fingerprint, answer_of(row))
        for row in await rows_among(tx, catalogues, "key", wanted.catalogues):
            self._versions[row.key] = row.version

    async def flush(self) -> None:
        """Write what changed, sorted by key wherever two replicas may meet."""
        tx = self.tx
        if self._new:
            # By external id first: two replicas that post the same ones in one go must wait for
            # each other instead of for one another.
            rows = sorted(
                self._new.values(), key=lambda r: (r["source"], r["external_id"] or "", r["id"])
            )
            await insert_rows(tx, requests, rows)
        await self._write_changes()
        await insert_rows(tx, messages, self._messages)
        await upsert(tx, timeline, self._facts, update=())
        if self._given:
            rows = [self._given[place] for place in sorted(self._given)]
            await insert_rows(tx, answers, rows)
        if self._catalogues:
            await upsert(tx, catalogues, [self._catalogues[k] for k in sorted(self._catalogues)])
            for key, row in self._catalogues.items():
                self._shelf.expect(key, row["version"])

    def _know(self, rows: Sequence[Any]) -> None:
        for row in rows:
            if row.id not in self._requests:
                self._requests[row.id] = request_of(row)
            if row.external_id is not None:
                self._externals[(row.source, row.external_id)] = row.id

    async def _write_changes(self) -> None:
        rows = [
            {
                "id": request_id,
                "state": self._requests[request_id].standing.state.value,
                "standing": json_text(self._requests[request_id].standing),
                "promises": json_text(self._requests[request_id].promises),
            }
            for request_id in sorted(self._changed)
        ]
        await change_rows(self.tx, requests, rows)
        for request_id, columns in sorted(self._corrections.items()):
            await self.tx.execute(
                update(requests).where(requests.c.id == request_id).values(**columns)
            )

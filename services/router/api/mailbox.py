"""Messages from outside for diagrams that wait for them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select

from services.router.domain import RequestNotRouted
from services.router.domain.messages import InMessage, MessageState, Waiting, place_of
from services.router.handlers.messages import receive_message
from services.router.store import tables
from services.router.store.letters import MESSAGE
from services.router.store.rows import message_of, waiting_of
from shared.database.tables import to_us

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from services.router.store import RouterWork
    from shared.consuming import Runtime

_log = logging.getLogger(__name__)

#: How often a message is tried with somebody who waits: each time that one has gone meanwhile.
_TRIES = 5
#: Others who wait for the same message that an answer names.
_NAMED = 10


class Mailbox:
    """Takes messages in, once each, and finds whoever waits for them."""

    def __init__(self, runtime: Runtime[RouterWork]) -> None:
        self._runtime = runtime

    async def receive(
        self,
        name: str,
        key: str,
        payload: Mapping[str, Any],
        message_id: str | None,
        keep: timedelta,
        sender: str,
    ) -> dict[str, Any]:
        """Deliver a message to the element that has waited longest, or keep it for `keep`.

        Nobody else may have it: where several wait for the same, the answer names the others.
        """
        now = self._runtime.time.now()
        given = message_id or str(self._runtime.ids.new())
        place = place_of(sender, given)
        message = InMessage(place, sender, given, name, key, now, now + keep, payload)
        is_kept = keep.total_seconds() > 0
        others: Sequence[Waiting] = ()
        tried: set[UUID] = set()
        for _ in range(_TRIES):
            waiting = [w for w in await self._waiting(name, key) if w.id not in tried]
            first = waiting[0] if waiting else None
            message = await self._once(message, first, is_kept, now)
            if first is None:
                # Whoever began to wait while it was stored has not seen it, but is seen here.
                waiting = await self._waiting(name, key)
                if not is_kept or all(w.id in tried for w in waiting):
                    break
                continue
            tried.add(first.id)
            others = waiting[1:]
            if message.state is not MessageState.BUFFERED:
                break
        told = message_json(message)
        if message.state is MessageState.CORRELATED and others:
            _log.warning("message %s (%s): %d others wait for it", given, name, len(others))
            told["also_waiting"] = [
                {"request_id": str(w.request_id), "element_id": w.element_id}
                for w in others[:_NAMED]
            ]
        return told

    async def _once(
        self, message: InMessage, waiting: Waiting | None, is_kept: bool, at: datetime
    ) -> InMessage:
        wanted = None if waiting is None else waiting.id
        return await self._runtime.do(
            lambda work: receive_message(message, wanted, is_kept, at, work),
            locks=[] if waiting is None else [waiting.request_id],
            loads=[f"{MESSAGE}{message.place}"],
        )

    async def number_of(self, reference: UUID | str) -> str:
        """Return the number of a request named by its id; a number is what it is.

        Raises `RequestNotRouted` for an id: only a number can be waited for before it is known.
        """
        if isinstance(reference, str):
            return reference
        table = tables.requests
        wanted = select(table.c.number).where(table.c.id == str(reference))
        async with self._runtime.database.reading() as connection:
            number: str | None = (await connection.execute(wanted)).scalar_one_or_none()
        if number is None:
            raise RequestNotRouted(request_id=reference)
        return number

    async def _waiting(self, name: str, key: str) -> list[Waiting]:
        table = tables.waiting
        wanted = (
            select(table)
            .where(table.c.name == name, table.c.key == key)
            .order_by(table.c.since_us, table.c.id)
            .limit(_NAMED + 1)
        )
        async with self._runtime.database.reading() as connection:
            return [waiting_of(row) for row in (await connection.execute(wanted)).all()]

    async def messages(
        self, filters: Mapping[str, str | None], limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Return a page of messages, the newest first; `expired` is a state of its own here."""
        table, now = tables.messages, to_us(self._runtime.time.now())
        chosen = [
            table.c[column] == value
            for column, value in filters.items()
            if value is not None and column != "state"
        ]
        match filters.get("state"):
            case "expired":
                chosen += [table.c.state == MessageState.BUFFERED.value, table.c.expires_us <= now]
            case "buffered":
                chosen += [table.c.state == MessageState.BUFFERED.value, table.c.expires_us > now]
            case str(state):
                chosen.append(table.c.state == state)
        async with self._runtime.database.reading() as connection:
            counted = select(func.count()).select_from(table).where(*chosen)
            total = (await connection.execute(counted)).scalar_one()
            newest = (table.c.received_us.desc(), table.c.id)
            wanted = select(table).where(*chosen).order_by(*newest).limit(limit).offset(offset)
            rows = (await connection.execute(wanted)).all()
        return [self._told(message_of(row)) for row in rows], total

    def _told(self, message: InMessage) -> dict[str, Any]:
        told = message_json(message)
        is_late = message.expires_at <= self._runtime.time.now()
        if message.state is MessageState.BUFFERED and is_late:
            told["state"] = "expired"
        return told


def message_json(message: InMessage) -> dict[str, Any]:
    """Return a message as the API shows it, without what it says."""
    return {
        "id": message.id,
        "sender": message.sender or None,
        "name": message.name,
        "correlation_key": message.key,
        "state": message.state.value,
        "received_at": message.received_at,
        "expires_at": message.expires_at,
        "request_id": None if message.request_id is None else str(message.request_id),
        "element_id": message.element_id,
        "correlated_at": message.correlated_at,
    }

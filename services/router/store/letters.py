"""Messages from outside and who waits for them, within one unit of work."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from services.router.domain.messages import OWN_MESSAGES, InMessage, MessageState, Waiting
from services.router.store import tables
from services.router.store.rows import message_of, message_row, waiting_of, waiting_row
from shared.database.statements import delete_among, rows_among, upsert
from shared.database.tables import to_us
from shared.id_source import derived

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from services.router.workflow import Instance
    from shared.database.engine import Transaction

#: What goes before the place of a message among the keys to load.
MESSAGE = "message:"
#: Messages for one element that are looked at; further ones wait for its next turn.
_AT_MOST = 20


class Letters:
    """What is waited for by the loaded instances, and the messages that may be for them."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, Waiting] = {}
        self._kept: dict[UUID, Waiting] = {}
        self._dropped: set[UUID] = set()
        self._messages: dict[str, InMessage] = {}
        self._changed: dict[str, InMessage] = {}

    async def load(
        self,
        tx: Transaction,
        keys: Collection[str],
        instances: Mapping[UUID, Instance],
        now: datetime,
    ) -> None:
        """Load who waits among the instances, the messages kept for them, and those named."""
        named = [key.removeprefix(MESSAGE) for key in keys if key.startswith(MESSAGE)]
        if named:
            self._take(await rows_among(tx, tables.messages, "id", named))
        ids = [
            str(waiting_id(instance_id, wait.task_id))
            for instance_id, instance in instances.items()
            for wait in instance.open_waits(OWN_MESSAGES)
        ]
        if not ids:
            return
        for row in await rows_among(tx, tables.waiting, "id", ids):
            waiting = waiting_of(row)
            self._waiting[waiting.id] = waiting
        await self._load_buffered(tx, now)

    async def _load_buffered(self, tx: Transaction, now: datetime) -> None:
        wanted = sorted({(w.name, w.key) for w in self._waiting.values()})
        if not wanted:
            return
        table = tables.messages
        for name, key in wanted:
            # One by one: many that are kept for one element must not hide those for another.
            found = (
                select(table)
                .where(table.c.name == name, table.c.key == key)
                .where(table.c.state == MessageState.BUFFERED.value)
                .where(table.c.expires_us > to_us(now))
                .order_by(table.c.received_us, table.c.id)
                .limit(_AT_MOST)
            )
            self._take((await tx.execute(found)).all())

    def _take(self, rows: Collection[object]) -> None:
        for row in rows:
            message = message_of(row)
            self._messages.setdefault(message.place, message)

    async def flush(self, tx: Transaction) -> None:
        """Write what changed."""
        if self._dropped:
            await delete_among(tx, tables.waiting, "id", sorted(map(str, self._dropped)))
        kept = sorted(self._kept.values(), key=lambda w: str(w.id))
        await upsert(tx, tables.waiting, [waiting_row(waiting) for waiting in kept])
        messages = sorted(self._changed.values(), key=lambda m: m.place)
        await upsert(tx, tables.messages, [message_row(message) for message in messages])

    def find_waiting(self, wanted: UUID) -> Waiting | None:
        """Return an element that still waits."""
        return self._waiting.get(wanted)

    def keep_waiting(self, waiting: Waiting) -> None:
        """Somebody waits from now on."""
        self._waiting[waiting.id] = self._kept[waiting.id] = waiting
        self._dropped.discard(waiting.id)

    def drop_waiting(self, gone: UUID) -> None:
        """Nobody waits there any more."""
        self._waiting.pop(gone, None)
        if self._kept.pop(gone, None) is None:
            self._dropped.add(gone)

    def find(self, place: str) -> InMessage | None:
        """Return a message that was named among the keys, or is kept for who was loaded."""
        return self._messages.get(place)

    def keep(self, message: InMessage) -> None:
        """Keep a message as it is now."""
        self._messages[message.place] = self._changed[message.place] = message

    def buffered(self) -> list[InMessage]:
        """Return the messages known to be kept for somebody."""
        return [m for m in self._messages.values() if m.state is MessageState.BUFFERED]


def waiting_id(instance_id: UUID, task_id: int) -> UUID:
    """Return the id of the element that a token of an instance waits in."""
    return derived(instance_id, f"wait/{task_id}")

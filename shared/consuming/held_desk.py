"""Where operators look at held messages and settle them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from shared.consuming import held as held_rows
from shared.consuming import settled
from shared.consuming.batch import read_arrival
from shared.consuming.firing import timer_from_held
from shared.consuming.settled import Decision
from shared.consuming.work import Work
from shared.database import timers as timer_rows
from shared.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.consuming.messages import Messages
    from shared.database.engine import Database
    from shared.database.tables import KitTables
    from shared.database.timer_watch import TimerWatch
    from shared.time_source import TimeSource

W = TypeVar("W", bound=Work)

#: Who decides when nobody says so: the house itself.
_HOUSE = "house"


class ArmedAgain(Refused):
    """The timer {event_id} was armed anew since it was set aside; dismiss the old one."""

    zh: ClassVar[str] = "定时 {event_id} 被搁置之后已重新设定；请将旧的忽略。"


@dataclass(slots=True)
class HeldDesk(Generic[W]):
    """Lists, shows, replays, dismisses and skips; each decision is written down."""

    database: Database
    tables: KitTables
    time: TimeSource
    timers: TimerWatch
    messages: Messages[W]

    async def find(
        self,
        *,
        is_set_aside: bool = True,
        chosen: held_rows.Chosen = held_rows.EVERYTHING,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[list[held_rows.Held], int]:
        """Return a page of what is set aside (or of what waits as early) and the total."""
        kinds = held_rows.SET_ASIDE if is_set_aside else (held_rows.EARLY,)
        async with self.database.reading() as connection:
            return await held_rows.list_held(
                connection, self.tables, kinds=kinds, chosen=chosen, limit=limit, offset=offset
            )

    async def show(self, event_id: str) -> dict[str, Any]:
        """Return a held message whole, with what was decided about it before.

        Raises `NoSuchHeldMessage`.
        """
        async with self.database.reading() as connection:
            found = await held_rows.show(connection, self.tables, event_id)
            before = await settled.decisions_about(connection, self.tables, event_id)
        return {**found, "decisions": before}

    async def settled(self, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
        """Return a page of decisions, the latest first, and the total."""
        async with self.database.reading() as connection:
            return await settled.list_settled(connection, self.tables, limit, offset)

    async def replay(self, event_id: str, by: str = _HOUSE) -> bool:
        """Try a message that was set aside again, and what waited behind it.

        Returns whether it went through; it stays set aside when it failed again, and is tried
        again by itself when what it needs is away. Raises `NoSuchHeldMessage`, and `ArmedAgain`
        for a timer that was armed anew since.
        """
        timers: Sequence[timer_rows.Timer] = ()
        async with self.database.transaction() as tx:
            row = await held_rows.reconsider(tx, self.tables, event_id)
            key = row.key
            await self._keep(tx, row, Decision("replayed", by))
            if row.kind == held_rows.TIMER:
                timers = [timer_from_held(row)]
                if await timer_rows.is_armed(tx, self.tables, timers[0].id):
                    raise ArmedAgain(event_id=event_id)
                await timer_rows.arm(tx, self.tables, timers)
            elif row.kind == held_rows.UNREADABLE:
                header = read_arrival(row.body, None).header
                if header is None:
                    return False
                key = header.subject
                await held_rows.read_again(tx, self.tables, row, header)
        self.timers.armed(timers)
        if row.kind != held_rows.TIMER:
            await self.messages.go_on(key)
        async with self.database.reading() as connection:
            return not await held_rows.is_held(connection, self.tables, event_id)

    async def replay_all(
        self, chosen: held_rows.Chosen, limit: int, by: str = _HOUSE
    ) -> dict[str, list[str]]:
        """Replay up to `limit` of those chosen, the oldest first; tell what became of each."""
        found, _ = await self.find(chosen=chosen, limit=limit)
        told: dict[str, list[str]] = {"done": [], "failed": []}
        for one in found:
            try:
                is_done = await self.replay(one.event_id, by)
            except held_rows.NoSuchHeldMessage:
                # It went through behind one before it.
                is_done = True
            except ArmedAgain:
                is_done = False
            told["done" if is_done else "failed"].append(one.event_id)
        return told

    async def dismiss(self, event_id: str, by: str = _HOUSE, reason: str = "") -> None:
        """Give a set-aside message up: count it as heard and let its successors go on.

        Raises `NoSuchHeldMessage`, and `StillWaiting` for one that only came early.
        """
        async with self.database.transaction() as tx:
            row = await held_rows.dismiss(tx, self.tables, event_id)
            await self._keep(tx, row, Decision("dismissed", by, reason))
        if row.key is not None and row.kind != held_rows.TIMER:
            await self.messages.go_on(row.key)

    async def skip_to(
        self, key: str, publisher: str, sequence: int, by: str = _HOUSE, reason: str = ""
    ) -> None:
        """Count everything up to `sequence` as heard: settles a gap nobody will fill.

        What is held of `publisher` up to there is given up; what follows goes on.
        """
        async with self.database.transaction() as tx:
            given_up = await held_rows.skip_to(tx, self.tables, key, publisher, sequence)
            for row in given_up:
                await self._keep(tx, row, Decision("skipped", by, reason))
        await self.messages.go_on(key)

    async def _keep(self, tx: Any, row: Any, decision: Decision) -> None:
        await settled.keep(tx, self.tables, row, decision, self.time.now())

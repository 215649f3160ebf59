"""Live: viewers are told when the board changed; many viewers of one board share one reading."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from services.insight.api.sharing import Shared
from shared.errors import LeveeError, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.insight.api.desk import Desk
    from services.insight.domain.board import Board, Scope
    from shared.time_source import TimeSource

#: Proxies cut connections that are silent for 30 to 60 seconds.
HEARTBEAT_S = 15.0
#: Between two readings of one board, however much happens; also the time a commit has to become
#: visible after its batch announced it.
AT_LEAST_S = 1.0
#: A large house's board takes longer to read; reading it may take this share of the time.
_READING_SHARE = 0.2
#: Viewers of one replica; each holds a connection.
MAX_VIEWERS = 500
#: Boards (by filter) whose latest reading is kept.
_KEPT = 64
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class TooManyViewers(Unavailable):
    """{limit} viewers are connected to this replica already."""

    zh: ClassVar[str] = "本副本已有 {limit} 个查看者连接。"

    retry_after_s: ClassVar[int] = 15


class Live:
    """Tells viewers of changes until it is closed."""

    def __init__(self, desk: Desk, pace: TimeSource) -> None:
        """Tell what `desk` shows; `pace` is the viewers' time, not that of the requests."""
        self._desk, self._pace = desk, pace
        self._pulse, self._closing = asyncio.Event(), asyncio.Event()
        #: When the latest reading began, what it said, and the pulse that means it is old.
        self._latest: dict[Scope, tuple[datetime, str, bytes, asyncio.Event]] = {}
        self._readings: Shared[Scope, tuple[str, bytes, asyncio.Event]] = Shared(self._read_anew)
        self._watching: asyncio.Task[None] | None = None
        #: How long the latest reading took, in real seconds.
        self._took_s = 0.0
        self.viewers = 0

    def changed(self) -> None:
        """Note that the read model changed."""
        pulse, self._pulse = self._pulse, asyncio.Event()
        pulse.set()

    def close(self) -> None:
        """End every stream."""
        self._closing.set()
        self.changed()
        if self._watching is not None:
            self._watching.cancel()

    def close_when(self, stopping: asyncio.Event | None) -> None:
        """End every stream as soon as `stopping` is set."""
        if stopping is None or self._watching is not None:
            return

        async def watch() -> None:
            await stopping.wait()
            self._closing.set()
            self.changed()

        self._watching = asyncio.create_task(watch(), name="insight-live-stopping")

    def must_have_room(self) -> None:
        """Raise `TooManyViewers` when no other viewer can be served."""
        if self.viewers >= MAX_VIEWERS:
            raise TooManyViewers(limit=MAX_VIEWERS)

    async def stream(self, scope: Scope, last_id: str | None) -> AsyncIterator[bytes]:
        """Yield server-sent events: `board` whenever it differs from `last_id`, else heartbeats.

        An event's id is the fingerprint of the board, the same in every replica: whoever comes
        back with it hears nothing until something changed.
        """
        self.viewers += 1
        try:
            yield b"retry: 3000\n\n"
            while not self._closing.is_set():
                try:
                    board_id, told, pulse = await self._read(scope)
                except LeveeError:
                    return  # the browser comes back by itself
                yield told if board_id != last_id else b": nothing new\n\n"
                last_id = board_id
                if await self._wait(pulse, HEARTBEAT_S):
                    await self._wait(self._closing, self._pause_s)
        finally:
            self.viewers -= 1

    @property
    def _pause_s(self) -> float:
        return max(AT_LEAST_S, self._took_s / _READING_SHARE)

    async def _wait(self, event: asyncio.Event, seconds: float) -> bool:
        return await self._pace.wait(event, self._pace.now() + timedelta(seconds=seconds))

    async def _read(self, scope: Scope) -> tuple[str, bytes, asyncio.Event]:
        """Return the board, and what is set as soon as it may be old: perhaps it is by now."""
        kept = self._latest.get(scope)
        if kept is not None and self._pace.now() - kept[0] < timedelta(seconds=self._pause_s / 2):
            return kept[1:]
        return await self._readings.ask(scope)

    async def _read_anew(self, scope: Scope) -> tuple[str, bytes, asyncio.Event]:
        # The pulse is taken before reading: what changes meanwhile is looked at next.
        pulse, now, began = self._pulse, self._pace.now(), self._pace.monotonic()
        board = await self._desk.board(scope)
        self._took_s = self._pace.monotonic() - began
        board_id = fingerprint(board)
        told = _event(board, board_id)
        self._latest.pop(scope, None)
        self._latest[scope] = (now, board_id, told, pulse)
        while len(self._latest) > _KEPT:
            self._latest.pop(next(iter(self._latest)))
        return board_id, told, pulse


def fingerprint(board: Board) -> str:
    """Return the same short text for boards that show the same."""
    shown = orjson.dumps(replace(board, at=_NEVER), default=str)
    return hashlib.sha256(shown).hexdigest()[:16]


def _event(board: Board, board_id: str) -> bytes:
    told: dict[str, Any] = {
        "at": board.at,
        "counts": board.counts,
        "unanswered": board.escalations.unanswered,
        "lights": {team.team: team.light for team in board.teams},
    }
    return b"id: %s\nevent: board\ndata: %s\n\n" % (board_id.encode(), orjson.dumps(told))

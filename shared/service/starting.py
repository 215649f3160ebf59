"""Beginning to work: what is worth waiting for, for how long, and what is said meanwhile.

A database that does not answer (server stopped, starting, full, its name not known yet) comes by
itself: a service waits for it for ever, a job (`migrate`) for a while. A database that answers and
says no (wrong password, no such database, not migrated) does not mend itself by waiting: that ends
the process with a sentence on what to mend.
"""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypeVar

from shared.database.trouble import DatabaseRefused, DatabaseUnavailable, DatabaseUnfit
from shared.errors import LeveeError, Unavailable
from shared.observability import Sparingly
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shared.time_source import TimeSource

_log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between attempts: soon at first, and never so long that a database that is back finds
#: its service asleep.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 2.0
#: Seconds a job waits unless told otherwise: a server that starts beside it, crash recovery
#: included, and below what orchestrators give a job's first attempt.
JOB_WAITS_S = 60.0


class NotStarted(Unavailable):
    """{service} is starting and takes no calls yet; try again in a moment.

    What it waits for stands at /{service}/ready.
    """

    zh: ClassVar[str] = (
        "服务 {service} 正在启动，尚不能处理请求，请稍后重试；/{service}/ready 说明它在等待什么。"
    )


class DatabaseWrong(LeveeError):
    """{service} may not use {url}: {reason}

    Correct {variable}, or make this user and database (infra/docker/databases.sql), then `migrate`.
    """

    zh: ClassVar[str] = (
        "{service} 无法使用 {url}：{reason}。"
        "请修正 {variable}，或创建该用户和数据库（infra/docker/databases.sql）后运行 migrate。"
    )


class DatabaseStayedAway(LeveeError):
    """{url} does not answer {service}: {reason}; waited {waited_s} s.

    Start the database server or correct {variable}, then run this again.
    """

    zh: ClassVar[str] = (
        "{url} 对 {service} 没有响应：{reason}；已等待 {waited_s} 秒。"
        "请启动数据库服务器或修正 {variable}，然后重新运行。"
    )


@dataclass(slots=True)
class Waiting:
    """How one starting process waits for its database, in the machine's time.

    `url` is shown without its password, `variable` names the setting it came from; `within_s` is
    how long it waits altogether before it gives up, None for ever.
    """

    service: str
    url: str
    variable: str
    within_s: float | None = None
    time: TimeSource = field(default_factory=SystemTime)
    #: What it waits for at this moment; empty while nothing is missing.
    reason: str = ""
    #: Set as soon as it has to wait for the first time.
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_there(self, step: Callable[[], Awaitable[T]]) -> T:
        """Return what `step` returns, tried again for as long as the database does not answer.

        Whatever was done of a step that failed must be harmless to do again. Raises DatabaseWrong
        where waiting mends nothing, DatabaseStayedAway once the time is over, and what else the
        step raises.
        """
        began, pause_s = self.time.monotonic(), _FIRST_PAUSE_S
        saying = Sparingly(self.time.monotonic)
        while True:
            try:
                done = await step()
            except DatabaseUnavailable as error:
                waited_s = self.time.monotonic() - began
                left_s = self._left_s(error, waited_s)
                if saying.is_due():
                    self._say(waited_s, saying.gap_s)
            else:
                if self.reason:
                    waited_s = self.time.monotonic() - began
                    _log.warning("the database answers after %.0f s: going on", waited_s)
                    self.reason = ""
                return done
            await self.time.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _left_s(self, error: DatabaseUnavailable, waited_s: float) -> float:
        """Return how many seconds waiting may go on; raise what to tell where it may not."""
        if isinstance(error, DatabaseUnfit):
            raise error
        if isinstance(error, DatabaseRefused):
            raise DatabaseWrong(**self._told(error)) from error
        left_s = math.inf if self.within_s is None else self.within_s - waited_s
        if left_s <= 0:
            told = self._told(error)
            raise DatabaseStayedAway(waited_s=f"{waited_s:.0f}", **told) from error
        self.reason = str(error)
        self.has_begun.set()
        return left_s

    def _told(self, error: DatabaseUnavailable) -> dict[str, object]:
        reason = error.params.get("reason", str(error))
        return {
            "service": self.service,
            "url": self.url,
            "variable": self.variable,
            "reason": reason,
        }

    def _say(self, waited_s: float, gap_s: float) -> None:
        for_how_long = "for ever" if self.within_s is None else f"{self.within_s:g} s at most"
        _log.warning(
            "waiting (%s) for %s: %s; %.0f s so far, said again in %.0f s. "
            "Start the database server or correct %s",
            for_how_long,
            self.url,
            self.reason,
            waited_s,
            gap_s,
            self.variable,
        )

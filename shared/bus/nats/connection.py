"""One connection to NATS at a time, kept for ever.

Every connection is a fresh nats-py client that does not reconnect by itself: that one loses
futures across a restart, keeps what it could not send, sends it much later, and gives up for good
on some errors. A client that is lost is thrown away and the next one set up from scratch, so there
is one path for the first connection and for all later ones.

All waiting here is in the machine's time: the broker does not live in simulated time.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import NoServersError

from shared.bus.port import BusTooOld, BusUnavailable
from shared.errors import LeveeError
from shared.observability import Sparingly
from shared.time_source import SystemTime

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from pathlib import Path

_log = logging.getLogger(__name__)

#: Older servers silently ignore what we rely on (floors.md §1, feature matrix).
OLDEST_SERVER = (2, 12)

_CONNECT_TIMEOUT_S = 2
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
# A connection that hangs (cable, firewall) is noticed after the third ping without an answer.
_PING_INTERVAL_S = 3
_TICK = timedelta(seconds=0.5)
_FLUSH_TIMEOUT_S = 1
_LEAVE_S = 2.0
#: Different problems remembered as said; there is one per server, and few more.
_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach NATS and who we are there; `tls` and `creds` as nats-py takes them."""

    servers: Sequence[str]
    name: str
    user: str | None = None
    password: str | None = None
    token: str | None = None
    creds: Path | None = None
    tls: ssl.SSLContext | None = None
    #: Where answers arrive.
    inbox: str = "_INBOX"


class Rider(Protocol):
    """What lives on the connection."""

    async def ready(self, client: Client) -> None:
        """Set up everything on `client`; also called again on the same one when asked to."""
        ...

    async def tick(self) -> None:
        """Look whether everything is as it should be; called twice a second."""
        ...

    def lost(self) -> None:
        """Give up what was under way on the client that is gone."""
        ...


class _Client(Client):
    """nats-py's client with two of its inner methods replaced.

    Should those be renamed one day, the client works as nats-py has it: slower, and with warnings
    in the log when a server dies.
    """

    def __init__(self) -> None:
        super().__init__()
        #: Set when the connection is of no use any more.
        self.lost = asyncio.Event()

    async def _process_op_err(self, e: Exception) -> None:
        """Be lost, and leave the closing to whoever keeps the connection.

        nats-py first writes what is buffered to the dead socket, fails at that, and leaves tasks
        and the socket behind.
        """
        if self.is_connected:
            self._process_disconnect()
            self._pending.clear()
            self._pending_data_size = 0
        self.lost.set()

    # Its own reader asks of every character of every name whether it is white space: 5 to 8 µs a
    # message, a quarter of all it costs to take one.
    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in raw.decode("utf-8", "replace").split("\r\n"):
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip()] = value.strip()
        return headers


class Connection:
    """Keeps `client` set whenever NATS is there and ready for use."""

    def __init__(self, access: Access, rider: Rider) -> None:
        self._access = access
        self._rider = rider
        self._time = SystemTime()
        self._client: Client | None = None
        self._tried = asyncio.Event()
        self._is_stale = False
        self._is_closing = False
        self._times_ready = 0
        self._task: asyncio.Task[None] | None = None
        #: What the last attempt met; empty once one succeeded.
        self.problem = ""
        self._sayings: dict[str, Sparingly] = {}
        #: Why the last server was refused; None once one was accepted.
        self.refusal: BusTooOld | None = None

    @property
    def client(self) -> Client | None:
        """The client to use; None while there is none."""
        client = self._client
        return client if client is not None and client.is_connected else None

    @property
    def reconnects(self) -> int:
        """How often it came back after having been ready."""
        return max(self._times_ready - 1, 0)

    async def open(self) -> None:
        """Start; return after the first attempt, whether it succeeded or not.

        Raises BusTooOld if the first server that answers is.
        """
        self._task = asyncio.create_task(self._keep(), name="nats connection")
        self._task.add_done_callback(_report)
        await self._tried.wait()
        if self.refusal is not None:
            await self.close()
            raise self.refusal

    async def close(self) -> None:
        """Send what is buffered and leave."""
        if self._client is not None:
            with suppress(NatsError, OSError, TimeoutError):
                await self._client.flush(_FLUSH_TIMEOUT_S)
        self._is_closing = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def distrust(self) -> None:
        """Have everything set up again soon: a stream or consumer seems to be missing."""
        self._is_stale = True

    async def _keep(self) -> None:
        pause_s = _FIRST_PAUSE_S
        # Not the cancellation alone: nats-py swallows one that meets it while it connects.
        while not self._is_closing:
            client = _Client()
            try:
                await self._connect(client)
                await self._rider.ready(client)
                self._accept(client)
                pause_s = _FIRST_PAUSE_S
                await self._stay(client)
            except (NatsError, OSError, TimeoutError, LeveeError) as problem:
                self._say(problem)
            finally:
                self._client = None
                self._rider.lost()
                await _leave(client)
                self._tried.set()
            if not self._is_closing:
                await self._time.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _connect(self, client: _Client) -> None:
        async def note(problem: Exception) -> None:
            self._say(problem)

        async def gone() -> None:
            client.lost.set()

        access = self._access
        await client.connect(
            list(access.servers),
            name=access.name,
            user=access.user,
            password=access.password,
            token=access.token,
            user_credentials=access.creds,
            tls=access.tls,
            inbox_prefix=access.inbox,
            allow_reconnect=False,
            # With 0 it would try for ever inside connect(), where nobody can look at it.
            max_reconnect_attempts=1,
            reconnect_time_wait=0,
            connect_timeout=_CONNECT_TIMEOUT_S,
            ping_interval=_PING_INTERVAL_S,
            flush_timeout=_FLUSH_TIMEOUT_S,
            error_cb=note,
            disconnected_cb=gone,
            closed_cb=gone,
        )
        version = _version(client)
        if version < OLDEST_SERVER:
            self.refusal = BusTooOld(version=".".join(map(str, version)))
            raise self.refusal
        self.refusal = None

    def _accept(self, client: Client) -> None:
        self._client = client
        self._times_ready += 1
        self.problem = ""
        self._sayings = {}
        self._tried.set()
        _log.info("connected to nats-server at %s", client.connected_url)

    async def _stay(self, client: _Client) -> None:
        # Not the event alone: some errors close nats-py without anybody being told. Nor the
        # cancellation alone: nats-py swallows one that meets it while it asks something.
        while not self._is_closing and client.is_connected and not client.lost.is_set():
            await self._time.wait(client.lost, self._time.now() + _TICK)
            if self._is_stale and client.is_connected:
                self._is_stale = False
                try:
                    await self._rider.ready(client)
                except LeveeError as problem:
                    self._is_stale = True
                    self._say(problem)
            await self._rider.tick()
        raise BusUnavailable

    def _say(self, problem: Exception) -> None:
        """Log a new problem at once, one that attempts go on meeting ever more rarely.

        An attempt may meet several: one per server, and then that there is no server.
        """
        if isinstance(problem, NoServersError) and self.problem:
            return
        told = f"{type(problem).__name__}: {problem}"
        self.problem = told
        if len(self._sayings) >= _PROBLEMS:
            self._sayings = {}
        saying = self._sayings.setdefault(told, Sparingly(self._time.monotonic))
        if saying.is_due():
            _log.warning("nats-server: %s; trying on", told)


async def _leave(client: Client) -> None:
    """Close the client and its socket, which nats-py leaves open when closing itself fails."""
    try:
        # A client that never got as far as knowing its servers has nothing to close.
        if client.servers:
            # After a TLS handshake that failed, closing waits for ever.
            with suppress(NatsError, OSError, TimeoutError):
                async with asyncio.timeout(_LEAVE_S):
                    await client.close()
    finally:
        transport: Any = client._transport
        if transport is not None:
            transport.close()


def _version(client: Client) -> tuple[int, ...]:
    """Return what the server says it is; a version nobody can read counts as the oldest."""
    try:
        told = client.connected_server_version
        return (told.major, told.minor, told.patch)
    except ValueError:
        return (0,)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        _log.critical("the connection to NATS is no longer kept", exc_info=problem)

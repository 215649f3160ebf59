"""The one client for calls to addresses that somebody configured: guarded, bounded, plain.

Every call resolves the name itself, judges every address it gets, connects to a judged address
and to no other, and still speaks to it under the original name (Host, SNI, certificate). There
are no redirects, no cookies, no proxies from the environment, no decompression, no reuse of
connections: a reused connection that the other side has just closed cannot be told from one on
which the request was lost, and each new connection is judged anew.

Built on httpcore rather than on httpx, whose log lines carry whole URLs: the address of a chat
robot is its secret.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import certifi
import httpcore
import httpx

from shared.errors import Refused, Unavailable
from shared.http.addresses import IpAddress, OutboundPolicy, literal

#: Given a host name (ASCII) and a port, return its addresses; raise OSError when there are none.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

#: An answer is read this far and no further: what we look at is a status and a small JSON.
MAX_ANSWER_BYTES = 64 * 1024
#: Longer URLs are refused; browsers and gateways rarely take more than this.
MAX_URL_LENGTH = 2048
#: Standard Webhooks recommends to wait 15 to 30 s for an answer.
TIMEOUT_S = 15.0
#: Addresses of one name that are tried, one after the other.
_MAX_TRIED = 4
#: Calls at once; each holds a socket. Further ones wait, within their own time.
_MAX_CALLS = 100

# Uncompressed, so that the limit on bytes read is a limit on memory; and one call per connection.
_OWN_HEADERS = {"User-Agent": "levee", "Accept-Encoding": "identity", "Connection": "close"}

_SOCKET_OPTION = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


class AddressRefused(Refused):
    """Calling {place} is not allowed ({why}); an operator can put it on the allow-list."""

    zh = "不允许访问 {place}（{why}）；可请运维人员加入外呼白名单。"


class NotReached(Unavailable):
    """{place} could not be reached; nothing was sent ({why})."""

    zh = "无法连接 {place}，尚未发送任何内容（{why}）。"


class NoAnswer(Unavailable):
    """{place} did not answer; whether it took what was sent is not known ({why})."""

    zh = "{place} 没有应答，对方是否已收到无法确定（{why}）。"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. The body is for our own eyes: never show it to whoever set the address.

    `headers` have lower-case names; `body` is at most MAX_ANSWER_BYTES, and `is_cut` tells that
    it is not all of it (too long, or the rest never came); `took_s` is real time in seconds.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool
    took_s: float


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver for all addresses of `host`, IPv4 and IPv6."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def trusted_certificates() -> ssl.SSLContext:
    """Return a context that trusts the machine's authorities and those shipped with certifi."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


#: Read once, by whoever calls first: it takes a tenth of a second.
_trusted = cache(trusted_certificates)


class OutboundClient:
    """Calls what users configured, within `policy`.

    `resolve` finds the addresses of a name; `tls` replaces the trusted certificates, for a
    house with its own authority. One object serves a whole service; it holds no connection.
    """

    def __init__(
        self,
        policy: OutboundPolicy | None = None,
        resolve: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._guard = _Guard(policy or OutboundPolicy(), resolve)
        self._tls = tls
        self._places = asyncio.Semaphore(_MAX_CALLS)

    async def check(self, url: str) -> None:
        """Raise what a call to `url` would raise for its address, without calling it.

        For the moment a person saves an address; every later call judges it again.
        """
        target = _parse(url)
        try:
            await self._guard.vet(target.host.decode("ascii"), _port_of(target))
        except httpcore.ConnectError as error:
            raise NotReached(place=_place(target), why=_why(error)) from error

    async def post(
        self, url: str, content: bytes, headers: Mapping[str, str], timeout_s: float = TIMEOUT_S
    ) -> Answer:
        """Send `content` by POST; see `call`."""
        return await self.call("POST", url, content, headers, timeout_s)

    async def call(
        self,
        method: str,
        url: str,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """Send one request and return its answer, whatever its status; 3xx is not followed.

        The whole call takes at most `timeout_s` of real time. Raises AddressRefused (by the
        rules; nothing was sent), NotReached (nothing was sent, try again) or NoAnswer (the
        request, or a part of it, was sent and no status came back: it is in doubt).
        """
        target = _parse(url)
        exchange = _Exchange(started_s=asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(timeout_s), self._places:
                await self._exchange(exchange, method, target, content, headers or {}, timeout_s)
        except (TimeoutError, httpcore.NetworkError, httpcore.TimeoutException) as error:
            exchange.fail(error, _place(target))
        except httpcore.RemoteProtocolError as error:
            exchange.fail(error, _place(target))
        return exchange.answer()

    async def _exchange(
        self,
        exchange: _Exchange,
        method: str,
        target: httpcore.URL,
        content: bytes,
        headers: Mapping[str, str],
        timeout_s: float,
    ) -> None:
        sent = {**_OWN_HEADERS, **headers}
        async with (
            httpcore.AsyncHTTPConnection(
                origin=target.origin,
                ssl_context=self._tls or _trusted(),
                network_backend=self._guard,
            ) as connection,
            connection.stream(
                method,
                target,
                headers=[
                    (name.encode("ascii"), text.encode("ascii")) for name, text in sent.items()
                ],
                content=content,
                extensions={"trace": exchange.trace, "timeout": {"connect": timeout_s}},
            ) as response,
        ):
            exchange.status = response.status
            exchange.headers = _plain(response.headers)
            async for chunk in response.aiter_stream():
                exchange.body += chunk
                if len(exchange.body) > MAX_ANSWER_BYTES:
                    return
            exchange.is_whole = True


class _Guard(httpcore.AsyncNetworkBackend):
    """Opens connections, to judged addresses only. There is no other door to the network."""

    def __init__(self, policy: OutboundPolicy, resolve: Resolver) -> None:
        self._policy, self._resolve = policy, resolve
        self._network = httpcore.AnyIOBackend()

    async def vet(self, host: str, port: int) -> tuple[IpAddress, ...]:
        """Return the addresses of `host`, all of them allowed; one bad one condemns the name."""
        found = literal(host)
        addresses = (found,) if found is not None else await self._look_up(host, port)
        for address in addresses:
            objection = self._policy.objection(host, address, port)
            if objection is not None:
                raise AddressRefused(place=f"{host}:{port}", why=objection)
        return addresses

    async def _look_up(self, host: str, port: int) -> tuple[IpAddress, ...]:
        try:
            texts = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("name_not_found") from error
        addresses = tuple(literal(text) for text in texts)
        known = tuple(address for address in addresses if address is not None)
        # A zone (fe80::1%eth0) or anything else that is no plain address is never public.
        if len(known) < len(addresses):
            raise AddressRefused(place=f"{host}:{port}", why="address_not_public")
        if not known:
            raise httpcore.ConnectError("name_not_found")
        return known

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[_SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first judged address that lets us in, in the resolver's order."""
        addresses = (await self.vet(host, port))[:_MAX_TRIED]
        share_s = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(str(address), port, timeout=share_s)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(str(addresses[-1]), port, timeout=share_s)


@dataclass(slots=True)
class _Exchange:
    """How far one request has come, which decides what a failure means."""

    started_s: float
    is_sent: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_whole: bool = False

    async def trace(self, event: str, _details: Mapping[str, object]) -> None:
        """Note, just before the first byte of the request leaves, that it may have arrived."""
        if event == "http11.send_request_headers.started":
            self.is_sent = True

    def fail(self, error: Exception, place: str) -> None:
        """Raise what the failure means, unless the status is already known."""
        if self.status is not None:
            return
        kind = NoAnswer if self.is_sent else NotReached
        raise kind(place=place, why=_why(error)) from error

    def answer(self) -> Answer:
        """Return what came back."""
        if self.status is None:
            raise AssertionError("an exchange without a status has failed before")
        return Answer(
            status=self.status,
            headers=self.headers,
            body=self.body[:MAX_ANSWER_BYTES],
            is_cut=not self.is_whole,
            took_s=asyncio.get_running_loop().time() - self.started_s,
        )


def _parse(url: str) -> httpcore.URL:
    """Read the URL once, so that what is judged is what is called."""
    try:
        parsed = httpx.URL(url) if len(url) <= MAX_URL_LENGTH else None
    except (httpx.InvalidURL, UnicodeError) as error:
        raise AddressRefused(place="?", why="url_invalid") from error
    if parsed is None:
        raise AddressRefused(place="?", why="url_too_long")
    objection = _objection(parsed)
    if objection is not None:
        raise AddressRefused(place=parsed.host or "?", why=objection)
    return httpcore.URL(
        scheme=parsed.raw_scheme,
        host=parsed.raw_host,
        port=parsed.port,
        target=parsed.raw_path,
    )


def _objection(url: httpx.URL) -> str | None:
    if url.scheme not in ("http", "https"):
        return "scheme_not_allowed"
    # Names and passwords in front of the host serve disguise; a % is a zone or an escape.
    if url.userinfo or not url.raw_host or b"%" in url.raw_host:
        return "url_invalid"
    return None if url.port is None or 1 <= url.port <= 65535 else "url_invalid"


def _port_of(target: httpcore.URL) -> int:
    return target.port or (443 if target.scheme == b"https" else 80)


def _place(target: httpcore.URL) -> str:
    # Host and port only: the path and the query of a robot's address are its key.
    return f"{target.host.decode('ascii')}:{_port_of(target)}"


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError | httpcore.TimeoutException):
        return "timeout"
    return str(error) or type(error).__name__


def _plain(headers: Sequence[tuple[bytes, bytes]]) -> Mapping[str, str]:
    return {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in headers}

"""The part all HTTP receivers share: a real server on 127.0.0.1, in the test's own event loop.

    async with WeComReceiver(now=time.now) as receiver:
        await channel.send(a_message(address=receiver.url))
        assert receiver.messages[0].text == "…"

A receiver keeps everything that came in (`requests`) and what the provider would have shown to
people (`messages`), judges by its provider's true rules, and fails when told to.
"""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

import h11
import orjson

from tests.harness.receivers.faults import Answer, Code, Drop, Fault, Hold, Stall

_READ_BYTES = 64 * 1024
_WAIT_S = 5.0

MessageT = TypeVar("MessageT")


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in; `headers` have lower-case names, `query` is decoded once."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    at: datetime
    target: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, content: object, status: int = 200) -> Reply:
        """Return a reply that carries JSON."""
        headers = {"content-type": "application/json; charset=utf-8"}
        return cls(status, orjson.dumps(content), headers)


class Receiver(ABC, Generic[MessageT]):
    """A server of one provider. `now` is the time its rules go by."""

    def __init__(self, now: Callable[[], datetime], tls: ssl.SSLContext | None = None) -> None:
        self._now, self._tls = now, tls
        self._server: asyncio.Server | None = None
        self._calls: set[asyncio.Task[None]] = set()
        self._faults: deque[Fault] = deque()
        self._lasting: Fault | None = None
        self._released = asyncio.Event()
        self._arrived = asyncio.Condition()
        self.requests: list[Received] = []
        self.messages: list[MessageT] = []

    @abstractmethod
    def judge(self, received: Received) -> tuple[Reply, MessageT | None]:
        """Return the provider's reply, and the message if it is taken."""

    @abstractmethod
    def refusal(self, code: int, http_status: int | None) -> Reply:
        """Return the provider's own form of a refusal with `code`."""

    async def __aenter__(self) -> Self:
        """Start listening on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and end every call."""
        await self.stop()

    async def stop(self) -> None:
        """Stop listening: further calls find nobody at this port."""
        if self._server is None:
            return
        self._server.close()
        self._released.set()
        for call in tuple(self._calls):
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None:
            raise RuntimeError("a receiver has a port once it is entered")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def origin(self) -> str:
        """Scheme, host and port, as in http://127.0.0.1:40123."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def place(self) -> str:
        """Host and port, as the operator's allow-list wants them."""
        return f"127.0.0.1:{self.port}"

    def fail_next(self, fault: Fault, times: int = 1) -> None:
        """Fail the next `times` requests that have no fault yet."""
        self._faults.extend([fault] * times)

    def fail_all(self, fault: Fault) -> None:
        """Fail every request from now on."""
        self._lasting = fault

    def recover(self) -> None:
        """Work again, and answer whoever is still waiting."""
        self._lasting = None
        self._faults.clear()
        self.release()

    def release(self) -> None:
        """Answer all requests that are held, and hold later ones anew."""
        self._released.set()
        self._released = asyncio.Event()

    async def received(self, count: int = 1, within_s: float = _WAIT_S) -> None:
        """Return when `count` requests have come in; fail after `within_s` real seconds."""
        async with asyncio.timeout(within_s), self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        if call is not None:
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
        try:
            received = await _read(reader, self._now())
            if received is not None:
                await self._handle(received, writer)
        except (ConnectionError, ssl.SSLError, h11.ProtocolError):
            return  # the caller hung up or speaks something else; its test sees that itself
        except asyncio.CancelledError:
            # Only `stop` cancels. Python 3.11's streams log a cancelled call as an error.
            return
        finally:
            writer.close()

    async def _handle(self, received: Received, writer: asyncio.StreamWriter) -> None:
        fault = self._faults.popleft() if self._faults else self._lasting
        released = self._released
        reply = self._reply(received, fault)
        self.requests.append(received)
        async with self._arrived:
            self._arrived.notify_all()
        if isinstance(fault, Drop):
            return
        if isinstance(fault, Hold):
            await released.wait()
        head, body = _encode(reply)
        writer.write(head)
        if isinstance(fault, Stall):
            await writer.drain()
            await released.wait()
        writer.write(body)
        await writer.drain()

    def _reply(self, received: Received, fault: Fault | None) -> Reply:
        if isinstance(fault, Answer):
            return Reply(fault.status, fault.body, fault.headers)
        if isinstance(fault, Code):
            return self.refusal(fault.code, fault.http_status)
        if isinstance(fault, Drop) and not fault.is_taken:
            return Reply(500)
        reply, message = self.judge(received)
        if message is not None:
            self.messages.append(message)
        return reply


async def _read(reader: asyncio.StreamReader, at: datetime) -> Received | None:
    connection = h11.Connection(h11.SERVER)
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_READ_BYTES))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            return _received(request, bytes(body), at)
        else:
            return None


def _received(request: h11.Request, body: bytes, at: datetime) -> Received:
    target = request.target.decode("ascii")
    url = urlsplit(target)
    return Received(
        method=request.method.decode("ascii"),
        path=url.path,
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        headers={name.decode("ascii"): text.decode("latin-1") for name, text in request.headers},
        body=body,
        at=at,
        target=target,
    )


def _encode(reply: Reply) -> tuple[bytes, bytes]:
    lines = [f"HTTP/1.1 {reply.status} -", f"content-length: {len(reply.body)}"]
    lines += [f"{name}: {text}" for name, text in reply.headers.items()]
    lines += ["connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1"), reply.body

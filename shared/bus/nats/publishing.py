"""Publishing: many messages on their way at once, each with its own answer.

nats-py's own `publish_async` leaves futures unresolved for ever when the server restarts and
keeps their permits (floors.md §1, trap 1). Here one inbox receives all answers, a window of
messages shares one future, and nobody waits longer than 3 s.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import TYPE_CHECKING

import orjson
from nats.errors import Error as NatsError

from shared.bus.port import stream_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from shared.bus.nats.ledger import Ledger
    from shared.bus.port import Message

_log = logging.getLogger(__name__)

MESSAGE_ID = "Nats-Msg-Id"
# Above 100 nothing is gained (floors.md §2); this keeps the wait for the last answer rare.
_WINDOW = 500
_TIMEOUT_S = 3.0


class _Window:
    """Messages whose answers are waited for together."""

    __slots__ = ("done", "has_complained", "left", "messages", "sequences")

    def __init__(self, messages: Sequence[Message], sequences: list[int | None]) -> None:
        self.messages = messages
        self.sequences = sequences
        self.left = len(messages)
        #: One line in the log for all messages that are refused together.
        self.has_complained = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def give_up(self) -> None:
        """Let the publisher go; what has no sequence by now is not known to be stored."""
        if not self.done.done():
            self.done.set_result(None)


class Publisher:
    """Stores messages; `distrust` is called when the broker has no place for one."""

    def __init__(self, ledger: Ledger | None, distrust: Callable[[], None]) -> None:
        self._ledger = ledger
        self._distrust = distrust
        self._client: Client | None = None
        self._inbox = ""
        self._windows: dict[str, _Window] = {}
        self._numbers = itertools.count(1)

    async def attach(self, client: Client) -> None:
        """Publish through `client` from now on."""
        if client is not self._client:
            self._inbox = client.new_inbox()
            await client.subscribe(f"{self._inbox}.*.*", cb=self._answered)
            self._client = client

    def detach(self) -> None:
        """Stop waiting: the answers of a lost connection never come."""
        self._client = None
        for window in self._windows.values():
            window.give_up()

    async def publish(self, client: Client, messages: Sequence[Message]) -> list[int | None]:
        """Return the sequence of each message, None where it is not known within 3 s."""
        sequences: list[int | None] = [None] * len(messages)
        for start in range(0, len(messages), _WINDOW):
            part: list[int | None] = [None] * min(_WINDOW, len(messages) - start)
            is_complete = await self._send(client, messages[start : start + _WINDOW], part)
            sequences[start : start + _WINDOW] = part
            if not is_complete:
                break
        return sequences

    async def _send(
        self, client: Client, messages: Sequence[Message], sequences: list[int | None]
    ) -> bool:
        number = str(next(self._numbers))
        window = self._windows[number] = _Window(messages, sequences)
        prefix = f"{self._inbox}.{number}."
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _TIMEOUT_S
        try:
            for index, message in enumerate(messages):
                headers = {MESSAGE_ID: str(message.id), **message.headers}
                await client.publish(message.subject, message.body, f"{prefix}{index}", headers)
                # nats-py swallows a cancellation while its buffer is full, and buffers for a
                # connection that is lost: look at the clock and at the client.
                if loop.time() > deadline or not client.is_connected:
                    return False
            async with asyncio.timeout_at(deadline):
                await window.done
        except (NatsError, OSError, TimeoutError) as problem:
            _log.debug("published without an answer: %r", problem)
        finally:
            del self._windows[number]
        return window.left == 0

    async def _answered(self, answer: Msg) -> None:
        _, number, index = answer.subject.rsplit(".", 2)
        window = self._windows.get(number)
        if window is None:
            return
        message = window.messages[int(index)]
        told = orjson.loads(answer.data) if answer.data else {}
        sequence = told.get("seq")
        if sequence is None or told.get("error"):
            if not window.has_complained:
                window.has_complained = True
                reason = told.get("error", "no stream answers")
                _log.warning("not stored: %s: %s", message.subject, reason)
            self._distrust()
        else:
            window.sequences[int(index)] = sequence
            if self._ledger is not None and not told.get("duplicate"):
                self._ledger.stored(stream_of(message.subject), message.subject, sequence)
        window.left -= 1
        if not window.left:
            window.give_up()

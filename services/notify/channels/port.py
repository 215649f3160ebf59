"""What a channel is: one message goes in, what became of it comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol
from uuid import UUID

#: What became of a message.
#: accepted: the provider took it; delivered: it reached the person's device or inbox;
#: retry: it was certainly not taken, and may be later; refused: it was certainly not taken, and
#: will not be; unknown: it was sent and no answer came, so that a repetition may be a double.
Kind = Literal["accepted", "delivered", "retry", "refused", "unknown"]

#: Whose matter a failure is.
#: message: this message cannot go this way, another may; address: the address, its secret or its
#: settings are wrong until somebody mends them; gone: the address asks never to be used again;
#: house: our own account or server is set up wrongly, which hits every message.
Fault = Literal["message", "address", "gone", "house"]

_NO_BODY: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One rendered message to one address on one channel.

    `delivery_id` is the same on every attempt and becomes Message-ID and webhook-id. `address`
    is a mail address or a URL (for a robot, the one with its key). `secret` signs: a webhook may
    have several, separated by blanks, while they are rotated. `body` is the JSON of a webhook;
    for mail its `html`, if any, is the second form of `text`. `thread` is the Message-ID of the
    first mail about the same request, or the delivery id it was made from. `mentions` are the
    provider's user ids, mobile numbers or "@all".
    """

    delivery_id: UUID
    channel: str
    address: str
    secret: str | None = field(repr=False)
    subject: str
    text: str
    body: Mapping[str, object] = field(default_factory=lambda: _NO_BODY)
    thread: str | None = None
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt.

    `provider_code` and `provider_message` are the provider's own, the message at most 200
    characters and for operators only; of a webhook only the status is kept. `retry_after_s` is
    the provider's wish, None leaves it to our schedule. `provider_id` is what it calls the message.
    """

    kind: Kind
    provider_code: str | None = None
    provider_message: str | None = None
    retry_after_s: int | None = None
    provider_id: str | None = None
    fault: Fault | None = None


class Channel(Protocol):
    """A way to reach somebody."""

    async def send(self, message: Outgoing) -> Outcome:
        """Try once, within the channel's own time limit.

        Never raises for what a provider, a network or an address does. Cancelled while it runs,
        the attempt is in doubt, as with `unknown`.
        """
        ...

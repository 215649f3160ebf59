"""Messages for the tests of channels; what does not matter is filled in here."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from services.notify.channels import Outgoing
from shared.http.addresses import OutboundPolicy
from shared.http.client import OutboundClient, trusted_certificates

NOW = datetime(2026, 10, 1, 3, 0, tzinfo=UTC)
DELIVERY = UUID("0192f0c4-7a00-7abc-8def-0123456789ab")


def now() -> datetime:
    """The moment at which these tests happen."""
    return NOW


@cache
def certificates() -> ssl.SSLContext:
    """The trusted certificates, read once: that takes longer than most of these tests."""
    return trusted_certificates()


def a_client(*places: str) -> OutboundClient:
    """A client for which an operator has listed `places`, as in 127.0.0.1:40123."""
    return OutboundClient(OutboundPolicy.parse(places), tls=certificates())


def a_message(
    address: str = "https://receiver.example/hook",
    *,
    channel: str = "webhook",
    secret: str | None = None,
    subject: str = "",
    text: str = "工资单打不开，请在 15 分钟内接手。",
    body: dict[str, object] | None = None,
    thread: str | None = None,
    mentions: tuple[str, ...] = (),
    delivery_id: UUID = DELIVERY,
) -> Outgoing:
    """A message of the delivery DELIVERY."""
    return Outgoing(
        delivery_id=delivery_id,
        channel=channel,
        address=address,
        secret=secret,
        subject=subject,
        text=text,
        body=body or {},
        thread=thread,
        mentions=mentions,
    )

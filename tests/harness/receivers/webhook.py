"""A receiver of signed webhooks that does what Standard Webhooks 1.0.0 asks of receivers.

It verifies over the raw bytes, wants a timestamp within five minutes, and shows a message once
however often it comes (`webhook-id`); every attempt stands in `requests`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from tests.harness.receivers.http import Received, Receiver, Reply

_PATH = "/hooks/levee"
_TOLERANCE_S = 300
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """One message, shown once."""

    webhook_id: str
    body: Mapping[str, object]
    at: datetime


class WebhookReceiver(Receiver[WebhookMessage]):
    """An endpoint that knows one secret."""

    def __init__(
        self, now: Callable[[], datetime], secret: str = SECRET, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(now, tls)
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._seen: set[str] = set()

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return f"{self.origin}{_PATH}"

    def learn(self, secret: str) -> None:
        """Verify with `secret` from now on: a registration shows it once."""
        self._key = base64.b64decode(secret.removeprefix("whsec_"))

    def judge(self, received: Received) -> tuple[Reply, WebhookMessage | None]:
        """Answer 204 to what is signed, 401 to what is not, 413 to what is too large."""
        if received.method != "POST" or received.path != _PATH:
            return Reply(404), None
        if len(received.body) >= 20 * 1024:
            return Reply(413), None
        if not self._is_genuine(received):
            return Reply(401), None
        webhook_id = received.headers["webhook-id"]
        if webhook_id in self._seen:
            return Reply(204), None
        self._seen.add(webhook_id)
        return Reply(204), WebhookMessage(webhook_id, orjson.loads(received.body), received.at)

    def refusal(self, code: int, http_status: int | None) -> Reply:
        """Return the code as a status; there are no others here."""
        return Reply(http_status or code)

    def _is_genuine(self, received: Received) -> bool:
        timestamp = received.headers.get("webhook-timestamp", "")
        webhook_id = received.headers.get("webhook-id", "")
        if not timestamp.isdigit() or not webhook_id:
            return False
        if abs(received.at.timestamp() - int(timestamp)) > _TOLERANCE_S:
            return False
        signed = f"{webhook_id}.{timestamp}.".encode() + received.body
        right = base64.b64encode(hmac.new(self._key, signed, hashlib.sha256).digest()).decode()
        offered = received.headers.get("webhook-signature", "").split(" ")
        return any(hmac.compare_digest(f"v1,{right}", one) for one in offered)

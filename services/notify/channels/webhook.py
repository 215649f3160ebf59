"""Signed webhooks after Standard Webhooks 1.0.0: how another system hears of something."""

from __future__ import annotations

import orjson

from services.notify.channels.calls import JSON_HEADERS, Now, is_passing, post, retry_after_s
from services.notify.channels.port import Fault, Outcome, Outgoing
from services.notify.channels.signatures import SecretUnusable, webhook_signature
from shared.http.client import TIMEOUT_S, Answer, OutboundClient

#: Standard Webhooks: payloads stay below 20 kB; what is larger is fetched by the receiver.
MAX_BODY_BYTES = 20 * 1024 - 1


class Webhook:
    """Posts the JSON of a message to an address, signed with the secrets of that address."""

    def __init__(self, client: OutboundClient, now: Now, timeout_s: float = TIMEOUT_S) -> None:
        self._client, self._now, self._timeout_s = client, now, timeout_s

    async def send(self, message: Outgoing) -> Outcome:
        """Send `body`; `webhook-id` is the delivery id on every attempt, the timestamp is new.

        Only 2xx is a success. A redirect is refused and never followed, 410 says that the
        address is gone, 413 that the message is too large; everything else may be tried again,
        after `Retry-After` if the receiver names one. The answer's body is not kept.
        """
        try:
            body = orjson.dumps(dict(message.body))
        except TypeError:
            # Something in it has no JSON form: half a surrogate pair, a type we do not send.
            return Outcome("refused", "payload_not_json", fault="message")
        if len(body) > MAX_BODY_BYTES:
            return Outcome("refused", "payload_too_large", fault="message")
        try:
            headers = _headers(message, self._now, body)
        except SecretUnusable as error:
            return Outcome("refused", "secret_unusable", str(error), fault="address")
        answer = await post(self._client, message.address, body, headers, self._timeout_s)
        if isinstance(answer, Outcome):
            return answer
        return _outcome(answer, self._now)


def _headers(message: Outgoing, now: Now, body: bytes) -> dict[str, str]:
    webhook_id, at = str(message.delivery_id), now()
    return {
        **JSON_HEADERS,
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": webhook_signature(message.secret or "", webhook_id, at, body),
    }


def _outcome(answer: Answer, now: Now) -> Outcome:
    code = f"http_{answer.status}"
    if 200 <= answer.status < 300:
        return Outcome("accepted", code)
    if 300 <= answer.status < 400:
        return Outcome("refused", code, fault="address")
    if answer.status == 410:
        return Outcome("refused", code, fault="gone")
    if answer.status == 413:
        return Outcome("refused", code, fault="message")
    wait_s = retry_after_s(answer.headers, now())
    fault: Fault | None = None if is_passing(answer.status) else "address"
    return Outcome("retry", code, retry_after_s=wait_s, fault=fault)

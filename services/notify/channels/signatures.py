"""Signatures that receivers of our calls check: Standard Webhooks, DingTalk, Feishu.

Each is checked by the known answers of tests/unit/notify/channels/test_signatures.py.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from urllib.parse import quote

_PREFIX = "whsec_"
# Standard Webhooks 1.0.0: a key has between 24 and 64 bytes.
_KEY_BYTES = range(24, 65)


class SecretUnusable(ValueError):
    """The signing secret is not what the receiver's scheme asks for."""


def webhook_signature(secrets: str, webhook_id: str, at: datetime, body: bytes) -> str:
    """Return the `webhook-signature` header of Standard Webhooks 1.0.0 (v1, HMAC-SHA256).

    `secrets` holds one or, while they are rotated, several keys separated by blanks, each
    base64 with or without `whsec_`; the header holds a signature for each. Raises
    SecretUnusable.
    """
    keys = [_webhook_key(secret) for secret in secrets.split()]
    if not keys:
        raise SecretUnusable("no secret")
    signed = b".".join((webhook_id.encode(), str(_seconds(at)).encode(), body))
    return " ".join(f"v1,{_hmac_base64(key, signed)}" for key in keys)


def dingtalk_signature(secret: str, at: datetime) -> tuple[str, str]:
    """Return `timestamp` (milliseconds) and `sign`, the latter encoded for a URL, once.

    Encoded twice it is refused with 310000, the commonest mistake with this robot.
    """
    timestamp = str(_milliseconds(at))
    signature = _hmac_base64(secret.encode(), f"{timestamp}\n{secret}".encode())
    return timestamp, quote(signature, safe="")


def feishu_signature(secret: str, at: datetime) -> tuple[str, str]:
    """Return `timestamp` (seconds) and `sign` for the body.

    Unlike DingTalk's, timestamp and secret together are the *key*, and the message is empty.
    """
    timestamp = str(_seconds(at))
    return timestamp, _hmac_base64(f"{timestamp}\n{secret}".encode(), b"")


def _webhook_key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SecretUnusable("not base64") from error
    if len(key) not in _KEY_BYTES:
        raise SecretUnusable("not 24 to 64 bytes")
    return key


def _hmac_base64(key: bytes, message: bytes) -> str:
    return base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode("ascii")


def _seconds(at: datetime) -> int:
    # An aware time only: a naive one would be read in the machine's zone, hours off.
    if at.tzinfo is None:
        raise ValueError("a signature needs a time with its zone")
    return int(at.timestamp())


def _milliseconds(at: datetime) -> int:
    return _seconds(at) * 1000 + at.microsecond // 1000

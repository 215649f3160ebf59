"""Signed links: by a delivery and an expiry, so that no name travels in them.

The signature covers delivery, escalation, recipient, action, epoch and expiry; a link is no use
to anybody else, for anything else, or later.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

ACKNOWLEDGE = "acknowledge"
#: Shorter secrets can be tried out.
MIN_SECRET_BYTES = 32
_ID_BYTES, _TIME_BYTES, _MAC_BYTES = 16, 8, 32
_TOKEN_BYTES = _ID_BYTES + _TIME_BYTES + _MAC_BYTES


@dataclass(frozen=True, slots=True)
class Claim:
    """What a link says before anybody has checked it."""

    delivery_id: UUID
    expires_at: datetime
    signature: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """What the signature covers."""

    delivery_id: UUID
    escalation_id: UUID
    recipient: str
    epoch: int
    expires_at: datetime
    action: str = ACKNOWLEDGE

    @property
    def _seconds(self) -> int:
        return int(self.expires_at.timestamp())

    def token(self, secret: bytes) -> str:
        """Return the part of the link that speaks for all of this."""
        head = self.delivery_id.bytes + self._seconds.to_bytes(_TIME_BYTES, "big")
        return base64.urlsafe_b64encode(head + self.signature(secret)).decode().rstrip("=")

    def signature(self, secret: bytes) -> bytes:
        """Return HMAC-SHA256 over all fields, each with its length, so that none can shift."""
        parts = (
            "levee link v1",
            str(self.delivery_id),
            str(self.escalation_id),
            self.recipient,
            self.action,
            str(self.epoch),
            str(self._seconds),
        )
        told = b"".join(len(p.encode()).to_bytes(4, "big") + p.encode() for p in parts)
        return hmac.new(secret, told, hashlib.sha256).digest()


def read_token(token: str) -> Claim | None:
    """Return what a token says, None when it is not even one."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        if len(raw) != _TOKEN_BYTES:
            return None
        seconds = int.from_bytes(raw[_ID_BYTES : _ID_BYTES + _TIME_BYTES], "big")
        expires_at = datetime.fromtimestamp(seconds, UTC)
    except (binascii.Error, ValueError, OverflowError, OSError):
        return None
    return Claim(UUID(bytes=raw[:_ID_BYTES]), expires_at, raw[_ID_BYTES + _TIME_BYTES :])


def is_genuine(claim: Claim, signed: Signed, secret: bytes) -> bool:
    """Return whether the signature of a claim is ours, its expiry included; in constant time."""
    as_claimed = replace(signed, expires_at=claim.expires_at)
    return hmac.compare_digest(claim.signature, as_claimed.signature(secret))

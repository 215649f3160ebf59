"""Where ids come from. Nothing else in the code base may invent one."""

from __future__ import annotations

import random
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from shared.time_source import TimeSource

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
#: The bits of version and variant in an id, and what they are in one made of a name (version 5).
_WITHOUT_KIND = ~(0xF000 << 64 | 0xC000 << 48)
_OF_A_NAME = 5 << 76 | 0x8000 << 48


class IdSource(Protocol):
    """Makes ids."""

    def new(self) -> UUID:
        """Return an id nobody has seen, a UUIDv7 (RFC 9562 §5.7)."""
        ...


class RandomIds:
    """UUIDv7 from the time and the machine's randomness."""

    def __init__(self, time: TimeSource) -> None:
        self._time = time

    def new(self) -> UUID:
        """Return an id nobody has seen."""
        return _uuid7(self._time.now(), secrets.randbits(74))


class SeededIds:
    """UUIDv7 that repeat from run to run: for simulated time and tests."""

    def __init__(self, time: TimeSource, seed: int) -> None:
        self._time = time
        self._random = random.Random(seed)

    def new(self) -> UUID:
        """Return the next id of this seed."""
        return _uuid7(self._time.now(), self._random.getrandbits(74))


def derived(cause: UUID, index: int | str) -> UUID:
    """Return the id of the `index`-th thing that `cause` leads to; the same every time.

    A message handled again therefore says the same thing again, with the same id
    (contracts.md, Identity).
    """
    # What uuid5 does (RFC 9562 §5.5), in two thirds of the time; everything said needs several.
    digest = sha1(cause.bytes + str(index).encode(), usedforsecurity=False).digest()
    return UUID(int=int.from_bytes(digest[:16], "big") & _WITHOUT_KIND | _OF_A_NAME)


def first_id(moment: datetime) -> str:
    """Return the text below every UUIDv7 made from `moment` on, and above all made before it."""
    digits = f"{(moment - _EPOCH) // _MILLISECOND:012x}"
    return f"{digits[:8]}-{digits[8:]}"


def _uuid7(moment: datetime, randomness: int) -> UUID:
    # Whole milliseconds, exactly: a float of seconds is off by one now and then.
    milliseconds = (moment - _EPOCH) // _MILLISECOND
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76 | (randomness >> 62) << 64 | 0b10 << 62 | (randomness & (2**62 - 1))
    return UUID(int=value)

"""Where ids come from. Nothing else in the code base may invent one."""

from __future__ import annotations

import random
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID, uuid5

if TYPE_CHECKING:
    from shared.time_source import TimeSource

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


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
    return uuid5(cause, str(index))


def _uuid7(moment: datetime, randomness: int) -> UUID:
    # Whole milliseconds, exactly: a float of seconds is off by one now and then.
    milliseconds = (moment - _EPOCH) // _MILLISECOND
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76 | (randomness >> 62) << 64 | 0b10 << 62 | (randomness & (2**62 - 1))
    return UUID(int=value)

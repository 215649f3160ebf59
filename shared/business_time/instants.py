"""Instants as whole microseconds since 1970 in UTC: exact, cheap to compare and to search.

Arithmetic between two `datetime`s of one zone ignores daylight saving (a Python trap), so
nothing here computes on wall time: it is turned into an instant first, once.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.business_time.checks import FIRST_YEAR, LAST_YEAR
from shared.business_time.errors import InstantOutOfRange, InstantWithoutZone

SECOND = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICROSECOND = timedelta(microseconds=1)

#: Where each supported year starts in UTC, and where the last one ends.
YEAR_STARTS = tuple(
    (date(year, 1, 1).toordinal() - _EPOCH_DAY) * 86_400 * SECOND
    for year in range(FIRST_YEAR, LAST_YEAR + 2)
)
FIRST, LAST = YEAR_STARTS[0], YEAR_STARTS[-1]


def to_instant(at: datetime, name: str = "at") -> int:
    """Return the instant of `at`; refused without an offset or outside 1900 to 2199."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise InstantWithoutZone(name=name, value=at.isoformat())
    since = at - _EPOCH
    instant = (since.days * 86_400 + since.seconds) * SECOND + since.microseconds
    if not FIRST <= instant < LAST:
        raise InstantOutOfRange(name=name, value=at.isoformat())
    return instant


def from_instant(instant: int) -> datetime:
    """Return the `datetime` of an instant, in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def to_microseconds(span: timedelta) -> int:
    """Return a span in microseconds, exactly."""
    return span // _MICROSECOND


def from_microseconds(span: int) -> timedelta:
    """Return a span given in microseconds."""
    return timedelta(microseconds=span)


def year_of(instant: int) -> int:
    """Return the UTC year an instant lies in; the nearest supported one outside the range."""
    position = bisect_right(YEAR_STARTS, instant)
    return FIRST_YEAR + min(max(position, 1), len(YEAR_STARTS) - 1) - 1


def year_bounds(year: int) -> tuple[int, int]:
    """Return the instants between which a supported UTC year lies, end excluded."""
    return YEAR_STARTS[year - FIRST_YEAR], YEAR_STARTS[year - FIRST_YEAR + 1]


def wall_instant(day: date, second: int, zone: ZoneInfo) -> int:
    """Return the instant at which clocks in `zone` show `second` seconds after midnight of `day`.

    A wall time that is skipped moves forward by the gap (02:30 becomes 03:30); of one that
    comes twice the first counts. Both are what `fold=0` means (PEP 495), also in zones whose
    daylight saving is negative (Dublin, Casablanca).
    """
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(seconds=second)
    offset = zone.utcoffset(wall)
    # A ZoneInfo knows the offset of every wall time; None exists only for abstract tzinfos.
    seconds = (day.toordinal() - _EPOCH_DAY) * 86_400 + second
    return seconds * SECOND - to_microseconds(offset if offset is not None else timedelta())


def local_date(instant: int, zone: ZoneInfo) -> date:
    """Return the date calendars in `zone` show at an instant."""
    return from_instant(instant).astimezone(zone).date()

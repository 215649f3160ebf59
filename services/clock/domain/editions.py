"""Editions of a calendar: one released version, again, with holidays or members known since.

The holidays of a year come with a package, and a combination is made of calendars that change: so
one released version may come to say more than it did. What a request was promised under must not
change by that. Each edition is therefore a calendar of its own, never changed, with a number of
its own: the released version, and a million more for each edition after the first. People are
told the version and the edition; ledgers keep the number, one whole number per calendar, as ever.
"""

from __future__ import annotations

import re

#: Released versions count from one; nobody releases a calendar a million times.
_STEP = 1_000_000
_DIGITS = re.compile(r"\d+")


def version_of(number: int) -> int:
    """Return the released version an edition is of."""
    return number % _STEP


def edition_of(number: int) -> int:
    """Return which edition of its version it is; 0 is the one that was released."""
    return number // _STEP


def told_version(number: int) -> dict[str, int]:
    """Return how an answer says it: the version, and the edition where it is not the first."""
    edition = edition_of(number)
    return {
        "calendar_version": version_of(number),
        **({"calendar_edition": edition} if edition else {}),
    }


def next_edition(number: int) -> int:
    """Return the number of the edition after this one."""
    return number + _STEP


def is_older_data(data: str, than: str) -> bool:
    """Whether holiday data (`cn:chinesecalendar-1.11.0`) are of an older release than others.

    Services are deployed one by one, some with the newer package and some without: whoever has
    the older one must not take back what the other said. Nothing is older than no data.
    """
    return _release(data) < _release(than)


def _release(data: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in _DIGITS.findall(data))

"""When a transaction looks again which definitions are in force, and when it trusts the last look.

Definitions change a few times a day; asking in every transaction was one to three statements of
each (docs/decisions/0020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import timedelta

#: Where the dashes of a request's id stand; keys of other things have none there.
_LENGTH, _DASHES = 36, (8, 13, 18, 23)


class Glance:
    """Remembers when the tables were looked at; one per process and copy."""

    def __init__(self, seconds: Callable[[], float], every: timedelta) -> None:
        """Look once `every` so long; zero looks in every transaction.

        `seconds` never go back (`TimeSource.monotonic`): a machine whose clock is put back a day
        must not miss a day of releases.
        """
        self._seconds, self._every_s = seconds, every.total_seconds()
        self._until_s = float("-inf")

    def is_due(self, keys: Collection[str]) -> bool:
        """Return whether to look now; `keys` are what the transaction is about.

        One that is about anything but requests always looks: it may bring a new version, which
        is counted from the last one.
        """
        return self._seconds() >= self._until_s or not all(map(_is_request, keys))

    def looked(self) -> None:
        """Trust what was read for a while."""
        self._until_s = self._seconds() + self._every_s

    def forget(self) -> None:
        """Look next time: something was changed here."""
        self._until_s = float("-inf")


def _is_request(key: str) -> bool:
    return len(key) == _LENGTH and all(key[place] == "-" for place in _DASHES)

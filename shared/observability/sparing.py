"""The same thing said again and again, ever more rarely: a log that is read, not a flood."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds until the same thing is said for the second time, and at most between two times: soon
#: enough that whoever looks at the last minutes of a log sees it, twelve lines an hour.
FIRST_GAP_S, LONGEST_GAP_S = 4.0, 300.0


class Sparingly:
    """Tells when to say something once more: at once, then after gaps that double.

    `monotonic` returns seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._next_s = float("-inf")
        #: Seconds between the last time and the next.
        self.gap_s = FIRST_GAP_S / 2

    def is_due(self) -> bool:
        """Tell whether to say it now; asked when there is something to say."""
        now_s = self._monotonic()
        if now_s < self._next_s:
            return False
        self.gap_s = min(self.gap_s * 2, LONGEST_GAP_S)
        self._next_s = now_s + self.gap_s
        return True

"""Which thresholds of a clock are reached at a moment, and which announced ones are not after all.

A breach is decided on more than the target (facts/sla.md 3.2): at its very moment the clock may
still be met, and only the timer that stands for that moment announces it there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.clock.domain.clocks import BREACH, Clock
from shared.targets.rows import Threshold


@dataclass(frozen=True, slots=True)
class Reach:
    """How far announcing has come: up to `reached`, a breach due at that moment included or not."""

    reached: datetime
    is_breach_due: bool = False

    def is_reached(self, clock: Clock, threshold: Threshold, at: datetime) -> bool:
        """Return whether a threshold that is crossed at `at` is to be announced by now."""
        ended_at = clock.run.ended_at
        if threshold != BREACH:
            return at <= (ended_at or self.reached)
        if ended_at is not None:
            return at < ended_at
        # At its very moment it may still be met; the timer that stands for it decides.
        return at <= self.reached if self.is_breach_due else at < self.reached

    def unreached(self, clock: Clock, standing: tuple[Threshold, ...]) -> tuple[Threshold, ...]:
        """Return which of the thresholds that stand announced were not reached after all."""
        # Where the highest was reached the others were; mostly that is all there is to ask.
        if not standing:
            return ()
        whole = [percent for percent in standing if isinstance(percent, int)]
        if len(whole) == len(standing) and self._was_reached(clock, max(whole)):
            return ()
        return tuple(each for each in standing if not self._was_reached(clock, each))

    def _was_reached(self, clock: Clock, threshold: Threshold) -> bool:
        """Whether it was reached, the very moment of a breach included while the clock runs."""
        at = clock.crossing(threshold)
        if at is None:
            return False
        if clock.run.ended_at is None:
            return at <= self.reached
        return at < clock.run.ended_at if threshold == BREACH else at <= clock.run.ended_at

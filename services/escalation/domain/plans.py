"""When each tier of a policy is told: the whole climb laid out before it begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from shared.definitions.models import EscalationPolicy


@dataclass(frozen=True, slots=True)
class Step:
    """One telling: tiers count from 1, repeats from 0, `after` from the beginning of the climb.

    The duty person is the tier behind the last one. The step that tells nobody ends the climb:
    by then no one has answered.
    """

    tier: int
    repeat: int
    after: timedelta
    selectors: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[int, int]:
        """Tier and repeat."""
        return (self.tier, self.repeat)

    @property
    def is_end(self) -> bool:
        """Whether the climb ends here."""
        return not self.selectors


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of a policy in order; finite, and the last one is the end."""

    steps: tuple[Step, ...]
    #: How many tiers the policy has, the duty person not counted.
    tiers: int

    def at(self, place: tuple[int, int]) -> Step:
        """Return the step at (tier, repeat); raise KeyError when the plan has none there."""
        found = next((step for step in self.steps if step.place == place), None)
        if found is None:
            raise KeyError(place)
        return found

    def following(self, step: Step) -> Step:
        """Return the step after this one; the end follows itself."""
        index = self.steps.index(step)
        return self.steps[min(index + 1, len(self.steps) - 1)]

    def first_above(self, tier: int) -> Step:
        """Return the first telling of the tier above; the end above the duty person."""
        return next((s for s in self.steps if s.tier > tier and s.repeat == 0), self.steps[-1])


def plan_of(policy: EscalationPolicy) -> Plan:
    """Lay out a policy.

    A tier's delay counts from the first telling of the tier before it; repeats of a lower tier
    go on while a higher one is told. The duty person is told `duty_after` the last telling of
    all tiers, and the climb ends one `duty_repeat_every` after the last word to them.
    """
    steps = sorted(_tellings(policy), key=lambda step: (step.after, step.tier, step.repeat))
    duty_tier = len(policy.tiers) + 1
    begins = steps[-1].after + policy.duty_after
    duty = [
        Step(duty_tier, repeat, begins + repeat * policy.duty_repeat_every, ("duty",))
        for repeat in range(policy.duty_repeats + 1)
    ]
    end = Step(duty_tier + 1, 0, duty[-1].after + policy.duty_repeat_every)
    return Plan((*steps, *duty, end), len(policy.tiers))


def _tellings(policy: EscalationPolicy) -> Iterator[Step]:
    first = timedelta(0)
    for number, tier in enumerate(policy.tiers, start=1):
        first += tier.after
        for repeat in range(tier.repeats + 1):
            after = first + repeat * tier.repeat_every
            yield Step(number, repeat, after, tier.notify, tier.channels)

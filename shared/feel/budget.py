"""What one evaluation may spend, so that nothing a table says can hang or flood a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import FeelBudgetExceeded

if TYPE_CHECKING:
    from datetime import datetime

    from .working import WorkingTime

#: Characters of one expression. The longest cell in the public model corpora has 2,900.
MAX_SOURCE = 20_000
#: How deep an expression may nest. Generated code nests Python frames about three times as deep.
MAX_DEPTH = 60
#: Links of one operator chain (a + b + c …); bounds the height of the generated syntax tree.
MAX_HEIGHT = 400


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one evaluation.

    `steps` counts syntax nodes evaluated inside loops and elements looked at by functions
    (half a million take about 0.3 s on one core); `size` counts characters and elements
    produced; `calls` is how deep functions may call one another.
    """

    steps: int = 500_000
    size: int = 500_000
    calls: int = 40


DEFAULT_BUDGET = Budget()


class Run:
    """The account of one evaluation: its moment, and what it has left to spend."""

    __slots__ = ("_budget", "_calls", "_size", "_steps", "now", "working")

    def __init__(
        self,
        now: datetime | None = None,
        budget: Budget = DEFAULT_BUDGET,
        working: WorkingTime | None = None,
    ) -> None:
        """Open an account; `now` is what now() and today() answer from (null when None).

        `working` knows the calendars of working time; without it those functions give null.
        """
        self.now = now
        self.working = working
        self._budget = budget
        self._steps = budget.steps
        self._size = budget.size
        self._calls = budget.calls

    def charge(self, steps: int) -> None:
        """Pay for work done; refuse when the account is empty."""
        self._steps -= steps
        if self._steps < 0:
            raise FeelBudgetExceeded("steps", self._budget.steps)

    def allocate(self, size: int) -> None:
        """Pay for characters or elements about to be produced."""
        self._size -= size
        if self._size < 0:
            raise FeelBudgetExceeded("size", self._budget.size)

    def enter(self) -> None:
        """Step into a function; every `enter` is paired with a `leave`."""
        self._calls -= 1
        if self._calls < 0:
            raise FeelBudgetExceeded("calls", self._budget.calls)

    def leave(self) -> None:
        """Step out of a function."""
        self._calls += 1

    @property
    def left(self) -> tuple[int, int]:
        """What is left of steps and of size."""
        return self._steps, self._size

    def give_back(self, left: tuple[int, int]) -> tuple[int, int]:
        """Set the account back to what was left before; return what was spent since."""
        spent = left[0] - self._steps, left[1] - self._size
        self._steps, self._size = left
        return spent

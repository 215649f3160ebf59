"""Answers that are remembered while the cells of many rules are asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .budget import Run

#: Stands where nothing was asked yet.
UNASKED = object()


class Paid(NamedTuple):
    """A value that costs something whenever it is used: steps, size; and how to get it anew."""

    value: object
    spent: tuple[int, int]
    evaluate: Callable[[], object]


def remember(run: Run, evaluate: Callable[[], object]) -> object:
    """Evaluate; return the value, or what it costs with it. Nothing is charged for it yet."""
    before = run.left
    value = evaluate()
    spent = run.give_back(before)
    return Paid(value, spent, evaluate) if any(spent) else value


def pay(run: Run, paid: Paid) -> object:
    """Charge what a value costs, and return it."""
    steps, size = paid.spent
    if steps and size:
        # Which of them ends first shows only when it is evaluated.
        return paid.evaluate()
    if steps:
        run.charge(steps)
    else:
        run.allocate(size)
    return paid.value


def keep(answers: list[object], place: int, answer: object) -> object:
    """Remember the answer of a cell that its column has several times."""
    answers[place] = answer
    return answer


def all_pass(
    run: Run,
    scope: object,
    values: Sequence[object],
    answers: list[object],
    cells: Iterable[tuple[int, Callable[..., object], int]],
) -> bool:
    """Return whether cells pass: each its column, function, and place of its answer or -1."""
    for column, function, place in cells:
        if place < 0:
            answer = function(run, scope, values[column])
        elif (answer := answers[place]) is UNASKED:
            answer = answers[place] = function(run, scope, values[column])
        if answer is not True:
            return False
    return True

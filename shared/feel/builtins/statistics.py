"""Functions that boil a list down to one value: sums, extremes, means, all and any."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from typing import TYPE_CHECKING

from shared.feel.arithmetic import add, divide
from shared.feel.numbers import NUMBERS, calculated
from shared.feel.values import compared

from .registry import Functions

if TYPE_CHECKING:
    from shared.feel.budget import Run

FUNCTIONS = Functions()


def _numbers(items: list[object]) -> list[Decimal] | None:
    """Return a list's numbers, None when it is empty or holds anything else."""
    found = [item for item in items if isinstance(item, Decimal)]
    return found if found and len(found) == len(items) else None


def _extreme(run: Run, items: list[object], sign: int) -> object:
    run.charge(len(items))
    if not items:
        return None
    best = items[0]
    if compared(best, best) is None:
        return None
    for item in items[1:]:
        order = compared(item, best)
        if order is None:
            return None
        if order == sign:
            best = item
    return best


@FUNCTIONS.define("min(list: list)", "min(c*: any)")
def minimum(run: Run, items: list[object]) -> object:
    """Return the least of comparable values, null of none."""
    return _extreme(run, items, -1)


@FUNCTIONS.define("max(list: list)", "max(c*: any)")
def maximum(run: Run, items: list[object]) -> object:
    """Return the greatest of comparable values, null of none."""
    return _extreme(run, items, 1)


def _total(run: Run, items: list[object]) -> object:
    run.charge(len(items))
    if not items:
        return None
    total = items[0]
    if isinstance(total, str) or add(run, total, total) is None:
        return None
    for item in items[1:]:
        total = None if type(item) is not type(total) else add(run, total, item)
    return total


@FUNCTIONS.define("sum(list: list)", "sum(n*: any)")
def total(run: Run, items: list[object]) -> object:
    """Return the sum of numbers or durations, null of none."""
    return _total(run, items)


@FUNCTIONS.define("mean(list: list)", "mean(n*: any)")
def mean(run: Run, items: list[object]) -> object:
    """Return the average of numbers or durations."""
    return divide(run, _total(run, items), Decimal(len(items))) if items else None


@FUNCTIONS.define("product(list: list)", "product(n*: any)")
def product(run: Run, items: list[object]) -> Decimal | None:
    """Return the product of numbers."""
    run.charge(len(items))
    numbers = _numbers(items)
    if numbers is None:
        return None
    result: Decimal | None = Decimal(1)
    for number in numbers:
        result = None if result is None else calculated(NUMBERS.multiply, result, number)
    return result


@FUNCTIONS.define("median(list: list)", "median(n*: any)")
def median(run: Run, items: list[object]) -> object:
    """Return the middle of the sorted values, the mean of both when there are two."""
    run.charge(4 * len(items))
    if not items or any(compared(item, items[0]) is None for item in items):
        return None
    ordered = sorted(items, key=cmp_to_key(lambda a, b: compared(a, b) or 0))
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return divide(run, add(run, ordered[middle - 1], ordered[middle]), Decimal(2))


@FUNCTIONS.define("stddev(list: list)", "stddev(n*: any)")
def standard_deviation(run: Run, items: list[object]) -> Decimal | None:
    """Return the standard deviation of a sample of at least two numbers."""
    run.charge(4 * len(items))
    numbers = _numbers(items)
    if numbers is None or len(numbers) < 2:
        return None
    average = NUMBERS.divide(_plain_sum(numbers), Decimal(len(numbers)))
    squares = [_square(NUMBERS.subtract(number, average)) for number in numbers]
    return NUMBERS.sqrt(NUMBERS.divide(_plain_sum(squares), Decimal(len(numbers) - 1)))


def _square(value: Decimal) -> Decimal:
    return calculated(NUMBERS.multiply, value, value) or Decimal(0)


def _plain_sum(numbers: list[Decimal]) -> Decimal:
    total = Decimal(0)
    for number in numbers:
        total = calculated(NUMBERS.add, total, number) or Decimal(0)
    return total


@FUNCTIONS.define("mode(list: list)", "mode(n*: any)")
def mode(run: Run, items: list[object]) -> list[Decimal] | None:
    """Return the most frequent numbers in ascending order; the empty list of none."""
    run.charge(4 * len(items))
    if not items:
        return []
    numbers = _numbers(items)
    if numbers is None:
        return None
    counts: dict[Decimal, int] = {}
    for number in numbers:
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values())
    return sorted(number for number, count in counts.items() if count == most)


@FUNCTIONS.define("count(list: list)")
def count(run: Run, items: list[object]) -> Decimal:
    """Return how many elements a list has."""
    return Decimal(len(items))


@FUNCTIONS.define("all(list: list)", "all(b*: any)")
def all_true(run: Run, items: list[object]) -> bool | None:
    """Return whether no element is false; null when one is no boolean."""
    run.charge(len(items))
    if any(item is False for item in items):
        return False
    return True if all(item is True for item in items) else None


@FUNCTIONS.define("any(list: list)", "any(b*: any)")
def any_true(run: Run, items: list[object]) -> bool | None:
    """Return whether an element is true; null when none is but one is no boolean."""
    run.charge(len(items))
    if any(item is True for item in items):
        return True
    return False if all(item is False for item in items) else None

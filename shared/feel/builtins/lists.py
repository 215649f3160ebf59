"""Functions of lists. Positions count from 1, negative ones from the end."""

from __future__ import annotations

from decimal import Decimal
from functools import cmp_to_key
from typing import TYPE_CHECKING

from shared.feel.numbers import integer
from shared.feel.operations import call
from shared.feel.values import FeelFunction, compared, equal, hash_key

from .registry import Functions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.feel.budget import Run

FUNCTIONS = Functions()


def _made(run: Run, items: Iterable[object]) -> list[object]:
    found = list(items)
    run.allocate(len(found))
    return found


class _Seen:
    """Tells whether an equal value came before; scalars by hash, the others one by one."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._keys: set[object] = set()
        self._others: list[object] = []

    def add(self, value: object) -> bool:
        """Remember a value; return whether it is new."""
        key = hash_key(value)
        if key is not None:
            is_new = key not in self._keys
            self._keys.add(key)
            return is_new
        self._run.charge(len(self._others))
        if any(equal(value, other, self._run.charge) is True for other in self._others):
            return False
        self._others.append(value)
        return True


@FUNCTIONS.define("list contains(list: list, element: any)")
def list_contains(run: Run, items: list[object], element: object) -> bool:
    """Return whether an element of the list equals a value."""
    run.charge(len(items))
    if isinstance(element, str):
        # Nothing but a text equals a text, to Python too.
        return element in items
    return any(equal(item, element, run.charge) is True for item in items)


@FUNCTIONS.define("is empty(list: list)")
def is_empty(run: Run, items: list[object]) -> bool:
    """Return whether a list has no elements (an extension of Camunda's)."""
    return not items


@FUNCTIONS.define("sublist(list: list, start position: number, length?: number)")
def sublist(
    run: Run, items: list[object], start: Decimal, length: Decimal | None
) -> list[object] | None:
    """Return a part of a list, null when it would begin or end outside."""
    position, count = integer(start), None if length is None else integer(length)
    if not position or abs(position) > len(items):
        return None
    first = position - 1 if position > 0 else len(items) + position
    if length is None:
        return _made(run, items[first:])
    if count is None or count < 1 or first + count > len(items):
        return None
    return _made(run, items[first : first + count])


@FUNCTIONS.define("append(list: list, item*: any)")
def append(run: Run, items: list[object], more: list[object]) -> list[object]:
    """Return a list with items added at its end."""
    return _made(run, [*items, *more])


@FUNCTIONS.define("concatenate(list*: list)")
def concatenate(run: Run, lists: list[list[object]]) -> list[object]:
    """Return all elements of several lists, one list after the other."""
    run.allocate(sum(map(len, lists)))
    return [item for items in lists for item in items]


@FUNCTIONS.define("insert before(list: list, position: number, newItem: any)")
def insert_before(
    run: Run, items: list[object], position: Decimal, item: object
) -> list[object] | None:
    """Return a list with an item put in at a position."""
    at = _index(items, position)
    return None if at is None else _made(run, [*items[:at], item, *items[at:]])


@FUNCTIONS.define("remove(list: list, position: number)")
def remove(run: Run, items: list[object], position: Decimal) -> list[object] | None:
    """Return a list without the element at a position."""
    at = _index(items, position)
    return None if at is None else _made(run, [*items[:at], *items[at + 1 :]])


@FUNCTIONS.define(
    "list replace(list: list, position: number, newItem: any)",
    "list replace(list: list, match: function, newItem: any)",
)
def list_replace(
    run: Run, items: list[object], where: Decimal | FeelFunction, item: object
) -> list[object] | None:
    """Return a list with the element at a position, or each for which match is true, replaced."""
    if isinstance(where, Decimal):
        at = _index(items, where)
        return None if at is None else _made(run, [*items[:at], item, *items[at + 1 :]])
    replaced: list[object] = []
    for old in items:
        answer = call(run, where, (old, item))
        if not isinstance(answer, bool):
            return None
        replaced.append(item if answer else old)
    return _made(run, replaced)


def _index(items: list[object], position: Decimal) -> int | None:
    at = integer(position)
    if not at or abs(at) > len(items):
        return None
    return at - 1 if at > 0 else len(items) + at


@FUNCTIONS.define("reverse(list: list)")
def reverse(run: Run, items: list[object]) -> list[object]:
    """Return a list back to front."""
    return _made(run, reversed(items))


@FUNCTIONS.define("index of(list: list, match: any)")
def index_of(run: Run, items: list[object], match: object) -> list[object]:
    """Return the positions of all elements that equal a value."""
    run.charge(len(items))
    same = (equal(item, match, run.charge) is True for item in items)
    return _made(run, (Decimal(at) for at, is_same in enumerate(same, start=1) if is_same))


@FUNCTIONS.define("union(list*: list)")
def union(run: Run, lists: list[list[object]]) -> list[object]:
    """Return the elements of several lists, each once."""
    return _distinct(run, [item for items in lists for item in items])


@FUNCTIONS.define("distinct values(list: list)")
def distinct_values(run: Run, items: list[object]) -> list[object]:
    """Return the elements of a list, each once, where it came first."""
    return _distinct(run, items)


def _distinct(run: Run, items: list[object]) -> list[object]:
    run.charge(len(items))
    seen = _Seen(run)
    return _made(run, (item for item in items if seen.add(item)))


@FUNCTIONS.define("duplicate values(list: list)")
def duplicate_values(run: Run, items: list[object]) -> list[object]:
    """Return the elements that are there more than once (an extension of Camunda's)."""
    run.charge(len(items))
    seen, twice = _Seen(run), _Seen(run)
    return _made(run, (item for item in items if not seen.add(item) and twice.add(item)))


@FUNCTIONS.define("flatten(list: list)")
def flatten(run: Run, items: list[object]) -> list[object]:
    """Return a list with the elements of lists within it in their place."""
    return list(_leaves(run, items))


def _leaves(run: Run, items: list[object]) -> Iterator[object]:
    waiting: list[Iterator[object]] = [iter(items)]
    while waiting:
        for item in waiting[-1]:
            run.charge(1)
            if isinstance(item, list):
                waiting.append(iter(item))
                break
            run.allocate(1)
            yield item
        else:
            waiting.pop()


@FUNCTIONS.define("partition(list: list, size: number)")
def partition(run: Run, items: list[object], size: Decimal) -> list[object] | None:
    """Return a list cut into lists of a size (an extension of Camunda's)."""
    step = integer(size)
    if step is None or step < 1:
        return None
    run.allocate(len(items))
    return _made(run, (items[at : at + step] for at in range(0, len(items), step)))


@FUNCTIONS.define("sort(list: list, precedes?: function)")
def sort(run: Run, items: list[object], precedes: FeelFunction | None) -> list[object] | None:
    """Return a list in order, by a function that says whether the first goes before the second."""
    run.charge(8 * len(items))
    if precedes is None:
        if any(compared(item, items[0]) is None for item in items):
            return None
        return _made(run, sorted(items, key=cmp_to_key(lambda a, b: compared(a, b) or 0)))

    def order(left: object, right: object) -> int:
        run.charge(1)
        if call(run, precedes, (left, right)) is True:
            return -1
        return 1 if call(run, precedes, (right, left)) is True else 0

    return _made(run, sorted(items, key=cmp_to_key(order)))

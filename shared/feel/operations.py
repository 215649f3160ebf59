"""What generated code may call besides arithmetic: logic, comparison, loops, filters and calls."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, Overflow
from typing import TYPE_CHECKING

from .errors import FeelBudgetExceeded
from .numbers import MAX_NUMBER, integer, whole
from .temporal import FeelDate, date_at
from .types import coerced, conforms
from .values import FeelFunction, FeelRange, compared, equal

if TYPE_CHECKING:
    from collections.abc import Callable

    from .budget import Run
    from .syntax import TypeName

    Lazy = Callable[[], object]


def all_of(first: object, *others: Lazy) -> bool | None:
    """Return FEEL's `and`: false wins, what is no boolean counts as null."""
    result = first if isinstance(first, bool) else None
    for other in others:
        if result is False:
            return False
        value = other()
        if value is False:
            return False
        if value is not True:
            result = None
    return result


def any_of(first: object, *others: Lazy) -> bool | None:
    """Return FEEL's `or`: true wins, what is no boolean counts as null."""
    result = first if isinstance(first, bool) else None
    for other in others:
        if result is True:
            return True
        value = other()
        if value is True:
            return True
        if value is not False:
            result = None
    return result


def eq(run: Run, left: object, right: object) -> bool | None:
    """Return left = right."""
    return equal(left, right, run.charge)


def ne(run: Run, left: object, right: object) -> bool | None:
    """Return left != right."""
    same = equal(left, right, run.charge)
    return None if same is None else not same


def lt(run: Run, left: object, right: object) -> bool | None:
    """Return left < right."""
    order = compared(left, right)
    return None if order is None else order < 0


def le(run: Run, left: object, right: object) -> bool | None:
    """Return left <= right."""
    order = compared(left, right)
    return None if order is None else order <= 0


def gt(run: Run, left: object, right: object) -> bool | None:
    """Return left > right."""
    order = compared(left, right)
    return None if order is None else order > 0


def ge(run: Run, left: object, right: object) -> bool | None:
    """Return left >= right."""
    order = compared(left, right)
    return None if order is None else order >= 0


COMPARISONS = {"eq": eq, "ne": ne, "lt": lt, "le": le, "gt": gt, "ge": ge}


def between(run: Run, value: object, low: object, high: object) -> bool | None:
    """Return low <= value <= high."""
    above, below = compared(value, low), compared(value, high)
    return None if above is None or below is None else above >= 0 and below <= 0


def make_range(start: object, end: object, start_included: bool, end_included: bool) -> object:
    """Return a range; null unless both ends are of one kind that has an order."""
    if compared(start, end) is None:
        return None
    return FeelRange(start, end, start_included, end_included)


def open_range(comparison: str, bound: object) -> object:
    """Return the range of all values below or above a bound, or equal to it."""
    if bound is None or comparison == "ne":
        return None
    if comparison == "eq":
        return FeelRange(bound, bound)
    is_included = comparison.endswith("e")
    if comparison.startswith("l"):
        return FeelRange(None, bound, False, is_included)
    return FeelRange(bound, None, is_included, False)


def contained(run: Run, value: object, test: object) -> bool | None:
    """Return `value in test`: within a range, in a list or one of its ranges, or equal."""
    if isinstance(test, FeelRange):
        return test.includes(value)
    if isinstance(test, list):
        run.charge(len(test))
        if any(contained(run, value, item) is True for item in test):
            return True
        return isinstance(value, list) and equal(value, test, run.charge) is True
    return equal(value, test, run.charge)


def within(value: object, test: object) -> bool | None:
    """Return whether a value lies in a range written out; null for one without sound ends."""
    return test.includes(value) if isinstance(test, FeelRange) else None


def tested(run: Run, value: object, test: object) -> bool | None:
    """Return whether an input passes a computed test: a truth by itself, or something it is in."""
    if isinstance(test, bool) and not isinstance(value, bool):
        return test
    return contained(run, value, test)


def passes_any(*answers: bool | None) -> bool | None:
    """Return whether one of several tests is passed; null when none has an answer."""
    if True in answers:
        return True
    return False if False in answers else None


def negated(value: object) -> bool | None:
    """Return the opposite of a truth; null of all else."""
    return not value if isinstance(value, bool) else None


def is_instance(run: Run, value: object, kind: TypeName) -> bool:
    """Return `value instance of kind`; null is an instance of Null only."""
    return conforms(value, kind, run.charge)


def _number_steps(start: Decimal, end: Decimal) -> Iterator[object] | None:
    first, last = whole(start), whole(end)
    if first is None or last is None:
        return None
    step = 1 if first <= last else -1
    return (Decimal(i) for i in range(first, last + step, step))


def steps(start: object, end: object) -> Iterator[object] | None:
    """Return the whole numbers, or the days, from one end to the other, both included."""
    if isinstance(start, Decimal) and isinstance(end, Decimal):
        return _number_steps(start, end)
    if isinstance(start, FeelDate) and isinstance(end, FeelDate):
        sign = 1 if start.number <= end.number else -1
        return (date_at(day) for day in range(start.number, end.number + sign, sign))
    return None


def _members(run: Run, domain: object) -> Iterator[object] | None:
    if isinstance(domain, list):
        return iter(domain)
    if isinstance(domain, FeelRange):
        found = steps(domain.start, domain.end)
        if found is None:
            return None
        return (item for item in found if domain.includes(item))
    if isinstance(domain, Iterator):
        return domain
    return None if domain is None else iter((domain,))


#: What a day of a loop is charged beside its body: it takes ten times as long as a number.
_DAY_STEPS = 20


class _NullDomain(Exception):
    """A loop goes over null, so that its result is null."""


def _rounds(
    run: Run, weight: int, domains: tuple[Callable[..., object], ...], values: tuple[object, ...]
) -> Iterator[tuple[object, ...]]:
    members = _members(run, domains[0](*values))
    if members is None:
        raise _NullDomain
    for member in members:
        run.charge(weight + _DAY_STEPS if type(member) is FeelDate else weight)
        if len(domains) == 1:
            yield (*values, member)
        else:
            yield from _rounds(run, weight, domains[1:], (*values, member))


def loop(
    run: Run,
    weight: int,
    domains: tuple[Callable[..., object], ...],
    body: Callable[..., object],
    uses_partial: bool,
) -> object:
    """Return the list of `body` for every combination; null when a domain is null.

    With `uses_partial` the body's last argument is the list of results so far.
    """
    results: list[object] = []
    try:
        for values in _rounds(run, weight, domains, ()):
            run.allocate(1)
            if uses_partial:
                run.charge(len(results))
                results.append(body(*values, list(results)))
            else:
                results.append(body(*values))
    except _NullDomain:
        return None
    return results


def some(
    run: Run, weight: int, domains: tuple[Callable[..., object], ...], body: Callable[..., object]
) -> bool | None:
    """Return whether a combination satisfies; null when none does but one is undecided."""
    result: bool | None = False
    try:
        for values in _rounds(run, weight, domains, ()):
            answer = body(*values)
            if answer is True:
                return True
            if answer is not False:
                result = None
    except _NullDomain:
        return None
    return result


def every(
    run: Run, weight: int, domains: tuple[Callable[..., object], ...], body: Callable[..., object]
) -> bool | None:
    """Return whether all combinations satisfy; null when none fails but one is undecided."""
    result: bool | None = True
    try:
        for values in _rounds(run, weight, domains, ()):
            answer = body(*values)
            if answer is False:
                return False
            if answer is not True:
                result = None
    except _NullDomain:
        return None
    return result


def at_index(values: object, index: object) -> object:
    """Return the element at a 1-based index, from the end when negative, else null."""
    position = integer(index)
    items = values if isinstance(values, list) else [values]
    if not position or not -len(items) <= position <= len(items):
        return None
    return items[position - 1 if position > 0 else position]


def filtered(run: Run, weight: int, values: object, condition: Callable[..., object]) -> object:
    """Return the elements for which a condition is true, or the one at a computed index."""
    if values is None:
        return None
    items = values if isinstance(values, list) else [values]
    kept: list[object] = []
    for item in items:
        run.charge(weight)
        answer = condition(item)
        if isinstance(answer, Decimal):
            return at_index(items, answer)
        if answer is True:
            run.allocate(1)
            kept.append(item)
    if not items and isinstance(condition(None), Decimal):
        return None
    return kept


def has_entry(item: object, name: str) -> bool:
    """Return whether an element is a context with that entry."""
    return isinstance(item, dict) and name in item


def entry(item: dict[str, object], name: str) -> object:
    """Return an entry known to be there."""
    return item[name]


def make_function(
    parameters: tuple[str, ...], types: tuple[TypeName | None, ...], body: Callable[..., object]
) -> FeelFunction:
    """Return a function value; an argument which is not of its type makes the result null."""

    def invoke(run: Run, arguments: tuple[object, ...]) -> object:
        fitted = []
        for argument, kind in zip(arguments, types, strict=True):
            value = argument if kind is None else coerced(argument, kind, run.charge)
            if value is None and argument is not None:
                return None
            fitted.append(value)
        try:
            return body(*fitted)
        except Overflow as error:
            # A function may be called from outside of the code that made it.
            raise FeelBudgetExceeded("number", MAX_NUMBER) from error

    return FeelFunction(parameters, invoke)


def call(
    run: Run, function: object, arguments: tuple[object, ...], names: tuple[str, ...] = ()
) -> object:
    """Call a function value; null when it is none, or its parameters are others."""
    if not isinstance(function, FeelFunction):
        return None
    if names:
        if set(names) - set(function.parameters) or len(set(names)) != len(names):
            return None
        by_name = dict(zip(names, arguments, strict=True))
        arguments = tuple(by_name.get(name) for name in function.parameters)
    elif len(arguments) != len(function.parameters) and "*" not in function.parameters:
        return None
    run.charge(10)
    run.enter()
    try:
        return function.invoke(run, arguments)
    finally:
        run.leave()


def call_own(
    run: Run,
    function: object,
    arguments: tuple[object, ...],
    names: tuple[str, ...],
    builtin: Lazy,
) -> object:
    """Call a variable that has a built-in function's name if it is a function, else that one."""
    is_own = isinstance(function, FeelFunction) and not function.is_builtin
    return call(run, function, arguments, names) if is_own else builtin()

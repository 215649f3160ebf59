"""Texts and values to compare ways of evaluating with: all kinds of cells, many of one shape."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from shared.feel import Budget, FeelBudgetExceeded, MonthsDuration, Run
from shared.feel.scope import JsonScope

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 5, 8, 0, tzinfo=UTC)
NAMES = frozenset({"a", "b", "r", "l", "count"})
_CONSTANTS = st.sampled_from(
    ['"a"', '"ab"', '"x"', '""', "0", "1", "2.5", "-3", "2 * 2", "1e6000", "null", "true", "false",
     'date("2026-11-05")', '@"2026-11-06"', 'duration("P1D")', '"a" + "b"', "[1, 2]", '["a", "b"]',
     "1 / 0", 'number("1")', 'number("1,5", b, ",")', "-(-1)"]
)  # fmt: skip
_LEAVES = st.sampled_from(
    ["?", "?", "?", "a", "b", "r.x", "r.y.z", "l", "l[1]", "count", "now()", "l[item > 1]"]
)
_OPERATIONS = [
    *(f"{{x}} {sign} {{y}}" for sign in ("=", "!=", "<", "<=", ">", ">=")),
    *(f"({{x}} {sign} {{y}})" for sign in ("+", "-", "*", "/", "**", "and", "or")),
    "{x} between {y} and {z}", "{x} in ({y}, > {z})", "{x} in [{y}..{z}]", "{x} in {y}",
    "{x} in ({y}..{z}]", "(if {x} then {y} else {z})", "not({x})", "-{x}",
    "({x} and {y} and {z})", "({x} or {y} or {z})", "{x} instance of number",
]  # fmt: skip
_CALLS = [
    "starts with({x}, {y})", "ends with({x}, {y})", "contains({x}, {y})", "string length({x})",
    "upper case({x})", "substring({x}, {y})", "substring({x}, {y}, {z})", "modulo({x}, {y})",
    "abs({x})", "string({x})", "number({x})", "date({x})", "duration({x})",
    "list contains({x}, {y})", "list contains(l, {x})", "count({x})", "sum({x}, {y})", "max({x})",
    "is defined({x})",
    "matches({x}, {y})", "append(l, {x})", "get or else({x}, {y})", "string({x}) + string({y})",
    "starts with(string: {x}, match: {y})", "not(negand: {x})", "starts with({x})",
    "some e in l satisfies e = {x}", "every e in {x} satisfies e < {y}",
    "for e in l return e + {x}",
    "{{p: {x}, q: p}}.q", "{{f: function(v) v + {x}}}.f({y})", "l[item = {x}]", "l[{x}]",
    "round half up({x}, {y})", "floor({x})", "replace({x}, {y}, {z})", "concatenate(l, {x})",
    "{x}.day", "contains(upper case({x}), {y})",
]  # fmt: skip


def _filled(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda template, x, y, z: template.format(x=x, y=y, z=z),
        st.sampled_from([*_OPERATIONS, *_CALLS]),
        inner,
        inner,
        inner,
    )


_leaf = st.one_of(_LEAVES, _CONSTANTS)
#: Expressions of all kinds over `?` and a few variables.
expressions = st.one_of(_filled(_leaf), st.recursive(_leaf, _filled, max_leaves=7))
#: Cells, as a table holds them.
cells = st.one_of(
    expressions,
    expressions.map(lambda text: f"({text}) = true"),
    st.builds(
        lambda template, x, y: template.format(x=x, y=y),
        st.sampled_from(
            ["> {x}", "<= {x}", "[{x}..{y}]", "not({x})", "{x}, {y}", "({x}..{y}]", "> {x}, {y}",
             "not(> {x})", "not([{x}..{y}])", "(< {x})"]
        ),
        _leaf,
        expressions,
    ),
)  # fmt: skip
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-4, 4),
    st.sampled_from(["a", "ab", "x", "", "2026-11-05", "P1D", "abcdefghijklmnopqrstuvwxyz"]),
    st.sampled_from([2.5, math.nan, Decimal("9e6000"), 10**35, date(2026, 11, 5), NOW]),
    st.just(MonthsDuration(3)),
)
#: Values of JSON and others.
values = st.one_of(
    _scalars, _scalars, st.lists(_scalars, max_size=3), st.fixed_dictionaries({"x": _scalars})
)
#: Variables; one is named like a function.
contexts = st.fixed_dictionaries(
    {},
    optional={
        "a": values,
        "b": values,
        "l": st.lists(_scalars, max_size=3),
        "count": _scalars,
        "r": st.fixed_dictionaries({}, optional={"x": values, "y": st.just({"z": "a"}) | _scalars}),
    },
)
#: Mostly ample; sometimes used up on the way.
budgets = st.one_of(
    st.just(Budget()), st.just(Budget()), st.builds(Budget, st.integers(0, 40), st.integers(0, 60))
)


def outcome(
    act: Callable[[Run, JsonScope], object], given: dict[str, Any], budget: Budget
) -> object:
    """Return what an evaluation gives, or how it is refused, and what is left of its account."""
    run = Run(NOW, budget)
    try:
        answer = act(run, JsonScope(given))
    except FeelBudgetExceeded as refused:
        return str(refused)
    return type(answer).__name__, repr(answer), run.left

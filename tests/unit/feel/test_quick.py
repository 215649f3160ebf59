"""The quick form of a condition answers as its ordinary code does, or leaves the answer to it."""

from __future__ import annotations

import dis
import math
from decimal import Decimal
from types import FunctionType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feel import (
    Expression,
    FeelBudgetExceeded,
    FeelDate,
    Run,
    compile_expression,
)
from shared.feel.quick import _GLOBALS, GaveUp
from shared.feel.scope import JsonScope

CONDITIONS: list[tuple[str, dict[str, Any], object]] = [
    ('amount < 5000 and tier in ["gold", "platinum"]', {"amount": 1200, "tier": "gold"}, True),
    ('amount < 5000 and tier in ["gold", "platinum"]', {"amount": 1200, "tier": "tin"}, False),
    ("amount < 5000", {"amount": 4999.5}, True),
    ("amount < 0.3", {"amount": 0.1 + 0.2}, False),
    ("amount >= -1.5", {"amount": Decimal("-1.50")}, True),
    ("approved = true", {"approved": True}, True),
    ("approved = true", {}, False),
    ("not(approved) or level > 3", {"approved": True, "level": 4}, True),
    ('request.priority = "P1"', {"request": {"priority": "P1"}}, True),
    ('request.form.system != "finance"', {"request": {"form": {"system": "hr"}}}, True),
    ("answer = null", {}, True),
    ("answer != null", {"answer": 0}, True),
    ("level in [1..3]", {"level": 3}, True),
    ("level in ]1..3[", {"level": 3}, False),
    ("level in (1, > 7)", {"level": 8}, True),
    ('lane in ("green", "exception")', {"lane": "standard"}, False),
    ("level in [1, 2, 2.5]", {"level": 2.5}, True),
    ("level between 2 and 4", {"level": 2}, True),
    ("spent + asked > limit", {"spent": 5, "asked": 6, "limit": 10}, True),
    ("asked / 4 = 0.25", {"asked": 1}, True),
    ("decided = requested", {"decided": "a", "requested": "a"}, True),
    ('if amount > 1000 then "lead" else "desk"', {"amount": 1001}, "lead"),
    ("if urgent then 1 else -amount", {"amount": 3}, Decimal(-3)),
    ("批准 = true and 金额 < 100", {"批准": True, "金额": 99}, True),
]


@pytest.mark.parametrize(("text", "values", "expected"), CONDITIONS)
def test_the_conditions_of_diagrams_have_a_quick_form_that_answers(
    text: str, values: dict[str, Any], expected: object
) -> None:
    quick = compile_expression(text).quick()

    assert quick is not None
    assert quick(values.get) == expected
    assert _ordinary(compile_expression(text), values) == expected


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a < 5", {"a": True}),
        ("a < 5", {"a": math.nan}),
        ("a < 5", {"a": "4"}),
        ("a < 5", {}),
        ("a = 1", {"a": True}),
        ("a = true", {"a": 1}),
        ('a = "x"', {"a": ["x"]}),
        ("a = null", {"a": math.inf}),
        ("a = b", {"a": 1, "b": True}),
        ("a = b", {"a": 1, "b": 1.0}),
        ("a.b = 1", {"a": [{"b": 1}]}),
        ("a and b", {"a": 0, "b": True}),
        ("a / 0 > 1", {"a": 1}),
        ("a * a > 1", {"a": Decimal("1e4000")}),
        ("a in [1, 2]", {"a": [1]}),
        ("a < 5", {"a": 10**40}),
    ],
)
def test_a_value_python_would_compare_otherwise_is_left_to_the_ordinary_code(
    text: str, values: dict[str, Any]
) -> None:
    quick = compile_expression(text).quick()

    assert quick is not None
    with pytest.raises((GaveUp, TypeError, ArithmeticError)):
        quick(values.get)


def _ordinary(expression: Expression, values: dict[str, Any]) -> object:
    return expression.run(Run(), JsonScope(values))


def _told(answer: Any) -> object:
    """Return an answer so that true and 1 are two."""
    return type(answer).__name__, answer


def _outcome(act: Any) -> object:
    try:
        return _told(act())
    except (FeelBudgetExceeded, TypeError) as refused:
        return type(refused).__name__, str(refused)


_NAMES = ["a", "b", "c", "r.x", "r.y.z"]
_TEXTS = ['"x"', '"y"', '""']
_NUMBERS = ["0", "1", "2.5", "-3", "1e34", "10000000000000000000000000000000001"]
_TRUTHS = ["true", "false"]
_SIGNS = ["=", "!=", "<", "<=", ">", ">="]


def _of(templates: list[str], **parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts made of a template and its parts."""
    return st.builds(lambda template, **found: template.format(**found),
                     st.sampled_from(templates), **parts)  # fmt: skip


_name, _number = st.sampled_from(_NAMES), st.sampled_from(_NUMBERS)
_sum = _of(["{x} + {n}", "{x} * {y}", "{n} - {x}", "-{x}", "{x} / {n}"],
           x=_name, y=_name, n=_number)  # fmt: skip
_atoms = st.one_of(
    _name,
    _of(["{x} {sign} {n}", "{n} {sign} {x}", "{s} {sign} {n}", "{x} {sign} {y}"],
        x=_name, y=_name, n=_number, s=_sum, sign=st.sampled_from(_SIGNS)),
    _of(["{x} {sign} {t}", "{x} in [{t}, {u}]", "{x} in ({t}, {u})"],
        x=_name, t=st.sampled_from(_TEXTS), u=st.sampled_from(_TEXTS),
        sign=st.sampled_from(_SIGNS)),
    _of(["{x} in [{n}, {m}]", "{x} in ({n}, > {m})", "{x} in ]{n}..{m}]", "{s} in [{n}..{m})",
         "{x} between {n} and {m}", "{n} between {m} and {s}", "{x} in (< {n}, > {s})"],
        x=_name, s=_sum, n=_number, m=_number),
    _of(["{x} = {t}", "{t} != {x}", "{x} = null", "null != {x}"],
        x=_name, t=st.sampled_from(_TRUTHS)),
)  # fmt: skip


def _conditions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    whole = ["({x}) and ({y})", "({x}) or ({y}) or ({z})", "not({x})", "({x}) = ({y})"]
    whole += ["if {x} then {y} else {z}", "if {x} then 1 else 2.5", "if {x} then null else {y}"]
    return _of(whole, x=inner, y=inner, z=inner)


#: Anything beside what makes sense: kinds mixed, a built-in function's name as a variable.
_wild = st.sampled_from([*_NAMES, *_TEXTS, *_NUMBERS, *_TRUTHS, "null", "count", "r"])


def _mixtures(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        _of([f"({{x}} {sign} {{y}})" for sign in (*_SIGNS, *"+-*/", "and", "or")],
            x=inner, y=inner),
        _of(["({x} between {y} and {z})", "({x} in [{y}, {z}])", "({x} in ({y}, {z}))",
             "({x} in ({y}..{z}])", "({x} in (< {y}, {z}))", "({x} in > {y})", "not({x})",
             "(if {x} then {y} else {z})"], x=inner, y=inner, z=inner),
    )  # fmt: skip


_expressions = st.one_of(
    st.recursive(_atoms, _conditions, max_leaves=6),
    st.recursive(_wild, _mixtures, max_leaves=8),
)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-4, 4),
    st.integers(-(10**36), 10**36),
    st.floats(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2),
    st.sampled_from(["x", "y", "", Decimal("NaN"), Decimal("1e6000"), 10**7000]),
)
_values = st.one_of(
    _scalars,
    st.lists(_scalars, max_size=2),
    st.fixed_dictionaries({}, optional={"x": _scalars, "y": st.just({"z": "x"}) | _scalars}),
    st.sampled_from([FeelDate(2026, 11, 5), object()]),
)
_contexts = st.fixed_dictionaries(
    {}, optional={name: _values for name in ("a", "b", "c", "r", "count")}
)


@settings(max_examples=300, deadline=None)
@given(_expressions, st.lists(_contexts, min_size=1, max_size=4))
def test_the_quick_form_and_the_ordinary_code_never_disagree(
    text: str, contexts: list[dict[str, Any]]
) -> None:
    expression = compile_expression(text)

    for values in contexts:
        expected = _outcome(lambda values=values: _ordinary(expression, values))
        assert _outcome(lambda values=values: expression.evaluate(values)) == expected


def test_quick_code_reaches_nothing_but_its_own_words() -> None:
    for text, _, _ in CONDITIONS:
        quick = compile_expression(text).quick()
        assert isinstance(quick, FunctionType)
        found = list(dis.get_instructions(quick))
        assert {i.argval for i in found if i.opname == "LOAD_GLOBAL"} <= set(_GLOBALS)
        assert not [i.opname for i in found if "ATTR" in i.opname or "METHOD" in i.opname]
        assert not [i.opname for i in found if "IMPORT" in i.opname or "SUBSCR" in i.opname]
    assert _GLOBALS["__builtins__"] == {}


def test_a_condition_that_is_a_text_takes_the_else_without_a_word_from_python() -> None:
    assert compile_expression('if "" then 1 else 2').evaluate({}) == 2


def test_a_high_bound_that_is_null_leaves_between_undecided() -> None:
    assert compile_expression("0 between 1 and a + 1").evaluate({}) is None


@pytest.mark.parametrize("text", ["a + b + c" + " + a" * 300, "not(" * 50 + "a" + ")" * 50])
def test_a_large_expression_has_no_second_form(text: str) -> None:
    assert compile_expression(text).quick() is None

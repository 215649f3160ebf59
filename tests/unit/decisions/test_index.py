"""An index, and the quick way to ask a table, answer as going through all rules does."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.decisions import matching
from shared.decisions.cuts import cuts_of
from shared.decisions.frame import Variables
from shared.decisions.index import ColumnIndex
from shared.decisions.matching import Matcher
from shared.decisions.table import DecisionTable
from shared.errors import LeveeError
from shared.feel import (
    DaysDuration,
    FeelTime,
    MonthsDuration,
    Run,
    compile_unary_tests,
    to_feel,
)
from shared.feel.scope import ValueScope
from tests.unit.decisions.dmn import Table, decision, model, table_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.decisions import DecisionModel
    from shared.decisions.table import Rule

_NOW = datetime(2026, 11, 5, 8, 0, tzinfo=UTC)


class _Plain(Matcher):
    """Asks every cell of every rule."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._every = rules

    def matched(
        self, run: Run, scope: Variables, values: Sequence[object], only_first: bool
    ) -> list[Rule]:
        found = [
            rule
            for rule in self._every
            if all(test.run(run, scope, values[column]) is True for column, test in rule.tests)
        ]
        return found[:1] if only_first else found


def _loaded(table: Table, kind: str) -> DecisionModel:
    return model(decision("routing", table.xml(), kind=kind))


def _plainly(table: Table, kind: str = "") -> DecisionModel:
    """Load a table that is gone through, and in no quick way."""
    loaded = _loaded(table, kind)
    logic = _logic(loaded)
    loaded.__dict__["_quick"] = {}
    logic.__dict__["plan"] = logic.plan._replace(matcher=_Plain(logic.rules))
    return loaded


def _logic(loaded: DecisionModel) -> DecisionTable:
    logic = loaded.decisions_by_id["routing"].logic
    assert isinstance(logic, DecisionTable)
    return logic


def _outcome(loaded: DecisionModel, given: dict[str, Any]) -> object:
    try:
        answer = loaded.evaluate("routing", given, now=_NOW)
    except LeveeError as refused:
        return type(refused).__name__, str(refused)
    return _told(answer.result), repr(answer.value), _told(answer.explanation)


def _told(value: object) -> object:
    """Return a value so that 1, 1.0 and true are three."""
    if isinstance(value, dict):
        return {key: _told(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_told(item) for item in value]
    return type(value).__name__, value


_TEXTS = ['"a"', '"b"', '"c"', '""']
_NUMBERS = ["0", "1", "-2.5", "3", "1e34", "0.1"]
_MOMENTS = [
    'date("2026-11-05")',
    '@"2026-11-06"',
    'date and time("2026-11-05T08:00:00Z")',
    '@"2026-11-05T09:00:00@Europe/Berlin"',
    '@"2026-11-05T09:00:00"',
    '@"PT4H"',
    'duration("P1Y2M")',
    '@"08:00:00Z"',
]
_WORDS = ["true", "false", "null"]
_EQUALITIES = ["{a}", "{a},{b}", "not({a})", "not({a},{b})", "[{a}, {b}]", "? = {a}", "-",
               "? != {a}", "? in ({a}, {b})", "not(? = {a} or ? = {b})", "{a}, other",
               "{c}, {a}"]  # fmt: skip
_ORDERS = ["< {a}", "<= {a}", "> {a}", ">= {a}", "[{a}..{b}]", "({a}..{b})", "]{a}..{b}]",
           "not(< {a})", "< {a}, > {b}", "? > {a} and ? <= {b}", "? between {a} and {b}",
           "(> {a})", "not([{a}..{b}])", "? in [{a}..{b}]", "{b}, < {a}", "{c}, > {a}"]  # fmt: skip
_odd_cells = st.sampled_from(
    ["other", "> other", "? = other", "now() > ?", "< now()", 'starts with(?, "a")', "?",
     "is defined(?)", "? + 1 > 1", "some x in [1, 3] satisfies x = ?", "true", "null"]
)  # fmt: skip


def _cells(constants: list[str], templates: list[str]) -> st.SearchStrategy[str]:
    """Cells that are mostly of one kind of value."""
    anything = st.sampled_from([*_TEXTS, *_NUMBERS, *_MOMENTS, *_WORDS])
    constant = st.sampled_from(constants)
    usual = st.builds(
        lambda template, **parts: template.format(**parts),
        st.sampled_from(templates),
        a=constant,
        b=constant,
        c=anything,
    )
    return st.one_of(usual, usual, usual, _odd_cells)


_texts = st.sampled_from(["a", "b", "c", "", "z"])
_numbers = st.one_of(
    st.integers(-4, 4),
    st.sampled_from([-2.5, 0.1, 1.25, 1e40, math.nan, 10**34, 10**34 + 1, Decimal("0.10")]),
)
_moments = st.sampled_from(
    [date(2026, 11, 5), date(2026, 11, 6), date(2030, 1, 1), _NOW, _NOW.replace(hour=9),
     _NOW.replace(tzinfo=None, hour=9), DaysDuration(4 * 3600 * 10**9), MonthsDuration(14),
     FeelTime(8, 0, 0, 0, 0)]
)  # fmt: skip
_others = st.one_of(
    st.none(),
    st.booleans(),
    _texts,
    _numbers,
    _moments,
    st.lists(st.sampled_from(["a", 1, None]), max_size=2),
    st.just({"x": "a"}),
)
_VALUES: list[object] = [
    *(None, True, False, "a", "b", "z", "", -3, -2.5, -1, 0, 0.05, 0.1, 0.5, 1, 1.5, 10**34, 1e40),
    *(date(2026, 11, day) for day in range(4, 9)),
    *(_NOW, _NOW.replace(hour=7), _NOW.replace(tzinfo=None), _NOW.replace(year=2027)),
    *(DaysDuration(hours * 3600 * 10**9) for hours in (3, 4, 5)),
    *(MonthsDuration(months) for months in (13, 14, 15)),
]
#: Cells, inputs, and the types a column of such may say it has.
_KINDS = [
    (_cells(_TEXTS, _EQUALITIES), _texts | _others, ["", ": string", ": list"]),
    (_cells(_NUMBERS, _EQUALITIES + _ORDERS), _numbers | _others, ["", ": number", ": string"]),
    (_cells(_MOMENTS, _EQUALITIES + _ORDERS), _moments | _others, ["", ": date", ": dateTime"]),
    (_cells(_WORDS, _EQUALITIES), _others, ["", ": boolean"]),
]
_policies = st.sampled_from(
    ["UNIQUE", "FIRST", "ANY", "RULE ORDER", "COLLECT", "PRIORITY", "OUTPUT ORDER", "COUNT", "SUM"]
)


@st.composite
def _questions(draw: st.DrawFn) -> tuple[Table, list[dict[str, Any]]]:
    """Draw a table, and inputs to ask it with."""
    kinds = draw(st.lists(st.sampled_from(_KINDS), min_size=1, max_size=3))
    policy, has_two = draw(_policies), draw(st.booleans())
    is_counted = policy in ("COUNT", "SUM")
    results = draw(st.sampled_from([["1", "2"], ["1", '"x"', "null"], ["1", "other"]]))
    cells = [cells for cells, _, _ in kinds]
    rows = draw(st.lists(st.tuples(*cells, st.sampled_from(results)), min_size=1, max_size=14))
    is_ranked = policy in ("PRIORITY", "OUTPUT ORDER")
    headings = [draw(st.sampled_from(types)) for _, _, types in kinds]
    extra = ('"m"',) if has_two and not is_counted else ()
    table = Table(
        inputs=tuple(f"{name}{kind}" for name, kind in zip(("p", "q.x", "r"), headings)),  # noqa: B905
        outputs=("n", "m")[: 1 + len(extra)],
        rows=tuple((*row, *extra) for row in rows),
        hit_policy="COLLECT" if is_counted else policy,
        aggregation=policy if is_counted else "",
        output_values={"n": '2, 1, "x"'} if is_ranked else {},
        defaults=draw(st.sampled_from([{}, {}, {"n": "7"}])),
    )
    first, second, third = (*(values for _, values, _ in kinds), _others, _others)[:3]
    inputs = {"q": second.map(lambda value: {"x": value}) | _others, "r": third}
    inputs["other"] = st.sampled_from(["a", 1, True, None])
    case = st.fixed_dictionaries({"p": first}, optional=inputs)
    return table, draw(st.lists(case, min_size=2, max_size=6))


@settings(max_examples=250, deadline=None)
@example((Table(("p",), ("n",), (("< 1e34", "1"), ("[0..1e34)", "2"))), [{"p": 10**34 - 1}]), "")
@given(_questions(), st.sampled_from(["", "", "number", "string"]))
def test_a_table_answers_as_one_that_is_gone_through(
    question: tuple[Table, list[dict[str, Any]]], kind: str
) -> None:
    table, cases = question
    plain = _plainly(table, kind)
    for stretch, rows in ((1024, 24), (3, 1)):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(matching, "STRETCH", stretch)
            patched.setattr(matching, "ROWS", rows)
            indexed = _loaded(table, kind)
            for inputs in cases:
                assert _outcome(indexed, inputs) == _outcome(plain, inputs)


@pytest.mark.parametrize(
    ("constants", "templates"),
    [
        (_TEXTS[:3], _EQUALITIES),
        (["0", "-2.5", "0.1", "1e34"], _EQUALITIES + _ORDERS),
        (_MOMENTS[:4] + _MOMENTS[5:7], _ORDERS),
        (_WORDS, _EQUALITIES),
    ],
)
def test_each_cell_is_indexed_as_it_answers(constants: list[str], templates: list[str]) -> None:
    values = [to_feel(value) for value in _VALUES]
    indexed = 0
    for template, a, b in product(templates, constants, constants):
        test = compile_unary_tests(template.format(a=a, b=b, c="1"), names=("other",))
        cuts = cuts_of(test)
        if cuts is None:
            continue
        index, indexed = ColumnIndex([cuts]), indexed + 1
        for value in values:
            answer = test.run(Run(), ValueScope({}), value) is True
            assert index.rules_for(value) in (None, answer), (test, value)
    assert indexed > 60


@pytest.mark.parametrize(
    ("cell", "value", "stranger"),
    [
        ('"c{n}"', "c499", "other"),
        ("{n}", Decimal(499), Decimal(-1)),
        ("[{n}..{n}.5]", Decimal("499.5"), Decimal("499.6")),
        ('not(? != "c{n}")', "c499", "c500"),
        ('@"P{n}M"', MonthsDuration(499), MonthsDuration(501)),
    ],
)
def test_a_long_table_is_answered_by_its_index_alone(
    cell: str, value: object, stranger: object
) -> None:
    rows = tuple((cell.format(n=n), f"{n}") for n in range(500))
    matcher = _logic(table_model(Table(("x",), ("n",), rows))).plan.matcher

    found = matcher.certain([value], only_first=False)

    assert found is not None
    assert [rule.number for rule in found] == [500]
    assert matcher.certain([stranger], only_first=False) == []


@pytest.mark.parametrize("count", [500, 10])
def test_only_rules_the_index_leaves_are_asked_and_a_repeated_cell_once(count: int) -> None:
    rows = tuple((f'"c{n % 5}"', "upper case(?) > other", f"{n}") for n in range(count))
    table = _logic(table_model(Table(("x", "y"), ("n",), rows, hit_policy="COLLECT")))
    run = Run()
    before = run.left

    found = table.plan.matcher.matched(run, Variables({"other": "A"}), ["c2", "abc"], False)

    assert [rule.number for rule in found] == list(range(3, count + 1, 5))
    # A step for each rule the index leaves; three characters for one upper case.
    assert run.give_back(before) == (count // 5, 3)


@pytest.mark.parametrize(
    "cell",
    ["other", "> other", "now() > ?", "< now()", "? + 1 > 2", 'starts with(?, "a")', '< "m"',
     "{a: 1}.a",     ", ".join(map(str, range(40)))],
)  # fmt: skip
def test_a_cell_that_does_more_than_compare_with_constants_is_asked(cell: str) -> None:
    assert cuts_of(compile_unary_tests(cell, names=("other",))) is None


def test_a_function_that_a_variable_hides_makes_no_constant() -> None:
    cell = 'date("2026-11-05")'

    assert cuts_of(compile_unary_tests(cell)) is not None
    assert cuts_of(compile_unary_tests(cell, names=("date",))) is None


@pytest.mark.parametrize(
    ("table", "inputs"),
    [
        (Table(("request.urgency: string",), ("p",), (('"high"', '"P1"'),)),
         {"request": {"urgency": "high"}}),
        (Table(("a: number", "b"), ("x", "y"), (("> 3", "-", "1", '"z"'),)), {"a": 3.5}),
        (Table(("a * 2",), ("x",), (("> 3", "1"),)), {"a": 2}),
        (Table(("a",), ("x",), (("> 3", "1"), ("> 1", "2")), hit_policy="COLLECT"), {"a": 4}),
        (Table(("a",), ("x",), (("> 3", "1"), ("> other", "2")), hit_policy="FIRST"), {"a": 9}),
    ],
)  # fmt: skip
def test_usual_tables_are_answered_in_the_quick_way(table: Table, inputs: dict[str, Any]) -> None:
    answer = table_model(table)._quick["routing"].answer(inputs.get)

    assert answer is not None
    assert answer == _plainly(table).evaluate("routing", inputs)

"""Many cells in one function pass, and cost, as when they are asked one after the other."""

from __future__ import annotations

import dis
from datetime import date
from itertools import islice
from types import CodeType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feel import (
    Budget,
    FeelBudgetExceeded,
    FeelFunction,
    FeelSyntaxError,
    Run,
    UnaryTests,
    compile_unary_tests,
    to_feel,
)
from shared.feel.codegen import Code
from shared.feel.codegen.rows import Cell, Rows
from shared.feel.runtime import GLOBALS
from shared.feel.scope import JsonScope, ValueScope
from shared.feel.sharing import UNASKED, all_pass
from tests.unit.decisions.dmn import Table, table_model
from tests.unit.feel.cells import NAMES, budgets, cells, contexts, outcome, values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: One name is a function's too; in half of the tables it is declared, and hides it.
_KNOWN = [NAMES, NAMES - {"count"}]


def _cell(text: str, names: frozenset[str]) -> UnaryTests | None:
    try:
        return compile_unary_tests(text, names=names)
    except (FeelSyntaxError, FeelBudgetExceeded):
        return None


def _rules(texts: Sequence[Sequence[str]], names: frozenset[str]) -> list[list[Cell]]:
    """Return the cells of rules; one that its column has several times has a place."""
    tests = [[_cell(text, names) for text in row] for row in texts]
    seen = [(at, test) for row in tests for at, test in enumerate(row) if test is not None]
    places = {one: at for at, one in enumerate(dict.fromkeys(seen)) if seen.count(one) > 1}
    return [
        [
            Cell(at, test.function, places.get((at, test), -1), test.tree, test.known)
            for at, test in enumerate(row)
            if test is not None
        ]
        for row in tests
    ]


def _one_by_one(
    rules: Sequence[Sequence[Cell]], run: Run, scope: JsonScope, asked: list[object]
) -> Iterator[int]:
    """Ask cells by code of their own, in which nothing is written out."""
    answers: list[object] = [UNASKED] * 1_000
    plain = [
        [(c.column, Code(c.known, is_inlined=False).function(c.tree), c.place) for c in row]
        for row in rules
    ]
    for at, row in enumerate(plain):
        if all_pass(run, scope, asked, answers, row):
            yield at


@st.composite
def _columns(draw: st.DrawFn) -> list[list[str]]:
    """Draw rules of one or two columns, whose cells are of few shapes, some the same."""
    few = [draw(st.lists(cells, min_size=1, max_size=4)) for _ in range(draw(st.integers(1, 2)))]
    digits = st.sampled_from(["1", "2", "3", "4"])
    return [
        [draw(st.sampled_from(column)).replace("1", draw(digits)) for column in few]
        for _ in range(draw(st.integers(1, 12)))
    ]


@settings(max_examples=250, deadline=None)
@given(_columns(), values, values, contexts, budgets, st.booleans(), st.sampled_from(_KNOWN))
def test_rules_pass_as_when_their_cells_are_asked_one_by_one(
    texts: list[list[str]],
    first: Any,
    second: Any,
    context: dict[str, Any],
    budget: Budget,
    only_first: bool,
    names: frozenset[str],
) -> None:
    rules = _rules(texts, names)
    rows = Rows(rules)
    asked: list[object] = [to_feel(first), to_feel(second)]

    def taken(found: Iterable[int]) -> list[int]:
        return list(islice(found, 1) if only_first else found)

    expected = outcome(
        lambda run, scope: taken(_one_by_one(rules, run, scope, asked)), context, budget
    )
    answers: list[object] = [UNASKED] * 1_000
    found = outcome(
        lambda run, scope: taken(rows.passing(run, scope, rows.rows, asked, answers)),
        context,
        budget,
    )
    assert found == expected


class _Counting(JsonScope):
    """Counts how often each name is asked for."""

    def __init__(self, values: dict[str, object]) -> None:
        super().__init__(values)
        self.asked: list[str] = []

    def get(self, name: str, default: object = None) -> object:
        self.asked.append(name)
        return super().get(name, default)


def _passing(rows: Rows, scope: object, *asked: object, budget: Budget | None = None) -> Any:
    run = Run(None, budget or Budget())
    answers: list[object] = [UNASKED] * 100
    return list(rows.passing(run, scope, rows.rows, asked, answers)), run.left


def test_cells_that_differ_in_constants_share_one_piece_of_code() -> None:
    texts = [f'contains(?, "{n}") and b > {n} * 2' for n in range(300)]
    rows = Rows(_rules([[text] for text in texts], frozenset({"b"})))

    assert {number for number, _, _ in rows.rows} == {0}
    assert {len(constants) for _, _, constants in rows.rows} == {2}
    assert _passing(rows, JsonScope({"b": 100}), "a47b")[0] == [4, 7, 47]


def test_constants_of_another_type_are_handed_to_another_piece_of_code() -> None:
    constants = ["1", '"b"', "2.5", '"c"', 'date("2026-11-05")']
    rows = Rows(_rules([[f"? < {c} and not(? = {c})"] for c in constants], NAMES))

    assert [number for number, _, _ in rows.rows] == [0, 1, 0, 1, 2]
    assert _passing(rows, JsonScope({}), "b")[0] == [3]
    assert _passing(rows, JsonScope({}), to_feel(2))[0] == [2]
    assert _passing(rows, JsonScope({}), to_feel(date(2026, 11, 4)))[0] == [4]


def test_what_all_cells_have_in_common_is_evaluated_once_and_only_if_asked_for() -> None:
    rows = Rows(_rules([[f"? > {n}", f"b + {n} > 3"] for n in range(50)], frozenset({"b"})))
    scope = _Counting({"b": -40})

    assert _passing(rows, scope, to_feel(60), None)[0] == [44, 45, 46, 47, 48, 49]
    assert scope.asked == ["b"]
    scope.asked.clear()
    assert _passing(rows, scope, to_feel(-1), None)[0] == []
    assert scope.asked == []


def test_what_is_evaluated_once_is_charged_as_often_as_it_is_used() -> None:
    rows = Rows(_rules([[f'upper case(?) = "{n}"'] for n in range(50)], frozenset()))
    ample = Budget(size=50 * 7)

    found, left = _passing(rows, JsonScope({}), "abcdefg", budget=ample)

    assert (found, left[1]) == ([], 0)
    with pytest.raises(FeelBudgetExceeded):
        _passing(rows, JsonScope({}), "abcdefg", budget=Budget(size=50 * 7 - 1))


def test_what_is_evaluated_once_is_refused_for_what_would_have_ended_first() -> None:
    cells = [f"count(for e in l return e) = {n}" for n in range(30)]
    rows = Rows(_rules([[cell] for cell in cells], frozenset({"l"})))
    scope = JsonScope({"l": [1, 2, 3, 4]})

    # Four steps and four elements for each use: of these the second has too few of both.
    with pytest.raises(FeelBudgetExceeded, match="size"):
        _passing(rows, scope, None, budget=Budget(steps=4 + 3, size=4 + 1))
    with pytest.raises(FeelBudgetExceeded, match="steps"):
        _passing(rows, scope, None, budget=Budget(steps=4 + 1, size=4 + 3))


def test_a_loop_is_charged_for_what_its_cell_says_and_not_for_what_another_does() -> None:
    short, long = "some e in l satisfies e = 3", "some e in l satisfies e = 1 + 2"
    spent = [
        Budget().steps - _passing(Rows(_rules([[cell]], NAMES)), JsonScope({"l": [1]}), None)[1][0]
        for cell in (short, long)
    ]
    both = Rows(_rules([[short], [long]], NAMES))

    assert spent[0] < spent[1]
    assert Budget().steps - _passing(both, JsonScope({"l": [1]}), None)[1][0] == sum(spent)


def test_a_function_that_hides_a_built_in_one_is_asked() -> None:
    given = FeelFunction(("from",), lambda run, arguments: arguments[0])
    rows = Rows(_rules([[f'? = date("2026-11-{n}")'] for n in range(10, 30)], frozenset({"date"})))

    assert _passing(rows, ValueScope({"date": given}), "2026-11-12")[0] == [2]
    assert _passing(rows, ValueScope({}), to_feel(date(2026, 11, 12)))[0] == [2]


def test_cells_of_many_shapes_are_asked_too() -> None:
    texts = ["? > " + "b + " * (n % 60) + str(n) for n in range(120)]
    rows = Rows(_rules([[text] for text in texts], frozenset({"b"})))

    assert {number for number, _, _ in rows.rows} == set(range(-1, 32))
    assert _passing(rows, JsonScope({"b": 0}), to_feel(50))[0] == list(range(50))


@pytest.mark.parametrize("policy", ["FIRST", "COLLECT"])
@pytest.mark.parametrize(
    ("x", "rules"), [("k7x", [8, 501]), (7, [501]), (None, [501]), ("", [501])]
)
def test_a_long_table_of_computed_cells_answers(policy: str, x: Any, rules: list[int]) -> None:
    rows = tuple((f'starts with(?, "k{n}x")', f"{n}") for n in range(500))
    table = table_model(Table(("x",), ("n",), (*rows, ("-", "500")), hit_policy=policy))

    answer = table.evaluate("routing", {"x": x})

    assert answer.explanation[0]["matched_rules"] == (rules[:1] if policy == "FIRST" else rules)


def test_a_number_too_large_in_a_cell_is_refused() -> None:
    rows = tuple((f"? * b > {n}", f"{n}") for n in range(50))
    table = table_model(Table(("x",), ("n",), rows, hit_policy="COLLECT"))

    with pytest.raises(FeelBudgetExceeded, match=r"1E\+6144"):
        table.evaluate("routing", {"x": 10**4000, "b": 10**4000})


def test_a_function_of_many_cells_reaches_nothing_but_what_it_is_given() -> None:
    cells = ['? = b + "{n}"', "l[item > {n}] = ?", "some e in l satisfies e.x = {n}", "now() > ?"]
    rows = Rows(_rules([[cells[n % 4].format(n=n)] for n in range(40)], frozenset({"b", "l"})))
    found = list(_instructions(rows._function.__code__))

    assert {i.argval for i in found if i.opname == "LOAD_GLOBAL"} <= set(GLOBALS)
    assert not [i.opname for i in found if "ATTR" in i.opname or "METHOD" in i.opname]
    assert not [i.opname for i in found if "IMPORT" in i.opname or "STORE_GLOBAL" in i.opname]
    assert not [i.opname for i in found if "STORE_SUBSCR" in i.opname or "DELETE" in i.opname]


def _instructions(code: CodeType) -> Iterator[dis.Instruction]:
    yield from dis.get_instructions(code)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _instructions(constant)

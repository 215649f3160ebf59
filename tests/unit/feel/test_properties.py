"""What is always true of FEEL, whatever the values."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.feel import (
    DaysDuration,
    FeelDate,
    FeelDateTime,
    FeelTime,
    MonthsDuration,
    Run,
    compile_expression,
    compile_unary_tests,
)
from shared.feel.calendar import date_of, day_number, is_date
from shared.feel.expression import UnaryTests, _known
from shared.feel.parser import parse
from shared.feel.scope import ValueScope
from shared.feel.temporal_text import (
    format_date_time,
    format_duration,
    parse_date_time,
    parse_duration,
)
from shared.feel.text import text_of
from shared.feel.values import compared, equal

numbers = st.decimals(-(10**12), 10**12, places=3)
texts = st.text("ab中 ", max_size=4)
dates = st.integers(-300_000_000, 300_000_000).map(lambda n: FeelDate(*date_of(n)))
times = st.builds(
    FeelTime,
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 59),
    st.integers(0, 999_999_999),
    st.none() | st.integers(-17 * 60, 17 * 60).map(lambda minutes: minutes * 60),
)
moments = st.builds(FeelDateTime, dates, times)
durations = st.one_of(
    st.integers(-(10**20), 10**20).map(DaysDuration),
    st.integers(-(10**6), 10**6).map(MonthsDuration),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts, dates, moments, durations)


def _free(steps: int) -> None:
    """Charge nothing."""


@given(st.integers(-(10**11), 10**11))
def test_days_and_calendar_dates_are_two_ways_to_say_the_same(number: int) -> None:
    year, month, day = date_of(number)

    assert day_number(year, month, day) == number
    assert is_date(year, month, day)


@given(moments)
def test_a_moment_survives_being_written_and_read(moment: FeelDateTime) -> None:
    assert parse_date_time(format_date_time(moment)) == moment


@given(durations)
def test_a_duration_survives_being_written_and_read(value: DaysDuration | MonthsDuration) -> None:
    found = parse_duration(format_duration(value))

    assert found == value or format_duration(value) in ("PT0S", "P0M")


@given(scalars, scalars)
def test_order_and_equality_never_disagree(left: object, right: object) -> None:
    order = compared(left, right)

    assert compared(right, left) == (None if order is None else -order)
    if order is not None:
        assert (order == 0) == equal(left, right, _free)


@given(scalars)
def test_every_value_but_null_equals_itself_and_has_a_text(value: object) -> None:
    assert equal(value, value, _free) is True
    assert text_of(value, _free) is not None


@given(numbers, numbers)
def test_addition_and_subtraction_undo_each_other(a: Decimal, b: Decimal) -> None:
    assert compile_expression("a + b - b = a").evaluate({"a": a, "b": b}) is True


@given(dates, st.integers(-(10**6), 10**6))
def test_a_date_moved_by_days_lies_that_many_days_off(date: FeelDate, days: int) -> None:
    given = {"d": date, "n": DaysDuration(days * 86_400 * 10**9)}

    assert compile_expression("(d + n) - d = n").evaluate(given) is True


_cell = st.one_of(
    st.lists(texts.map(lambda t: f'"{t}"'), min_size=1, max_size=3).map(",".join),
    st.integers(-20, 20).map(str),
    st.tuples(st.sampled_from(["<", "<=", ">", ">="]), numbers).map(lambda t: f"{t[0]} {t[1]}"),
    st.tuples(
        st.sampled_from("[]("), st.integers(-9, 9), st.integers(-9, 9), st.sampled_from("[])")
    ).map(lambda t: f"{t[0]}{t[1]}..{t[2]}{t[3]}"),
)


@settings(max_examples=300)
@given(_cell, scalars)
def test_cells_read_without_the_grammar_answer_as_with_it(cell: str, value: object) -> None:
    readable, given_names = _known(frozenset())
    slow = UnaryTests.compiled(cell, parse(cell, readable, "unary_tests"), given_names)
    fast = compile_unary_tests(cell)

    expected = slow.run(Run(), ValueScope({}), value)

    assert fast.run(Run(), ValueScope({}), value) == expected
    assert fast.tree.kind == slow.tree.kind


@given(st.one_of(st.none(), st.booleans(), numbers, texts))
def test_and_and_or_follow_de_morgan_for_all_three_truths(other: object) -> None:
    for value in (True, False, None):
        context = {"a": value, "b": other if isinstance(other, bool) else None}
        both = compile_expression("not(a and b)").evaluate(context)
        assert both == compile_expression("not(a) or not(b)").evaluate(context)

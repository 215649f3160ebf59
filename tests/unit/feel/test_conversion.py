"""JSON into FEEL and back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.feel import FeelBudgetExceeded, FeelDate, compile_expression, to_feel, to_json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)
    | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(JSON)
def test_json_survives_the_way_into_feel_and_back(value: object) -> None:
    assert to_json(to_feel(value)) == value


@given(JSON)
def test_a_feel_value_is_taken_as_it_is(value: object) -> None:
    assert to_feel(to_feel(value)) == to_feel(value)


def test_a_fraction_is_the_decimal_people_wrote() -> None:
    assert to_feel(0.1) == Decimal("0.1")


def test_numbers_that_are_none_become_null() -> None:
    assert to_feel([float("nan"), float("inf")]) == [None, None]


def test_a_whole_number_leaves_as_int_and_another_as_float_or_as_text() -> None:
    third = compile_expression("1/3").evaluate({})

    assert to_json(Decimal("5.00")) == 5
    assert isinstance(to_json(Decimal("5.00")), int)
    assert to_json(third) == 1 / 3
    assert to_json(third, decimals="text") == "0.3333333333333333333333333333333333"


def test_python_dates_and_durations_are_understood() -> None:
    assert to_feel(date(2026, 11, 5)) == FeelDate(2026, 11, 5)
    assert to_json(to_feel(timedelta(hours=4))) == "PT4H"


def test_what_has_no_feel_value_is_refused_by_type() -> None:
    with pytest.raises(TypeError, match="object"):
        to_feel(object())


def test_json_that_is_nested_without_end_is_refused() -> None:
    nested: object = 1
    for _ in range(200):
        nested = [nested]

    with pytest.raises(FeelBudgetExceeded):
        to_feel(nested)

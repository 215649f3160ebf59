"""What FEEL expressions mean, a sentence of the standard (DMN 1.3, chapter 10.3) at a time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.feel import compile_expression, to_json

NOW = datetime(2026, 11, 5, 9, 30, tzinfo=UTC)
GIVEN = {
    "request": {"amount": 120, "tags": ["vpn", "laptop"], "category": "access"},
    "customer": {"tier": "gold", "姓名": "李雷"},
    "nothing": None,
    "月薪": 8000,
    "Monthly Salary": 10,
    "profit-loss": 7,
    "profit": 5,
    "loss": 3,
}


def value_of(text: str) -> object:
    return to_json(compile_expression(text, names=list(GIVEN)).evaluate(GIVEN, now=NOW))


LOGIC = {
    "true and null": None,
    "false and null": False,
    "true or null": True,
    "false or null": None,
    'true and "yes"': None,
    "not(null)": None,
    "not(true)": False,
    "nothing > 5": None,
    "nothing > 5 or true": True,
    "nothing = null": True,
    "nothing != null": False,
    "5 = null": False,
    '1 = "1"': None,
    "1 != 2": True,
    "[1, 2] = [1, 2]": True,
    "[1, 2] = [2, 1]": False,
    '{a: 1, b: "x"} = {b: "x", a: 1}': True,
    "1 = 1.00": True,
    "if null then 1 else 2": 2,
    "if nothing > 1 then 1 else if true then 3 else 2": 3,
    "1 between 1 and 2": True,
    "1 between null and 2": None,
    "2 between 1 and 3 and true": True,
}

ARITHMETIC = {
    "1 + 2 * 3": 7,
    "(1 + 2) * 3": 9,
    "10 - 2 - 3": 5,
    "2 ** 3 + 1": 9,
    "-2 ** 2": 4,
    "0.1 + 0.2": 0.3,
    "1 / 0": None,
    '"a" + "b"': "ab",
    '"a" + 1': None,
    '"a" - "b"': None,
    "null + 1": None,
    "--3": 3,
    ".5 + 1e2": 100.5,
    "9007199254740993 + 0": 9007199254740993,
    'duration("PT1H") * 2.5': "PT2H30M",
    'duration("P1D") / duration("PT6H")': 4,
    'duration("P1Y") / 2': "P6M",
    '-duration("PT1H")': "-PT1H",
}

STRUCTURES = {
    "[1, 2, 3][2]": 2,
    "[1, 2, 3][-1]": 3,
    "[1, 2, 3][0]": None,
    "[1, 2, 3][4]": None,
    "[1, 2, 3][item > 1]": [2, 3],
    "[{n: 1}, {n: 2}][n > 1].n": [2],
    '[{n: 1, item: "x"}][item.n = 1]': [{"n": 1, "item": "x"}],
    "5[1]": 5,
    "[1, 2][true]": [1, 2],
    "{a: 1, b: a + 1, c: {d: a + b}}.c.d": 3,
    "{first name: 1, sum: first name + 1}.sum": 2,
    '{"a b": 1}.a b': 1,
    "{a: 1}.b": None,
    "null.b": None,
    "[[1], [2]]": [[1], [2]],
    "request.tags[1]": "vpn",
    "request.missing.deeper": None,
    "customer.姓名": "李雷",
    "月薪 * 12": 96000,
    "Monthly Salary + 1": 11,
    "profit-loss": 7,
    "profit - loss": 2,
    "`Monthly Salary` * 2": 20,
    "{in: 1, for: 2}.for": 2,
    "[1..3].start included": True,
    "(< 5).end": 5,
    "// a remark\n1 + /* another */ 1": 2,
}

LOOPS = {
    "for i in 1..3 return i * i": [1, 4, 9],
    "for i in 3..1 return i": [3, 2, 1],
    "for i in [1..3] return i": [1, 2, 3],
    "for i in ]1..3] return i": [2, 3],
    "for i in [1, 2], j in [i, i * 10] return i + j": [2, 11, 4, 22],
    "for i in 1..4 return if i = 1 then 1 else i * partial[-1]": [1, 2, 6, 24],
    "for i in null return i": None,
    'for d in @"2026-02-27"..@"2026-03-01" return d.day': [27, 28, 1],
    'some t in request.tags satisfies t = "vpn"': True,
    'every t in request.tags satisfies t = "vpn"': False,
    "some x in [] satisfies x": False,
    "every x in [] satisfies x": True,
    "some x in [null, false] satisfies x": None,
    "for 项 in [1, 2] return 项 + 1": [2, 3],
    "(function(a, b) a + b)(1, 2)": 3,
    "{double: function(n: number) n * 2, r: double(4)}.r": 8,
    '{double: function(n: number) n * 2, r: double("x")}.r': None,
    "{f: function(a, b) a - b, r: f(b: 1, a: 3)}.r": 2,
    "(function(a) (a + 1))(1)": 2,
    "(function(a) [a, a])(1)": [1, 1],
}

MEMBERSHIP = {
    "1 in [2, 1]": True,
    "1 in [2, 3]": False,
    "5 in (< 3, > 4)": True,
    "5 in [1..5)": False,
    "5 in ]4..5]": True,
    "5 in [[1..2], [4..6]]": True,
    "5 in > 4": True,
    "5 in (1..10)": True,
    "null in [1..10]": None,
    "5 in (null..10]": None,
    'customer.tier in ("gold", "platinum")': True,
    "1 instance of number": True,
    "[1] instance of list<number>": True,
    '["a"] instance of list<number>': False,
    "null instance of number": False,
    "{a: 1} instance of context<a: number>": True,
    "[1..2] instance of range<number>": True,
    '@"2026-01-01" instance of date and time': False,
    '@"P1Y" instance of years and months duration': True,
    "1 instance of number and true": True,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *LOGIC.items(),
        *ARITHMETIC.items(),
        *STRUCTURES.items(),
        *LOOPS.items(),
        *MEMBERSHIP.items(),
    ],
)
def test_an_expression_means_what_the_standard_says(text: str, expected: object) -> None:
    assert value_of(text) == expected
    assert type(value_of(text)) is type(expected)


def test_an_expression_names_the_variables_it_takes_from_outside() -> None:
    expression = compile_expression("for i in items return i * rate + request.amount")

    assert expression.names == {"items", "rate", "request"}


def test_the_same_text_is_compiled_once() -> None:
    assert compile_expression("a + 1") is compile_expression("a + 1")


def test_now_and_today_answer_from_the_moment_given_and_are_null_without_one() -> None:
    expression = compile_expression("[now(), today()]")

    assert to_json(expression.evaluate({}, now=NOW)) == ["2026-11-05T09:30:00Z", "2026-11-05"]
    assert to_json(expression.evaluate({})) == [None, None]


def test_evaluating_changes_nothing_in_what_was_handed_in() -> None:
    given = {"items": [1, 2], "context": {"a": 1}}

    compile_expression("append(items, 3)").evaluate(given)
    compile_expression('context put(context, "b", 2)').evaluate(given)

    assert given == {"items": [1, 2], "context": {"a": 1}}


def test_a_variable_may_have_the_name_of_a_function_and_both_stay_usable() -> None:
    expression = compile_expression("count([1, 2]) + count", names=["count"])

    assert to_json(expression.evaluate({"count": 3})) == 5

"""FEEL's built-in functions, checked against the standard's own descriptions (10.3.4)."""

from __future__ import annotations

import pytest

from shared.feel import compile_expression, to_json
from shared.feel.builtins import BUILTINS

TEXTS = {
    'substring("foobar", 3)': "obar",
    'substring("foobar", 3, 3)': "oba",
    'substring("foobar", -2, 1)': "a",
    'substring("foobar", 0)': None,
    'substring(string: "foobar", start position: 3)': "obar",
    'string length("马🐎")': 2,
    'upper case("aBc4")': "ABC4",
    'lower case("aBc4")': "abc4",
    'substring before("foobar", "bar")': "foo",
    'substring before("foobar", "xyz")': "",
    'substring after("foobar", "ob")': "ar",
    'substring after("", "a")': "",
    'contains("foobar", "of")': False,
    'starts with("foobar", "fo")': True,
    'ends with("foobar", "r")': True,
    'matches("foobar", "^fo*b")': True,
    'matches("VPN 故障", "vpn", "i")': True,
    'replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")': "[1=ab][2=]cd",
    'split("a;b;;c", ";")': ["a", "b", "", "c"],
    'string join(["a", null, "b"], "-")': "a-b",
    'string join(["a", 1])': None,
    "string(1.10)": "1.1",
    'string({a: 1, "b-c": [1, "x"]})': '{a: 1, "b-c": [1, "x"]}',
    "string(null)": None,
    'string(@"2026-01-01")': "2026-01-01",
    'number("1 000,5", " ", ",")': 1000.5,
    'number("1,000.5", ",", ".")': 1000.5,
    'number("abc")': None,
    '"\\u4e2d\\t\\"x\\""': '中\t"x"',
    '"\\uD83D\\uDC0E"': "🐎",
}

NUMBERS = {
    "decimal(1/3, 2)": 0.33,
    "decimal(2.5, 0)": 2,
    "floor(-1.5)": -2,
    "ceiling(-1.5)": -1,
    "floor(-1.56, 1)": -1.6,
    "round up(5.1, 0)": 6,
    "round down(-5.9, 0)": -5,
    "round half up(5.5, 0)": 6,
    "round half down(5.5, 0)": 5,
    "abs(-10)": 10,
    'abs(@"-PT5H")': "PT5H",
    "modulo(-12, 5)": 3,
    "modulo(10.1, -4.5)": -3.4,
    "modulo(1, 0)": None,
    "sqrt(16)": 4,
    "sqrt(-3)": None,
    "decimal(log(10), 8)": 2.30258509,
    "decimal(exp(5), 8)": 148.4131591,
    "odd(5)": True,
    "even(-2)": True,
    "odd(1.5)": False,
}

LISTS = {
    "list contains([1, null], null)": True,
    "count([])": 0,
    "min([1, 2, 3])": 1,
    "max(1, 2, 3)": 3,
    "min([])": None,
    'max(["a", "c"])': "c",
    "sum([1, 2.5])": 3.5,
    "sum([])": None,
    "sum()": None,
    "mean(1, 2)": 1.5,
    "product(2, 3, 4)": 24,
    "median(8, 2, 5, 3, 4)": 4,
    "median([6, 1, 2, 3])": 2.5,
    "decimal(stddev(2, 4, 7, 5), 6)": 2.081666,
    "mode([6, 1, 9, 6, 1])": [1, 6],
    "mode([])": [],
    "all([true, null])": None,
    "all([])": True,
    "any([false, true])": True,
    "sublist([4, 5, 6], 1, 2)": [4, 5],
    "sublist([4, 5, 6], -2)": [5, 6],
    "sublist([4], 2)": None,
    "append([1], 2, 3)": [1, 2, 3],
    "concatenate([1, 2], [3])": [1, 2, 3],
    "insert before([1, 3], 1, 2)": [2, 1, 3],
    "remove([1, 2, 3], 2)": [1, 3],
    "reverse([1, 2])": [2, 1],
    "index of([1, 2, 3, 2], 2)": [2, 4],
    "union([1, 2], [2, 3])": [1, 2, 3],
    "distinct values([1, 2, 1.0, [3], [3]])": [1, 2, [3]],
    "flatten([[1, [2]], [[[3]]]])": [1, 2, 3],
    "list replace([2, 4], 1, 5)": [5, 4],
    "list replace([2, 4, 8], function(item, newItem) item < newItem, 5)": [5, 5, 8],
    "sort([3, 1, 2], function(x, y) x > y)": [3, 2, 1],
    "sort([3, 1, 2])": [1, 2, 3],
    'count("a")': 1,
    "is defined(null)": False,
    "get or else(null, 7)": 7,
}

CONTEXTS = {
    'get value({a: 1}, "a")': 1,
    'get value({a: {b: 2}}, ["a", "b"])': 2,
    "get entries({a: 1})": [{"key": "a", "value": 1}],
    'context([{key: "a", value: 1}])': {"a": 1},
    'context([{key: "a", value: 1}, {key: "a", value: 2}])': None,
    'context put({a: 1}, ["b", "c"], 2)': {"a": 1, "b": {"c": 2}},
    "context merge([{a: 1}, {a: 2, b: 3}])": {"a": 2, "b": 3},
}

RANGES = {
    "before(1, 10)": True,
    "before([1..10], [10..20])": False,
    "before([1..10), [10..20])": True,
    "before(1, ]1..10])": True,
    "after([5..10], 4)": True,
    "meets([1..5], [5..10])": True,
    "meets([1..5), [5..10])": False,
    "met by([5..10], [1..5])": True,
    "overlaps([1..5], [5..8])": True,
    "overlaps([1..5], ]5..8])": False,
    "overlaps before([1..5], [3..8])": True,
    "overlaps after([3..8], [1..5])": True,
    "finishes(10, [1..10])": True,
    "finished by([1..10], [5..10])": True,
    "includes([1..10], ]1..10[)": True,
    "includes([1..10[, 10)": False,
    "during(5, [1..10])": True,
    "starts([1..5], [1..10])": True,
    "started by([1..10], 1)": True,
    "coincides([1..5], [1..5])": True,
    'includes([1..5], "x")': None,
    'range("[18..21)")': "[18..21)",
    'range("[@\\"2026-01-01\\"..@\\"2026-02-01\\"]").start': "2026-01-01",
    'range("(..2]")': "(..2]",
    'range("[..2]")': None,
    'range("[3..2]")': None,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [*TEXTS.items(), *NUMBERS.items(), *LISTS.items(), *CONTEXTS.items(), *RANGES.items()],
)
def test_a_function_returns_what_the_standard_says(text: str, expected: object) -> None:
    assert to_json(compile_expression(text).evaluate({})) == expected


def test_every_function_of_the_standard_is_there() -> None:
    standard = """date,time,date and time,number,string,duration,years and months duration,range,
    not,substring,string length,upper case,lower case,substring before,substring after,replace,
    contains,starts with,ends with,matches,split,string join,list contains,count,min,max,sum,mean,
    all,any,sublist,append,concatenate,insert before,remove,list replace,reverse,index of,union,
    distinct values,flatten,product,median,stddev,mode,decimal,floor,ceiling,round up,round down,
    round half up,round half down,abs,modulo,sqrt,log,exp,odd,even,is,before,after,meets,met by,
    overlaps,overlaps before,overlaps after,finishes,finished by,includes,during,starts,started by,
    coincides,day of year,day of week,month of year,week of year,now,today,sort,get value,
    get entries,context,context put,context merge"""

    missing = {" ".join(name.split()) for name in standard.split(",")} - set(BUILTINS)

    assert not missing


@pytest.mark.parametrize("name", sorted(BUILTINS))
def test_no_function_fails_on_arguments_it_does_not_expect(name: str) -> None:
    function = BUILTINS[name]
    run = compile_expression("null")  # any expression: what matters is that nothing is raised
    assert run is not None
    odd = ("null", '"x"', "-1", "[]", "{}", "true", '@"P1D"', '@"2026-01-01"', "[1..2]")
    for count in range(4):
        for argument in odd:
            text = f"{name}({', '.join([argument] * count)})"
            to_json(compile_expression(text).evaluate({}))
    assert function.name == name


def test_a_call_that_can_only_be_null_is_told_while_compiling() -> None:
    expression = compile_expression('upper case("a", "b")')

    assert expression.evaluate({}) is None
    assert [warning.rule for warning in expression.warnings] == ["arguments"]

"""The cells most tables are full of, compiled without a grammar: texts, numbers, one range.

A table of a thousand rules has five thousand cells, nearly all of them `"laptop"`, `< 5`,
`[1..10]` or a plain result. Reading these directly makes loading some ten times faster. The tests
hold this to the very answers the grammar's way gives.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from .numbers import number
from .operations import COMPARISONS, make_range
from .syntax import Node, node
from .values import FeelRange, equal

if TYPE_CHECKING:
    from collections.abc import Callable

    from .budget import Run

    #: As generated code: the Run, the scope, and the value under test.
    Function = Callable[[Run, object, object], object]

_TEXT = re.compile(r'"([^"\\]*)"')
_TEXTS = re.compile(r'"[^"\\]*"(?:\s*,\s*"[^"\\]*")*')
_DIGITS = r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?"
_NUMBER = re.compile(_DIGITS)
_COMPARED = re.compile(rf"(<=|>=|<|>)\s*({_DIGITS})")
_RANGE = re.compile(rf"([\[\](])\s*({_DIGITS})\s*\.\.\s*({_DIGITS})\s*([\[\])])")
_NAMES = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_WORDS = {"true": True, "false": False, "null": None}


def simple_tests(text: str) -> tuple[Node, Function] | None:
    """Return tree and function of a simple cell, None for one that needs the grammar."""
    if _TEXTS.fullmatch(text):
        texts = [_literal(t) for t in _TEXT.findall(text)]
        return _tests(*texts), _one_of(frozenset(str(t.value) for t in texts))
    if _NUMBER.fullmatch(text):
        expected = number(text)
        return _tests(_literal(expected)), _equal_to(expected)
    if found := _COMPARED.fullmatch(text):
        bound = number(found[2])
        tree = node("compared_test", 0, [_literal(bound)], _NAMES[found[1]])
        return _tests(tree), _compared(_NAMES[found[1]], bound)
    if found := _RANGE.fullmatch(text):
        ends = number(found[2]), number(found[3])
        included = found[1] == "[", found[4] == "]"
        tree = node("range", 0, map(_literal, ends), included)
        return _tests(tree), _within(make_range(*ends, *included))
    return None


def simple_expression(text: str) -> tuple[Node, Function] | None:
    """Return tree and function of a text, a number, true, false or null; None for all else."""
    if text in _WORDS:
        value: object = _WORDS[text]
    elif found := _TEXT.fullmatch(text):
        value = found[1]
    elif _NUMBER.fullmatch(text):
        value = number(text)
    else:
        return None
    return _literal(value), lambda run, scope, tested: value


def _literal(value: object) -> Node:
    return node("literal", 0, value=value)


def _tests(*tests: Node) -> Node:
    return node("any_test", 0, [node("tests", 0, tests)])


def _one_of(texts: frozenset[str]) -> Function:
    def test(run: Run, scope: object, value: object) -> bool | None:
        if isinstance(value, str):
            return value in texts
        return False if value is None else None

    return test


def _equal_to(expected: Decimal) -> Function:
    return lambda run, scope, value: equal(value, expected, run.charge)


def _compared(comparison: str, bound: Decimal) -> Function:
    compare = COMPARISONS[comparison]
    return lambda run, scope, value: compare(run, value, bound)


def _within(wanted: object) -> Function:
    def test(run: Run, scope: object, value: object) -> bool | None:
        return wanted.includes(value) if isinstance(wanted, FeelRange) else None

    return test

"""Compiled FEEL: expressions that give a value, and unary tests that accept or reject one."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, cast

from .budget import DEFAULT_BUDGET, Budget, Run
from .builtins import BUILTINS
from .codegen import Code
from .convert import to_feel
from .errors import FeelBudgetExceeded, FeelSyntaxError
from .names import KnownNames
from .parser import parse
from .scope import JsonScope
from .words import SPACED_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from .syntax import Node
    from .values import FeelValue


class Scope(Protocol):
    """What answers the names of an expression."""

    def get(self, name: str, default: object = None) -> object:
        """Return a variable, or the default."""
        ...

    def walk(self, run: Run, names: tuple[str, ...]) -> object:
        """Return what a path of names leads to."""
        ...


class _Compiled:
    """What expressions and tests have in common."""

    __slots__ = ("_function", "names", "text", "tree", "warnings")

    def __init__(self, text: str, tree: Node, known: KnownNames) -> None:
        code = Code(known)
        self.text = text
        #: The syntax tree, for those who analyse tables.
        self.tree = tree
        self._function: Callable[[Run, Scope, object], object] = code.function(tree)
        #: The variables it takes from outside.
        self.names = frozenset(code.names)
        #: What is allowed but cannot be meant, such as a call that is always null.
        self.warnings: tuple[FeelSyntaxError, ...] = tuple(code.warnings)

    def __repr__(self) -> str:
        """Show the text."""
        return f"{type(self).__name__}({self.text!r})"

    def run(self, run: Run, scope: Scope, value: object = None) -> object:
        """Evaluate within a larger evaluation, on its account and over its names."""
        try:
            return self._function(run, scope, value)
        except RecursionError as error:
            # The budgets end this long before; a caller deep in its own stack may still meet it.
            raise FeelBudgetExceeded("depth", "stack") from error


class Expression(_Compiled):
    """A FEEL expression, compiled."""

    __slots__ = ()

    def evaluate(
        self,
        context: Mapping[str, object],
        *,
        now: datetime | None = None,
        budget: Budget = DEFAULT_BUDGET,
    ) -> FeelValue:
        """Return its value over a context of JSON (or FEEL) values; errors in it are null.

        now() and today() answer from `now` (a moment with a zone), null without it. Raises
        FeelBudgetExceeded, and TypeError for a context value that has no FEEL counterpart.
        """
        return cast("FeelValue", self.run(Run(now, budget), JsonScope(context)))


class UnaryTests(_Compiled):
    """A cell of a decision table, compiled."""

    __slots__ = ()

    def matches(
        self,
        value: object,
        context: Mapping[str, object],
        *,
        now: datetime | None = None,
        budget: Budget = DEFAULT_BUDGET,
    ) -> bool | None:
        """Return whether a value passes; null when that cannot be decided (null in [1..5])."""
        answer = self.run(Run(now, budget), JsonScope(context), to_feel(value))
        return answer if isinstance(answer, bool) else None


_OWN_NAMES = (*BUILTINS, *SPACED_NAMES)


@lru_cache(maxsize=256)
def _known(names: frozenset[str]) -> tuple[KnownNames, KnownNames]:
    """Return an index over all names to recognise, and one over those given alone."""
    return KnownNames((*_OWN_NAMES, *names)), KnownNames(names)


def _names_of(names: Collection[str]) -> frozenset[str]:
    return names if isinstance(names, frozenset) else frozenset(names)


@lru_cache(maxsize=4096)
def _expression(text: str, names: frozenset[str]) -> Expression:
    readable, given = _known(names)
    return Expression(text, parse(text, readable), given)


@lru_cache(maxsize=16384)
def _tests(text: str, names: frozenset[str]) -> UnaryTests:
    readable, given = _known(names)
    plain = "true" if text.strip() in ("", "-") else text
    start = "expression" if plain is not text else "unary_tests"
    return UnaryTests(text, parse(plain, readable, start), given)


def compile_expression(text: str, *, names: Collection[str] = ()) -> Expression:
    """Compile a FEEL expression, without the `=` some modellers put before it.

    `names` are the names in scope: needed for those with spaces or signs in them, and for
    functions handed in. Raises FeelSyntaxError, or FeelBudgetExceeded for a text too long or
    nested too deeply.
    """
    return _expression(text, _names_of(names))


def compile_unary_tests(text: str, *, names: Collection[str] = ()) -> UnaryTests:
    """Compile a cell's tests: `-`, `< 5`, `"a","b"`, `not([1..3])`, `? > 3 and ? < 9`, …

    Raises as `compile_expression` does.
    """
    return _tests(text, _names_of(names))

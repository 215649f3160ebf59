"""Compiled FEEL: expressions that give a value, and unary tests that accept or reject one."""

from __future__ import annotations

from contextlib import contextmanager
from decimal import Overflow
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, Self, cast

from .budget import DEFAULT_BUDGET, Budget, Run
from .builtins import BUILTINS
from .codegen import Code
from .convert import to_feel
from .errors import FeelBudgetExceeded, FeelSyntaxError
from .names import KnownNames
from .numbers import MAX_NUMBER
from .parser import parse
from .quick import GIVEN_UP, quick_form
from .scope import JsonScope
from .simple import simple_expression, simple_tests
from .words import SPACED_NAMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from .quick import Quick
    from .simple import Function
    from .syntax import Node
    from .values import FeelValue
    from .working import WorkingTime


class Scope(Protocol):
    """What answers the names of an expression."""

    def get(self, name: str, default: object = None) -> object:
        """Return a variable, or the default."""
        ...

    def walk(self, run: Run, names: tuple[str, ...]) -> object:
        """Return what a path of names leads to."""
        ...


_NOTHING_KNOWN = KnownNames(())


class _Compiled:
    """What expressions and tests have in common."""

    __slots__ = ("function", "known", "names", "text", "tree", "warnings")

    def __init__(
        self,
        text: str,
        tree: Node,
        function: Function,
        names: frozenset[str] = frozenset(),
        known: KnownNames = _NOTHING_KNOWN,
    ) -> None:
        self.text = text
        #: The syntax tree, for those who analyse tables.
        self.tree = tree
        #: The names it was compiled over, besides FEEL's own.
        self.known = known
        #: The variables it takes from outside.
        self.names = names
        #: What is allowed but cannot be meant, such as a call that is always null.
        self.warnings: tuple[FeelSyntaxError, ...] = ()
        self.function = function

    @classmethod
    def compiled(cls, text: str, tree: Node, known: KnownNames) -> Self:
        """Compile a syntax tree."""
        code = Code(known)
        made = cls(text, tree, code.function(tree), code.names, known)
        made.warnings = tuple(code.warnings)
        return made

    def __repr__(self) -> str:
        """Show the text."""
        return f"{type(self).__name__}({self.text!r})"

    def run(self, run: Run, scope: Scope, value: object = None) -> object:
        """Evaluate within a larger evaluation, on its account and over its names."""
        try:
            return self.function(run, scope, value)
        except RecursionError as error:
            # Only calls within calls come here, or a caller deep in a stack of its own.
            raise FeelBudgetExceeded("depth", "stack") from error
        except Overflow as error:
            raise FeelBudgetExceeded("number", MAX_NUMBER) from error


class Expression(_Compiled):
    """A FEEL expression, compiled."""

    __slots__ = ("_is_quick_sought", "_quick")

    def __init__(
        self,
        text: str,
        tree: Node,
        function: Function,
        names: frozenset[str] = frozenset(),
        known: KnownNames = _NOTHING_KNOWN,
    ) -> None:
        super().__init__(text, tree, function, names, known)
        self._quick: Quick | None = None
        self._is_quick_sought = False

    def quick(self) -> Quick | None:
        """Return the quick form, if it has one; made when first asked for, as few cells are."""
        if not self._is_quick_sought:
            self._quick = quick_form(self.tree, self.known)
            self._is_quick_sought = True
        return self._quick

    def evaluate(
        self,
        context: Mapping[str, object],
        *,
        now: datetime | None = None,
        budget: Budget = DEFAULT_BUDGET,
        working: WorkingTime | None = None,
    ) -> FeelValue:
        """Return its value over a context of JSON (or FEEL) values; errors in it are null.

        now() and today() answer from `now` (a moment with a zone), null without it. Raises
        FeelBudgetExceeded, and TypeError for a context value that has no FEEL counterpart.
        """
        quick = self._quick
        if quick is None and not self._is_quick_sought:
            quick = self.quick()
        if quick is not None:
            try:
                return quick(context.get)
            except GIVEN_UP:
                pass
        return cast("FeelValue", self.run(Run(now, budget, working), JsonScope(context)))


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


@contextmanager
def _bounded() -> Iterator[None]:
    """Refuse what nests too deeply for the stack that is left to the caller."""
    try:
        yield
    except RecursionError as error:
        raise FeelBudgetExceeded("depth", "stack") from error


@lru_cache(maxsize=4096)
def _expression(text: str, names: frozenset[str]) -> Expression:
    simple = simple_expression(text.strip())
    if simple is not None:
        return Expression(text, *simple)
    readable, given = _known(names)
    with _bounded():
        return Expression.compiled(text, parse(text, readable), given)


@lru_cache(maxsize=16384)
def _tests(text: str, names: frozenset[str]) -> UnaryTests:
    plain = text.strip()
    simple = simple_expression("true") if plain in ("", "-") else simple_tests(plain)
    if simple is not None:
        return UnaryTests(text, *simple)
    readable, given = _known(names)
    with _bounded():
        return UnaryTests.compiled(text, parse(text, readable, "unary_tests"), given)


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

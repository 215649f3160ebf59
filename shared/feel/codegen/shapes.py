"""What cells have in common: their text without the constants in it.

`contains(?, "a")` and `contains(?, "b")` are of one shape; one piece of code answers both when the
constant is handed to it. A constant that takes some computing (`-3`, `2 * 8`, `date("2026-11-05")`)
is computed here, provided that computing it costs nothing of an evaluation's account.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from shared.feel import arithmetic
from shared.feel.budget import Run
from shared.feel.builtins import BUILTINS
from shared.feel.errors import FeelBudgetExceeded
from shared.feel.syntax import Node

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    #: What cells of one shape have the same.
    Key: TypeAlias = tuple[object, ...]

#: Functions whose answer depends on nothing but their arguments, as cells write constants.
_READING = frozenset({"date", "time", "date and time", "duration", "number", "string"})
_OPERATIONS = {
    "+": arithmetic.add,
    "-": arithmetic.subtract,
    "*": arithmetic.multiply,
    "/": arithmetic.divide,
}
#: Constructs that charge by the weight of what they hold, and may name what is in it.
_BINDING = frozenset({"filter", "loop", "quantified", "function", "context"})
_COMPUTED = frozenset({"negate", "arithmetic", "call"})


class _Varying(Exception):
    """A part is no constant."""


class Shape:
    """What a cell has in common with others (`key`), and what is its own (`constants`)."""

    def __init__(self, tree: Node, own_names: Collection[str]) -> None:
        """Take a tree apart; `own_names` hide functions."""
        self._own = own_names
        self._tree = tree
        #: By the identity of a part: which of the constants it is.
        self._places: dict[int, int] = {}
        self.constants: list[object] = []
        self.key = self._key(tree, False)

    def _key(self, tree: Node, is_bound: bool) -> Key:
        # Within a loop a constant's weight counts, so that only what is written out is one.
        value = _literal(tree) if is_bound else self._constant(tree)
        if value is not None and not isinstance(value, bool):
            self._places[id(tree)] = len(self.constants)
            self.constants.append(value)
            return (type(value),)
        inner = is_bound or tree.kind in _BINDING
        return (tree.kind, tree.value, *[self._key(part, inner) for part in tree.parts])

    def tree(self, given: Sequence[object]) -> Node:
        """Return the tree over these in place of its constants: slots, or the constants."""
        return self._filled(self._tree, given)

    def _filled(self, tree: Node, given: Sequence[object]) -> Node:
        place = self._places.get(id(tree))
        if place is not None:
            return replace(tree, kind="literal", parts=(), value=given[place])
        parts = tuple(self._filled(part, given) for part in tree.parts)
        return replace(tree, parts=parts)

    def _constant(self, tree: Node) -> object:
        """Return the value of a part that names nothing but itself; null for others too."""
        if tree.kind not in _COMPUTED:
            return _literal(tree)
        run = Run()
        before = run.left
        try:
            value = self._computed(tree, run)
        except (_Varying, FeelBudgetExceeded):
            return None
        return value if run.left == before else None

    def _computed(self, tree: Node, run: Run) -> object:
        if tree.kind == "literal":
            return tree.value
        if tree.kind == "negate":
            return arithmetic.negate(run, self._computed(tree.parts[0], run))
        if tree.kind == "arithmetic" and tree.value in _OPERATIONS:
            left, right = (self._computed(part, run) for part in tree.parts)
            return _OPERATIONS[str(tree.value)](run, left, right)
        if tree.kind == "call" and not tree.value:
            function, *arguments = tree.parts
            name = str(function.value)
            if function.kind == "name" and name in _READING and name not in self._own:
                return BUILTINS[name](run, [self._computed(part, run) for part in arguments])
        raise _Varying


def _literal(tree: Node) -> object:
    return tree.value if tree.kind == "literal" else None

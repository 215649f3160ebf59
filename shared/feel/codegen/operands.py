"""Parts of an operation as its code sees them, and constants that are handed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import ast

    from shared.feel.syntax import Node


class Slot(NamedTuple):
    """Stands for a constant that is handed in: its number among them, and its type."""

    number: int
    kind: type


class Operand(NamedTuple):
    """A part of an operation: code that evaluates it, code that takes it again, its type if known.

    `is_light` says that the first evaluates nothing, so that either may stand anywhere.
    """

    first: ast.expr
    again: ast.expr
    kind: type | None
    is_light: bool


def literal_type(tree: Node) -> type | None:
    """Return of which type a constant written out is, None for all else."""
    if tree.kind != "literal":
        return None
    return tree.value.kind if isinstance(tree.value, Slot) else type(tree.value)

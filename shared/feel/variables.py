"""Which Python variable, or which question to the scope, stands for a FEEL name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from . import pyast
from .builtins import BUILTINS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .names import KnownNames

#: One level of names: FEEL names to Python ones, or the one variable of a filter's element.
Level: TypeAlias = "dict[str, str] | str"


class Variables:
    """The names bound within an expression, innermost last; `free` collects the others."""

    def __init__(self, known: KnownNames, constant: Callable[[object], ast.expr]) -> None:
        """Start with nothing bound; `constant` makes a value part of the code."""
        self._known = known
        self._constant = constant
        self._levels: list[Level] = []
        self._count = 0
        self.free: set[str] = set()

    def fresh(self) -> str:
        """Return a Python name not used before."""
        self._count += 1
        return f"v{self._count}"

    def enter(self, level: Level) -> None:
        """Bind names, or open the scope of a filter's element."""
        self._levels.append(level)

    def leave(self) -> None:
        """Unbind what was bound last."""
        self._levels.pop()

    @property
    def is_outermost(self) -> bool:
        """Whether nothing around binds names."""
        return not self._levels

    def is_bound(self, name: str) -> bool:
        """Return whether a loop, function or context entry binds the name."""
        return any(isinstance(level, dict) and name in level for level in self._levels)

    def is_outside(self, name: str) -> bool:
        """Return whether a name can only mean a variable from outside; in a filter it may not."""
        is_inner = self.is_bound(name) or any(isinstance(level, str) for level in self._levels)
        return not is_inner and name not in BUILTINS

    def resolved(self, name: str) -> ast.expr:
        """Return what the name stands for here."""
        return self._from(name, len(self._levels))

    def _from(self, name: str, height: int) -> ast.expr:
        for at in range(height - 1, -1, -1):
            level = self._levels[at]
            if isinstance(level, str):
                return self._of_element(level, name, at)
            if name in level:
                return pyast.name(level[name])
        return self._free(name)

    def _of_element(self, element: str, name: str, height: int) -> ast.expr:
        if name == "item":
            return pyast.name(element)
        key = ast.Constant(name)
        return ast.IfExp(
            test=pyast.call("has_entry", pyast.name(element), key),
            body=pyast.call("entry", pyast.name(element), key),
            orelse=self._from(name, height),
        )

    def _free(self, name: str) -> ast.expr:
        builtin = BUILTINS.get(name)
        if builtin is None or name in self._known.texts:
            self.free.add(name)
        if builtin is None:
            return pyast.call("looked_up", pyast.name("c"), ast.Constant(name))
        default = self._constant(builtin.as_function())
        return pyast.call("looked_up_or", pyast.name("c"), ast.Constant(name), default)

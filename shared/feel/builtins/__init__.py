"""FEEL's built-in functions (DMN 1.3 to 1.5, §10.3.4), one module per kind of value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import contexts, conversion, lists, moments, numeric, ranges, statistics, strings, working
from .registry import Builtin

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILTINS: Mapping[str, Builtin] = {
    builtin.name: builtin
    for module in (
        contexts,
        conversion,
        lists,
        moments,
        numeric,
        ranges,
        statistics,
        strings,
        working,
    )
    for builtin in module.FUNCTIONS.all()
}

__all__ = ["BUILTINS", "Builtin"]

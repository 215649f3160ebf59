"""Patterns of forms, matched in linear time by our own engine: no form hangs a worker.

They are therefore those of XPath 3.1: without look-around and back-references.
"""

from __future__ import annotations

from functools import lru_cache

from shared.feel.patterns import Pattern, PatternError

__all__ = ["PatternError", "compiled", "fits"]

#: Characters a pattern is matched against; longer values do not fit it.
_TEXT_MAX = 2_000


@lru_cache(maxsize=2_048)
def compiled(source: str) -> Pattern:
    """Return a pattern compiled; raise `PatternError`."""
    return Pattern(source)


def fits(source: str, text: str) -> bool:
    """Whether a pattern is found in a text, as `RegExp.test` does; a broken one fits nothing."""
    if len(text) > _TEXT_MAX:
        return False
    try:
        return compiled(source).first(text, 0, lambda _: None) is not None
    except PatternError:
        return False

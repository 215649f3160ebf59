"""What was probably meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from .errors import FeelSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What other languages call FEEL's functions.
_ELSEWHERE = {
    "len": "string length",
    "length": "string length",
    "size": "count",
    "upper": "upper case",
    "toupper": "upper case",
    "uppercase": "upper case",
    "lower": "lower case",
    "tolower": "lower case",
    "lowercase": "lower case",
    "startswith": "starts with",
    "endswith": "ends with",
    "includes": "list contains",
    "avg": "mean",
    "average": "mean",
    "round": "round half up",
    "ceil": "ceiling",
    "datetime": "date and time",
    "dateandtime": "date and time",
    "unique": "distinct values",
    "distinct": "distinct values",
    "join": "string join",
    "concat": "concatenate",
    "mod": "modulo",
    "isdefined": "is defined",
    "isnull": "is defined",
    "coalesce": "get or else",
    "nvl": "get or else",
    "tostring": "string",
    "str": "string",
    "int": "number",
    "float": "number",
    "tonumber": "number",
}


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like an unknown one, None if none does."""
    plain = name.replace("_", " ").replace("-", " ")
    words = {candidate.casefold(): candidate for candidate in known}
    squeezed = plain.replace(" ", "").casefold()
    for folded, candidate in words.items():
        if folded.replace(" ", "") == squeezed:
            return candidate
    if squeezed in _ELSEWHERE:
        return _ELSEWHERE[squeezed]
    near = get_close_matches(plain.casefold(), list(words), n=1, cutoff=0.7)
    return words[near[0]] if near else None


def unknown_function(name: str, at: int, known: Iterable[str]) -> FeelSyntaxError:
    """Say that a function does not exist, and which one was probably meant."""
    meant = closest(name, known)
    message = {"zh-CN": f"没有名为 {name} 的函数。", "en": f"There is no function {name}."}
    fix = {"zh-CN": f"是否想用 {meant}？", "en": f"Did you mean {meant}?"} if meant else {}
    return FeelSyntaxError("unknown-function", at, message, fix)

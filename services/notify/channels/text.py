"""Fitting words into what a provider takes, without breaking a character or losing the link.

A message that is too long is cut, not split into numbered parts: one delivery is then one call
with one answer, a retry cannot repeat half of it, it takes one token of a limit of twenty a
minute, and the whole text stands behind the link it ends with.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

#: Stands where something was left out; both languages, since a group reads either.
CUT_MARK = "\n……（内容过长，已截断 / shortened）\n"

_ZERO_WIDTH_JOINER = "\u200d"
# Control characters other than tab and line feed, and halves of surrogate pairs, which JSON
# input can carry and UTF-8 cannot.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINK = re.compile(r"https?://")
# A last line longer than this is a text that happens to hold a link.
_MAX_LINK_LINE = 400


def printable(text: str) -> str:
    """Return `text` with line feeds as the only line ends and nothing that cannot be encoded."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """Return `text` on one line, as a subject must be."""
    return " ".join(printable(text).split())


def utf8_length(text: str) -> int:
    """Return the length in bytes, as providers count it."""
    return len(text.encode("utf-8"))


def shorten(text: str, fits: Callable[[str], bool]) -> str:
    """Return `text` if it `fits`, else its beginning, a mark, and its last line if that links.

    `fits` must hold for every shorter text once it holds for a longer one; if not even the mark
    fits, nothing is left.
    """
    if fits(text):
        return text
    for ending in (CUT_MARK + _link_line(text), CUT_MARK.rstrip(), ""):
        if fits(ending):
            return _longest_head(text, ending, fits) + ending
    return ""


def _link_line(text: str) -> str:
    last = text.rstrip().rpartition("\n")[2].strip()
    return last if _LINK.search(last) and len(last) <= _MAX_LINK_LINE else ""


def _longest_head(text: str, ending: str, fits: Callable[[str], bool]) -> str:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(text[:middle] + ending):
            low = middle
        else:
            high = middle - 1
    while low > 0 and _is_glued(text, low):
        low -= 1
    return text[:low].rstrip()


def _is_glued(text: str, index: int) -> bool:
    """Return whether what people see as one character stretches over `index`."""
    if index >= len(text):
        return False
    after = text[index]
    return (
        unicodedata.combining(after) != 0
        or unicodedata.category(after) in ("Mn", "Me", "Sk")
        or after == _ZERO_WIDTH_JOINER
        or text[index - 1] == _ZERO_WIDTH_JOINER
    )

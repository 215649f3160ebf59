"""FEEL text cut into its smallest pieces, before names of several words are known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .budget import MAX_SOURCE
from .errors import FeelBudgetExceeded, FeelSyntaxError
from .words import MISTAKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

# Letters and digits of any script, the symbols beyond the basic plane (DMN 1.3, grammar rules 27
# to 31), combining marks and the middle dot.
_START = r"(?:[^\W\d]|[\U00010000-\U000EFFFF])"
_PART = r"(?:\w|[\U00010000-\U000EFFFF\u00B7\u0300-\u036F\u203F\u2040\u200D\uFE0F])"
_PIECE = re.compile(
    rf"""
      (?P<space>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{{1,6}}(?!\w))?)
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<at>@\s*"(?:[^"\\]|\\.)*")
    | (?P<quoted>`[^`\n]+`)
    | (?P<word>{_START}{_PART}*)
    | (?P<mistake>==|<>|&&|\|\||\$\{{|\#\{{)
    | (?P<operator>\.\.|<=|>=|!=|\*\*|->|[-+*/<>=()\[\],.?{{}}:])
    """,
    re.VERBOSE | re.DOTALL,
)
# A name may hold these besides letters; elsewhere they are mistakes.
_NAME_MARKS = "'’#&%$;!|^\\~"


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of text: what it is, and where it stands (characters from 0)."""

    kind: str
    text: str
    start: int
    end: int


def pieces(text: str) -> list[Piece]:
    """Cut a text; refuse one too long, or with characters FEEL has no use for."""
    if len(text) > MAX_SOURCE:
        raise FeelBudgetExceeded("length", MAX_SOURCE)
    return list(_cut(text))


def _cut(text: str) -> Iterator[Piece]:
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            if text[at] not in _NAME_MARKS:
                raise stray(text, at)
            yield Piece("mark", text[at], at, at + 1)
            at += 1
            continue
        kind = found.lastgroup or ""
        if kind == "mistake":
            raise stray(text, at, found[0])
        if kind != "space":
            yield Piece(kind, found[0], at, found.end())
        at = found.end()


def stray(text: str, at: int, shown: str = "") -> FeelSyntaxError:
    """Say that a character does not belong here, and which one was probably meant."""
    shown = shown or text[at]
    if shown in '"“':
        message = {"zh-CN": "字符串没有结束引号。", "en": "The string is not closed."}
        meant = '"'
    else:
        message = {"zh-CN": f"无法识别 {shown!r}。", "en": f"{shown!r} has no meaning here."}
        meant = MISTAKEN.get(shown, "")
    fix = {"zh-CN": f"请改用 {meant}", "en": f"Write {meant} instead."} if meant else {}
    return FeelSyntaxError("unexpected-character", at, message, fix)


_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(["\'\\nrt]))')
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t"}


def unescaped(literal: str) -> str:
    r"""Return the text inside a quoted literal; an unknown escape such as \d stays as it is."""

    def one(found: re.Match[str]) -> str:
        if found[3]:
            return _SIMPLE.get(found[3], found[3])
        code = int(found[1] or found[2], 16)
        return chr(code) if code <= 0x10FFFF else found[0]

    inner = literal[literal.index('"') + 1 : -1]
    if "\\" not in inner:
        return inner
    text = _ESCAPE.sub(one, inner)
    # Two escapes may name the halves of one character beyond the basic plane.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

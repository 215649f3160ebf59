"""Reading a pattern into a tree; what XPath does not know is refused, not guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .charsets import ANY, CLASSES, NOT_NEWLINE, CharSet, property_set

#: Repetitions are unrolled, so their number and the depth of groups are bounded.
MAX_REPEAT, MAX_GROUP_DEPTH, MAX_PATTERN = 1000, 40, 2000
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_PUNCTUATION = frozenset("\\|.-^?*+{}()[]$/")


class PatternError(ValueError):
    """The pattern is not one XPath allows, or needs a back-reference."""


@dataclass(frozen=True, slots=True)
class One:
    """Exactly one character of a set."""

    chars: CharSet


@dataclass(frozen=True, slots=True)
class Edge:
    """The start (`^`) or end (`$`) of the text, or of a line with the flag `m`."""

    is_start: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after another."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first of several parts that fits."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part several times; `most` None means without end."""

    part: Part
    least: int
    most: int | None
    is_lazy: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A part whose text is kept under a number."""

    part: Part
    number: int


Part: TypeAlias = One | Edge | Sequence | Choice | Repeat | Group


class Reader:
    """Reads one pattern; `groups` counts its capturing groups."""

    def __init__(self, text: str, flags: str) -> None:
        """Start reading; flags are those of XPath: s, m, i, x, q (in any order)."""
        if len(text) > MAX_PATTERN:
            raise PatternError("too long")
        self._text = text
        self._at = 0
        self._depth = 0
        self._dot = ANY if "s" in flags else NOT_NEWLINE
        self._skips_space = "x" in flags
        self.groups = 0

    def read(self) -> Part:
        """Read the whole pattern."""
        part = self._choice()
        if self._at < len(self._text):
            raise PatternError(f"unexpected {self._text[self._at]!r}")
        return part

    def _peek(self) -> str:
        if self._skips_space:
            while self._text[self._at : self._at + 1].isspace():
                self._at += 1
        return self._text[self._at : self._at + 1]

    def _take(self, expected: str) -> bool:
        self._peek()
        if self._text.startswith(expected, self._at):
            self._at += len(expected)
            return True
        return False

    def _choice(self) -> Part:
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while (char := self._peek()) and char not in "|)":
            parts.append(self._quantified(self._atom()))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _quantified(self, part: Part) -> Part:
        char = self._peek()
        if char not in ("*", "+", "?", "{") or not char:
            return part
        if isinstance(part, Edge):
            raise PatternError("nothing to repeat")
        self._at += 1
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(char) or self._count()
        repeated = Repeat(part, least, most, self._take("?"))
        if self._peek() in ("*", "+", "?", "{") and self._peek():
            raise PatternError("a quantifier cannot be repeated")
        return repeated

    def _count(self) -> tuple[int, int | None]:
        end = self._text.find("}", self._at)
        least, comma, most = self._text[self._at : end].partition(",")
        if end < 0 or not least.isdecimal() or (most and not most.isdecimal()):
            raise PatternError("a count is {n}, {n,} or {n,m}")
        self._at = end + 1
        low, high = int(least[:6]), (int(most[:6]) if most else None if comma else int(least[:6]))
        if max(low, high or 0) > MAX_REPEAT or (high is not None and high < low):
            raise PatternError(f"a count is at most {MAX_REPEAT}, in order")
        return low, high

    def _atom(self) -> Part:
        char = self._text[self._at]
        self._at += 1
        if char == "(":
            return self._group()
        if char in "^$":
            return Edge(char == "^")
        if char == ".":
            return One(self._dot)
        if char == "[":
            return One(self._set())
        if char == "\\":
            return One(self._escape())
        if char in "*+?{}]":
            raise PatternError(f"unexpected {char!r}")
        return One(CharSet(((ord(char), ord(char)),)))

    def _group(self) -> Part:
        self._depth += 1
        if self._depth > MAX_GROUP_DEPTH:
            raise PatternError("nested too deeply")
        number = None
        if not self._take("?:"):
            if self._take("?"):
                raise PatternError("only (?:…) is known")
            self.groups += 1
            number = self.groups
        part = self._choice()
        if not self._take(")"):
            raise PatternError("a group is not closed")
        self._depth -= 1
        return part if number is None else Group(part, number)

    def _escape(self) -> CharSet:
        char = self._text[self._at : self._at + 1]
        self._at += 1
        if char in _ESCAPED:
            code = ord(_ESCAPED[char])
            return CharSet(((code, code),))
        if char and char in _PUNCTUATION:
            return CharSet(((ord(char), ord(char)),))
        if char in CLASSES:
            return CLASSES[char]
        if char in ("p", "P"):
            return self._property(is_negated=char == "P")
        raise PatternError(f"unknown escape \\{char}")

    def _property(self, *, is_negated: bool) -> CharSet:
        end = self._text.find("}", self._at)
        if self._text[self._at : self._at + 1] != "{" or end < 0:
            raise PatternError("a category is \\p{…}")
        found = property_set(self._text[self._at + 1 : end], is_negated=is_negated)
        self._at = end + 1
        if found is None:
            raise PatternError("unknown category")
        return found

    def _set(self) -> CharSet:
        self._depth += 1
        if self._depth > MAX_GROUP_DEPTH:
            raise PatternError("nested too deeply")
        is_negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        parts: list[CharSet] = []
        minus = None
        while not self._text.startswith("]", self._at) or not (ranges or parts):
            if self._text.startswith("-[", self._at) and (ranges or parts):
                self._at += 2
                minus = self._set()
                break
            self._set_member(ranges, parts)
        if not self._text.startswith("]", self._at):
            raise PatternError("a character set is not closed")
        self._at += 1
        self._depth -= 1
        return CharSet(tuple(ranges), parts=tuple(parts), minus=minus, is_negated=is_negated)

    def _set_member(self, ranges: list[tuple[int, int]], parts: list[CharSet]) -> None:
        low = self._set_char()
        if not isinstance(low, int):
            parts.append(low)
            return
        following = self._text[self._at : self._at + 2]
        if following[:1] != "-" or following in ("-]", "-["):
            ranges.append((low, low))
            return
        self._at += 1
        high = self._set_char()
        if not isinstance(high, int) or high < low:
            raise PatternError("a range goes from one character up to another")
        ranges.append((low, high))

    def _set_char(self) -> int | CharSet:
        char = self._text[self._at : self._at + 1]
        if not char or char in "[]":
            raise PatternError("a character set is not well formed")
        self._at += 1
        if char != "\\":
            return ord(char)
        found = self._escape()
        if found.is_plain and not found.is_negated and len(found.ranges) == 1:
            low, high = found.ranges[0]
            if low == high:
                return low
        return found

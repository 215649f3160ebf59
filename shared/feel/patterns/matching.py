"""Matching in time linear in text and pattern, after Thompson and Pike.

All ways through the pattern are followed side by side, one character at a time (Russ Cox,
"Regular Expression Matching: the Virtual Machine Approach"), so nothing is tried twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from .reading import Choice, Edge, Group, One, Part, PatternError, Reader, Repeat, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .charsets import CharSet

#: Instructions of one program; a{1000} takes a thousand.
MAX_PROGRAM = 5000
_FLAGS = frozenset("smixq")
_SPECIAL = "\\|.-^?*+{}()[]$"

# Kinds of instruction: eat a character, go two ways, jump, keep a position, stand at an edge, done.
_EAT, _SPLIT, _JUMP, _KEEP, _START, _END, _DONE = range(7)
_Saved = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """Where a pattern matched: `spans[0]` is the whole, the rest are groups, (-1, -1) if unused."""

    spans: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class _Step:
    kind: int
    chars: CharSet | None = None
    first: int = 0
    second: int = 0


class _Compiler:
    def __init__(self) -> None:
        self.steps: list[_Step] = []

    def _add(self, step: _Step) -> int:
        if len(self.steps) >= MAX_PROGRAM:
            raise PatternError("too large")
        self.steps.append(step)
        return len(self.steps) - 1

    def part(self, part: Part) -> None:
        match part:
            case One():
                self._add(_Step(_EAT, chars=part.chars))
            case Edge():
                self._add(_Step(_START if part.is_start else _END))
            case Sequence():
                for inner in part.parts:
                    self.part(inner)
            case Group():
                self._add(_Step(_KEEP, first=2 * part.number))
                self.part(part.part)
                self._add(_Step(_KEEP, first=2 * part.number + 1))
            case Choice():
                self._choice(part)
            case Repeat():
                self._repeat(part)

    def _choice(self, choice: Choice) -> None:
        jumps = []
        for inner in choice.parts[:-1]:
            split = self._add(_Step(_SPLIT))
            self.steps[split].first = len(self.steps)
            self.part(inner)
            jumps.append(self._add(_Step(_JUMP)))
            self.steps[split].second = len(self.steps)
        self.part(choice.parts[-1])
        for jump in jumps:
            self.steps[jump].first = len(self.steps)

    def _repeat(self, repeat: Repeat) -> None:
        for _ in range(repeat.least):
            self.part(repeat.part)
        if repeat.most is None:
            split = self._add(_Step(_SPLIT))
            body = len(self.steps)
            self.part(repeat.part)
            self._add(_Step(_JUMP, first=split))
            self._branch(split, body, len(self.steps), is_lazy=repeat.is_lazy)
            return
        splits = []
        for _ in range(repeat.most - repeat.least):
            splits.append((self._add(_Step(_SPLIT)), len(self.steps)))
            self.part(repeat.part)
        for split, body in splits:
            self._branch(split, body, len(self.steps), is_lazy=repeat.is_lazy)

    def _branch(self, split: int, body: int, after: int, *, is_lazy: bool) -> None:
        self.steps[split].first, self.steps[split].second = (
            (after, body) if is_lazy else (body, after)
        )

    def done(self) -> tuple[_Step, ...]:
        self._add(_Step(_DONE))
        return tuple(self.steps)


class Pattern:
    """A compiled pattern. `charge` is told of every step, so that a caller can set a limit."""

    def __init__(self, source: str, flags: str = "") -> None:
        """Compile; raise PatternError for what XPath does not allow."""
        if not set(flags) <= _FLAGS:
            raise PatternError("unknown flag")
        if "q" in flags:
            source = "".join("\\" + char if char in _SPECIAL else char for char in source)
        reader = Reader(source, flags)
        compiler = _Compiler()
        compiler.part(reader.read())
        self._steps = compiler.done()
        self.groups = reader.groups
        self._is_multiline = "m" in flags
        self._ignores_case = "i" in flags

    def first(self, text: str, start: int, charge: Callable[[int], None]) -> Match | None:
        """Return the leftmost match at or after `start`, the one a backtracker would prefer."""
        blank: _Saved = (-1,) * (2 * self.groups + 2)
        threads: list[tuple[int, _Saved]] = []
        found: _Saved | None = None
        for at in range(start, len(text) + 1):
            seen: set[int] = set()
            current: list[tuple[int, _Saved]] = []
            for step, saved in threads:
                self._follow(step, saved, text, at, seen, current)
            if found is None:
                self._follow(0, (at, *blank[1:]), text, at, seen, current)
            elif not current:
                break
            charge(len(seen) + 1)
            threads, ended = self._advance(current, text[at : at + 1])
            if ended is not None:
                found = (ended[0], at, *ended[2:])
        if found is None:
            return None
        return Match(tuple(zip(found[::2], found[1::2], strict=True)))

    def _advance(
        self, current: list[tuple[int, _Saved]], char: str
    ) -> tuple[list[tuple[int, _Saved]], _Saved | None]:
        """Let each thread eat a character; one that is done ends those of lower priority."""
        threads: list[tuple[int, _Saved]] = []
        for at_step, saved in current:
            step = self._steps[at_step]
            if step.kind == _DONE:
                return threads, saved
            if char and step.chars is not None and self._fits(step.chars, char):
                threads.append((at_step + 1, saved))
        return threads, None

    def _fits(self, chars: CharSet, char: str) -> bool:
        return chars.has_in_any_case(char) if self._ignores_case else chars.has(char)

    def _follow(
        self,
        start: int,
        saved: _Saved,
        text: str,
        at: int,
        seen: set[int],
        out: list[tuple[int, _Saved]],
    ) -> None:
        """Walk all ways that eat nothing, in order of priority, each step once per position."""
        waiting = [(start, saved)]
        while waiting:
            number, saved = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            step = self._steps[number]
            if step.kind in (_EAT, _DONE):
                out.append((number, saved))
            elif step.kind == _SPLIT:
                waiting += [(step.second, saved), (step.first, saved)]
            elif step.kind == _JUMP:
                waiting.append((step.first, saved))
            elif step.kind == _KEEP:
                kept = (*saved[: step.first], at, *saved[step.first + 1 :])
                waiting.append((number + 1, kept))
            elif self._is_at_edge(text, at, is_start=step.kind == _START):
                waiting.append((number + 1, saved))

    def _is_at_edge(self, text: str, at: int, *, is_start: bool) -> bool:
        if is_start:
            return at == 0 or (self._is_multiline and text[at - 1] == "\n")
        return at == len(text) or (self._is_multiline and text[at] == "\n")

    def every(self, text: str, charge: Callable[[int], None]) -> Iterator[Match]:
        """Yield the matches from left to right, none overlapping another."""
        at = 0
        while at <= len(text) and (found := self.first(text, at, charge)) is not None:
            yield found
            start, end = found.spans[0]
            at = end + 1 if end == start else end


#: A table may have a pattern in each of a thousand cells.
@lru_cache(maxsize=4096)
def compile_pattern(source: str, flags: str = "") -> Pattern:
    """Compile a pattern once; raise PatternError when it is not one."""
    return Pattern(source, flags)

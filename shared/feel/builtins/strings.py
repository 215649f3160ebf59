"""Functions of texts. Characters are Unicode code points; positions count from 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.feel.numbers import NUMBERS, integer
from shared.feel.patterns import Match, Pattern, PatternError, compile_pattern
from shared.feel.text import text_of

from .registry import Functions

if TYPE_CHECKING:
    from decimal import Decimal

    from shared.feel.budget import Run

FUNCTIONS = Functions()


@FUNCTIONS.define("substring(string: string, start position: number, length?: number)")
def substring(run: Run, text: str, start: Decimal, length: Decimal | None) -> str | None:
    """Return a part of a text; a negative start counts from the end."""
    position, count = integer(start), None if length is None else integer(length)
    if not position or position > len(text) or position < -len(text):
        return None
    if length is not None and (count is None or count < 1):
        return None
    first = position - 1 if position > 0 else len(text) + position
    end = len(text) if count is None else min(len(text), first + count)
    run.allocate(end - first)
    return text[first:end]


@FUNCTIONS.define("string length(string: string)")
def string_length(run: Run, text: str) -> Decimal:
    """Return how many characters a text has."""
    return NUMBERS.create_decimal(len(text))


@FUNCTIONS.define("upper case(string: string)")
def upper_case(run: Run, text: str) -> str:
    """Return a text in capitals."""
    run.allocate(len(text))
    return text.upper()


@FUNCTIONS.define("lower case(string: string)")
def lower_case(run: Run, text: str) -> str:
    """Return a text in small letters."""
    run.allocate(len(text))
    return text.lower()


@FUNCTIONS.define("trim(string: string)")
def trim(run: Run, text: str) -> str:
    """Return a text without space at its ends (an extension of Camunda's)."""
    run.allocate(len(text))
    return text.strip()


@FUNCTIONS.define("is blank(string: string)")
def is_blank(run: Run, text: str) -> bool:
    """Return whether a text is nothing but space (an extension of Camunda's)."""
    return not text.strip()


@FUNCTIONS.define("substring before(string: string, match: string)")
def substring_before(run: Run, text: str, match: str) -> str:
    """Return what stands before the first match, the empty text without one."""
    run.charge(len(text) // 16)
    before = text.partition(match)[0] if match and match in text else ""
    run.allocate(len(before))
    return before


@FUNCTIONS.define("substring after(string: string, match: string)")
def substring_after(run: Run, text: str, match: str) -> str:
    """Return what stands after the first match, the empty text without one."""
    run.charge(len(text) // 16)
    after = text.partition(match)[2] if match else text
    run.allocate(len(after))
    return after


@FUNCTIONS.define("contains(string: string, match: string)")
def contains(run: Run, text: str, match: str) -> bool:
    """Return whether a text holds another."""
    if len(text) >= 16:
        run.charge(len(text) // 16)
    return match in text


@FUNCTIONS.define("starts with(string: string, match: string)", direct=str.startswith)
def starts_with(run: Run, text: str, match: str) -> bool:
    """Return whether a text begins with another."""
    return text.startswith(match)


@FUNCTIONS.define("ends with(string: string, match: string)", direct=str.endswith)
def ends_with(run: Run, text: str, match: str) -> bool:
    """Return whether a text ends with another."""
    return text.endswith(match)


@FUNCTIONS.define("string join(list: list, delimiter?: string|null)")
def string_join(run: Run, items: list[object], delimiter: str | None) -> str | None:
    """Join texts, leaving out nulls; null when one is no text."""
    texts = [item for item in items if item is not None]
    if not all(isinstance(text, str) for text in texts):
        return None
    between = delimiter or ""
    run.allocate(sum(len(str(text)) + len(between) for text in texts))
    return between.join(str(text) for text in texts)


def _pattern(source: str, flags: str | None) -> Pattern | None:
    try:
        return compile_pattern(source, flags or "")
    except PatternError:
        return None


@FUNCTIONS.define("matches(input: string, pattern: string, flags?: string|null)")
def matches(run: Run, text: str, source: str, flags: str | None) -> bool | None:
    """Return whether a pattern matches anywhere in a text; null for a pattern that is none."""
    pattern = _pattern(source, flags)
    return None if pattern is None else pattern.first(text, 0, run.charge) is not None


@FUNCTIONS.define(
    "replace(input: string, pattern: string, replacement: string, flags?: string|null)"
)
def replace(run: Run, text: str, source: str, replacement: str, flags: str | None) -> str | None:
    """Replace every match; `$1` stands for a group, `$0` for all; null if it matches nothing."""
    pattern = _pattern(source, flags)
    if pattern is None or pattern.first("", 0, run.charge) is not None:
        return None
    parts = [replacement] if "q" in (flags or "") else _template(replacement, pattern.groups)
    if parts is None:
        return None
    out, end = [], 0
    for match in pattern.every(text, run.charge):
        out.append(text[end : match.spans[0][0]])
        out += [_filled(part, match, text) for part in parts]
        end = match.spans[0][1]
        run.allocate(sum(map(len, out[-len(parts) - 1 :])))
    return "".join([*out, text[end:]])


def _filled(part: str | int, match: Match, text: str) -> str:
    if isinstance(part, str):
        return part
    start, end = match.spans[part] if part < len(match.spans) else (-1, -1)
    return text[start:end] if start >= 0 else ""


def _template(replacement: str, groups: int) -> list[str | int] | None:
    """Split a replacement into texts and group numbers; None when it is malformed."""
    parts: list[str | int] = []
    at = 0
    while at < len(replacement):
        char, following = replacement[at], replacement[at + 1 : at + 2]
        if char == "\\":
            if following not in ("\\", "$"):
                return None
            parts.append(following)
            at += 2
        elif char == "$":
            if not (following.isascii() and following.isdigit()):
                return None
            end = _group_end(replacement, at + 1, groups)
            parts.append(int(replacement[at + 1 : end]))
            at = end
        else:
            parts.append(char)
            at += 1
    return parts


def _group_end(text: str, at: int, groups: int) -> int:
    """A group's number takes as many digits as there are groups for."""
    end = at + 1
    while text[end : end + 1].isdigit() and int(text[at : end + 1]) <= groups:
        end += 1
    return end


@FUNCTIONS.define("split(string: string, delimiter: string, flags?: string|null)")
def split(run: Run, text: str, delimiter: str, flags: str | None) -> list[str] | None:
    """Split a text at every match of a pattern."""
    pattern = _pattern(delimiter, flags)
    if pattern is None:
        return None
    parts, start = [], 0
    for match in pattern.every(text, run.charge):
        first, last = match.spans[0]
        if last == first and (first == 0 or first == len(text)):
            continue
        parts.append(text[start:first])
        start = last
    run.allocate(len(text) + len(parts) + 1)
    return [*parts, text[start:]]


@FUNCTIONS.define("extract(string: string, pattern: string)")
def extract(run: Run, text: str, source: str) -> list[str] | None:
    """Return all parts a pattern matches (an extension of Camunda's)."""
    pattern = _pattern(source, "")
    if pattern is None:
        return None
    spans = [match.spans[0] for match in pattern.every(text, run.charge)]
    run.allocate(len(text) + len(spans))
    return [text[start:end] for start, end in spans]


@FUNCTIONS.define("to string(value: any)")
def to_string(run: Run, value: object) -> str | None:
    """Return a value's text (another name of string)."""
    return None if value is None else text_of(value, run.allocate)

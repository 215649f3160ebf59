"""The tokens the grammar reads: names put together, and each bracket given its role.

`[` opens a list, a filter or a range, or ends a range; `(` opens a group, a call, a list of tests
or a range; `]` may open a range. Which one follows from what stands before it and from whether
`..` appears at its level, so it is settled here and the grammar stays free of conflicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .budget import MAX_DEPTH
from .errors import FeelBudgetExceeded, FeelSyntaxError
from .names import KnownNames, declared_in, name_text, quoted_keys, shape_of
from .tokens import Piece, pieces, stray
from .words import KEYWORDS, OPERATORS

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class Lexeme:
    """One token for the grammar; `type` may still change while its bracket is open."""

    type: str
    text: str
    start: int
    end: int


_VALUE_ENDS = frozenset(
    {"NUMBER", "STRING", "AT", "NAME", "TRUE", "FALSE", "NULL", "INPUT"}
    | {"RPAR", "RSQB", "RBRACE", "RANGE_END"}
)
# What may stand directly after a complete value, but not begin a new one.
_AFTER_VALUE = frozenset(
    {"RPAR", "RSQB", "RBRACE", "COMMA", "COLON", "DOT", "DOTS", "THEN", "ELSE", "RETURN"}
    | {"SATISFIES", "AND", "OR", "IN", "BETWEEN", "INSTANCE_OF", "EQ", "NE", "LT", "LE"}
    | {"GT", "GE", "PLUS", "STAR", "SLASH", "POW"}
)


def lexemes(text: str, known: KnownNames, *, is_test: bool = False) -> list[Lexeme]:
    """Cut a FEEL text into the tokens of the grammar.

    With `is_test`, a `not(…)` that spans the whole text is the negation of unary tests.
    """
    run = pieces(text)
    spans = list(declared_in(run))
    shapes = {shape_of(run[start:end]) for start, end in spans if end - start > 1}
    shapes.update(quoted_keys(run))
    found = _named(run, dict(spans), known, KnownNames((), shapes))
    if is_test:
        _mark_negation(found)
    return _Brackets(found).resolved()


def _named(
    run: Sequence[Piece], spans: dict[int, int], known: KnownNames, local: KnownNames
) -> list[Lexeme]:
    found: list[Lexeme] = []
    at = 0
    while at < len(run):
        piece = run[at]
        after_dot = bool(found) and found[-1].type == "DOT"
        length = _name_length(run, at, spans, known, local, after_dot=after_dot)
        if length:
            end = at + length
            name = name_text(shape_of(run[at:end])) if length > 1 else piece.text
            found.append(Lexeme("NAME", name, piece.start, run[end - 1].end))
            at = end
            continue
        found.append(_single(run, at))
        at += 2 if found[-1].type == "INSTANCE_OF" else 1
    return found


def _name_length(
    run: Sequence[Piece],
    at: int,
    spans: dict[int, int],
    known: KnownNames,
    local: KnownNames,
    *,
    after_dot: bool,
) -> int:
    piece = run[at]
    if piece.kind not in ("word", "number", "mark"):
        return 0
    if at in spans and piece.kind != "number" and spans[at] - at > 0:
        return spans[at] - at
    length = max(local.longest_at(run, at), known.longest_at(run, at))
    if length > 1:
        return length
    if piece.kind != "word" or _is_instance_of(run, at):
        return 0
    return 1 if after_dot or piece.text not in KEYWORDS else 0


def _is_instance_of(run: Sequence[Piece], at: int) -> bool:
    return run[at].text == "instance" and at + 1 < len(run) and run[at + 1].text == "of"


def _single(run: Sequence[Piece], at: int) -> Lexeme:
    piece = run[at]
    if _is_instance_of(run, at):
        return Lexeme("INSTANCE_OF", "instance of", piece.start, run[at + 1].end)
    match piece.kind:
        case "number" | "string" | "at":
            kind, value = piece.kind.upper(), piece.text
        case "quoted":
            kind, value = "NAME", piece.text[1:-1].strip()
        case "word":
            kind, value = KEYWORDS[piece.text], piece.text
        case "operator":
            kind, value = OPERATORS[piece.text], piece.text
        case _:
            raise stray(piece.text, 0) if len(run) == 1 else _stray_mark(piece)
    return Lexeme(kind, value, piece.start, piece.end)


def _stray_mark(piece: Piece) -> FeelSyntaxError:
    found = stray(piece.text, 0)
    return FeelSyntaxError(found.rule, piece.start, found.message, found.fix)


def _mark_negation(found: list[Lexeme]) -> None:
    """Turn `not ( … )` that is the whole text into a negation of tests."""
    if len(found) < 4 or found[0].text != "not" or found[1].type != "LPAR":
        return
    depth = 0
    for at, lexeme in enumerate(found[1:], start=1):
        depth += {"(": 1, ")": -1}.get(lexeme.text, 0) if lexeme.type in ("LPAR", "RPAR") else 0
        if depth == 0:
            if at == len(found) - 1:
                found[0].type = "NEGATION"
            return


@dataclass(slots=True)
class _Level:
    opener: Lexeme | None
    is_range: bool = False
    # The parameters of a function: what follows them is its body, not a call or a filter.
    is_parameters: bool = False
    # Loops at this level: waiting for its `in`, or past it with `return` still to come.
    expects_in: bool = False
    loops: int = 0


class _Brackets:
    def __init__(self, found: list[Lexeme]) -> None:
        self._found = found
        self._levels = [_Level(None)]

    def resolved(self) -> list[Lexeme]:
        for at, lexeme in enumerate(self._found):
            before = self._found[at - 1].type if at else ""
            self._place(at, lexeme, before)
        if len(self._levels) > 1:
            raise _unclosed(self._levels[-1].opener or self._found[0])
        return self._found

    def _place(self, at: int, lexeme: Lexeme, before: str) -> None:
        match lexeme.type:
            case "LPAR" | "LBRACE" | "LSQB" | "RSQB" | "RPAR" | "RBRACE":
                self._bracket(at, lexeme, before)
            case "FOR" | "SOME" | "EVERY":
                self._levels[-1].expects_in = True
                self._levels[-1].loops += 1
                if self._levels[-1].loops > MAX_DEPTH:
                    raise FeelBudgetExceeded("depth", MAX_DEPTH)
            case "IN" if self._levels[-1].expects_in:
                lexeme.type = "OVER"
                self._levels[-1].expects_in = False
            case "COMMA":
                self._levels[-1].expects_in = self._levels[-1].loops > 0
            case "RETURN" | "SATISFIES":
                self._levels[-1].loops -= 1
                self._levels[-1].expects_in = False
            case "DOTS":
                self._dots(lexeme)

    def _dots(self, lexeme: Lexeme) -> None:
        level = self._levels[-1]
        if level.loops > 0:
            lexeme.type = "STEPS"
        elif level.opener is not None and level.opener.type != "LBRACE":
            level.is_range = True
            level.opener.type = "RANGE"

    def _bracket(self, at: int, lexeme: Lexeme, before: str) -> None:
        is_after_value = before in _VALUE_ENDS
        if self._ends_range(at, lexeme, is_after_value=is_after_value):
            lexeme.type = "RANGE_END"
            self._levels.pop()
        elif self._closes(lexeme, before, is_after_value=is_after_value):
            self._close(lexeme)
        else:
            self._open(lexeme, before, is_after_value=is_after_value)

    def _closes(self, lexeme: Lexeme, before: str, *, is_after_value: bool) -> bool:
        """A `]` closes after a value or an opened list; elsewhere it opens a range."""
        if lexeme.type in ("RPAR", "RBRACE"):
            return True
        is_empty = before in ("LSQB", "FILTER") and self._levels[-1].opener is not None
        return lexeme.type == "RSQB" and (is_after_value or is_empty)

    def _ends_range(self, at: int, lexeme: Lexeme, *, is_after_value: bool) -> bool:
        if not self._levels[-1].is_range or not is_after_value:
            return False
        if lexeme.type in ("RPAR", "RSQB"):
            return True
        following = self._found[at + 1].type if at + 1 < len(self._found) else ""
        return lexeme.type == "LSQB" and (not following or following in _AFTER_VALUE)

    def _open(self, lexeme: Lexeme, before: str, *, is_after_value: bool) -> None:
        if lexeme.type == "LSQB" and is_after_value:
            lexeme.type = "FILTER"
        elif lexeme.type == "LPAR" and is_after_value:
            lexeme.type = "CALL"
        elif lexeme.type == "LPAR" and before == "IN":
            lexeme.type = "TESTS"
        elif lexeme.type == "RSQB":
            lexeme.type = "RANGE"
        self._levels.append(_Level(lexeme, is_parameters=before == "FUNCTION"))
        if len(self._levels) > MAX_DEPTH:
            raise FeelBudgetExceeded("depth", MAX_DEPTH)

    def _close(self, lexeme: Lexeme) -> None:
        level = self._levels.pop() if len(self._levels) > 1 else _Level(None)
        opener = level.opener
        if level.is_parameters:
            lexeme.type = "PARAMETERS_END"
        pairs = {"(": ")", "[": "]", "{": "}"}
        if opener is None or pairs.get(opener.text) != lexeme.text:
            message = {
                "zh-CN": f"括号 {lexeme.text!r} 没有对应的开括号。",
                "en": f"Nothing is open that {lexeme.text!r} could close.",
            }
            raise FeelSyntaxError("unbalanced-bracket", lexeme.start, message)


def _unclosed(opener: Lexeme) -> FeelSyntaxError:
    message = {
        "zh-CN": f"括号 {opener.text!r} 没有闭合。",
        "en": f"The bracket {opener.text!r} is not closed.",
    }
    return FeelSyntaxError("unbalanced-bracket", opener.start, message)

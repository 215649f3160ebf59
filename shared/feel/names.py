"""Names of several words, and in any script, found by longest match against those in scope.

`a-b` is a subtraction unless somebody declared a name `a-b`; `Monthly Salary` is an error unless
somebody declared it. Declared are: the names given from outside, FEEL's own, and those which
the text itself introduces (keys of contexts, parameters, loop variables).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from .errors import FeelBudgetExceeded, FeelSyntaxError
from .tokens import Piece, pieces
from .words import KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

#: A piece of a name as matched: its text, and whether space before it matters and is there.
Shape = tuple[tuple[str, bool], ...]
_DECLARING = ("{", "(", ",")
_BREAKS = frozenset('{}[](),:"')
_MAX_PIECES = 24


def shape_of(run: Sequence[Piece]) -> Shape:
    """Return what makes two runs of pieces the same name: words, and signs closed up or not."""
    shape: list[tuple[str, bool]] = [(run[0].text, False)]
    for before, piece in pairwise(run):
        both_words = before.kind in ("word", "number") and piece.kind in ("word", "number")
        shape.append((piece.text, both_words or piece.start > before.end))
    return tuple(shape)


def name_text(shape: Shape) -> str:
    """Return a name with single spaces, as contexts hold it."""
    return "".join((" " if spaced else "") + text for text, spaced in shape)


def canonical(name: str) -> str:
    """Return a name as this library spells it: spaces single, ends trimmed."""
    return " ".join(name.split())


class KnownNames:
    """An index over names, by first piece, longest first."""

    __slots__ = ("_by_first", "texts")

    def __init__(self, names: Collection[str], shapes: Collection[Shape] = ()) -> None:
        """Index names; those that cannot be cut into pieces are left to quoting."""
        found = {_named_shape(canonical(name)) for name in names if name.strip()}
        self._by_first: dict[str, list[Shape]] = {}
        self.texts = frozenset(canonical(name) for name in names)
        for shape in sorted((found | set(shapes)) - {()}, key=len, reverse=True):
            self._by_first.setdefault(shape[0][0], []).append(shape)

    def longest_at(self, run: Sequence[Piece], at: int) -> int:
        """Return how many pieces from `at` on make up the longest known name; 0 for none."""
        for shape in self._by_first.get(run[at].text, ()):
            candidate = run[at : at + len(shape)]
            if len(candidate) == len(shape) and shape_of(candidate) == shape:
                return len(shape)
        return 0


@lru_cache(maxsize=8192)
def _named_shape(name: str) -> Shape:
    try:
        run = pieces(name)
    except (FeelSyntaxError, FeelBudgetExceeded):
        return ()
    return shape_of(run) if 0 < len(run) <= _MAX_PIECES else ()


def declared_in(run: Sequence[Piece]) -> Iterator[tuple[int, int]]:
    """Yield (from, to) of the names a text introduces itself: keys, parameters, loop variables."""
    for at, piece in enumerate(run):
        if piece.kind == "operator" and piece.text == ":":
            start = _run_before(run, at, _DECLARING)
        elif piece.kind == "word" and piece.text == "in":
            start = _run_before(run, at, ("for", "some", "every", ","))
            # `[1, a + b in c]` declares nothing; a loop variable is words only.
            if start is not None and any(p.kind == "operator" for p in run[start:at]):
                continue
        else:
            continue
        if start is not None:
            yield start, at
    yield from _parameters(run)


def quoted_keys(run: Sequence[Piece]) -> Iterator[Shape]:
    """Yield the names that a text introduces in quotes: `{"first name": 1}`."""
    for before, key, after in zip(run, run[1:], run[2:], strict=False):
        if key.kind == "string" and after.text == ":" and before.text in ("{", ","):
            shape = _named_shape(canonical(key.text[1:-1]))
            if len(shape) > 1:
                yield shape


def _run_before(run: Sequence[Piece], at: int, starters: tuple[str, ...]) -> int | None:
    for start in range(at - 1, max(-1, at - _MAX_PIECES), -1):
        piece = run[start]
        if piece.text in starters and piece.kind in ("operator", "word"):
            return start + 1 if start + 1 < at else None
        if piece.text in _BREAKS or piece.kind in ("string", "at"):
            return None
    return None


def _parameters(run: Sequence[Piece]) -> Iterator[tuple[int, int]]:
    for at, piece in enumerate(run[:-1]):
        if piece.text != "function" or run[at + 1].text != "(":
            continue
        start = at + 2
        for end in range(start, min(len(run), start + 200)):
            if run[end].text in (",", ")"):
                if end > start and ":" not in {p.text for p in run[start:end]}:
                    yield start, end
                start = end + 1
            if run[end].text == ")":
                break


def declared_names(text: str) -> frozenset[str]:
    """Return the names of several pieces that a FEEL text introduces (for its neighbours)."""
    try:
        run = pieces(text)
    except (FeelSyntaxError, FeelBudgetExceeded):
        return frozenset()
    spans = ((start, end) for start, end in declared_in(run) if end - start > 1)
    shapes = {shape_of(run[start:end]) for start, end in spans} | set(quoted_keys(run))
    return frozenset(map(name_text, shapes))


def is_keyword(piece: Piece) -> bool:
    """Return whether a piece is one of FEEL's reserved words."""
    return piece.kind == "word" and piece.text in KEYWORDS

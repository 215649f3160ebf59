"""Sets of characters as patterns write them: ranges, classes, Unicode categories, differences."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

#: XML 1.0, productions [4] and [4a]: what \i and \c stand for.
_NAME_START = (
    (0x3A, 0x3A), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6),
    (0xF8, 0x2FF), (0x370, 0x37D), (0x37F, 0x1FFF), (0x200C, 0x200D), (0x2070, 0x218F),
    (0x2C00, 0x2FEF), (0x3001, 0xD7FF), (0xF900, 0xFDCF), (0xFDF0, 0xFFFD), (0x10000, 0xEFFFF),
)  # fmt: skip
_NAME_MORE = ((0x2D, 0x2E), (0x30, 0x39), (0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040))
_SPACES = ((0x09, 0x0A), (0x0D, 0x0D), (0x20, 0x20))

#: The blocks business texts ask for by name (\p{IsCJKUnifiedIdeographs}), from Unicode 15.
BLOCKS = {
    "IsBasicLatin": (0x0000, 0x007F),
    "IsLatin-1Supplement": (0x0080, 0x00FF),
    "IsLatinExtended-A": (0x0100, 0x017F),
    "IsLatinExtended-B": (0x0180, 0x024F),
    "IsGreek": (0x0370, 0x03FF),
    "IsGreekandCoptic": (0x0370, 0x03FF),
    "IsCyrillic": (0x0400, 0x04FF),
    "IsHebrew": (0x0590, 0x05FF),
    "IsArabic": (0x0600, 0x06FF),
    "IsGeneralPunctuation": (0x2000, 0x206F),
    "IsCJKSymbolsandPunctuation": (0x3000, 0x303F),
    "IsHiragana": (0x3040, 0x309F),
    "IsKatakana": (0x30A0, 0x30FF),
    "IsCJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "IsHangulSyllables": (0xAC00, 0xD7AF),
    "IsHalfwidthandFullwidthForms": (0xFF00, 0xFFEF),
}
_MINOR = {
    "L": "ultmo",
    "M": "nce",
    "N": "dlo",
    "P": "cdseifo",
    "Z": "slp",
    "S": "mcko",
    "C": "cfon",
}
_CATEGORIES = frozenset(_MINOR) | {major + m for major, minor in _MINOR.items() for m in minor}


@dataclass(frozen=True, slots=True)
class CharSet:
    """A set of characters; `has` is its one question."""

    ranges: tuple[tuple[int, int], ...] = ()
    categories: tuple[str, ...] = ()
    parts: tuple[CharSet, ...] = ()
    minus: CharSet | None = None
    is_negated: bool = False
    _cache: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    def has(self, char: str) -> bool:
        """Return whether a character belongs to the set."""
        known = self._cache.get(char)
        if known is None:
            known = self._looked_up(char)
            if len(self._cache) < 4096:
                self._cache[char] = known
        return known

    def _looked_up(self, char: str) -> bool:
        code, category = ord(char), unicodedata.category(char)
        inside = (
            any(low <= code <= high for low, high in self.ranges)
            or any(category.startswith(wanted) for wanted in self.categories)
            or any(part.has(char) for part in self.parts)
        )
        if inside == self.is_negated:
            return False
        return self.minus is None or not self.minus.has(char)

    def has_in_any_case(self, char: str) -> bool:
        """Return whether a character or its upper or lower case belongs to the set."""
        return any(self.has(c) for c in (char, *case_variants(char)))

    @property
    def is_plain(self) -> bool:
        """Whether the set is nothing but ranges."""
        return not (self.categories or self.parts or self.minus)


def case_variants(char: str) -> tuple[str, ...]:
    """Return the other single characters which differ from `char` only in case."""
    found = {char.lower(), char.upper(), char.casefold()} - {char}
    return tuple(c for c in found if len(c) == 1)


def _negated(inner: CharSet) -> CharSet:
    return CharSet(parts=(inner,), is_negated=True)


SPACES = CharSet(_SPACES)
DIGITS = CharSet(categories=("Nd",))
# XML Schema, F.1.1: everything except punctuation, separators and "other".
WORDS = CharSet(categories=("P", "Z", "C"), is_negated=True)
NAME_STARTS = CharSet(_NAME_START)
NAME_CHARS = CharSet(_NAME_START + _NAME_MORE)
ANY = CharSet(((0, 0x10FFFF),))
#: `.` without the flag `s`.
NOT_NEWLINE = CharSet(((0x0A, 0x0A), (0x0D, 0x0D)), is_negated=True)

CLASSES = {
    "s": SPACES, "S": _negated(SPACES), "d": DIGITS, "D": _negated(DIGITS),
    "w": WORDS, "W": _negated(WORDS), "i": NAME_STARTS, "I": _negated(NAME_STARTS),
    "c": NAME_CHARS, "C": _negated(NAME_CHARS),
}  # fmt: skip


def property_set(name: str, *, is_negated: bool) -> CharSet | None:
    """Return the set \\p{name} (or \\P{name}) stands for; None for an unknown name."""
    if name in BLOCKS:
        return CharSet((BLOCKS[name],), is_negated=is_negated)
    if name in _CATEGORIES:
        return CharSet(categories=(name,), is_negated=is_negated)
    return None

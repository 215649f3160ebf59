"""Item definitions: what a value of a type must be, and how JSON and lists of one are fitted.

Two rules of DMN 1.3 (10.3.2.9.4): a list of one fits where its element is wanted, and the other
way round. One of ours: a text fits where a date, time or duration is wanted, if it is one, since
JSON has no others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.feel import Run
from shared.feel.scope import ValueScope
from shared.feel.temporal_text import parse_date, parse_date_time, parse_duration, parse_time
from shared.feel.types import SPELLINGS
from shared.feel.values import TYPES, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shared.feel import UnaryTests

_READERS: dict[str, Callable[[str], object]] = {
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_date_time,
    "days and time duration": parse_duration,
    "years and months duration": parse_duration,
}
_MAX_DEPTH = 30


class Unfit(ValueError):
    """A value is not of the type asked for."""


@dataclass(frozen=True, slots=True)
class ItemType:
    """A type of a model: another one by name, fields, or a function; perhaps a list of these."""

    name: str = ""
    base: str = ""
    fields: tuple[tuple[str, ItemType], ...] = ()
    is_collection: bool = False
    #: FEEL text of the values it allows, and the same compiled; `is_whole` when it speaks of the
    #: list rather than of each element.
    allowed: str = ""
    allows: UnaryTests | None = None
    is_whole: bool = False
    #: The Python type of the values it takes as they are, if it is but another name for one of
    #: FEEL's own types.
    plain: type | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look whether there is anything to fit or to check."""
        is_plain = not self.fields and not self.is_collection and self.allows is None
        plain = TYPES.get(SPELLINGS.get(self.base, "")) if is_plain else None
        object.__setattr__(self, "plain", plain)

    def check(self, value: object, *, is_whole: bool) -> None:
        """Raise Unfit for a value that is not among the allowed ones."""
        if self.allows is None or self.is_whole != is_whole:
            return
        if self.allows.run(Run(), ValueScope({}), value) is not True:
            raise Unfit(self.name)


@dataclass(slots=True)
class Types:
    """The item definitions of a model, by name."""

    by_name: dict[str, ItemType] = field(default_factory=dict)

    def of(self, reference: str) -> ItemType | None:
        """Return the type a typeRef names; None when anything goes or the type is unknown."""
        name = reference.strip().removeprefix("feel:")
        if name in self.by_name:
            return self.by_name[name]
        return ItemType(name, name) if name in SPELLINGS else None

    def plain(self, kind: ItemType | None) -> type | None:
        """Return the Python type of the values that fit a type as they are, None if it depends."""
        return None if kind is None or kind.base in self.by_name else kind.plain

    def allowed_values(self, reference: str) -> str:
        """Return the FEEL text of the values a type allows, following what it is based on."""
        found = self.of(reference)
        for _ in range(_MAX_DEPTH):
            if found is None or found.allowed:
                break
            found = self.by_name.get(found.base)
        return found.allowed if found else ""

    def fitted(self, value: object, kind: ItemType | None, depth: int = 0) -> object:
        """Return a value as its type takes it; raise Unfit if it does not."""
        if value is None or kind is None or type(value) is self.plain(kind):
            return value
        if depth > _MAX_DEPTH:
            raise Unfit(kind.name)
        if kind.is_collection:
            items = value if isinstance(value, list) else [value]
            fitted: object = [self._checked(item, kind, depth + 1) for item in items]
        else:
            fitted = self._checked(value, kind, depth + 1)
        kind.check(fitted, is_whole=True)
        return fitted

    def _checked(self, value: object, kind: ItemType, depth: int) -> object:
        fitted = self._element(value, kind, depth)
        if fitted is not None:
            kind.check(fitted, is_whole=False)
        return fitted

    def _element(self, value: object, kind: ItemType, depth: int) -> object:
        if value is None:
            return None
        if kind.fields:
            return self._context(value, kind.fields, depth)
        if kind.base in self.by_name:
            return self.fitted(value, self.by_name[kind.base], depth)
        return _simple(value, SPELLINGS.get(kind.base))

    def _context(
        self, value: object, fields: tuple[tuple[str, ItemType], ...], depth: int
    ) -> object:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, dict):
            raise Unfit("context")
        fitted: dict[str, object] = dict(value)
        for name, kind in fields:
            if name in value:
                fitted[name] = self.fitted(value[name], kind, depth)
        return fitted


def _simple(value: object, wanted: str | None) -> object:
    """Fit a value to one of FEEL's own types; None takes anything."""
    if wanted is None or kind_of(value) == wanted:
        return value
    if wanted == "list":
        return [value]
    if isinstance(value, list) and len(value) == 1 and kind_of(value[0]) == wanted:
        return value[0]
    reader = _READERS.get(wanted)
    found = reader(value) if reader and isinstance(value, str) else None
    if found is None or kind_of(found) != wanted:
        raise Unfit(wanted)
    return found


def field_names(types: Mapping[str, ItemType]) -> set[str]:
    """Return all names of fields, however deep."""
    names: set[str] = set()
    waiting = list(types.values())
    while waiting:
        for name, kind in waiting.pop().fields:
            names.add(name)
            waiting.append(kind)
    return names

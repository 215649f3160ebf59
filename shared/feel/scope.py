"""Where an expression's names get their values: JSON handed in, or values that are FEEL already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .convert import to_feel
from .properties import property_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .budget import Run


class ValueScope:
    """Names over FEEL values."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        """Answer from these values."""
        self._values = values

    def get(self, name: str, default: object = None) -> object:
        """Return a variable, or the default."""
        return self._values.get(name, default)

    def walk(self, run: Run, names: tuple[str, ...]) -> object:
        """Return a property of a property … of a variable."""
        value = self._values.get(names[0])
        for name in names[1:]:
            value = property_of(run, value, name)
        return value


class JsonScope:
    """Names over JSON; only what an expression asks for is turned into FEEL values, once."""

    __slots__ = ("_converted", "_values")

    def __init__(self, values: Mapping[str, object]) -> None:
        """Answer from these values, which are not changed."""
        self._values = values
        self._converted: dict[str, object] = {}

    def get(self, name: str, default: object = None) -> object:
        """Return a variable, or the default."""
        if name in self._converted:
            return self._converted[name]
        if name not in self._values:
            return default
        found = self._converted[name] = to_feel(self._values[name])
        return found

    def walk(self, run: Run, names: tuple[str, ...]) -> object:
        """Return a property of a property …, converting only where the path leaves JSON objects."""
        value: object = self._values.get(names[0])
        for at, name in enumerate(names[1:], start=1):
            if not isinstance(value, dict):
                return self._rest(run, to_feel(value), names[at:])
            value = value.get(name)
        return to_feel(value)

    def _rest(self, run: Run, value: object, names: tuple[str, ...]) -> object:
        for name in names:
            value = property_of(run, value, name)
        return value

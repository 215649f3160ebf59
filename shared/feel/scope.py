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
    """Names over JSON; only what an expression asks for is turned into FEEL values, once.

    Once, since a loop may ask for the same long list as often as its budget allows.
    """

    __slots__ = ("_converted", "values")

    def __init__(self, values: Mapping[str, object]) -> None:
        """Answer from these values, which are not changed."""
        self.values = values
        self._converted: dict[str | tuple[str, ...], object] = {}

    def get(self, name: str, default: object = None) -> object:
        """Return a variable, or the default."""
        if name in self._converted:
            return self._converted[name]
        if name not in self.values:
            return default
        found = self._converted[name] = to_feel(self.values[name])
        return found

    def walk(self, run: Run, names: tuple[str, ...]) -> object:
        """Return a property of a property …, converting only where the path leaves JSON objects."""
        value: object = self.values.get(names[0])
        for at in range(1, len(names)):
            if not isinstance(value, dict):
                return self._rest(run, self._at(names[:at], value), names[at:])
            value = value.get(names[at])
        return self._at(names, value)

    def _at(self, path: tuple[str, ...], value: object) -> object:
        if value is None or isinstance(value, str | int | float):
            return to_feel(value)
        if path not in self._converted:
            self._converted[path] = to_feel(value)
        return self._converted[path]

    def _rest(self, run: Run, value: object, names: tuple[str, ...]) -> object:
        for name in names:
            value = property_of(run, value, name)
        return value

"""An index over one column of a table: which rules a value can match at all.

Rules are bits of a whole number, the first the lowest, so that columns are combined by `&`. A text
leads to its rules through a dictionary, a number or moment through the stretch it lies in.
"""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from shared.feel.values import is_local, order_key

from .cuts import NUMBERS_AXIS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .cuts import Axis, Cuts


class _Stretches(NamedTuple):
    """The constants of an ordered kind, and the rules below the first, at it, above it, …"""

    keys: list[Decimal | int]
    rules: list[int]

    def at(self, key: Decimal | int) -> int:
        """Return the rules that accept a value."""
        at = bisect_left(self.keys, key)
        is_constant = at < len(self.keys) and self.keys[at] == key
        return self.rules[2 * at + is_constant]


class ColumnIndex:
    """Answers which rules accept a value, as bits."""

    def __init__(self, cells: Sequence[Cuts | None]) -> None:
        """Index what the cells of a column accept, rule by rule; None stands for all values."""
        cuts = [(1 << at, cell) for at, cell in enumerate(cells) if cell is not None]
        anything = sum(1 << at for at, cell in enumerate(cells) if cell is None)
        self._fixed = {
            value: anything | sum(bit for bit, cell in cuts if cell.fixed[value])
            for value in (None, True, False)
        }
        self._other_text = anything | sum(bit for bit, cell in cuts if cell.other_text)
        self._texts: dict[str, int] = {}
        for bit, cell in cuts:
            for text, accepts in cell.texts.items():
                if accepts != cell.other_text:
                    self._texts[text] = self._texts.get(text, self._other_text) ^ bit
        axes = {axis for _, cell in cuts for axis in cell.axes}
        self._axes = {axis: _stretches(axis, cuts, anything) for axis in axes | {NUMBERS_AXIS}}
        self._numbers = self._axes[NUMBERS_AXIS]

    def rules_for(self, value: object) -> int | None:
        """Return the rules that accept a value; None for a kind of value it does not know."""
        kind = type(value)
        if kind is str:
            return self._texts.get(value, self._other_text)  # type: ignore[call-overload,no-any-return]
        if kind is Decimal:
            return self._numbers.at(value)  # type: ignore[arg-type]
        if value is None or isinstance(value, bool):
            return self._fixed[value]
        axis = self._axes.get((kind, is_local(value)))
        key = order_key(value)
        if axis is None or key is None or isinstance(key, str):
            return None
        return axis.at(key)


def _stretches(axis: Axis, cuts: Sequence[tuple[int, Cuts]], anything: int) -> _Stretches:
    keys = sorted({key for _, cell in cuts for key in cell.axes.get(axis, ((), ()))[0]})
    place = {key: at for at, key in enumerate(keys)}
    changes = [0] * (2 * len(keys) + 1)
    any_key = keys[0] if keys else Decimal(0)
    for bit, cell in cuts:
        own, answers = cell.axes.get(axis, ((), ()))
        accepts = answers[0] if own else cell.accepts(axis, any_key)
        if accepts:
            changes[0] ^= bit
        for at, key in enumerate(own):
            for step in (1, 2):
                answer = answers[2 * at + step]
                if answer != accepts:
                    changes[2 * place[key] + step] ^= bit
                    accepts = answer
    rules, current = [], anything
    for change in changes:
        current ^= change
        rules.append(current)
    return _Stretches(keys, rules)

"""An index over the rules of a table, so that a long one costs no more than a short one.

It takes the column in which most cells are nothing but texts (`"laptop"`, `"a","b"`): an input
then leads straight to the rules that name it, together with those whose cell says anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.feel import UnaryTests

    from .table import Rule

#: Below so many text cells in a column, going through all rules is as fast.
MIN_TEXTS = 8


def texts_of(test: UnaryTests | None) -> frozenset[str] | None:
    """Return the texts a cell accepts when it is nothing but texts, else None."""
    if test is None or test.tree.kind != "any_test":
        return None
    cells = test.tree.parts[0].parts
    texts = [cell.value for cell in cells if cell.kind == "literal" and isinstance(cell.value, str)]
    return frozenset(texts) if len(texts) == len(cells) else None


class StringIndex:
    """Answers which rules an input can match at all."""

    def __init__(self, rules: Sequence[Rule], columns: int) -> None:
        """Choose the column, the one with the most text cells."""
        self._rules = tuple(rules)
        self._column = -1
        self._by_text: dict[str, list[Rule]] = {}
        self._others: list[Rule] = []
        self._merged: dict[str, tuple[Rule, ...]] = {}
        cells = [[texts_of(dict(rule.tests).get(at)) for rule in rules] for at in range(columns)]
        counts = [sum(texts is not None for texts in column) for column in cells]
        if not counts or max(counts) < MIN_TEXTS:
            return
        self._column = counts.index(max(counts))
        for rule, texts in zip(rules, cells[self._column], strict=True):
            if texts is None:
                self._others.append(rule)
            for text in texts or ():
                self._by_text.setdefault(text, []).append(rule)

    def candidates(self, values: Sequence[object]) -> Sequence[Rule]:
        """Return the rules whose indexed cell can accept the input, in their order."""
        if self._column < 0:
            return self._rules
        value = values[self._column]
        if not isinstance(value, str) or value not in self._by_text:
            return self._others
        if value not in self._merged:
            both = (*self._by_text[value], *self._others)
            self._merged[value] = tuple(sorted(both, key=lambda rule: rule.number))
        return self._merged[value]

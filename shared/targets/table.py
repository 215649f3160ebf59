"""One released version of a table of targets, asked for its rows; answers are remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from shared.targets.cells import read_row
from shared.targets.rows import Inputs, Json, Matched, Row

#: Answers that are remembered: metrics × priorities × what else the table looks at.
_REMEMBERED = 20_000

#: Evaluates the table for inputs; wired to the decision library by the store.
Evaluate: TypeAlias = Callable[[Mapping[str, Json]], Sequence[Matched]]


class Table:
    """One released version of the table, its answers remembered."""

    def __init__(
        self,
        version: int,
        evaluate: Evaluate,
        uses: frozenset[str] = frozenset(),
        *,
        has_stages: bool = True,
        ceilings: Evaluate | None = None,
    ) -> None:
        """`uses`: the names beside those every table is asked with that its rules look at.

        `ceilings` evaluates the table of ceilings in the same file, if it has one.
        """
        self._version, self._evaluate, self._uses = version, evaluate, uses
        self._has_stages, self._ceilings = has_stages, ceilings
        self._known: dict[Inputs, tuple[Row, ...]] = {}
        self._known_ceilings: dict[Inputs, tuple[Row, ...]] = {}

    @property
    def version(self) -> int:
        """The version."""
        return self._version

    @property
    def uses(self) -> frozenset[str]:
        """The names of the further inputs its rules look at."""
        return self._uses

    @property
    def has_stages(self) -> bool:
        """Whether any of its rows may be about a named stage."""
        return self._has_stages

    def rows(self, inputs: Inputs) -> tuple[Row, ...]:
        """Return the rows that match, in their order; unusable ones carry their fault."""
        return _remembered(self._known, inputs, self._evaluate)

    def ceilings(self, inputs: Inputs) -> tuple[Row, ...]:
        """Return the rows of the table of ceilings that match, in their order."""
        if self._ceilings is None:
            return ()
        return _remembered(self._known_ceilings, inputs, self._ceilings)


def _remembered(
    known: dict[Inputs, tuple[Row, ...]], inputs: Inputs, evaluate: Evaluate
) -> tuple[Row, ...]:
    found = known.get(inputs)
    if found is None:
        if len(known) >= _REMEMBERED:
            known.clear()
        found = tuple(read_row(matched) for matched in evaluate(inputs.as_json()))
        known[inputs] = found
    return found

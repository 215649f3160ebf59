"""What a piece of decision logic sees while it is evaluated, and what it leaves for the record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from shared.feel.scope import ValueScope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.feel import Run

#: Tables inside functions may run thousands of times; the record keeps the first of them.
MAX_RECORDED = 200


@dataclass(frozen=True, slots=True)
class TableTrace:
    """One evaluation of a table: what it was asked, which rules matched, what came out."""

    table: str
    hit_policy: str
    inputs: tuple[tuple[str, object], ...]
    rules: tuple[int, ...]
    rule_ids: tuple[str, ...]
    outputs: object


@dataclass(slots=True)
class Record:
    """The traces of one decision."""

    tables: list[TableTrace] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def keep(self, trace: TableTrace) -> None:
        """Add a trace, unless there are enough."""
        if len(self.tables) < MAX_RECORDED:
            self.tables.append(trace)

    def note(self, text: str) -> None:
        """Add a remark, unless there are enough."""
        if len(self.notes) < MAX_RECORDED:
            self.notes.append(text)


@dataclass(frozen=True, slots=True)
class Frame:
    """The account, the variables and the record of an evaluation."""

    run: Run
    values: Mapping[str, object]
    record: Record

    @property
    def scope(self) -> ValueScope:
        """The variables as expressions ask for them."""
        return ValueScope(self.values)

    def with_values(self, more: Mapping[str, object]) -> Frame:
        """Return a frame with more variables."""
        return replace(self, values={**self.values, **more})


class Logic(Protocol):
    """Boxed logic of any kind."""

    @property
    def kind(self) -> str:
        """What DMN calls it."""
        ...

    def evaluate(self, frame: Frame) -> object:
        """Return its FEEL value."""
        ...

    def names(self) -> frozenset[str]:
        """Return the variables it takes from outside."""
        ...

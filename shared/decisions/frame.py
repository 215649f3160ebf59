"""What a piece of decision logic sees while it is evaluated, and what it leaves for the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from shared.feel.properties import property_of
from shared.feel.scope import JsonScope

from .errors import InputUnreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.feel import Run

    from .table import Rule

#: Tables inside functions may run thousands of times; the record keeps the first of them.
MAX_RECORDED = 200
_NONE = JsonScope({})


class TableTrace(NamedTuple):
    """One evaluation of a table: what it was asked, which rules matched, what came out."""

    table: str
    hit_policy: str
    labels: tuple[str, ...]
    inputs: list[object]
    rules: list[Rule]
    outputs: object


class Record:
    """The traces of one decision; the last one is kept in any case."""

    __slots__ = ("last", "notes", "tables")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.tables: list[TableTrace] = []
        self.notes: list[str] = []
        self.last: TableTrace | None = None

    def keep(self, trace: TableTrace) -> None:
        """Add a trace, unless there are enough."""
        self.last = trace
        if len(self.tables) < MAX_RECORDED:
            self.tables.append(trace)

    def note(self, text: str) -> None:
        """Add a remark, unless there are enough."""
        if len(self.notes) < MAX_RECORDED:
            self.notes.append(text)


class Variables:
    """What expressions ask for names: values computed before, then inputs as they came.

    An input is JSON; it becomes a FEEL value when it is first asked for, and of a path through
    it only the end does. Asking for one that is no JSON raises InputUnreadable.
    """

    __slots__ = ("_inputs", "_values")

    def __init__(self, values: Mapping[str, object], inputs: JsonScope = _NONE) -> None:
        """Answer from FEEL values first."""
        self._values = values
        self._inputs = inputs

    def __contains__(self, name: str) -> bool:
        """Return whether there is a variable of that name."""
        return name in self._values or name in self._inputs.values

    def get(self, name: str, default: object = None) -> object:
        """Return a variable, or the default."""
        if name in self._values:
            return self._values[name]
        try:
            return self._inputs.get(name, default)
        except TypeError as error:
            raise self._unreadable(name) from error

    def walk(self, run: Run, names: tuple[str, ...]) -> object:
        """Return a property of a property … of a variable."""
        if names[0] not in self._values:
            try:
                return self._inputs.walk(run, names)
            except TypeError as error:
                raise self._unreadable(names[0]) from error
        value = self._values[names[0]]
        for name in names[1:]:
            value = property_of(run, value, name)
        return value

    def _unreadable(self, name: str) -> InputUnreadable:
        return InputUnreadable(name=name, kind=type(self._inputs.values[name]).__name__)

    def with_values(self, more: Mapping[str, object]) -> Variables:
        """Return variables with more of them, which hide others of their names."""
        return Variables({**self._values, **more}, self._inputs)


@dataclass(slots=True)
class Frame:
    """The account, the variables and the record of an evaluation."""

    run: Run
    scope: Variables
    record: Record

    def with_values(self, more: Mapping[str, object]) -> Frame:
        """Return a frame with more variables."""
        return Frame(self.run, self.scope.with_values(more), self.record)


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

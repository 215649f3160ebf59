"""Boxed logic besides tables: expressions, contexts, calls, lists, relations, functions, loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.feel.operations import at_index, call, steps
from shared.feel.values import FeelFunction, FeelRange

from .types import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.feel import Expression, Run

    from .frame import Frame, Logic
    from .types import ItemType, Types


@dataclass(frozen=True, slots=True)
class Nothing:
    """Logic that is missing or could not be compiled: always null."""

    kind: str = "nothing"

    def names(self) -> frozenset[str]:
        """Return the variables it takes from outside."""
        return frozenset()

    def evaluate(self, frame: Frame) -> object:
        """Return null."""
        return None


@dataclass(frozen=True, slots=True)
class Literal:
    """A FEEL expression."""

    expression: Expression
    kind: str = "literalExpression"

    def names(self) -> frozenset[str]:
        """Return the variables it takes from outside."""
        return self.expression.names

    def evaluate(self, frame: Frame) -> object:
        """Return its value."""
        return self.expression.run(frame.run, frame.scope)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a context; without a name it is the context's result."""

    name: str
    logic: Logic
    kind: ItemType | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """Named values, each seeing those before it, and perhaps a result of their own."""

    entries: tuple[Entry, ...]
    types: Types
    kind: str = "context"

    def names(self) -> frozenset[str]:
        """Return the variables it takes from outside."""
        found: set[str] = set()
        known: set[str] = set()
        for entry in self.entries:
            found |= entry.logic.names() - known
            known.add(entry.name)
        return frozenset(found)

    def evaluate(self, frame: Frame) -> object:
        """Return the result entry, or all entries as a context."""
        values: dict[str, object] = {}
        for entry in self.entries:
            value = entry.logic.evaluate(frame.with_values(values))
            try:
                value = self.types.fitted(value, entry.kind)
            except Unfit:
                frame.record.note(f"{entry.name}: not of its type")
                value = None
            if not entry.name:
                return value
            values[entry.name] = value
        return values


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call of a function by its parameters' names."""

    callee: Logic
    bindings: tuple[tuple[str, Logic], ...]
    kind: str = "invocation"

    def names(self) -> frozenset[str]:
        """Return the variables it takes from outside."""
        return self.callee.names().union(*(logic.names() for _, logic in self.bindings))

    def evaluate(self, frame: Frame) -> object:
        """Return what the function returns, null if it is none."""
        function = self.callee.evaluate(frame)
        names = tuple(name for name, _ in self.bindings)
        arguments = tuple(logic.evaluate(frame) for _, logic in self.bindings)
        return call(frame.run, function, arguments, names)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    items: tuple[Logic, ...]
    kind: str = "list"

    def names(self) -> frozenset[str]:
        """Return the variables it takes from outside."""
        return frozenset().union(*(item.names() for item in self.items))

    def evaluate(self, frame: Frame) -> object:
        """Return the values in order."""
        return [item.evaluate(frame) for item in self.items]


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows under common headings."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Logic, ...], ...]
    kind: str = "relation"

    def names(self) -> frozenset[str]:
        """Return the variables it takes from outside."""
        return frozenset().union(*(cell.names() for row in self.rows for cell in row))

    def evaluate(self, frame: Frame) -> object:
        """Return a list of contexts."""
        return [
            {name: cell.evaluate(frame) for name, cell in zip(self.columns, row, strict=False)}
            for row in self.rows
        ]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A formal parameter."""

    name: str
    kind: ItemType | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function over boxed logic; it sees the variables of where it was made."""

    parameters: tuple[Parameter, ...]
    body: Logic
    types: Types
    name: str = "function"
    kind: str = "functionDefinition"

    def names(self) -> frozenset[str]:
        """Return the variables it takes from outside."""
        return self.body.names() - {parameter.name for parameter in self.parameters}

    def evaluate(self, frame: Frame) -> FeelFunction:
        """Return the function as a value."""

        def invoke(run: Run, arguments: tuple[object, ...]) -> object:
            try:
                values = {
                    parameter.name: self.types.fitted(argument, parameter.kind)
                    for parameter, argument in zip(self.parameters, arguments, strict=True)
                }
            except Unfit:
                frame.record.note(f"{self.name}: an argument is not of its type")
                return None
            return self.body.evaluate(frame.with_values(values))

        return FeelFunction(tuple(p.name for p in self.parameters), invoke, self.name)


@dataclass(frozen=True, slots=True)
class Conditional:
    """If, then, else (DMN 1.4)."""

    condition: Logic
    then: Logic
    otherwise: Logic
    kind: str = "conditional"

    def names(self) -> frozenset[str]:
        """Return the variables it takes from outside."""
        return self.condition.names() | self.then.names() | self.otherwise.names()

    def evaluate(self, frame: Frame) -> object:
        """Return one of both."""
        branch = self.then if self.condition.evaluate(frame) is True else self.otherwise
        return branch.evaluate(frame)


def _elements(frame: Frame, collection: object) -> Iterator[object] | None:
    if isinstance(collection, FeelRange):
        found = steps(collection.start, collection.end)
        return None if found is None else (e for e in found if collection.includes(e))
    if collection is None:
        return None
    return iter(collection if isinstance(collection, list) else [collection])


@dataclass(frozen=True, slots=True)
class Filter:
    """The elements of a list that match (DMN 1.4)."""

    source: Logic
    match: Logic
    kind: str = "filter"

    def names(self) -> frozenset[str]:
        """Return the variables it takes from outside."""
        return self.source.names() | (self.match.names() - {"item"})

    def evaluate(self, frame: Frame) -> object:
        """Return those for which the condition is true, or the one at an index."""
        source = self.source.evaluate(frame)
        if source is None:
            return None
        items = source if isinstance(source, list) else [source]
        kept: list[object] = []
        for item in items:
            frame.run.charge(5)
            own = item if isinstance(item, dict) else {}
            answer = self.match.evaluate(frame.with_values({"item": item, **own}))
            if answer is True:
                kept.append(item)
            elif answer is not None and not isinstance(answer, bool):
                return at_index(items, answer)
        return kept


@dataclass(frozen=True, slots=True)
class Iteration:
    """For, every and some (DMN 1.4)."""

    kind: str
    variable: str
    source: Logic
    body: Logic

    def names(self) -> frozenset[str]:
        """Return the variables it takes from outside."""
        return self.source.names() | (self.body.names() - {self.variable, "partial"})

    def evaluate(self, frame: Frame) -> object:
        """Return the list of results, or whether every or some element satisfies."""
        elements = _elements(frame, self.source.evaluate(frame))
        if elements is None:
            return None
        results: list[object] = []
        for element in elements:
            frame.run.charge(5 + len(results))
            frame.run.allocate(1)
            more = {self.variable: element, "partial": list(results)}
            results.append(self.body.evaluate(frame.with_values(more)))
        if self.kind == "for":
            return results
        decisive = self.kind == "some"
        if any(result is decisive for result in results):
            return decisive
        return None if any(not isinstance(r, bool) for r in results) else not decisive

"""Decision tables: rules matched against inputs, and what the hit policy makes of the matches."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from shared.feel.builtins import BUILTINS
from shared.feel.operations import contained
from shared.feel.values import compared, equal

from .errors import HitPolicyViolated
from .frame import Frame, TableTrace
from .index import StringIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.feel import Expression, Run, UnaryTests

    from .types import ItemType, Types

HIT_POLICIES = frozenset(
    {"UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER"}
)
AGGREGATIONS = frozenset({"", "SUM", "COUNT", "MIN", "MAX"})
_LISTS = frozenset({"COLLECT", "RULE ORDER", "OUTPUT ORDER"})


@dataclass(frozen=True, slots=True)
class Column:
    """An input: what it asks, under which heading, and of which type (None for any)."""

    label: str
    expression: Expression
    kind: ItemType | None = None
    allowed: UnaryTests | None = None
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """An output: its name, its values in order of priority, and what it is without a match."""

    name: str
    priorities: tuple[object, ...] = ()
    default: Expression | None = None
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row, counted from 1: the tests that are not `-`, by column, and the outputs."""

    number: int
    id: str
    tests: tuple[tuple[int, UnaryTests], ...]
    outputs: tuple[Expression, ...]
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True)
class DecisionTable:
    """A compiled decision table."""

    name: str
    hit_policy: str
    columns: tuple[Column, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    types: Types
    aggregation: str = ""
    kind: str = "decisionTable"
    _index: StringIndex = field(init=False, repr=False, compare=False)
    _labels: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the rules by the column which tells most of them apart."""
        object.__setattr__(self, "_index", StringIndex(self.rules, len(self.columns)))
        object.__setattr__(self, "_labels", tuple(column.label for column in self.columns))

    def evaluate(self, frame: Frame) -> object:
        """Return the table's value: of one output itself, of several a context.

        Raises HitPolicyViolated when a UNIQUE table has several matches, or an ANY table several
        that disagree.
        """
        values = [self._input(column, frame) for column in self.columns]
        matched = self._matched(frame, values)
        result = self._result(frame, matched)
        frame.record.keep(
            TableTrace(
                self.name,
                self.hit_policy + (f" {self.aggregation}" if self.aggregation else ""),
                self._labels,
                tuple(values),
                [rule.number for rule in matched],
                [rule.id for rule in matched],
                result,
            )
        )
        return result

    def names(self) -> frozenset[str]:
        """Return the variables its cells take from outside."""
        found: set[str] = set()
        for column in self.columns:
            found |= column.expression.names
        for rule in self.rules:
            found.update(*(test.names for _, test in rule.tests))
            found.update(*(output.names for output in rule.outputs))
        return frozenset(found)

    def _input(self, column: Column, frame: Frame) -> object:
        value = column.expression.run(frame.run, frame.scope)
        if column.kind is None or value is None:
            return value
        try:
            return self.types.fitted(value, column.kind)
        except ValueError:
            # Camunda's modeller writes a type for every column; owners seldom look at it. The
            # tests of the column decide what to make of another one.
            frame.record.note(f"{column.label}: not of type {column.type_ref}")
            return value

    def _matched(self, frame: Frame, values: Sequence[object]) -> list[Rule]:
        run, scope = frame.run, frame.scope
        matched: list[Rule] = []
        candidates = self._index.candidates(values)
        run.charge(len(candidates))
        for rule in candidates:
            for column, test in rule.tests:
                if test.run(run, scope, values[column]) is not True:
                    break
            else:
                matched.append(rule)
                if self.hit_policy == "FIRST":
                    break
        return matched

    def _result(self, frame: Frame, matched: list[Rule]) -> object:
        if not matched:
            return self._without_match(frame)
        if self.hit_policy == "UNIQUE" and len(matched) > 1:
            raise self._violated(matched)
        rows = [self._row(frame, rule) for rule in matched]
        if self.hit_policy == "ANY" and not _all_same(frame.run, rows):
            raise self._violated(matched)
        if self.hit_policy in ("PRIORITY", "OUTPUT ORDER"):
            rows.sort(key=lambda row: self._priority(frame.run, row))
        results = [self._shaped(row) for row in rows]
        if self.hit_policy not in _LISTS:
            return results[0]
        return _aggregated(frame, results, self.aggregation)

    def _violated(self, matched: list[Rule]) -> HitPolicyViolated:
        rules = ", ".join(str(rule.number) for rule in matched)
        return HitPolicyViolated(table=self.name, policy=self.hit_policy, rules=rules)

    def _without_match(self, frame: Frame) -> object:
        if any(output.default is not None for output in self.outputs):
            return self._shaped(
                [
                    output.default.run(frame.run, frame.scope) if output.default else None
                    for output in self.outputs
                ]
            )
        if self.hit_policy in _LISTS:
            return _aggregated(frame, [], self.aggregation)
        return None

    def _row(self, frame: Frame, rule: Rule) -> list[object]:
        scope = frame.scope
        return [output.run(frame.run, scope) for output in rule.outputs]

    def _shaped(self, row: list[object]) -> object:
        if len(row) == 1:
            return row[0]
        return {output.name: value for output, value in zip(self.outputs, row, strict=True)}

    def _priority(self, run: Run, row: list[object]) -> tuple[int, ...]:
        """Where each output stands among its allowed values; unknown ones come last."""
        return tuple(
            next(
                (
                    at
                    for at, allowed in enumerate(output.priorities)
                    if contained(run, value, allowed) is True
                ),
                len(output.priorities),
            )
            for output, value in zip(self.outputs, row, strict=True)
        )


def _all_same(run: Run, rows: list[list[object]]) -> bool:
    return all(equal(row, rows[0], run.charge) is True for row in rows[1:])


def _aggregated(frame: Frame, results: list[object], aggregation: str) -> object:
    """Boil a list of results down; without matches a count is 0, the others are null."""
    if not aggregation:
        return results
    if aggregation == "COUNT":
        return Decimal(len(results))
    if aggregation == "SUM":
        return _added(frame.run, results)
    return _extreme(results, 1 if aggregation == "MAX" else -1)


def _added(run: Run, results: list[object]) -> object:
    return BUILTINS["sum"](run, [results]) if results else None


def _extreme(results: list[object], sign: int) -> object:
    if not results:
        return None
    best = results[0]
    for result in results[1:]:
        order = compared(result, best)
        if order is None:
            return None
        best = result if order == sign else best
    return best

"""Decision tables: rules matched against inputs, and what the hit policy makes of the matches."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from shared.feel.builtins import BUILTINS
from shared.feel.operations import contained
from shared.feel.values import compared, equal

from .errors import HitPolicyViolated
from .frame import Frame, TableTrace
from .matching import Matcher

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
    #: What the outputs are, when all of them are constants.
    results: tuple[object, ...] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look whether there is anything to compute."""
        trees = [output.tree for output in self.outputs]
        is_constant = all(tree.kind == "literal" for tree in trees)
        results = tuple(tree.value for tree in trees) if is_constant else None
        object.__setattr__(self, "results", results)


class Plan(NamedTuple):
    """What evaluating a table takes.

    `columns` come with the Python type of the values which their type takes as they are.
    """

    columns: tuple[tuple[Column, type | None], ...]
    labels: tuple[str, ...]
    matcher: Matcher
    only_first: bool
    policy: str


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

    @cached_property
    def plan(self) -> Plan:
        """What evaluating takes, made when the table is first asked."""
        return Plan(
            tuple((column, self.types.plain(column.kind)) for column in self.columns),
            tuple(column.label for column in self.columns),
            Matcher(self.rules),
            self.hit_policy == "FIRST",
            self.hit_policy + (f" {self.aggregation}" if self.aggregation else ""),
        )

    def evaluate(self, frame: Frame) -> object:
        """Return the table's value: of one output itself, of several a context.

        Raises HitPolicyViolated when a UNIQUE table has several matches, or an ANY table several
        that disagree.
        """
        columns, labels, matcher, only_first, policy = self.plan
        run, scope = frame.run, frame.scope
        values: list[object] = []
        for column, plain in columns:
            value = column.expression.run(run, scope)
            is_fitting = value is None or column.kind is None or type(value) is plain
            values.append(value if is_fitting else self._fitted(column, value, frame))
        matched = matcher.matched(run, scope, values, only_first)
        result = self._result(frame, matched)
        frame.record.keep(TableTrace(self.name, policy, labels, values, matched, result))
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

    def _fitted(self, column: Column, value: object, frame: Frame) -> object:
        try:
            return self.types.fitted(value, column.kind)
        except ValueError:
            # Camunda's modeller writes a type for every column; owners seldom look at it. The
            # tests of the column decide what to make of another one.
            frame.record.note(f"{column.label}: not of type {column.type_ref}")
            return value

    def _result(self, frame: Frame, matched: list[Rule]) -> object:
        if not matched:
            return self._without_match(frame)
        if len(matched) == 1 and self.hit_policy not in _LISTS:
            return self._shaped(self._row(frame, matched[0]))
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

    def _row(self, frame: Frame, rule: Rule) -> Sequence[object]:
        if rule.results is not None:
            return rule.results
        scope = frame.scope
        return [output.run(frame.run, scope) for output in rule.outputs]

    def _shaped(self, row: Sequence[object]) -> object:
        if len(row) == 1:
            return row[0]
        return {output.name: value for output, value in zip(self.outputs, row, strict=True)}

    def _priority(self, run: Run, row: Sequence[object]) -> tuple[int, ...]:
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


def _all_same(run: Run, rows: Sequence[Sequence[object]]) -> bool:
    first = list(rows[0])
    return all(equal(list(row), first, run.charge) is True for row in rows[1:])


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

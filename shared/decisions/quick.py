"""Decisions that are one table of constants over variables, answered without an account.

Nothing in them can grow, so nothing is to be charged: variables are read as they are in the JSON,
the index says which rules match, and what these say is known beforehand. Whatever takes more (a
cell to be computed, a value to be fitted to its type, rules that disagree) is left to the ordinary
way. The tests hold the two to the same answers.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple, cast

from shared.feel import to_feel, to_json
from shared.feel.builtins import BUILTINS
from shared.feel.quick import GIVEN_UP, GaveUp

from .evaluation import Evaluation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.feel import Expression, FeelValue

    from .model import Decision
    from .table import DecisionTable, Rule

    Get = Callable[[str], object]
    Read = Callable[[Get], object]

_LISTS = frozenset({"COLLECT", "RULE ORDER", "OUTPUT ORDER"})
_SCALARS = frozenset({str, bool, type(None)})
#: Whole numbers within these are FEEL's, digit by digit.
_EXACT = 10**33


class _Question(NamedTuple):
    """A column: its heading, how its input is read, and of which Python type that must be."""

    label: str
    read: Read
    plain: type | None
    is_typed: bool


class _Said(NamedTuple):
    """What a rule says by output, as FEEL values and as JSON."""

    values: tuple[object, ...]
    results: tuple[object, ...]


class QuickTable:
    """A table as the logic of a decision that needs no other."""

    def __init__(
        self, decision: Decision, table: DecisionTable, questions: list[_Question]
    ) -> None:
        """Prepare what is the same in every evaluation."""
        self._decision, self._questions = decision, questions
        self._matcher, self._policy = table.plan.matcher, table.plan.policy
        self._only_first, self._is_list = table.plan.only_first, table.hit_policy in _LISTS
        self._names = tuple(output.name for output in table.outputs)
        has_default = any(output.default is not None for output in table.outputs)
        self._can_be_none = not has_default and not table.aggregation
        self._can_be_many = table.hit_policy in ("COLLECT", "RULE ORDER") and not table.aggregation
        self._plain = table.types.plain(decision.kind)
        self._said: dict[int, _Said] = {}

    def answer(self, get: Get) -> Evaluation | None:
        """Return what the table says of the variables that `get` answers for.

        None where the ordinary way must answer.
        """
        values: list[object] = []
        inputs: dict[str, object] = {}
        try:
            for label, read, plain, is_typed in self._questions:
                raw = value = read(get)
                kind = type(raw)
                if kind is int and -_EXACT < raw < _EXACT:  # type: ignore[operator]
                    value, kind = Decimal(raw), Decimal  # type: ignore[arg-type]
                elif kind not in _SCALARS:
                    value = to_feel(raw)
                    raw, kind = to_json(value), type(value)
                if is_typed and kind is not plain and value is not None:
                    return None
                values.append(value)
                inputs[label] = raw
            rules = self._matcher.certain(values, self._only_first)
            if rules is None:
                return None
            value, result, told = self._told(rules)
        except GIVEN_UP:
            return None
        if self._decision.kind is not None and type(value) is not self._plain:
            return None
        explanation = {
            "decision": self._decision.id,
            "name": self._decision.name,
            "kind": "decisionTable",
            "inputs": inputs,
            "outputs": told,
            "hit_policy": self._policy,
            "matched_rules": [rule.number for rule in rules],
            "rule_ids": [rule.id for rule in rules],
        }
        return Evaluation(result, cast("FeelValue", value), (explanation,))

    def _told(self, rules: Sequence[Rule]) -> tuple[object, object, object]:
        """Return what the matching rules say: the FEEL value, and the JSON of it twice."""
        if len(rules) == 1 and not self._is_list:
            values, results = self._said.get(rules[0].number) or self._prepared(rules[0])
            if len(values) == 1:
                return values[0], results[0], results[0]
            return self._shaped(values), self._shaped(results), self._shaped(results)
        if not (self._can_be_many if rules else self._can_be_none):
            raise GaveUp
        if not self._is_list:
            return None, None, None
        said = [self._said.get(rule.number) or self._prepared(rule) for rule in rules]
        result, told = ([self._shaped(one.results) for one in said] for _ in range(2))
        return [self._shaped(one.values) for one in said], result, told

    def _prepared(self, rule: Rule) -> _Said:
        if rule.results is None:
            raise GaveUp
        said = _Said(rule.results, tuple(map(to_json, rule.results)))
        self._said[rule.number] = said
        return said

    def _shaped(self, row: tuple[object, ...]) -> object:
        return row[0] if len(row) == 1 else dict(zip(self._names, row, strict=True))


def quick_table(decision: Decision, table: DecisionTable) -> QuickTable | None:
    """Return the quick way to ask a table, None when its columns ask for more than variables."""
    questions: list[_Question] = []
    for column in table.columns:
        read = _reader(column.expression)
        if read is None:
            return None
        plain = table.types.plain(column.kind)
        questions.append(_Question(column.label, read, plain, column.kind is not None))
    return QuickTable(decision, table, questions)


def _reader(expression: Expression) -> Read | None:
    """Return what reads a column's input: a variable, a path from one, or a quick expression."""
    names: list[str] = []
    tree = expression.tree
    while tree.kind == "path":
        names.insert(0, str(tree.value))
        tree = tree.parts[0]
    if tree.kind != "name":
        return expression.quick()
    first = str(tree.value)
    if first in BUILTINS:
        return None
    if not names:
        return lambda get: get(first)
    return _walker(first, names)


def _walker(first: str, names: list[str]) -> Read:
    entry = dict.get

    def read(get: Get) -> object:
        value = get(first)
        for name in names:
            # Of what is no context, TypeError: the ordinary way knows what its property is.
            value = entry(value, name)  # type: ignore[call-overload]
        return value

    return read

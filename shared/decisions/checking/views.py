"""A decision table seen from outside: what each rule accepts, of the values the table mentions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.decisions.table import DecisionTable, Rule
from shared.feel import to_feel, to_json

from .samples import constants_in, samples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.decisions.model import DecisionModel


@dataclass(frozen=True, slots=True)
class Accepted:
    """A rule: for each input column, by its expression, the values (JSON) that pass its cell.

    The values are those the column's cells mention and one in every stretch between them; for
    texts one that nobody mentions stands for all others.
    """

    rule: str
    values: Mapping[str, tuple[object, ...]]
    #: What its outputs are, by name, where nothing has to be computed.
    outputs: Mapping[str, object] | None = None


def accepted_values(model: DecisionModel, decision: str) -> tuple[Accepted, ...]:
    """Return what each rule of a table accepts; nothing for a decision that is no table."""
    found = model.decisions_by_id.get(decision)
    if found is None or not isinstance(found.logic, DecisionTable):
        return ()
    table = found.logic
    columns = {}
    for at, column in enumerate(table.columns):
        tests = [test for rule in table.rules for place, test in rule.tests if place == at]
        sampled = samples(value for test in tests for value in constants_in(test))
        columns[at] = (column.expression.text.strip(), [to_feel(one.value) for one in sampled])
    rules = []
    for rule in table.rules:
        tests_at = dict(rule.tests)
        values = {
            name: tuple(
                to_json(value)
                for value in sampled_values
                if at not in tests_at or tests_at[at].matches(value, {}) is True
            )
            for at, (name, sampled_values) in columns.items()
        }
        rules.append(Accepted(rule.id, values, _constants(table, rule)))
    return tuple(rules)


def _constants(table: DecisionTable, rule: Rule) -> Mapping[str, object] | None:
    if rule.results is None:
        return None
    names = (output.name for output in table.outputs)
    return {name: to_json(value) for name, value in zip(names, rule.results, strict=True)}

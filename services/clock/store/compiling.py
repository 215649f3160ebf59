"""From released text to what the domain computes with: calendars and the table of targets."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import ClassVar, cast

import orjson

from services.clock.domain.facts import STAGE
from services.clock.domain.table import DECISION, Matched, Table, faults
from services.clock.domain.targets import FURTHER_INPUTS, CalendarMissing, Json
from shared.business_time import Calendar, CalendarInvalid
from shared.decisions import DecisionModel, load_decisions
from shared.definitions.parsing import read_yaml
from shared.errors import Invalid, LeveeError

_log = logging.getLogger(__name__)


class DefinitionBroken(Invalid):
    """Version {version} of {kind}/{key} cannot be used: {reason}."""

    zh: ClassVar[str] = "{kind}/{key} 的版本 {version} 无法使用：{reason}。"


def compile_table(version: int, content: str) -> Table:
    """Return the table of targets in a DMN file; raises `DefinitionBroken`.

    It is tried on every metric and priority, so that a row nobody can use is found now.
    """
    try:
        model = load_decisions(content.encode(), file=f"{DECISION}.dmn")
        # A table that does not contain the word has no row for it; most have none.
        has_stages = STAGE in content
        table = Table(version, _Evaluator(model), _further_inputs(model), has_stages=has_stages)
        wrong = faults(table)
    except LeveeError as error:
        raise _broken("decision", DECISION, version, str(error)) from error
    if wrong:
        raise _broken("decision", DECISION, version, "; ".join(wrong[:5]))
    return table


def compile_calendar(
    key: str, version: int, content: str, known: Mapping[str, Calendar]
) -> Calendar:
    """Return the calendar in a YAML file, its holidays written out; raises `DefinitionBroken`.

    Raises `CalendarMissing` when it is made of one that has not come yet.
    """
    try:
        document = read_yaml(content, f"{key}.yaml")
        named = {"key": key, **document} if isinstance(document, Mapping) else document
        versioned = {**named, "version": version} if isinstance(named, Mapping) else named
        calendar = Calendar.from_dict(cast("Mapping[str, object]", versioned), known)
    except CalendarInvalid as error:
        if error.findings and all(f.rule == "member-unknown" for f in error.findings):
            raise CalendarMissing(key=key) from error
        raise _broken("calendar", key, version, str(error)) from error
    except LeveeError as error:
        raise _broken("calendar", key, version, str(error)) from error
    return Calendar.from_dict(calendar.to_dict(is_pinned=True))


def write_calendar(calendar: Calendar) -> str:
    """Return a calendar as it is stored: with every holiday written out."""
    return orjson.dumps(calendar.to_dict(is_pinned=True)).decode()


def read_stored_calendar(content: str) -> Calendar:
    """Return a stored calendar."""
    return Calendar.from_dict(orjson.loads(content))


def _further_inputs(model: DecisionModel) -> frozenset[str]:
    """Return the inputs that are looked up only because the table names them."""
    return frozenset(model.input_names(DECISION)) & FURTHER_INPUTS


class _Evaluator:
    """Asks a decision model which rules match, and what they say."""

    def __init__(self, model: DecisionModel) -> None:
        self._model = model

    def __call__(self, inputs: Mapping[str, Json]) -> Sequence[Matched]:
        """Return the matching rules in the table's order.

        A table that cannot be evaluated for these inputs matches nothing: the ceilings apply.
        """
        try:
            answer = self._model.evaluate(DECISION, inputs)
        except LeveeError as error:
            _log.warning("table %s failed on %s: %s", DECISION, dict(inputs), error)
            return []
        told = next(e for e in reversed(answer.explanation) if e["decision"] == DECISION)
        rules = cast("Sequence[str]", told.get("rule_ids", ()))
        results = answer.result if isinstance(answer.result, list) else [answer.result]
        if len(rules) != len(results):
            return [Matched(rules[0] if rules else DECISION, {})] if rules else []
        return [
            Matched(rule, outputs if isinstance(outputs, Mapping) else {"target": outputs})
            for rule, outputs in zip(rules, results, strict=True)
        ]


def _broken(kind: str, key: str, version: int, reason: str) -> DefinitionBroken:
    return DefinitionBroken(kind=kind, key=key, version=version, reason=reason)

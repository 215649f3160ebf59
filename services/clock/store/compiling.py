"""From released text to what the domain computes with: calendars and the table of targets."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, cast

import orjson

from services.clock.domain.facts import STAGE
from services.clock.domain.review import (
    ASKED,
    RuleView,
    Subject,
    review_rows,
    review_support,
)
from services.clock.domain.table import CEILINGS, DECISION, Matched, Table
from services.clock.domain.targets import FURTHER_INPUTS, CalendarMissing, Inputs, Json
from shared.business_time import Calendar, CalendarInvalid
from shared.decisions import DecisionModel, DecisionNotFound, accepted_values, load_decisions
from shared.definitions.parsing import read_yaml
from shared.errors import Finding, Invalid, LeveeError
from shared.vocabulary import Priority

_log = logging.getLogger(__name__)

#: Pairs of promises compared when a table comes into force: nobody else is served meanwhile.
#: `levee decision check` and the API compare all.
MOST_COMPARED = 20


class DefinitionBroken(Invalid):
    """Version {version} of {kind}/{key} cannot be used: {reason}."""

    zh: ClassVar[str] = "{kind}/{key} 的版本 {version} 无法使用：{reason}。"


def compile_table(version: int, content: str) -> Table:
    """Return the table of targets in a DMN file; raises `DefinitionBroken`.

    Rows are not judged: what was accepted once goes on. What is new passes `accept_table`.
    """
    return subject_of(version, content).table


def accept_table(
    version: int, content: str, calendars: Mapping[str, Calendar] | None, at: datetime
) -> tuple[Table, tuple[Finding, ...]]:
    """Return a table that is to come into force, and what is odd about it.

    Every row is tried. Raises `DefinitionBroken` for one nobody could use.
    """
    subject = subject_of(version, content, calendars)
    found = tuple(findings_by_row(version, content, calendars))
    wrong = [finding for finding in found if finding.severity == "error"]
    if wrong:
        told = (f"{finding.path}: {finding.message['en']}" for finding in wrong[:5])
        raise _broken("decision", DECISION, version, "; ".join(told))
    return subject.table, (*found, *review_support(subject, at, most=MOST_COMPARED))


def findings_by_row(
    version: int, content: str, calendars: Mapping[str, Calendar] | None
) -> Iterator[Finding]:
    """Yield what is wrong with single rows, those of the ceilings among them."""
    yield from review_rows(subject_of(version, content, calendars))
    if f'id="{CEILINGS}"' in content:
        yield from review_rows(subject_of(version, content, calendars, CEILINGS))


def subject_of(
    version: int,
    content: str,
    calendars: Mapping[str, Calendar] | None = None,
    decision: str = DECISION,
) -> Subject:
    """Return a table as a review looks at it; raises `DefinitionBroken`.

    `decision`: its id, where it is another than the one the clock asks.
    """
    try:
        model = load_decisions(content.encode(), file=f"{DECISION}.dmn")
        ask = _Evaluator(model, decision)
        has_ceilings = CEILINGS in model.decisions_by_id
        table = Table(
            version,
            ask,
            _further_inputs(model),
            # A table that does not contain the word has no row for it; most have none.
            has_stages=STAGE in content,
            ceilings=_Evaluator(model, CEILINGS) if has_ceilings else None,
        )
        # Asked once: a file without the decision is found now.
        ask(Inputs("resolution", Priority.P3, "portal", "standard", "it", "any").as_json())
        return Subject(table, ask, _rule_views(model, decision), calendars)
    except LeveeError as error:
        raise _broken("decision", DECISION, version, str(error)) from error


def _rule_views(model: DecisionModel, decision: str) -> tuple[RuleView, ...]:
    """Return the table's rules, each with the requests it accepts."""
    return tuple(
        RuleView(
            rule.rule,
            {
                name: _usual_first(name, tuple(cast("Json", value) for value in values))
                for name, values in rule.values.items()
                if name in ASKED and values
            },
        )
        for rule in accepted_values(model, decision)
    )


def _usual_first(name: str, values: tuple[Json, ...]) -> tuple[Json, ...]:
    """Return the values in the order they are tried: those nobody mentions before the special."""
    return values if name in ("metric", "priority", "hour") else values[::-1]


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

    def __init__(self, model: DecisionModel, decision: str) -> None:
        self._model, self._decision = model, decision

    def __call__(self, inputs: Mapping[str, Json]) -> Sequence[Matched]:
        """Return the matching rules in the table's order.

        A table that cannot be evaluated for these inputs matches nothing: the ceilings apply.
        """
        try:
            answer = self._model.evaluate(self._decision, inputs)
        except DecisionNotFound:
            raise
        except LeveeError as error:
            _log.warning("table %s failed on %s: %s", self._decision, dict(inputs), error)
            return []
        told = next(e for e in reversed(answer.explanation) if e["decision"] == self._decision)
        rules = cast("Sequence[str]", told.get("rule_ids", ()))
        results = answer.result if isinstance(answer.result, list) else [answer.result]
        if len(rules) != len(results):
            return [Matched(rules[0], {})] if rules else []
        return [
            Matched(rule, outputs if isinstance(outputs, Mapping) else {"target": outputs})
            for rule, outputs in zip(rules, results, strict=True)
        ]


def _broken(kind: str, key: str, version: int, reason: str) -> DefinitionBroken:
    return DefinitionBroken(kind=kind, key=key, version=version, reason=reason)

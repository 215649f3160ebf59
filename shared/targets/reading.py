"""A table of targets read from its file: asked, and looked at by rule."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from shared.business_time import Calendar
from shared.decisions import DecisionModel, DecisionNotFound, accepted_values, load_decisions
from shared.errors import Finding, LeveeError
from shared.targets.review import ASKED, RuleView, Subject, review_rows
from shared.targets.rows import CEILINGS, DECISION, FURTHER_INPUTS, STAGE, Inputs, Json, Matched
from shared.targets.table import Table
from shared.vocabulary import Priority

_log = logging.getLogger(__name__)


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
    """Return a table as a review looks at it.

    `decision`: its id, where it is another than the one the clock asks. Raises
    `DecisionsRefused` for a file that is none, `DecisionNotFound` where the table is not in it.
    """
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
            rule.outputs,
        )
        for rule in accepted_values(model, decision)
    )


def _usual_first(name: str, values: tuple[Json, ...]) -> tuple[Json, ...]:
    """Return the values in the order they are tried: those nobody mentions before the special."""
    return values if name in ("metric", "priority", "hour") else values[::-1]


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

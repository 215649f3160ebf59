"""The table `targets` read into rows: what a process owner wrote, checked output by output."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import TypeAlias

from services.clock.domain.facts import STAGE, Threshold
from services.clock.domain.stages import check_words
from services.clock.domain.targets import (
    EVERY_AGREEMENT,
    FALLBACK_THRESHOLDS,
    Inputs,
    Json,
    Reopen,
    Row,
)
from services.clock.domain.thresholds import duration, offset
from shared.vocabulary import Metric, Priority

#: The decision's id in the file.
DECISION = "targets"
#: Percentages a table may announce; above 100 it reminds of what is late already.
LOWEST_PERCENT, HIGHEST_PERCENT = 1, 1000
#: No promise is longer than this: ten years (facts/sla.md 3.6, horizon of the calendars is 20).
LONGEST = timedelta(days=3653)
#: Answers that are remembered: metrics × priorities × what else the table looks at.
_REMEMBERED = 20_000

KINDS = ("sla", "ola", "uc")
_NAME = re.compile(r"[\w.-]{1,40}")


@dataclass(frozen=True, slots=True)
class Matched:
    """One matching rule: its id and its outputs by name."""

    rule: str
    outputs: Mapping[str, object]


#: Evaluates the table for inputs; wired to the decision library by the store.
Evaluate: TypeAlias = Callable[[Mapping[str, Json]], Sequence[Matched]]


class Table:
    """One released version of the table, its answers remembered."""

    def __init__(
        self,
        version: int,
        evaluate: Evaluate,
        uses: frozenset[str] = frozenset(),
        *,
        has_stages: bool = True,
    ) -> None:
        """`uses`: the names beside those every table is asked with that its rules look at."""
        self._version, self._evaluate, self._uses = version, evaluate, uses
        self._has_stages = has_stages
        self._known: dict[Inputs, tuple[Row, ...]] = {}

    @property
    def version(self) -> int:
        """The version."""
        return self._version

    @property
    def uses(self) -> frozenset[str]:
        """The names of the further inputs its rules look at."""
        return self._uses

    @property
    def has_stages(self) -> bool:
        """Whether any of its rows may be about a named stage."""
        return self._has_stages

    def rows(self, inputs: Inputs) -> tuple[Row, ...]:
        """Return the rows that match, in their order; unusable ones carry their fault."""
        found = self._known.get(inputs)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = tuple(read_row(matched) for matched in self._evaluate(inputs.as_json()))
            self._known[inputs] = found
        return found


def faults(table: Table) -> list[str]:
    """Try a table before it is accepted; return what is wrong with rows that usually match."""
    found: dict[str, None] = {}
    measures = [*Metric, STAGE]
    for metric, priority, domain in product(measures, Priority, ("it", "hr")):
        inputs = Inputs(metric, priority, "portal", "standard", domain, "any")
        for row in table.rows(inputs):
            if row.fault:
                found[f"{row.rule}: {row.fault}"] = None
    return list(found)


def read_row(matched: Matched) -> Row:
    """Return the row of a matched rule; its `fault` says what cannot be used."""
    outputs = matched.outputs
    wanted = outputs.get("is_clock_wanted")
    try:
        agreement = _agreement(outputs.get("agreement"), is_wanted=wanted is not False)
        kind, clock = _kind(outputs.get("kind")), _name(outputs.get("clock"), "clock")
        if wanted is False:
            nothing = Row(matched.rule, timedelta(0), "", (), is_clock_wanted=False)
            return replace(nothing, agreement=agreement, kind=kind, clock=clock)
        return Row(
            rule=matched.rule,
            target=_target(outputs.get("target")),
            calendar=_calendar(outputs.get("calendar")),
            thresholds=_thresholds(outputs.get("thresholds")),
            pauses_on=_reasons(outputs.get("pauses_on")),
            agreement=agreement,
            kind=kind,
            clock=clock,
            starts_on=_words(outputs.get("starts_on"), "starts_on"),
            stops_on=_words(outputs.get("stops_on"), "stops_on"),
            reopen=_reopen(outputs.get("reopen")),
        )
    except ValueError as error:
        return Row(matched.rule, timedelta(0), "", (), fault=str(error))


def _target(value: object) -> timedelta:
    time = value if isinstance(value, timedelta) else _duration(value)
    if not timedelta(0) < time <= LONGEST:
        raise ValueError(f"target {value!r} must be above zero and at most ten years")
    return time


def _duration(value: object) -> timedelta:
    found = duration(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"target {value!r} is not an ISO 8601 duration such as PT15M")
    return found


def _calendar(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"calendar {value!r} is not a calendar's key")
    return value.strip()


def _thresholds(value: object) -> tuple[Threshold, ...]:
    if value is None:
        return FALLBACK_THRESHOLDS
    parts = _parts(value, "thresholds")
    times = [part for part in parts if part[:1] in ("+", "-")]
    for part in times:
        if not offset(part):
            raise ValueError(f"threshold {part!r} must be a time such as -PT30M or +PT1H")
    try:
        percents = sorted({int(part) for part in parts if part not in times})
    except ValueError:
        raise ValueError(
            f"thresholds {value!r} are not whole percentages, nor times such as -PT30M"
        ) from None
    if percents and not LOWEST_PERCENT <= percents[0] <= percents[-1] <= HIGHEST_PERCENT:
        raise ValueError(f"thresholds {value!r} must lie between 1 and 1000")
    return (*percents, *sorted(set(times)))


def _agreement(value: object, *, is_wanted: bool) -> str:
    if value == EVERY_AGREEMENT and not is_wanted:
        return EVERY_AGREEMENT
    return _name(value, "agreement")


def _name(value: object, column: str) -> str:
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or _NAME.fullmatch(value.strip()) is None:
        raise ValueError(f"{column} {value!r} must be up to 40 letters, digits, dots, - or _")
    return value.strip()


def _kind(value: object) -> str:
    if value in (None, ""):
        return ""
    if value not in KINDS:
        raise ValueError(f"kind {value!r} is none of {', '.join(KINDS)}")
    return str(value)


def _words(value: object, column: str) -> tuple[str, ...]:
    words = tuple(_parts(value, column)) if value is not None else ()
    check_words(words, column)
    return words


def _reopen(value: object) -> Reopen:
    if value in (None, ""):
        return Reopen.CONTINUE
    try:
        return Reopen(str(value))
    except ValueError:
        raise ValueError(f"reopen {value!r} is none of {', '.join(Reopen)}") from None


def _reasons(value: object) -> frozenset[str]:
    return frozenset(_parts(value, "pauses_on")) if value is not None else frozenset()


def _parts(value: object, name: str) -> list[str]:
    """Read "a, b" or a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list | tuple):
        return [str(part).strip() for part in value]
    raise ValueError(f"{name} {value!r} is not a list such as a,b")

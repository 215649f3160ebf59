"""The table `targets` read into rows: what a process owner wrote, checked output by output."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias

from services.clock.domain.facts import Threshold
from services.clock.domain.stages import check_words
from services.clock.domain.targets import (
    EVERY_AGREEMENT,
    FALLBACK_THRESHOLDS,
    LONGEST,
    Inputs,
    Json,
    Reopen,
    Row,
)
from services.clock.domain.thresholds import duration, offset
from shared.business_time import DayEnd

#: The decision's id in the file.
DECISION = "targets"
#: The id, in the same file, of the table that is asked where no row of the other matches.
CEILINGS = "ceilings"
#: Percentages a table may announce; above 100 it reminds of what is late already.
LOWEST_PERCENT, HIGHEST_PERCENT = 1, 1000
#: Answers that are remembered: metrics × priorities × what else the table looks at.
_REMEMBERED = 20_000

KINDS = ("sla", "ola", "uc")
_NAME = re.compile(r"[\w.-]{1,40}")
#: "3 working days" (at the same time of the third), "3 working days, end of day"; or in Chinese.
_WORKING_DAYS = re.compile(
    r"(?P<days>\d{1,5})\s*(?:working days?|个?工作日)(?P<end>\s*[,，]?\s*(?:end of day|下班前))?"
)
_BARE_DAYS = re.compile(r"P\d+D")


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
        ceilings: Evaluate | None = None,
    ) -> None:
        """`uses`: the names beside those every table is asked with that its rules look at.

        `ceilings` evaluates the table of ceilings in the same file, if it has one.
        """
        self._version, self._evaluate, self._uses = version, evaluate, uses
        self._has_stages, self._ceilings = has_stages, ceilings
        self._known: dict[Inputs, tuple[Row, ...]] = {}
        self._known_ceilings: dict[Inputs, tuple[Row, ...]] = {}

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
        return _remembered(self._known, inputs, self._evaluate)

    def ceilings(self, inputs: Inputs) -> tuple[Row, ...]:
        """Return the rows of the table of ceilings that match, in their order."""
        if self._ceilings is None:
            return ()
        return _remembered(self._known_ceilings, inputs, self._ceilings)


def _remembered(
    known: dict[Inputs, tuple[Row, ...]], inputs: Inputs, evaluate: Evaluate
) -> tuple[Row, ...]:
    found = known.get(inputs)
    if found is None:
        if len(known) >= _REMEMBERED:
            known.clear()
        found = tuple(read_row(matched) for matched in evaluate(inputs.as_json()))
        known[inputs] = found
    return found


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
        target, days, day_end = read_target(outputs.get("target"))
        return Row(
            rule=matched.rule,
            target=target,
            days=days,
            day_end=day_end,
            calendar=_calendar(outputs.get("calendar")),
            thresholds=_thresholds(outputs.get("thresholds")),
            pauses_on=_reasons(outputs.get("pauses_on")),
            agreement=agreement,
            kind=kind,
            clock=clock,
            starts_on=_words(outputs.get("starts_on"), "starts_on"),
            stops_on=_words(outputs.get("stops_on"), "stops_on"),
            reopen=_reopen(outputs.get("reopen")),
            goal_percent=_goal(outputs.get("goal_percent")),
        )
    except ValueError as error:
        return Row(matched.rule, timedelta(0), "", (), fault=str(error))


def read_target(value: object) -> tuple[timedelta, int, DayEnd]:
    """Return a time, or so many working days and what is meant on the last one.

    Raises `ValueError` with what is wrong.
    """
    in_days = _WORKING_DAYS.fullmatch(value.strip()) if isinstance(value, str) else None
    if in_days is not None:
        days = int(in_days["days"])
        if not 0 < days <= LONGEST.days:
            raise ValueError(f"target {value!r} must be above zero and at most ten years")
        return LONGEST, days, DayEnd.END_OF_DAY if in_days["end"] else DayEnd.SAME_TIME
    time = value if isinstance(value, timedelta) else _duration(value)
    if not timedelta(0) < time <= LONGEST:
        raise ValueError(f"target {value!r} must be above zero and at most ten years")
    return time, 0, DayEnd.SAME_TIME


def bare_days(outputs: Mapping[str, object]) -> str:
    """Return what in a row counts in bare days, which mean nothing by themselves; else nothing.

    Released tables that have them go on: there a day is 24 hours of working time.
    """
    thresholds = outputs.get("thresholds")
    named = [outputs.get("target"), *(thresholds.split(",") if isinstance(thresholds, str) else ())]
    found = [text for text in named if isinstance(text, str) and has_bare_days(text)]
    return ", ".join(text.strip() for text in found)


def has_bare_days(text: str) -> bool:
    """Whether a duration counts in days, which mean nothing where a day has working hours."""
    return _BARE_DAYS.search(text) is not None


def _goal(value: object) -> float | None:
    if value in (None, ""):
        return None
    goal = float(value) if isinstance(value, int | float | Decimal) else -1.0
    if not 0 < goal <= 100:
        raise ValueError(f"goal_percent {value!r} must be a number above 0 and at most 100")
    return goal


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

"""The table `targets` read into rows: what a process owner wrote, checked output by output."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import TypeAlias

from services.clock.domain.targets import FALLBACK_THRESHOLDS, Inputs, Json, Row
from shared.vocabulary import Metric, Priority

#: The decision's id in the file.
DECISION = "targets"
#: Percentages a table may announce; above 100 it reminds of what is late already.
LOWEST_PERCENT, HIGHEST_PERCENT = 1, 1000
#: No promise is longer than this: ten years (facts/sla.md 3.6, horizon of the calendars is 20).
LONGEST = timedelta(days=3653)
#: Answers that are remembered: metrics × priorities × what else the table looks at.
_REMEMBERED = 20_000

_DURATION = re.compile(
    r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Matched:
    """One matching rule: its id and its outputs by name."""

    rule: str
    outputs: Mapping[str, object]


#: Evaluates the table for inputs; wired to the decision library by the store.
Evaluate: TypeAlias = Callable[[Mapping[str, Json]], Sequence[Matched]]


class Table:
    """One released version of the table, its answers remembered."""

    def __init__(self, version: int, evaluate: Evaluate) -> None:
        self._version, self._evaluate = version, evaluate
        self._known: dict[Inputs, tuple[Row, ...]] = {}

    @property
    def version(self) -> int:
        """The version."""
        return self._version

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
    for metric, priority, domain in product(Metric, Priority, ("it", "hr")):
        inputs = Inputs(metric, priority, "portal", "standard", domain, "any")
        for row in table.rows(inputs):
            if row.fault:
                found[f"{row.rule}: {row.fault}"] = None
    return list(found)


def read_row(matched: Matched) -> Row:
    """Return the row of a matched rule; its `fault` says what cannot be used."""
    outputs = matched.outputs
    wanted = outputs.get("is_clock_wanted")
    if wanted is False:
        return Row(matched.rule, timedelta(0), "", (), is_clock_wanted=False)
    try:
        return Row(
            rule=matched.rule,
            target=_target(outputs.get("target")),
            calendar=_calendar(outputs.get("calendar")),
            thresholds=_thresholds(outputs.get("thresholds")),
            pauses_on=_reasons(outputs.get("pauses_on")),
        )
    except ValueError as error:
        return Row(matched.rule, timedelta(0), "", (), fault=str(error))


def _target(value: object) -> timedelta:
    time = value if isinstance(value, timedelta) else _duration(value)
    if not timedelta(0) < time <= LONGEST:
        raise ValueError(f"target {value!r} must be above zero and at most ten years")
    return time


def _duration(value: object) -> timedelta:
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or not any(found.groupdict().values()):
        raise ValueError(f"target {value!r} is not an ISO 8601 duration such as PT15M")
    d, h, m, s = (float(found[k] or 0) for k in "dhms")
    return timedelta(days=d, hours=h, minutes=m, seconds=s)


def _calendar(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"calendar {value!r} is not a calendar's key")
    return value.strip()


def _thresholds(value: object) -> tuple[int, ...]:
    if value is None:
        return FALLBACK_THRESHOLDS
    parts = _parts(value, "thresholds")
    try:
        percents = sorted({int(part) for part in parts})
    except ValueError:
        raise ValueError(f"thresholds {value!r} are not whole percentages") from None
    if percents and not LOWEST_PERCENT <= percents[0] <= percents[-1] <= HIGHEST_PERCENT:
        raise ValueError(f"thresholds {value!r} must lie between 1 and 1000")
    return tuple(percents)


def _reasons(value: object) -> frozenset[str]:
    return frozenset(_parts(value, "pauses_on")) if value is not None else frozenset()


def _parts(value: object, name: str) -> list[str]:
    """Read "a, b" or a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list | tuple):
        return [str(part).strip() for part in value]
    raise ValueError(f"{name} {value!r} is not a list such as a,b")

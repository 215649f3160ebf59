"""What is wrong or odd about a table of targets, row by row, found before anybody is promised it.

Rows are not read but asked: for each rule inputs are made that it accepts, and the table answers
for them as it would for a request. So what beats a row in truth beats it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from itertools import product
from typing import TypeAlias

from shared.business_time import Calendar
from shared.decisions import OTHER_TEXT
from shared.errors import Finding
from shared.targets import review_words
from shared.targets.cells import bare_days, odd_wish, read_row
from shared.targets.rows import FALLBACK_CALENDAR, FALLBACKS, STAGE, Inputs, Json, Matched, Row
from shared.targets.supporting import (
    Promised,
    Shortfall,
    is_outside_time,
    shortfall,
    unsupported_pauses,
)
from shared.targets.table import Table
from shared.vocabulary import Metric, Priority

#: Between teams, and with suppliers.
_INSIDE = ("ola", "uc")
#: What a stage is part of.
_WHOLE = Metric.RESOLUTION
#: Requests looked at per pair of rows; more would only say the same again.
_WITNESSES = 4
_MEASURES = (*(metric.value for metric in Metric), STAGE)
_PRIORITIES = tuple(priority.value for priority in Priority)

#: The inputs a rule is looked at by.
ASKED = frozenset(field.name for field in fields(Inputs))

#: Asks the table for all its matching rules and what they say.
Ask: TypeAlias = Callable[[Mapping[str, Json]], Sequence[Matched]]


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule from outside: for each input it asks, what it accepts of what the table mentions."""

    id: str
    accepts: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    #: What it says, where nothing has to be computed.
    says: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A table to review: asked, and looked at by rule. `calendars` None: none are known here."""

    table: Table
    ask: Ask
    rules: Sequence[RuleView]
    calendars: Mapping[str, Calendar] | None = None


def review_rows(subject: Subject) -> Iterator[Finding]:
    """Yield what makes single rows unusable, or mean something else than they seem to."""
    stages: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {}
    for rule in subject.rules:
        yield from _unknown_words(rule)
        for one in _said_by(rule, subject):
            row = read_row(one)
            yield from _row_findings(one, row, rule, subject)
            if row.clock and not row.fault:
                how = (rule.id, row.starts_on, row.stops_on)
                first = stages.setdefault(row.clock, how)
                if first[1:] != how[1:]:
                    yield review_words.stage_disagrees(rule.id, row.clock, first[0])


def _said_by(rule: RuleView, subject: Subject) -> Sequence[Matched]:
    """Return what a rule says: as it stands, or to a request that it accepts."""
    if rule.says is not None:
        return [Matched(rule.id, rule.says)]
    answers = (subject.ask(inputs.as_json()) for inputs in _witnesses(rule.accepts, 1))
    return [one for answer in answers for one in answer if one.rule == rule.id]


def _row_findings(
    matched: Matched, row: Row, rule: RuleView, subject: Subject
) -> Iterator[Finding]:
    fault = row.fault or odd_wish(matched.outputs)
    if fault is not None:
        yield review_words.unusable(row.rule, fault)
        return
    for column, days in bare_days(matched.outputs).items():
        yield review_words.bare(row, column, days)
    known = subject.calendars
    if row.is_clock_wanted and known is not None and row.calendar not in known:
        yield review_words.no_calendar(row, sorted(known))
    is_stage = next((m for m in rule.accepts.get("metric", ()) if m in _MEASURES), "") == STAGE
    if is_stage and row.is_clock_wanted and not (row.clock and row.starts_on):
        yield review_words.never_begins(row)


def review_support(subject: Subject, at: datetime, most: int | None = None) -> Iterator[Finding]:
    """Yield the promises inside that cannot support the promise outside.

    Each pair of rows is told once. `most`: pairs compared at most, for who must not be kept.
    """
    if subject.calendars is None:
        return
    told: set[tuple[str, str]] = set()
    compared: set[frozenset[str]] = set()
    for inputs in _inside_requests(subject):
        for inside, outside in _opposed(subject, inputs):
            rules = frozenset(one.row.rule for one in (*inside, *outside))
            if rules in compared:
                continue
            compared.add(rules)
            if most is not None and len(compared) > most:
                return
            found = shortfall(inside, outside, at)
            yield from _once(told, found, inside, outside)


def _once(
    told: set[tuple[str, str]],
    found: Shortfall | None,
    inside: Sequence[Promised],
    outside: Sequence[Promised],
) -> Iterator[Finding]:
    if found is not None:
        pair = (found.inside.row.rule, found.outside.row.rule)
        if pair not in told:
            told.add(pair)
            yield review_words.unsupported(found)
    for part, whole in product(inside, outside):
        reasons = unsupported_pauses(part.row, whole.row)
        pair = (part.row.rule, f"{whole.row.rule}/pauses")
        if reasons and pair not in told:
            told.add(pair)
            yield review_words.stands_still(part.row, whole.row, sorted(reasons))


def _inside_requests(subject: Subject) -> Iterator[Inputs]:
    """Yield requests to which a rule inside applies, together with each rule outside."""
    views = [(rule, _kind_of(subject, rule)) for rule in subject.rules]
    seen: set[Inputs] = set()
    for rule, kind in views:
        if kind not in _INSIDE:
            continue
        wholes = {_WHOLE if m == STAGE else m for m in rule.accepts.get("metric", _MEASURES)}
        others = [
            other.accepts
            for other, its_kind in views
            if its_kind not in _INSIDE and wholes & set(other.accepts.get("metric", _MEASURES))
        ]
        shared = (_shared(rule.accepts, other) for other in others)
        for box in (rule.accepts, *(each for each in shared if each is not None)):
            for inputs in _witnesses(box, _WITNESSES):
                if inputs not in seen:
                    seen.add(inputs)
                    yield inputs


def _kind_of(subject: Subject, rule: RuleView) -> str:
    for inputs in _witnesses(rule.accepts, 1):
        for matched in subject.ask(inputs.as_json()):
            if matched.rule == rule.id:
                return read_row(matched).kind
    return ""


def _shared(
    one: Mapping[str, tuple[Json, ...]], other: Mapping[str, tuple[Json, ...]]
) -> dict[str, tuple[Json, ...]] | None:
    """Return what both accept; None where no request is both. A stage is compared by its whole."""
    found = dict(one)
    for name, values in other.items():
        if name == "metric":
            continue
        both = tuple(v for v in one.get(name, values) if v in values)
        if not both:
            return None
        found[name] = both
    return found


def _opposed(subject: Subject, inputs: Inputs) -> Iterator[tuple[list[Promised], list[Promised]]]:
    """Yield, for a request, each agreement inside with what it must support."""
    rows = [row for row in subject.table.rows(inputs) if not row.fault and row.is_clock_wanted]
    whole = inputs if inputs.metric != STAGE else _as_whole(inputs)
    outside = _outside(subject, whole)
    if not outside:
        return
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.kind in _INSIDE:
            groups.setdefault((row.agreement, row.clock), []).append(row)
    for group in groups.values():
        inside = [one for row in group if (one := _promised(subject, row)) is not None]
        held = [one for one in outside if not is_outside_time(group[0], one.row)]
        if inside and held:
            yield inside, held


def _as_whole(inputs: Inputs) -> Inputs:
    return replace(inputs, metric=_WHOLE)


def _unknown_words(rule: RuleView) -> Iterator[Finding]:
    for name, known in (("metric", _MEASURES), ("priority", _PRIORITIES)):
        accepted = rule.accepts.get(name, ())
        unknown = [value for value in accepted if value not in known]
        # A cell that takes whatever nobody mentions names no word: `-`, `not(…)`.
        if unknown and OTHER_TEXT not in accepted:
            shown = ", ".join(str(value) for value in unknown)
            yield review_words.word_unknown(rule.id, name, shown, known)


def _outside(subject: Subject, inputs: Inputs) -> list[Promised]:
    rows = [row for row in subject.table.rows(inputs) if not row.fault and not row.agreement]
    rows = [row for row in rows if row.kind not in _INSIDE and not row.clock]
    if any(not row.is_clock_wanted for row in rows):
        return []
    rows = rows or [row for row in subject.table.ceilings(inputs) if not row.fault]
    if not rows and inputs.metric in FALLBACKS:
        rows = [Row("fallback", FALLBACKS[inputs.metric], FALLBACK_CALENDAR)]
    found = (_promised(subject, row) for row in rows if row.is_clock_wanted)
    return [one for one in found if one is not None]


def _promised(subject: Subject, row: Row) -> Promised | None:
    calendar = (subject.calendars or {}).get(row.calendar)
    return None if calendar is None else Promised(row, calendar)


def _witnesses(accepts: Mapping[str, tuple[Json, ...]], most: int) -> Iterator[Inputs]:
    """Yield requests that fit, a few: the first value of each input, then others."""
    names = sorted(accepts)
    count = 0
    for values in product(*(accepts[name] for name in names)):
        made = _inputs(dict(zip(names, values, strict=True)))
        if made is not None:
            yield made
            count += 1
        if count >= most:
            return


def _inputs(given: Mapping[str, Json]) -> Inputs | None:
    metric, priority = given.get("metric", _MEASURES[0]), given.get("priority", "P3")
    if metric not in _MEASURES or priority not in _PRIORITIES:
        return None
    hour = given.get("hour")
    texts = {
        name: str(given.get(name, default))
        for name, default in (
            ("channel", "portal"),
            ("customer_tier", "standard"),
            ("domain", "it"),
            ("request_type", "any"),
            ("team", ""),
            ("organisation_unit", ""),
            ("weekday", ""),
        )
    }
    return Inputs(
        metric=str(metric),
        priority=Priority(str(priority)),
        hour=hour if isinstance(hour, int) and not isinstance(hour, bool) else None,
        **texts,
    )

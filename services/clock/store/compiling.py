"""From released text to what the domain computes with: calendars and the table of targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, cast

import orjson

from services.clock.domain.targets import CalendarMissing
from shared.business_time import Calendar, CalendarInvalid
from shared.definitions.parsing import read_yaml
from shared.errors import Finding, Invalid, LeveeError
from shared.targets.reading import findings_by_row, subject_of
from shared.targets.review import Subject, review_support
from shared.targets.review_words import CALENDAR_UNKNOWN
from shared.targets.rows import DECISION
from shared.targets.table import Table

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
    return _subject(version, content, None).table


def accept_table(
    version: int, content: str, calendars: Mapping[str, Calendar] | None, at: datetime
) -> tuple[Table, tuple[Finding, ...]]:
    """Return a table that is to come into force, and what is odd about it.

    Every row is tried. Raises `DefinitionBroken` for one nobody could use. A row on a calendar
    that is not here is none of these: the calendar may come a moment after the table.
    """
    subject = _subject(version, content, calendars)
    found = tuple(findings_by_row(version, content, calendars))
    wrong = [f for f in found if f.severity == "error" and f.rule != CALENDAR_UNKNOWN]
    if wrong:
        told = (f"{finding.path}: {finding.message['en']}" for finding in wrong[:5])
        raise _broken("decision", DECISION, version, "; ".join(told))
    return subject.table, (*found, *review_support(subject, at, most=MOST_COMPARED))


def _subject(version: int, content: str, calendars: Mapping[str, Calendar] | None) -> Subject:
    try:
        return subject_of(version, content, calendars)
    except LeveeError as error:
        raise _broken("decision", DECISION, version, str(error)) from error


@dataclass(frozen=True, slots=True)
class Resolved:
    """A calendar with its holidays written out, and the holiday data they are from."""

    calendar: Calendar
    data: str


def compile_calendar(
    key: str, version: int, content: str, known: Mapping[str, Calendar]
) -> Resolved:
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
    return written_out(calendar)


def written_out(calendar: Calendar) -> Resolved:
    """Return a calendar with the holidays of the installed data written out."""
    pinned = Calendar.from_dict(calendar.to_dict(is_pinned=True))
    return Resolved(pinned, ",".join(sorted(_data_of(calendar))))


def _data_of(calendar: Calendar) -> set[str]:
    own = {calendar.data_version} - {None}
    return {str(each) for each in own}.union(*(_data_of(member) for member in calendar.members))


def write_calendar(calendar: Calendar) -> str:
    """Return a calendar as it is stored: with every holiday written out."""
    return orjson.dumps(calendar.to_dict(is_pinned=True)).decode()


def read_stored_calendar(content: str) -> Calendar:
    """Return a stored calendar."""
    return Calendar.from_dict(orjson.loads(content))


def _broken(kind: str, key: str, version: int, reason: str) -> DefinitionBroken:
    return DefinitionBroken(kind=kind, key=key, version=version, reason=reason)

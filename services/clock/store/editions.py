"""Editions of calendars: read from the tables, and found when one in force would say more now."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import and_, or_, select

from services.clock.domain.editions import is_older_data, next_edition, version_of
from services.clock.domain.targets import CalendarMissing
from services.clock.store import tables
from services.clock.store.compiling import (
    DefinitionBroken,
    Resolved,
    compile_calendar,
    written_out,
)
from shared.business_time import Calendar, covered_until
from shared.business_time.tracing import traced
from shared.database.engine import Transaction
from shared.definitions.calendars import calendar_document, members_of
from shared.errors import LeveeError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a calendar in force was read from, and the holiday data its days are from.

    Both are None for one stored before that was kept.
    """

    text: str | None
    data: str | None

    def members(self, key: str) -> Collection[str]:
        """Return the keys of the calendars it is made of."""
        try:
            return members_of(calendar_document(self.text, key)) if self.text else ()
        except LeveeError:
            return ()


async def read_origins(tx: Transaction, in_force: Mapping[str, int]) -> dict[str, Origin]:
    """Return the origin of each of these calendars, by key; `in_force` are their numbers."""
    released, later = tables.definitions, tables.editions
    if not in_force:
        return {}
    pairs = [
        and_(released.c.key == key, released.c.version == version_of(number))
        for key, number in sorted(in_force.items())
    ]
    columns = (released.c.key, released.c.released_text, released.c.data)
    wanted = select(*columns).where(released.c.kind == "calendar", or_(*pairs))
    found = {row.key: Origin(row.released_text, row.data) for row in await tx.execute(wanted)}
    numbers = [
        and_(later.c.key == key, later.c.number == number)
        for key, number in sorted(in_force.items())
    ]
    for row in await tx.execute(select(later.c.key, later.c.data).where(or_(*numbers))):
        found[row.key] = replace(found[row.key], data=row.data)
    return found


def renewed(calendar: Calendar, origin: Origin, known: Mapping[str, Calendar]) -> Resolved | None:
    """Return a calendar in force as it reads now, as its next edition; None where nothing is new.

    `known` are the calendars in force. The holiday data of this process may be older than those
    another replica has read already: then nothing is new here.
    """
    try:
        now = _read_again(calendar, origin, known)
    except (CalendarMissing, DefinitionBroken) as error:
        _log.warning("calendar %s stays as it was written out: %s", calendar.key, error)
        return None
    if is_older_data(now.data, origin.data or "") or (
        origin.data is None and _knows_less(now.calendar, calendar)
    ):
        return None
    if replace(now.calendar, version=calendar.version) == calendar:
        return None
    again = replace(now.calendar, version=next_edition(calendar.version))
    return replace(now, calendar=again)


def _read_again(calendar: Calendar, origin: Origin, known: Mapping[str, Calendar]) -> Resolved:
    if origin.text is not None:
        version = version_of(calendar.version)
        return compile_calendar(calendar.key, version, origin.text, known)
    return written_out(traced(calendar))


def _knows_less(now: Calendar, before: Calendar) -> bool:
    until, was = covered_until(now), covered_until(before)
    return until is not None and was is not None and until < was

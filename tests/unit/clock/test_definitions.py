"""The clock's own copy of tables and calendars: taken once, kept for good, never broken."""

from __future__ import annotations

import logging
from datetime import date

import pytest

from services.clock.domain.targets import CalendarMissing
from services.clock.store import Shelf, Shelved
from services.clock.store.compiling import read_stored_calendar
from tests.unit.clock.builders import ROOT, START

OFFICE = (ROOT / "bpmn/calendars/office-cn.yaml").read_text()
ALWAYS = (ROOT / "bpmn/calendars/24x7.yaml").read_text()
TARGETS = (ROOT / "bpmn/targets.dmn").read_text()


def test_a_calendar_is_stored_with_its_holidays_written_out() -> None:
    library = Shelved(Shelf(), {})

    stored = library.release("calendar", "office-cn", 4, OFFICE, START)

    assert stored is not None
    calendar = read_stored_calendar(stored.content)
    assert (calendar.version, calendar.source_key) == (4, None)
    assert date(2026, 10, 10) in {made_up.day for made_up in calendar.make_up_days}
    assert calendar.known_until == date(2026, 12, 31)


def test_a_version_heard_again_or_an_older_one_is_no_news() -> None:
    library = Shelved(Shelf(), {})
    library.release("calendar", "24x7", 2, ALWAYS, START)

    assert library.release("calendar", "24x7", 2, ALWAYS, START) is None
    assert library.release("calendar", "24x7", 1, ALWAYS, START) is None
    assert library.calendar("24x7", None).version == 2


@pytest.mark.parametrize(
    ("kind", "key", "content"),
    [
        ("calendar", "office-cn", "key: office-cn\nwindows: {mon: [25:00-26:00]}"),
        ("calendar", "office-cn", "- not a calendar"),
        ("calendar", "office-cn", ""),
        ("decision", "targets", "<definitions/>"),
        ("decision", "targets", TARGETS.replace('"PT15M"', '"soon"')),
    ],
)
def test_broken_content_leaves_the_version_in_force(
    kind: str, key: str, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    library = Shelved(Shelf(), {})
    good = TARGETS if kind == "decision" else OFFICE
    library.release(kind, key, 1, good, START)

    with caplog.at_level(logging.WARNING):
        assert library.release(kind, key, 2, content, START) is None

    assert library.versions[(kind, key)] == 1
    assert library.shelf.refusals == 1
    assert "the version in force stays" in caplog.text


def test_a_calendar_made_of_one_that_has_not_come_waits_for_it() -> None:
    library = Shelved(Shelf(), {})
    both = "key: both\nkind: union\nof: [office-cn, 24x7]"
    with pytest.raises(CalendarMissing):
        library.release("calendar", "both", 1, both, START)

    library.release("calendar", "office-cn", 1, OFFICE, START)
    library.release("calendar", "24x7", 1, ALWAYS, START)

    assert library.release("calendar", "both", 1, both, START) is not None

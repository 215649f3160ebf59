"""Deadlines that real authorities set, computed again from their rules."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from shared.business_time import Calendar, add_working_days, due
from tests.harness.shared_data import shared_data

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEW_YORK, _AMSTERDAM = "America/New_York", "Europe/Amsterdam"


def _rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(shared_data(name), "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _always(zone: str) -> Calendar:
    return Calendar.from_dict({"key": "always", "version": 1, "kind": "24x7", "zone": zone})


def test_every_police_row_of_new_york_is_due_eight_hours_after_its_creation() -> None:
    calendar, zone = _always(_NEW_YORK), ZoneInfo(_NEW_YORK)

    police = [row for row in _rows("nyc311_2013_sample.csv.gz") if row["agency"] == "NYPD"]

    wrong = []
    for row in police:
        created = datetime.fromisoformat(row["created_date"]).replace(tzinfo=zone)
        told = datetime.fromisoformat(row["due_date"]).replace(tzinfo=zone)
        if due(calendar, created, timedelta(hours=8)).due_at != told:
            wrong.append(row["unique_key"])
    assert len(police) == 298
    assert wrong == []


def test_dutch_permits_are_due_after_eight_weeks_or_fourteen_when_prolonged() -> None:
    calendar, zone = _always(_AMSTERDAM), ZoneInfo(_AMSTERDAM)
    cases = {row["case:concept:name"]: row for row in _rows("nl_permit_receipt_events.csv.gz")}

    reached: Counter[int] = Counter()
    for row in cases.values():
        start = datetime.fromisoformat(row["case:startdate"]).astimezone(zone).date()
        deadline = datetime.fromisoformat(row["case:deadline"]).astimezone(zone).date()
        # The law counts days, whatever the hour and across summer time.
        for weeks in (8, 14):
            if add_working_days(calendar, start, weeks * 7).day == deadline:
                reached[weeks] += 1

    assert len(cases) == 1434
    # By date. One more than the 1,079 of a span rounded to days: its start carries an afternoon.
    assert reached == {8: 1080, 14: 58}

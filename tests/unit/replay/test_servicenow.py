"""Reading a ServiceNow log: what is broken is counted, named and left out; the rest is played."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from levee.replay.servicenow import BadLog, read_log, teams_of
from shared.vocabulary import Impact, Urgency

if TYPE_CHECKING:
    from pathlib import Path

HEADER = (
    "number,event_seq,incident_state,opened_at,sys_updated_at,impact,urgency,"
    "assignment_group,assigned_to,category"
)


def a_row(number: str = "INC1", sequence: object = 1, **changed: str) -> str:
    """Return a line of a log; `changed` names columns."""
    told = {
        "number": number,
        "event_seq": str(sequence),
        "incident_state": "New",
        "opened_at": "2016-02-29 01:16:00",
        "sys_updated_at": "2016-02-29 01:23:00",
        "impact": "2 - Medium",
        "urgency": "1 - High",
        "assignment_group": "Group 56",
        "assigned_to": "Resolver 1",
        "category": "Category 55",
    }
    return ",".join({**told, **changed}[name] for name in HEADER.split(","))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log.csv"


def write(file: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    file.write_text("\n".join((header, *rows)) + "\n", encoding=encoding)
    return file


# ---- what is read ------------------------------------------------------------------------------


def test_an_incident_has_its_events_in_the_order_of_their_numbers(file: Path) -> None:
    write(file, a_row(sequence=10, incident_state="Closed"), a_row(sequence=9), a_row("INC2"))

    incidents, skipped = read_log(file, "UTC")

    assert [incident.external_id for incident in incidents] == ["INC1", "INC2"]
    assert [row.sequence for row in incidents[0].rows] == [9, 10]
    assert skipped.count == 0


def test_urgency_and_impact_are_those_of_the_last_event(file: Path) -> None:
    write(
        file,
        a_row(sequence=2, urgency="3 - Low", impact="1 - High"),
        a_row(sequence=1, urgency="1 - High", impact="3 - Low"),
    )

    [incident], _ = read_log(file, "UTC")

    assert (incident.urgency, incident.impact) == (Urgency.LOW, Impact.HIGH)


def test_wall_clock_times_are_those_of_the_zone(file: Path) -> None:
    write(file, a_row(opened_at="2016-02-29 01:16:00", sys_updated_at="2016-02-29 01:23:00+00:00"))

    [incident], _ = read_log(file, "Asia/Shanghai")

    assert incident.opened_at == datetime(2016, 2, 28, 17, 16, tzinfo=UTC)
    assert incident.rows[0].at == datetime(2016, 2, 29, 1, 23, tzinfo=UTC)  # has its own offset


def test_an_incident_is_submitted_when_opened_or_when_something_happened_earlier(
    file: Path,
) -> None:
    write(file, a_row("INC1"), a_row("INC2", sys_updated_at="2016-02-28 12:00:00"))

    opened, earlier = read_log(file, "UTC")[0]

    assert opened.submitted_at == datetime(2016, 2, 29, 1, 16, tzinfo=UTC)
    assert earlier.submitted_at == datetime(2016, 2, 28, 12, tzinfo=UTC)


def test_a_byte_order_mark_and_packing_change_nothing(file: Path) -> None:
    plain = read_log(write(file, a_row()), "UTC")
    marked = read_log(write(file, a_row(), encoding="utf-8-sig"), "UTC")
    packed = file.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))

    assert read_log(packed, "UTC") == marked == plain


def test_columns_may_stand_in_any_order_beside_others(file: Path) -> None:
    names = HEADER.split(",")
    header = ",".join(["made_sla", *reversed(names)])
    row = ",".join(["true", *reversed(a_row().split(","))])

    assert read_log(write(file, row, header=header), "UTC") == read_log(write(file, a_row()), "UTC")


def test_only_the_first_incidents_are_taken_with_all_their_events(file: Path) -> None:
    write(file, a_row("INC1"), a_row("INC2"), a_row("INC3"), a_row("INC1", 2), a_row("INC3", 2))

    incidents, _ = read_log(file, "UTC", limit=2)

    assert [(i.external_id, len(i.rows)) for i in incidents] == [("INC1", 2), ("INC2", 1)]


def test_groups_are_known_with_those_who_worked_in_them(file: Path) -> None:
    write(
        file,
        a_row(sequence=1, assignment_group="", assigned_to="nobody's"),
        a_row(sequence=2, assignment_group="A", assigned_to=""),
        a_row(sequence=3, assignment_group="A", assigned_to="lin"),
        a_row(sequence=4, assignment_group="B", assigned_to="wang"),
    )

    teams, people = teams_of(read_log(file, "UTC")[0])
    assert teams == {"A": ["lin"], "B": ["wang"]}
    assert people == ["lin", "nobody's", "wang"]


# ---- what is left out --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (a_row("INC1", "two"), "'two'"),
        (a_row("INC1", 2, sys_updated_at="yesterday"), "yesterday"),
        (a_row("INC1", 2, opened_at=""), "isoformat"),
        (a_row("INC1", 2, opened_at="2016-02-30 00:00:00"), "day is out of range"),
        (a_row("INC1", 2, opened_at="0001-01-01 00:00:00"), "the year 1 "),
        (a_row("INC1", 2, sys_updated_at="9999-12-31 23:59:59"), "the year 9999 "),
        (a_row("INC1", 2, urgency="9 - None"), "urgency '9 - None'"),
        (a_row("INC1", 2, impact=""), "impact ''"),
        (a_row("INC1", 2) + ",surplus", "number of columns"),
        ("INC1,2", "number of columns"),
        (a_row("", 2), "no incident number"),
        (a_row("INC1", 1), "event_seq 1 stands twice"),
    ],
)
def test_a_broken_row_is_counted_named_and_left_out(file: Path, broken: str, reason: str) -> None:
    write(file, a_row("INC1", 1), broken, a_row("INC1", 3))

    [incident], skipped = read_log(file, "America/New_York")

    assert [row.sequence for row in incident.rows] == [1, 3]
    assert skipped.count == 1
    [named] = skipped.named
    assert named["line"] == 3
    assert reason in str(named["reason"])


def test_many_broken_rows_are_all_counted_and_the_first_fifty_named(file: Path) -> None:
    write(file, a_row(), *(a_row("INC2", "x") for _ in range(70)))

    incidents, skipped = read_log(file, "UTC")

    assert [incident.external_id for incident in incidents] == ["INC1"]
    assert (skipped.count, len(skipped.named)) == (70, 50)


def test_bytes_that_are_no_text_spoil_only_their_row(file: Path) -> None:
    rows = [a_row("INC1").encode(), a_row("INC2", urgency="\udcff").encode("utf-8", "replace")]
    file.write_bytes(b"\n".join([HEADER.encode(), rows[0], b"\xff\xfe\x00,2", rows[1]]))

    incidents, skipped = read_log(file, "UTC")

    assert [incident.external_id for incident in incidents] == ["INC1"]
    assert skipped.count == 2


# ---- what is no log ----------------------------------------------------------------------------


def test_missing_columns_are_named(file: Path) -> None:
    file.write_text("number,event_seq,impact\nINC1,1,1\n", encoding="utf-8")

    with pytest.raises(BadLog, match="columns missing: incident_state, opened_at"):
        read_log(file, "UTC")


def test_an_empty_file_is_no_log(file: Path) -> None:
    file.write_bytes(b"")

    with pytest.raises(BadLog, match="columns missing"):
        read_log(file, "UTC")


def test_a_log_without_events_has_no_incidents(file: Path) -> None:
    assert read_log(write(file), "UTC")[0] == []


@pytest.mark.parametrize(
    "content",
    [
        b"number,event_seq\n",
        gzip.compress(b"number,event_seq\n" * 1000)[:-20],
        gzip.compress(b"number,event_seq\n" * 1000)[:12] + b"\xff" * 40,
    ],
    ids=["not packed", "cut off", "damaged"],
)
def test_a_file_that_cannot_be_unpacked_is_no_log(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "log.csv.gz"
    file.write_bytes(content)

    with pytest.raises(BadLog):
        read_log(file, "UTC")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd"])
def test_an_unknown_zone_is_named(file: Path, zone: str) -> None:
    with pytest.raises(BadLog, match="unknown zone"):
        read_log(write(file, a_row()), zone)

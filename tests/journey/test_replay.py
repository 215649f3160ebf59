"""Recorded logs through the real services: every figure against an account of its own."""

from __future__ import annotations

import asyncio
import csv
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd
import pytest
import uvloop

from levee.replay.run import replay_log
from levee.replay.servicenow import BadLog
from tests.harness.shared_data import shared_data

if TYPE_CHECKING:
    from pathlib import Path

    from levee.simulated import BusKind

_COLUMNS = (
    "number", "event_seq", "incident_state", "opened_at", "sys_updated_at", "impact", "urgency",
    "assignment_group", "assigned_to", "category",
)  # fmt: skip
_DONE = ("Resolved", "Closed")


def report_of(log: Path, folder: Path, **options: Any) -> dict[str, Any]:
    """Replay a log; return the report as it would be written to a file."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        told = runner.run(replay_log(log, folder, **options))
    report: dict[str, Any] = orjson.loads(orjson.dumps(told, option=orjson.OPT_SORT_KEYS))
    return report


def comparable(report: dict[str, Any]) -> bytes:
    """Return a report sorted, without what tells of this run: the bus and how long it took."""
    log = report["totals"]["log"]
    log["bus"] = log["wall_s"] = None
    report["requests"].sort(key=lambda request: request["external_id"])
    return orjson.dumps(report, option=orjson.OPT_SORT_KEYS)


def clock(request: dict[str, Any], metric: str) -> dict[str, Any]:
    """Return a request's one clock of a metric."""
    (found,) = (c for c in request["clocks"] if c["metric"] == metric)
    return dict(found)


# ---- a real log, computed a second time ---------------------------------------------------------


def read_with_pandas(path: Path, limit: int) -> pd.DataFrame:
    """Return the events of the first `limit` incidents of the file, in the order of the log."""
    events = pd.read_csv(path, dtype=str).fillna("")
    chosen = events["number"].drop_duplicates().head(limit)
    events = events[events["number"].isin(chosen)].copy()
    events["seq"] = events["event_seq"].astype(int)
    events["at"] = pd.to_datetime(events["sys_updated_at"])
    events["opened"] = pd.to_datetime(events["opened_at"])
    return events.sort_values(["number", "seq"])


def expected_figures(events: pd.DataFrame) -> pd.DataFrame:
    """Compute per incident what the report must say, from the reading rules alone."""
    by_incident = events.groupby("number")
    first_at = by_incident["at"].transform("first")
    submitted = events["opened"].where(events["opened"] < first_at, first_at)
    state_before = by_incident["incident_state"].shift()
    span = events["at"] - by_incident["at"].shift().fillna(submitted)
    is_waiting = state_before.fillna("").str.startswith("Awaiting")
    is_done = state_before.isin(_DONE)
    seconds = span.dt.total_seconds()
    figures = pd.DataFrame(
        {
            "resolution_s": seconds.where(~is_waiting & ~is_done, 0.0),
            "paused_s": seconds.where(is_waiting, 0.0),
        }
    )
    told = figures.groupby(events["number"]).sum()
    responses = events[events["incident_state"] != "New"].groupby("number")["at"].first()
    told["first_response_s"] = (
        responses - submitted.groupby(events["number"]).first()
    ).dt.total_seconds()
    told["priority"] = "P" + by_incident["priority"].last().str[0]
    named = events[events["assignment_group"] != ""]
    before = named.groupby("number")["assignment_group"].shift()
    changed = before.notna() & (before != named["assignment_group"])
    told["team_changes"] = changed.groupby(named["number"]).sum()
    told["team_changes"] = told["team_changes"].fillna(0).astype(int)
    return told


def is_same_minute(found_s: float, expected_s: float) -> bool:
    """Return whether two durations are equal to the minute."""
    return abs(found_s - expected_s) < 60


def assert_as_computed(limit: int, folder: Path) -> None:
    """Replay `limit` incidents of the recorded log and compare every one of them."""
    log = shared_data("servicenow_events_dev.csv.gz")
    events = read_with_pandas(log, limit)
    expected = expected_figures(events)

    report = report_of(log, folder, limit=limit)

    requests = {request["external_id"]: request for request in report["requests"]}
    assert set(requests) == set(expected.index)
    assert report["totals"]["log"]["events"] == len(events)
    assert report["totals"]["log"]["skipped"] == 0
    wrong = []
    for number, row in expected.iterrows():
        request = requests[str(number)]
        response, resolution = clock(request, "first_response"), clock(request, "resolution")
        is_right = (
            request["priority"] == row["priority"]
            and request["team_changes"] == row["team_changes"]
            and is_same_minute(response["elapsed_s"], row["first_response_s"])
            and is_same_minute(resolution["elapsed_s"], row["resolution_s"])
            and is_same_minute(resolution["paused_s"], row["paused_s"])
        )
        wrong += [] if is_right else [(number, dict(row), request)]
    assert wrong == []
    assert_totals(report["totals"], expected)


def assert_totals(totals: dict[str, Any], expected: pd.DataFrame) -> None:
    """Compare counts and nearest-rank percentiles with the account of pandas."""
    assert totals["by_priority"] == dict(expected["priority"].value_counts().sort_index())
    assert totals["team_changes"] == expected["team_changes"].sum()
    for metric, column in (("first_response", "first_response_s"), ("resolution", "resolution_s")):
        ranked = sorted(expected[column])
        told = totals["metrics"][metric]
        assert told["clocks"] == len(expected)
        for percent in (50, 90, 95, 99):
            nearest = ranked[math.ceil(percent / 100 * len(ranked)) - 1]
            assert is_same_minute(told["elapsed_s"][f"p{percent}"], nearest), (metric, percent)


def test_every_incident_of_a_recorded_log_is_timed_as_the_log_says(tmp_path: Path) -> None:
    assert_as_computed(60, tmp_path)


@pytest.mark.slow
def test_the_whole_year_of_a_recorded_log_is_timed_as_the_log_says(tmp_path: Path) -> None:
    assert_as_computed(14_809, tmp_path)


# ---- a log written by hand, exact ---------------------------------------------------------------


def event(
    number: str, seq: int, at: str, state: str, group: str = "G1", person: str = "", **given: str
) -> dict[str, str]:
    """Return one event of 1 March 2016; medium urgency and impact (P3), opened at 08:00."""
    return {
        "number": number,
        "event_seq": str(seq),
        "incident_state": state,
        "opened_at": "2016-03-01T08:00",
        "sys_updated_at": f"2016-03-01T{at}",
        "impact": "2 - Medium",
        "urgency": "2 - Medium",
        "assignment_group": group,
        "assigned_to": person,
        "category": "Network",
        **given,
    }


HIGH = {"urgency": "1 - High", "impact": "1 - High"}
HAND_WRITTEN = [
    # Starts with somebody at work.
    event("A", 1, "08:10", "Active", person="Ann"),
    event("A", 2, "09:00", "Resolved", person="Ann"),
    event("A", 3, "10:00", "Closed", person="Ann"),
    # Closed without Resolved, and nobody named.
    event("B", 1, "08:00", "New"),
    event("B", 2, "08:40", "Closed"),
    # Reopened twice.
    event("C", 1, "08:05", "New", person="Ann"),
    event("C", 2, "09:00", "Resolved", person="Ann"),
    event("C", 3, "10:00", "Active", person="Ann"),
    event("C", 4, "10:30", "Resolved", person="Ann"),
    event("C", 5, "11:00", "Active", person="Ann"),
    event("C", 6, "11:15", "Resolved", person="Ann"),
    event("C", 7, "12:00", "Closed", person="Ann"),
    # Waiting when it is resolved.
    event("D", 1, "08:10", "Active", person="Bob"),
    event("D", 2, "08:20", "Awaiting User Info", person="Bob"),
    event("D", 3, "09:20", "Resolved", person="Bob"),
    event("D", 4, "09:30", "Closed", person="Bob"),
    # One wait after another, a state nobody knows, there and back between teams.
    event("E", 1, "08:00", "New", person="Ann"),
    event("E", 2, "08:10", "Awaiting Vendor", person="Ann"),
    event("E", 3, "08:30", "Awaiting Problem", person="Ann"),
    event("E", 4, "08:40", "Awaiting Evidence", person="Ann"),
    event("E", 5, "09:00", "Active", group="G2", person="Bob"),
    event("E", 6, "09:10", "-100", group="G1"),
    event("E", 7, "09:30", "Resolved", group="G1"),
    event("E", 8, "09:40", "Closed", group="G1"),
    # An event before it was opened; urgent only as known in the end; silent for 50 minutes.
    event("F", 1, "07:50", "New"),
    event("F", 2, "08:40", "Active", person="Bob", **HIGH),
    event("F", 3, "09:00", "Resolved", person="Bob", **HIGH),
    event("F", 4, "09:30", "Closed", person="Bob", **HIGH),
]

#: Minutes: first response, assignment, handling, resolution, paused of the resolution.
EXPECTED = {
    "A": (10, 10, 50, 60, 0),
    "B": (40, 40, None, 40, 0),
    "C": (60, 5, 55 + 30 + 15, 60 + 30 + 15, 0),
    "D": (10, 10, 10, 20, 60),
    "E": (10, 0, 10 + 10, 10 + 30, 50),
    "F": (50, 50, 20, 70, 0),
}


def write_log(path: Path, rows: list[dict[str, str]], *broken: str) -> Path:
    """Write rows as a log, and `broken` lines behind them."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        file.writelines(f"{line}\n" for line in broken)
    return path


def minutes_of(request: dict[str, Any]) -> tuple[float | None, ...]:
    """Return the figures of a request as `EXPECTED` has them."""
    found = {c["metric"]: c for c in request["clocks"]}
    elapsed = [
        found[m]["elapsed_s"] / 60 if m in found else None
        for m in ("first_response", "assignment", "handling", "resolution")
    ]
    return (*elapsed, found["resolution"]["paused_s"] / 60)


def test_a_log_written_by_hand_is_timed_exactly(tmp_path: Path) -> None:
    report = report_of(write_log(tmp_path / "log.csv", HAND_WRITTEN), tmp_path / "house")

    requests = {request["external_id"]: request for request in report["requests"]}
    assert {number: minutes_of(r) for number, r in requests.items()} == EXPECTED
    assert {r["state"] for r in requests.values()} == {"closed"}
    assert [(r["reopenings"], r["team_changes"]) for _, r in sorted(requests.items())] == [
        (0, 0), (0, 0), (2, 0), (0, 0), (0, 2), (0, 0)
    ]  # fmt: skip
    assert [r["priority"] for _, r in sorted(requests.items())] == ["P3"] * 5 + ["P1"]


def test_the_next_event_of_the_log_acknowledges_what_climbed_before_it(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", HAND_WRITTEN)

    report = report_of(log, tmp_path / "house")

    # F, 75 % of ten minutes to assign it, from 07:50 on: 07:57:30. The policy tells the members,
    # tells them again after 15 minutes, the lead after 30; at 08:40 the log goes on.
    (late,) = (r for r in report["requests"] if r["external_id"] == "F")
    response = clock(late, "escalation_response")
    assert (response["elapsed_s"], response["is_stopped"]) == (42.5 * 60, True)
    assert report["totals"]["escalations"] == {
        "raised": 1,
        "by_trigger": {"warned": 1},
        "steps_by_tier": {"1": 2, "2": 1},
        "acknowledged": 1,
        "exhausted": 0,
    }
    breached = {c["metric"] for c in late["clocks"] if c["state"] == "breached"}
    assert breached == {"first_response", "assignment", "escalation_response"}
    notifications = report["totals"]["notifications"]
    # Twice both members of the group, once the lead.
    assert notifications["accepted_by_template"]["escalation.step"] == 5
    assert set(notifications["outcomes"]) <= {"accepted", "sent", "suppressed"}


@pytest.mark.parametrize("kind", ["memory", pytest.param("nats", marks=pytest.mark.nats)])
def test_the_same_log_gives_the_same_report_on_either_bus(tmp_path: Path, kind: BusKind) -> None:
    log = write_log(tmp_path / "log.csv", HAND_WRITTEN)
    first = report_of(log, tmp_path / "first")

    again = report_of(log, tmp_path / "again", bus_kind=kind)

    assert comparable(again) == comparable(first)


def test_how_much_is_taken_together_changes_nothing(tmp_path: Path) -> None:
    log = shared_data("servicenow_events_dev.csv.gz")
    apart = report_of(log, tmp_path / "apart", limit=40, window=timedelta(minutes=1))

    together = report_of(log, tmp_path / "together", limit=40, window=timedelta(days=400))

    assert comparable(together) == comparable(apart)


def test_rows_that_cannot_be_read_are_counted_named_and_skipped(tmp_path: Path) -> None:
    whole = write_log(tmp_path / "whole.csv", HAND_WRITTEN)
    log = write_log(
        tmp_path / "broken.csv",
        HAND_WRITTEN,
        "A,9,Active,2016-03-01T08:00,yesterday,2 - Medium,2 - Medium,G1,,Network",
        ",1,New,2016-03-01T08:00,2016-03-01T08:00,2 - Medium,2 - Medium,G1,,Network",
        "G,1,New,2016-03-01T08:00,2016-03-01T08:00,9 - Odd,2 - Medium,G1,,Network",
        "H,1,New",
        "B,2,Closed,2016-03-01T08:00,2016-03-01T08:40,2 - Medium,2 - Medium,G1,,Network",
    )

    report = report_of(log, tmp_path / "house")

    told = report["totals"]["log"]
    first_line = len(HAND_WRITTEN) + 2
    assert told["skipped"] == 5
    assert {(row["incident"], row["line"]) for row in told["skipped_rows"]} == {
        ("A", first_line),
        ("", first_line + 1),
        ("G", first_line + 2),
        ("H", first_line + 3),
        ("B", first_line + 4),
    }
    assert all(row["reason"] for row in told["skipped_rows"])
    assert report["requests"] == report_of(whole, tmp_path / "other")["requests"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "columns missing"),
        ("number,event_seq\nA,1\n", "columns missing: incident_state"),
        (",".join(_COLUMNS) + "\n", "no incident could be read, 0 rows skipped"),
    ],
)
def test_a_file_that_is_no_such_log_is_refused_saying_why(
    tmp_path: Path, content: str, reason: str
) -> None:
    log = tmp_path / "log.csv"
    log.write_text(content)

    with pytest.raises(BadLog, match=reason):
        report_of(log, tmp_path / "house")


def test_wall_clock_times_are_read_in_the_zone_that_is_named(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.csv", HAND_WRITTEN[:3])

    report = report_of(log, tmp_path / "house", zone="Asia/Shanghai")

    # Opened at 08:00 in Shanghai, midnight UTC; eight hours for a P3.
    assert clock(report["requests"][0], "resolution")["due_at"] == "2016-03-01T08:00:00+00:00"

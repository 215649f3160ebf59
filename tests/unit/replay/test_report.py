"""The figures of a replay's report, as docs/replay.md defines them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from levee.replay.report import metric_totals, percentiles, totals

NUMBERS = st.lists(st.floats(0, 1e9), min_size=1, max_size=200)


def a_clock(elapsed_s: float, state: str = "met", **changed: Any) -> dict[str, Any]:
    stopped = state == "met"
    told = {"metric": "resolution", "state": state, "elapsed_s": elapsed_s, "is_stopped": stopped}
    return {**told, **changed}


def a_request(*clocks: dict[str, Any], **changed: Any) -> dict[str, Any]:
    told = {"priority": "P3", "state": "closed", "team_changes": 0, "clocks": list(clocks)}
    return {**told, **changed}


@pytest.mark.parametrize(
    ("values", "p50", "p90"),
    [
        ([7.0], 7.0, 7.0),
        ([1.0, 2.0], 1.0, 2.0),
        ([3.0, 1.0, 2.0], 2.0, 3.0),
        ([float(n) for n in range(1, 11)], 5.0, 9.0),
        ([float(n) for n in range(1, 101)], 50.0, 90.0),
    ],
)
def test_a_percentile_is_the_nearest_rank(values: list[float], p50: float, p90: float) -> None:
    found = percentiles(values)

    assert (found["p50"], found["p90"]) == (p50, p90)


def test_nothing_has_no_percentiles() -> None:
    assert percentiles([]) == {"p50": None, "p90": None, "p95": None, "p99": None}


@given(values=NUMBERS)
def test_a_percentile_is_always_one_of_the_values_and_grows(values: list[float]) -> None:
    found = [percentiles(values)[name] for name in ("p50", "p90", "p95", "p99")]

    assert set(found) <= set(values)
    assert found == sorted(v for v in found if v is not None)


@given(values=NUMBERS)
def test_at_least_that_share_of_values_lies_at_or_below_a_percentile(values: list[float]) -> None:
    found = percentiles(values)
    for percent in (50, 90, 95, 99):
        limit = found[f"p{percent}"]
        assert limit is not None
        assert sum(value <= limit for value in values) * 100 >= percent * len(values)


def test_attainment_is_met_in_time_over_all_that_were_decided() -> None:
    requests = [
        a_request(a_clock(60)),
        a_request(a_clock(90)),
        a_request(a_clock(120)),
        a_request(a_clock(999, "breached", is_stopped=True)),
        a_request(a_clock(5, "running"), a_clock(5, "cancelled"), a_clock(5, "paused")),
    ]

    found = metric_totals(requests)["resolution"]

    assert found["attainment"] == 0.75
    assert found["clocks"] == 7
    assert found["states"] == {"breached": 1, "cancelled": 1, "met": 3, "paused": 1, "running": 1}


def test_a_metric_nobody_decided_has_no_attainment() -> None:
    found = metric_totals([a_request(a_clock(5, "running"))])["resolution"]

    assert found["attainment"] is None
    assert found["elapsed_s"]["p50"] is None


def test_percentiles_count_what_stopped_late_or_not_and_nothing_that_runs() -> None:
    requests = [
        a_request(a_clock(10)),
        a_request(a_clock(500, "breached", is_stopped=True)),
        a_request(a_clock(900, "breached", is_stopped=False)),
    ]

    found = metric_totals(requests)["resolution"]["elapsed_s"]

    assert (found["p50"], found["p99"]) == (10, 500)


def test_each_metric_is_counted_for_itself() -> None:
    found = metric_totals([a_request(a_clock(1), a_clock(2, metric="assignment"))])

    assert {metric: told["clocks"] for metric, told in found.items()} == {
        "assignment": 1,
        "resolution": 1,
    }


def test_totals_count_requests_by_priority_and_state_and_add_up_handovers() -> None:
    requests = [
        a_request(team_changes=2),
        a_request(priority="P1", state="open", team_changes=1),
        a_request(),
    ]

    found = totals(requests, escalations={"raised": 1}, notifications={}, log={"events": 9})

    assert found["requests"] == 3
    assert found["by_priority"] == {"P1": 1, "P3": 2}
    assert found["by_state"] == {"closed": 2, "open": 1}
    assert found["team_changes"] == 3
    assert (found["escalations"], found["log"]) == ({"raised": 1}, {"events": 9})

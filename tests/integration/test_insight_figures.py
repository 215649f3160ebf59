"""Every figure of the board equals the same figure counted from scratch."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from services.insight.domain.board import Scope
from services.insight.domain.rules import SPREAD_S, Window, begin_of
from tests.harness.insight import lives, shuffled
from tests.harness.insight_house import Rows, house_at_work

SHANGHAI = ZoneInfo("Asia/Shanghai")


def _met(rows: Rows, metric: str, since: int | None, scope: Scope) -> list[dict[str, Any]]:
    return [
        row
        for row in rows["clocks"]
        if row["metric"] == metric
        and row["elapsed_s"] is not None
        and (since is None or row["met_us"] >= since)
        and _is_in(row, scope)
    ]


def _is_in(row: dict[str, Any], scope: Scope) -> bool:
    is_team = scope.team is None or row["team"] == scope.team
    return is_team and (scope.domain is None or row["domain"] == scope.domain)


def _us(moment: datetime | None) -> int | None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return None if moment is None else (moment - epoch) // timedelta(microseconds=1)


def _counted(rows: Rows, now: datetime, scope: Scope) -> dict[str, int]:
    """Count open requests from scratch, by the words of docs/figures.md."""
    until = _us(now + scope.due_within)
    found = dict.fromkeys(
        ("open", "waiting", "due_soon", "overdue", "unassigned", "in_triage", "unrouted"), 0
    )
    for request in rows["requests"]:
        if request["state"] not in ("submitted", "open", "waiting") or not _is_in(request, scope):
            continue
        clocks = [c for c in rows["clocks"] if c["request_id"] == request["id"]]
        running = [c for c in clocks if c["state"] == "running"]
        found["open"] += 1
        found["waiting"] += request["state"] == "waiting"
        found["due_soon"] += any(
            not c["is_breached"] and c["due_us"] is not None and c["due_us"] <= until
            for c in running
        )
        found["overdue"] += any(
            c["is_breached"] for c in clocks if c["state"] in ("running", "paused")
        )
        found["unassigned"] += request["assignee"] is None
        found["in_triage"] += request["team"] == "triage"
        found["unrouted"] += request["team"] == ""
    return found


def _ranked(values: list[float], percent: int) -> float | None:
    ordered = sorted(values)
    reaching = (v for v in ordered if 100 * sum(w <= v for w in ordered) >= percent * len(ordered))
    return min(reaching, default=None)


SCOPES = [
    Scope(window=Window.ALL),
    Scope(window=Window.TODAY, due_within=timedelta(hours=5)),
    Scope(team="hr-service", window=Window.WEEK),
    Scope(domain="IT", window=Window.MONTH),
    Scope(team="nobody", window=Window.ALL),
]


async def test_every_figure_equals_the_same_figure_counted_from_scratch(
    database_url: str,
) -> None:
    async with house_at_work(database_url, is_durable=False) as house:
        rng, now = random.Random(7), house.world.time.now()
        said = lives(rng, house.world.ids, 120, now, timedelta(days=12))
        await house.hear(shuffled(rng, said))
        rows = await house.rows()
        assert house.insight.desk is not None

        for scope in SCOPES:
            board = await house.insight.desk.board(scope)

            since = _us(begin_of(scope.window, now, SHANGHAI))
            counts = board.counts
            assert {name: getattr(counts, name) for name in _counted(rows, now, scope)} == (
                _counted(rows, now, scope)
            )
            for figures in board.metrics:
                _check_metric(rows, figures, scope, since, now)
            _check_escalations(rows, board.escalations, scope, since)
            deliveries = [
                row
                for row in rows["deliveries"]
                if _is_in(row, scope) and (since is None or row["accepted_us"] >= since)
            ]
            assert sum(board.notifications.by_outcome.values()) == len(deliveries)
            for outcome, number in board.notifications.by_outcome.items():
                assert number == sum(row["outcome"] == outcome for row in deliveries)
            assert sum(team.counts.open for team in board.teams) == (counts.open - counts.unrouted)
            assert sum(p.overdue for p in board.by_priority) == counts.overdue


def _check_metric(rows: Rows, figures: Any, scope: Scope, since: int | None, now: datetime) -> None:
    met = _met(rows, figures.metric, since, scope)
    lengths = [row["elapsed_s"] for row in met]
    assert figures.measured == len(met)
    assert figures.p50_s == _ranked(lengths, 50)
    assert figures.p90_s == _ranked(lengths, 90)
    assert figures.p95_s == _ranked(lengths, 95)
    edges = [0.0, *SPREAD_S, float("inf")]
    bars = [
        sum(low < length <= high or (low == 0.0 and length == 0) for length in lengths)
        for low, high in pairwise(edges)
    ]
    assert [bar.in_time + bar.late for bar in figures.spread] == (bars if met else [])
    own = [r for r in rows["clocks"] if r["metric"] == figures.metric and _is_in(r, scope)]
    assert figures.still_open == sum(row["state"] in ("running", "paused") for row in own)
    for window in Window:
        begin = _us(begin_of(window, now, SHANGHAI))
        late = sum(
            row["is_breached"] and (begin is None or row["breached_us"] >= begin)
            for row in own
            if row["state"] != "cancelled"
        )
        in_time = sum(
            row["state"] == "met"
            and not row["is_breached"]
            and (begin is None or row["met_us"] >= begin)
            for row in own
        )
        told = figures.attainment[window.value]
        assert (told.in_time, told.late) == (in_time, late)
        assert (told.share is None) is (in_time + late == 0)


def _check_escalations(rows: Rows, figures: Any, scope: Scope, since: int | None) -> None:
    own = [row for row in rows["escalations"] if _is_in(row, scope)]
    raised = [row for row in own if since is None or row["raised_us"] >= since]
    assert figures.raised == len(raised)
    assert figures.unanswered == sum(row["state"] in ("raised", "exhausted") for row in own)
    for tier in figures.by_tier:
        assert tier.reached == sum(row["tier"] >= tier.tier for row in raised)
    assert figures.by_tier or not any(row["tier"] for row in raised)

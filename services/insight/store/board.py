"""The board's figures, from a dozen statements that read indexes and never load single rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, case, cast, func, select

from services.insight.domain.board import (
    Attainment,
    Bar,
    Board,
    Counts,
    EscalationFigures,
    MetricFigures,
    NotificationFigures,
    PriorityFigures,
    Scope,
    TeamFigures,
    TierFigures,
    attained,
)
from services.insight.domain.rules import (
    PERCENTS,
    SPREAD_S,
    Standing,
    Window,
    begin_of,
    light,
    nearest_rank,
)
from services.insight.store import tables
from services.insight.store.rows import us
from shared.database.tables import to_us
from shared.vocabulary import ClockState, EscalationState, Metric, Priority, RequestState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Table

    from shared.database.engine import Transaction

_UNDER_WAY = (ClockState.RUNNING.value, ClockState.PAUSED.value)
_UNANSWERED = (EscalationState.RAISED.value, EscalationState.EXHAUSTED.value)
_WINDOWS = tuple(Window)


async def read_board(connection: Transaction, scope: Scope, now: datetime, zone: ZoneInfo) -> Board:
    """Return every figure of the board; `zone` says when today began."""
    begins = {window: us(begin_of(window, now, zone)) for window in _WINDOWS}
    since = begins[scope.window]
    counted = await _open(connection, scope, now)
    verdicts = await _verdicts(connection, scope, begins)
    climbing = await _climbing(connection, scope, since)
    return Board(
        at=now,
        scope=scope,
        counts=sum(counted.values(), Counts()),
        by_priority=_by_priority(counted),
        teams=_teams(counted, verdicts, climbing, scope.window),
        metrics=await _metrics(connection, scope, since, verdicts),
        escalations=_escalations(climbing),
        notifications=await _notifications(connection, scope, since),
        incidents_open=await _incidents(connection, scope),
        messages_set_aside=await _set_aside(connection),
    )


def _within(table: Table, scope: Scope) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if scope.team is not None:
        chosen.append(table.c.team == scope.team)
    if scope.domain is not None:
        chosen.append(table.c.domain == scope.domain)
    return chosen


def _tally(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


# ---- open requests ---------------------------------------------------------------------------

_Place = tuple[str, str]


async def _open(connection: Transaction, scope: Scope, now: datetime) -> dict[_Place, Counts]:
    """Count open requests by (team, priority)."""
    table = tables.requests
    until = to_us(now + scope.due_within)
    wanted = (
        select(
            table.c.team,
            table.c.priority,
            func.count(),
            _tally(table.c.state == RequestState.WAITING.value),
            _tally(table.c.due_us <= until),
            _tally(table.c.is_overdue),
            _tally(table.c.assignee.is_(None)),
            _tally(table.c.is_triage),
            _tally(~table.c.is_routed),
        )
        .where(table.c.is_open, *_within(table, scope))
        .group_by(table.c.team, table.c.priority)
    )
    return {
        (row[0], row[1] or ""): Counts(*map(int, row[2:]))
        for row in await connection.execute(wanted)
    }


def _by_priority(counted: Mapping[_Place, Counts]) -> tuple[PriorityFigures, ...]:
    found = []
    for priority in (*(p.value for p in Priority), ""):
        of_it = [counts for (_, p), counts in counted.items() if p == priority]
        if of_it or priority:
            told = sum(of_it, Counts())
            found.append(PriorityFigures(priority, told.open, told.due_soon, told.overdue))
    return tuple(found)


# ---- clocks ----------------------------------------------------------------------------------

#: (team, metric) -> window -> (in time, late)
_Verdicts = dict[tuple[str, str], dict[Window, tuple[int, int]]]


async def _verdicts(
    connection: Transaction, scope: Scope, begins: Mapping[Window, int | None]
) -> _Verdicts:
    """Count decided promises by team, metric and window."""
    table = tables.clocks
    columns = [
        func.count() if begin is None else _tally(table.c.decided_us >= begin)
        for begin in (begins[window] for window in _WINDOWS)
    ]
    wanted = (
        select(table.c.team, table.c.metric, table.c.is_breached, *columns)
        .where(table.c.decided_us.is_not(None), *_within(table, scope))
        .group_by(table.c.team, table.c.metric, table.c.is_breached)
    )
    found: _Verdicts = defaultdict(dict)
    for row in await connection.execute(wanted):
        team, metric, is_breached, *numbers = row
        kept = found[(team, metric)]
        for window, number in zip(_WINDOWS, numbers, strict=True):
            in_time, late = kept.get(window, (0, 0))
            told = (in_time, late + int(number)) if is_breached else (in_time + int(number), late)
            kept[window] = told
    return found


def _attainment(verdicts: _Verdicts, metric: str, window: Window) -> Attainment:
    of_it = [kept[window] for (_, m), kept in verdicts.items() if m == metric]
    return attained(sum(in_time for in_time, _ in of_it), sum(late for _, late in of_it))


async def _metrics(
    connection: Transaction, scope: Scope, since: int | None, verdicts: _Verdicts
) -> tuple[MetricFigures, ...]:
    table = tables.clocks
    within = _within(table, scope)
    still_open = {
        row[0]: int(row[1])
        for row in await connection.execute(
            select(table.c.metric, func.count())
            .where(table.c.state.in_(_UNDER_WAY), *within)
            .group_by(table.c.metric)
        )
    }
    met = [table.c.elapsed_s.is_not(None), *within]
    if since is not None:
        met.append(table.c.met_us >= since)
    spread = await _spread(connection, met)
    found = []
    for metric in Metric:
        bars = spread.get(metric.value, ())
        count = sum(bar.in_time + bar.late for bar in bars)
        values = await _percentiles(connection, metric.value, met, count)
        found.append(
            MetricFigures(
                metric=metric.value,
                attainment={
                    window.value: _attainment(verdicts, metric.value, window) for window in _WINDOWS
                },
                measured=count,
                still_open=still_open.get(metric.value, 0),
                p50_s=values[50],
                p90_s=values[90],
                p95_s=values[95],
                spread=bars,
            )
        )
    return tuple(found)


async def _spread(
    connection: Transaction, met: list[ColumnElement[bool]]
) -> dict[str, tuple[Bar, ...]]:
    """Count met clocks by metric and length."""
    table = tables.clocks
    bar = case(
        *((table.c.elapsed_s <= edge, place) for place, edge in enumerate(SPREAD_S)),
        else_=len(SPREAD_S),
    )
    placed = (
        select(table.c.metric, cast(bar, Integer).label("bar"), table.c.is_breached)
        .where(*met)
        .subquery()
    )
    wanted = select(placed.c.metric, placed.c.bar, placed.c.is_breached, func.count()).group_by(
        placed.c.metric, placed.c.bar, placed.c.is_breached
    )
    numbers: dict[tuple[str, int, bool], int] = {}
    metrics: dict[str, None] = {}
    for metric, place, is_breached, number in await connection.execute(wanted):
        metrics[metric] = None
        numbers[(metric, int(place), bool(is_breached))] = int(number)
    edges = (*SPREAD_S, None)
    return {
        metric: tuple(
            Bar(edge, numbers.get((metric, at, False), 0), numbers.get((metric, at, True), 0))
            for at, edge in enumerate(edges)
        )
        for metric in metrics
    }


async def _percentiles(
    connection: Transaction, metric: str, met: list[ColumnElement[bool]], count: int
) -> dict[int, float | None]:
    """Return the percentiles of one metric: the database orders, only those values come back."""
    ranks = {percent: nearest_rank(percent, count) for percent in PERCENTS}
    if count == 0:
        return dict.fromkeys(PERCENTS)
    table = tables.clocks
    ordered = (
        select(
            table.c.elapsed_s,
            func.row_number().over(order_by=table.c.elapsed_s).label("place"),
        )
        .where(table.c.metric == metric, *met)
        .subquery()
    )
    wanted = select(ordered.c.place, ordered.c.elapsed_s).where(
        ordered.c.place.in_(sorted(set(ranks.values())))
    )
    values = {int(row[0]): float(row[1]) for row in await connection.execute(wanted)}
    return {percent: values.get(rank) for percent, rank in ranks.items()}


# ---- escalations, teams ----------------------------------------------------------------------


@dataclass(slots=True)
class _Climbing:
    """Escalations, counted: by tier those of the window, by team those unanswered now."""

    raised: int = 0
    acknowledged: int = 0
    #: tier -> (highest told is this one, of them unanswered)
    tiers: dict[int, tuple[int, int]] = field(default_factory=dict)
    #: team -> (unanswered, of them nobody answered)
    teams: dict[str, tuple[int, int]] = field(default_factory=dict)


async def _climbing(connection: Transaction, scope: Scope, since: int | None) -> _Climbing:
    table = tables.escalations
    within = _within(table, scope)
    unanswered = table.c.state.in_(_UNANSWERED)
    raised = [] if since is None else [table.c.raised_us >= since]
    found = _Climbing()
    by_tier = select(
        table.c.tier,
        func.count(),
        _tally(unanswered),
        _tally(table.c.acknowledged_us.is_not(None)),
    )
    for row in await connection.execute(
        by_tier.where(*within, *raised).group_by(table.c.tier).order_by(table.c.tier)
    ):
        found.raised += int(row[1])
        found.acknowledged += int(row[3])
        found.tiers[row[0]] = (int(row[1]), int(row[2]))
    by_team = select(
        table.c.team,
        func.count(),
        _tally(table.c.state == EscalationState.EXHAUSTED.value),
    )
    for row in await connection.execute(by_team.where(unanswered, *within).group_by(table.c.team)):
        found.teams[row[0]] = (int(row[1]), int(row[2]))
    return found


def _escalations(climbing: _Climbing) -> EscalationFigures:
    highest = max(climbing.tiers, default=0)
    return EscalationFigures(
        raised=climbing.raised,
        acknowledged=climbing.acknowledged,
        unanswered=sum(unanswered for unanswered, _ in climbing.teams.values()),
        nobody_answered=sum(silent for _, silent in climbing.teams.values()),
        by_tier=tuple(
            TierFigures(
                tier,
                sum(number for at, (number, _) in climbing.tiers.items() if at >= tier),
                climbing.tiers.get(tier, (0, 0))[1],
            )
            for tier in range(1, highest + 1)
        ),
    )


def _teams(
    counted: Mapping[_Place, Counts],
    verdicts: _Verdicts,
    climbing: _Climbing,
    window: Window,
) -> tuple[TeamFigures, ...]:
    """Return the teams that have something open, decided or unanswered, the gravest first."""
    teams = {team for team, _ in counted} | {team for team, _ in verdicts} | set(climbing.teams)
    found = []
    for team in sorted(teams - {""}):
        counts = sum((c for (t, _), c in counted.items() if t == team), Counts())
        urgent = counted.get((team, Priority.P1.value), Counts())
        unanswered, silent = climbing.teams.get(team, (0, 0))
        shown, reason = light(
            Standing(
                open=counts.open,
                due_soon=counts.due_soon,
                overdue=counts.overdue,
                overdue_p1=urgent.overdue,
                unanswered=unanswered,
                exhausted=silent,
            )
        )
        attainment = {
            metric.value: attained(*verdicts.get((team, metric.value), {}).get(window, (0, 0)))
            for metric in (Metric.FIRST_RESPONSE, Metric.RESOLUTION)
        }
        found.append(TeamFigures(team, shown, reason, counts, unanswered, attainment))
    order = {"red": 0, "yellow": 1, "green": 2}
    found.sort(key=lambda t: (order[t.light], -t.counts.overdue, -t.counts.open, t.team))
    return tuple(found)


# ---- notifications and what is stuck ---------------------------------------------------------


async def _notifications(
    connection: Transaction, scope: Scope, since: int | None
) -> NotificationFigures:
    table = tables.deliveries
    within = _within(table, scope)
    accepted = [] if since is None else [table.c.accepted_us >= since]
    wanted = (
        select(table.c.outcome, table.c.channel, table.c.template, func.count())
        .where(*within, *accepted)
        .group_by(table.c.outcome, table.c.channel, table.c.template)
    )
    by_outcome: dict[str, int] = {}
    by_template: dict[str, int] = {}
    by_channel: dict[str, dict[str, int]] = {}
    for outcome, channel, template, number in await connection.execute(wanted):
        by_outcome[outcome] = by_outcome.get(outcome, 0) + int(number)
        by_template[template] = by_template.get(template, 0) + int(number)
        of_channel = by_channel.setdefault(channel, {})
        of_channel[outcome] = of_channel.get(outcome, 0) + int(number)
    waiting = select(func.count()).where(table.c.outcome == "set_aside", *within)
    set_aside = int((await connection.execute(waiting)).scalar_one())
    return NotificationFigures(
        dict(sorted(by_outcome.items())),
        dict(sorted(by_channel.items())),
        dict(sorted(by_template.items())),
        set_aside,
    )


async def _incidents(connection: Transaction, scope: Scope) -> int:
    table = tables.incidents
    wanted = select(func.count()).where(table.c.resolved_us.is_(None), *_within(table, scope))
    return int((await connection.execute(wanted)).scalar_one())


async def _set_aside(connection: Transaction) -> int:
    table: Any = tables.kit.held
    wanted = select(func.count()).where(table.c.kind.in_(("failed", "unreadable", "timer")))
    return int((await connection.execute(wanted)).scalar_one())

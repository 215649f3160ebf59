"""`levee status` and `levee down`: what works, what waits, and stopping the house."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Iterator
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from levee.embedded import Folder
from levee.gauges import Gauges, read_gauges
from levee.running import (
    DEFAULT_DATA,
    SERVICES,
    DataOption,
    JsonOption,
    KeyOption,
    NoHouse,
    RunningHouse,
    UrlOption,
    find_house,
)
from shared.business_time import ALARM_BEFORE
from shared.errors import LeveeError
from shared.time_source import SystemTime

_COLOURS = {"ready": "green", "degraded": "yellow", "not_ready": "red", "silent": "red"}
#: Seconds a stopping house has to finish what is under way.
_STOP_WITHIN_S = 40.0
#: Characters a terminal needs for a column per figure.
_WIDE = 150
_HEADINGS = (
    "服务 / service",
    "状态 / status",
    "积压 / lag",
    "搁置 / set aside",
    "等待 / parked",
    "发件箱 / outbox",
    "定时 / timers",
    "处理 p99 / handler",
    "批量 / batch",
    "已清理 / purged",
    "说明 / what is not well",
)


def status(
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="持续刷新 / go on showing it")
    ] = False,
    every: Annotated[
        float, typer.Option(help="刷新间隔（秒）/ seconds between looks", min=0.5)
    ] = 3.0,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """各服务的真实状态 / the truth about each service; ends with 1 unless all are well enough."""
    house = find_house(data, url, key)
    if watch:
        _watch(house, every, as_json=as_json)
    told = [_ask(house, name) for name in SERVICES]
    if as_json:
        typer.echo(_as_json({"url": house.url, "services": told}))
    else:
        console = Console()
        console.print(_table(house.url, told, console.width))
        for line in _calendars(told):
            typer.echo(line)
    raise typer.Exit(0 if all(t["status"] in ("ready", "degraded") for t in told) else 1)


def down(data: DataOption = DEFAULT_DATA) -> None:
    """停止运行中的系统 / stop the house that runs on the data folder."""
    folder = Folder(data)
    told = folder.running()
    if told is None:
        raise NoHouse(folder=data)
    os.kill(told["pid"], signal.SIGTERM)
    time = SystemTime()
    waiting_until = time.monotonic() + _STOP_WITHIN_S
    while folder.running() is not None and time.monotonic() < waiting_until:
        signal.sigtimedwait((), 0.1)
    if folder.running() is not None:
        typer.echo("仍在停止中 / still stopping", err=True)
        raise typer.Exit(1)
    typer.echo("已停止 / stopped")


def _watch(house: RunningHouse, every_s: float, *, as_json: bool) -> None:
    """Show it again and again until Ctrl-C; as JSON, one line per look."""
    try:
        if as_json:
            while True:
                told = {"url": house.url, "services": [_ask(house, name) for name in SERVICES]}
                typer.echo(orjson.dumps(told).decode())
                signal.sigtimedwait((), every_s)
        console = Console()
        with Live(console=console, auto_refresh=False, screen=False) as live:
            while True:
                told_now = [_ask(house, name) for name in SERVICES]
                live.update(_table(house.url, told_now, console.width), refresh=True)
                signal.sigtimedwait((), every_s)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _ask(house: RunningHouse, name: str) -> dict[str, Any]:
    try:
        told: dict[str, Any] = house.get(f"/{name}/ready", accept=(200, 503))
        return told | {"figures": figures_of(read_gauges(house.text(f"/{name}/metrics")))}
    except LeveeError as error:
        return {
            "service": name,
            "status": "silent",
            "version": "-",
            "checks": {},
            "figures": {},
            "why": str(error),
        }


def figures_of(gauges: Gauges) -> dict[str, Any]:
    """Return what the metrics of a service come to; None where it cannot be known now.

    Seconds where a name ends in `_s`. A p99 is the upper bound of its bucket since the start of
    the process; null also when it lies beyond the last bound.
    """
    return {
        "lag": gauges.by("levee_consumer_lag_messages", "stream"),
        "set_aside": gauges.by("levee_setaside_messages", "code"),
        "set_aside_oldest_s": gauges.one("levee_setaside_oldest_age_seconds"),
        "parked": gauges.one("levee_parked_messages"),
        "parked_oldest_s": gauges.one("levee_parked_oldest_age_seconds"),
        "outbox": gauges.one("levee_outbox_unpublished_messages"),
        "outbox_oldest_s": gauges.one("levee_outbox_oldest_age_seconds"),
        "timers_armed": gauges.one("levee_timers_armed"),
        "timers_overdue": gauges.one("levee_timers_overdue"),
        "timer_lateness_p99_s": _finite(gauges.quantile("levee_timer_lateness_seconds", 0.99)),
        "handler_p99_s": _finite(gauges.quantile("levee_handler_seconds", 0.99)),
        "transaction_p99_s": _finite(gauges.quantile("levee_transaction_seconds", 0.99)),
        "batch_mean": gauges.mean("levee_batch_size"),
        "definitions_refused": gauges.one("levee_definitions_refused"),
        "incidents": gauges.by("levee_incidents_open", "code"),
        "jobs": gauges.by("levee_jobs_waiting", "state"),
        "purged": gauges.by("levee_purged_rows_total", "what"),
        "kept_oldest_s": gauges.by("levee_kept_oldest_age_seconds", "what"),
        "calendars_covered_days": gauges.by("levee_calendar_covered_days", "calendar"),
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _table(url: str, told: list[dict[str, Any]], width: int) -> Table:
    """Return a column per figure, or all of them in one where the terminal is narrow."""
    is_narrow = width < _WIDE
    table = Table(title=f"Levee {url}")
    numbers = _HEADINGS[2:-1]
    for heading in (
        *_HEADINGS[:2],
        *(("数字 / figures",) if is_narrow else numbers),
        _HEADINGS[-1],
    ):
        table.add_column(heading, overflow="fold")
    for one in told:
        unwell = [f"{n}: {c['detail']}" for n, c in one["checks"].items() if not c["is_well"]]
        cells = _cells(one["figures"])
        colour = _COLOURS.get(one["status"], "white")
        table.add_row(
            f"{one['service']} {one['version']}",
            f"[{colour}]{one['status']}[/]",
            *(
                ("\n".join(map(": ".join, zip(numbers, cells, strict=True))),)
                if is_narrow
                else cells
            ),
            "\n".join(unwell) or str(one.get("why", "–")),
        )
    return table


def _calendars(told: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each calendar whose known holidays end within 60 days."""
    for one in told:
        for calendar, days in sorted((one["figures"].get("calendars_covered_days") or {}).items()):
            if days <= ALARM_BEFORE.days:
                yield (
                    f"! 日历 {calendar} 的已知节假日还剩 {days:.0f} 天，请补充下一年 / holidays of "
                    f"calendar {calendar} are known for {days:.0f} more days: see to the next year"
                )


def _cells(figures: dict[str, Any]) -> tuple[str, ...]:
    """Return lag, set aside, parked, outbox, … as people read them, one per number's heading."""
    if not figures:
        return ("–",) * 8
    lag = sum(figures["lag"].values()) if figures["lag"] else None
    late = _seconds(figures["timer_lateness_p99_s"])
    armed, overdue = _count(figures["timers_armed"]), _count(figures["timers_overdue"])
    mean = figures["batch_mean"]
    is_known = figures["parked"] is not None
    return (
        _count(lag),
        _count(sum(figures["set_aside"].values()) if is_known else None),
        _aged(figures["parked"], figures["parked_oldest_s"]),
        _aged(figures["outbox"], figures["outbox_oldest_s"]),
        f"{armed}, {overdue} 逾期/overdue, p99 {late}" if is_known else "–",
        _seconds(figures["handler_p99_s"]),
        "–" if mean is None else f"{mean:.1f}",
        _count(sum(figures["purged"].values())),
    )


def _count(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _aged(count: float | None, oldest_s: float | None) -> str:
    return _count(count) + (f" ({_seconds(oldest_s)})" if count and oldest_s else "")


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def _as_json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()

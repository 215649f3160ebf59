"""`levee replay`: a recorded log through the real services, in simulated time."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar

import orjson
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from levee.embedded import DEFINITIONS
from levee.replay.run import replay_log
from levee.running import LevelOption, LogLevel
from levee.simulated import BusKind
from shared.errors import Refused
from shared.observability import log_to_stderr
from shared.service import collect_rarely, loop_factory


class Format(StrEnum):
    """Formats of logs."""

    SERVICENOW = "servicenow"


class NowhereToReport(Refused):
    """There is no folder for the report {path}."""

    zh: ClassVar[str] = "报告 {path} 所在的目录不存在。"


class BusName(StrEnum):
    """Buses a replay may run on."""

    MEMORY = "memory"
    NATS = "nats"


def replay(
    file: Annotated[
        Path, typer.Argument(help="日志文件 / log (.csv or .csv.gz)", exists=True, dir_okay=False)
    ],
    log_format: Annotated[Format, typer.Option("--format", help="日志格式 / format of the log")],
    limit: Annotated[
        int | None, typer.Option(min=1, help="只取前 N 个请求 / only the first N requests")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="报告文件 / where the report goes (JSON)")
    ] = None,
    zone: Annotated[str, typer.Option(help="日志的时区 / zone of the log's wall clock")] = "UTC",
    bus: Annotated[BusName, typer.Option(help="消息总线 / bus")] = BusName.MEMORY,
    seed: Annotated[int, typer.Option(help="同一种子，同一报告 / same seed, same report")] = 1,
    definitions: Annotated[
        Path, typer.Option(help="流程与决策表目录 / folder of definitions", exists=True)
    ] = DEFINITIONS,
    as_json: Annotated[
        bool, typer.Option("--json", help="把汇总打印为 JSON / print totals as JSON")
    ] = False,
    log_level: LevelOption = LogLevel.ERROR,
) -> None:
    """重放真实日志 / play a real log and report every request with its clocks."""
    assert log_format is Format.SERVICENOW
    if report is not None and not report.absolute().parent.is_dir():
        raise NowhereToReport(path=report)  # before an hour of replaying, not after it
    log_to_stderr("replay", log_level)
    kind: BusKind = "nats" if bus is BusName.NATS else "memory"
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with (
        tempfile.TemporaryDirectory(prefix="levee-replay-") as folder,
        Progress(*columns, console=console, disable=as_json) as progress,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        collect_rarely()
        task = progress.add_task("重放 / replaying", total=None, rate="")

        def show(done: int, total: int, rate: float) -> None:
            progress.update(task, completed=done, total=total, rate=f"{rate:,.0f}/s")

        told = runner.run(
            replay_log(
                file,
                Path(folder),
                zone=zone,
                limit=limit,
                bus_kind=kind,
                seed=seed,
                definitions=definitions,
                progress=show,
            )
        )
    if report is not None:
        report.write_bytes(orjson.dumps(told, option=_PRETTY))
    if as_json:
        typer.echo(orjson.dumps(told["totals"], option=_PRETTY).decode())
    else:
        _show(Console(), told["totals"], report)
    logging.shutdown()


_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z


def _show(console: Console, totals: dict[str, Any], report: Path | None) -> None:
    log = totals["log"]
    console.print(
        f"[bold]{totals['requests']}[/] 个请求 / requests, {log['events']} 个事件 / events, "
        f"{log['wall_s']:.1f} s; {log['skipped']} 行无法读取 / rows skipped"
    )
    console.print(
        f"优先级 / by priority: {totals['by_priority']}; 转手 / handovers: {totals['team_changes']}"
    )
    table = Table(title="时钟 / clocks")
    for heading in ("metric", "clocks", "attainment", "p50", "p90", "p95", "p99", "states"):
        table.add_column(heading)
    for metric, told in totals["metrics"].items():
        attained = "–" if told["attainment"] is None else f"{told['attainment']:.1%}"
        elapsed = [_span(told["elapsed_s"][p]) for p in ("p50", "p90", "p95", "p99")]
        states = ", ".join(f"{name} {count}" for name, count in told["states"].items())
        table.add_row(metric, str(told["clocks"]), attained, *elapsed, states)
    console.print(table)
    console.print(f"升级 / escalations: {totals['escalations']}")
    console.print(f"通知 / notifications (recorded, nothing was sent): {totals['notifications']}")
    if report is not None:
        console.print(f"报告 / report: {report}")


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"

"""`levee demo`: a working day of a company, live; leaves the system up."""

from __future__ import annotations

import asyncio
import logging
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console

from levee.commands.replay import Format, replay
from levee.demo import ground
from levee.demo.day import DEFAULT_REQUESTS, FEWEST
from levee.demo.run import Told, play_day
from levee.demo.screen import LiveScreen, PlainScreen, Screen
from levee.demo.summary import show_addresses, show_summary
from levee.demo.upkeep import FIRST_PORT, HOST, free_port, leave_up
from levee.demo.workday import last_working_day
from levee.embedded import Folder
from levee.running import DEFAULT_DATA, DataOption
from shared.observability import log_to_stderr
from shared.service import loop_factory
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from levee.simulated import BusKind

LogOption = Annotated[
    Path | None,
    typer.Option(
        "--log",
        exists=True,
        dir_okay=False,
        help="改为重放真实日志 / replay a real log instead (.csv or .csv.gz)",
    ),
]
REPORT = "replay-report.json"


@dataclass(frozen=True, slots=True)
class _Wishes:
    """How the day is to be played."""

    seed: int
    requests: int
    bus: BusKind


def demo(
    data: DataOption = DEFAULT_DATA,
    log: LogOption = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="逐行输出 / lines instead of a live picture")
    ] = False,
    port: Annotated[
        int,
        typer.Option(help="端口，被占用则用下一个 / port, or the next free one", min=1, max=65_000),
    ] = FIRST_PORT,
    seed: Annotated[int, typer.Option(help="同一种子，同一天 / same seed, same day")] = 1,
    requests: Annotated[
        int, typer.Option(help="请求数 / how many requests", min=FEWEST, max=2000)
    ] = DEFAULT_REQUESTS,
    memory: Annotated[
        bool, typer.Option("--memory", help="用内存总线播放 / play on the bus in memory")
    ] = False,
    leave: Annotated[
        bool, typer.Option("--leave-up/--no-leave-up", help="结束后保持运行 / leave it up")
    ] = True,
) -> None:
    """一家 300 人公司的一天 / a working day of a company of 300, live; leaves the system up."""
    console = Console()
    if log is not None:
        _replay(console, log, data / REPORT)
        return
    time = SystemTime()
    began = time.monotonic()
    log_to_stderr("demo", "ERROR")
    folder = Folder(data)
    ground.clear(folder)
    port = free_port(port)
    is_live = console.is_terminal and sys.stdout.isatty() and not plain
    screen: Screen = LiveScreen(console, time) if is_live else PlainScreen(console)
    wishes = _Wishes(seed, requests, "memory" if memory else "nats")
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            told = runner.run(_play(folder, screen, time, f"http://{HOST}:{port}", wishes))
            ground.note(folder, day=told.scene.day.date, seed=seed, example=told.example)
            show_summary(console, told)
            if leave:
                url = runner.run(leave_up(folder, port))
                took = timedelta(seconds=time.monotonic() - began)
                show_addresses(console, url, folder.operator_key_file, told.example, took)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    logging.shutdown()


async def _play(
    folder: Folder, screen: Screen, time: SystemTime, url: str, wishes: _Wishes
) -> Told:
    with screen:
        return await play_day(
            last_working_day(time.now()),
            folder.path,
            now=time.now,
            tell=screen.show,
            seed=wishes.seed,
            requests=wishes.requests,
            bus_kind=wishes.bus,
            url=url,
        )


def _replay(console: Console, log: Path, report: Path) -> None:
    """Replay a real log; its requests lie in its own past, so no house is left up on them."""
    report.parent.mkdir(parents=True, exist_ok=True)
    replay(log, Format.SERVICENOW, report=report)
    count = len(orjson.loads(report.read_bytes())["requests"])
    console.print(
        f"报告中有每个请求与每个时钟 / every request with its clocks is in {report}（{count}）\n"
        "日志里的时刻属于过去，因此不会在这些数据上留下运行中的系统；"
        "要看运行中的看板，请不带日志执行 make demo。\n"
        "The log's moments lie in the past, so no system is left up on them; for a live board "
        "run `make demo` without a log.",
        highlight=False,
    )

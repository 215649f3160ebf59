"""`levee status` and `levee down`: what works, what waits, and stopping the house."""

from __future__ import annotations

import os
import signal
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from levee.embedded import Folder
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
from shared.errors import LeveeError
from shared.time_source import SystemTime

_COLOURS = {"ready": "green", "degraded": "yellow", "not_ready": "red", "silent": "red"}
#: Seconds a stopping house has to finish what is under way.
_STOP_WITHIN_S = 40.0


def status(
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """各服务的真实状态 / the truth about each service; ends with 1 unless all are well enough."""
    house = find_house(data, url, key)
    told = [_ask(house, name) for name in SERVICES]
    if as_json:
        typer.echo(_as_json({"url": house.url, "services": told}))
    else:
        _show(house.url, told)
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


def _ask(house: RunningHouse, name: str) -> dict[str, Any]:
    try:
        told: dict[str, Any] = house.get(f"/{name}/ready", accept=(200, 503))
    except LeveeError as error:
        return {
            "service": name,
            "status": "silent",
            "version": "-",
            "checks": {},
            "why": str(error),
        }
    return told


def _show(url: str, told: list[dict[str, Any]]) -> None:
    table = Table(title=f"Levee {url}")
    for heading in ("服务 / service", "状态 / status", "版本 / version", "说明 / what is not well"):
        table.add_column(heading)
    for one in told:
        unwell = [f"{n}: {c['detail']}" for n, c in one["checks"].items() if not c["is_well"]]
        colour = _COLOURS.get(one["status"], "white")
        table.add_row(
            one["service"],
            f"[{colour}]{one['status']}[/]",
            one["version"],
            "\n".join(unwell) or str(one.get("why", "–")),
        )
    Console().print(table)


def _as_json(value: Any) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()

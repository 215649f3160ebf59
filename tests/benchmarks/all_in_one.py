"""`levee up`: six services in one process on SQLite, with the nats-server it starts itself."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING

import httpx

from shared.time_source import SystemTime
from tests.benchmarks.intake import BODY
from tests.benchmarks.report import Section, progress
from tests.benchmarks.stage import Process, load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.stage import Stage

_WARM_UP = 100
_READY_S = 60.0
#: Nothing moved for so long: something is lost.
_STALLED_S = 30.0


async def measure(stage: Stage, *, seconds: float) -> Section:
    """Post as fast as it goes; count until every request has its clocks."""
    section = Section("all-in-one", "All-in-one: six services, one process, SQLite")
    folder, port = stage.folder / "all-in-one", stage.free_port()
    folder.mkdir()
    (folder / "keys.json").write_bytes(stage.keys_file.read_bytes())
    process = Process(
        stage, "levee", "levee", "up", "--data", str(folder), "--port", str(port)
    )  # fmt: skip
    try:
        await _ready(port)
        request, ledgers = stage.request(BODY), folder / "data" / "clock.db"
        progress("all-in-one: warming up")
        await load(stage, port, request, count=_WARM_UP)
        await _armed(ledgers, _WARM_UP)
        progress("all-in-one: as fast as it goes")
        before = process.used_s
        told = await load(stage, port, request, seconds=seconds)
        done_at = await _armed(ledgers, _WARM_UP + told["count"])
        section.add("accepted", told["count"] / (told["ended"] - told["began"]), "/s")
        section.add("clocks armed", told["count"] / (done_at - told["began"]), "/s")
        used_us = (process.used_s - before) / told["count"] * 1e6
        section.add("processor of the process, until then", used_us, "µs/request")
    finally:
        process.stop()
    return section


async def _ready(port: int) -> None:
    machine, give_up = SystemTime(), time.perf_counter() + _READY_S
    async with httpx.AsyncClient() as client:
        while True:
            try:
                answer = await client.get(f"http://127.0.0.1:{port}/insight/ready")
                if answer.status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            if time.perf_counter() > give_up:
                raise RuntimeError("levee up does not get ready")
            await machine.sleep(0.1)


async def _armed(database: Path, count: int) -> float:
    """Return when so many requests have their clocks; their file is only read."""
    machine, seen, moved_at = SystemTime(), 0, time.perf_counter()
    while True:
        now = time.perf_counter()
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        (found,) = connection.execute("SELECT count(*) FROM requests").fetchone()
        connection.close()
        if found >= count:
            return now
        if found > seen:
            seen, moved_at = found, now
        if now - moved_at > _STALLED_S:
            raise RuntimeError(f"only {found} of {count} requests came through")
        await machine.sleep(0.05)

"""Leaves a house up in the background, exactly as `levee up` runs it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, ClassVar

import httpx

from levee.demo.ground import LOG
from levee.running import SERVICES
from shared.errors import Unavailable
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from pathlib import Path

    from levee.embedded import Folder

HOST, FIRST_PORT = "127.0.0.1", 8080
#: How many ports are tried, and how long the house has to answer.
_PORTS, _ANSWERS_WITHIN_S = 50, 45.0
_LOOK_EVERY_S = 0.15
_LAST_LINES = 5


class NoFreePort(Unavailable):
    """None of the ports {first} to {last} is free."""

    zh: ClassVar[str] = "端口 {first} 到 {last} 均被占用。"


class HouseDidNotStart(Unavailable):
    """The house did not come up; its log {log} ends with: {tail}"""

    zh: ClassVar[str] = "系统未能启动；日志 {log} 的结尾：{tail}"


def free_port(first: int = FIRST_PORT) -> int:
    """Return `first` or the next port nobody listens on. Raises `NoFreePort`."""
    for port in range(first, first + _PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise NoFreePort(first=first, last=first + _PORTS - 1)


async def leave_up(folder: Folder, port: int) -> str:
    """Start the house on `folder` as a process of its own; return its address once it works.

    It outlives the caller; its log goes to the folder. Raises `HouseDidNotStart`.
    """
    url = f"http://{HOST}:{port}"
    log = folder.path / LOG
    process = _start(folder, port, log)
    if await _answers(url, process):
        return url
    if process.poll() is None:
        process.terminate()
    tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
    raise HouseDidNotStart(log=log, tail=" | ".join(tail))


def _start(folder: Folder, port: int, log: Path) -> subprocess.Popen[bytes]:
    # No mail server: people of a demo get no mail, whatever the environment names.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NOTIFY_SMTP_")}
    command = [sys.executable, "-m", "levee", "up", "--data", str(folder.path.resolve())]
    with log.open("ab") as written:
        return subprocess.Popen(
            [*command, "--host", HOST, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            env=environment,
            start_new_session=True,
        )


async def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Wait until every service can work; False when the house died or took too long."""
    time = SystemTime()
    until = time.monotonic() + _ANSWERS_WITHIN_S
    async with httpx.AsyncClient(base_url=url, timeout=5, trust_env=False) as client:
        while process.poll() is None and time.monotonic() < until:
            if await _all_ready(client):
                return True
            await time.sleep(_LOOK_EVERY_S)
    return False


async def _all_ready(client: httpx.AsyncClient) -> bool:
    try:
        answers = await asyncio.gather(*(client.get(f"/{name}/ready") for name in SERVICES))
    except httpx.HTTPError:
        return False
    return all(answer.status_code == 200 for answer in answers)

"""`levee up --separate`: one process per service behind the same paths.

A small proxy stands where an ingress would. A service that dies is started again after a pause;
its neighbours go on meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from levee.embedded import Folder, house_options
from levee.house import NAMES, Front
from shared.bus.server import NatsServer
from shared.errors import Unavailable
from shared.http.problems import problem
from shared.service import serve_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

#: Pause before a service that died is started again.
_RESTART_PAUSE_S = 1.0
_HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}


@dataclass(slots=True)
class Process:
    """One service in its own process."""

    name: str
    port: int
    environment: dict[str, str]
    log: Path
    running: subprocess.Popen[bytes] | None = field(default=None)

    def migrate(self) -> None:
        """Bring its database to the latest schema."""
        subprocess.run(
            [sys.executable, "-m", f"services.{self.name}", "migrate"],
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def start(self) -> None:
        """Start it; its log goes to a file."""
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", f"services.{self.name}", "serve"],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Let it drain and leave."""
        if self.running is not None and self.running.poll() is None:
            self.running.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.running.wait(timeout=30)
            if self.running.poll() is None:
                self.running.kill()


async def separate_house(folder: Folder, host: str, port: int, definitions: Path) -> None:
    """Run every service as its own process until SIGTERM or Ctrl-C."""
    from levee.commands.up import tell_addresses

    url = f"http://{host}:{port}"
    folder.operator_key()
    server = NatsServer(folder.store)
    await server.start()
    processes = _processes(folder, server.url, url, definitions)
    watch = asyncio.create_task(_keep_running(processes))
    try:
        apps = {process.name: Proxy(process.port) for process in processes}
        await _all_answer(processes)
        folder.note_running(url)
        tell_addresses(url, folder)
        await serve_app(Front(apps), host, port)
    finally:
        watch.cancel()
        for process in reversed(processes):
            await asyncio.to_thread(process.stop)
        await server.stop()
        folder.note_stopped()


def _processes(folder: Folder, nats_url: str, url: str, definitions: Path) -> list[Process]:
    folder.databases.mkdir(parents=True, exist_ok=True)
    options = house_options(url, definitions.resolve())
    processes = []
    for name in NAMES:
        port = _free_port()
        values = {
            "database_url": f"sqlite+aiosqlite:///{folder.databases.resolve() / name}.db",
            "nats_url": nats_url,
            "port": port,
            "keys_file": folder.keys_file.resolve(),
            **options.get(name, {}),
        }
        own = {f"{name}_{key}".upper(): _text(value) for key, value in values.items()}
        log = folder.path / f"{name}.log"
        process = Process(name, port, {**os.environ, **own}, log)
        process.migrate()
        process.start()
        processes.append(process)
    return processes


async def _keep_running(processes: list[Process]) -> None:
    never = asyncio.Event()
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(never.wait(), _RESTART_PAUSE_S)
        for process in processes:
            if process.running is not None and process.running.poll() is not None:
                process.start()


async def _all_answer(processes: list[Process]) -> None:
    never = asyncio.Event()
    async with httpx.AsyncClient() as client, asyncio.timeout(60):
        for process in processes:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    path = f"http://127.0.0.1:{process.port}/{process.name}/health"
                    if (await client.get(path)).status_code == 200:
                        break
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(never.wait(), 0.1)


class Proxy:
    """Passes calls on to a service's own port, as an ingress would."""

    def __init__(self, port: int) -> None:
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on; a service that is away is a 503, to be tried again."""
        request = Request(scope, receive)
        headers = [(k, v) for k, v in request.headers.raw if k.decode() not in _HOP_HEADERS]
        query = scope.get("query_string", b"").decode()
        target = scope["path"] + (f"?{query}" if query else "")
        passed = self._client.build_request(
            request.method, target, headers=headers, content=request.stream()
        )
        try:
            answer = await self._client.send(passed, stream=True)
        except httpx.HTTPError:
            await problem(Unavailable(), request)(scope, receive, send)
            return
        # The front stamps its own date.
        left_out = _HOP_HEADERS | {"date"}
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in left_out}
        response: Response = StreamingResponse(
            _body(answer), status_code=answer.status_code, headers=kept
        )
        await response(scope, receive, send)


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

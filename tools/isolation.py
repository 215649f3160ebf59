"""A service by itself: `python -m tools.isolation SERVICE [FOLDER]`.

Does what its image does, without an engine: the build stage of infra/docker/Dockerfile, line by
line, in an empty folder with a fresh virtual environment; then what the final stage copies, and
nothing else, is migrated, started against a real nats-server, waited for until it is ready, and
stopped. Last its unit tests run there. So nothing of another service, of the command line or of
this tree can be what makes it work.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.bus.server import find_binary
from shared.errors import LeveeError
from shared.time_source import SystemTime

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = Path("infra/docker/Dockerfile")
#: What the unit tests of any service need besides the service.
_TEST_TOOLS = ("pytest", "pytest-asyncio", "hypothesis")
_TEST_FILES = ("tests/conftest.py", "tests/harness", "bpmn", "docs")
_READY_S = 60.0
_LOOK_EVERY_S = 0.1
_STOP_S = 30.0


class StepFailed(LeveeError):
    """{step} ended with {code}: {told}"""

    zh = "{step} 以 {code} 结束：{told}"


class NeverReady(LeveeError):
    """{service} did not become ready within {seconds} s: {told}"""

    zh = "{service} 在 {seconds} 秒内没有就绪：{told}"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a Dockerfile, its continued lines joined."""

    verb: str
    text: str


def stages(dockerfile: str) -> list[list[Instruction]]:
    """Return the stages of a Dockerfile; what stands before the first FROM belongs to none."""
    found: list[list[Instruction]] = []
    joined = ""
    for line in dockerfile.splitlines():
        if line.lstrip().startswith("#") or (not line.strip() and not joined):
            continue
        if line.endswith("\\"):
            joined += line[:-1]
            continue
        verb, _, text = (joined + line).strip().partition(" ")
        joined = ""
        if verb == "FROM":
            found.append([])
        if found:
            found[-1].append(Instruction(verb, text.strip()))
    return found


@dataclass(slots=True)
class Isolation:
    """A service in a folder of its own."""

    service: str
    folder: Path

    @property
    def python(self) -> str:
        """The interpreter of its own environment."""
        return str(self.folder / "venv" / "bin" / "python")

    @property
    def image(self) -> Path:
        """What the final image has below /levee."""
        return self.folder / "levee"

    def build(self) -> None:
        """Do the image's build stage, then what its final stage copies."""
        first, last = stages((ROOT / DOCKERFILE).read_text(encoding="utf-8"))
        build = self.folder / "build"
        build.mkdir(parents=True)
        for step in first:
            if step.verb == "COPY":
                *sources, target = self._words(step.text)
                for source in sources:
                    _copy(ROOT / source, build / target, is_into=len(sources) > 1 or target == "./")
            elif step.verb == "RUN":
                text = step.text.replace("/venv", str(self.folder / "venv"))
                _run(["sh", "-c", text], build, step.text[:60], SERVICE=self.service)
        self.image.mkdir()
        for step in last:
            if step.verb == "COPY":
                _, source, target = self._words(step.text)
                if source != "/venv":
                    place = self.folder / source.removeprefix("/")
                    _copy(place, self.image / target, is_into=target == "./")

    def serve(self) -> dict[str, Any]:
        """Migrate, start, wait for readiness, stop; return what it told when it was ready."""
        with _nats(self.folder / "nats") as url:
            port = _free_port()
            prefix = self.service.upper()
            settings = {
                f"{prefix}_DATABASE_URL": f"sqlite+aiosqlite:///{self.folder / 'own.db'}",
                f"{prefix}_NATS_URL": url,
                f"{prefix}_PORT": str(port),
                "LEVEE_VERSION": "isolated",
            }
            if self.service == "router":
                settings["ROUTER_DEFINITIONS_FOLDER"] = str(self.image / "bpmn")
            module = [self.python, "-m", f"services.{self.service}"]
            _run([*module, "migrate"], self.image, "migrate", **settings)
            log = self.folder / "log"
            with log.open("wb") as file:
                process = subprocess.Popen(
                    [*module, "serve"],
                    cwd=self.image,
                    env=_environment(**settings),
                    stdout=file,
                    stderr=file,
                )
            try:
                told = self._await_ready(port, log)
            finally:
                process.terminate()
                code = process.wait(timeout=_STOP_S)
            if code != 0:
                raise StepFailed(step="serve", code=code, told=log.read_text()[-2000:])
            return told

    def test(self) -> str:
        """Run its unit tests in its own environment; return pytest's last line."""
        for file in (*_TEST_FILES, f"tests/unit/{self.service}"):
            _copy(ROOT / file, self.image / file, is_into=False)
        shutil.copy(ROOT / "pyproject.toml", self.image)
        pip = [self.python, "-m", "pip"]
        _run([self.python, "-m", "ensurepip"], self.image, "ensurepip")
        bound = str(ROOT / "constraints.txt")
        _run([*pip, "install", "--quiet", "-c", bound, *_TEST_TOOLS], self.image, "test tools")
        tests = [self.python, "-m", "pytest", "-q", f"tests/unit/{self.service}"]
        return _run(tests, self.image, "unit tests").strip().splitlines()[-1]

    def _words(self, text: str) -> list[str]:
        return [word.replace("${SERVICE}", self.service) for word in shlex.split(text)]

    def _await_ready(self, port: int, log: Path) -> dict[str, Any]:
        machine = SystemTime()
        give_up = machine.monotonic() + _READY_S
        told: dict[str, Any] = {}
        while machine.monotonic() < give_up:
            told = _asked(f"http://127.0.0.1:{port}/{self.service}/ready") or told
            checks = told.get("checks", {})
            if checks and all(checks[name]["is_well"] for name in ("database", "bus", "loops")):
                return told
            time.sleep(_LOOK_EVERY_S)
        raise NeverReady(
            service=self.service, seconds=_READY_S, told=told or log.read_text()[-2000:]
        )


def _asked(url: str) -> dict[str, Any] | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            told: dict[str, Any] = json.load(answer)
            return told
    except urllib.error.HTTPError as error:
        told = json.load(error)
        return told
    except OSError:
        return None


def _copy(source: Path, target: Path, *, is_into: bool) -> None:
    if is_into:
        target = target / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
    else:
        shutil.copy(source, target)


def _environment(**settings: str) -> dict[str, str]:
    """Return what a process of the image sees: nothing of this one but where programs are."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    path = f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{kept.get('PATH', '')}"
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return {**kept, **pip, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **settings}


def _run(command: Sequence[str], folder: Path, step: str, **settings: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(**settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StepFailed(step=step, code=done.returncode, told=(done.stdout + done.stderr)[-3000:])
    return done.stdout


@contextlib.contextmanager
def _nats(store: Path) -> Iterator[str]:
    port = _free_port()
    store.mkdir()
    server = subprocess.Popen(
        [find_binary(), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(store)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=_STOP_S)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def isolate(service: str, folder: Path) -> str:
    """Build, serve and test `service` in `folder`; return what is to be said about it.

    Raises StepFailed and NeverReady.
    """
    isolation = Isolation(service, folder)
    isolation.build()
    told = isolation.serve()
    tested = isolation.test()
    return f"{service}: {told['status']} alone, version {told['version']}; {tested}"


def main(argv: Sequence[str]) -> int:
    """Isolate one service; return 1 if it does not stand alone."""
    if len(argv) not in (1, 2) or not (ROOT / "services" / argv[0]).is_dir():
        sys.stderr.write("usage: python -m tools.isolation SERVICE [FOLDER]\n")
        return 2
    try:
        with tempfile.TemporaryDirectory(prefix="levee-alone-") as made:
            folder = Path(argv[1]) if len(argv) == 2 else Path(made) / argv[0]
            sys.stdout.write(isolate(argv[0], folder) + "\n")
    except LeveeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""docs/operations.md, "Bare processes": followed word for word in an empty folder.

Only ports differ, so that it can run beside anything.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import make_url

from levee.house import NAMES
from tests.harness.postgres import find_binaries
from tests.harness.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.nats, pytest.mark.postgres]
_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def commands() -> str:
    """Return the section's shell blocks, one after the other."""
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = page.split("\n## Bare processes\n")[1].split("\n## ")[0]
    return "\n".join(_BLOCK.findall(section))


def with_free_ports(script: str, database_port: int) -> str:
    """Return the commands on other ports."""
    ports = {"5432": str(database_port), "4222": str(free_port())}
    free = {str(8081 + n): str(free_port()) for n in range(len(NAMES))}
    # The loop counts up from 8081: here each service gets its own.
    listed = " ".join(free.values())
    script = script.replace("port=8081\n", f"set -- {listed}\nport=$1\n")
    script = script.replace("port=$((port + 1))", "shift; port=${1:-}")
    for old, new in (ports | free).items():
        script = re.sub(rf"\b{old}\b", new, script)
    change = (
        f"sed -i 's/^port: 4222/port: {ports['4222']}/; s/8222/{free_port()}/' nats/nats.conf\n"
    )
    return script.replace("venv/bin/nats-server", change + "venv/bin/nats-server")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder; what was started in it and still runs is ended."""
    yield tmp_path
    for pid in (*tmp_path.glob("*.pid"), *tmp_path.glob("nats/pid")):
        try:
            os.kill(int(pid.read_text()), signal.SIGKILL)
        except (ProcessLookupError, ValueError):
            continue


def test_an_operator_can_follow_it_word_for_word(
    folder: Path, postgres_server: PostgresServer
) -> None:
    for program in ("curl", "sh"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here")
    place = make_url(postgres_server.url("postgres"))
    script = with_free_ports(commands(), place.port or 0)
    kept = {n: os.environ[n] for n in ("HOME", "LANG") if n in os.environ}
    pip = {n: v for n, v in os.environ.items() if n.startswith("PIP_")}
    path = f"{find_binaries()}{os.pathsep}{os.environ['PATH']}"
    address = place.set(drivername="postgresql").render_as_string()
    # Files, not pipes: what was started in the background holds a pipe open.
    with (folder / "told").open("w") as told:
        done = subprocess.run(
            ["sh", "-euc", script],
            cwd=folder,
            env={**kept, **pip, "PATH": path, "LEVEE": str(ROOT), "POSTGRES": address},
            stdout=told,
            stderr=told,
            timeout=400,
            check=False,
        )
    said = (folder / "told").read_text()
    logs = "".join(log.read_text()[-1500:] for log in folder.glob("*.log"))

    assert done.returncode == 0, said + logs
    assert json.loads((folder / "first.json").read_text())["number"].startswith("R-")
    for name in NAMES:
        assert f'"service":"{name}"' in said.replace('": "', '":"')
    assert '"level":"error"' not in logs

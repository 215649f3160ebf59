"""Each API keeps what its OpenAPI description promises, whatever is thrown at it."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from levee.embedded import Folder

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("intake", "router", "clock", "escalation", "notify", "insight")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Run the all-in-one as a process; give its address and the operator's key."""
    folder = Folder(tmp_path_factory.mktemp("house"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (folder.path / "log").open("wb")
    command = [sys.executable, "-m", "levee", "up", "--data", str(folder.path)]
    process = subprocess.Popen([*command, "--port", str(port)], cwd=ROOT, stderr=log, stdout=log)
    try:
        _answers(f"http://127.0.0.1:{port}/intake/health")
        yield f"http://127.0.0.1:{port}", folder.operator_key()
    finally:
        process.terminate()
        process.wait(timeout=40)
        log.close()


def _answers(url: str) -> None:
    # Connecting is tried again with growing pauses, two minutes in all.
    with httpx.Client(transport=httpx.HTTPTransport(retries=9)) as client:
        assert client.get(url, timeout=5).status_code == 200


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "phases", ["coverage", pytest.param("coverage,fuzzing", marks=pytest.mark.slow)]
)
def test_nothing_that_comes_in_makes_a_service_fail(
    house: tuple[str, str], service: str, phases: str
) -> None:
    url, key = house
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/{service}/openapi.json"]
    options = ["-H", f"Authorization: Bearer {key}", "-c", "not_a_server_error"]
    bounds = ["--max-examples", "10", "--phases", phases, "--seed", "1", "--no-color"]
    # The live stream never ends, and who asks for jobs may wait half a minute: their purpose.
    spared = ["--exclude-path-regex", "live|jobs/take"]

    done = subprocess.run(
        [*command, *options, *bounds, *spared], capture_output=True, text=True, timeout=240
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]

"""The command line as a person uses it: real processes, real ports, exit codes."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import orjson
import pytest

from shared.bus.nats import connect
from shared.bus.port import Message, event_subject
from shared.time_source import SystemTime
from tests.harness.journey import a_post
from tests.harness.processes import free_port
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.nats

_ROOT = Path(__file__).resolve().parents[2]
_LISTENING = re.compile(r"Listening for client connections on 127\.0\.0\.1:(\d+)")
_SERVICES = ["intake", "router", "clock", "escalation", "notify", "insight"]
#: A request nobody posted, so that no real event waits behind what is wrong.
_STRANGER = UUID(int=4711)
_POISON = "request.assigned.v1"


def levee(*arguments: str, within_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run `levee` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "levee", *arguments],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


@dataclass
class RunningHouse:
    """A house started with `levee up`."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def do(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command on this house's folder."""
        return levee(*arguments, "--data", str(self.folder))

    def http(self) -> httpx.Client:
        """Return a client with the operator's key."""
        key = (self.folder / "operator.key").read_text().strip()
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"})

    def publish(self, event_type: str, body: bytes) -> None:
        """Put a message on the house's own bus, as a faulty program would."""
        log = (self.folder / "nats" / "nats-server.log").read_text()
        port = _LISTENING.findall(log)[-1]

        async def send() -> None:
            bus = await connect(f"nats://127.0.0.1:{port}", name="test", time=SystemTime())
            subject = event_subject("router", event_type)
            await bus.publish([Message(subject, UUID(int=len(body)), body)])
            await bus.close()

        asyncio.run(send())

    def set_aside(self) -> list[dict[str, Any]]:
        """Return what `levee setaside list` tells."""
        told = self.do("setaside", "list", "--json")
        assert told.returncode == 0, told.stderr
        found: list[dict[str, Any]] = orjson.loads(told.stdout)
        return found

    def held(self) -> int:
        """Return how many messages are set aside, all services taken together."""
        with self.http() as http:
            pages = [http.get(f"/{name}/v1/setaside").json() for name in _SERVICES]
        return sum(int(page["total"]) for page in pages)

    def route_one(self) -> None:
        """Post a request and wait until it is routed."""
        with self.http() as http:
            answer = http.post("/v1/requests", json=a_post("Printer"))
            assert answer.status_code == 201, answer.text
            place = f"/v1/requests/{answer.json()['id']}"
            becomes(lambda: http.get(place).json()["status"]["team"] == "it-service-desk")


def becomes(fact: Callable[[], bool], within_s: float = 40) -> None:
    """Return as soon as `fact()` is true."""
    asyncio.run(until(fact, within_s))


def start(folder: Path, *options: str) -> RunningHouse:
    """Start `levee up` and return once all services are there."""
    port = free_port()
    command = [sys.executable, "-m", "levee", "up", "--data", str(folder), "--port", str(port)]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "up.log").open("wb") as log:
        process = subprocess.Popen([*command, *options], cwd=_ROOT, stdout=log, stderr=log)
    house = RunningHouse(folder, port, process)

    def is_there() -> bool:
        assert process.poll() is None, (folder.parent / "up.log").read_text()[-2000:]
        return (folder / "running.json").exists() and _is_open(house)

    becomes(is_there, within_s=60)
    return house


def _is_open(house: RunningHouse) -> bool:
    try:
        with house.http() as http:
            told = http.get("/intake/ready").json()
    except (httpx.TransportError, ValueError):
        return False
    return bool(told["checks"].get("catalogue", {}).get("is_well"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """One house for all that only looks at it."""
    running = start(tmp_path_factory.mktemp("smoke") / "house")
    yield running
    if running.process.poll() is None:
        running.process.terminate()
    running.process.wait(timeout=60)


def test_status_tells_of_every_service(house: RunningHouse) -> None:
    house.route_one()

    told = house.do("status", "--json")

    assert told.returncode == 0, told.stderr
    services = orjson.loads(told.stdout)["services"]
    assert [service["service"] for service in services] == _SERVICES
    assert {service["status"] for service in services} == {"ready"}


def test_an_audit_proves_that_the_services_agree(house: RunningHouse) -> None:
    house.route_one()

    shown, told = house.do("audit"), house.do("audit", "--json", "--strict")

    assert (shown.returncode, told.returncode) == (0, 0), shown.stdout + told.stdout
    report = orjson.loads(told.stdout)
    assert report["findings"] == []
    assert report["totals"]["intake"]["requests"] == report["totals"]["clock"]["clock_sets"] >= 1


def test_an_unreadable_message_is_set_aside_named_and_dismissed_and_all_else_goes_on(
    house: RunningHouse,
) -> None:
    house.publish(_POISON, b"{not even JSON")
    becomes(lambda: house.held() >= 4)
    house.route_one()

    listed = house.set_aside()
    status = house.do("status", "--json")
    again = house.do("setaside", "replay", "all")

    assert {one["service"] for one in listed} >= {"intake", "clock", "escalation", "insight"}
    assert all("JSON" in one["detail"] for one in listed), listed
    assert status.returncode == 0
    assert {s["status"] for s in orjson.loads(status.stdout)["services"]} == {"ready", "degraded"}
    assert (again.returncode, again.stdout.count("failed again")) == (1, len(listed))
    assert house.do("setaside", "dismiss", "all", "--yes", "--reason", "a test").returncode == 0
    assert house.held() == 0


def test_an_event_of_the_wrong_shape_is_set_aside_saying_which_field(house: RunningHouse) -> None:
    event = {
        "specversion": "1.0",
        "id": str(UUID(int=1)),
        "type": _POISON,
        "source": "/levee/router",
        "time": "2026-03-02T09:00:00Z",
        "occurredat": "2026-03-02T09:00:00Z",
        "subject": str(_STRANGER),
        "sequence": 1,
        "data": {"crew": "it-service-desk"},
    }
    house.publish(_POISON, orjson.dumps(event))
    becomes(lambda: house.held() >= 4)

    listed = house.set_aside()
    shown = house.do("setaside", "list")
    again = house.do("setaside", "replay", str(UUID(int=1)))

    assert {one["request_id"] for one in listed} == {str(_STRANGER)}
    assert all("team" in one["detail"] for one in listed), listed
    assert str(UUID(int=1)) in shown.stdout
    assert again.returncode == 1
    assert house.do("setaside", "dismiss", "all", "--yes", "--reason", "a test").returncode == 0
    assert house.held() == 0


def test_a_second_house_on_the_same_folder_is_refused_naming_the_first(
    house: RunningHouse,
) -> None:
    told = house.do("up", "--port", str(free_port()))

    assert told.returncode == 1
    assert "already-running" in told.stderr
    assert house.url in told.stderr
    assert "Traceback" not in told.stderr


def test_a_folder_whose_house_cannot_be_found_is_refused_all_the_same(
    house: RunningHouse,
) -> None:
    note = house.folder / "running.json"
    kept = note.read_bytes()
    note.unlink()
    try:
        told = house.do("up", "--port", str(free_port()))
    finally:
        note.write_bytes(kept)

    assert told.returncode == 1
    assert str(house.folder) in told.stderr
    assert "Traceback" not in told.stderr
    house.route_one()


def test_a_port_that_is_taken_is_refused_saying_which(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        told = levee("up", "--data", str(tmp_path / "house"), "--port", port)

    assert told.returncode == 1
    assert "port-taken" in told.stderr
    assert port in told.stderr


@pytest.mark.parametrize("command", ["status", "down"])
def test_where_no_house_runs_the_commands_say_so(tmp_path: Path, command: str) -> None:
    told = levee(command, "--data", str(tmp_path))

    assert told.returncode == 1
    assert "levee up" in told.stderr
    assert "Traceback" not in told.stderr


def test_down_stops_everything_and_the_folder_can_be_used_again(house: RunningHouse) -> None:
    """The last one: it ends the house the others looked at."""
    told = house.do("down")

    assert told.returncode == 0, told.stderr
    assert house.process.wait(timeout=20) == 0
    again = start(house.folder)
    with again.http() as http:
        assert http.get("/router/v1/requests").json()["total"] >= 2
    again.process.send_signal(signal.SIGINT)
    assert again.process.wait(timeout=30) in (0, 130)


def test_one_process_per_service_behind_the_same_paths(tmp_path: Path) -> None:
    house = start(tmp_path / "house", "--separate")
    try:
        house.route_one()

        told = house.do("status", "--json")
        assert told.returncode == 0, told.stdout
        assert len(orjson.loads(told.stdout)["services"]) == 6
        assert house.do("down").returncode == 0
        assert house.process.wait(timeout=30) == 0
        stopped = house.do("audit", "--json", "--strict")
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr
        assert orjson.loads(stopped.stdout)["requests"] == 1
    finally:
        if house.process.poll() is None:
            house.process.terminate()
            house.process.wait(timeout=60)


def test_a_replay_writes_its_report(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(
        "number,event_seq,incident_state,opened_at,sys_updated_at,impact,urgency,"
        "assignment_group,assigned_to\n"
        "INC1,1,New,2016-03-01T08:00,2016-03-01T08:00,2 - Medium,2 - Medium,G1,\n"
        "INC1,2,Closed,2016-03-01T08:00,2016-03-01T09:00,2 - Medium,2 - Medium,G1,Ann\n"
    )
    report = tmp_path / "report.json"

    told = levee("replay", str(log), "--format", "servicenow", "--report", str(report), "--json")

    assert told.returncode == 0, told.stderr
    totals = orjson.loads(told.stdout)
    assert (totals["requests"], totals["log"]["events"]) == (1, 2)
    (request,) = orjson.loads(report.read_bytes())["requests"]
    assert (request["external_id"], request["priority"]) == ("INC1", "P3")

"""nats-server as it runs in production: infra/nats as it stands, one node or a cluster of three."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from shared.bus.server import NatsServerMissing, find_binary
from tests.harness.processes import free_port
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.harness.receivers.certificates import Certificate

INFRA = Path(__file__).resolve().parents[2] / "infra"


@dataclass(slots=True)
class NatsNode:
    """One server with a folder of its own; killed and started again by the tests."""

    folder: Path
    name: str
    port: int
    watch_port: int
    _process: subprocess.Popen[bytes] | None = field(default=None)

    async def start(self) -> None:
        """Start it and return when it serves clients."""
        self._spawn()
        await until(self._is_healthy, 30)

    def _spawn(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [find_binary(), "--config", self.folder / "nats.conf", "--name", self.name],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def _is_healthy(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.name} ended: {(self.folder / 'log').read_text()[-2000:]}")
        async with httpx.AsyncClient() as client:
            try:
                answer = await client.get(f"http://127.0.0.1:{self.watch_port}/healthz")
            except httpx.TransportError:
                return False
        # A node of a cluster is well only with its neighbours; they are started beside it.
        return answer.status_code in (200, 503)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=30)
            self._process = None


@dataclass(frozen=True, slots=True)
class NatsHouse:
    """The servers, and the secrets services need for them."""

    nodes: tuple[NatsNode, ...]
    secrets: Path
    scheme: str = "nats"

    @property
    def url(self) -> str:
        """Every node's address, as services are told."""
        return ",".join(f"{self.scheme}://127.0.0.1:{node.port}" for node in self.nodes)

    def password_of(self, user: str) -> str:
        """Return the password of a user."""
        return (self.secrets / user / "nats-password").read_text()

    def settings_of(self, service: str) -> Mapping[str, str]:
        """Return the settings by which a service is known here."""
        prefix = service.upper()
        return {
            f"{prefix}_NATS_URL": self.url,
            f"{prefix}_NATS_USER": service,
            f"{prefix}_NATS_PASSWORD_FILE": str(self.secrets / service / "nats-password"),
            f"{prefix}_NATS_REPLICAS": str(len(self.nodes)),
        }


@asynccontextmanager
async def nats_house(
    folder: Path, nodes: int = 1, tls: Certificate | None = None
) -> AsyncIterator[NatsHouse]:
    """Run infra/nats with fresh secrets; only ports and the store's place differ."""
    try:
        find_binary()
    except NatsServerMissing as missing:
        pytest.skip(str(missing))
    routes = [f"127.0.0.1:{free_port()}" for _ in range(nodes)]
    secrets = folder / "secrets"
    _make_secrets(secrets, routes)
    made = tuple(_node(folder / f"nats-{n}", n, routes, secrets) for n in range(1, nodes + 1))
    if tls is not None:
        for node in made:
            _speak_tls(node.folder, tls)
    house = NatsHouse(made, secrets, "nats" if tls is None else "tls")
    try:
        await asyncio.gather(*(node.start() for node in made))
        await until(lambda: _all_are_well(house), 30)
        yield house
    finally:
        for node in made:
            node.stop()


def _make_secrets(folder: Path, routes: list[str]) -> None:
    make = ["sh", str(INFRA / "secrets.sh"), str(folder), "127.0.0.1", *routes]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)


async def _all_are_well(house: NatsHouse) -> bool:
    async with httpx.AsyncClient() as client:
        for node in house.nodes:
            answer = await client.get(f"http://127.0.0.1:{node.watch_port}/healthz")
            if answer.status_code != 200:
                return False
    return True


def _node(folder: Path, number: int, routes: list[str], secrets: Path) -> NatsNode:
    folder.mkdir(parents=True)
    for file in (INFRA / "nats").glob("*.conf"):
        shutil.copy(file, folder)
    shutil.copytree(secrets / "nats", folder / "secrets")
    port, watch_port = free_port(), free_port()
    places = {
        r"^port: 4222$": f'host: "127.0.0.1"\nport: {port}',
        r"^http_port: 8222\b": f'http: "127.0.0.1:{watch_port}"',
        r'"/data"': f'"{folder / "data"}"',
    }
    if len(routes) > 1:
        places[r"^# As one of several: "] = ""
    _change(folder / "nats.conf", places)
    own = routes[number - 1].rsplit(":", 1)[1]
    _change(folder / "cluster.conf", {r"^  port: 6222$": f'  host: "127.0.0.1"\n  port: {own}'})
    return NatsNode(folder, f"nats-{number}", port, watch_port)


def _speak_tls(folder: Path, tls: Certificate) -> None:
    (folder / "tls").mkdir()
    shutil.copy(tls.certificate, folder / "tls" / "server.pem")
    shutil.copy(tls.certificate, folder / "tls" / "ca.pem")
    shutil.copy(tls.key, folder / "tls" / "server.key")
    _change(folder / "nats.conf", {r'^# .*: include "tls.conf"$': 'include "tls.conf"'})
    conf = folder / "tls.conf"
    conf.write_text(conf.read_text().replace("/etc/nats/", f"{folder}/"))


def _change(path: Path, places: Mapping[str, str]) -> None:
    text = path.read_text()
    for pattern, new in places.items():
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert count == 1, f"{pattern} stands {count} times in {path.name}"
    path.write_text(text)

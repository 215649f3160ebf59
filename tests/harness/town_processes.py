"""Starts the real house as processes, with definitions under which everything is quick."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from levee.embedded import DEFINITIONS
from levee.house import NAMES
from shared.database import migrations
from shared.database.engine import Database
from shared.http.auth import add_to_file, new_key
from tests.harness.nats_house import NatsHouse, NatsNode, nats_house
from tests.harness.processes import ServiceProcess, free_port
from tests.harness.town import Town
from tests.harness.waiting import until

#: Everything a P1 goes through within six seconds: breached after two, the member at once, the
#: lead two seconds later, the duty person two more.
_POLICY = """
key: urgent
name: {en: For this test}
on_warned_percent: []
metrics: [first_response]
tiers:
  - notify: [member]
  - {notify: [lead], after: PT2S}
duty_after: PT2S
duty_repeats: 0
"""
_DIRECTORY = """
people:
  - {id: lin, name: 林静, addresses: {email: lin@example.com}}
  - {id: wang, name: 王伟, addresses: {email: wang@example.com}}
  - {id: duty, name: 值班主管, addresses: {email: duty@example.com}}
teams:
  - {id: it-service-desk, name: {en: Desk}, members: [lin], lead: wang, escalation_policy: urgent}
duty_person: duty
"""
_QUICK = '"PT15M"', '"PT2S"'


def quick_definitions(
    folder: Path, shipped: Path = DEFINITIONS, directory: str = _DIRECTORY
) -> Path:
    """Return a copy of the shipped definitions in which everything happens within seconds."""
    shutil.copytree(shipped, folder)
    (folder / "policies" / "urgent.yaml").write_text(_POLICY)
    (folder / "directory.yaml").write_text(directory)
    table = (folder / "targets.dmn").read_text()
    place = '<outputEntry id="targets_first_response_p1_always_output_1">'
    before, after = table.split(place)
    (folder / "targets.dmn").write_text(before + place + after.replace(*_QUICK, 1))
    return folder


# ---- as one process per service ---------------------------------------------------------------


@asynccontextmanager
async def town_of_processes(
    folder: Path,
    urls: Mapping[str, str],
    replicas: int = 1,
    nodes: int = 1,
    diagram: bytes | None = None,
    *,
    told: Mapping[str, Mapping[str, str]] | None = None,
    directory: str = _DIRECTORY,
) -> AsyncIterator[Town]:
    """Run `replicas` processes of each service and `nodes` nats-servers until the block ends.

    NATS runs as infra/nats has it: every service is a user of its own there. `diagram` replaces
    the standard path. `told` are further settings per service, without its prefix.
    """
    definitions = quick_definitions(folder / "definitions", directory=directory)
    if diagram is not None:
        (definitions / "standard-path.bpmn").write_bytes(diagram)
    key, kept = new_key("test", ("*",))
    add_to_file(folder / "keys.json", kept)
    for name in NAMES:
        database = Database(urls[name])
        await migrations.upgrade(name, database)
        await database.close()
    async with nats_house(folder, nodes) as broker:
        processes = [
            service_process(
                folder,
                name,
                replica,
                urls[name],
                definitions,
                broker.settings_of(name),
                (told or {}).get(name),
            )
            for replica in range(1, replicas + 1)
            for name in NAMES
        ]
        for process in processes:
            process.start()
        try:
            for process in processes:
                await process.answers(within_s=240)
            town = town_of(processes, broker, key, urls)
            await has_catalogue(town)
            yield town
        finally:
            for process in processes:
                process.kill()


def service_process(
    folder: Path,
    name: str,
    replica: int,
    database: str,
    definitions: Path,
    bus: Mapping[str, str],
    told: Mapping[str, str] | None = None,
) -> ServiceProcess:
    """Return one replica of a service, ready to be started.

    `bus` are its settings for NATS, `told` further ones without its prefix.
    """
    port = free_port()
    own = {
        "DATABASE_URL": database,
        "PORT": str(port),
        "KEYS_FILE": str(folder / "keys.json"),
        "REPLICA": f"replica-{replica}",
        "LOG_LEVEL": "WARNING",
    }
    special = {
        "router": {"DEFINITIONS_FOLDER": str(definitions)},
        "notify": {"DELIVERY": "record"},
        # On a busy machine routing may take its time; who watches that is not the matter here.
        "intake": {"ROUTE_WITHIN_S": "900"},
    }
    settings = {
        f"{name}_{k}".upper(): v
        for k, v in (own | special.get(name, {}) | dict(told or {})).items()
    }
    log = folder / f"{name}-{replica}.log"
    environment = {**os.environ, **settings, **bus}
    title = f"{name}-{replica}"
    return ServiceProcess(title, f"services.{name}", ["serve"], port, log, environment)


def town_of(
    processes: Sequence[ServiceProcess], broker: NatsHouse, key: str, urls: Mapping[str, str]
) -> Town:
    """Return the town these processes are; each of them and each broker may be killed."""

    def killing(process: ServiceProcess) -> Callable[[], Awaitable[None]]:
        async def kill() -> None:
            process.kill()
            process.start()

        return kill

    def killing_node(node: NatsNode) -> Callable[[], Awaitable[None]]:
        async def kill() -> None:
            node.kill()
            await node.start()

        return kill

    async def stop() -> None:
        codes = await asyncio.gather(*(asyncio.to_thread(p.stop) for p in processes))
        assert codes == [0] * len(processes), codes

    first = {p.name.split("-")[0]: f"http://127.0.0.1:{p.port}" for p in reversed(processes)}
    victims = {process.name: killing(process) for process in processes}
    victims |= {node.name: killing_node(node) for node in broker.nodes}
    return Town(first, key, urls, victims, stop, processes=processes, nodes=broker.nodes)


# ---- as one process for all -------------------------------------------------------------------


@asynccontextmanager
async def town_in_one(folder: Path) -> AsyncIterator[Town]:
    """Run `levee up` until the block ends."""
    definitions = quick_definitions(folder / "definitions")
    data, port = folder / "house", free_port()
    arguments = ["up", "--data", str(data), "--port", str(port), "--definitions", str(definitions)]
    process = ServiceProcess("insight", "levee", arguments, port, folder / "levee.log")

    async def kill() -> None:
        process.kill()
        process.start()
        await process.answers(within_s=240)

    async def stop() -> None:
        assert await asyncio.to_thread(process.stop) == 0

    process.start()
    try:
        await process.answers(within_s=240)
        urls = {name: f"sqlite+aiosqlite:///{data / 'data' / name}.db" for name in NAMES}
        key = (data / "operator.key").read_text().strip()
        bases = dict.fromkeys(NAMES, f"http://127.0.0.1:{port}")
        town = Town(bases, key, urls, {"levee": kill}, stop)
        await has_catalogue(town)
        yield town
    finally:
        process.stop()
        _end_orphan(data / "nats" / "server.lock")


def _end_orphan(lock: Path) -> None:
    """End the broker of a house that was killed and not started again."""
    if not lock.exists():
        return
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            os.kill(int(file.read()), signal.SIGTERM)


async def has_catalogue(town: Town) -> None:
    """Return once the services have heard what they need: a catalogue, tables, templates."""
    wanted = {"intake": "catalogue", "notify": "templates"}

    async def is_there() -> bool:
        async with town.http() as http:
            for name, check in wanted.items():
                told = (await http.get(f"{town.bases[name]}/{name}/ready")).json()
                if not told["checks"].get(check, {}).get("is_well"):
                    return False
        return True

    await until(is_there, 240)

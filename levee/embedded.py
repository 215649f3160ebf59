"""The all-in-one on real time: an embedded nats-server, SQLite files, one port."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from levee.house import House, build_house, house_settings
from shared.bus import nats
from shared.bus.port import kept_streams
from shared.bus.server import NatsServer
from shared.consuming import LOOK_EVERY, PATIENCE, Knobs
from shared.http.auth import KeyRing, add_to_file, new_key
from shared.id_source import RandomIds
from shared.service import Surroundings
from shared.time_source import Activity, SystemTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

#: The shipped definitions: what process owners change.
DEFINITIONS = Path(__file__).resolve().parents[1] / "bpmn"


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder of an all-in-one house."""

    path: Path

    @property
    def databases(self) -> Path:
        """Where the services' SQLite files lie."""
        return self.path / "data"

    @property
    def keys_file(self) -> Path:
        """The hashes of the API keys."""
        return self.path / "keys.json"

    @property
    def operator_key_file(self) -> Path:
        """The key of whoever may read this folder: the command line uses it."""
        return self.path / "operator.key"

    @property
    def running_file(self) -> Path:
        """Where the running house is: pid and address."""
        return self.path / "running.json"

    @property
    def store(self) -> Path:
        """Where the embedded bus keeps its streams."""
        return self.path / "nats"

    def operator_key(self) -> str:
        """Return the operator's key, made at the first call."""
        self.path.mkdir(parents=True, exist_ok=True)
        if self.operator_key_file.exists():
            return self.operator_key_file.read_text(encoding="ascii").strip()
        key, kept = new_key("operator", ["*"])
        add_to_file(self.keys_file, kept)
        handle = os.open(self.operator_key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key + "\n")
        return key

    def running(self) -> dict[str, Any] | None:
        """Return pid and address of the house that runs on this folder, if one does."""
        try:
            told: dict[str, Any] = orjson.loads(self.running_file.read_bytes())
            os.kill(told["pid"], 0)
        except (FileNotFoundError, ProcessLookupError, orjson.JSONDecodeError, KeyError):
            return None
        return told

    def note_running(self, url: str) -> None:
        """Write down where this process's house is."""
        self.running_file.write_bytes(orjson.dumps({"pid": os.getpid(), "url": url}))

    def note_stopped(self) -> None:
        """Forget the running house."""
        self.running_file.unlink(missing_ok=True)


@asynccontextmanager
async def real_house(
    folder: Folder,
    url: str,
    *,
    definitions: Path = DEFINITIONS,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> AsyncIterator[House]:
    """Run all services on the machine's time until the block ends."""
    folder.operator_key()
    told = house_options(url, definitions, options)
    settings = house_settings(folder.databases, told)
    streams = kept_streams({name: one.stream_keep for name, one in settings.items()})
    server = NatsServer(folder.store)
    await server.start()
    time, activity = SystemTime(), Activity()
    try:
        bus = await nats.connect(server.url, name="levee", time=time, streams=streams)
        given = Surroundings(
            time,
            RandomIds(time),
            bus,
            activity,
            KeyRing(folder.keys_file, time),
            Knobs(patience=PATIENCE, look_every=LOOK_EVERY),
        )
        house = build_house(given, folder.databases, told)
        await house.start()
        try:
            yield house
        finally:
            await house.stop()
            await bus.close()
    finally:
        await server.stop()


def house_options(
    url: str, definitions: Path, options: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the settings of an all-in-one's services; `options` come on top."""
    own: dict[str, dict[str, Any]] = {
        "router": {"definitions_folder": definitions},
        "notify": {"public_url": url, **_delivery()},
        "insight": {"open_pages": True},
    }
    for name, values in (options or {}).items():
        own[name] = {**own.get(name, {}), **values}
    return own


def _delivery() -> dict[str, Any]:
    """Without a mail server nothing can leave the house: then it is recorded, and said so.

    Unless the operator decides otherwise: webhooks and robots need no mail server.
    """
    is_decided = os.environ.get("NOTIFY_SMTP_HOST") or os.environ.get("NOTIFY_DELIVERY")
    return {} if is_decided else {"delivery": "record"}

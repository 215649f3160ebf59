"""The all-in-one on real time: an embedded nats-server, SQLite files, one port."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from levee.folder import Folder
from levee.house import House, build_house, house_settings
from shared.bus import nats
from shared.bus.port import kept_streams
from shared.bus.server import NatsServer
from shared.consuming import LOOK_EVERY, PATIENCE, Knobs
from shared.http.auth import KeyRing
from shared.id_source import RandomIds
from shared.service import Surroundings
from shared.time_source import Activity, SystemTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

#: The shipped definitions: what process owners change.
DEFINITIONS = Path(__file__).resolve().parents[1] / "bpmn"


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


__all__ = ["DEFINITIONS", "Folder", "house_options", "real_house"]

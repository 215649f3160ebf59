"""The books of a house that is stopped: its files opened here, nothing of it set going."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from levee.auditing.sources import LocalSource, Source
from levee.house import NAMES, build_house, house_settings
from shared.bus import nats
from shared.bus.port import kept_streams
from shared.bus.server import NatsServer
from shared.consuming import Knobs
from shared.database import migrations
from shared.errors import NotFound
from shared.http.auth import KeyRing
from shared.id_source import RandomIds
from shared.service import Surroundings
from shared.time_source import Activity, SystemTime

if TYPE_CHECKING:
    from levee.embedded import Folder
    from shared.bus.port import Bus


class NothingThere(NotFound):
    """There is no house in {folder}: {missing} is missing."""

    zh: ClassVar[str] = "{folder} 中没有系统：缺少 {missing}。"


@asynccontextmanager
async def stopped_house(
    folder: Folder, tolerance: timedelta
) -> AsyncIterator[tuple[Mapping[str, Source], Bus]]:
    """Open the databases and the bus of a stopped house for as long as the block lasts.

    Raises `NothingThere`, `SchemaBehind`, and `DatabaseInUse` when it is not stopped.
    """
    for name in NAMES:
        if not (folder.databases / f"{name}.db").exists():
            raise NothingThere(folder=folder.path, missing=f"{name}.db")
    time = SystemTime()
    server = NatsServer(folder.store)
    await server.start()
    try:
        settings = house_settings(folder.databases)
        streams = kept_streams({name: one.stream_keep for name, one in settings.items()})
        bus = await nats.connect(server.url, name="levee-audit", time=time, streams=streams)
        try:
            keys = KeyRing(None, time)
            given = Surroundings(time, RandomIds(time), bus, Activity(), keys, Knobs())
            services = build_house(given, folder.databases).services
            try:
                for name, service in services.items():
                    await migrations.require_current(name, service.runtime.database)
                books = {name: one.accounts for name, one in services.items()}
                yield (
                    {n: LocalSource(a, tolerance) for n, a in books.items() if a is not None},
                    bus,
                )
            finally:
                for service in services.values():
                    await service.runtime.database.close()
        finally:
            await bus.close()
    finally:
        await server.stop()

"""A stage that stands still: what waits does so on disk, and nobody's memory grows with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shared.bus.nats import connect
from shared.bus.port import ConsumerSpec
from shared.time_source import SystemTime
from tests.benchmarks.intake import BODY
from tests.benchmarks.path import PATH, settled, specs_of, verify
from tests.benchmarks.report import Section, progress
from tests.benchmarks.stage import house, load

if TYPE_CHECKING:
    from tests.benchmarks.stage import Stage

_WARM_UP = 300
_UNPUBLISHED = "SELECT count(*) FROM outbox WHERE published_us IS NULL AND stream_sequence IS NULL"


async def measure(stage: Stage, *, seconds: float) -> Section:
    """Post as fast as it goes while the router stands still; then let it go on."""
    section = Section("pressure", "The router stands still: nothing grows but what waits on disk")
    request = stage.request(BODY)
    async with house(stage, PATH) as world:
        bus = await connect(world.nats.url, name="bench", time=SystemTime())
        intake, router = world.processes["intake"], world.processes["router"]
        port, heard = world.ports["intake"], ConsumerSpec("LEVEE_INTAKE", "router-levee_intake")
        try:
            progress("pressure: warming up")
            await load(stage, port, request, count=_WARM_UP)
            await settled(specs_of(PATH), bus, _WARM_UP)
            before_mb = {name: one.memory_mb for name, one in world.processes.items()}
            router.pause()
            progress("pressure: the router stands still")
            told = await load(stage, port, request, seconds=seconds)
            waiting = await bus.lag(heard) or 0
            left = await world.count("intake", _UNPUBLISHED)
            grown_mb = intake.memory_mb - before_mb["intake"]
            router.resume()
            progress(f"pressure: the router goes on, {waiting} wait")
            began, total = time.perf_counter(), _WARM_UP + told["count"]
            await settled(specs_of(PATH), bus, total)
            took_s = time.perf_counter() - began
            await verify(world, total)
            after_mb = {name: one.memory_mb for name, one in world.processes.items()}
        finally:
            router.resume()
            await bus.close()
    section.add("accepted meanwhile", told["count"] / (told["ended"] - told["began"]), "/s")
    section.add("POST to 201 meanwhile, p99", told["p99_s"] * 1e3, "ms")
    section.add("waiting in the stream at the end", waiting, "")
    section.add("rows of intake's outbox nobody has published", left, "")
    section.add("intake's memory grew meanwhile by", grown_mb, "MB")
    section.add("caught up after", took_s, "s")
    section.add("  which is", waiting / took_s, "/s")
    for name, used_mb in after_mb.items():
        ratio = used_mb / before_mb[name]
        section.add(f"memory of {name} afterwards", used_mb, "MB", ratio, "before")
    section.note("Rows counted at the end: nothing lost, nothing doubled.")
    return section

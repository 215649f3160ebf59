"""The machine's clock is set forward and back by an hour under a running house.

Everything due fires once, nothing before its moment, each clock's thresholds in their order, and
what is asked for afterwards is on time. All services share a process and a clock, as `levee up`;
NATS and the disks are real.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from sqlalchemy import text

from levee.auditing.sources import LocalSource
from levee.auditing.walk import audit
from levee.embedded import house_options
from levee.house import House, build_house
from shared.bus import nats
from shared.consuming import LOOK_EVERY, PATIENCE, Knobs
from shared.database.tables import to_us
from shared.http.auth import KeyRing, add_to_file, new_key
from shared.id_source import RandomIds
from shared.service import Surroundings
from shared.time_source import Activity, SystemTime
from tests.harness.journey import P1, a_post
from tests.harness.nats import nats_server
from tests.harness.shifted import ShiftedTime
from tests.harness.town_processes import quick_definitions
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.nats

HOUR = timedelta(hours=1)
#: Under the definitions of these tests: breached after two seconds, three people within four more.
PEOPLE = {"lin", "wang", "duty"}
#: Real seconds in which all of that must have happened on a busy machine.
_IN_TIME_S = 45.0
_TOLD = "SELECT recipient FROM deliveries WHERE request_id = :id AND state = 'sent'"
_SAID = "SELECT body FROM outbox WHERE stream = 'LEVEE_CLOCK' ORDER BY id"


@dataclass
class Clockwork:
    """A house at work, its clock, and who posted what."""

    house: House
    time: ShiftedTime
    http: httpx.AsyncClient
    posted: list[str] = field(default_factory=list)

    async def post(self, count: int) -> list[str]:
        """Post urgent requests; return their ids."""
        made = []
        for n in range(count):
            body = a_post(f"Outage {len(self.posted) + n}", **P1)
            answer = await self.http.post("/v1/requests", json=body)
            assert answer.status_code == 201, answer.text
            made.append(answer.json()["id"])
        self.posted += made
        return made

    async def rows(self, service: str, statement: str, **values: Any) -> list[Any]:
        """Return the rows of a statement in a service's database."""
        async with self.house.services[service].runtime.database.reading() as connection:
            return list((await connection.execute(text(statement), values)).all())

    async def everybody_was_told(self, requests: list[str]) -> None:
        """Return once all three people were told of each request."""

        async def is_so() -> bool:
            for request_id in requests:
                found = await self.rows("notify", _TOLD, id=request_id)
                if {row[0] for row in found} != PEOPLE:
                    return False
            return True

        await until(is_so, _IN_TIME_S)

    async def said(self) -> list[dict[str, Any]]:
        """Return what the clock said, in order, with where it stands per request and clock."""
        return [orjson.loads(row[0]) for row in await self.rows("clock", _SAID)]

    async def thresholds(self) -> dict[tuple[str, str], list[tuple[int, datetime, datetime]]]:
        """Return per clock its thresholds as fired: percent, when due, when recorded."""
        fired: dict[tuple[str, str], list[tuple[int, datetime, datetime]]] = defaultdict(list)
        for event in await self.said():
            if event["type"] in ("clock.warned.v1", "clock.breached.v1"):
                data = event["data"]
                percent = data.get("threshold_percent", 100)
                moments = (event["occurredat"], event["time"])
                due_at, recorded_at = (datetime.fromisoformat(moment) for moment in moments)
                fired[(event["subject"], data["clock_id"])].append((percent, due_at, recorded_at))
        return fired

    async def assert_fired_once_and_never_early(self) -> None:
        """Each threshold once, in the order of the percentages, none before its due moment."""
        for place, fired in (await self.thresholds()).items():
            percents = [percent for percent, _, _ in fired]
            assert percents == sorted(set(percents)), place
            assert [due_at for _, due_at, _ in fired] == sorted(due for _, due, _ in fired), place
            for percent, due_at, recorded_at in fired:
                assert recorded_at >= due_at, (place, percent)

    async def caught_up(self) -> None:
        """Return once nothing is due any more in any service."""
        overdue = "SELECT id FROM timers WHERE due_us < :now"

        async def is_so() -> bool:
            now_us = to_us(self.time.now() - timedelta(seconds=1))
            return not any([await self.rows(n, overdue, now=now_us) for n in self.house.services])

        await until(is_so, _IN_TIME_S)

    async def assert_adds_up(self) -> None:
        """Audit it: all requests everywhere, nothing late, nothing set aside."""
        await self.caught_up()
        sources: dict[str, Any] = {}
        for name, service in self.house.services.items():
            assert service.accounts is not None
            sources[name] = LocalSource(service.accounts, timedelta(seconds=60))
        report = await audit(sources, grace=timedelta(seconds=20), time=SystemTime())
        assert report.findings == [], report.findings
        assert report.totals["intake"]["requests"] == len(self.posted)
        for place, once_each in (
            ("escalation", "SELECT escalation_id, epoch, tier, repeat FROM steps"),
            ("notify", "SELECT notification_id, recipient, channel FROM deliveries"),
        ):
            told = Counter(map(tuple, await self.rows(place, once_each)))
            assert {one: n for one, n in told.items() if n > 1} == {}, "somebody was told twice"


@asynccontextmanager
async def clockwork(folder: Path) -> AsyncIterator[Clockwork]:
    """Run the six services in this process, on a clock that can be set."""
    time, machine = ShiftedTime(), SystemTime()
    key, kept = new_key("test", ("*",))
    add_to_file(folder / "keys.json", kept)
    definitions = quick_definitions(folder / "definitions")
    options = house_options("https://levee.test", definitions, {"notify": {"delivery": "record"}})
    async with nats_server(folder / "nats") as server:
        bus = await nats.connect(server.url, name="test", time=machine)
        given = Surroundings(
            time,
            RandomIds(time),
            bus,
            Activity(),
            KeyRing(folder / "keys.json", time),
            Knobs(patience=PATIENCE, look_every=LOOK_EVERY),
        )
        house = build_house(given, folder / "data", options)
        await house.start()
        try:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(house.app(), raise_app_exceptions=False),
                base_url="https://levee.test",
                headers={"Authorization": f"Bearer {key}"},
            ) as http:
                found = Clockwork(house, time, http)
                await until(lambda: _is_open(http), 30)
                yield found
        finally:
            await house.stop()
            await bus.close()


async def _is_open(http: httpx.AsyncClient) -> bool:
    wanted = {"intake": "catalogue", "notify": "templates", "escalation": "policies"}
    for name, check in wanted.items():
        told = (await http.get(f"/{name}/ready")).json()
        if not told["checks"].get(check, {}).get("is_well"):
            return False
    return True


async def test_an_hour_forward_and_an_hour_back_fire_everything_once_and_on_time(
    tmp_path: Path,
) -> None:
    async with clockwork(tmp_path) as work:
        first = await work.post(4)
        await work.everybody_was_told(first)
        quiet = len(await work.said())

        work.time.set_by(HOUR)
        during = await work.post(2)
        await work.everybody_was_told(during)
        await until(lambda: has_grown(work, quiet, first), _IN_TIME_S)
        await work.assert_fired_once_and_never_early()

        work.time.set_by(-HOUR)
        later = await work.post(4)
        await work.everybody_was_told(later)
        await work.assert_fired_once_and_never_early()

        work.time.set_by(-HOUR)
        at_last = await work.post(2)
        await work.everybody_was_told(at_last)
        work.time.set_by(HOUR)
        await work.assert_adds_up()
        await work.assert_fired_once_and_never_early()


async def has_grown(work: Clockwork, before: int, requests: list[str]) -> bool:
    """Tell whether the hour that was left out fired what was due in it, for each request."""
    found = {event["subject"] for event in (await work.said())[before:]}
    return found >= set(requests)


@pytest.mark.slow
async def test_a_clock_that_is_set_again_and_again_loses_and_repeats_nothing(
    tmp_path: Path,
) -> None:
    async with clockwork(tmp_path) as work:
        for by in (HOUR, -HOUR, -2 * HOUR, 3 * HOUR, -timedelta(minutes=5), timedelta(days=1)):
            posted = await work.post(5)
            work.time.set_by(by)
            posted += await work.post(5)
            await work.everybody_was_told(posted if by > timedelta(0) else posted[5:])
            await work.assert_fired_once_and_never_early()
        # By now the clock is ahead of whatever waited for a moment that was set back.
        await work.everybody_was_told(work.posted)
        await work.assert_adds_up()
        await work.assert_fired_once_and_never_early()

"""A whole house that forgets in time: it adds up, can be put back, and repeats nothing."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from levee.house import NAMES
from levee.keeping.backing_up import back_up
from levee.keeping.restoring import restore
from shared.bus.memory import MemoryBus
from shared.bus.port import STREAMS
from shared.consuming.sealing import POSITIONS
from tests.harness.auditing import audited_from_outside
from tests.harness.journey import Item, World, whole_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from levee.house import House
    from shared.bus.port import Message

#: Longer than a request stays open to words after its end, and than positions stay after that.
AGES, A_MONTH = timedelta(days=402), timedelta(days=31)


class Old:
    """A house with requests of long ago: two that are over, one that still runs."""

    def __init__(self, world: World, over: list[Item], running: Item, said: list[Message]) -> None:
        self.world, self.over, self.running, self.said = world, over, running, said

    @property
    def house(self) -> House:
        """Its services."""
        return self.world.house

    async def rows(self, service: str, statement: str) -> list[Any]:
        """Return what a statement finds in a service's database."""
        async with self.house.services[service].runtime.database.reading() as connection:
            return list((await connection.execute(text(statement))).all())

    async def everything(self) -> dict[tuple[str, str], list[Any]]:
        """Return every row of every service, but for what purging itself remembers."""
        found = {}
        for name in NAMES:
            tables = self.house.services[name].runtime.tables.subjects.metadata.tables
            for table in sorted(set(tables) - {"keeping"}):
                found[(name, table)] = sorted(
                    map(str, await self.rows(name, f"SELECT * FROM {table}"))
                )
        return found

    async def seal(self) -> int:
        """Let intake say the last word about what is over."""
        sealed = await self.house.intake.sealer.go_through()
        await self.world.settled()
        return sealed

    async def forget(self, *services: str) -> None:
        """Let some services go through what they keep for a time."""
        for name in services:
            # In moved time published rows are removed many at a time; an old one keeps positions.
            await self.house.services[name].runtime.relay.forget_published()
            await self.house.services[name].runtime.keeper.go_through()

    async def known(self, service: str) -> set[str]:
        """Return whose positions a service still has."""
        found = await self.rows(service, 'SELECT "key" FROM subjects')
        return {row[0] for row in found} & {item.id for item in (*self.over, self.running)}

    async def assert_adds_up(self) -> None:
        """Audit it from outside."""
        report = await audited_from_outside(self.world)
        assert report.findings == []
        assert report.requests == 3


@asynccontextmanager
async def old_house(folder: Path) -> AsyncIterator[Old]:
    """Run a house in which a year has passed."""
    async with whole_house(folder) as world:
        closed = await world.raise_request("A mouse", urgency="low", impact="low")
        cancelled = await world.raise_request("Never mind", urgency="high", impact="high")
        running = await world.raise_request("A wish", urgency="low", impact="low")
        await cancelled.act("withdraw")
        for item in (closed, running):
            await item.change("assign", assignee="lin", team="it-service-desk")
            await item.answer("lin", "On its way.")
        await closed.change("resolve", by="lin")
        await closed.act("confirm")
        # Paused without an end, so that a year passes in a moment.
        await running.change("wait", reason="requester")
        await world.settled()
        assert isinstance(world.bus, MemoryBus)
        said = list(itertools.chain(*(world.bus.stored(s.name) for s in STREAMS)))
        await world.fast_forward(days=AGES.days)
        yield Old(world, [closed, cancelled], running, said)


@pytest.fixture
async def old(tmp_path: Path) -> AsyncIterator[Old]:
    async with old_house(tmp_path) as found:
        yield found


async def test_what_is_over_is_sealed_once_and_refuses_every_further_word(old: Old) -> None:
    first, again = await old.seal(), await old.seal()
    answers = [
        await old.world.http.post(f"/v1/requests/{item.number}/{act}", json=body)
        for item in old.over
        for act, body in (
            ("messages", {"text": "Hello?", "author": "requester", "author_id": "u1"}),
            ("rate", {"score": 5}),
        )
    ]

    assert (first, again) == (2, 0)
    assert {(a.status_code, a.json()["code"]) for a in answers} == {(409, "sealed")}
    assert set(answers[0].json()["sentences"]) == {"zh-CN", "en"}
    for item in old.over:
        assert (await item.story())[-1] == "request.sealed"
    await old.running.write("I still wait.")
    assert await old.seal() == 0
    await old.assert_adds_up()


async def test_a_word_about_it_keeps_a_request_open_to_further_words(old: Old) -> None:
    closed, cancelled = old.over
    await closed.act("rate", score=4)

    assert await old.seal() == 1
    assert (await cancelled.story())[-1] == "request.sealed"
    await closed.act("rate", score=5)


@pytest.mark.parametrize("order", [NAMES, tuple(reversed(NAMES)), ("notify", "intake", "insight")])
async def test_a_house_adds_up_however_far_each_service_has_forgotten(
    old: Old, order: tuple[str, ...]
) -> None:
    await old.seal()
    await old.world.fast_forward(days=A_MONTH.days)

    for name in order:
        await old.forget(name)
        assert await old.known(name) == {old.running.id}
        await old.assert_adds_up()

    for item in old.over:
        assert (await item.shown())["status"]["state"] in ("closed", "cancelled")
    await old.running.write("I still wait.")
    await old.assert_adds_up()


async def test_what_comes_again_changes_nothing_after_everything_was_forgotten(old: Old) -> None:
    await old.seal()
    assert isinstance(old.world.bus, MemoryBus)
    sealed = [m for m in old.world.bus.stored("LEVEE_INTAKE") if b"request.sealed" in m.body]
    await old.world.fast_forward(days=A_MONTH.days)
    await old.forget(*NAMES)
    before = await old.everything()

    await old.world.bus.publish([*old.said, *sealed])
    await old.world.settled()

    assert len(old.said) > 50
    assert len(sealed) == 2
    after = await old.everything()
    assert {place for place in before if before[place] != after[place]} == set()
    await old.assert_adds_up()


@pytest.mark.parametrize("forgetful", [(), ("intake", "clock"), NAMES])
async def test_a_backup_of_a_house_that_forgot_is_whole_and_goes_on(
    old: Old, forgetful: tuple[str, ...], tmp_path: Path
) -> None:
    await old.seal()
    await old.world.fast_forward(days=A_MONTH.days)
    await old.forget(*forgetful)
    for service in old.house.services.values():
        await service.runtime.relay.forget_published()
    urls = {name: str(s.runtime.database.url) for name, s in old.house.services.items()}

    path, _ = await back_up(urls, tmp_path / "backups")
    target = tmp_path / "again" / "data"
    restored = await restore(path, {n: f"sqlite+aiosqlite:///{target / n}.db" for n in NAMES})

    assert (restored.requests, restored.faults, restored.late) == (3, 0, 0)
    found = await old.rows("intake", f"SELECT upto FROM keeping WHERE what = '{POSITIONS}'")
    assert bool(found and found[0][0]) == ("intake" in forgetful)

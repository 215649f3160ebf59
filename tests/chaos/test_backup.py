"""A backup taken while requests pour in, put back into an empty house that works on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from levee.house import NAMES
from levee.keeping.backing_up import back_up
from levee.keeping.restoring import restore
from shared.database.engine import Database
from tests.harness.town_processes import town_of_processes
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import Databases

pytestmark = pytest.mark.nats
#: Below four posts a client withdraws nothing, so a request is either there or not.
_POSTS = 3


async def lose_everything_but_a_backup(
    folder: Path, first: Mapping[str, str], second: Mapping[str, str], clients: int
) -> None:
    """Back up a house under load, let it go, and go on with what was put back."""
    async with town_of_processes(folder / "first", first) as town:
        load = asyncio.create_task(town.load(clients, _POSTS, 0.5))
        await until(lambda: len(town.accepted) >= clients, within_s=60)
        answered = dict(town.accepted)
        backup, told = await back_up(first, folder / "backups")
        await load
        later = set(town.accepted.values()) - set(answered.values())
        assert later, "the load was over before the backup"

    restored = await restore(backup, second)
    assert restored.requests == told.services["intake"].rows["requests"]
    stored = await requests_in(second["intake"])
    assert set(answered.values()) <= stored, "answered before the backup, and gone"
    async with town_of_processes(folder / "second", second) as town:
        town.accepted = {f"restored-{id_}": id_ for id_ in stored}
        await town.load(4, _POSTS, 0)
        await town.comes_to_rest(within_s=120)
        await town.assert_adds_up()
        await town.stop()
        await town.assert_nothing_lost_or_doubled()


async def requests_in(url: str) -> set[str]:
    database = Database(url)
    try:
        async with database.reading() as connection:
            return {row[0] for row in await connection.execute(text("SELECT id FROM requests"))}
    finally:
        await database.close()


def files_in(folder: Path) -> dict[str, str]:
    return {name: f"sqlite+aiosqlite:///{folder / name}.db" for name in NAMES}


async def test_files_under_load(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    await lose_everything_but_a_backup(
        tmp_path, files_in(tmp_path / "a"), files_in(tmp_path / "b"), clients=4
    )


@pytest.mark.slow
@pytest.mark.postgres
async def test_postgres_under_load(tmp_path: Path, postgres: Databases) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    urls = [{name: await postgres.new() for name in NAMES} for _ in range(2)]
    await lose_everything_but_a_backup(tmp_path, urls[0], urls[1], clients=20)

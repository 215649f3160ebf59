"""Backups of a house that was stopped: whole, on both databases, and refused where they are not."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from levee.house import NAMES
from levee.keeping import manifest
from levee.keeping.backing_up import back_up, prune
from levee.keeping.errors import (
    BackupDamaged,
    BackupNewer,
    HouseBusy,
    NoBackup,
    NoRoom,
    NotEmpty,
    NotOneMoment,
    NotSound,
    SchemaDiffers,
    UnheardAndForgotten,
)
from levee.keeping.restoring import restore
from tests.harness.auditing import a_morning

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import Databases
    from tests.harness.auditing import Morning

#: What a restore changes on purpose.
_MENDED = {("intake", "numbers"), ("notify", "deliveries")}


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Morning:
    """A house that was stopped after a morning's work."""
    return a_morning(tmp_path_factory.mktemp("morning"))


@pytest.fixture
def house(morning: Morning, tmp_path: Path) -> dict[str, str]:
    """The URLs of a copy of its files."""
    shutil.copytree(morning.folder / "data", tmp_path / "data")
    return files_in(tmp_path / "data")


@pytest.fixture
async def backup(house: dict[str, str], tmp_path: Path) -> Path:
    """A backup of it."""
    path, _ = await back_up(house, tmp_path / "backups")
    return path


def files_in(folder: Path) -> dict[str, str]:
    return {name: f"sqlite+aiosqlite:///{folder / name}.db" for name in NAMES}


def change(urls: Mapping[str, str], service: str, statement: str, *values: Any) -> int:
    """Change a service's rows behind its back; return how many."""
    path = urls[service].removeprefix("sqlite+aiosqlite:///")
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement, values).rowcount


def rows_of(folder: Path) -> dict[tuple[str, str], list[Any]]:
    """Return every row of every table, sorted."""
    found = {}
    for name in NAMES:
        with closing(sqlite3.connect(folder / f"{name}.db")) as connection:
            tables = connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            for (table,) in tables:
                rows = connection.execute(f'SELECT * FROM "{table}"').fetchall()
                found[(name, table)] = sorted(rows, key=repr)
    return found


def changed(before: Path, after: Path) -> set[tuple[str, str]]:
    """Return the tables that differ."""
    one, other = rows_of(before), rows_of(after)
    assert one.keys() == other.keys()
    return {table for table in one if one[table] != other[table]}


async def test_a_backup_holds_every_row_and_says_so(house: dict[str, str], tmp_path: Path) -> None:
    path, told = await back_up(house, tmp_path / "backups")
    assert changed(tmp_path / "data", path) == set()
    assert manifest.read(path) == told
    manifest.verify(path, told)
    assert told.services["intake"].rows["requests"] == 3
    assert {p.name for p in path.iterdir()} == {"manifest.json", *(f"{n}.db" for n in NAMES)}
    assert all(p.stat().st_mode & 0o077 == 0 for p in path.iterdir()), "others may read it"


async def test_what_was_put_back_is_what_was_saved_but_for_what_must_differ(
    house: dict[str, str], backup: Path, tmp_path: Path
) -> None:
    # One message waits to be sent, one is being sent: both may have left since.
    body = "json_set(body, '$.is_possibly_repeated', json('false'))"
    one = "(SELECT id FROM deliveries WHERE state = 'sent' ORDER BY id LIMIT 1)"
    change(
        house, "notify", f"UPDATE deliveries SET state = 'accepted', body = {body} WHERE id = {one}"
    )
    path, _ = await back_up(house, tmp_path / "backups")
    # Its timer is not there, which an audit does not let pass.
    told = await restore(path, files_in(tmp_path / "new"), numbers=7, accept_faults=True)

    assert changed(path, tmp_path / "new") == _MENDED
    before, after = rows_of(path), rows_of(tmp_path / "new")
    year, following = before["intake", "numbers"][0]
    assert after["intake", "numbers"] == [(year, following + 7)]
    doubted = [
        orjson.loads(row[-1])["is_possibly_repeated"]
        for row in after["notify", "deliveries"]
        if row[5] == "accepted"
    ]
    assert doubted == [True]
    assert (told.requests, told.doubts) == (3, 1)


async def test_leases_end_and_what_was_published_is_published_again(
    house: dict[str, str], tmp_path: Path
) -> None:
    event = orjson.dumps({"subject": "somebody", "sequence": 1})
    change(
        house,
        "router",
        "INSERT INTO outbox (event_id, subject, stream, body, created_us, published_us,"
        " stream_sequence) VALUES ('e', 'levee.router.x.v1', 'LEVEE_ROUTER', ?, 1, 2, 3)",
        event,
    )
    leased = change(house, "clock", "UPDATE timers SET lease_owner = 'r', lease_until_us = 9")
    assert leased > 0
    path, _ = await back_up(house, tmp_path / "backups")
    told = await restore(path, files_in(tmp_path / "new"))
    after = rows_of(tmp_path / "new")
    assert told.events == 1
    assert [row[-2:] for row in after["router", "outbox"]] == [(None, None)]
    assert {row[-2:] for row in after["clock", "timers"]} == {(None, None)}


@pytest.mark.postgres
async def test_from_files_to_postgres_and_back_nothing_changes(
    backup: Path, postgres: Databases, tmp_path: Path
) -> None:
    urls = {name: await postgres.new() for name in NAMES}
    await restore(backup, urls, numbers=0)
    path, told = await back_up(urls, tmp_path / "backups")
    assert {part.source for part in told.services.values()} == {"postgresql"}
    assert changed(backup, path) == set()
    # The counters of rows go on behind what was brought along.
    with pytest.raises(NotEmpty):
        await restore(backup, urls)


async def test_a_house_that_is_not_empty_stays_as_it_is(
    house: dict[str, str], backup: Path, tmp_path: Path
) -> None:
    before = rows_of(tmp_path / "data")
    with pytest.raises(NotEmpty):
        await restore(backup, house)
    assert rows_of(tmp_path / "data") == before


async def test_one_file_in_the_way_and_nothing_is_put_back(backup: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    new.mkdir()
    (new / "insight.db").touch()
    with pytest.raises(NotEmpty):
        await restore(backup, files_in(new))
    assert [path.name for path in new.iterdir()] == ["insight.db"]


async def test_no_folder_for_it_is_told(house: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoRoom):
        await back_up(house, tmp_path / "file")


async def test_a_backup_that_was_interrupted_does_not_count(
    house: dict[str, str], tmp_path: Path
) -> None:
    into = tmp_path / "backups"
    half = into / ".partial-0"
    half.mkdir(parents=True)
    shutil.copy(tmp_path / "data" / "intake.db", half)
    with pytest.raises(NoBackup):
        manifest.read(half)
    made = [(await back_up(house, into))[0] for _ in range(3)]
    assert prune(into, keep=2) == made[:1]
    assert sorted(path for path in into.iterdir() if path != half) == made[1:]


@pytest.mark.parametrize("name", ["clock.db", "manifest.json"])
async def test_a_damaged_file_is_named(backup: Path, tmp_path: Path, name: str) -> None:
    content = (backup / name).read_bytes()
    (backup / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BackupDamaged) as refused:
        await restore(backup, files_in(tmp_path / "new"))
    assert name in str(refused.value)
    assert not (tmp_path / "new").exists()


async def test_a_missing_part_is_named(backup: Path, tmp_path: Path) -> None:
    (backup / "notify.db").unlink()
    with pytest.raises(BackupDamaged, match=r"notify\.db"):
        await restore(backup, files_in(tmp_path / "new"))


@pytest.mark.parametrize(
    "newer", [{"format": 99}, {"services": {"clock": {"revision": "9999_pre"}}}]
)
async def test_a_backup_of_a_newer_program_is_refused(
    backup: Path, tmp_path: Path, newer: dict[str, Any]
) -> None:
    told = orjson.loads((backup / "manifest.json").read_bytes())
    for service, part in newer.pop("services", {}).items():
        told["services"][service] |= part
    (backup / "manifest.json").write_bytes(orjson.dumps(told | newer))
    with pytest.raises(BackupNewer):
        await restore(backup, files_in(tmp_path / "new"))


async def test_what_only_the_stream_has_cannot_be_backed_up(
    house: dict[str, str], tmp_path: Path
) -> None:
    behind = (
        "UPDATE subjects SET heard = json_set(heard, '$.router', 0) WHERE heard LIKE '%router%'"
    )
    assert change(house, "insight", behind) > 0
    with pytest.raises(UnheardAndForgotten, match="insight"):
        await back_up(house, tmp_path / "backups")
    assert list((tmp_path / "backups").iterdir()) == []


async def test_databases_of_two_moments_are_no_backup(
    house: dict[str, str], tmp_path: Path
) -> None:
    older = "UPDATE subjects SET said = said - 1 WHERE said > 1 AND key LIKE '________-%'"
    assert change(house, "router", older) > 0
    with pytest.raises(NotOneMoment, match="router"):
        await back_up(house, tmp_path / "backups")


async def test_what_does_not_add_up_is_put_back_only_where_somebody_insists(
    house: dict[str, str], tmp_path: Path
) -> None:
    assert change(house, "clock", "DELETE FROM timers") > 0
    path, _ = await back_up(house, tmp_path / "backups")
    with pytest.raises(NotSound, match="clock"):
        await restore(path, files_in(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
    told = await restore(path, files_in(tmp_path / "new"), accept_faults=True)
    assert told.faults > 0


async def test_a_database_that_stays_locked_is_told_and_nobody_waits_for_us(
    house: dict[str, str], tmp_path: Path
) -> None:
    path = house["clock"].removeprefix("sqlite+aiosqlite:///")
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HouseBusy, match="clock"):
            await back_up(house, tmp_path / "backups", hold_s=0.05)
    # The others were let go at once.
    assert change(house, "router", "UPDATE subjects SET held = held") >= 0
    assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.postgres
async def test_a_database_without_our_tables_is_told(postgres: Databases, tmp_path: Path) -> None:
    urls = {name: await postgres.new() for name in NAMES}
    with pytest.raises(SchemaDiffers):
        await back_up(urls, tmp_path / "backups")

"""Every service's revisions lead to the tables its code uses, in two steps, on both databases.

The migrating itself is tried on a service of the test's own, which has the `post` revisions the
real ones do not have yet.
"""

from __future__ import annotations

import ast
import importlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from shared.database import migrations
from shared.database.migrations import SchemaBehind
from tests.harness.world import new_world
from tools.topology import ROOT, SERVICES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shared.database.engine import Database
    from shared.service import Service

_FILE = re.compile(r"(\d{4})_(pre|post)_[a-z0-9]+(_[a-z0-9]+)*\.py")
#: What takes something away from code that still runs.
_TAKES_AWAY = re.compile(r"drop_\w+|rename_table")

_ENV = """
from sqlalchemy import MetaData

from shared.database.migrations import run

run(MetaData())
"""
_REVISION = '''"""A step."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {before!r}


def upgrade() -> None:
    op.create_table("{table}", sa.Column("id", sa.Integer, primary_key=True))
'''


def _revisions(service: str) -> list[Path]:
    folder = ROOT / "services" / service / "migrations" / "versions"
    return sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")


async def _tables(database: Database) -> dict[str, Any]:
    """Return every table with its columns and indexes, as the database has them."""

    def look(connection: Connection) -> dict[str, Any]:
        found = inspect(connection)
        return {
            name: (
                str(found.get_columns(name)),
                [(index["name"], index["column_names"]) for index in found.get_indexes(name)],
            )
            for name in sorted(found.get_table_names())
        }

    async with database.reading() as connection:
        shape: dict[str, Any] = await connection.run_sync(look)
    return shape


def _built(service: str, url: str) -> Service:
    main = importlib.import_module(f"services.{service}.main")
    settings = importlib.import_module(f"services.{service}.settings")
    built: Service = main.build(settings.Settings(database_url=url), new_world().given)
    return built


# ---- the services ------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
async def test_the_revisions_make_the_tables_of_the_code(service: str, database: Database) -> None:
    metadata = importlib.import_module(f"services.{service}.store").metadata
    await migrations.upgrade(service, database)

    def compare(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.reading() as connection:
        assert await connection.run_sync(compare) == []


@pytest.mark.parametrize("service", SERVICES)
async def test_migrating_again_changes_nothing(service: str, database: Database) -> None:
    await migrations.upgrade(service, database)
    before = await _tables(database), await migrations.current(service, database)

    await migrations.upgrade(service, database)

    assert (await _tables(database), await migrations.current(service, database)) == before


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_does_not_start_on_a_database_nobody_migrated(
    service: str, database_url: str
) -> None:
    built = _built(service, database_url)
    head = _revisions(service)[-1].stem

    with pytest.raises(SchemaBehind) as refusal:
        await built.start()
    await built.runtime.database.close()

    wanted = "_".join(head.split("_")[:2])
    assert refusal.value.params == {"service": service, "found": "-", "wanted": wanted}
    assert f"at -, this code needs {wanted}" in str(refusal.value)


@pytest.mark.parametrize("service", SERVICES)
def test_a_revision_is_called_what_it_is(service: str) -> None:
    before = None
    for position, path in enumerate(_revisions(service), start=1):
        named = _FILE.fullmatch(path.name)
        assert named is not None, path.name
        source = ast.parse(path.read_text(encoding="utf-8"))
        told = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in source.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }

        assert int(named[1]) == position
        assert told["revision"] == f"{named[1]}_{named[2]}"
        assert told["down_revision"] == before
        before = told["revision"]


@pytest.mark.parametrize("service", SERVICES)
def test_what_comes_before_a_rollout_takes_nothing_away(service: str) -> None:
    for path in _revisions(service):
        calls = [
            node.func.attr
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        ]

        assert "_post_" in path.name or not any(map(_TAKES_AWAY.fullmatch, calls)), path.name


# ---- two steps ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Releases:
    """A service of the test's own, whose code grows and shrinks by revisions."""

    service: str
    folder: Path
    steps: list[str] = field(default_factory=list)

    def add(self, *steps: str) -> None:
        """Let the code come with further revisions, each making one table: t1, t2, …"""
        for step in steps:
            before = self._name(len(self.steps)) if self.steps else None
            self.steps.append(step)
            text = _REVISION.format(
                revision=self._name(len(self.steps)), before=before, table=f"t{len(self.steps)}"
            )
            self._file(len(self.steps)).write_text(text, encoding="utf-8")

    def roll_back(self, revisions: int) -> None:
        """Let the code be that of an earlier release, which lacked the last revisions."""
        for _ in range(revisions):
            self._file(len(self.steps)).unlink()
            self.steps.pop()

    def _name(self, number: int) -> str:
        return f"{number:04d}_{self.steps[number - 1]}"

    def _file(self, number: int) -> Path:
        return self.folder / f"{self._name(number)}_step.py"


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Releases:
    """A service beside the real ones, under a name no other test has imported."""
    service = "stepping_" + "".join(c for c in str(tmp_path) if c.isalnum())
    folder = tmp_path / "services" / service
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "__init__.py").write_text("", encoding="utf-8")
    (folder / "migrations" / "env.py").write_text(_ENV, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return Releases(service, versions)


async def _applied(database: Database) -> list[str]:
    return [name for name in await _tables(database) if name.startswith("t")]


async def test_the_first_step_stops_before_what_takes_away(
    releases: Releases, database: Database
) -> None:
    releases.add("pre", "pre", "post", "pre")

    await migrations.upgrade(releases.service, database, "pre")

    assert await _applied(database) == ["t1", "t2"]
    assert await migrations.current(releases.service, database) == ("0002_pre", "0004_pre")


async def test_the_first_step_of_the_next_rollout_goes_on_from_the_last(
    releases: Releases, database: Database
) -> None:
    releases.add("pre", "post")
    await migrations.upgrade(releases.service, database)
    releases.add("pre", "post")

    await migrations.upgrade(releases.service, database, "pre")

    assert await _applied(database) == ["t1", "t2", "t3"]


async def test_the_second_step_applies_the_rest(releases: Releases, database: Database) -> None:
    releases.add("pre", "post")
    await migrations.upgrade(releases.service, database, "pre")

    await migrations.upgrade(releases.service, database, "post")

    assert await _applied(database) == ["t1", "t2"]


async def test_a_first_step_with_nothing_to_add_changes_nothing(
    releases: Releases, database: Database
) -> None:
    releases.add("pre")
    await migrations.upgrade(releases.service, database, "pre")
    releases.add("post")

    await migrations.upgrade(releases.service, database, "pre")

    assert await _applied(database) == ["t1"]


async def test_code_starts_when_only_what_takes_away_is_missing(
    releases: Releases, database: Database
) -> None:
    releases.add("pre", "post")
    with pytest.raises(SchemaBehind, match="at -, this code needs 0002_post"):
        await migrations.require_current(releases.service, database)

    await migrations.upgrade(releases.service, database, "pre")

    await migrations.require_current(releases.service, database)


async def test_code_does_not_start_when_something_it_needs_comes_behind_what_takes_away(
    releases: Releases, database: Database
) -> None:
    releases.add("pre", "post", "pre")
    await migrations.upgrade(releases.service, database, "pre")

    with pytest.raises(SchemaBehind, match="at 0001_pre, this code needs 0003_pre"):
        await migrations.require_current(releases.service, database)


async def test_code_starts_on_a_database_that_is_ahead_of_it(
    releases: Releases, database: Database
) -> None:
    releases.add("pre", "post", "pre")
    await migrations.upgrade(releases.service, database)

    releases.roll_back(1)

    assert await migrations.current(releases.service, database) == ("0003_pre", "0002_post")
    await migrations.require_current(releases.service, database)

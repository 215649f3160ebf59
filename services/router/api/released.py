"""What was released, and what was refused: for whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import func, select

from services.router.domain.definitions import NoSuchDefinition
from services.router.store import tables
from shared.database.tables import from_us

if TYPE_CHECKING:
    from services.router.gateways import Checked, Found
    from services.router.handlers import InForceNow
    from services.router.store import Repository, RouterWork
    from shared.consuming import Runtime

#: Everything of a version but its content, which may be long.
_TOLD = tuple(column for column in tables.definitions.c if column.name != "content")


class Shelf:
    """Reads the tables of definitions; what is in force is read from them each time."""

    def __init__(self, runtime: Runtime[RouterWork], repository: Repository) -> None:
        self._runtime, self._repository = runtime, repository

    async def in_force(self) -> list[dict[str, Any]]:
        """Return every definition in force: kind, key, version, hash, who, when."""
        table = tables.definitions
        wanted = select(*_TOLD).where(table.c.is_in_force).order_by(table.c.kind, table.c.key)
        async with self._runtime.database.reading() as connection:
            return [version_json(row) for row in (await connection.execute(wanted)).all()]

    async def history(
        self, kind: str | None, key: str | None, limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Return a page of all versions, the newest release first, and how many there are."""
        table = tables.definitions
        chosen = [
            column == value
            for column, value in ((table.c.kind, kind), (table.c.key, key))
            if value is not None
        ]
        newest = (table.c.released_us.desc(), table.c.kind, table.c.key, table.c.version.desc())
        wanted = select(*_TOLD).where(*chosen).order_by(*newest).limit(limit).offset(offset)
        async with self._runtime.database.reading() as connection:
            counted = select(func.count()).select_from(table).where(*chosen)
            total: int = (await connection.execute(counted)).scalar_one()
            rows = (await connection.execute(wanted)).all()
        return [version_json(row) for row in rows], total

    async def versions(self, kind: str, key: str) -> list[dict[str, Any]]:
        """Return all versions of a definition, newest first."""
        table = tables.definitions
        wanted = (
            select(*_TOLD)
            .where(table.c.kind == kind, table.c.key == key)
            .order_by(table.c.version.desc())
        )
        async with self._runtime.database.reading() as connection:
            return [version_json(row) for row in (await connection.execute(wanted)).all()]

    async def find(self, kind: str, key: str, version: int | None) -> Any | None:
        """Return one version as stored, content included; without a number the one in force.

        None when there is no such version. Raises `NoSuchDefinition` when there is none at all
        and no number was named.
        """
        table = tables.definitions
        which = table.c.is_in_force if version is None else table.c.version == version
        wanted = select(table).where(table.c.kind == kind, table.c.key == key, which)
        async with self._runtime.database.reading() as connection:
            row = (await connection.execute(wanted)).first()
        if row is None and version is None:
            raise NoSuchDefinition(kind=kind, key=key)
        return row

    async def given_by(self, by: str) -> dict[tuple[str, str], str]:
        """Return, by kind and key, the hash of what somebody released last."""
        table = tables.definitions
        wanted = (
            select(table.c.kind, table.c.key, table.c.content_hash)
            .where(table.c.released_by == by)
            .order_by(table.c.version)
        )
        async with self._runtime.database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return {(row.kind, row.key): row.content_hash for row in rows}

    async def faults(self) -> list[dict[str, Any]]:
        """Return what was refused and not mended yet, with its findings."""
        table = tables.definition_faults
        async with self._runtime.database.reading() as connection:
            rows = (await connection.execute(select(table).order_by(table.c.file))).all()
        return [fault_json(row) for row in rows]

    async def refusals(self, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
        """Return a page of refusals that are over, the latest first, and how many there are."""
        table = tables.definition_refusals
        latest = (table.c.settled_us.desc(), table.c.id)
        wanted = select(table).order_by(*latest).limit(limit).offset(offset)
        async with self._runtime.database.reading() as connection:
            counted = select(func.count()).select_from(table)
            total: int = (await connection.execute(counted)).scalar_one()
            rows = (await connection.execute(wanted)).all()
        settled = [
            {
                "content_hash": row.content_hash,
                "outcome": row.outcome,
                "settled_at": from_us(row.settled_us),
                "settled_by": row.settled_by,
                "reason": row.reason,
            }
            for row in rows
        ]
        return [fault_json(row) | told for row, told in zip(rows, settled, strict=True)], total


def fault_json(row: Any) -> dict[str, Any]:
    """Return what was refused, with its findings."""
    return {
        "file": row.file,
        "kind": row.kind,
        "key": row.key,
        "verdict": "refused",
        "findings": orjson.loads(row.findings),
        "found_at": from_us(row.found_us),
        "told_to": row.told_to,
    }


def version_json(row: Any) -> dict[str, Any]:
    """Return a version as the API shows it, without its content."""
    return {
        "kind": row.kind,
        "key": row.key,
        "version": row.version,
        "content_hash": row.content_hash,
        "released_by": row.released_by,
        "released_at": from_us(row.released_us),
        "is_in_force": row.is_in_force,
        "again_of": row.again_of,
    }


def now_json(now: InForceNow) -> dict[str, Any]:
    """Return what a release came to as the API shows it."""
    return {
        "kind": now.kind,
        "key": now.key,
        "version": now.version,
        "content_hash": now.content_hash,
        "is_new": now.is_new,
    }


def verdict_json(found: Found, checked: Checked) -> dict[str, Any]:
    """Return the verdict on a definition: what `levee process check` says of a file."""
    return {
        "file": found.file,
        "kind": found.kind,
        "key": found.key,
        "verdict": "ok" if checked.is_ok else "refused",
        "findings": [finding.as_json() for finding in checked.findings],
    }

"""Definitions and the directory that come into force in a transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, update

from services.router.store import tables
from services.router.store.refusals import Refusals
from shared.database.tables import to_us

if TYPE_CHECKING:
    from datetime import datetime

    from services.router.store.in_force import Released
    from services.router.store.repository import Repository
    from shared.database.engine import Transaction
    from shared.events.router import DirectoryChanged


@dataclass(slots=True)
class Releases:
    """What one transaction changes of the house's definitions."""

    _rows: list[dict[str, Any]] = field(default_factory=list)
    #: What was refused, and what is no longer.
    refusals: Refusals = field(default_factory=Refusals)
    _directory: DirectoryChanged | None = None

    @property
    def are_any(self) -> bool:
        """Whether something else comes into force in this very transaction."""
        return bool(self._rows)

    def put(self, released: Released, by: str, at: datetime) -> None:
        """Put a checked definition in force."""
        self._rows.append(
            {
                "kind": released.kind,
                "key": released.key,
                "version": released.version,
                "content": released.content,
                "content_hash": released.content_hash,
                "released_by": by,
                "released_us": to_us(at),
                "is_in_force": True,
                "again_of": released.again_of,
            }
        )

    def keep_directory(self, directory: DirectoryChanged) -> None:
        """Put a new directory in force."""
        self._directory = directory

    async def flush(self, tx: Transaction, repository: Repository) -> None:
        """Write it, and let every replica notice."""
        table = tables.definitions
        for row in self._rows:
            older = (table.c.kind == row["kind"]) & (table.c.key == row["key"])
            await tx.execute(update(table).where(older).values(is_in_force=False))
            await tx.execute(insert(table), [row])
        await self.refusals.flush(tx)
        if self._rows:
            await _grow(tx, repository, tables.house.c.revision + len(self._rows))
        if self._directory is not None:
            await _grow(
                tx,
                repository,
                tables.house.c.revision + 1,
                directory_version=self._directory.version,
                directory=self._directory.model_dump_json(),
            )


async def _grow(tx: Transaction, repository: Repository, revision: Any, **values: Any) -> None:
    await tx.execute(update(tables.house).values(revision=revision, **values))
    repository.changed()


def content_hash(content: str) -> str:
    """Return the SHA-256 of a definition's text, hex."""
    return hashlib.sha256(content.encode()).hexdigest()

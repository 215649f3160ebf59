"""Definitions and the directory that come into force in a transaction, and what was refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, insert, update

from services.router.store import tables
from shared.database.statements import upsert
from shared.database.tables import to_us

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from services.router.store.in_force import Released
    from services.router.store.repository import Repository
    from shared.database.engine import Transaction
    from shared.errors import Finding
    from shared.events.router import DirectoryChanged


@dataclass(slots=True)
class Releases:
    """What one transaction changes of the house's definitions."""

    _rows: list[dict[str, Any]] = field(default_factory=list)
    _faults: list[dict[str, Any]] = field(default_factory=list)
    _mended: list[str] = field(default_factory=list)
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

    def blame(
        self,
        file: str,
        place: tuple[str, str],
        content: str,
        findings: Iterable[Finding],
        at: datetime,
        told_to: str | None = None,
    ) -> None:
        """Keep why a file was refused, for whoever looks; the version in force stays.

        `place` is its kind and key, `told_to` who handed it in and has the answer, where somebody
        did.
        """
        told = [finding.as_json() for finding in findings]
        self._faults.append(
            {
                "file": file,
                "kind": place[0],
                "key": place[1],
                "content_hash": content_hash(content),
                "findings": orjson.dumps(told).decode(),
                "found_us": to_us(at),
                "told_to": told_to,
            }
        )

    def mend(self, file: str) -> None:
        """Forget that a file was refused."""
        self._mended.append(file)

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
        await upsert(tx, tables.definition_faults, self._faults)
        if self._mended:
            faults = tables.definition_faults
            gone = faults.delete().where(faults.c.file == bindparam("mended"))
            await tx.execute(gone, [{"mended": file} for file in self._mended])
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

"""Definitions that were refused: what stands open, and what became of the others, for good."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from services.router.store import tables
from shared.database.statements import delete_among, insert_missing, rows_among, upsert
from shared.database.tables import to_us
from shared.id_source import derived

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from shared.database.engine import Transaction
    from shared.errors import Finding

_IDS = UUID("0b3f7b52-3f0a-4d6e-9f6e-3d2f5a1c7e90")


@dataclass(slots=True)
class Refusals:
    """What one transaction changes of them."""

    _blamed: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: By file: what became of it.
    _settled: dict[str, dict[str, Any]] = field(default_factory=dict)

    def blame(
        self,
        file: str,
        place: tuple[str, str],
        content_hash: str,
        findings: Iterable[Finding],
        at: datetime,
        told_to: str | None = None,
    ) -> None:
        """Keep why a file was refused, for whoever looks; the version in force stays.

        `place` is its kind and key, `told_to` who handed it in and has the answer, where somebody
        did.
        """
        told = [finding.as_json() for finding in findings]
        self._blamed[file] = {
            "file": file,
            "kind": place[0],
            "key": place[1],
            "content_hash": content_hash,
            "findings": orjson.dumps(told).decode(),
            "found_us": to_us(at),
            "told_to": told_to,
        }

    def settle(
        self,
        file: str,
        outcome: str,
        at: datetime,
        by: str | None = None,
        reason: str | None = None,
    ) -> None:
        """A refusal stands open no longer: mended, gone, or dismissed by somebody for a reason."""
        told = {"outcome": outcome, "settled_us": to_us(at), "settled_by": by, "reason": reason}
        self._settled[file] = told

    async def flush(self, tx: Transaction) -> None:
        """Write it; what stood open before and is no more goes to the log."""
        touched = sorted({*self._blamed, *self._settled})
        if not touched:
            return
        open_ones = await rows_among(tx, tables.definition_faults, "file", touched)
        over = [row for row in map(self._logged, open_ones) if row is not None]
        await insert_missing(tx, tables.definition_refusals, over)
        if self._settled:
            await delete_among(tx, tables.definition_faults, "file", sorted(self._settled))
        blamed = [self._blamed[file] for file in sorted(self._blamed)]
        await upsert(tx, tables.definition_faults, blamed)

    def _logged(self, row: Any) -> dict[str, Any] | None:
        """Return the log's row of what stood open, or None where it still does."""
        told = self._settled.get(row.file)
        if told is None:
            new = self._blamed[row.file]
            if new["content_hash"] == row.content_hash:
                return None
            told = {"outcome": "replaced", "settled_us": new["found_us"]}
            told |= {"settled_by": new["told_to"], "reason": None}
        names = ("file", "kind", "key", "content_hash", "findings", "found_us", "told_to")
        known = {name: getattr(row, name) for name in names}
        # The same refusal again is one of its own: it was found at another moment.
        return {"id": str(derived(_IDS, f"{row.file}\n{row.found_us}")), **known, **told}

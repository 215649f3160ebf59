"""What people decided about set-aside messages: who, when and why; kept for whoever asks later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func, insert, select

from shared.database.tables import from_us, to_us

if TYPE_CHECKING:
    from datetime import datetime

    from shared.database.engine import Transaction
    from shared.database.tables import KitTables

Verb = Literal["replayed", "dismissed", "skipped"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decides, and why; a replay needs no reason, giving something up does."""

    verb: Verb
    by: str
    reason: str = ""


async def keep(
    tx: Transaction, tables: KitTables, row: Any, decision: Decision, now: datetime
) -> None:
    """Write a decision about a held row down, with the message as it was."""
    kept = {
        name: getattr(row, name)
        for name in ("event_id", "key", "publisher", "sequence", "type", "kind", "code", "detail")
    }
    kept |= {"body": row.body, "held_us": row.held_us}
    kept |= {"verb": decision.verb, "decided_by": decision.by, "reason": decision.reason}
    await tx.execute(insert(tables.settled), [{**kept, "decided_us": to_us(now)}])


async def list_settled(
    tx: Transaction, tables: KitTables, limit: int, offset: int
) -> tuple[list[dict[str, Any]], int]:
    """Return one page of decisions, the latest first, and how many there are in all."""
    table = tables.settled
    total = (await tx.execute(select(func.count()).select_from(table))).scalar_one()
    wanted = select(table).order_by(table.c.id.desc()).limit(limit).offset(offset)
    return [_as_json(row) for row in (await tx.execute(wanted)).all()], total


async def decisions_about(
    tx: Transaction, tables: KitTables, event_id: str
) -> list[dict[str, Any]]:
    """Return what was decided about one message, the first decision first."""
    table = tables.settled
    wanted = select(table).where(table.c.event_id == event_id).order_by(table.c.id)
    return [_as_json(row) for row in (await tx.execute(wanted)).all()]


def _as_json(row: Any) -> dict[str, Any]:
    return {
        "event_id": row.event_id,
        "request_id": row.key,
        "type": row.type,
        "code": row.code,
        "detail": row.detail,
        "held_at": from_us(row.held_us).isoformat(),
        "verb": row.verb,
        "by": row.decided_by,
        "reason": row.reason,
        "decided_at": from_us(row.decided_us).isoformat(),
    }

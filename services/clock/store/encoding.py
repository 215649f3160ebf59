"""A ledger as bytes and back: compact JSON, moments and spans in whole microseconds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from services.clock.domain.facts import (
    VERSION_MOVED,
    Fact,
    FactKind,
    Ledger,
    Move,
    Pins,
    Routed,
    Told,
)
from shared.database.tables import from_us, to_us
from shared.vocabulary import Priority

#: Grows when the shape changes; older shapes stay readable.
_SHAPE = 1
_MICROSECOND = timedelta(microseconds=1)
_KINDS = {kind.value: kind for kind in FactKind}


def encode(ledger: Ledger) -> bytes:
    """Return the bytes to store."""
    unit = ledger.routed.organisation_unit if ledger.routed else ""
    reasons = {move.job: move.reason for move in ledger.moves if move.reason != VERSION_MOVED}
    # The release before takes such a fact for a hand-over within the team, which comes near.
    unassigned = [f.sequence for f in ledger.facts if f.kind is FactKind.UNASSIGNED]
    return orjson.dumps(
        {
            "shape": _SHAPE,
            "routed": _routed(ledger.routed) if ledger.routed else None,
            "pins": _pins(ledger.pins) if ledger.pins else None,
            "facts": [
                [_kind(fact), to_us(fact.at), fact.source, fact.sequence, fact.value, fact.team]
                for fact in ledger.facts
            ],
            "told": {key: _told(told) for key, told in ledger.told.items()},
            "reached": _us(ledger.reached_at),
            # Beside the shape, so that the release before reads the rest.
            **({"unit": unit} if unit else {}),
            **({"moves": [_move(move) for move in ledger.moves]} if ledger.moves else {}),
            **({"reasons": reasons} if reasons else {}),
            **({"unassigned": unassigned} if unassigned else {}),
        }
    )


def decode(request_id: UUID, raw: bytes) -> Ledger:
    """Return the ledger the bytes stand for."""
    read = orjson.loads(raw)
    routed, pins, unassigned = read["routed"], read["pins"], read.get("unassigned", ())
    return Ledger(
        request_id=request_id,
        routed=_read_routed(routed, read.get("unit", "")) if routed else None,
        pins=Pins(pins["table"], pins["calendars"]) if pins else None,
        facts=tuple(
            Fact(
                FactKind.UNASSIGNED
                if kind == FactKind.HANDED_OVER and sequence in unassigned
                else _KINDS[kind],
                from_us(at),
                source,
                sequence,
                value,
                team,
            )
            for kind, at, source, sequence, value, team in read["facts"]
        ),
        told={key: _read_told(told) for key, told in read["told"].items()},
        reached_at=_moment(read["reached"]),
        moves=tuple(_read_move(move, read.get("reasons", {})) for move in read.get("moves", ())),
    )


def _kind(fact: Fact) -> FactKind:
    return FactKind.HANDED_OVER if fact.kind is FactKind.UNASSIGNED else fact.kind


def _move(move: Move) -> list[Any]:
    return [to_us(move.at), _pins(move.before), move.by, move.job]


def _read_move(read: list[Any], reasons: dict[str, str]) -> Move:
    at, pins, by, job = read
    before = Pins(pins["table"], pins["calendars"])
    return Move(from_us(at), before, by, job, reasons.get(job, VERSION_MOVED))


def _routed(routed: Routed) -> dict[str, Any]:
    return {
        "at": to_us(routed.at),
        "submitted_at": to_us(routed.submitted_at),
        "number": routed.number,
        "request_type": routed.request_type,
        "domain": routed.domain,
        "channel": routed.channel,
        "customer_tier": routed.customer_tier,
        "priority": routed.priority,
        "team": routed.team,
        "is_import": routed.is_import,
    }


def _read_routed(read: dict[str, Any], unit: str) -> Routed:
    return Routed(
        **{
            **read,
            "at": from_us(read["at"]),
            "submitted_at": from_us(read["submitted_at"]),
            "priority": Priority(read["priority"]),
            "organisation_unit": unit,
        }
    )


def _pins(pins: Pins) -> dict[str, Any]:
    return {"table": pins.table, "calendars": dict(pins.calendars)}


def _told(told: Told) -> list[Any]:
    return [
        told.state,
        to_us(told.started_at),
        told.target // _MICROSECOND,
        told.calendar,
        told.calendar_version,
        _us(told.due_at),
        _us(told.ended_at),
        None if told.elapsed is None else told.elapsed // _MICROSECOND,
        told.is_breached,
        told.fired,
        told.taken_back,
        _us(told.next_at),
    ]


def _read_told(read: list[Any]) -> Told:
    state, started, target, calendar, version, due, ended, elapsed, is_late, *rest = read
    fired, taken_back, after = rest
    return Told(
        state=state,
        started_at=from_us(started),
        target=timedelta(microseconds=target),
        calendar=calendar,
        calendar_version=version,
        due_at=_moment(due),
        ended_at=_moment(ended),
        elapsed=None if elapsed is None else timedelta(microseconds=elapsed),
        is_breached=is_late,
        fired=tuple(fired),
        taken_back=tuple(taken_back),
        next_at=_moment(after),
    )


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else to_us(moment)


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else from_us(microseconds)

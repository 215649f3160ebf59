"""Authority: who may decide beyond the ordinary rules, what a decision is, what it must precede.

Nobody decides or reviews what is their own (`barring`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.router.domain.errors import (
    DecisionPending,
    NotInThisState,
    NotYourLane,
    OwnDecision,
    ReviewOwed,
)
from services.router.domain.people import LINE, People
from services.router.domain.requests import OWED, Record
from services.router.domain.work_items import WorkItem
from shared.errors import Finding, Invalid
from shared.vocabulary import Lane, RequestState

#: What a decision may be.
APPROVED, REJECTED = "approved", "rejected"


@dataclass(frozen=True, slots=True)
class Decision:
    """What an authorised person decided, and why."""

    is_approved: bool
    reason: str

    @property
    def word(self) -> str:
        """How it is written."""
        return APPROVED if self.is_approved else REJECTED


@dataclass(frozen=True, slots=True)
class Move:
    """Why a request goes to another lane, and by whom."""

    reason: str
    #: person | rule | event
    cause: str
    by: str | None = None


def decision_of(result: Mapping[str, object]) -> Decision:
    """Return the decision in the result of a work item; raise `Invalid` naming what is missing."""
    findings = []
    word, reason = result.get("decision"), result.get("reason")
    if word not in (APPROVED, REJECTED):
        findings.append(
            _finding(
                "/result/decision",
                "决策必须是 approved 或 rejected",
                "a decision is approved or rejected",
                ("填写 decision", "fill in decision"),
            )
        )
    if not isinstance(reason, str) or not reason.strip():
        findings.append(
            _finding(
                "/result/reason",
                "决策必须说明理由",
                "a decision needs its reason",
                ("填写 reason", "fill in reason"),
            )
        )
    if findings:
        raise Invalid(findings)
    return Decision(word == APPROVED, str(reason).strip()[:2000])


def conclusion_of(result: Mapping[str, object]) -> str:
    """Return what a review came to; raise `Invalid` when it says nothing."""
    told = result.get("conclusion")
    if not isinstance(told, str) or not told.strip():
        raise Invalid(
            [
                _finding(
                    "/result/conclusion",
                    "复盘必须写明结论",
                    "a review needs its conclusion",
                    ("填写 conclusion", "fill in conclusion"),
                )
            ]
        )
    return told.strip()[:2000]


def must_name_who(person: str | None) -> str:
    """Return the person; raise `Invalid` where nobody is named and it matters who did it."""
    if person is None:
        raise Invalid(
            [
                _finding(
                    "/by",
                    "决策、复盘与四眼工作项必须写明由谁完成",
                    "decisions, reviews and work under four eyes name who did them",
                    ("填写 by", "fill in by"),
                )
            ]
        )
    return person


def must_not_end_yet(record: Record, open_items: list[WorkItem], kind: str) -> None:
    """Raise when a person wants to end what still waits for its decision or its review.

    While the owning team works beside a pending decision (the green channel), it may resolve.
    Raises `DecisionPending`, `ReviewOwed`.
    """
    pending = next((item for item in open_items if item.decides), None)
    is_worked_on = any(item.is_owners for item in open_items)
    if pending is not None and not is_worked_on and kind in ("resolve", "close"):
        raise DecisionPending(number=record.number, work_item_id=pending.id)
    if record.review == OWED and (kind == "close" or (kind == "cancel" and bool(record.deciders))):
        raise ReviewOwed(number=record.number)


def must_be_movable(record: Record) -> None:
    """Raise `NotInThisState` for what is solved or over."""
    if record.state not in (RequestState.OPEN, RequestState.WAITING):
        raise NotInThisState(number=record.number, state=record.state.value)


def must_be_allowed_to_move(
    record: Record, lane: Lane, person: str | None, people: People, at: datetime
) -> None:
    """Raise unless a person may move a request to a lane.

    Asking for an exception grants nothing, so anybody of the owning team may do it. The green
    channel, and the way back, are for the team's lead or manager, the duty person, and whoever
    stands in for one of them. Nobody moves what they asked for themselves.
    Raises `OwnDecision`, `NotYourLane`.
    """
    if person is not None and person == record.context.get("requester"):
        raise OwnDecision(person=person)
    acting = {person, *(people.absent_of(person, at) if person else ())}
    allowed = {people.in_role(role, record.team) for role in LINE}
    if lane is Lane.EXCEPTION and (team := people.teams.get(record.team)):
        allowed |= set(team.members)
    if not (acting & allowed) - {None}:
        raise NotYourLane(person=person or "-", number=record.number, team=record.team)


def _finding(path: str, zh: str, en: str, fix: tuple[str, str]) -> Finding:
    return Finding(path, "missing", {"zh-CN": zh, "en": en}, {"zh-CN": fix[0], "en": fix[1]})

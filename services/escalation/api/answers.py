"""How escalations, policies and previews look to callers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.escalation.domain import (
        Directory,
        Escalation,
        PreviewedStep,
        Reached,
        Request,
    )
    from services.escalation.store.reading import TakenStep
    from shared.definitions.models import EscalationPolicy

#: What became of a person's answer, in words.
OUTCOMES = {
    "acknowledged": {
        "zh-CN": "已认领，升级已停止。",
        "en": "Acknowledged: it stops climbing.",
    },
    "already_acknowledged": {
        "zh-CN": "此前已有人认领，未作更改。",
        "en": "Somebody took it over before; nothing was changed.",
    },
    "over": {
        "zh-CN": "该升级已结束，无需认领，未作更改。",
        "en": "This escalation is over; nothing was changed.",
    },
    "raised": {"zh-CN": "已发起升级。", "en": "People are being told."},
    "reopened": {
        "zh-CN": "已有升级，重新从当前层级开始通知。",
        "en": "It was escalated before: the tier it had reached is told again.",
    },
    "attached": {
        "zh-CN": "该请求已在升级中，已并入，不会重复通知。",
        "en": "People are being told already: this was added and nobody is told twice.",
    },
}


def outcome_json(outcome: str) -> dict[str, Any]:
    """Return what became of an answer, as a code and in words."""
    return {"outcome": outcome, "sentences": OUTCOMES[outcome]}


def escalation_json(escalation: Escalation, request: Request) -> dict[str, Any]:
    """Return one escalation; moments are UTC."""
    return {
        "id": str(escalation.id),
        "request_id": str(escalation.request_id),
        "number": request.number,
        "state": escalation.state.value,
        "team": escalation.team,
        "owner_team": request.team,
        "assignee": request.assignee,
        "priority": (request.priority or escalation.priority).value,
        "is_import": bool(request.is_import),
        "policy": escalation.policy,
        "policy_version": escalation.policy_version,
        "tier": escalation.tier,
        "epoch": escalation.epoch,
        "causes": [
            {
                "kind": cause.kind,
                "at": cause.at,
                "metric": cause.metric,
                "threshold_percent": cause.threshold_percent,
                "due_at": cause.due_at,
                "reason": cause.reason,
                "by": cause.by,
            }
            for cause in escalation.causes
        ],
        "raised_at": escalation.raised_at,
        "next_at": escalation.next_at,
        "acknowledged_by": escalation.acknowledged_by,
        "acknowledged_at": escalation.acknowledged_at,
        "closed_at": escalation.closed_at,
        "close_reason": escalation.close_reason,
    }


def step_json(step: TakenStep) -> dict[str, Any]:
    """Return a step that was taken; `told` is empty where the tier was passed."""
    return {
        "at": step.at,
        "epoch": step.epoch,
        "tier": step.tier,
        "repeat": step.repeat,
        **_reached_json(step.reached),
    }


def policy_json(version: int, policy: EscalationPolicy) -> dict[str, Any]:
    """Return a policy in force as it is written, with its version."""
    return {"version": version, **policy.model_dump(mode="json")}


def preview_json(steps: Iterable[PreviewedStep], directory: Directory) -> list[dict[str, Any]]:
    """Return who would be told and when, with the names people know each other by."""
    return [
        {
            "at": step.at,
            "tier": step.tier,
            "repeat": step.repeat,
            "is_end": step.is_end,
            **_reached_json(step.reached, directory),
        }
        for step in steps
    ]


def _reached_json(reached: Reached, directory: Directory | None = None) -> dict[str, Any]:
    told: list[dict[str, Any]] = []
    for entry in reached.told:
        shown = {"person": entry.person, "role": entry.role, "stands_in_for": entry.stands_in_for}
        if directory is not None:
            shown["name"] = directory.name_of(entry.person)
        told.append(shown)
    dropped = [
        {"person": entry.person, "role": entry.role, "reason": entry.reason}
        for entry in reached.dropped
    ]
    return {"told": told, "dropped": dropped}

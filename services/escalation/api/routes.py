"""Escalation's paths under /escalation/v1."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.escalation.api.answers import (
    escalation_json,
    outcome_json,
    policy_json,
    preview_json,
    step_json,
)
from services.escalation.domain import (
    NoSuchPolicy,
    NoSuchTeam,
    Request,
    preview,
)
from services.escalation.handlers import Answer, Raising, acknowledge, raise_by_hand
from services.escalation.store import Filter
from shared.http.auth import Caller, needs
from shared.http.kit import Limit, Offset, json_answer, page
from shared.http.references import Reference
from shared.vocabulary import EscalationState

if TYPE_CHECKING:
    from services.escalation.store import Reading
    from shared.consuming import Runtime

Name = Annotated[str, Field(min_length=1, max_length=100)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AcknowledgeBody(_Body):
    """Who takes it over; `occurred_at` when they did so earlier."""

    by: Name
    occurred_at: AwareDatetime | None = None


class EscalateBody(_Body):
    """Who wants people told, and why."""

    by: Name
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


class PreviewBody(_Body):
    """A trigger that might happen: when, and who owns the request then."""

    at: AwareDatetime
    team: Name
    assignee: Name | None = None


def routes(runtime: Runtime[Any], reading: Reading) -> APIRouter:
    """Return escalation's paths."""
    api = APIRouter(prefix="/v1")
    _escalations(api, runtime, reading)
    _policies(api, reading)
    return api


def _escalations(api: APIRouter, runtime: Runtime[Any], reading: Reading) -> None:
    @api.get("/escalations", summary="Escalations, newest first")
    async def list_escalations(
        caller: Annotated[Caller, needs("work:read")],
        state: EscalationState | None = None,
        team: str | None = None,
        request_id: Reference | None = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> Response:
        about = await reading.about(request_id)
        wanted = Filter(state.value if state else None, team, about)
        found, total = await reading.page(wanted, limit, offset)
        items = [escalation_json(escalation, request) for escalation, request in found]
        return json_answer(page(items, total, limit, offset))

    @api.get("/escalations/{escalation_id}", summary="One escalation with its steps")
    async def show(escalation_id: UUID, caller: Annotated[Caller, needs("work:read")]) -> Response:
        return json_answer(await told(escalation_id, has_steps=True))

    @api.post("/escalations/{escalation_id}/acknowledge", summary="Take it over")
    async def take_over(
        escalation_id: UUID,
        body: AcknowledgeBody,
        caller: Annotated[Caller, needs("work:write")],
    ) -> Response:
        escalation = await reading.escalation(escalation_id)
        at = _past(body.occurred_at, runtime.time.now())
        command = Answer(escalation_id, escalation.request_id, body.by, at)
        _, outcome = await runtime.do(
            lambda work: acknowledge(command, work), locks=[escalation.request_id]
        )
        return json_answer(await told(escalation_id) | outcome_json(outcome))

    @api.post("/requests/{reference}/escalate", summary="Have people told now")
    async def escalate(
        reference: Reference, body: EscalateBody, caller: Annotated[Caller, needs("work:write")]
    ) -> Response:
        request_id = await reading.id_of(reference)
        command = Raising(request_id, body.by, body.reason, runtime.time.now())
        escalation, outcome = await runtime.do(
            lambda work: raise_by_hand(command, work), locks=[request_id]
        )
        answer = await told(escalation.id) | outcome_json(outcome)
        if outcome != "raised":
            return json_answer(answer)
        place = f"/escalation/v1/escalations/{escalation.id}"
        return json_answer(answer, 201, {"Location": place})

    async def told(escalation_id: UUID, *, has_steps: bool = False) -> dict[str, Any]:
        escalation = await reading.escalation(escalation_id)
        request = await reading.request(escalation.request_id)
        shown = escalation_json(escalation, request or Request(escalation.request_id))
        if has_steps:
            shown["steps"] = [step_json(step) for step in await reading.steps(escalation_id)]
        return shown


def _policies(api: APIRouter, reading: Reading) -> None:
    @api.get("/policies", summary="The policies in force")
    async def list_policies(
        caller: Annotated[Caller, needs("work:read")], limit: Limit = 100, offset: Offset = 0
    ) -> Response:
        found = (await reading.in_force()).latest()
        items = [policy_json(*entry) for entry in found[offset : offset + limit]]
        return json_answer(page(items, len(found), limit, offset))

    @api.post("/policies/{key}/preview", summary="Who would be told, and when")
    async def show_preview(
        key: str, body: PreviewBody, caller: Annotated[Caller, needs("work:read")]
    ) -> Response:
        in_force = await reading.in_force()
        version = in_force.version_of(key)
        if version is None:
            raise NoSuchPolicy(policy=key)
        if body.team not in in_force.directory.teams:
            raise NoSuchTeam(body.team)
        policy, at = in_force.policy(key, version), body.at.astimezone(UTC)
        steps = preview(policy, in_force.directory, at, body.team, body.assignee)
        shown = preview_json(steps, in_force.directory)
        return json_answer({"policy": key, "version": version, "steps": shown})


def _past(moment: datetime | None, now: datetime) -> datetime:
    """Return the moment given, in UTC, which may not lie ahead, or now."""
    return now if moment is None else min(moment.astimezone(UTC), now)

"""`POST /router/v1/definitions/try`: lane, steps and decisions of a request nobody posted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from services.router.api.desk import Desk
from services.router.handlers.trying import try_request
from services.router.workflow import labels
from shared.definitions.models import Catalogue, RequestType
from shared.definitions.parsing import parse, read_yaml
from shared.errors import Finding, Invalid
from shared.events.intake import RequestSubmitted
from shared.events.router import IncidentRaised, RequestRouted
from shared.http.auth import Caller, needs
from shared.http.kit import json_answer
from shared.vocabulary import Impact, Urgency

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from services.router.domain import WorkItem
    from services.router.handlers.trying import Trial
    from services.router.store import Repository
    from services.router.workflow import CompiledProcess, OpenUserTask, Step

Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AskerBody(_Body):
    """Who would ask."""

    id: Name = "somebody"
    name: Name | None = None
    tier: Annotated[str, Field(min_length=1, max_length=50)] = "standard"
    email: Annotated[str, Field(max_length=320)] | None = None


class TryBody(_Body):
    """A request as a portal would post it; only its type is needed."""

    type: Annotated[Name, Field(validation_alias=AliasChoices("type", "request_type"))]
    source: Name = "try"
    external_id: Name | None = None
    channel: Annotated[str, Field(min_length=1, max_length=50)] = "portal"
    requester: AskerBody = AskerBody()
    urgency: Urgency = Urgency.MEDIUM
    impact: Impact = Impact.MEDIUM
    title: Annotated[str, Field(max_length=300)] = ""
    description: Annotated[str, Field(max_length=20_000)] = ""
    form: dict[str, JsonValue] = Field(default_factory=dict)
    organisation_unit: Name | None = None
    language: Annotated[str, Field(max_length=35)] = "zh-CN"
    is_import: bool = False
    callback: dict[str, JsonValue] | None = None
    #: When it would be submitted; now when absent.
    submitted_at: Annotated[
        AwareDatetime | None,
        Field(validation_alias=AliasChoices("submitted_at", "occurred_at")),
    ] = None

    def submitted(self, kind: RequestType) -> RequestSubmitted:
        """Return what intake would say of it; read, not said: that is intake's to do."""
        told = self.model_dump(exclude={"type", "submitted_at", "callback"})
        named = {"number": "R-0000-000000", "request_type": self.type, "domain": kind.domain}
        return RequestSubmitted.model_validate({**told, **named})


def add_trying(api: APIRouter, desk: Desk) -> None:
    """Add the path."""

    @api.post("/definitions/try", tags=["definitions"], summary="What would become of a request")
    async def try_(body: TryBody, caller: Annotated[Caller, needs("work:read")]) -> Response:
        async with desk.reading() as connection:
            await desk.repository.refresh(connection)
        return json_answer(tried(body, desk.repository, desk.now()))


def tried(body: TryBody, repository: Repository, now: datetime) -> dict[str, Any]:
    """Return what would become of a request, as the API and `levee process try` show it.

    Raises `Invalid` for a type the catalogue does not know, and what routing a request raises.
    """
    at = body.submitted_at or now
    trial = try_request(body.submitted(_kind(body.type, repository)), at, repository, None)
    record = trial.record
    routed = next((data for data in trial.said if isinstance(data, RequestRouted)), None)
    return {
        "at": at,
        "request_type": body.type,
        "domain": record.context.get("domain"),
        "lane": record.lane.value,
        "priority": record.priority.value,
        "team": record.team,
        "is_triage": bool(routed and routed.is_triage),
        "assignee": record.assignee,
        "state": record.state.value,
        "processes": [_process(compiled, step) for compiled, step in trial.begun],
        "work_items": [_item(item, task) for item, task in _items(trial)],
        "timers": [
            {**_element(compiled, timer.element_id), "due_at": timer.due_at}
            for compiled, step in trial.begun
            for timer in step.timers
        ],
        "messages": sorted({name for _, step in trial.begun for name in step.messages_awaited}),
        "jobs": [
            {**_element(compiled, job.element_id), "type": job.type, "retries": job.retries}
            for compiled, step in trial.begun
            for job in step.jobs
        ],
        "decisions": _decisions(trial, routed),
        "incidents": _incidents(trial),
        "events": [data.type for data in trial.said],
        "ask_clock": {
            "request_type": body.type,
            "priority": record.priority.value,
            "domain": record.context.get("domain"),
            "channel": body.channel,
            "customer_tier": body.requester.tier,
            "team": record.team,
            "organisation_unit": body.organisation_unit,
            "submitted_at": at.isoformat(),
        },
    }


def _kind(name: str, repository: Repository) -> RequestType:
    released = repository.in_force("catalogue", "catalogue")
    known: tuple[RequestType, ...] = ()
    if released is not None:
        known = parse(Catalogue, read_yaml(released.content), "catalogue").types
    for kind in known:
        if kind.key == name:
            return kind
    names = ", ".join(kind.key for kind in known) or "-"
    raise Invalid(
        [
            Finding(
                "/type",
                "unknown-type",
                {
                    "zh-CN": f"服务目录中没有请求类型 {name}",
                    "en": f"the catalogue has no request type {name}",
                },
                {"zh-CN": f"可用：{names}", "en": f"known: {names}"},
            )
        ]
    )


def _process(compiled: CompiledProcess, step: Step) -> dict[str, Any]:
    return {
        "process": compiled.key,
        "version": compiled.version,
        "name": labels(compiled.name),
        "pins": [f"{kind}/{key}@{version}" for kind, key, version in compiled.pins],
        "steps": [_element(compiled, element) for element in step.completed],
        "waits_at": [_element(compiled, element) for element in step.active],
        "is_ended": step.is_ended,
    }


def _element(compiled: CompiledProcess, element_id: str) -> dict[str, Any]:
    known = compiled.elements.get(element_id)
    return {
        "element_id": element_id,
        "type": known["type"] if known else None,
        "name": labels(known["name"]) if known else {},
    }


def _items(trial: Trial) -> Iterator[tuple[WorkItem, OpenUserTask | None]]:
    tasks = {task.task_id: task for _, step in trial.begun for task in step.user_tasks}
    for item in trial.items:
        yield item, tasks.get(item.task_id)


def _item(item: WorkItem, task: OpenUserTask | None) -> dict[str, Any]:
    return {
        "element_id": item.element_id,
        "name": dict(item.names),
        "candidate_teams": list(item.teams),
        "candidate_users": list(item.users),
        "assignee": item.assignee or (task.assignee if task else None),
        "form": item.form,
        "due_at": item.due_at,
        "follow_up_at": task.follow_up_at if task else None,
        "task_priority": task.priority if task else None,
        "inputs": dict(task.variables) if task else {},
    }


def _decisions(trial: Trial, routed: RequestRouted | None) -> list[dict[str, Any]]:
    """Return what tables decided: in the diagrams, then what was asked beside them."""
    found: list[dict[str, Any]] = []
    for compiled, step in trial.begun:
        for decision in step.decisions:
            if isinstance(decision.explanation, dict):
                element = _element(compiled, decision.element_id)
                found.append({**decision.explanation, "element": element})
    known = {(told["decision"], str(told.get("inputs"))) for told in found}
    for explanation in routed.explanation if routed is not None else ():
        told = explanation.model_dump(mode="json")
        if (told["decision"], str(told["inputs"])) not in known:
            found.append({**told, "element": None})
    return found


def _incidents(trial: Trial) -> list[dict[str, Any]]:
    """Return what would keep it from going on: in the diagrams, then in what chose them."""
    found = [
        {
            "element_id": incident.element_id,
            "code": incident.code,
            "detail": incident.detail,
            "inputs": dict(incident.inputs),
        }
        for _, step in trial.begun
        for incident in step.incidents
    ]
    known = {(told["element_id"], told["code"]) for told in found}
    return found + [
        {"element_id": said.element_id, "code": said.code, "detail": said.detail, "inputs": {}}
        for said in trial.said
        if isinstance(said, IncidentRaised) and (said.element_id, said.code) not in known
    ]


__all__ = ["TryBody", "add_trying", "tried"]

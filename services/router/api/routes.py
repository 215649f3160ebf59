"""The router's paths under /router/v1."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from services.router.api.definitions import add_definitions
from services.router.api.desk import Desk, record_json
from services.router.api.drafts import add_drafts
from services.router.api.inbox import add_inbox
from services.router.api.trying import add_trying
from services.router.api.work_items import add_work_items
from services.router.handlers import Change
from shared.errors import Finding, Invalid
from shared.http.auth import Caller, needs
from shared.http.kit import Limit, Offset, json_answer, page
from shared.http.problems import Unfit
from shared.http.references import Reference
from shared.vocabulary import Lane, Priority, RequestState

Name = Annotated[str, Field(min_length=1, max_length=100)]
Words = Annotated[str, Field(max_length=2000)]


#: How far back a fact may be dated by whoever handles requests.
_BACKDATED_AT_MOST = timedelta(days=1)


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChangeBody(_Body):
    """What is to happen to a request; `occurred_at` when it happened earlier."""

    change: Literal[
        "assign",
        "hand_over",
        "wait",
        "resume",
        "resolve",
        "reopen",
        "close",
        "cancel",
        "change_lane",
    ]
    by: Name | None = None
    team: Name | None = None
    assignee: Name | None = None
    reason: Words = ""
    note: Words = ""
    lane: Lane | None = None
    occurred_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _complete(self) -> ChangeBody:
        if self.change == "assign" and not self.assignee:
            raise Unfit("assign（指派）需要 assignee", "assign needs `assignee`")
        if self.change == "hand_over" and not (self.team and self.reason.strip()):
            raise Unfit(
                "hand_over（转手）需要 team 和 reason", "hand_over needs `team` and a `reason`"
            )
        return self


def routes(desk: Desk) -> APIRouter:
    """Return the router's paths."""
    api = APIRouter(prefix="/v1")
    _add_requests(api, desk)
    add_work_items(api, desk)
    add_drafts(api, desk)
    add_inbox(api, desk)
    add_definitions(api, desk)
    add_trying(api, desk)
    return api


def _add_requests(api: APIRouter, desk: Desk) -> None:
    @api.get("/requests", tags=["requests"], summary="Requests by state, team, priority")
    async def list_requests(
        caller: Annotated[Caller, needs("work:read")],
        state: RequestState | None = None,
        team: str | None = None,
        priority: Priority | None = None,
        assignee: str | None = None,
        number: str | None = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Response:
        filters = {
            "state": state.value if state else None,
            "team": team,
            "priority": priority.value if priority else None,
            "assignee": assignee,
            "number": number,
        }
        items, total = await desk.requests(filters, limit, offset)
        return json_answer(page(items, total, limit, offset))

    @api.get("/requests/{reference}", tags=["requests"], summary="One request")
    async def get_request(
        reference: Reference, caller: Annotated[Caller, needs("work:read")]
    ) -> Response:
        return json_answer(await desk.request(reference))

    @api.post("/requests/{reference}/changes", tags=["requests"], summary="Change a request")
    async def change_request(
        reference: Reference, body: ChangeBody, caller: Annotated[Caller, needs("work:write")]
    ) -> Response:
        now = desk.now()
        at = body.occurred_at or now
        _must_be_near(at, now, caller)
        _must_say_where_and_why(body)
        change = Change(
            kind=body.change,
            at=at,
            by=body.by,
            team=body.team,
            assignee=body.assignee,
            reason=body.reason,
            note=body.note,
            lane=body.lane,
            is_operator=caller.may("operate"),
        )
        request_id = await desk.id_of(reference)
        return json_answer(record_json(await desk.change(request_id, change)))


def _must_say_where_and_why(body: ChangeBody) -> None:
    """Refuse a change of lane that does not say to which lane, or why."""
    if body.change != "change_lane":
        return
    findings = []
    if body.lane is None:
        told = {"zh-CN": "更换通道必须写明通道", "en": "a change of lane names the lane"}
        fix = {"zh-CN": "standard、green 或 exception", "en": "standard, green or exception"}
        findings.append(Finding("/lane", "missing", told, fix))
    if not body.reason.strip():
        told = {"zh-CN": "更换通道必须说明理由", "en": "a change of lane needs its reason"}
        fix = {"zh-CN": "填写 reason", "en": "fill in reason"}
        findings.append(Finding("/reason", "missing", told, fix))
    if findings:
        raise Invalid(findings)


def _must_be_near(at: datetime, now: datetime, caller: Caller) -> None:
    """Refuse the future; and the past beyond a day, unless an operator imports something.

    A fact that is told late moves clocks and may take a breach back, so it has to be near.
    """
    if at > now:
        told = {
            "zh-CN": "发生时间不能晚于现在",
            "en": "what happened cannot have happened in the future",
        }
        raise Invalid([Finding("/occurred_at", "in-the-future", told)])
    if now - at > _BACKDATED_AT_MOST and not caller.may("operate"):
        told = {
            "zh-CN": "超过一天之前的事只有带 operate 权限的密钥可以补录",
            "en": "what is older than a day may be told only by a key with the scope operate",
        }
        raise Invalid([Finding("/occurred_at", "too-long-ago", told)])

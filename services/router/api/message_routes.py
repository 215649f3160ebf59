"""The router's paths for messages from outside (/router/v1/messages)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from services.router.api.mailbox import Mailbox
from services.router.domain.messages import OWN_MESSAGES
from shared.http.auth import Caller, needs
from shared.http.kit import Limit, Offset, json_answer, page
from shared.http.problems import Unfit
from shared.http.references import Reference

#: As long as texts of a message's address may be.
Address = Annotated[str, Field(min_length=1, max_length=200)]
_HOUR_S = 3600
_MONTH_S = 30 * 24 * _HOUR_S


class MessageBody(BaseModel):
    """A message for whatever diagram waits for it.

    `message_id` is the sender's (the name of its key, which a renewed key keeps): the same again
    is the same message, so repeat it until you have an answer; others may use the same id for
    something else. Without one every call is a message of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Address
    #: What the element's correlation key must be; or, instead, a request: its number or id.
    correlation_key: Address | None = None
    request: Reference | None = None
    variables: dict[str, JsonValue] = Field(default_factory=dict)
    message_id: Address | None = None
    #: How long it is kept for whoever does not wait yet; 0: not at all.
    keep_s: Annotated[float, Field(ge=0, le=_MONTH_S)] = _HOUR_S

    @field_validator("name")
    @classmethod
    def _of_others(cls, name: str) -> str:
        if name in OWN_MESSAGES:
            raise Unfit(
                f"{name} 由 Levee 自己在请求发生该事时发出，他人不得发送",
                f"{name} is said by Levee itself when it happens to the request",
            )
        return name

    @model_validator(mode="after")
    def _addressed(self) -> MessageBody:
        if (self.correlation_key is None) == (not self.request):
            raise Unfit(
                "correlation_key 与 request（请求的编号或 id）二者必须且只能给出一个",
                "give `correlation_key` or `request` (its number or id), one of them",
            )
        return self


def message_routes(mailbox: Mailbox) -> APIRouter:
    """Return the paths of messages."""
    api = APIRouter(prefix="/v1")

    @api.post("/messages", tags=["messages"], summary="A message for a waiting diagram")
    async def receive(body: MessageBody, caller: Annotated[Caller, needs("jobs:work")]) -> Response:
        key = body.correlation_key or await mailbox.number_of(body.request or "")
        keep = timedelta(seconds=body.keep_s)
        sender = caller.name.strip()[:200] or caller.key_id
        told = await mailbox.receive(body.name, key, body.variables, body.message_id, keep, sender)
        return json_answer(told)

    @api.get("/messages", tags=["messages"], summary="Messages, the newest first")
    async def list_messages(
        caller: Annotated[Caller, needs("work:read")],
        state: Literal["buffered", "correlated", "unmatched", "refused", "expired"] | None = None,
        name: str | None = None,
        correlation_key: str | None = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Response:
        filters = {"state": state, "name": name, "key": correlation_key}
        items, total = await mailbox.messages(filters, limit, offset)
        return json_answer(page(items, total, limit, offset))

    return api

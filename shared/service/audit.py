"""The paths an auditor asks: the sums of a service and the account of each of its requests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from shared.errors import Invalid
from shared.http.auth import Caller, needs
from shared.http.kit import json_answer

if TYPE_CHECKING:
    from shared.consuming.accounts import Accounts

#: Requests looked at by name in one call; their ids have to fit into an address.
NAMED_MAX = 100
#: Requests per page; an account is some hundred bytes.
PAGE_MAX = 2_000

Tolerance = Annotated[
    float, Query(ge=1, le=86_400, description="seconds after which something due is overdue")
]


class TooManyNamed(Invalid):
    """{count} requests named at once; ask for {limit} at most."""

    zh = "一次指定了 {count} 个请求；最多 {limit} 个。"


def audit_routes(accounts: Accounts) -> APIRouter:
    """Return the paths; what they tell is compared by `levee audit`."""
    routes = APIRouter(tags=["operate"])

    @routes.get("/v1/audit", summary="Sums of this moment, and how far everything has got")
    async def summary(
        caller: Annotated[Caller, needs("operate")], tolerance_s: Tolerance = 60
    ) -> Response:
        return json_answer(await accounts.summary(timedelta(seconds=tolerance_s)))

    @routes.get("/v1/audit/requests", summary="What this service has of each request")
    async def requests(
        caller: Annotated[Caller, needs("operate")],
        after: Annotated[str, Query(max_length=36, description="the last id seen")] = "",
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="entries per page")] = 500,
        named: Annotated[str, Query(description="comma separated ids: only these")] = "",
        tolerance_s: Tolerance = 60,
    ) -> Response:
        tolerance = timedelta(seconds=tolerance_s)
        if not named:
            return json_answer(await accounts.page(after, limit, tolerance))
        keys = named.split(",")
        if len(keys) > NAMED_MAX:
            raise TooManyNamed(count=len(keys), limit=NAMED_MAX)
        return json_answer(await accounts.look(keys, tolerance))

    return routes

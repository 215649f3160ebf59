"""The router's paths for workers (/router/v1/jobs) and for who mends processes (…/incidents)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from services.router.api.workshop import Workshop
from services.router.domain import JobState
from services.router.domain.operations import PREFIX
from services.router.handlers import working
from shared.http.auth import Caller, needs
from shared.http.kit import Limit, Offset, json_answer, page
from shared.http.problems import Unfit
from shared.http.references import Reference
from shared.service import STOPPING

Name = Annotated[str, Field(min_length=1, max_length=100)]
JobType = Annotated[str, Field(min_length=1, max_length=200)]
#: Longer work asks for more time while it goes on: a lease is how late a dead worker is noticed.
LeaseSeconds = Annotated[float, Field(gt=0, le=86_400, description="seconds")]
Variables = Annotated[
    dict[str, JsonValue], Field(description="values by variable name, as the diagram reads them")
]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _of_others(types: tuple[str, ...]) -> tuple[str, ...]:
    if any(wanted.startswith(PREFIX) for wanted in types):
        raise Unfit(
            "以 levee: 开头的类型由 Levee 自己完成",
            "types that begin with levee: are done by Levee itself",
        )
    return types


class TakeBody(_Body):
    """Which jobs a worker can do, how many it wants, and for how long."""

    worker: Name
    #: Not those that begin with `levee:`: Levee does them itself.
    types: Annotated[
        tuple[JobType, ...], Field(min_length=1, max_length=50), AfterValidator(_of_others)
    ]
    limit: Annotated[int, Field(ge=1, le=100)] = 1
    lease_s: LeaseSeconds = 60
    #: How long to wait for the first one when there is none.
    wait_s: Annotated[float, Field(ge=0, le=30)] = 0


class _AnswerBody(_Body):
    """`attempt` as the job was given: an answer to an earlier attempt is refused."""

    attempt: Annotated[int, Field(ge=1, le=2**31 - 1)]


class CompleteJobBody(_AnswerBody):
    """The work is done, and what came of it."""

    result: Variables = Field(default_factory=dict)


class FailJobBody(_AnswerBody):
    """The attempt failed. Without `retries` one less is left; without `rest_s` 10, 40, 160 … s."""

    message: Annotated[str, Field(min_length=1, max_length=2000)]
    retries: Annotated[int, Field(ge=0, le=100)] | None = None
    rest_s: Annotated[float, Field(ge=0, le=7 * 86_400)] | None = None


class ErrorBody(_AnswerBody):
    """A BPMN error for the diagram to catch: the business says no, the worker did its part."""

    code: Name
    message: Annotated[str, Field(max_length=2000)] = ""
    variables: Variables = Field(default_factory=dict)


class ExtendBody(_AnswerBody):
    """More time, from now on."""

    lease_s: LeaseSeconds


class RetryBody(_Body):
    """Who lets it try again, and which process variables are other values now."""

    by: Name
    variables: Variables = Field(default_factory=dict)


class RetryAllBody(RetryBody):
    """Which incidents, oldest first: all that are open where nothing narrows it down."""

    process: Name | None = None
    element_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    code: Name | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    #: Only those raised by then: as the answer before told, where there are more than `limit`.
    raised_by: AwareDatetime | None = None


class DismissBody(_Body):
    """Who puts it away."""

    by: Name


def job_routes(shop: Workshop) -> APIRouter:
    """Return the paths of jobs and incidents."""
    api = APIRouter(prefix="/v1")
    _add_jobs(api, shop)
    _add_answers(api, shop)
    _add_incidents(api, shop)
    _add_mending(api, shop)
    return api


def _add_jobs(api: APIRouter, shop: Workshop) -> None:
    @api.get("/jobs", tags=["jobs"], summary="Jobs by type, state, request")
    async def list_jobs(
        caller: Annotated[Caller, needs("jobs:work")],
        type: JobType | None = None,
        state: JobState | None = None,
        request_id: Reference | None = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Response:
        filters = {
            "type": type,
            "state": state.value if state else None,
            "request_id": await shop.about(request_id),
        }
        items, total = await shop.jobs(filters, limit, offset)
        return json_answer(page(items, total, limit, offset))

    @api.get("/jobs/{job_id}", tags=["jobs"], summary="One job")
    async def get_job(job_id: UUID, caller: Annotated[Caller, needs("jobs:work")]) -> Response:
        return json_answer(await shop.job(job_id))

    @api.post("/jobs/take", tags=["jobs"], summary="Take jobs for a time")
    async def take_jobs(
        request: Request, body: TakeBody, caller: Annotated[Caller, needs("jobs:work")]
    ) -> Response:
        # Whoever waits does not keep a stopping service from going.
        stopping = request.scope.get(STOPPING)
        lease, wait = timedelta(seconds=body.lease_s), timedelta(seconds=body.wait_s)
        taken = await shop.take(body.worker, body.types, body.limit, lease, wait, stopping)
        return json_answer({"items": taken})


def _add_answers(api: APIRouter, shop: Workshop) -> None:
    @api.post("/jobs/{job_id}/complete", tags=["jobs"], summary="Complete a job")
    async def complete_job(
        job_id: UUID, body: CompleteJobBody, caller: Annotated[Caller, needs("jobs:work")]
    ) -> Response:
        now = shop.now()
        return json_answer(
            await shop.act(
                job_id,
                lambda work: working.complete_job(job_id, body.attempt, body.result, now, work),
            )
        )

    @api.post("/jobs/{job_id}/fail", tags=["jobs"], summary="Report a failed attempt")
    async def fail_job(
        job_id: UUID, body: FailJobBody, caller: Annotated[Caller, needs("jobs:work")]
    ) -> Response:
        now = shop.now()
        rest = None if body.rest_s is None else timedelta(seconds=body.rest_s)
        return json_answer(
            await shop.act(
                job_id,
                lambda work: working.fail_job(
                    job_id, body.attempt, body.message, now, work, retries=body.retries, rest=rest
                ),
            )
        )

    @api.post("/jobs/{job_id}/error", tags=["jobs"], summary="Throw a BPMN error")
    async def throw_error(
        job_id: UUID, body: ErrorBody, caller: Annotated[Caller, needs("jobs:work")]
    ) -> Response:
        now = shop.now()
        return json_answer(
            await shop.act(
                job_id,
                lambda work: working.throw_error(
                    job_id, body.attempt, body.code, body.message, body.variables, now, work
                ),
            )
        )

    @api.post("/jobs/{job_id}/extend", tags=["jobs"], summary="Keep a job for longer")
    async def extend_job(
        job_id: UUID, body: ExtendBody, caller: Annotated[Caller, needs("jobs:work")]
    ) -> Response:
        now, lease = shop.now(), timedelta(seconds=body.lease_s)
        return json_answer(
            await shop.act(
                job_id, lambda work: working.extend_job(job_id, body.attempt, lease, now, work)
            )
        )


def _add_incidents(api: APIRouter, shop: Workshop) -> None:
    @api.get("/incidents", tags=["incidents"], summary="Incidents, oldest first")
    async def list_incidents(
        caller: Annotated[Caller, needs("work:read")],
        state: Literal["open", "resolved"] | None = None,
        process: str | None = None,
        element_id: str | None = None,
        code: str | None = None,
        request_id: Reference | None = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Response:
        filters = {
            "process": process,
            "element_id": element_id,
            "code": code,
            "request_id": await shop.about(request_id),
        }
        is_open = None if state is None else state == "open"
        items, total = await shop.incidents(filters, is_open, limit, offset)
        return json_answer(page(items, total, limit, offset))

    @api.get("/incidents/groups", tags=["incidents"], summary="Open incidents by cause")
    async def list_groups(caller: Annotated[Caller, needs("work:read")]) -> Response:
        groups = await shop.groups()
        return json_answer(page(groups, len(groups), max(len(groups), 1), 0))

    @api.get("/incidents/{incident_id}", tags=["incidents"], summary="One incident, with inputs")
    async def get_incident(
        incident_id: UUID, caller: Annotated[Caller, needs("work:read")]
    ) -> Response:
        return json_answer(await shop.incident(incident_id))


def _add_mending(api: APIRouter, shop: Workshop) -> None:
    @api.post("/incidents/retry", tags=["incidents"], summary="Retry all incidents of a cause")
    async def retry_all(
        body: RetryAllBody, caller: Annotated[Caller, needs("process:write")]
    ) -> Response:
        filters = {"process": body.process, "element_id": body.element_id, "code": body.code}
        until = body.raised_by or shop.now()
        return json_answer(
            await shop.retry_all(filters, body.by, body.variables, body.limit, until)
        )

    @api.post("/incidents/{incident_id}/retry", tags=["incidents"], summary="Try again")
    async def retry(
        incident_id: UUID, body: RetryBody, caller: Annotated[Caller, needs("process:write")]
    ) -> Response:
        return json_answer(await shop.retry(incident_id, body.by, body.variables))

    @api.post("/incidents/{incident_id}/dismiss", tags=["incidents"], summary="Put it away")
    async def dismiss(
        incident_id: UUID, body: DismissBody, caller: Annotated[Caller, needs("process:write")]
    ) -> Response:
        return json_answer(await shop.dismiss(incident_id, body.by))

"""One request is one trace: through every service, its timers and what leaves the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.observability.traces import Tracer, of_request
from tests.harness.journey import P1, a_post, whole_house

if TYPE_CHECKING:
    from pathlib import Path

    from shared.observability.traces import Span
    from tests.harness.journey import World

_CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_SILENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
_EVERY = {"intake", "router", "clock", "escalation", "notify", "insight"}


def traced(world: World, ratio: float = 1.0) -> list[Span]:
    """Trace every service of a house; return where finished spans arrive."""
    spans: list[Span] = []
    for name, service in world.house.services.items():
        service.runtime.tracer = Tracer(name, spans.extend, world.time.now, ratio)
    return spans


def names(spans: list[Span], service: str) -> set[str]:
    return {span.name for span in spans if span.attributes["levee.service"] == service}


def orphans(spans: list[Span]) -> list[Span]:
    """Return the spans whose parent is not there."""
    known = {span.context.span_id for span in spans}
    return [s for s in spans if s.parent_id is not None and s.parent_id not in known]


@pytest.mark.nats
async def test_an_escalated_request_is_one_trace_through_every_service(tmp_path: Path) -> None:
    async with whole_house(tmp_path, "nats") as world:
        spans = traced(world)
        item = await world.raise_request("Payroll is down", **P1)
        await world.fast_forward(minutes=11)
        await world.call("POST", f"/v1/requests/{item.id}/withdraw", {})

    root = of_request(str(item.id))
    assert root is not None
    assert {span.context.trace_id for span in spans} == {root.trace_id}
    assert [s.name for s in spans if s.parent_id is None] == ["POST /v1/requests"]
    assert orphans(spans) == []
    assert {str(span.attributes["levee.service"]) for span in spans} == _EVERY
    assert "message request.submitted.v1" in names(spans, "router")
    assert "message request.routed.v1" in names(spans, "clock")
    assert "timer threshold" in names(spans, "clock")
    assert "message clock.breached.v1" in names(spans, "escalation")
    assert {"message notification.requested.v1", "call call"} <= names(spans, "notify")
    assert all(span.ended_at is not None for span in spans)


async def test_a_callers_trace_goes_on_and_its_timers_and_messages_keep_it(
    tmp_path: Path,
) -> None:
    async with whole_house(tmp_path) as world:
        spans = traced(world)
        posted = a_post("Payroll is down", **P1)
        await world.call("POST", "/v1/requests", posted, traceparent=_CALLER)
        await world.fast_forward(minutes=11)

    assert {f"{span.context.trace_id:032x}" for span in spans} == {_CALLER.split("-")[1]}
    (edge,) = (span for span in spans if span.kind == "server")
    assert f"{edge.parent_id:016x}" == _CALLER.split("-")[2]
    assert {str(span.attributes["levee.service"]) for span in spans} == _EVERY


async def test_what_a_caller_does_not_sample_leaves_no_span(tmp_path: Path) -> None:
    async with whole_house(tmp_path) as world:
        spans = traced(world)
        posted = a_post("Payroll is down", **P1)
        await world.call("POST", "/v1/requests", posted, traceparent=_SILENT)
        await world.fast_forward(minutes=11)

    assert spans == []


async def test_where_a_share_is_traced_a_request_is_traced_whole_or_not_at_all(
    tmp_path: Path,
) -> None:
    async with whole_house(tmp_path) as world:
        spans = traced(world, ratio=0.5)
        for _ in range(12):
            await world.raise_request("printer is down")

    seen = [
        str(s.attributes["levee.request_id"])
        for s in spans
        if s.name == "message request.routed.v1"
    ]
    per_request = {request: seen.count(request) for request in seen}
    assert 0 < len(per_request) < 12
    assert len(set(per_request.values())) == 1
    assert orphans(spans) == []

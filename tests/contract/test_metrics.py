"""What /metrics tells is what is so, and every metric has one definition that is written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.database.engine import Database
from shared.observability.metrics import BY_NAME, METRICS
from shared.service import Service
from tests.harness import dummies
from tests.harness.lab import laboratory
from tests.harness.services import key_ring
from tests.harness.world import new_world
from tools import metrics_document
from tools.canvas import application
from tools.topology import SERVICES

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

    from tests.harness.lab import Lab

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def read(app: ASGIApp, service: str) -> Samples:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://levee.test") as client:
        answer = await client.get(f"/{service}/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset((k, v) for k, v in sample.labels.items() if k != "service")): (
            sample.value
        )
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((name, frozenset(labels.items())))


def app_of(lab: Lab, folder: Path) -> ASGIApp:
    ring, _ = key_ring(folder, lab.world, ("operate",))
    return Service("clock", lab.dummy.runtime).app(ring)


def test_the_page_about_metrics_is_the_table_in_the_code() -> None:
    assert metrics_document.main(["check"]) == 0


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_tells_only_what_is_defined_and_names_itself(service: str) -> None:
    app = await application(service)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    async with httpx.AsyncClient(transport=transport, base_url="http://levee.test") as client:
        text = (await client.get(f"/{service}/metrics")).text

    for family in text_string_to_metric_families(text):
        metric = BY_NAME.get(family.name) or BY_NAME[f"{family.name}_total"]
        for sample in family.samples:
            labels = set(sample.labels) - {"le"}
            assert labels == {"service", *metric.labels}, sample
            assert sample.labels["service"] == service


def test_names_say_what_they_count() -> None:
    for metric in METRICS:
        assert metric.name.startswith("levee_")
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name


@pytest.mark.announces("set aside: refusal")
async def test_what_was_handled_waits_or_was_set_aside_shows(tmp_path: Path) -> None:
    async with laboratory("sqlite+aiosqlite://") as lab:
        one, two, three = (lab.world.ids.new() for _ in range(3))
        await lab.hear(lab.event(one, 1), lab.event(one, 2), lab.event(one, 2))
        await lab.hear(lab.event(two, 1, "refuse"), lab.event(three, 2))
        app = app_of(lab, tmp_path)

        samples = await read(app, "clock")

    assert value(samples, "levee_messages_total", outcome="handled") == 2
    assert value(samples, "levee_messages_total", outcome="duplicate") == 1
    assert value(samples, "levee_setaside_messages", code="refusal") == 1
    assert value(samples, "levee_parked_messages") == 1
    assert value(samples, "levee_outbox_published_total") == 2
    assert value(samples, "levee_consumer_lag_messages", stream="LEVEE_INTAKE") == 0
    counted = {"entry": "message", "type": "request.submitted.v1"}
    assert value(samples, "levee_handler_seconds_count", **counted) == 2
    assert value(samples, "levee_ready") == 1
    assert value(samples, "levee_check_well", check="set_aside") == 0


async def test_a_database_that_is_away_leaves_the_rest_of_the_metrics(tmp_path: Path) -> None:
    world = new_world()
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nowhere")
    ring, _ = key_ring(tmp_path, world, ("operate",))
    app = Service("clock", dummies.dummy("clock", database, world.given).runtime).app(ring)

    samples = await read(app, "clock")

    assert value(samples, "levee_ready") == 0
    assert value(samples, "levee_check_well", check="database") == 0
    assert value(samples, "levee_check_well", check="bus") == 1
    assert value(samples, "levee_outbox_unpublished_messages") is None
    assert value(samples, "levee_messages_total", outcome="handled") == 0


async def test_calls_are_counted_by_route_never_by_what_somebody_typed(tmp_path: Path) -> None:
    world = new_world()
    ring, _ = key_ring(tmp_path, world, ("operate",))
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nowhere")
    app = Service("clock", dummies.dummy("clock", database, world.given).runtime).app(ring)
    transport = httpx.ASGITransport(app)

    async with httpx.AsyncClient(transport=transport, base_url="http://levee.test") as client:
        for event_id in ("one", "two"):
            await client.post(f"/clock/v1/setaside/{event_id}/replay")
        await client.request("BREW", "/clock/some/where")
        samples = await read(app, "clock")

    counted = {name: found for name, found in samples.items() if "http_requests" in name[0]}
    route = "/v1/setaside/{event_id}/replay"
    labels = {"method": "POST", "route": route, "status": "401"}
    assert value(samples, "levee_http_requests_total", **labels) == 2
    labels = {"method": "OTHER", "route": "unmatched", "status": "404"}
    assert value(samples, "levee_http_requests_total", **labels) == 1
    assert len(counted) == 2

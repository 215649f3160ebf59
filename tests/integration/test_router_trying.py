"""A request is tried: what the house would do with it, and nothing of it is kept."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from services.router.main import build
from services.router.settings import Settings
from services.router.store import metadata
from shared.vocabulary import Impact, Urgency
from tests.harness.services import Neighbour, at_work, caller, key_ring, published
from tests.harness.world import new_world
from tests.integration.test_router import BPMN, a_request
from tests.unit.router.workflow.builders import BEGIN, ends, flow, io, job, node, path, user, xml

if TYPE_CHECKING:
    import httpx

    from services.router.main import RouterService

TRY = "/router/v1/definitions/try"


async def rows(service: RouterService) -> dict[str, int]:
    """Count the rows of every table."""
    async with service.runtime.database.reading() as connection:
        return {
            table.name: (
                await connection.execute(select(func.count()).select_from(table))
            ).scalar_one()
            for table in metadata.sorted_tables
        }


async def tried(api: httpx.AsyncClient, **request: Any) -> dict[str, Any]:
    answer = await api.post(TRY, json={"type": "it-incident", **request})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def served(folder: Path, definitions: Path = BPMN) -> Settings:
    return Settings(
        database_url=f"sqlite+aiosqlite:///{folder}/router.db", definitions_folder=definitions
    )


async def test_what_is_told_is_what_happens_when_it_is_posted_and_nothing_is_kept(
    tmp_path: Path,
) -> None:
    world = new_world()
    service = build(served(tmp_path), world.given)
    ring, key = key_ring(tmp_path, world)
    async with at_work(service, world), caller(service, ring, key) as api:
        before, said = await rows(service), len(published(world, "router"))

        told = await tried(api, urgency="high", impact="medium", title="邮件系统打不开")
        await world.settled()

        assert await rows(service) == before
        assert len(published(world, "router")) == said
        await Neighbour(world, "intake").say(
            a_request(urgency=Urgency.HIGH, impact=Impact.MEDIUM), world.ids.new()
        )
        [routed] = published(world, "router", "request.routed.v1")
        [opened] = published(world, "router", "work_item.opened.v1")
        for name in ("lane", "priority", "team", "is_triage"):
            assert told[name] == routed["data"][name], name
        decided = [
            {key: value for key, value in decision.items() if key != "element"}
            for decision in told["decisions"]
        ]
        # What the diagram asks is told with its elements, what is asked beside it after that.
        assert sorted(decided, key=lambda one: one["decision"]) == sorted(
            routed["data"]["explanation"], key=lambda one: one["decision"]
        )
        [item] = told["work_items"]
        for name in ("element_id", "name", "candidate_teams", "candidate_users", "form"):
            assert item[name] == opened["data"][name], name
        assert told["events"] == [event["type"] for event in published(world, "router")]
        [process] = told["processes"]
        assert [step["element_id"] for step in process["steps"]] == [
            "received",
            "set_priority",
            "choose_team",
        ]
        assert process["steps"][1]["name"] == {"zh-CN": "定优先级", "en": "Set priority"}
        assert "resolved" in told["messages"]
        assert told["ask_clock"]["priority"] == "P2"


async def test_timers_jobs_and_incidents_are_told_before_anybody_meets_them(
    tmp_path: Path,
) -> None:
    world, definitions = new_world(), tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    timer = node("timerEventDefinition", "two_hours", node("timeDuration", "t", "PT2H"))
    (definitions / "standard-path.bpmn").write_bytes(
        xml(
            BEGIN,
            node("parallelGateway", "all"),
            user("someone", '="hr-service"'),
            node("intermediateCatchEvent", "later", timer),
            job("ask_supplier", "supplier"),
            node("exclusiveGateway", "which"),
            ends("e"),
            path("begin", "all", "someone", "e"),
            path("all", "later", "e"),
            path("all", "ask_supplier", "e"),
            path("all", "which"),
            flow("which", "e", "=request.form.amount > 5"),
            process='id="standard-path" isExecutable="true"',
        )
    )
    service = build(served(tmp_path, definitions), world.given)
    ring, key = key_ring(tmp_path, world)
    async with at_work(service, world), caller(service, ring, key) as api:
        told = await tried(api, submitted_at="2026-03-02T12:00:00+08:00")

        [waiting] = told["timers"]
        assert (waiting["element_id"], waiting["due_at"]) == ("later", "2026-03-02T06:00:00Z")
        assert [(j["element_id"], j["type"]) for j in told["jobs"]] == [
            ("ask_supplier", "supplier")
        ]
        assert [(i["element_id"], i["code"]) for i in told["incidents"]] == [
            ("which", "expression-failed")
        ]
        assert {each["element_id"] for each in told["processes"][0]["waits_at"]} >= {
            "someone",
            "later",
            "ask_supplier",
        }
        assert (await api.get("/router/ready")).json()["checks"]["incidents"]["is_well"]


async def test_what_levee_does_itself_is_gone_through_and_its_faults_are_found(
    tmp_path: Path,
) -> None:
    definitions = tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    told_to = '="{}"'.format
    diagram = xml(
        BEGIN,
        job("tell", "levee:notify", io({"recipients": told_to("triage"), "text": '="x"'})),
        job("say", "levee:publish-event", io({"name": '="begun"'})),
        job("check", "stock.check"),
        ends("e"),
        path("begin", "say", "tell", "check", "e"),
        process='id="standard-path" isExecutable="true"',
    )
    world = new_world()
    for people, waits in (("nobody", ["tell"]), ("li.na", ["check"])):
        drawn = diagram.replace(b"triage", people.encode())
        (definitions / "standard-path.bpmn").write_bytes(drawn)
        folder = tmp_path / people
        folder.mkdir()
        service = build(served(folder, definitions), world.given)
        ring, key = key_ring(folder, world)
        async with at_work(service, world), caller(service, ring, key) as api:
            told = await tried(api)

        [process] = told["processes"]
        assert [step["element_id"] for step in process["waits_at"]] == waits
        assert [j["type"] for j in told["jobs"]] == (["stock.check"] if waits == ["check"] else [])
        codes = [incident["code"] for incident in told["incidents"]]
        assert codes == ([] if waits == ["check"] else ["no-such-person"])
        assert "process.announced.v1" in told["events"]


@pytest.mark.parametrize(
    ("body", "path", "rule"),
    [
        ({}, "/type", "missing"),
        ({"type": "no-such"}, "/type", "unknown-type"),
        ({"type": "it-incident", "colour": "red"}, "/colour", "extra_forbidden"),
        ({"type": "it-incident", "urgency": "huge"}, "/urgency", "enum"),
        ({"type": "it-incident", "submitted_at": "2026-03-02T12:00"}, "/submitted_at", ""),
    ],
    ids=["nothing", "type", "field", "word", "zone"],
)
async def test_what_no_portal_could_post_is_refused_with_its_place(
    tmp_path: Path, body: dict[str, Any], path: str, rule: str
) -> None:
    world = new_world()
    service = build(served(tmp_path), world.given)
    ring, key = key_ring(tmp_path, world)
    async with at_work(service, world), caller(service, ring, key) as api:
        answer = await api.post(TRY, json=body)

        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert error["path"] == path
        assert rule in error["rule"]

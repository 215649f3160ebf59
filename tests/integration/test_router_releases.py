"""Definitions by the API: several as one whole, older ones again, and two people at once."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from shared.http.auth import add_to_file, new_key
from tests.harness.services import published
from tests.harness.world import new_world
from tests.integration.test_router import BPMN, a_request, router
from tests.unit.router.workflow.builders import BEGIN, ends, node, path, rule, user, xml

if TYPE_CHECKING:
    import httpx

    from tests.harness.world import World

APPLY = "/router/v1/definitions/apply"
STANDARD = 'id="standard-path" isExecutable="true"'
SHARED = 'id="shared-step" isExecutable="true"'
DECISION = "decision/priority"


def calling(called: str) -> str:
    """A standard path that calls another process and asks its table."""
    return xml(
        BEGIN,
        rule("ask", "speed", "speed"),
        node("callActivity", "shared", calledElement=called),
        ends("e"),
        path("begin", "ask", "shared", "e"),
        process=STANDARD,
    ).decode()


def called(key: str, element: str = "step") -> str:
    drawn = f'id="{key}" isExecutable="true"'
    return xml(
        BEGIN, user(element, '="triage"'), ends("e"), path("begin", element, "e"), process=drawn
    ).decode()


def table(key: str, *more: str) -> str:
    """A file of decisions that say a text each."""
    drawn = "".join(
        f'<decision id="{name}" name="{name}"><variable name="{name}"/>'
        "<literalExpression><text>1</text></literalExpression></decision>"
        for name in (key, *more)
    )
    space = "https://www.omg.org/spec/DMN/20191111/MODEL/"
    return f'<definitions xmlns="{space}" id="f" name="f" namespace="n">{drawn}</definitions>'


def file(kind: str, key: str, content: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "key": key, "content": content, **more}


def whole(step: str = "step") -> list[dict[str, Any]]:
    """A diagram, one it calls, and a table it asks: none can come alone."""
    return [
        file("process", "standard-path", calling("shared-step")),
        file("process", "shared-step", called("shared-step", step)),
        file("decision", "speed", table("speed")),
    ]


async def applied(api: httpx.AsyncClient, *files: dict[str, Any], **more: Any) -> httpx.Response:
    return await api.post(APPLY, json={"files": list(files), **more})


async def activated(api: httpx.AsyncClient, place: str, version: int) -> httpx.Response:
    return await api.post(f"/router/v1/definitions/{place}/activate", json={"version": version})


async def versions(api: httpx.AsyncClient) -> dict[str, int]:
    told = (await api.get("/router/v1/definitions")).json()["in_force"]
    return {f"{each['kind']}/{each['key']}": each["version"] for each in told}


def kept_by_the_bus(world: World) -> list[dict[str, Any]]:
    """Return the newest of what was said about each definition."""
    said = [orjson.loads(message.body) for message in world.bus.stored("LEVEE_DEFINITIONS")]
    return [each["data"] for each in said if each["type"] == "definition.released.v1"]


def priority(outcome: str = '"P1"') -> str:
    """The shipped priority table, another priority where the urgency is high."""
    shipped = (BPMN / "priority.dmn").read_text(encoding="utf-8")
    return shipped.replace('<text>"P2"</text>', f"<text>{outcome}</text>", 1)


# ---- as one whole -------------------------------------------------------------------------------


async def test_a_diagram_comes_with_what_it_calls_and_asks(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        alone = await applied(api, whole()[0])
        done = await applied(api, *whole())
        await world.settled()
        await intake.say(a_request(), world.ids.new())

        assert alone.status_code == 422
        assert {e["rule"] for e in alone.json()["errors"]} == {
            "process-unknown",
            "decision-unknown",
        }
        assert done.status_code == 200
        assert {d["key"]: (d["version"], d["is_new"]) for d in done.json()["definitions"]} == {
            "speed": (1, True),
            "shared-step": (1, True),
            "standard-path": (2, True),
        }
        [item] = published(world, "router", "work_item.opened.v1")
        assert item["data"]["element_id"] == "shared-step:step"


async def test_one_that_is_wrong_keeps_all_of_them_back_and_every_fault_is_told(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        before = await versions(api)
        wrong = [
            *whole(),
            file("decision", "priority", priority('"P'), file="priority.dmn"),
            file("calendar", "odd", "zone: Mars/Olympus\n", file="calendars/odd.yaml"),
        ]
        refused = await applied(api, *wrong)

        told = refused.json()
        assert (refused.status_code, told["code"]) == (422, "not-releasable")
        assert (told["params"]["count"], told["params"]["refused"]) == (5, 2)
        by_file = {each["file"]: each for each in told["params"]["files"]}
        assert by_file["priority.dmn"]["verdict"] == "refused"
        assert by_file["process/standard-path"]["verdict"] == "ok"
        places = [error["path"] for error in told["errors"]]
        assert any(place.startswith("priority.dmn / ") for place in places)
        assert any(place.startswith("calendars/odd.yaml / ") for place in places)
        assert all(error["detail"] and error["message"]["zh-CN"] for error in told["errors"])
        assert await versions(api) == before
        listed = (await api.get("/router/v1/definitions")).json()["refused"]
        assert [(each["key"], each["told_to"]) for each in listed] == [
            ("odd", "test"),
            ("priority", "test"),
        ]
        # Whoever handed it in knows; nobody need be called.
        assert (await api.get("/router/ready")).json()["status"] == "ready"

        await applied(api, file("decision", "priority", priority()))
        listed = (await api.get("/router/v1/definitions")).json()["refused"]
        assert [each["key"] for each in listed] == ["odd"]


async def test_what_others_use_is_not_taken_from_under_them(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        both = table("speed", "colour")
        asks = calling("shared-step").replace('decisionId="speed"', 'decisionId="colour"')
        files = [
            file("process", "standard-path", asks),
            whole()[1],
            file("decision", "speed", both),
        ]
        assert (await applied(api, *files)).status_code == 200

        without = await applied(api, file("decision", "speed", table("speed")))
        recursive = calling("standard-path").replace(
            STANDARD, 'id="shared-step" isExecutable="true"'
        )
        circle = await applied(api, file("process", "shared-step", recursive))
        together = await applied(
            api,
            file("decision", "speed", table("speed")),
            file("process", "standard-path", calling("shared-step")),
        )

        [error] = without.json()["errors"]
        assert (error["rule"], "standard-path" in error["detail"]) == ("breaks-caller", True)
        assert circle.status_code == 422
        assert together.status_code == 200


async def test_a_dry_run_says_what_would_be_and_changes_nothing(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        before = await versions(api)
        done = await applied(api, *whole(), is_dry_run=True)
        refused = await applied(api, whole()[0], is_dry_run=True)

        assert {d["key"]: d["version"] for d in done.json()["definitions"]}["standard-path"] == 2
        assert refused.status_code == 422
        assert await versions(api) == before
        assert (await api.get("/router/v1/definitions")).json()["refused"] == []


async def test_the_same_content_again_is_no_new_version(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        said = kept_by_the_bus(world)
        shipped = (BPMN / "priority.dmn").read_text(encoding="utf-8")
        [told] = (await applied(api, file("decision", "priority", shipped))).json()["definitions"]

        assert (told["version"], told["is_new"]) == (1, False)
        assert kept_by_the_bus(world) == said


# ---- an older version again ---------------------------------------------------------------------


async def test_an_older_version_is_released_again_for_every_service(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        await applied(api, file("decision", "priority", priority()))
        await intake.say(a_request(), world.ids.new())
        done = await activated(api, "decision/priority", 1)
        again = await activated(api, "decision/priority", 3)
        await world.settled()
        await intake.say(a_request(number="R-2026-000002"), world.ids.new())

        told = done.json()
        assert (told["version"], told["again_of"], told["released_by"]) == (3, 1, "test")
        assert (again.status_code, again.json()["is_new"]) == (200, False)
        [said] = [d for d in kept_by_the_bus(world) if d["key"] == "priority"]
        assert (said["version"], said["again_of"]) == (3, 1)
        assert said["content"] == (BPMN / "priority.dmn").read_text(encoding="utf-8")
        first, second = published(world, "router", "request.routed.v1")
        assert (first["data"]["priority"], second["data"]["priority"]) == ("P1", "P2")
        listed = (await api.get("/router/v1/definitions/history?key=priority")).json()
        assert [(v["version"], v["is_in_force"]) for v in listed["items"]] == [
            (3, True),
            (2, False),
            (1, False),
        ]


async def test_an_older_version_that_no_longer_fits_is_refused(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        await applied(api, *whole())
        # Version 1 of the file has no decision `colour`, which the diagram of now asks.
        asks = calling("shared-step").replace('decisionId="speed"', 'decisionId="colour"')
        await applied(
            api,
            file("decision", "speed", table("speed", "colour")),
            file("process", "standard-path", asks),
        )
        refused = await activated(api, "decision/speed", 1)

        assert refused.status_code == 422
        assert [error["rule"] for error in refused.json()["errors"]] == ["breaks-caller"]
        assert (await versions(api))["decision/speed"] == 2


@pytest.mark.parametrize(
    ("place", "version", "status", "code"),
    [
        ("decision/priority", 7, 404, "no-such-version"),
        ("decision/nobody", 1, 404, "no-such-definition"),
        ("poem/priority", 1, 422, "invalid"),
        ("decision/priority", 0, 422, "invalid"),
        ("decision/priority", 2**40, 422, "invalid"),
    ],
)
async def test_what_was_never_released_cannot_be_activated(
    tmp_path: Path, place: str, version: int, status: int, code: str
) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        answer = await activated(api, place, version)

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["sentences"]["zh-CN"]


# ---- two people at once -------------------------------------------------------------------------


async def test_who_saw_an_older_version_is_told_who_was_faster(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        shipped = (BPMN / "priority.dmn").read_text(encoding="utf-8")
        seen = hashlib.sha256(shipped.encode()).hexdigest()
        place = f"/router/v1/definitions/{DECISION}"
        mine = await api.put(place, content=priority(), headers={"If-Match": f'"{seen}"'})
        yours = await api.put(place, content=priority('"P3"'), headers={"If-Match": f'"{seen}"'})
        by_number = await api.put(place, content=priority('"P3"'), headers={"If-Match": '"1"'})
        # A call whose answer was lost is repeated: nothing else happened.
        mine_again = await api.put(place, content=priority(), headers={"If-Match": f'"{seen}"'})
        whole_again = await applied(
            api, *whole(), file("decision", "priority", priority('"P4"'), if_match="v1")
        )
        new_only = await api.put(place, content=priority('"P4"'), headers={"If-None-Match": "*"})

        assert (mine.status_code, mine.headers["etag"]) == (200, f'"{mine.json()["content_hash"]}"')
        assert (yours.status_code, yours.json()["code"]) == (412, "somebody-was-faster")
        params = yours.json()["params"]
        assert (params["version"], params["released_by"]) == (2, "test")
        assert params["content_hash"] == mine.json()["content_hash"]
        assert "test" in yours.json()["sentences"]["zh-CN"]
        assert {a.status_code for a in (by_number, whole_again, new_only)} == {412}
        assert (mine_again.status_code, mine_again.json()["is_new"]) == (200, False)
        assert (await versions(api))["process/standard-path"] == 1
        taken = await api.put(place, content=priority('"P3"'), headers={"If-Match": 'W/"v2", *'})
        assert (taken.status_code, taken.json()["version"]) == (200, 3)


async def test_of_two_who_apply_in_the_same_moment_one_is_first(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        place = f"/router/v1/definitions/{DECISION}"
        answers = await asyncio.gather(
            *(
                api.put(place, content=priority(f'"P{n}"'), headers={"If-Match": '"1"'})
                for n in (1, 3, 4)
            )
        )

        assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
        assert (await versions(api))[DECISION] == 2


async def test_of_two_releases_sound_alone_and_wrong_together_one_is_refused(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        both = file("decision", "other", table("other", "more"))
        assert (await applied(api, *whole(), both)).is_success
        asks = calling("shared-step").replace('decisionId="speed"', 'decisionId="more"')
        # One begins to ask what the other takes away.
        answers = await asyncio.gather(
            applied(api, file("process", "standard-path", asks)),
            applied(api, file("decision", "other", table("other"))),
        )

        assert sorted(answer.status_code for answer in answers) == [200, 422]


@pytest.mark.parametrize("header", ["yesterday", '""', "v0", "abc"])
async def test_what_names_no_version_is_no_condition(tmp_path: Path, header: str) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        place = f"/router/v1/definitions/{DECISION}"
        answer = await api.put(place, content=priority(), headers={"If-Match": header})

        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "If-Match")


# ---- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "path", "rule"),
    [
        ([file("poem", "p", "")], "/files/0/kind", "literal_error"),
        ([file("decision", "a/b", "")], "/files/0/key", "string_pattern_mismatch"),
        ([file("decision", "x", "", if_match="?")], "/files/0/if_match", "seen-unreadable"),
        ([file("decision", "x", ""), file("decision", "x", "")], "/files/1", "twice"),
        ([file("decision", "x", "x" * 262_145)], "/", "too-large"),
        ([file("decision", "x", "<a/>", colour="red")], "/files/0/colour", "extra_forbidden"),
        ([file("calendar", f"c{n}", "") for n in range(201)], "/files", "too_long"),
    ],
    ids=["kind", "key", "condition", "twice", "large", "field", "many"],
)
async def test_what_is_no_release_is_refused_with_its_place(
    tmp_path: Path, files: list[dict[str, Any]], path: str, rule: str
) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        before = await versions(api)
        answer = await applied(api, *files)

        assert answer.status_code == 422
        assert (path, rule) in [(e["path"], e["rule"]) for e in answer.json()["errors"]]
        assert await versions(api) == before


async def test_a_release_beyond_all_bounds_is_not_even_read(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        huge = await api.post(APPLY, content=b"x" * (4 * 1024 * 1024 + 1))
        # Elsewhere the bound is as it was.
        long = await api.put(f"/router/v1/definitions/{DECISION}", content=b"x" * 300_000)
        nothing = await applied(api)

        assert (huge.status_code, huge.json()["params"]["limit"]) == (413, 4 * 1024 * 1024)
        assert (long.status_code, long.json()["params"]["limit"]) == (413, 256 * 1024)
        assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing-to-apply")


async def test_the_file_in_force_is_given_out_as_a_file(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        await applied(api, file("decision", "priority", priority()))
        now = await api.get(f"/router/v1/definitions/{DECISION}/content")
        old = await api.get(f"/router/v1/definitions/{DECISION}/versions/1")
        none = await api.get(f"/router/v1/definitions/{DECISION}/versions/9")

        assert now.content == priority().encode()
        assert now.headers["etag"] == f'"{hashlib.sha256(now.content).hexdigest()}"'
        assert now.headers["levee-version"] == "2"
        assert now.headers["content-disposition"] == 'attachment; filename="priority.dmn"'
        assert old.content == (BPMN / "priority.dmn").read_bytes()
        assert (none.status_code, none.json()["params"]["newest"]) == (404, 2)


# ---- beside the folder --------------------------------------------------------------------------


@pytest.fixture
async def lived_in(tmp_path: Path) -> tuple[World, Path, Path]:
    """A folder of definitions, over which somebody applied another priority table."""
    world, definitions = new_world(), tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    async with router(tmp_path, world, definitions) as (_, api):
        await applied(api, file("decision", "priority", priority()))
    return world, tmp_path, definitions


async def test_a_restart_does_not_bring_back_what_the_folder_said_before(
    lived_in: tuple[World, Path, Path],
) -> None:
    world, folder, definitions = lived_in
    async with router(folder, world, definitions) as (_, api):
        assert (await versions(api))[DECISION] == 2
        [newest, _] = (await api.get(f"/router/v1/definitions/{DECISION}")).json()["items"]
        assert newest["released_by"] == "test"

        (definitions / "priority.dmn").write_text(priority('"P4"'), encoding="utf-8")
        await api.post("/router/v1/definitions/reload")

        assert (await versions(api))[DECISION] == 3


async def test_a_key_called_folder_is_not_the_folder(tmp_path: Path) -> None:
    world, definitions = new_world(), tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    async with router(tmp_path, world, definitions) as (_, api):
        key, kept = new_key("folder", ["process:write"])
        add_to_file(tmp_path / "keys.json", kept)
        headers = {"Authorization": f"Bearer {key}"}
        place = f"/router/v1/definitions/{DECISION}"
        told = (await api.put(place, content=priority(), headers=headers)).json()

        assert told["released_by"] == kept["id"]


async def test_a_file_refused_for_what_it_lacked_is_taken_when_that_is_mended(
    tmp_path: Path,
) -> None:
    world, definitions = new_world(), tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    async with router(tmp_path, world, definitions) as (_, api):
        (definitions / "standard-path.bpmn").write_text(calling("shared-step"), encoding="utf-8")
        (definitions / "shared-step.bpmn").write_text(
            called("shared-step").replace("userTask", "complexGateway"), encoding="utf-8"
        )
        (definitions / "speed.dmn").write_text(table("speed"), encoding="utf-8")
        first = (await api.post("/router/v1/definitions/reload")).json()
        (definitions / "shared-step.bpmn").write_text(called("shared-step"), encoding="utf-8")
        second = (await api.post("/router/v1/definitions/reload")).json()

        assert first["released"] == 1
        assert {fault["file"] for fault in first["refused"]} == {
            "standard-path.bpmn",
            "shared-step.bpmn",
        }
        assert second == {"released": 2, "refused": []}


async def test_a_catalogue_whose_form_the_entrance_could_not_check_is_refused_here(
    tmp_path: Path,
) -> None:
    """The entrance would set it aside, and nobody who released it would hear of that."""
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        form = "{properties: {x: {$ref: 'https://example.org/form.json'}}}"
        types = f"types: [{{key: a, name: {{en: A}}, domain: it, form: {form}}}]"

        answer = await applied(api, file("catalogue", "catalogue", types))

        assert answer.status_code == 422
        [error] = answer.json()["errors"]
        assert (error["path"], error["rule"]) == ("/types/0/form/properties/x/$ref", "ref")
        assert "$defs" in error["remedy"]

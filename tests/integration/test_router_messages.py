"""Messages from outside: before, after or twice, each is taken once; ambiguity is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shared.http.auth import add_to_file, new_key
from tests.harness.services import published
from tests.harness.world import new_world
from tests.integration.test_router import a_request
from tests.integration.test_router_jobs import STANDARD, drawn, open_incidents, waits_at
from tests.unit.router.workflow.builders import (
    BEGIN,
    boundary,
    catch,
    ends,
    message,
    node,
    path,
    script,
    user,
    xml,
)

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.harness.world import World

MESSAGES = "/router/v1/messages"
_KEYED = (
    '<bpmn:message id="M_paid" name="paid"><bpmn:extensionElements>'
    '<zeebe:subscription correlationKey="=order"/></bpmn:extensionElements></bpmn:message>'
    '<bpmn:message id="M_call" name="called back"/>'
)
#: First a person, then a payment for the order the form names, then a person again.
PAYS = xml(
    BEGIN,
    script("read", "=request.form.order", "order"),
    user("first", '="triage"'),
    catch("payment", message("M_paid")),
    user("after", '="triage"'),
    ends("e"),
    path("begin", "read", "first", "payment", "after", "e"),
    roots=_KEYED,
    process=STANDARD,
)
#: A call back by the request's own number ends nothing and may come often.
CALLS = xml(
    BEGIN,
    user("work", '="triage"'),
    boundary("call", "work", message("M_call"), interrupts=False),
    user("talk", '="triage"'),
    ends("e"),
    path("begin", "work", "e"),
    path("call", "talk", "e"),
    roots=_KEYED,
    process=STANDARD,
)


async def send(api: httpx.AsyncClient, world: World, **told: Any) -> dict[str, Any]:
    answer = await api.post(MESSAGES, json=told)
    assert answer.status_code == 200, answer.text
    await world.settled()
    found: dict[str, Any] = answer.json()
    return found


async def finish(
    api: httpx.AsyncClient, world: World, request: Any, element: str, **result: Any
) -> None:
    told = (await api.get(f"/router/v1/requests/{request}")).json()
    [item] = [i for i in told["work_items"] if i["element_id"] == element and i["state"] == "open"]
    await api.post(f"/router/v1/work-items/{item['id']}/complete", json={"result": result})
    await world.settled()


async def test_a_message_that_comes_later_is_taken_once_however_often_it_is_sent(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with drawn(tmp_path, world, PAYS) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(form={"order": "A1"}), request)
        await finish(api, world, request, "first")
        paid = {"name": "paid", "message_id": "p-1", "variables": {"amount": 5}}

        other = await send(api, world, **{**paid, "message_id": "p-0"}, correlation_key="B2")
        taken = await send(api, world, **paid, correlation_key="A1")
        again = await send(api, world, **paid, correlation_key="A1")

        assert (other["state"], taken["state"]) == ("buffered", "correlated")
        assert (taken["request_id"], taken["element_id"]) == (str(request), "payment")
        assert again == taken
        assert await waits_at(api, request) == ["after"]


async def test_a_message_that_came_before_is_kept_and_the_oldest_is_taken(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, PAYS) as (intake, api):
        request = world.ids.new()
        first = await send(
            api, world, name="paid", correlation_key="A1", message_id="p-1", variables={"n": 1}
        )
        await world.pass_time(10)
        await send(api, world, name="paid", correlation_key="A1", message_id="p-2")
        await intake.say(a_request(form={"order": "A1"}), request)

        await finish(api, world, request, "first")

        assert first["state"] == "buffered"
        assert await waits_at(api, request) == ["after"]
        listed = (await api.get(f"{MESSAGES}?name=paid")).json()["items"]
        assert {m["id"]: m["state"] for m in listed} == {"p-1": "correlated", "p-2": "buffered"}


async def test_a_message_is_kept_no_longer_than_its_sender_said(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, PAYS) as (intake, api):
        request = world.ids.new()
        await send(api, world, name="paid", correlation_key="A1", message_id="p-1", keep_s=60)
        none = await send(api, world, name="paid", correlation_key="A1", message_id="p-2", keep_s=0)
        await intake.say(a_request(form={"order": "A1"}), request)
        await world.pass_time(60)

        await finish(api, world, request, "first")

        assert none["state"] == "unmatched"
        assert await waits_at(api, request) == []
        listed = (await api.get(f"{MESSAGES}?state=expired")).json()["items"]
        assert [m["id"] for m in listed] == ["p-1"]
        taken = await send(api, world, name="paid", correlation_key="A1", message_id="p-3")
        assert taken["state"] == "correlated"


async def test_where_several_wait_the_longest_gets_it_and_the_others_are_named(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with drawn(tmp_path, world, PAYS) as (intake, api):
        requests = [world.ids.new(), world.ids.new()]
        for number, request in enumerate(requests):
            told = a_request(number=f"R-2026-00000{number}", form={"order": "A1"})
            await intake.say(told, request)
            await finish(api, world, request, "first")
            await world.pass_time(1)

        taken = await send(api, world, name="paid", correlation_key="A1")

        assert taken["request_id"] == str(requests[0])
        assert taken["also_waiting"] == [{"request_id": str(requests[1]), "element_id": "payment"}]
        assert await waits_at(api, requests[1]) == []


async def test_without_a_key_of_its_own_an_element_is_reached_by_its_requests_number(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with drawn(tmp_path, world, CALLS) as (intake, api):
        request = world.ids.new()
        number = "R-2026-000007"
        await send(api, world, name="called back", request=number)
        await intake.say(a_request(number=number), request)
        assert sorted(await waits_at(api, request)) == ["talk", "work"]

        await send(api, world, name="called back", request=number)

        assert sorted(await waits_at(api, request)) == ["talk", "talk", "work"]


async def test_many_kept_for_one_element_do_not_hide_what_is_kept_for_another(
    tmp_path: Path,
) -> None:
    world = new_world()
    both = xml(
        BEGIN,
        node("parallelGateway", "fork"),
        catch("one", message("M_one")),
        catch("two", message("M_two")),
        user("got_one", '="triage"'),
        user("got_two", '="triage"'),
        ends("e"),
        path("begin", "fork", "one", "got_one", "e"),
        path("fork", "two", "got_two", "e"),
        roots='<bpmn:message id="M_one" name="m.one"/><bpmn:message id="M_two" name="m.two"/>',
        process=STANDARD,
    )
    async with drawn(tmp_path, world, both) as (intake, api):
        request = world.ids.new()
        for _ in range(45):
            await send(api, world, name="m.one", request="R-2026-000001")
        await send(api, world, name="m.two", request="R-2026-000001")

        await intake.say(a_request(), request)

        assert sorted(await waits_at(api, request)) == ["got_one", "got_two"]


async def test_a_message_that_cannot_be_taken_in_does_not_stand_in_the_way(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, PAYS) as (intake, api):
        request = world.ids.new()
        large = {"text": "x" * 70_000}
        await send(api, world, name="paid", correlation_key="A1", message_id="b", variables=large)
        await send(api, world, name="paid", correlation_key="A1", message_id="g")
        await intake.say(a_request(form={"order": "A1"}), request)
        await finish(api, world, request, "first")
        again = await send(
            api, world, name="paid", correlation_key="A1", message_id="b", variables=large
        )

        assert await waits_at(api, request) == ["after"]
        assert again["state"] == "refused"
        [incident] = await open_incidents(api)
        assert (incident["code"], incident["element_id"]) == ("data-too-large", "payment")


async def test_an_id_that_was_given_to_another_message_is_refused(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, PAYS) as (_, api):
        await send(api, world, name="paid", correlation_key="A1", message_id="p-1")

        body = {"name": "paid", "correlation_key": "B2", "message_id": "p-1"}
        answer = await api.post(MESSAGES, json=body)

        assert (answer.status_code, answer.json()["code"]) == (409, "message-id-taken")


async def test_each_sender_counts_its_ids_for_itself(tmp_path: Path) -> None:
    world = new_world()
    bank, kept = new_key("bank", ["jobs:work"])
    renewed, again = new_key("bank", ["jobs:work"])
    async with drawn(tmp_path, world, PAYS) as (_, api):
        for each in (kept, again):
            add_to_file(tmp_path / "keys.json", each)
        ours = await send(api, world, name="paid", correlation_key="A1", message_id="1")
        api.headers["Authorization"] = f"Bearer {bank}"
        theirs = await send(api, world, name="delivered", correlation_key="B2", message_id="1")
        api.headers["Authorization"] = f"Bearer {renewed}"
        same = await send(api, world, name="delivered", correlation_key="B2", message_id="1")
        other = {"name": "paid", "correlation_key": "C3", "message_id": "1"}
        taken = await api.post(MESSAGES, json=other)

    assert (ours["sender"], theirs["sender"]) == ("test", "bank")
    assert (theirs["state"], theirs["name"]) == ("buffered", "delivered")
    assert same == theirs, "a renewed key is the same sender"
    assert (taken.status_code, taken.json()["code"]) == (409, "message-id-taken")


async def test_who_waited_and_is_gone_gets_nothing(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, PAYS) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(form={"order": "A1"}), request)
        await finish(api, world, request, "first")
        await api.post(f"/router/v1/requests/{request}/changes", json={"change": "cancel"})
        await world.settled()

        told = await send(api, world, name="paid", correlation_key="A1")

        assert told["state"] == "buffered"
        assert len(published(world, "router", "request.cancelled.v1")) == 1


async def test_a_key_that_finds_nobody_is_an_incident_and_not_a_silence(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, PAYS) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(form={}), request)
        await finish(api, world, request, "first")

        [incident] = await open_incidents(api)
        assert incident["code"] == "correlation-key-invalid"
        body = {"by": "ops", "variables": {"order": "A9"}}
        await api.post(f"/router/v1/incidents/{incident['id']}/retry", json=body)
        await world.settled()
        taken = await send(api, world, name="paid", correlation_key="A9")
        assert taken["state"] == "correlated"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "paid"},
        {"name": "paid", "correlation_key": "a", "request": "b"},
        {"name": "resolved", "request": "R-1"},
        {"name": "", "request": "R-1"},
        {"name": "paid", "request": "R-1", "keep_s": -1},
        {"name": "paid", "request": "R-1", "keep_s": 1e9},
        {"name": "paid", "request": "R-1", "surprise": 1},
        {"name": "paid", "request": "R-1", "variables": []},
    ],
)
async def test_a_message_that_cannot_be_addressed_is_refused(
    tmp_path: Path, body: dict[str, Any]
) -> None:
    world = new_world()
    async with drawn(tmp_path, world, PAYS) as (_, api):
        answer = await api.post(MESSAGES, json=body)
        assert answer.status_code == 422, answer.text

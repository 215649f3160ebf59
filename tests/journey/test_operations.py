"""What a diagram does by itself: asks, tells, times a stage, calls a war room, escalates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.router.workflow.builders import BEGIN, ends, io, job, path, user, xml

if TYPE_CHECKING:
    from tests.harness.journey import World

STANDARD = 'id="standard-path" isExecutable="true"'

DIAGRAM = xml(
    BEGIN,
    job("tell", "levee:notify", io({"recipients": '="gao, team"', "text": '="请看一下"'})),
    job("begin_stage", "levee:start-stage-clock", io({"stage": '="engagement"'})),
    job("ask", "levee:ask-requester", io({"question": '="哪一台打印机？"'})),
    user("handle", '="it-service-desk"'),
    job("end_stage", "levee:stop-stage-clock", io({"stage": '="engagement"'})),
    job(
        "room",
        "levee:open-war-room",
        io(
            {"purpose": '="恢复打印"', "members": '=["lin", "ann"]', "lead": '="wang"'},
            {"war_room_id": "=war_room_id"},
        ),
    ),
    job("say", "levee:publish-event", io({"name": '="printer.down"', "payload": "={floor: 3}"})),
    job("climb", "levee:escalate", io({"reason": '="打印机停机"'})),
    job("over", "levee:close-war-room", io({"war_room_id": "=war_room_id"})),
    user("last", '="it-service-desk"'),
    ends("e"),
    path("begin", "tell", "begin_stage", "ask", "handle", "end_stage", "room"),
    path("room", "say", "climb", "over", "last", "e"),
    process=STANDARD,
)


async def drawn(world: World, diagram: bytes) -> None:
    (world.definitions / "standard-path.bpmn").write_bytes(diagram)
    told = await world.call("POST", "/router/v1/definitions/reload")
    assert told["refused"] == [], told


async def test_a_diagram_asks_tells_times_gathers_and_escalates_without_anybodys_program(
    world: World,
) -> None:
    await drawn(world, DIAGRAM)

    item = await world.raise_request("Printer")
    await world.settled()

    [mail] = [m for m in world.inbox("gao") if "请看一下" in m.text]
    assert item.number in mail.text
    shown = await item.shown()
    assert (shown["status"]["state"], shown["status"]["waiting_for"]) == ("waiting", "requester")
    await item.write("三楼的")
    assert (await item.shown())["status"]["state"] == "open"

    items = (await world.call("GET", f"/router/v1/work-items?request_id={item.id}"))["items"]
    await world.call(
        "POST", f"/router/v1/work-items/{items[0]['id']}/complete", {"by": "lin", "result": {}}
    )
    await world.settled()

    told = (await world.call("GET", f"/insight/v1/requests/{item.id}/timeline"))["items"]
    story = [fact["type"].rsplit(".v", 1)[0] for fact in told]
    assert [s for s in story if s.startswith(("stage.", "war_room."))] == [
        "stage.started",
        "stage.ended",
        "war_room.opened",
        "war_room.closed",
    ]
    assert [m for m in world.inbox("ann") if "恢复打印" in m.text]
    [raised] = await item.escalations()
    assert "打印机停机" in str(raised)


async def test_a_review_a_diagram_asks_for_stands_before_the_end(world: World) -> None:
    diagram = xml(
        BEGIN,
        job("mark", "levee:request-review"),
        user("handle", '="it-service-desk"'),
        ends("e"),
        path("begin", "mark", "handle", "e"),
        process=STANDARD,
    )
    await drawn(world, diagram)
    item = await world.raise_request("Printer")

    items = (await world.call("GET", f"/router/v1/work-items?request_id={item.id}"))["items"]
    path_ = f"/router/v1/work-items/{items[0]['id']}/complete"
    await world.call("POST", path_, {"by": "lin", "result": {}})
    await world.settled()

    shown = await item.shown()
    assert shown["status"]["state"] == "resolved"
    told = (await world.call("GET", f"/router/v1/requests/{item.id}"))["work_items"]
    assert [i["element_id"] for i in told if i["state"] in ("open", "claimed")] == ["look_back"]

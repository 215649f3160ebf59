"""Process owners change how the house works, without a restart and without code."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from tests.harness.journey import P1

if TYPE_CHECKING:
    from tests.harness.journey import Item, World

_BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
#: The row of a P3's resolution in the shipped table: eight hours.
_ROW = "targets_resolution_p3_always_output_1"


def promise_p3_in(world: World, target: str) -> None:
    """Write `target` into the resolution of P3 in the table of targets."""
    file = world.definitions / "targets.dmn"
    before, after = file.read_text().split(f'<outputEntry id="{_ROW}">', 1)
    entry, rest = after.split("</outputEntry>", 1)
    assert '"PT8H"' in entry
    entry = entry.replace('"PT8H"', target)
    file.write_text(f'{before}<outputEntry id="{_ROW}">{entry}</outputEntry>{rest}')


async def test_a_changed_table_holds_for_new_requests_and_leaves_old_promises_alone(
    world: World,
) -> None:
    old = await world.raise_request("Printer")
    promise_p3_in(world, '"PT6H"')
    told = await world.call("POST", "/router/v1/definitions/reload")

    new = await world.raise_request("Another printer")

    assert told == {"released": 1, "refused": []}
    await world.expect(new.promised("resolution", target_s=6 * 3600))
    assert (await new.promise("resolution"))["reason"]["version"] == 2
    await world.fast_forward(hours=7)
    await world.expect(old.promised("resolution", target_s=8 * 3600, is_breached=False))
    await world.expect(new.breached("resolution"))


async def test_a_broken_table_changes_nothing_and_says_what_is_wrong_with_it(
    world: World,
) -> None:
    promise_p3_in(world, '"PT')
    told = await world.call("POST", "/router/v1/definitions/reload")
    listed = await world.call("GET", "/router/v1/definitions")
    ready = await world.call("GET", "/router/ready")

    item = await world.raise_request("Printer")

    (refused,) = told["refused"]
    assert (told["released"], refused["file"], refused["verdict"]) == (0, "targets.dmn", "refused")
    (finding,) = refused["findings"]
    assert finding["path"] == "targets.dmn / 时限目标 / Targets / rule 27 / output 1 'target'"
    assert "字符串没有结束引号" in finding["message"]["zh-CN"]
    assert listed["refused"] == told["refused"]
    assert (ready["status"], ready["checks"]["definitions"]["is_well"]) == ("degraded", False)
    await world.expect(item.promised("resolution", target_s=8 * 3600))
    assert (await item.promise("resolution"))["reason"]["version"] == 1


async def test_a_mended_table_takes_effect_and_is_no_longer_blamed(world: World) -> None:
    shipped = (world.definitions / "targets.dmn").read_text()
    promise_p3_in(world, '"PT')
    await world.call("POST", "/router/v1/definitions/reload")
    (world.definitions / "targets.dmn").write_text(shipped)
    promise_p3_in(world, '"PT9H"')

    told = await world.call("POST", "/router/v1/definitions/reload")

    item = await world.raise_request("Printer")
    assert told == {"released": 1, "refused": []}
    await world.expect(item.promised("resolution", target_s=9 * 3600))


async def test_another_policy_is_climbed_by_those_who_begin_after_it(world: World) -> None:
    before = await world.raise_request("Payroll is down", **P1)
    await world.fast_forward(minutes=5)
    file = world.definitions / "policies" / "urgent.yaml"
    file.write_text(file.read_text().replace("after: PT10M", "after: PT2M"))
    await world.call("POST", "/router/v1/definitions/reload")
    after = await world.raise_request("Mail is down", **P1)

    await world.fast_forward(minutes=9)

    assert [tier for _, tier, _ in await before.steps()] == [1, 1]
    assert [tier for _, tier, _ in await after.steps()] == [1, 2, 3]


async def test_a_request_type_is_added_by_editing_the_catalogue(world: World) -> None:
    file = world.definitions / "catalogue" / "catalogue.yaml"
    added = "  - {key: it-badge, name: {zh-CN: 工牌, en: Badge}, domain: it}\n"
    file.write_text(file.read_text() + added)

    await world.call("POST", "/router/v1/definitions/reload")

    item = await world.raise_request("A badge", type="it-badge")
    await world.expect(item.routed_to("it-service-desk", "P3"))


async def test_an_edited_path_and_an_edited_row_lead_the_next_request_and_no_running_one(
    world: World,
) -> None:
    vip = {"requester": {"id": "c1", "name": "周洋", "tier": "vip"}, "urgency": "high"}
    old = await world.raise_request("Printer", **vip)
    # The path: the exception's decision is left out. The row: a VIP takes it instead of green.
    file = world.definitions / "exception-approval.bpmn"
    drawn = file.read_text(encoding="utf-8")
    flow = 'sourceRef="choose_team" targetRef="decide_exception"'
    assert flow in drawn
    drawn = drawn.replace(flow, 'sourceRef="choose_team" targetRef="carry_out"')
    for gone in ("decide_exception", "is_granted", "explain", "explained"):
        drawn = _without(drawn, gone)
    file.write_text(drawn, encoding="utf-8")
    table = world.definitions / "lane.dmn"
    before, row, after = table.read_text(encoding="utf-8").partition("lane_vip_in_danger_output_1")
    after = after.replace('"green"', '"exception"', 1).replace(
        '"green-channel"', '"exception-approval"', 1
    )
    table.write_text(before + row + after, encoding="utf-8")
    told = await world.call("POST", "/router/v1/definitions/reload")
    assert told == {"released": 2, "refused": []}

    new = await world.raise_request("Printer", **vip)

    assert await _stands(world, old) == ("green", 1, ["act", "decision-by-authority:decide"])
    assert await _stands(world, new) == ("exception", 2, ["carry_out"])


def _without(drawn: str, element: str) -> str:
    """Take an element, its flows and their places in the picture out of a diagram."""
    gone = {element}
    root = ElementTree.fromstring(drawn)
    for flow in root.iter(f"{_BPMN}sequenceFlow"):
        if element in (flow.get("sourceRef"), flow.get("targetRef")):
            gone.add(flow.get("id", ""))
    for parent in list(root.iter()):
        for child in list(parent):
            named = child.get("id") in gone or child.get("bpmnElement") in gone
            if named or (child.text or "").strip() in gone:
                parent.remove(child)
    return ElementTree.tostring(root, encoding="unicode")


async def _stands(world: World, item: Item) -> tuple[str, int, list[str]]:
    """Return a request's lane, the version of its process, and its open work."""
    told = await world.call("GET", f"/router/v1/requests/{item.id}")
    opened = [i["element_id"] for i in told["work_items"] if i["state"] in ("open", "claimed")]
    return told["lane"], told["process_version"], sorted(opened)

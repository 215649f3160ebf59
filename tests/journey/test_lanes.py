"""The three lanes through the whole house: decided by whom they belong to, reviewed, and moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.harness.journey import a_post

if TYPE_CHECKING:
    from tests.harness.journey import Item, World

GREEN = {"urgency": "high", "impact": "high"}
DECIDE, REVIEW = "decision-by-authority:decide", "review:look_back"
_DIRECTORY = """
people:
  - {id: lin, name: 林静, addresses: {email: lin@example.com}}
  - {id: ann, name: Ann, language: en, addresses: {email: ann@example.com}}
  - {id: wang, name: 王伟, addresses: {email: wang@example.com}, absences: ABSENCES}
  - {id: gao, name: 高飞, addresses: {email: gao@example.com}}
  - {id: duty, name: 值班主管, addresses: {email: duty@example.com}}
teams:
  - {id: triage, name: {zh-CN: 分诊台, en: Triage}, members: [lin], lead: wang, manager: gao}
  - {id: it-service-desk, name: {zh-CN: IT 服务台, en: IT service desk}, members: [lin],
      lead: wang, manager: gao, escalation_policy: urgent}
  - {id: it-infrastructure, name: {zh-CN: IT 基础设施, en: IT infrastructure}, members: [ann],
      lead: gao, manager: gao}
  - {id: finance-approval, name: {zh-CN: 财务审批, en: Finance approval}, members: [ann, lin],
      lead: wang, manager: gao}
duty_person: duty
"""


async def introduce(world: World, absences: str = "[]") -> None:
    """Put a directory in force in which wang leads and gao manages; `absences` are wang's."""
    text = _DIRECTORY.replace("ABSENCES", absences)
    answer = await world.http.put("/router/v1/directory", content=text.encode())
    assert answer.is_success, answer.text
    await world.settled()


async def an_exception(world: World, **form: Any) -> Item:
    told = {"kind": "price", "amount": 800, "reason": "regular customer", **form}
    return await world.raise_request("A discount", type="exception-request", form=told)


async def routed(world: World, item: Item) -> dict[str, Any]:
    told: dict[str, Any] = await world.call("GET", f"/router/v1/requests/{item.id}")
    return told


async def open_work(world: World, item: Item) -> dict[str, dict[str, Any]]:
    """Return the open work items by element."""
    items = (await routed(world, item))["work_items"]
    return {i["element_id"]: i for i in items if i["state"] in ("open", "claimed")}


async def answer(world: World, item: Item, element: str, verb: str, body: dict[str, Any]) -> Any:
    """Call a verb of an open work item; return the answer, whatever it is."""
    found = (await open_work(world, item))[element]
    told = await world.http.post(f"/router/v1/work-items/{found['id']}/{verb}", json=body)
    await world.settled()
    return told


async def complete(world: World, item: Item, element: str, by: str, **result: Any) -> Any:
    return await answer(world, item, element, "complete", {"by": by, "result": result})


async def decide(world: World, item: Item, by: str, decision: str = "approved") -> Any:
    return await complete(world, item, DECIDE, by, decision=decision, reason="it has to be")


async def changed(world: World, item: Item, change: str, **given: Any) -> Any:
    """Ask for a change that may be refused."""
    path = f"/router/v1/requests/{item.id}/changes"
    return await world.http.post(path, json={"change": change, **given})


def reason_of(told: Any) -> tuple[int, str]:
    """Return the status and code of a problem."""
    return told.status_code, told.json()["code"]


async def told_of(world: World, item: Item, kind: str) -> list[dict[str, Any]]:
    """Return what the timeline tells of a kind of fact."""
    items = (await world.call("GET", f"/v1/requests/{item.id}/timeline"))["items"]
    return [fact["params"] for fact in items if fact["type"].startswith(f"{kind}.v")]


# ---- green channel -----------------------------------------------------------------------------


async def test_the_green_channel_pages_everybody_decides_acts_and_closes_after_its_review(
    either_world: World,
) -> None:
    world = either_world
    await introduce(world)
    item = await world.raise_request("Payroll is down", **GREEN)
    await world.fast_forward(seconds=30)

    await world.expect(item.routed_to("it-service-desk", "P1"))
    assert (await item.shown())["status"]["lane"] == "green"
    # All lines in the same minute; and the war room calls whoever is in it.
    assert [told for _, _, told in await item.steps()] == [["lin", "wang", "gao", "duty"]]
    rooms = [d for d in await item.deliveries() if d["template"] == "process.message"]
    assert {d["recipient"] for d in rooms} == {"lin", "wang", "gao"}
    assert set(await open_work(world, item)) == {"act", DECIDE}

    assert (await answer(world, item, "act", "claim", {"by": "lin"})).is_success
    await item.answer("lin", "We are on it")
    await item.change("wait", by="lin", reason="supplier")
    await world.fast_forward(minutes=3)
    await world.expect(item.promised("resolution", state="paused", paused_because="supplier"))
    await item.change("resume", by="lin")
    member = await decide(world, item, "lin")
    assert reason_of(member) == (409, "not-a-candidate")
    assert (await decide(world, item, "wang")).is_success
    assert (await complete(world, item, "act", "lin", resolution="fixed")).is_success
    await world.expect(item.is_("resolved"))

    # Nobody ends it before its review: not an agent, not the requester, not time.
    assert reason_of(await changed(world, item, "close", by="lin")) == (409, "review-owed")
    assert reason_of(await changed(world, item, "cancel", by="lin")) == (409, "review-owed")
    await item.act("confirm")
    await world.fast_forward(days=6)
    await world.expect(item.is_("resolved"))
    assert (await item.shown())["status"]["closing_waits_for"] == "review"
    assert len([m for m in world.inbox("gao") if "复盘逾期" in str(m.mail["Subject"])]) == 1
    assert reason_of(await complete(world, item, REVIEW, "wang", conclusion="ok")) == (
        403,
        "own-decision",
    )
    assert (await complete(world, item, REVIEW, "gao", conclusion="two nodes")).is_success

    await world.expect(item.is_("closed"))
    status = (await item.shown())["status"]
    assert (status["ended_because"], status["closing_waits_for"]) == ("confirmed", None)
    [decided] = await told_of(world, item, "request.decided")
    assert (decided["decided_by"], decided["decision"], decided["lane"]) == (
        "wang",
        "approved",
        "green",
    )


async def test_a_lead_who_stays_silent_is_passed_over_within_minutes(world: World) -> None:
    await introduce(world)
    item = await world.raise_request("Payroll is down", **GREEN)
    before = (await open_work(world, item))[DECIDE]["candidate_users"]

    await world.fast_forward(minutes=15)

    after = (await open_work(world, item))[DECIDE]["candidate_users"]
    assert (before, after) == (["wang"], ["gao"])
    assert reason_of(await decide(world, item, "wang")) == (409, "not-a-candidate")
    assert (await decide(world, item, "gao")).is_success


async def test_what_a_lead_finds_ordinary_goes_on_in_the_standard_lane_with_its_clocks(
    world: World,
) -> None:
    await introduce(world)
    item = await world.raise_request("Payroll is down", **GREEN)
    assert (await answer(world, item, "act", "claim", {"by": "lin"})).is_success
    await item.change("wait", by="lin", reason="supplier")
    before, promised = await item.clocks("resolution"), await item.promise("resolution")
    await world.fast_forward(minutes=5)

    assert (await decide(world, item, "wang", "rejected")).is_success

    now = await routed(world, item)
    assert (now["lane"], now["process"], now["review"]) == ("standard", "standard-path", None)
    assert (now["state"], now["assignee"]) == ("waiting", "lin")
    assert {e: i["state"] for e, i in (await open_work(world, item)).items()} == {
        "handle": "claimed"
    }
    [told] = await told_of(world, item, "request.lane_changed")
    assert (told["old"], told["new"], told["cause"]) == ("green", "standard", "event")
    # The same clock, still paused, with the same target.
    assert [c["clock_id"] for c in await item.clocks("resolution")] == [
        c["clock_id"] for c in before
    ]
    assert (await item.promise("resolution"))["target_s"] == promised["target_s"]
    await world.expect(item.promised("resolution", state="paused"))
    await item.change("resolve", by="lin")
    await item.act("confirm")
    await world.expect(item.is_("closed"))


async def test_a_green_request_that_was_not_solved_is_acted_on_again(world: World) -> None:
    await introduce(world)
    item = await world.raise_request("Payroll is down", **GREEN)
    await decide(world, item, "wang")
    await item.change("resolve", by="lin")
    assert list(await open_work(world, item)) == [REVIEW]

    await item.act("reopen", reason="down again")

    assert list(await open_work(world, item)) == ["act_again"]
    await item.change("hand_over", team="it-infrastructure", reason="a server", by="lin")
    [moved] = (await open_work(world, item)).values()
    assert moved["candidate_teams"] == ["it-infrastructure"]
    assert (await complete(world, item, "act_again", "ann", resolution="fixed")).is_success
    assert (await complete(world, item, REVIEW, "gao", conclusion="fine")).is_success
    await world.expect(item.is_("closed"))


# ---- exception approval ------------------------------------------------------------------------


async def test_an_exception_without_its_reason_is_refused_at_the_entrance_by_field(
    world: World,
) -> None:
    for form in ({"kind": "price"}, {"kind": "price", "reason": " "}):
        told = await world.http.post(
            "/v1/requests", json=a_post("A discount", type="exception-request", form=form)
        )

        assert told.status_code == 422
        assert any("reason" in str(error) for error in told.json()["errors"])


async def test_an_exception_walks_up_by_working_time_is_granted_carried_out_and_reviewed(
    world: World,
) -> None:
    # 17:00 on Monday in Shanghai: an hour of four today, the others tomorrow from nine.
    await introduce(world)
    item = await an_exception(world)
    first = (await open_work(world, item))[DECIDE]
    assert (first["candidate_users"], first["due_at"]) == (["wang"], "2026-03-03T04:00:00Z")
    assert reason_of(await changed(world, item, "resolve", by="lin")) == (409, "decision-pending")
    await world.fast_forward(hours=19)

    second = (await open_work(world, item))[DECIDE]
    assert second["candidate_users"] == ["gao"]
    assert (await decide(world, item, "gao")).is_success
    assert list(await open_work(world, item)) == ["carry_out"]
    assert (await complete(world, item, "carry_out", "ann", resolution="done")).is_success
    await world.fast_forward(days=5)

    await world.expect(item.is_("resolved"))
    assert list(await open_work(world, item)) == [REVIEW]
    assert reason_of(await complete(world, item, REVIEW, "gao", conclusion="ok")) == (
        403,
        "own-decision",
    )
    assert (await complete(world, item, REVIEW, "duty", conclusion="ok")).is_success
    await world.expect(item.is_("closed"))


async def test_nobody_approves_their_own_exception(world: World) -> None:
    await introduce(world)
    told = {"kind": "price", "amount": 800, "reason": "for myself"}
    item = await world.raise_request(
        "A discount", type="exception-request", form=told, requester={"id": "wang", "name": "王伟"}
    )

    assert (await open_work(world, item))[DECIDE]["candidate_users"] == ["gao"]
    claimed = await answer(world, item, DECIDE, "claim", {"by": "wang"})
    decided = await decide(world, item, "wang")
    moved = await changed(
        world, item, "change_lane", lane="green", by="wang", reason="I am in a hurry"
    )

    for refused in (claimed, decided, moved):
        assert reason_of(refused) == (403, "own-decision")
        assert "own" in refused.json()["sentences"]["en"]
    assert await told_of(world, item, "request.decided") == []
    assert (await decide(world, item, "gao", "rejected")).is_success


async def test_a_deputy_decides_for_who_is_away_and_it_is_told_for_whom(world: World) -> None:
    away = "[{starts_at: '2026-03-01T00:00:00Z', ends_at: '2026-03-05T00:00:00Z', deputy: ann}]"
    await introduce(world, away)
    item = await an_exception(world)

    assert (await open_work(world, item))[DECIDE]["candidate_users"] == ["wang", "ann"]
    assert (await decide(world, item, "ann")).is_success

    [decided] = await told_of(world, item, "request.decided")
    assert (decided["decided_by"], decided["on_behalf_of"], decided["level"]) == ("ann", "wang", 1)


async def test_much_money_needs_two_agreements_and_a_rejection_is_explained(world: World) -> None:
    await introduce(world)
    item = await an_exception(world, amount=80000)
    assert (await decide(world, item, "gao")).is_success
    assert (await open_work(world, item))[DECIDE]["candidate_users"] == ["duty"]

    assert (await decide(world, item, "duty", "rejected")).is_success

    first, last = await told_of(world, item, "request.decided")
    assert (first["is_final"], last["is_final"]) == (False, True)
    assert list(await open_work(world, item)) == ["explain"]


async def test_what_nobody_may_except_is_explained_and_closes_without_a_review(
    world: World,
) -> None:
    await introduce(world)
    item = await an_exception(world, kind="data")

    assert list(await open_work(world, item)) == ["explain"]
    assert (await complete(world, item, "explain", "ann", note="the law forbids it")).is_success
    await item.act("confirm")

    await world.expect(item.is_("closed"))


# ---- changing lanes ----------------------------------------------------------------------------


async def test_a_running_request_becomes_an_exception_for_a_reason(world: World) -> None:
    await introduce(world)
    item = await world.raise_request("Admin rights for a week")
    await item.change("hand_over", team="it-infrastructure", reason="servers", by="lin")

    bare = await changed(world, item, "change_lane", lane="exception", by="ann")
    member = await changed(world, item, "change_lane", lane="green", by="ann", reason="quick")
    asked = await changed(
        world, item, "change_lane", lane="exception", by="ann", reason="the rule says two weeks"
    )
    await world.settled()

    assert [e["path"] for e in bare.json()["errors"]] == ["/reason"]
    assert reason_of(member) == (403, "not-your-lane")
    assert asked.is_success
    now = await routed(world, item)
    assert (now["lane"], now["team"], now["handovers"]) == ("exception", "it-infrastructure", 1)
    told = (await told_of(world, item, "request.lane_changed"))[-1]
    assert (told["new"], told["reason"], told["changed_by"]) == (
        "exception",
        "the rule says two weeks",
        "ann",
    )


async def test_a_correction_moves_a_request_where_the_table_says_and_a_title_does_not(
    world: World,
) -> None:
    await introduce(world)
    item = await world.raise_request("Payroll is slow", impact="high")
    await world.call("PATCH", f"/v1/requests/{item.id}", {"urgency": "high"})
    [moved] = await told_of(world, item, "request.lane_changed")
    assert (moved["old"], moved["new"], moved["cause"]) == ("standard", "green", "rule")
    assert moved["explanation"][0]["matched_rules"] == ["lane_urgent_and_wide"]
    await changed(world, item, "change_lane", lane="standard", by="gao", reason="a rehearsal")

    await world.call("PATCH", f"/v1/requests/{item.id}", {"title": "Payroll is slow (rehearsal)"})

    # What a person decided stays: the table would say green, but the correction changed nothing.
    assert (await routed(world, item))["lane"] == "standard"
    assert len(await told_of(world, item, "request.lane_changed")) == 2

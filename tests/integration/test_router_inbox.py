"""Inboxes: what waits for a team or person, least time left first."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import update

from services.router.main import RouterService, build
from services.router.settings import Settings
from services.router.store import tables
from shared.events.clock import (
    AgreementClockMet,
    AgreementClockStarted,
    ClockCancelled,
    ClockCorrected,
    ClockMet,
    ClockPaused,
    ClockRebased,
    ClockResumed,
    ClockStarted,
    NamedClock,
    NamedPromise,
    Promise,
)
from shared.events.intake import RequestUpdated
from shared.vocabulary import Impact, Metric, Urgency
from tests.harness.services import Neighbour, at_work, caller, key_ring
from tests.harness.world import MORNING, World, new_world
from tests.integration.test_router import BPMN, a_request
from tests.unit.router.workflow.builders import BEGIN, ends, io, path, user, xml

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

INBOX = "/router/v1/inbox"


class Desk:
    """A router with intake and clock played by the test."""

    def __init__(self, world: World, service: RouterService, api: httpx.AsyncClient) -> None:
        self.world, self.service, self.api = world, service, api
        self.intake, self.clock = Neighbour(world, "intake"), Neighbour(world, "clock")
        self.count = 0

    async def ask(self, **given: Any) -> UUID:
        """Submit a request, a second after the one before; its number counts up."""
        self.count += 1
        occurred_at = MORNING - timedelta(seconds=60 - self.count)
        request_id = self.world.ids.new()
        number = f"R-2026-{self.count:06}"
        told = a_request(number=number, **given)
        await self.intake.say(told, request_id, occurred_at=occurred_at)
        return request_id

    async def runs(
        self, request_id: UUID, hours: float, metric: Metric = Metric.RESOLUTION
    ) -> UUID:
        """Say that a clock runs that is due so many hours from now; return its id."""
        promised = promise(metric, self.world.time.now() + timedelta(hours=hours))
        await self.clock.say(ClockStarted(clocks=(promised,)), request_id)
        return promised.clock_id

    async def page(self, **query: Any) -> dict[str, Any]:
        answer = await self.api.get(INBOX, params=query)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def order(self, **query: Any) -> list[int]:
        """Return the numbers of the requests an inbox shows, in its order."""
        items = (await self.page(**query))["items"]
        return [int(item["number"][-6:]) for item in items]

    async def act(self, item: dict[str, Any], verb: str, **body: Any) -> httpx.Response:
        answer = await self.api.post(f"/router/v1/work-items/{item['id']}/{verb}", json=body)
        await self.world.settled()
        return answer

    async def direct(self, **absences: str) -> None:
        """Let people be away: person → deputy, from an hour ago for a day."""
        told = (await self.api.get("/router/v1/directory")).json()
        lines = ["people:"]
        for person in told["people"]:
            away = ""
            if person["id"].replace(".", "_") in absences:
                deputy = absences[person["id"].replace(".", "_")]
                start = (self.world.time.now() - timedelta(hours=1)).isoformat()
                end = (self.world.time.now() + timedelta(days=1)).isoformat()
                away = f', absences: [{{starts_at: "{start}", ends_at: "{end}", deputy: {deputy}}}]'
            lines.append(f"  - {{id: {person['id']}, name: {person['name']}{away}}}")
        lines.append("teams:")
        for team in told["teams"]:
            members = ", ".join(team["members"])
            lines.append(
                f"  - {{id: {team['id']}, name: {{en: x}}, members: [{members}], "
                f"lead: {team['lead']}, manager: {team['manager']}}}"
            )
        answer = await self.api.put("/router/v1/directory", content="\n".join(lines).encode())
        assert answer.status_code == 200, answer.text


def promise(metric: Metric, due_at: datetime | None, clock_id: UUID | None = None) -> Promise:
    return Promise(
        clock_id=clock_id or UUID(int=hash((metric, due_at)) % 2**120),
        metric=metric,
        target_s=3600,
        calendar="24x7",
        calendar_version=1,
        started_at=MORNING,
        due_at=due_at,
    )


@asynccontextmanager
async def a_desk(folder: Path, definitions: Path = BPMN) -> AsyncIterator[Desk]:
    world = new_world()
    settings = Settings(
        database_url=f"sqlite+aiosqlite:///{folder}/router.db", definitions_folder=definitions
    )
    service = build(settings, world.given)
    ring, key = key_ring(folder, world)
    async with at_work(service, world), caller(service, ring, key) as api:
        yield Desk(world, service, api)


# ---- the order ----------------------------------------------------------------------------------


async def test_what_is_due_first_stands_first_and_says_what_is_due(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        late, soon, calm, none = [await desk.ask() for _ in range(4)]
        await desk.runs(calm, 30)
        await desk.runs(late, -2)
        await desk.runs(soon, 5)
        await desk.runs(soon, 1, Metric.FIRST_RESPONSE)

        told = await desk.page(team="it-service-desk", counts=True)

        first, second, third, last = told["items"]
        assert [int(item["number"][-6:]) for item in told["items"]] == [1, 2, 3, 4]
        assert (first["is_overdue"], first["time_left_s"]) == (True, -7200)
        assert (second["request_due"], second["time_left_s"]) == ("first_response", 3600)
        assert second["request_due_at"] == second["next_due_at"] == "2026-03-02T10:00:00Z"
        assert (third["title"], third["priority"], third["lane"]) == (
            "邮件系统打不开",
            "P2",
            "standard",
        )
        assert (last["next_due_at"], last["time_left_s"], last["is_overdue"]) == (None, None, False)
        assert last["request_id"] == str(none)
        assert told["counts"] == {
            "total": 4,
            "overdue": 1,
            "due_soon": 0,
            "by_state": {"open": 4},
            "by_priority": {"P2": 4},
            "is_at_least": False,
        }


async def test_clocks_that_stand_still_end_or_change_move_what_waits(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        one, two = await desk.ask(), await desk.ask()
        first = await desk.runs(one, 1)
        await desk.runs(two, 2)
        assert await desk.order() == [1, 2]

        await desk.clock.say(
            ClockPaused(clock_ids=(first,), metrics=(Metric.RESOLUTION,), reason="requester"), one
        )
        assert await desk.order() == [2, 1]
        # What is rebased while it stands still has no moment.
        await desk.clock.say(
            ClockRebased(clocks=(promise(Metric.RESOLUTION, None, first),), reason="x"), one
        )
        assert await desk.order() == [2, 1]
        again = promise(Metric.RESOLUTION, desk.world.time.now() + timedelta(minutes=90), first)
        await desk.clock.say(ClockResumed(clocks=(again,)), one)
        assert await desk.order() == [1, 2]
        later = promise(Metric.RESOLUTION, desk.world.time.now() + timedelta(hours=9), first)
        await desk.clock.say(ClockCorrected(clocks=(later,), reason="late_fact"), one)
        assert await desk.order() == [2, 1]
        ended = ClockMet(
            clock_id=first,
            metric=Metric.RESOLUTION,
            elapsed_s=1,
            paused_s=0,
            target_s=9,
            is_breached=False,
        )
        await desk.clock.say(ended, one)
        # A correction of what has ended says nothing about what is due.
        await desk.clock.say(ClockCorrected(clocks=(again,), reason="late_fact"), one)
        [_, last] = (await desk.page())["items"]
        assert (last["number"], last["next_due_at"]) == ("R-2026-000001", None)


async def test_a_promise_between_teams_counts_as_well(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        one, two = await desk.ask(), await desk.ask()
        await desk.runs(one, 2)
        named = {"clock_id": UUID(int=77), "metric": "resolution", "name": "resolution"}
        due_at = desk.world.time.now() + timedelta(hours=1)
        inner = NamedPromise(
            **named,
            agreement="ola-desk",
            target_s=60,
            calendar="24x7",
            calendar_version=1,
            started_at=MORNING,
            due_at=due_at,
        )
        await desk.clock.say(AgreementClockStarted(clocks=(inner,)), two)

        assert await desk.order() == [2, 1]
        assert (await desk.page())["items"][0]["request_due"] == "resolution@ola-desk"
        met = AgreementClockMet(
            clock=NamedClock(**named), elapsed_s=1, paused_s=0, target_s=60, is_breached=False
        )
        await desk.clock.say(met, two)
        assert await desk.order() == [1, 2]


async def test_a_work_items_own_due_date_counts_where_it_comes_first(tmp_path: Path) -> None:
    definitions = tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    schedule = '<zeebe:taskSchedule dueDate="=now() + duration(&quot;PT3H&quot;)"/>'
    shown = io(inputs={"what": "=request.title", "amount": "=42"})
    (definitions / "standard-path.bpmn").write_bytes(
        xml(
            BEGIN,
            user("own", '="triage"', "", schedule + shown),
            ends("e"),
            path("begin", "own", "e"),
            process='id="standard-path" isExecutable="true"',
        )
    )
    async with a_desk(tmp_path, definitions) as desk:
        one, two = await desk.ask(), await desk.ask()
        await desk.runs(one, 5)
        await desk.runs(two, 1)

        second, first = (await desk.page())["items"]

        assert (first["due_at"], first["next_due_at"]) == ("2026-03-02T11:59:01Z",) * 2
        assert first["request_due_at"] == "2026-03-02T14:00:00Z"
        assert second["next_due_at"] == "2026-03-02T10:00:00Z"
        assert first["inputs"] == {"what": "邮件系统打不开", "amount": 42}


async def test_hearing_of_clocks_loads_no_process(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        one = await desk.ask()
        heard: list[str] = []
        desk.service.runtime.database.ears.append(heard.append)

        await desk.runs(one, 1)

        assert any("UPDATE work_items" in statement for statement in heard)
        assert not [statement for statement in heard if "instances" in statement]


async def test_what_ends_leaves_the_inbox_with_its_request(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        one = await desk.ask()
        clock = await desk.runs(one, 1)
        await desk.api.post(f"/router/v1/requests/{one}/changes", json={"change": "cancel"})
        await desk.clock.say(
            ClockCancelled(clock_ids=(clock,), metrics=(Metric.RESOLUTION,), reason="cancelled"),
            one,
        )

        told = await desk.page(counts=True)

        assert (told["items"], told["counts"]["total"]) == ([], 0)


# ---- whose --------------------------------------------------------------------------------------


async def test_a_person_sees_what_is_in_their_hands_and_what_they_may_take(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        for kind in ("it-incident", "it-incident", "it-incident", "hr-question"):
            await desk.ask(request_type=kind, domain="hr" if kind.startswith("hr") else "it")
        items = {int(i["number"][-6:]): i for i in (await desk.page())["items"]}
        assert (await desk.act(items[1], "claim", by="li.na")).status_code == 200
        assert (await desk.act(items[2], "claim", by="liu.yang")).status_code == 200

        # What was just written is read at once.
        assert await desk.order(person="li.na", scope="mine") == [1]
        assert await desk.order(person="li.na", scope="open") == [3]
        assert await desk.order(person="li.na") == [1, 3]
        assert await desk.order(person="liu.yang") == [2, 3]
        assert await desk.order(person="zheng.li") == [4]
        assert await desk.order(person="li.na", team="it-service-desk", state="claimed") == [1]
        counts = (await desk.page(person="li.na", counts=True))["counts"]
        assert counts["by_state"] == {"claimed": 1, "open": 1}


async def test_named_people_and_second_teams_see_what_is_offered_to_them(tmp_path: Path) -> None:
    definitions = tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    assigned = (
        '<zeebe:assignmentDefinition candidateGroups="=[&quot;hr-service&quot;, '
        '&quot;finance-approval&quot;]" candidateUsers="=[&quot;wu.hao&quot;]"/>'
    )
    (definitions / "standard-path.bpmn").write_bytes(
        xml(
            BEGIN,
            user("shared", "", "", assigned),
            ends("e"),
            path("begin", "shared", "e"),
            process='id="standard-path" isExecutable="true"',
        )
    )
    async with a_desk(tmp_path, definitions) as desk:
        one = await desk.ask()
        await desk.ask()
        await desk.runs(one, -1)

        for whose in ("zheng.li", "feng.gang", "wu.hao"):
            assert await desk.order(person=whose) == [1, 2], whose
            assert (await desk.page(person=whose, counts=True))["counts"]["total"] == 2
        assert await desk.order(team="finance-approval") == [1, 2]
        assert (await desk.page(team="finance-approval", counts=True))["counts"]["overdue"] == 1
        assert await desk.order(person="sun.yan") == []
        [first, _] = (await desk.page(person="wu.hao"))["items"]
        assert (await desk.act(first, "claim", by="wu.hao")).status_code == 200
        assert await desk.order(person="feng.gang") == [2]


async def test_a_deputy_sees_what_the_absent_person_would(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        await desk.ask()
        await desk.ask(request_type="hr-question", domain="hr")
        [item] = (await desk.page(team="it-service-desk"))["items"]
        await desk.act(item, "claim", by="li.na")
        assert await desk.order(person="zheng.li") == [2]

        await desk.direct(li_na="zheng.li")
        seen = {int(i["number"][-6:]): i for i in (await desk.page(person="zheng.li"))["items"]}

        assert {number: i["on_behalf_of"] for number, i in seen.items()} == {1: "li.na", 2: None}
        await desk.world.pass_time(timedelta(days=2).total_seconds())
        assert await desk.order(person="zheng.li") == [2]


# ---- filters and pages --------------------------------------------------------------------------


async def test_filters_narrow_page_and_counts_alike(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        await desk.ask(title="打印机 100% 坏了")
        await desk.ask(title="VPN drops", urgency=Urgency.MEDIUM)
        three = await desk.ask(title="Printer again", urgency=Urgency.LOW, impact=Impact.LOW)
        await desk.runs(three, 1)

        async def both(**query: Any) -> list[int]:
            told = await desk.page(counts=True, **query)
            assert told["counts"]["total"] == len(told["items"])
            return [int(item["number"][-6:]) for item in told["items"]]

        assert await both(text="打印机") == [1]
        assert await both(text="PRINTER") == [3]
        assert await both(text="100%") == [1]
        assert await both(text="_") == []
        assert await both(text="r-2026-000002") == [2]
        assert await both(priority="P3") == [2]
        assert await both(priority=["P3", "P4"]) == [3, 2]
        assert await both(element="handle") == [3, 1, 2]
        assert await both(element="elsewhere") == []
        assert await both(process="standard-path") == [3, 1, 2]
        assert await both(due_before="2026-03-02T11:00:00Z") == [3]
        assert await both(team=["hr-service", "it-service-desk"]) == [3, 1, 2]


async def test_a_corrected_urgency_and_title_are_found_at_once(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        one = await desk.ask()
        await desk.intake.say(
            RequestUpdated(impact=Impact.LOW, title="Payroll", changed_by="li.na"), one
        )

        assert await desk.order(priority="P3", text="payroll") == [1]


async def test_pages_show_each_once_also_where_something_is_taken_meanwhile(
    tmp_path: Path,
) -> None:
    async with a_desk(tmp_path) as desk:
        for number in range(7):
            request_id = await desk.ask()
            if number % 2:
                await desk.runs(request_id, number)
        whole = await desk.order(limit=50)

        seen: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            told = await desk.page(limit=2, **cursor)
            seen += [int(item["number"][-6:]) for item in told["items"]]
            if len(seen) == 2:
                await desk.act(told["items"][0], "complete", by="li.na", result={})
            if told["next_cursor"] is None:
                break
            cursor = {"cursor": told["next_cursor"]}

        assert seen == whole
        assert await desk.order(limit=3, offset=2) == [n for n in whole if n != seen[0]][2:5]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"person": "nobody"}, 404, "no-such-person"),
        ({"team": "no-team"}, 404, "no-such-team"),
        ({"cursor": "%%%"}, 422, "cursor-unreadable"),
        ({"cursor": "WzEsMl0="}, 422, "cursor-unreadable"),
        ({"cursor": "W10="}, 422, "cursor-unreadable"),
        ({"scope": "theirs"}, 422, "invalid"),
        ({"state": "completed"}, 422, "invalid"),
        ({"text": "x" * 201}, 422, "invalid"),
        ({"offset": 10_001}, 422, "invalid"),
        ({"priority": "P9"}, 422, "invalid"),
        ({"due_before": "tomorrow"}, 422, "invalid"),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    tmp_path: Path, query: dict[str, Any], status: int, code: str
) -> None:
    async with a_desk(tmp_path) as desk:
        answer = await desk.api.get(INBOX, params=query)

        assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_what_an_older_release_wrote_is_filled_in_at_the_start(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        one, two = await desk.ask(), await desk.ask()
        await desk.runs(one, 1)
        await desk.api.post(f"/router/v1/requests/{two}/changes", json={"change": "cancel"})
        # As release 0.1 leaves them: nothing of the request, and the default.
        async with desk.service.runtime.database.transaction() as tx:
            values = {"due_us": tables.NEVER_US, "priority": None, "process": None, "search": None}
            await tx.execute(update(tables.work_items).values(**values))
        assert await desk.order(priority="P2") == []

    async with a_desk(tmp_path) as desk:
        told = await desk.page(priority="P2", text="000001", counts=True)

        assert [item["time_left_s"] for item in told["items"]] == [3600]
        assert told["counts"]["total"] == 1

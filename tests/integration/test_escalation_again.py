"""What comes again, late or in another order: withdrawn, reopened, exhausted twice, overtaken."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from shared.events.base import EventData
from shared.events.clock import (
    AgreementClockBreached,
    AgreementClockCorrected,
    AgreementClockWarned,
    ClockCorrected,
    ClockRebased,
    NamedClock,
    Withdrawn,
)
from shared.events.notify import NotificationActed
from shared.events.router import (
    RequestAssigned,
    RequestReopened,
    RequestResolved,
    RequestUnassigned,
)
from shared.vocabulary import Metric, Priority
from tests.harness.services import published
from tests.integration.test_escalation import CLOCK_1, CLOCK_2, MINUTE, Stage, stage

__all__ = ["stage"]


def withdrawn(clock: UUID, *thresholds: str) -> tuple[Withdrawn, ...]:
    return (Withdrawn(clock_id=clock, thresholds=thresholds),)


@pytest.mark.parametrize("said", [
    ClockRebased(clocks=(), reason="priority_changed", withdrawn=withdrawn(CLOCK_1, "90", "100")),
    ClockCorrected(clocks=(), reason="late_fact", withdrawn=withdrawn(CLOCK_1, "100")),
])  # fmt: skip
async def test_a_breach_that_is_taken_back_calls_nobody_any_more(
    stage: Stage, said: EventData
) -> None:
    await stage.route()
    await stage.breach()
    await stage.world.pass_time(1)

    await stage.clock.say(said, stage.request)
    await stage.world.pass_time(600 * MINUTE)

    assert stage.pages() == [["ann", "bob"]]
    assert "exhausted" not in stage.types()
    assert (await stage.shown())["close_reason"] == "taken_back"
    (told,) = stage.asked("escalation.closed")
    assert [r["recipient"] for r in told["recipients"]] == ["ann", "bob"]

    await stage.breach()
    await stage.world.pass_time(1)
    assert stage.pages() == [["ann", "bob"], ["ann", "bob"]]


async def test_what_still_holds_keeps_people_called(stage: Stage) -> None:
    await stage.route()
    await stage.warn(percent=75)
    await stage.breach()
    await stage.breach(CLOCK_2)

    first = ClockCorrected(clocks=(), reason="late_fact", withdrawn=withdrawn(CLOCK_1, "100"))
    await stage.clock.say(first, stage.request)
    kinds = [(c["kind"], c["threshold_percent"]) for c in (await stage.shown())["causes"]]
    second = ClockCorrected(clocks=(), reason="late_fact", withdrawn=withdrawn(CLOCK_2, "100"))
    await stage.clock.say(second, stage.request)

    assert kinds == [("warned", 75), ("breached", None)]
    assert (await stage.shown())["state"] == "raised"


async def test_a_further_agreement_takes_back_what_it_announced(stage: Stage) -> None:
    named = NamedClock(clock_id=CLOCK_1, metric="resolution", name="resolution", agreement="ola")
    now = stage.world.time.now()
    told = {"clock": named, "target_s": 3600, "due_at": now, "priority": Priority.P2,
            "team": "desk"}  # fmt: skip
    await stage.route()
    warning = AgreementClockWarned(**told, threshold="75", used_percent=74, elapsed_s=2700)
    await stage.clock.say(warning, stage.request)
    await stage.clock.say(AgreementClockBreached(**told), stage.request)
    before = [c["threshold_percent"] for c in (await stage.shown())["causes"]]

    said = AgreementClockCorrected(
        clocks=(), reason="late_fact", withdrawn=withdrawn(CLOCK_1, "75", "100")
    )
    await stage.clock.say(said, stage.request)
    await stage.world.pass_time(timedelta(hours=9).total_seconds())

    assert before == [75, None]
    assert (await stage.shown())["close_reason"] == "taken_back"


async def test_a_further_breach_calls_again_where_nobody_answered(stage: Stage) -> None:
    await stage.route()
    await stage.breach()
    await stage.world.pass_time(600 * MINUTE)
    before = len(stage.pages())

    await stage.breach()  # the same, heard again
    await stage.world.pass_time(1)
    unmoved = len(stage.pages())
    await stage.breach(CLOCK_2, metric=Metric.RESOLUTION)
    await stage.world.pass_time(600 * MINUTE)

    assert unmoved == before
    assert stage.pages()[before:] == [["duty"], ["duty"]]
    said = published(stage.world, "escalation", "escalation.exhausted.v1")
    assert [event["data"]["epoch"] for event in said] == [1, 2]
    assert (await stage.shown())["state"] == "exhausted"
    ids = [told["notification_id"] for told in stage.asked("escalation.exhausted")]
    assert len(set(ids)) == 2


async def test_a_person_who_presses_the_first_page_of_what_was_reopened_takes_it_over(
    stage: Stage,
) -> None:
    await stage.route()
    await stage.breach()
    await stage.world.pass_time(600 * MINUTE)
    await stage.breach(CLOCK_2, metric=Metric.RESOLUTION)
    await stage.world.pass_time(1)
    pages = len(stage.pages())

    await stage.notify.say(await pressed(stage, epoch=1), stage.request)
    await stage.world.pass_time(600 * MINUTE)

    shown = await stage.shown()
    assert (shown["state"], shown["acknowledged_by"]) == ("acknowledged", "bob")
    assert len(stage.pages()) == pages


async def test_a_page_from_before_somebody_took_over_counts_no_more(stage: Stage) -> None:
    await stage.route()
    await stage.warn()
    await stage.world.pass_time(1)
    found = await stage.shown()
    await stage.http.post(
        f"/escalation/v1/escalations/{found['id']}/acknowledge", json={"by": "ann"}
    )
    await stage.breach()
    await stage.world.pass_time(600 * MINUTE)
    await stage.breach(CLOCK_2)

    await stage.notify.say(await pressed(stage, epoch=1), stage.request)
    before = (await stage.shown())["state"]
    await stage.notify.say(await pressed(stage, epoch=3), stage.request)

    assert before == "raised"
    assert (await stage.shown())["acknowledged_by"] == "bob"


async def test_who_gave_it_back_is_not_called_alone(stage: Stage) -> None:
    await stage.route()
    await stage.router.say(RequestAssigned(team="desk", assignee="bob"), stage.request)
    back = RequestUnassigned(team="desk", from_assignee="bob", reason="returned")
    await stage.router.say(back, stage.request)
    await stage.breach()
    await stage.world.pass_time(1)

    assert stage.pages() == [["ann", "bob"]]


async def test_an_end_that_a_reopening_overtook_does_not_silence_the_breach_after_it(
    stage: Stage,
) -> None:
    """Resolved, reopened, breached; escalation hears the breach first."""
    await stage.route()
    resolved_at = stage.world.time.now()
    await stage.world.pass_time(60)
    reopened_at = stage.world.time.now()
    await stage.world.pass_time(60)
    await stage.breach()
    await stage.world.pass_time(1)

    solved = RequestResolved(resolution="solved")
    await stage.router.say(solved, stage.request, occurred_at=resolved_at)
    between = await states(stage)
    again = RequestReopened(reason="not solved", reopenings=1)
    await stage.router.say(again, stage.request, occurred_at=reopened_at)
    await stage.world.pass_time(1)

    assert between == ["closed"]
    assert await states(stage) == ["closed", "raised"]
    assert stage.pages() == [["ann", "bob"], ["ann", "bob"]]


async def states(stage: Stage) -> list[str]:
    page = (await stage.http.get("/escalation/v1/escalations")).json()
    return sorted(item["state"] for item in page["items"])


async def pressed(stage: Stage, epoch: int) -> NotificationActed:
    return NotificationActed(
        notification_id=UUID(int=1), delivery_id=UUID(int=epoch), template="escalation.step",
        channel="email", recipient="bob", action="acknowledge", actor="bob",
        escalation_id=UUID((await stage.shown())["id"]), epoch=epoch,
    )  # fmt: skip

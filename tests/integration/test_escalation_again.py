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
from shared.vocabulary import Priority
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

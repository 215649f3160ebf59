"""What a portal shows of a promise when the clock takes something back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.intake.domain import promises as rules
from services.intake.domain.promises import Promise
from shared.vocabulary import ClockState

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
TEN, NOON = NINE + HOUR, NINE + 3 * HOUR
FIRST = Promise("c", "resolution", 3600, "24x7", 1, NINE, TEN)


def late() -> rules.Promises:
    return rules.breached(rules.started({}, [FIRST]), "c")


def test_a_late_wait_that_takes_a_breach_back_leaves_a_promise_that_stands_still() -> None:
    waiting = rules.paused(late(), ["c"], "requester")

    told = rules.rebased(waiting, [replace(FIRST, due_at=None)], "late_fact", NOON, {"c"})

    assert told["c"].state is ClockState.PAUSED
    resumed = rules.resumed(told, [replace(FIRST, due_at=NOON + HOUR)], NOON)
    assert resumed["c"].state is ClockState.RUNNING
    assert not resumed["c"].is_breached


def test_a_clock_begun_anew_after_its_end_is_not_late_any_more() -> None:
    ended = rules.met(late(), "c", 7200, 0, is_breached=True)

    again = rules.resumed(ended, [replace(FIRST, due_at=NOON + HOUR)], NOON)
    gone_on = rules.resumed(ended, [FIRST], NOON)

    assert again["c"].state is ClockState.RUNNING
    assert gone_on["c"].state is ClockState.BREACHED


def test_another_target_says_nothing_about_standing_still_or_having_no_meaning() -> None:
    waiting = rules.paused(late(), ["c"], "requester")
    gone = rules.cancelled(late(), ["c"])

    still = rules.rebased(waiting, [FIRST], "priority_changed", NOON)
    nothing = rules.rebased(gone, [FIRST], "late_fact", NOON, {"c"})

    assert (still["c"].state, still["c"].due_at) == (ClockState.PAUSED, None)
    assert still["c"].is_breached
    assert nothing["c"].state is ClockState.CANCELLED
    assert not nothing["c"].is_breached

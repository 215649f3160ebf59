"""What is made of what is heard, whoever spoke first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from services.insight.domain import entries
from services.insight.domain.entries import ClockEntry, Described, Promised, RequestEntry
from shared.vocabulary import ClockState, RequestState

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOLD = Described("R-1", "incident", "IT", None, "phone")
ROUTER_TOLD = Described("R-1", "incident", "IT", None, "portal")


def promised(due_at: datetime | None) -> Promised:
    return Promised(3600, due_at, NINE, "24x7", 1, "{}")


def posted(entry: RequestEntry) -> RequestEntry:
    return entries.post(entry, TOLD, source="s", external_id=None, title="t", at=NINE)


def routed(entry: RequestEntry) -> RequestEntry:
    return entries.route(
        entry,
        ROUTER_TOLD,
        priority="P2",
        lane="standard",
        team="desk",
        is_triage=False,
        submitted_at=NINE,
    )


def breached_clock() -> ClockEntry:
    running = entries.run(ClockEntry("c", "r", "resolution"), promised(NINE + HOUR), NINE)
    return entries.breach(running, NINE + HOUR)


def test_a_request_is_the_same_whether_intake_or_the_router_spoke_first() -> None:
    empty = RequestEntry("r")

    assert routed(posted(empty)) == posted(routed(empty))
    assert posted(routed(empty)).channel == "phone"


def test_a_request_nobody_posted_or_routed_is_not_open() -> None:
    assert not RequestEntry("r").is_open
    assert posted(RequestEntry("r")).is_open


def test_a_reopened_request_is_open_and_no_longer_resolved() -> None:
    over = entries.close(entries.resolve(routed(RequestEntry("r")), NINE), NINE)

    again = entries.reopen(over, 1)

    assert not over.is_open
    assert again.is_open
    assert again.resolved_at is None
    assert again.state is RequestState.OPEN


def test_a_breach_stays_when_the_clock_is_met_late_and_is_decided_at_the_breach() -> None:
    met = entries.meet(breached_clock(), 9000, 0, is_breached=True, at=NINE + 3 * HOUR)

    assert met.state is ClockState.MET
    assert met.decided_at == NINE + HOUR


def test_a_promise_met_in_time_is_decided_when_it_is_met() -> None:
    running = entries.run(ClockEntry("c", "r", "resolution"), promised(NINE + HOUR), NINE)

    met = entries.meet(running, 60, 0, is_breached=False, at=NINE + timedelta(minutes=1))

    assert met.decided_at == NINE + timedelta(minutes=1)


def test_a_breach_is_withdrawn_when_the_new_promise_lies_ahead() -> None:
    at = NINE + 2 * HOUR

    longer = entries.promise(breached_clock(), promised(at + HOUR), at)
    shorter = entries.promise(breached_clock(), promised(at - HOUR), at)

    assert not longer.is_breached
    assert longer.decided_at is None
    assert shorter.is_breached
    assert shorter.decided_at == NINE + HOUR


def test_a_breach_the_clock_takes_back_is_none_although_nothing_is_due() -> None:
    waiting = entries.pause(breached_clock(), "requester")

    corrected = entries.promise(waiting, promised(None), NINE + 2 * HOUR, is_taken_back=True)

    assert not corrected.is_breached
    assert corrected.decided_at is None
    assert corrected.state is ClockState.PAUSED


def test_a_cancelled_clock_decides_nothing() -> None:
    assert entries.withdraw(breached_clock()).decided_at is None


def test_a_paused_clock_is_under_way_and_nothing_is_due() -> None:
    paused = entries.pause(breached_clock(), "requester")

    assert paused.is_under_way
    assert paused.due_at is None
    assert paused.is_breached


def test_a_resumed_clock_forgets_that_it_was_met() -> None:
    met = entries.meet(breached_clock(), 9000, 0, is_breached=True, at=NINE + 3 * HOUR)

    again = entries.run(met, promised(NINE + 9 * HOUR), NINE + 4 * HOUR)

    assert again.state is ClockState.RUNNING
    assert again.elapsed_s is None
    assert again.met_at is None
    assert not again.is_breached

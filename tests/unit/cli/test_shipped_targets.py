"""The tables that ship promise what the product says they do, asked as a request would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product

import pytest

from levee.packs.merging import Merging
from services.clock.domain.facts import Routed
from services.clock.domain.promises import Promises
from services.clock.domain.targets import Target
from services.clock.store import Shelf, Shelved
from services.clock.store.compiling import accept_table
from shared.business_time import DayEnd, due
from shared.targets.rows import STAGE, CellFault, Inputs, Json, Row
from shared.targets.table import Table
from shared.vocabulary import Metric, Priority
from tests.unit.clock.builders import PINS, ROOT, START, at, library_of, minutes, shipped

BPMN = ROOT / "bpmn"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ALL = tuple(sorted(path.stem for path in (BPMN / "packs").glob("*.dmn")))


@cache
def with_packs(*packs: str) -> Shelved:
    """Return the shipped calendars and the shipped table with packs in it."""
    table = Merging((BPMN / "targets.dmn").read_bytes(), "targets.dmn")
    for pack in packs:
        table.add(Merging((BPMN / f"packs/{pack}.dmn").read_bytes(), pack, pack))
    ships = shipped()
    calendars = {key: ships.calendar(key, 1) for key in ("24x7", "office-cn")}
    accepted, _ = accept_table(1, table.to_bytes().decode(), calendars, START)
    shelf = Shelf(tables={1: accepted}, calendars=ships.shelf.calendars)
    return Shelved(shelf, dict(ships.versions))


def promises(library: Shelved, **request: str) -> Promises:
    priority = Priority(request.get("priority", "P4"))
    kind, domain = request.get("request_type", "any"), request.get("domain", "it")
    channel = request.get("channel", "portal")
    routed = Routed(START, START, "R-1", kind, domain, channel, "standard", priority, "desk")
    return Promises(library, PINS, routed)


def target(library: Shelved, metric: str, stage: str = "", **request: str) -> Target:
    found = promises(library, **request)
    named = STAGE if stage else metric
    [told] = found.targets(named, found.routed.priority, START, clock=stage)
    return told


REFERENCE = {"P1": (15, 2), "P2": (30, 4), "P3": (120, 8), "P4": (240, 24)}


@pytest.mark.parametrize("priority", REFERENCE)
def test_the_reference_targets_per_priority_are_the_default(priority: str) -> None:
    response, resolution = REFERENCE[priority]

    assert target(with_packs(), "first_response", priority=priority).time == response * MINUTE
    assert target(with_packs(), "resolution", priority=priority).time == resolution * HOUR


CHANNELS = [
    ("phone", 30 * SECOND, 5 * MINUTE, 95),
    ("wechat", 2 * MINUTE, 10 * MINUTE, 90),
    ("email", 30 * MINUTE, 2 * HOUR, 85),
    ("app", 5 * MINUTE, 30 * MINUTE, 92),
]


@pytest.mark.parametrize(("channel", "response", "resolution", "goal"), CHANNELS)
def test_the_channels_of_2025_are_a_pack_with_their_goals(
    channel: str, response: timedelta, resolution: timedelta, goal: float
) -> None:
    library = with_packs("channels")

    first = target(library, "first_response", channel=channel)
    whole = target(library, "resolution", channel=channel)

    assert (first.time, whole.time) == (response, resolution)
    assert first.explanation()["goal_percent"] == whole.explanation()["goal_percent"] == goal


SECTORS: list[tuple[str, str, str, dict[str, str], timedelta]] = [
    ("ecommerce", "first_response", "", {"channel": "chat"}, 5 * MINUTE),
    ("ecommerce", "first_response", "", {"channel": "ticket"}, 15 * MINUTE),
    ("ecommerce", "first_response", "", {"request_type": "consultation"}, 1 * MINUTE),
    ("finance", "first_response", "", {"channel": "wechat"}, 1 * MINUTE),
    ("finance", "first_response", "", {"channel": "phone"}, 30 * SECOND),
    ("finance", "resolution", "", {"request_type": "large-transfer"}, 15 * MINUTE),
    ("finance", "", "freeze", {"request_type": "suspicious-transaction"}, 30 * SECOND),
    ("finance", "", "first-check", {"request_type": "account-opening"}, 2 * HOUR),
    ("bank", "resolution", "", {"request_type": "low-risk-transaction"}, 30 * SECOND),
    ("bank", "resolution", "", {"request_type": "medium-risk-transaction"}, 5 * MINUTE),
    ("bank", "resolution", "", {"request_type": "high-risk-transaction"}, 30 * MINUTE),
    ("saas", "first_response", "", {}, 30 * MINUTE),
    ("retail", "", "order-confirmation", {"request_type": "order"}, 5 * MINUTE),
    ("retail", "resolution", "", {"request_type": "same-city-delivery"}, 24 * HOUR),
    ("manufacturing", "", "scheduling", {"request_type": "urgent-order"}, 48 * HOUR),
    ("manufacturing", "resolution", "", {"request_type": "key-equipment-repair"}, 4 * HOUR),
]


@pytest.mark.parametrize(("pack", "metric", "stage", "request_", "time"), SECTORS)
def test_each_sector_pack_promises_what_its_sector_does(
    pack: str, metric: str, stage: str, request_: dict[str, str], time: timedelta
) -> None:
    assert target(with_packs(pack), metric, stage, **request_).time == time


def test_a_refund_is_due_in_three_working_days_at_the_same_time() -> None:
    refund = target(with_packs("retail"), "resolution", request_type="refund", domain="shop")

    # The P4 row of targets.dmn (24 h around the clock) is stricter, and says so.
    assert refund.explanation()["chosen_by"] == "strictest"
    rows = {c.row.rule: c for c in refund.candidates}
    own = rows["retail_resolution_refund"]
    assert own.row.days == 3
    assert own.due_at == datetime(2026, 3, 5, 2, 0, tzinfo=UTC)  # Thursday, 10:00 in Shanghai


def test_the_strictest_of_priority_channel_and_sector_wins_and_the_explanation_says_which() -> None:
    library = with_packs("channels", "finance")

    urgent = target(library, "first_response", channel="phone", priority="P1")
    mail = target(library, "first_response", channel="email", priority="P1")

    told = urgent.explanation()
    assert (told["chosen_by"], told["rule"]) == ("strictest", "channels_first_response_phone")
    matched = told["matched_rules"]
    assert isinstance(matched, list)
    assert {entry["rule"] for entry in matched} == {
        "channels_first_response_phone",
        "finance_first_response_phone",
        "targets_first_response_p1_always",
    }
    assert mail.explanation()["rule"] == "targets_first_response_p1_always"


SCENES = {
    "it": {"engagement", "recovery", "confirmed-resolution"},
    "complaint": {"confirmation", "internal-coordination", "confirmed-resolution"},
    "approval": {"waiting-review", "approval-cycle", "execution", "confirmed-resolution"},
}


@pytest.mark.parametrize("domain", SCENES)
def test_the_stages_of_each_scene_ship_as_rows(domain: str) -> None:
    found = promises(with_packs("scenes"), domain=domain).stage_rows(Priority.P1)

    assert {row.clock for row in found} == SCENES[domain]
    assert all(row.starts_on and row.stops_on and not row.fault for row in found)


@pytest.mark.parametrize("domain", ["it", "hr", "approval", "government", "complaint", "anything"])
def test_nothing_is_without_a_promise(domain: str) -> None:
    """Where no row matches, the ceilings of the table hold; here every row is taken away."""
    table = Merging((BPMN / "targets.dmn").read_bytes(), "targets.dmn")
    table.remove([rule for rule in table.rules if rule != "targets_assignment_p1_always"])
    ships = shipped()
    accepted, _ = accept_table(1, table.to_bytes().decode(), None, START)
    library = Shelved(Shelf({1: accepted}, ships.shelf.calendars), dict(ships.versions))

    found = {
        metric: target(library, metric, domain=domain)
        for metric in ("first_response", "next_response", "resolution")
    }

    is_complex = domain in ("approval", "government")
    assert found["first_response"].time == HOUR
    assert found["next_response"].time == 24 * HOUR
    assert found["resolution"].time == (72 if is_complex else 24) * HOUR
    assert {one.chosen_by for one in found.values()} == {"fallback"}
    assert found["resolution"].candidates[0].row.rule.startswith("ceilings_resolution")


class _WithCeilings(Table):
    """A table without rows of its own."""

    def __init__(self, rows: tuple[Row, ...]) -> None:
        super().__init__(1, lambda _: [])
        self._rows = rows

    def ceilings(self, inputs: Inputs) -> tuple[Row, ...]:
        """Return what the test says."""
        return self._rows


FAULT = CellFault("target", "无法读取", "unreadable", "改正", "mend it")


def test_a_ceiling_may_say_no_clock_and_a_broken_one_leaves_the_last_resort() -> None:
    def ceilings(*rows: Row) -> Shelved:
        library = library_of()
        return Shelved(Shelf({1: _WithCeilings(rows)}, library.shelf.calendars), library.versions)

    none = promises(ceilings(Row("c", timedelta(), "", is_clock_wanted=False)))
    broken = promises(ceilings(Row("c", timedelta(), "", fault=FAULT)))

    assert none.targets("resolution", Priority.P1, START) == ()
    [last] = broken.targets("resolution", Priority.P1, START)
    assert last.time == 72 * HOUR


def test_all_packs_together_can_be_released() -> None:
    library = with_packs(*ALL)

    for metric, priority in product(Metric, Priority):
        found = promises(library, priority=priority.value)
        assert found.targets(metric, priority, START)


# ---- working days ------------------------------------------------------------------------------


def office(target: str) -> dict[str, Json]:
    """Return a row on office hours."""
    return {"metric": "resolution", "target": target, "calendar": "office-cn", "pauses_on": "*"}


@pytest.mark.parametrize(
    ("text", "days", "due_minutes", "end"),
    [
        ("1 working day", 1, 24 * 60, DayEnd.SAME_TIME),
        ("2个工作日", 2, 48 * 60, DayEnd.SAME_TIME),
        ("3 working days, end of day", 3, 3 * 24 * 60 + 8 * 60, DayEnd.END_OF_DAY),
        ("3个工作日，下班前", 3, 3 * 24 * 60 + 8 * 60, DayEnd.END_OF_DAY),
    ],
)
def test_a_target_may_be_working_days(text: str, days: int, due_minutes: int, end: DayEnd) -> None:
    row: dict[str, Json] = {
        "metric": "resolution",
        "target": text,
        "calendar": "office-cn",
        "pauses_on": "*",
    }

    found = target(library_of(row), "resolution")

    winner = found.candidates[0].row
    assert (winner.days, winner.day_end) == (days, end)
    assert due(found.calendar, START, found.time).due_at == at(due_minutes)
    assert found.explanation()["working_days"] == days


def test_working_days_are_as_long_as_those_days_are() -> None:
    """Friday 2026-02-13, 16:00: Saturday is a make-up working day, then a week of holidays."""
    friday = datetime(2026, 2, 13, 8, tzinfo=UTC)
    routed = Routed(friday, friday, "R", "t", "it", "portal", "standard", Priority.P4, "desk")

    [found] = Promises(library_of(office("2 working days")), PINS, routed).targets(
        "resolution", Priority.P4, friday
    )

    assert minutes(found.time) == 16 * 60

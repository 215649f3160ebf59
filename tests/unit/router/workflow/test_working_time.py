"""Timers in working time, by the calendars that are in force."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.router.workflow import compile_process
from shared.definitions.working_time import Calendars
from shared.feel import compile_expression

from .builders import BEGIN, ROOT, SHIPPED, Walk, boundary, ends, flow, node, path, timer, user, xml

OFFICE = (ROOT / "bpmn" / "calendars" / "office-cn.yaml").read_text(encoding="utf-8")
#: A Friday, 16:00 in Shanghai; the office closes at 18:00 and opens on Monday at 9:00.
FRIDAY = datetime(2026, 1, 9, 8, 0, tzinfo=UTC)
MONDAY_11 = datetime(2026, 1, 12, 3, 0, tzinfo=UTC)


def calendars() -> Calendars:
    known = Calendars()
    known.put("office-cn", OFFICE)
    return known


def asked(text: str) -> object:
    return compile_expression(text).evaluate({}, now=FRIDAY, working=calendars())


def test_four_working_hours_on_a_friday_afternoon_end_on_monday() -> None:
    expression = '=add working time(now(), duration("PT4H"), "office-cn")'
    drawn = xml(
        BEGIN,
        user("u"),
        boundary("late", "u", timer(expression, "timeDate")),
        ends("e", "e2"),
        path("begin", "u", "e"),
        path("late", "e2"),
    )
    process = compile_process(drawn, key="p", version=1, decisions=SHIPPED, working=calendars())
    walk = Walk(process, at=FRIDAY)

    assert [t.due_at for t in walk.step.timers] == [MONDAY_11]
    number = walk.step.timers[0].task_id
    walk.now = MONDAY_11 - timedelta(seconds=1)
    assert not walk.fire(number).is_applied
    walk.now = MONDAY_11
    assert walk.fire(number).is_ended
    assert not walk.fire(number).is_applied


def test_a_gateway_may_ask_how_much_working_time_has_passed() -> None:
    drawn = xml(
        BEGIN,
        node("exclusiveGateway", "g", default="d"),
        user("late"),
        user("early"),
        ends("e"),
        path("begin", "g"),
        flow(
            "g",
            "late",
            '=working time between(date and time(since), now(), "office-cn") > duration("PT1H")',
        ),
        flow("g", "early", "", "d"),
        path("late", "e"),
        path("early", "e"),
    )
    process = compile_process(drawn, key="p", version=1, decisions=SHIPPED, working=calendars())

    thursday = {"since": "2026-01-08T17:30:00+08:00"}
    assert Walk(process, thursday, at=FRIDAY).active == ["late"]
    assert Walk(process, {"since": "2026-01-09T15:30:00+08:00"}, at=FRIDAY).active == ["early"]


def test_working_time_forwards_and_back() -> None:
    assert asked(
        'working time between(now(), date and time("2026-01-12T11:00:00+08:00"), "office-cn")'
        ' = duration("PT4H")'
    )
    assert asked(
        'working time between(date and time("2026-01-12T11:00:00+08:00"), now(), "office-cn")'
        ' = duration("-PT4H")'
    )


def test_a_calendar_nobody_knows_gives_null_and_a_timer_an_incident() -> None:
    assert asked('add working time(now(), duration("PT4H"), "moon")') is None
    assert asked('add working time(now(), duration("-PT4H"), "office-cn")') is None
    assert (
        asked('add working time(date and time("2026-01-09T08:00:00"), duration("PT4H"), "x")')
        is None
    )
    expression = '=add working time(now(), duration("PT4H"), "moon")'
    drawn = xml(
        BEGIN,
        node("intermediateCatchEvent", "t", timer(expression, "timeDate")),
        ends("e"),
        path("begin", "t", "e"),
    )

    step = Walk(compile_process(drawn, key="p", version=1, decisions=SHIPPED)).step

    assert step.incident is not None
    assert (step.incident.element_id, step.incident.code) == ("t", "timer-invalid")


def test_the_shipped_calendars_can_all_be_asked() -> None:
    known = Calendars()
    for file in sorted(Path(ROOT / "bpmn" / "calendars").glob("*.yaml")):
        known.put(file.stem, file.read_text(encoding="utf-8"))
        assert known.after(file.stem, FRIDAY, timedelta(hours=1)) is not None


def test_a_combination_follows_what_it_is_made_of_in_whatever_order_they_come() -> None:
    office = 'zone: Asia/Shanghai\nwindows: {fri: ["%s"]}\n'
    known = Calendars()
    known.put("both", "kind: union\nof: [office, weekend]\n")
    known.put("weekend", 'zone: Asia/Shanghai\nwindows: {sun: ["09:00-12:00"]}\n')

    assert known.after("both", FRIDAY, timedelta(hours=1)) is None

    known.put("office", office % "09:00-12:00")
    morning = known.after("both", FRIDAY, timedelta(hours=6))
    known.put("office", office % "09:00-11:00")
    shorter = known.after("both", FRIDAY, timedelta(hours=6))

    assert morning is not None
    assert shorter is not None
    assert morning < shorter

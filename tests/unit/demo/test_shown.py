"""What the day looks like, who reacts to an escalation, and which day is played."""

from __future__ import annotations

import io
import shlex
import socket
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from rich.console import Console

from levee.demo.plan import Ears, moment
from levee.demo.player import reaction
from levee.demo.run import Scene
from levee.demo.screen import LiveScreen, PlainScreen, picture
from levee.demo.summary import commands
from levee.demo.upkeep import free_port
from levee.demo.watcher import Call, Watcher
from levee.demo.workday import last_working_day
from shared.time_source import ManualTime
from tests.unit.demo.builders import TUESDAY, a_day, cases_of

REQUEST = "01a1f671-1ad0-7f3d-9804-f92283868a29"
ESCALATION = UUID("01a1f671-1ad0-7f3d-9804-000000000001")
TEN = moment(TUESDAY, 10)


def event(kind: str, at: datetime = TEN, **data: Any) -> dict[str, Any]:
    return {
        "type": f"{kind}.v1",
        "subject": REQUEST,
        "occurredat": at.isoformat(),
        "data": data,
    }


def a_watcher() -> Watcher:
    """Return a watcher that has heard the forgotten request come and climb to a deputy."""
    (case,) = cases_of(a_day(), "forgotten")
    watcher = Watcher({case.key: case}, {"he.jing": "何静", "zheng.li": "郑丽"})
    watcher.note(
        event(
            "request.submitted",
            external_id=case.key,
            number="R-2026-000007",
            title="退款",
            channel="wechat",
            urgency="medium",
            impact="medium",
        )
    )
    watcher.note(event("request.routed", priority="P3", team="customer-care"))
    told = [{"person": "zheng.li", "role": "lead", "stands_in_for": "he.jing"}]
    watcher.note(
        event(
            "escalation.stepped",
            escalation_id=str(ESCALATION),
            tier=2,
            repeat=0,
            recipients=told,
        )
    )
    return watcher


def test_a_deputy_who_is_told_is_shown_with_the_absent_persons_name() -> None:
    watcher = a_watcher()

    assert watcher.stand_ins == {("zheng.li", "he.jing"): 1}
    assert "郑丽（代 何静）" in watcher.story[-1].zh


def test_an_escalation_counts_as_unanswered_until_somebody_acknowledges() -> None:
    watcher = a_watcher()
    assert watcher.unanswered == {REQUEST}

    watcher.note(event("escalation.acknowledged", tier=2, acknowledged_by="zheng.li"))

    assert watcher.unanswered == set()


def test_what_others_post_is_counted_and_not_followed() -> None:
    watcher = a_watcher()

    other = event("request.submitted", external_id=None, number="R-2026-000008")
    watcher.note({**other, "subject": str(ESCALATION)})

    assert len(watcher.requests) == 1
    assert watcher.counts["request.submitted"] == 2


def test_the_picture_shows_clock_counts_and_the_latest_event() -> None:
    written = io.StringIO()
    console = Console(file=written, width=110)

    console.print(picture(Scene(a_day(), a_watcher()), TEN))

    shown = written.getvalue()
    assert "2026-03-10  10:00" in shown
    assert "R-2026-000007" in shown
    assert "submitted" in shown


def test_a_live_screen_draws_no_more_often_than_the_eye_needs() -> None:
    written = io.StringIO()
    console = Console(file=written, width=100, force_terminal=True)
    scene, time = Scene(a_day(), a_watcher()), ManualTime(TEN)

    with LiveScreen(console, time) as screen:
        screen.show(scene, TEN)
        once = written.tell()
        for _ in range(5):
            screen.show(scene, TEN)

        assert written.tell() == once


def test_a_plain_screen_tells_each_event_once() -> None:
    written = io.StringIO()
    scene = Scene(a_day(), a_watcher())

    with PlainScreen(Console(file=written, width=200)) as screen:
        screen.show(scene, TEN)
        screen.show(scene, TEN + timedelta(minutes=1))

    assert written.getvalue().count("第 2 级升级") == 1


def a_call(role: str, at: datetime = TEN) -> Call:
    return Call(REQUEST, ESCALATION, at, (("somebody", role),))


@pytest.mark.parametrize(
    ("ears", "told", "is_heard"),
    [("member", "member", True), ("lead", "member", False), ("lead", "manager", True)],
)
def test_an_escalation_is_heard_from_the_role_the_plan_says_on(
    ears: Any, told: str, is_heard: bool
) -> None:
    case = replace(a_day().cases[0], ears=Ears(ears, timedelta(minutes=4)))

    found = reaction(a_call(told), case)

    assert found == (("somebody", timedelta(minutes=4)) if is_heard else None)


def test_nobody_reacts_for_the_forgotten_request() -> None:
    (case,) = cases_of(a_day(), "forgotten")

    assert reaction(a_call("duty"), case) is None


def test_at_night_only_the_duty_person_hears_the_phone() -> None:
    case = replace(a_day().cases[0], ears=Ears("member", timedelta(minutes=4)))
    night = moment(TUESDAY, 23)

    assert reaction(a_call("manager", night), case) is None
    assert reaction(a_call("duty", night), case) is not None


@pytest.mark.parametrize(
    ("now", "played"),
    [
        # Tuesday after closing time, and before it.
        (datetime(2026, 3, 10, 10, 31, tzinfo=UTC), date(2026, 3, 10)),
        (datetime(2026, 3, 10, 10, 29, tzinfo=UTC), date(2026, 3, 9)),
        # Sunday: the Friday before.
        (datetime(2026, 3, 15, 4, tzinfo=UTC), date(2026, 3, 13)),
        # In the week of the National Day 2025 (1 to 8 October): 30 September.
        (datetime(2025, 10, 6, 4, tzinfo=UTC), date(2025, 9, 30)),
        # Sunday 28 September 2025 was a working day (make-up).
        (datetime(2025, 9, 28, 11, tzinfo=UTC), date(2025, 9, 28)),
    ],
)
def test_the_day_played_is_the_last_one_the_office_was_open(now: datetime, played: date) -> None:
    assert last_working_day(now) == played


def test_a_port_somebody_listens_on_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert free_port(port) > port


def test_the_commands_to_try_are_well_formed() -> None:
    told = commands("http://127.0.0.1:8080", Path("a folder/operator.key"), "R-2026-000007")

    for command in told:
        words = shlex.split(command)
        assert words[0] == "curl"
        assert words[-1].startswith("http://127.0.0.1:8080/")
    assert orjson.loads(shlex.split(told[-1])[-2])["type"] == "it-incident"

"""Cron texts of cycle timers: which moments they name, in which zone, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.router.workflow import check
from services.router.workflow.cron import parse_cron
from services.router.workflow.timers import NotATime

from .builders import BEGIN, Walk, boundary, ends, path, timer, user, xml


def moments(text: str, start: str, count: int = 3) -> list[str]:
    cron, at = parse_cron(text), datetime.fromisoformat(start)
    found = []
    for _ in range(count):
        later = cron.after(at)
        assert later is not None
        assert later > at
        at = later
        found.append(at.astimezone(cron.zone).isoformat())
    return found


def test_weekdays_at_nine_in_shanghai() -> None:
    # A Friday, nine in the morning itself.
    assert moments("0 0 9 * * MON-FRI @Asia/Shanghai", "2026-01-09T09:00:00+08:00") == [
        "2026-01-12T09:00:00+08:00",
        "2026-01-13T09:00:00+08:00",
        "2026-01-14T09:00:00+08:00",
    ]


def test_steps_lists_and_the_last_of_february() -> None:
    assert moments("0 */20 8,18 ? * * @UTC", "2026-01-09T08:30:00+00:00") == [
        "2026-01-09T08:40:00+00:00",
        "2026-01-09T18:00:00+00:00",
        "2026-01-09T18:20:00+00:00",
    ]
    assert moments("0 0 0 29 FEB ? @UTC", "2026-01-01T00:00:00+00:00", 1) == [
        "2028-02-29T00:00:00+00:00"
    ]
    assert moments("0 0 0 * * 7 @UTC", "2026-01-09T00:00:00+00:00", 1) == [
        "2026-01-11T00:00:00+00:00"
    ]


def test_an_hour_the_clock_leaves_out_has_no_moments_and_one_it_repeats_has_them_once() -> None:
    berlin = "0 30 2 * * * @Europe/Berlin"

    assert moments(berlin, "2026-03-28T03:00:00+01:00", 1) == ["2026-03-30T02:30:00+02:00"]
    assert moments(berlin, "2026-10-24T03:00:00+02:00", 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "0 0 9 * * MON-FRI",
        "0 9 * * MON-FRI @Asia/Shanghai",
        "0 0 24 * * * @UTC",
        "0 0 9 31 2 * @UTC",
        "0 0 9 * * MOON @UTC",
        "0 0 9 * * * @Moon/Base",
        "0 0 9 * * * @../../etc/passwd",
        "0 0/0 9 * * * @UTC",
        "0 0 9 5-1 * * @UTC",
    ],
)
def test_what_names_no_moments_or_not_whose_is_refused(text: str) -> None:
    with pytest.raises(NotATime):
        parse_cron(text)
    drawn = xml(
        BEGIN,
        user("u"),
        boundary("b", "u", timer(text, "timeCycle"), interrupts=False),
        ends("e", "e2"),
        path("begin", "u", "e"),
        path("b", "e2"),
    )
    assert [f.rule for f in check(drawn).findings] == ["timer-invalid"]


def test_a_reminder_by_cron_comes_again_and_missed_ones_are_not_made_up_for() -> None:
    cycle = timer("0 0 9 * * MON-FRI @Asia/Shanghai", "timeCycle")
    drawn = xml(
        BEGIN,
        user("u"),
        boundary("b", "u", cycle, interrupts=False),
        ends("e", "e2"),
        path("begin", "u", "e"),
        path("b", "e2"),
    )
    walk = Walk(drawn)
    assert walk.now == datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
    (first,) = walk.step.timers
    assert first.due_at == datetime(2026, 1, 6, 1, 0, tzinfo=UTC)

    # Nobody could fire it for three days.
    walk.now = datetime(2026, 1, 9, 0, 0, tzinfo=UTC)
    step = walk.fire(first.task_id)

    assert step.completed == ("b", "e2")
    assert [t.due_at for t in step.timers] == [datetime(2026, 1, 9, 1, 0, tzinfo=UTC)]
    assert not walk.fire(first.task_id).is_applied

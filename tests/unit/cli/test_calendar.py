"""`levee calendar`: working time on the command line, with its reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
import yaml
from typer.testing import CliRunner, Result

from levee.__main__ import app
from shared.business_time import Calendar

if TYPE_CHECKING:
    from pathlib import Path

FRIDAY = "2026-02-13T16:00"
WEEK = """
zone: Asia/Shanghai
windows: {mon: ["09:00-18:00"]}
holidays: [{date: 2026-05-01, name: 劳动节}]
covered_until: 2026-12-31
"""


def levee(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["calendar", *(str(argument) for argument in arguments)])


def told(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(levee(*arguments, "--json").stdout)
    return found


def test_eight_hours_from_friday_are_due_on_the_make_up_saturday_which_is_named() -> None:
    result = levee("due", "office-cn", FRIDAY, "PT8H")

    assert "2026-02-14 13:00 至 2026-02-14 16:00：计入 3 小时（调休上班日：春节）" in result.stdout
    assert result.stdout.splitlines()[-1] == "到期时间：2026-02-14 16:00。"
    assert told("due", "office-cn", FRIDAY, "PT8H")["due_at"] == "2026-02-14T08:00:00+00:00"


def test_a_pause_moves_the_due_moment_and_one_that_lasts_leaves_none() -> None:
    paused = f"{FRIDAY}/2026-02-13T17:00"

    assert told("due", "office-cn", FRIDAY, "PT8H", "--pause", paused)["due_at"] == (
        "2026-02-14T09:00:00+00:00"
    )
    lasting = told("due", "office-cn", FRIDAY, "PT8H", "--pause", f"{FRIDAY}/")
    assert (lasting["due_at"], lasting["reason"]) == (None, "paused")


def test_counted_back_it_says_when_to_begin_at_the_latest() -> None:
    result = levee("due", "office-cn", "2026-02-14T16:00", "PT8H", "--backward", "--language", "en")

    assert result.stdout.splitlines()[-1] == "Start at the latest: 2026-02-13 16:00:00."


def test_elapsed_is_told_span_by_span() -> None:
    found = told("elapsed", "office-cn", FRIDAY, "2026-02-14T16:00+08:00")

    assert found["elapsed_s"] == 8 * 3600
    assert sum(entry["is_counted"] for entry in found["ledger"]["entries"]) == 3


def test_days_are_shown_with_why_they_are_worked_or_not() -> None:
    lines = levee("show", "office-cn", "--from", "2026-02-13", "--days", 3).stdout.splitlines()

    assert lines[1] == "2026-02-14 六 09:00-12:00 13:00-18:00 · 调休上班日：春节"
    assert lines[2] == "2026-02-15 日 休 · 春节"
    assert lines[3].startswith("节假日已知至 ")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("due", "office-cn", "tomorrow", "PT8H"), "MomentUnreadable"),
        (("due", "office-cn", FRIDAY, "P2D"), "TimeUnreadable"),
        (("due", "office-cn", FRIDAY, "8"), "TimeUnreadable"),
        (("due", "office-cn", FRIDAY, "PT0S"), "TargetNotPositive"),
        (("due", "office-cn", "9999-12-31T23:00Z", "PT1H"), "InstantOutOfRange"),
        (("elapsed", "office-cn", FRIDAY, "2026-02-01T00:00"), "EndBeforeStart"),
        (("due", "nowhere", FRIDAY, "PT8H"), "CalendarFileMissing"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_reason(
    arguments: tuple[str, ...], error: str
) -> None:
    assert type(levee(*arguments).exception).__name__ == error


def test_a_wrong_file_is_checked_with_place_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(WEEK.replace("Shanghai", "Atlantis"))

    result = levee("check", path, "--language", "en")

    assert result.exit_code == 1
    assert "zone: 'Asia/Atlantis' is no IANA time zone. Write a name such as" in result.stdout


def test_an_alarm_about_the_end_of_known_holidays_fails_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(WEEK)  # its coverage is over as soon as 2026 is

    old = levee("check", path, "--language", "en")

    assert old.exit_code == 0
    assert "see to the next year's holidays" in old.stdout
    assert levee("check", path, "--strict").exit_code == 1


def test_holidays_leave_as_icalendar_and_come_back(tmp_path: Path) -> None:
    path, days = tmp_path / "shop.yaml", tmp_path / "days.ics"
    path.write_text(WEEK)
    exported = levee("export", path).stdout
    days.write_text(exported.replace("20260501", "20271001").replace("20260502", "20271002"))

    merged = levee("import", days, path, "--covered-until", "2027-12-31").stdout

    calendar = Calendar.from_dict(yaml.safe_load(merged))
    assert [str(holiday.day) for holiday in calendar.holidays] == ["2026-05-01", "2027-10-01"]
    assert str(calendar.covered_until) == "2027-12-31"


def test_a_combination_finds_its_members_beside_it(tmp_path: Path) -> None:
    (tmp_path / "team.yaml").write_text(WEEK)
    (tmp_path / "site.yaml").write_text(WEEK.replace("09:00-18:00", "12:00-20:00"))
    both = tmp_path / "both.yaml"
    both.write_text("kind: intersection\nzone: Asia/Shanghai\nof: [team, site]\n")

    assert told("elapsed", both, "2026-03-02T00:00", "2026-03-03T00:00")["elapsed_s"] == 6 * 3600

"""What a starting service waits for, for how long, and how often it says so."""

from __future__ import annotations

import logging

import pytest

from shared.database.trouble import DatabaseRefused, DatabaseUnavailable, DatabaseUnfit
from shared.errors import LeveeError
from shared.observability import Sparingly
from shared.service.starting import DatabaseStayedAway, DatabaseWrong, Waiting
from tests.harness.passing import PassingTime

URL = "postgresql+asyncpg://clock:***@db:5432/clock"
AWAY = DatabaseUnavailable(reason="Connection refused")


class Step:
    """Fails until so many seconds have passed."""

    def __init__(self, time: PassingTime, comes_after_s: float, error: LeveeError = AWAY) -> None:
        self._time, self._after_s, self._error = time, comes_after_s, error
        self.tried = 0

    async def __call__(self) -> str:
        self.tried += 1
        if self._time.monotonic() < self._after_s:
            raise self._error
        return "there"


def waiting(time: PassingTime, within_s: float | None = None) -> Waiting:
    return Waiting("clock", URL, "CLOCK_DATABASE_URL", within_s, time)


async def test_what_is_there_is_not_waited_for() -> None:
    time = PassingTime()
    patient = waiting(time)

    assert await patient.until_there(Step(time, 0)) == "there"
    assert time.slept == []
    assert not patient.has_begun.is_set()


async def test_a_day_without_a_database_is_borne_and_makes_a_log_of_a_few_hundred_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    time, day_s = PassingTime(), 86_400.0
    patient = waiting(time)

    with caplog.at_level(logging.WARNING):
        assert await patient.until_there(Step(time, day_s)) == "there"

    assert time.monotonic() < day_s + 2.1, "it found out late that the database was back"
    assert patient.has_begun.is_set()
    assert patient.reason == ""
    *said, back = (record.getMessage() for record in caplog.records)
    assert all(URL in line and "CLOCK_DATABASE_URL" in line for line in said)
    assert "Connection refused" in said[0]
    assert "answers after" in back
    assert day_s / 300 < len(said) < day_s / 300 + 10
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_the_same_is_said_at_once_and_then_after_gaps_that_double() -> None:
    now_s = 0.0
    saying = Sparingly(lambda: now_s)
    said = []
    for second in range(1_000):
        now_s = float(second)
        if saying.is_due():
            said.append(second)

    assert said == [0, 4, 12, 28, 60, 124, 252, 508, 808]


@pytest.mark.parametrize("within_s", [0.0, 1.0, 60.0])
async def test_a_job_waits_as_long_as_it_was_told_then_says_what_to_mend(within_s: float) -> None:
    time = PassingTime()
    step = Step(time, 1e9)

    with pytest.raises(DatabaseStayedAway) as gave_up:
        await waiting(time, within_s).until_there(step)

    assert time.monotonic() == pytest.approx(within_s)
    assert step.tried == len(time.slept) + 1
    for language in ("zh-CN", "en"):
        told = gave_up.value.sentence(language)
        assert all(part in told for part in (URL, "CLOCK_DATABASE_URL", "Connection refused"))
        assert f" {within_s:g} " in told


async def test_a_job_finds_a_database_that_comes_at_the_last_moment() -> None:
    time = PassingTime()
    assert await waiting(time, 60).until_there(Step(time, 60)) == "there"


async def test_a_password_does_not_become_right_by_waiting() -> None:
    time = PassingTime()
    wrong = DatabaseRefused(reason='password authentication failed for user "clock"')

    with pytest.raises(DatabaseWrong) as refused:
        await waiting(time).until_there(Step(time, 10, wrong))

    assert time.slept == []
    for language in ("zh-CN", "en"):
        told = refused.value.sentence(language)
        assert all(part in told for part in (URL, "CLOCK_DATABASE_URL", "password"))


async def test_tables_do_not_come_by_waiting_either() -> None:
    time = PassingTime()
    with pytest.raises(DatabaseUnfit):
        await waiting(time).until_there(Step(time, 10, DatabaseUnfit(reason="no table")))
    assert time.slept == []

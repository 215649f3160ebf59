"""The rules of leases: whatever workers do and leave undone, a job ends once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.router.domain import Job, JobEnded, JobNotTaken, JobState, LeaseLost
from services.router.domain import jobs as rules

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


def a_job(retries: int = 3) -> Job:
    return Job(
        id=UUID(int=1),
        request_id=UUID(int=2),
        instance_id=UUID(int=3),
        task_id=4,
        element_id="check",
        type="stock.check",
        retries=retries,
        opened_at=NOW,
        available_at=NOW,
    )


def test_rests_grow_fourfold_up_to_an_hour() -> None:
    seconds = [rules.rest_after(attempt).total_seconds() for attempt in range(1, 8)]

    assert seconds == [10, 40, 160, 640, 2560, 3600, 3600]
    assert rules.rest_after(10**6) == timedelta(hours=1)


def test_a_worker_that_knows_better_says_when_and_how_often() -> None:
    taken = rules.take(a_job(), "w", NOW + LEASE)

    rested = rules.fail(taken, 1, "busy", NOW, rest=timedelta(minutes=5))
    hopeless = rules.fail(taken, 1, "no such shop", NOW, retries=0)

    assert (rested.state, rested.available_at) == (JobState.OPEN, NOW + timedelta(minutes=5))
    assert (hopeless.state, hopeless.retries) == (JobState.FAILED, 0)


def test_an_attempt_of_before_may_do_nothing() -> None:
    first = rules.take(a_job(), "slow", NOW + LEASE)
    second = rules.take(rules.missed(first, "silent", NOW), "quick", NOW + LEASE)

    with pytest.raises(LeaseLost):
        rules.complete(second, 1)
    with pytest.raises(LeaseLost):
        rules.fail(second, 1, "x", NOW)
    with pytest.raises(LeaseLost):
        rules.extend(second, 1, NOW + LEASE)
    done = rules.complete(second, 2)
    with pytest.raises(JobEnded):
        rules.complete(done, 2)


def test_nobody_fails_or_keeps_what_nobody_holds() -> None:
    rested = rules.fail(rules.take(a_job(), "w", NOW + LEASE), 1, "x", NOW)

    with pytest.raises(JobNotTaken):
        rules.extend(rested, 1, NOW + LEASE)
    with pytest.raises(JobNotTaken):
        rules.fail(rested, 1, "again", NOW)


def _taken(job: Job, now: datetime) -> Job:
    if not job.is_available(now):
        return job
    if job.state is JobState.TAKEN:
        job = rules.missed(job, "silent", now, rest=timedelta(0))
    return rules.take(job, "w", now + LEASE) if job.state is JobState.OPEN else job


def _silent(job: Job, now: datetime) -> Job:
    return rules.missed(job, "silent", now) if job.state is JobState.TAKEN else job


_ACTS: dict[str, Callable[[Job, int, datetime], Job]] = {
    "take": lambda job, _, now: _taken(job, now),
    "complete": lambda job, attempt, _: rules.complete(job, attempt),
    "fail": lambda job, attempt, now: rules.fail(job, attempt, "no", now),
    "extend": lambda job, attempt, now: rules.extend(job, attempt, now + LEASE),
    "lease ends": lambda job, _, now: _silent(job, now),
    "cancel": lambda job, _, __: rules.cancel(job),
}


@settings(max_examples=200, deadline=None)
@given(
    retries=st.integers(1, 5),
    acts=st.lists(
        st.tuples(st.sampled_from(sorted(_ACTS)), st.integers(0, 6), st.integers(0, 4000)),
        max_size=40,
    ),
)
def test_whatever_comes_attempts_only_grow_and_an_end_is_an_end(
    retries: int, acts: list[tuple[str, int, int]]
) -> None:
    job, now = a_job(retries), NOW
    for what, attempt, seconds in acts:
        now += timedelta(seconds=seconds)
        before = job
        with contextlib.suppress(JobEnded, JobNotTaken, LeaseLost):
            job = _ACTS[what](job, attempt, now)
        assert not before.is_over or job == before
        assert before.attempt <= job.attempt <= before.attempt + 1
        assert 0 <= job.retries <= before.retries
        assert (job.lease_until is not None) == (job.state is JobState.TAKEN)
        # None left: whoever may take it now would be one too many.
        assert job.state is not JobState.OPEN or job.retries > 0

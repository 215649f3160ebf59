from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.channels.limits import (
    LIMITS,
    Bucket,
    Limit,
    close,
    free_at,
    is_free,
    take,
)
from tests.unit.notify.channels.builders import NOW

MINUTE = (Limit(20, timedelta(minutes=1)),)
gaps = st.lists(st.integers(0, 20_000), max_size=150)


def moments_let_through(limits: tuple[Limit, ...], gaps_ms: list[int]) -> list[datetime]:
    bucket, now, sent = Bucket(), NOW, []
    for gap in gaps_ms:
        now += timedelta(milliseconds=gap)
        if is_free(bucket, limits, now):
            bucket = take(bucket, limits, now)
            sent.append(now)
    return sent


@given(gaps_ms=gaps, channel=st.sampled_from(sorted(LIMITS)))
def test_no_stretch_of_time_holds_more_than_the_limit(gaps_ms: list[int], channel: str) -> None:
    sent = moments_let_through(LIMITS[channel], gaps_ms)

    for limit in LIMITS[channel]:
        for index in range(limit.count, len(sent)):
            assert sent[index] - sent[index - limit.count] >= limit.within


@given(gaps_ms=gaps)
def test_waiting_until_it_is_free_is_always_enough_and_never_too_long(gaps_ms: list[int]) -> None:
    limits, bucket, now = LIMITS["feishu_robot"], Bucket(), NOW
    for gap in gaps_ms:
        now += timedelta(milliseconds=gap)
        free = free_at(bucket, limits, now)
        assert is_free(bucket, limits, free)
        assert free == now or not is_free(bucket, limits, free - timedelta(microseconds=1))
        now = free
        bucket = take(bucket, limits, now)


def test_twenty_go_at_once_and_the_next_after_the_minute() -> None:
    bucket = Bucket()
    for _ in range(20):
        assert is_free(bucket, MINUTE, NOW)
        bucket = take(bucket, MINUTE, NOW)

    assert free_at(bucket, MINUTE, NOW) == NOW + timedelta(minutes=1)


def test_a_bucket_remembers_no_more_than_it_needs() -> None:
    bucket = Bucket()
    for second in range(1000):
        bucket = take(bucket, LIMITS["feishu_robot"], NOW + timedelta(seconds=second))

    assert len(bucket.taken_at) == 100


def test_a_cool_down_closes_the_bucket_and_a_shorter_one_does_not_open_it() -> None:
    closed = close(Bucket(), NOW + timedelta(minutes=10))

    assert free_at(close(closed, NOW), MINUTE, NOW) == NOW + timedelta(minutes=10)


@given(gaps_ms=st.lists(st.integers(-3_000, 3_000), max_size=100))
def test_the_limit_holds_for_a_clock_that_jumps_about(gaps_ms: list[int]) -> None:
    three_in_two_seconds = (Limit(3, timedelta(seconds=2)),)

    sent = sorted(moments_let_through(three_in_two_seconds, gaps_ms))

    for first, fourth in zip(sent, sent[3:], strict=False):
        assert fourth - first >= timedelta(seconds=2)


def test_a_clock_that_was_set_back_gives_no_tokens_away() -> None:
    bucket = Bucket()
    for _ in range(20):
        bucket = take(bucket, MINUTE, NOW)

    assert not is_free(bucket, MINUTE, NOW - timedelta(hours=1))


@pytest.mark.parametrize("channel", sorted(LIMITS))
def test_every_robot_has_a_limit_that_lets_something_through(channel: str) -> None:
    assert is_free(Bucket(), LIMITS[channel], NOW)

"""When a transaction looks at the definitions again."""

from __future__ import annotations

from datetime import timedelta

from shared.consuming import Glance

REQUEST = "0197a1f2-0000-7000-8000-000000000001"
HALF_A_SECOND = timedelta(milliseconds=500)


class Seconds:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_look_is_trusted_for_half_a_second_and_no_longer() -> None:
    seconds = Seconds()
    glance = Glance(seconds, HALF_A_SECOND)

    assert glance.is_due([REQUEST])
    glance.looked()

    assert not glance.is_due([REQUEST])
    seconds.now += 0.499
    assert not glance.is_due([REQUEST])
    seconds.now += 0.001
    assert glance.is_due([REQUEST])


def test_a_failed_look_is_no_look() -> None:
    glance = Glance(Seconds(), HALF_A_SECOND)

    assert glance.is_due([REQUEST])
    assert glance.is_due([REQUEST])


def test_what_brings_a_new_version_always_looks() -> None:
    glance = Glance(Seconds(), HALF_A_SECOND)
    glance.looked()

    assert glance.is_due([REQUEST, "process/standard-path"])
    assert glance.is_due(["decision/a-table-with-a-key-of-36-letter"])


def test_a_change_made_here_is_looked_at_at_once() -> None:
    glance = Glance(Seconds(), HALF_A_SECOND)
    glance.looked()

    glance.forget()

    assert glance.is_due([REQUEST])


def test_without_an_interval_every_transaction_looks() -> None:
    glance = Glance(Seconds(), timedelta(0))
    glance.looked()

    assert glance.is_due([REQUEST])

"""How fast a provider lets one key send, as plain values a caller can store.

A bucket that refills steadily allows up to twice its size within one window (a full bucket at
once, a whole refill after it). Here each token comes back one window after it was taken, so that
*no* window of that length ever holds more than the limit, however the provider counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

# What was sent a window apart may arrive closer together; a second covers a usual difference.
_TRANSPORT_SLACK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` messages in any stretch of time as long as `within`."""

    count: int
    within: timedelta


#: Per robot key. WeCom 20 a minute (document 99110), DingTalk 20 a minute (or ten minutes of
#: silence follow), Feishu 100 a minute and 5 a second.
LIMITS: Mapping[str, tuple[Limit, ...]] = {
    "wecom_robot": (Limit(20, timedelta(minutes=1) + _TRANSPORT_SLACK),),
    "dingtalk_robot": (Limit(20, timedelta(minutes=1) + _TRANSPORT_SLACK),),
    "feishu_robot": (
        Limit(100, timedelta(minutes=1) + _TRANSPORT_SLACK),
        Limit(5, timedelta(seconds=1) + _TRANSPORT_SLACK),
    ),
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """The tokens of one key: when each was taken, in that order, and until when it is closed.

    Holds no more entries than the largest limit's count; times carry a zone.
    """

    taken_at: tuple[datetime, ...] = ()
    closed_until: datetime | None = None


def free_at(bucket: Bucket, limits: tuple[Limit, ...], now: datetime) -> datetime:
    """Return the first moment, not before `now`, at which a token may be taken."""
    moments = [now]
    if bucket.closed_until is not None:
        moments.append(bucket.closed_until)
    for limit in limits:
        if len(bucket.taken_at) >= limit.count:
            moments.append(bucket.taken_at[-limit.count] + limit.within)
    return max(moments)


def is_free(bucket: Bucket, limits: tuple[Limit, ...], now: datetime) -> bool:
    """Return whether a token may be taken at `now`."""
    return free_at(bucket, limits, now) <= now


def take(bucket: Bucket, limits: tuple[Limit, ...], now: datetime) -> Bucket:
    """Return the bucket after one token was taken at `now`; the caller has asked `is_free`."""
    kept = max((limit.count for limit in limits), default=0)
    # In the order of taking, also when the clock was set back: each token follows the one `count`
    # before it by a whole window, so a window holds at most one of each of `count` such chains.
    taken_at = (*bucket.taken_at, now)
    return replace(bucket, taken_at=taken_at[-kept:] if kept else ())


def close(bucket: Bucket, until: datetime) -> Bucket:
    """Return the bucket closed until a moment, as a provider's cool-down demands; never reopened.

    For what an `Outcome` brought as `retry_after_s` with code 45009, 130101 or 11232.
    """
    return replace(bucket, closed_until=max(until, bucket.closed_until or until))

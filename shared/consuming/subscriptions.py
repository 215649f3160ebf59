"""What a service hears, on one screen: events and due moments tied to their handlers.

Handlers are plain functions over values that the unit of work has loaded for the whole batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from shared.events.register import PUBLISHERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.database.timers import Timer
    from shared.events.base import Envelope, EventData

E = TypeVar("E", bound="EventData")
W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class Subscription(Generic[W]):
    """One event type and the handler that deals with it."""

    event_type: type[EventData]
    handle: Callable[[Any, W], None]
    #: Who may say it: the publisher of a fact, the senders of a command.
    senders: tuple[str, ...]
    #: Whether the unit of work loads what is known of the event's subject before.
    loads: bool = True


def on(
    event_type: type[E],
    handle: Callable[[Envelope[E], W], None],
    *,
    senders: Sequence[str] = (),
    loads: bool = True,
) -> Subscription[W]:
    """Tie a handler to the event it was written for; mypy refuses any other.

    A command names its `senders`; the receiver listens to their streams. Where `loads` is False
    the handler only notes something for the flush, and costs no loading.
    """
    if event_type.publisher is not None:
        return Subscription(event_type, handle, (event_type.publisher,), loads)
    unknown = set(senders) - set(PUBLISHERS)
    if not senders or unknown:
        raise ValueError(f"{event_type.type}: name its senders among {PUBLISHERS}")
    return Subscription(event_type, handle, tuple(senders), loads)


@dataclass(frozen=True, slots=True)
class TimerSubscription(Generic[W]):
    """One kind of due moment and the handler that deals with it."""

    kind: str
    handle: Callable[[Timer, W], None]


def on_timer(kind: str, handle: Callable[[Timer, W], None]) -> TimerSubscription[W]:
    """Tie a handler to a kind of timer."""
    return TimerSubscription(kind, handle)

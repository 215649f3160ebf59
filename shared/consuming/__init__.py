"""Handlers, batches, inbox, outbox: how a service hears, decides, records and says."""

from shared.consuming.runtime import Runtime
from shared.consuming.subscriptions import Subscription, TimerSubscription, on, on_timer
from shared.consuming.transactor import MARK_AFTER, MOVED_TIME, Knobs
from shared.consuming.work import Work, WorkContext

__all__ = [
    "MARK_AFTER",
    "MOVED_TIME",
    "Knobs",
    "Runtime",
    "Subscription",
    "TimerSubscription",
    "Work",
    "WorkContext",
    "on",
    "on_timer",
]

"""Handlers, batches, inbox, outbox: how a service hears, decides, records and says."""

from shared.consuming.glance import Glance
from shared.consuming.runtime import Runtime
from shared.consuming.sealing import seal
from shared.consuming.subscriptions import Subscription, TimerSubscription, on, on_timer
from shared.consuming.transactor import LOOK_EVERY, MOVED_TIME, PATIENCE, Knobs, lingering
from shared.consuming.work import Work, WorkContext

__all__ = [
    "LOOK_EVERY",
    "MOVED_TIME",
    "PATIENCE",
    "Glance",
    "Knobs",
    "Runtime",
    "Subscription",
    "TimerSubscription",
    "Work",
    "WorkContext",
    "lingering",
    "on",
    "on_timer",
    "seal",
]

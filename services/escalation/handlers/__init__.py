"""What escalation does when something happens; the caller opens and commits the transaction."""

from services.escalation.handlers.answering import Answer, acknowledge, hear_acted
from services.escalation.handlers.calendars import (
    TELL,
    hear_coverage_extended,
    hear_coverage_warned,
    tell_of_calendar,
)
from services.escalation.handlers.copies import keep_directory, keep_policy
from services.escalation.handlers.requests import (
    hear_assigned,
    hear_cancelled,
    hear_closed,
    hear_handed_over,
    hear_priority_changed,
    hear_reopened,
    hear_resolved,
    hear_routed,
    hear_unassigned,
)
from services.escalation.handlers.steps import take_step
from services.escalation.handlers.triggers import (
    Raising,
    hear_agreement_breached,
    hear_agreement_cancelled,
    hear_agreement_met,
    hear_agreement_warned,
    hear_breached,
    hear_changed,
    hear_clock_cancelled,
    hear_met,
    hear_requested,
    hear_warned,
    raise_by_hand,
)

__all__ = [
    "TELL",
    "Answer",
    "Raising",
    "acknowledge",
    "hear_acted",
    "hear_agreement_breached",
    "hear_agreement_cancelled",
    "hear_agreement_met",
    "hear_agreement_warned",
    "hear_assigned",
    "hear_breached",
    "hear_cancelled",
    "hear_changed",
    "hear_clock_cancelled",
    "hear_closed",
    "hear_coverage_extended",
    "hear_coverage_warned",
    "hear_handed_over",
    "hear_met",
    "hear_priority_changed",
    "hear_reopened",
    "hear_requested",
    "hear_resolved",
    "hear_routed",
    "hear_unassigned",
    "hear_warned",
    "keep_directory",
    "keep_policy",
    "raise_by_hand",
    "take_step",
    "tell_of_calendar",
]

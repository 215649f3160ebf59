"""What the router does when something happens; the caller opens and commits the transaction."""

from services.router.handlers.assigning import assign_by_rule
from services.router.handlers.definitions import (
    RELEASING,
    InForceNow,
    Submission,
    api_file,
    dismiss_faults,
    forget_fault,
    keep_directory,
    must_be_as_seen,
    note_fault,
    release_together,
)
from services.router.handlers.drafts import discard_draft, save_draft
from services.router.handlers.left_behind import take_care
from services.router.handlers.messages import fire_message_timer
from services.router.handlers.process_timers import fire_process_timer
from services.router.handlers.requests import (
    Change,
    apply_change,
    confirm_request,
    note_message,
    reopen_request,
    route_request,
    update_request,
    withdraw_request,
)
from services.router.handlers.work_items import (
    HandOn,
    claim_item,
    complete_item,
    delegate_item,
    return_item,
    unclaim_item,
)
from services.router.handlers.working import fire_job_timer

__all__ = [
    "RELEASING",
    "Change",
    "HandOn",
    "InForceNow",
    "Submission",
    "api_file",
    "apply_change",
    "assign_by_rule",
    "claim_item",
    "complete_item",
    "confirm_request",
    "delegate_item",
    "discard_draft",
    "dismiss_faults",
    "fire_job_timer",
    "fire_message_timer",
    "fire_process_timer",
    "forget_fault",
    "keep_directory",
    "must_be_as_seen",
    "note_fault",
    "note_message",
    "release_together",
    "reopen_request",
    "return_item",
    "route_request",
    "save_draft",
    "take_care",
    "unclaim_item",
    "update_request",
    "withdraw_request",
]

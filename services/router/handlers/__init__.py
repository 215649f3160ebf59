"""What the router does when something happens; the caller opens and commits the transaction."""

from services.router.handlers.definitions import (
    Submission,
    keep_directory,
    note_fault,
    release,
)
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
from services.router.handlers.steps import fire_process_timer
from services.router.handlers.work_items import (
    claim_item,
    complete_item,
    delegate_item,
    return_item,
)

__all__ = [
    "Change",
    "Submission",
    "apply_change",
    "claim_item",
    "complete_item",
    "confirm_request",
    "delegate_item",
    "fire_process_timer",
    "keep_directory",
    "note_fault",
    "note_message",
    "release",
    "reopen_request",
    "return_item",
    "route_request",
    "update_request",
    "withdraw_request",
]

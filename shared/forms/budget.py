"""What checking one filled-in form may spend: neither a form nor what is filled in hangs a worker.

A schema whose references branch costs two to the power of their depth, and a list of ten thousand
objects that must differ costs their square; both fit into a few kilobytes.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Rules looked at: a form of a thousand fields with five rules each has a tenth. Takes 0.5 s.
STEPS = 50_000


class TooCostly(Exception):
    """More was to be looked at than a check may."""


class _Account:
    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


_ACCOUNT: ContextVar[_Account] = ContextVar("forms_account")


@contextmanager
def account(steps: int = STEPS) -> Iterator[None]:
    """Open an account for one check."""
    token = _ACCOUNT.set(_Account(steps))
    try:
        yield
    finally:
        _ACCOUNT.reset(token)


def spend(steps: int = 1) -> None:
    """Count what is looked at; raise `TooCostly`."""
    found = _ACCOUNT.get()
    found.left -= steps
    if found.left < 0:
        raise TooCostly

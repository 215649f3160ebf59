"""What can go wrong at the far end, as values a test hands to a receiver.

Each receiver acts on one fault per request: those given with `fail_next`, in order, then the one
given with `fail_all`, if any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Drop:
    """Read the whole request, then close the connection without a word.

    With `is_taken` the provider has taken the message before it fell silent: the caller cannot
    know, which is the case that makes doubles.
    """

    is_taken: bool = True


@dataclass(frozen=True, slots=True)
class Hold:
    """Read and judge the request, and answer only when the test calls `release`."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Judge the request, send the status, and leave out the body until `release`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer with this instead of judging the request; the message is not taken."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Code:
    """Answer with this code of the provider, in the provider's own form; nothing is taken."""

    code: int
    http_status: int | None = None


Fault = Drop | Hold | Stall | Answer | Code

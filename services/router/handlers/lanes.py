"""Which lane a request takes: asked of the table, with its explanation.

The table `lane` gives `lane`, `process` and `review` (owed from the beginning). It is asked when a
request comes, when it was corrected, and when a person or a diagram names a lane: then the lane
named is its input `requested_lane`, so that the table says which process that lane is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import LeveeError
from shared.vocabulary import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from services.router.domain import Record
    from services.router.store import RouterWork

#: The decision asked.
LANE = "lane"
#: What the catalogue says of a type without a process of its own.
DEFAULT_PROCESS = "standard-path"
#: The process of a lane where no table names one.
_PROCESSES = {Lane.GREEN: "green-channel", Lane.EXCEPTION: "exception-approval"}
#: What a diagram's escalation begins with that moves its request to a lane.
THROWN = "lane:"


@dataclass(frozen=True, slots=True)
class Choice:
    """The lane of a request, the process drawn for it, and why."""

    lane: Lane
    process: str
    is_review_owed: bool
    explanation: Mapping[str, Any] | None = None
    #: What is wrong with the table's answer; the standard path is taken then.
    fault: str | None = None

    @property
    def explanations(self) -> list[dict[str, Any]]:
        """Why, as events carry it; empty where no table was asked."""
        return [dict(self.explanation)] if self.explanation is not None else []


def choose(
    work: RouterWork,
    context: Mapping[str, Any],
    at: datetime,
    *,
    is_import: bool = False,
    requested: Lane | None = None,
) -> Choice:
    """Return the lane for a request; the standard path where no table says otherwise.

    A process of its own that the catalogue names for a type is the type's standard path. A table
    that fails, or names what does not exist, never loses a request: `fault` says what is wrong.
    """
    standard = work.repository.process_of_type(context["request_type"])
    if LANE not in work.repository.decision_ids:
        return _checked(work, requested or Lane.STANDARD, {}, None, standard)
    inputs = {
        "request": context,
        "is_import": is_import,
        "requested_lane": requested.value if requested else None,
    }
    try:
        result, explanation = work.repository.evaluate(LANE, inputs, at)
        told = result if isinstance(result, dict) else {}
        lane = Lane(str(told.get("lane") or Lane.STANDARD.value))
    except LeveeError as error:
        return Choice(Lane.STANDARD, standard, False, None, f"{error.code}: {error}")
    except ValueError as error:
        return Choice(Lane.STANDARD, standard, False, None, str(error))
    if requested is not None and lane is not requested:
        # The table does not answer for the lane asked for: it is taken all the same.
        lane, told = requested, {}
    return _checked(work, lane, told, explanation, standard)


def _checked(
    work: RouterWork,
    lane: Lane,
    told: Mapping[str, Any],
    explanation: Mapping[str, Any] | None,
    standard: str,
) -> Choice:
    """Return the lane with its process; the standard path, and why, where there is no such."""
    process = standard
    if lane is not Lane.STANDARD or standard == DEFAULT_PROCESS:
        process = str(told.get("process") or _PROCESSES.get(lane, standard))
    if process not in work.repository.process_keys:
        return Choice(
            Lane.STANDARD, standard, False, explanation, f"there is no process {process!r}"
        )
    return Choice(lane, process, told.get("review") is True or lane is Lane.GREEN, explanation)


def thrown(work: RouterWork, record: Record, word: str, at: datetime) -> Choice:
    """Return the lane a diagram's escalation names; `fault` says why it cannot be taken."""
    try:
        lane = Lane(word)
    except ValueError:
        return Choice(record.lane, record.process, False, None, f"there is no lane {word!r}")
    return choose(work, record.context, at, requested=lane)

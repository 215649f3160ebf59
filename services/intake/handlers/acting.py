"""What people do with a posted request: write, withdraw, confirm, reopen, rate, correct.

Rules refuse by raising; nothing has been written by then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from services.intake import events_out
from services.intake.domain import acts
from services.intake.domain.errors import NoSuchRequest
from services.intake.domain.values import Message, Once, Written
from services.intake.handlers import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from services.intake.domain.values import Answer, Request
    from services.intake.handlers.port import Work
    from shared.errors import LeveeError


@dataclass(frozen=True, slots=True)
class Act:
    """Which request, when (None: now), and the Idempotency-Key if there is one."""

    request_id: str
    occurred_at: datetime | None = None
    once: Once | None = None


def write(act: Act, message_id: str, written: Written, work: Work) -> Answer | LeveeError:
    """Record a message, whatever the request's state; only the router draws conclusions."""

    def do(request: Request, at: datetime) -> Answer:
        return answers.written(request, record(request, message_id, written, at, work))

    return _do(act, work, do)


def record(
    request: Request, message_id: str, written: Written, at: datetime, work: Work
) -> Message:
    """Add a message to the conversation and say so."""
    message = Message(message_id, request.id, written, at, work.now)
    params = {
        "message_id": message_id,
        "author": written.author.value,
        "author_id": written.author_id,
        "is_effective": written.is_effective,
        "is_automatic": written.is_automatic,
    }
    sequence = work.say(events_out.posted(message), request.id, at, params)
    work.add_message(message, sequence)
    return message


def withdraw(act: Act, reason: str | None, work: Work) -> Answer | LeveeError:
    """The requester no longer wants it; the router cancels it."""

    def do(request: Request, at: datetime) -> Answer:
        work.keep(replace(request, standing=acts.withdraw(request, at)))
        work.say(events_out.withdrawn(reason), request.id, at, {"reason": reason})
        return answers.acted(request, is_withdrawn=True)

    return _do(act, work, do)


def confirm(act: Act, work: Work) -> Answer | LeveeError:
    """The requester agrees that it is solved; the router closes it."""

    def do(request: Request, at: datetime) -> Answer:
        work.keep(replace(request, standing=acts.confirm(request, at)))
        work.say(events_out.confirmed(), request.id, at, {})
        return answers.acted(request, is_confirmed=True)

    return _do(act, work, do)


def reopen(act: Act, reason: str, work: Work) -> Answer | LeveeError:
    """The requester says it is not solved; the router takes it up again."""

    def do(request: Request, at: datetime) -> Answer:
        work.keep(replace(request, standing=acts.reopen(request, at)))
        work.say(events_out.reopened(reason), request.id, at, {"reason": reason})
        return answers.acted(request, is_reopen_asked=True)

    return _do(act, work, do)


def rate(act: Act, score: int, comment: str, work: Work) -> Answer | LeveeError:
    """The requester rates the result."""

    def do(request: Request, at: datetime) -> Answer:
        rated = replace(request, standing=acts.rate(request, score, comment))
        work.keep(rated)
        params = {"score": score, "is_changed": rated.standing.ratings > 1}
        work.say(events_out.rated(score, comment), request.id, at, params)
        return answers.acted(request, score=score, comment=comment)

    return _do(act, work, do)


def correct(
    act: Act, changes: Mapping[str, Any], changed_by: str, work: Work
) -> Answer | LeveeError:
    """Correct what was posted; fields that already have the value are no change.

    Description and form are not loaded for the rule, so naming them counts as changing them.
    """

    def do(request: Request, at: datetime) -> Answer:
        acts.refuse_correction(request)
        known = {"urgency": request.urgency, "impact": request.impact, "title": request.title}
        changed = {k: v for k, v in changes.items() if k not in known or known[k] != v}
        if changed:
            kept = replace(request, **{k: v for k, v in changed.items() if k in known})
            columns = {k: getattr(v, "value", v) for k, v in changed.items()}
            work.correct(kept, columns)
            params = {"changed_by": changed_by, "fields": sorted(changed)}
            params |= {k: columns[k] for k in ("urgency", "impact") if k in columns}
            work.say(events_out.updated(changed, changed_by), request.id, at, params)
        return answers.acted(request, changed=sorted(changed))

    return _do(act, work, do)


def _do(act: Act, work: Work, do: Callable[[Request, datetime], Answer]) -> Answer | LeveeError:
    def looked_up() -> Answer:
        request = work.request(act.request_id)
        if request is None:
            raise NoSuchRequest(request=act.request_id)
        work.refuse_sealed(act.request_id)
        return do(request, acts.acted_at(request, act.occurred_at, work.now))

    return answers.once(work, act.once, looked_up)

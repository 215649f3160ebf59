"""What callers are told, and told again under the same Idempotency-Key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from services.intake.domain.errors import IdempotencyKeyReused
from services.intake.domain.values import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.intake.domain.values import Message, Once, Request
    from services.intake.handlers.port import Work
    from shared.errors import LeveeError

#: The same in the all-in-one and behind an ingress (contracts.md, Outside).
_PATH = "/intake/v1/requests"


def posted(request: Request, *, is_new: bool) -> Answer:
    """A request exists: 201 when it was made by this call, 200 when it had been posted before."""
    body = {
        "id": request.id,
        "number": request.number,
        "source": request.source,
        "external_id": request.external_id,
        "request_type": request.request_type,
        "state": request.standing.state.value,
        "submitted_at": request.submitted_at,
    }
    return _answer(201 if is_new else 200, body, f"{_PATH}/{request.id}")


def written(request: Request, message: Message) -> Answer:
    """A message was recorded."""
    body = {
        "id": message.id,
        "request_id": request.id,
        "number": request.number,
        "author": message.written.author.value,
        "is_effective": message.written.is_effective,
        "is_automatic": message.written.is_automatic,
        "occurred_at": message.occurred_at,
        "recorded_at": message.recorded_at,
    }
    return _answer(201, body, f"{_PATH}/{request.id}/messages/{message.id}")


def acted(request: Request, **told: Any) -> Answer:
    """Something was done with a request; its state changes once the router has answered."""
    body = {
        "id": request.id,
        "number": request.number,
        "state": request.standing.state.value,
        **told,
    }
    return _answer(200, body)


def once(
    work: Work, key: Once | None, act: Callable[[], Answer | LeveeError]
) -> Answer | LeveeError:
    """Do `act` unless the same key has done it before; refusals are not remembered."""
    if key is None:
        return act()
    earlier = work.answered(key)
    if earlier is not None:
        fingerprint, answer = earlier
        return answer if fingerprint == key.fingerprint else IdempotencyKeyReused()
    outcome = act()
    if isinstance(outcome, Answer):
        work.remember(key, outcome)
    return outcome


def _answer(status: int, body: dict[str, Any], location: str | None = None) -> Answer:
    return Answer(status, orjson.dumps(body, option=orjson.OPT_UTC_Z), location)

"""Between domain values and rows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from services.intake.domain.promises import Promise
from services.intake.domain.standing import Standing
from services.intake.domain.values import Answer, Fact, Message, Request, Submission
from services.intake.store.tables import requests
from shared.database.tables import from_us, to_us
from shared.vocabulary import Impact, RequestState, Urgency

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What led to what within one moment.
_RANKS = {"intake": 0, "router": 1, "clock": 2}

#: The columns rules decide by: neither form nor description, which may be long.
REQUEST_COLUMNS = (
    requests.c.id,
    requests.c.number,
    requests.c.source,
    requests.c.external_id,
    requests.c.content_hash,
    requests.c.request_type,
    requests.c.requester_id,
    requests.c.title,
    requests.c.urgency,
    requests.c.impact,
    requests.c.callback,
    requests.c.is_import,
    requests.c.submitted_us,
    requests.c.standing,
    requests.c.promises,
)
_FRESH = orjson.dumps(Standing(), option=orjson.OPT_UTC_Z).decode()


def json_text(value: Any) -> str:
    """Return `value` (dataclasses included) as JSON text; moments in UTC."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()


def request_row(submission: Submission, now: datetime) -> dict[str, Any]:
    """Return the row of a request just posted."""
    post = submission.post
    return {
        "id": submission.request_id,
        "number": submission.number,
        "source": post.source,
        "external_id": post.external_id,
        "content_hash": submission.content_hash,
        "request_type": post.type,
        "domain": submission.domain,
        "organisation_unit": post.organisation_unit,
        "channel": post.channel,
        "language": post.language,
        "requester_id": post.requester.id,
        "requester": json_text(post.requester),
        "urgency": post.urgency.value,
        "impact": post.impact.value,
        "title": post.title,
        "description": post.description,
        "form": json_text(post.form),
        "callback": post.callback,
        "is_import": post.is_import,
        "submitted_us": to_us(submission.submitted_at),
        "recorded_us": to_us(now),
        "state": RequestState.SUBMITTED.value,
        "standing": _FRESH,
        "promises": "{}",
    }


def request_of(row: Any) -> Request:
    """Return the request of a row with `REQUEST_COLUMNS`."""
    return Request(
        id=row.id,
        number=row.number,
        source=row.source,
        external_id=row.external_id,
        content_hash=row.content_hash,
        request_type=row.request_type,
        requester_id=row.requester_id,
        title=row.title,
        urgency=Urgency(row.urgency),
        impact=Impact(row.impact),
        callback=row.callback,
        is_import=row.is_import,
        submitted_at=from_us(row.submitted_us),
        standing=standing_of(row.standing),
        promises=promises_of(row.promises),
    )


def standing_of(text: str) -> Standing:
    """Read a standing; fields a newer version wrote are left out, so that old code goes on."""
    if text == _FRESH:
        return Standing()
    known = _known(Standing, orjson.loads(text))
    known["state"] = RequestState(known["state"])
    return Standing(**known)


def promises_of(text: str) -> dict[str, Promise]:
    """Read the promises of a request, by clock id."""
    if text == "{}":
        return {}
    found = {}
    for clock_id, raw in orjson.loads(text).items():
        known = _known(Promise, raw)
        known["thresholds_percent"] = tuple(known["thresholds_percent"])
        found[clock_id] = Promise(**known)
    return found


def message_row(message: Message, sequence: int) -> dict[str, Any]:
    """Return the row of a message."""
    written = message.written
    return {
        "id": message.id,
        "request_id": message.request_id,
        "author": written.author.value,
        "author_id": written.author_id,
        "text": written.text,
        "is_effective": written.is_effective,
        "is_automatic": written.is_automatic,
        "occurred_us": to_us(message.occurred_at),
        "recorded_us": to_us(message.recorded_at),
        "sequence": sequence,
    }


def fact_row(fact: Fact) -> dict[str, Any]:
    """Return the row of a timeline entry."""
    return {
        "id": fact.id,
        "request_id": fact.request_id,
        "occurred_us": to_us(fact.occurred_at),
        "recorded_us": to_us(fact.recorded_at),
        "rank": _RANKS.get(fact.publisher, len(_RANKS)),
        "sequence": fact.sequence,
        "publisher": fact.publisher,
        "type": fact.type,
        "params": json_text(fact.params),
    }


def answer_of(row: Any) -> Answer:
    """Return the answer of a row."""
    return Answer(row.status, row.body, row.location)


def _known(kind: type[Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    fields = kind.__dataclass_fields__
    return {
        name: _moment(value) if name.endswith("_at") else value
        for name, value in raw.items()
        if name in fields
    }


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)

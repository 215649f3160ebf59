"""How values become rows and come back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.notify.domain.deliveries import Delivery, State, Void
from services.notify.domain.people import Directory, Endpoint, Person, Team
from shared.database.tables import from_us, to_us

#: Fields of a delivery that live in its body, beside moments and ids.
_PLAIN = (
    "template",
    "lane",
    "is_urgent",
    "epoch",
    "attempts",
    "waits_for",
    "is_possibly_repeated",
    "provider_code",
    "provider_message",
    "reason",
)
_MOMENTS = (
    "link_expires_at",
    "expires_at",
    "lease_until",
    "settled_at",
    "seen_at",
    "acted_at",
)


def dumped(body: Any) -> str:
    """Return JSON text; moments with their offset."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z).decode()


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """Return the row of a delivery."""
    body: dict[str, Any] = {name: getattr(delivery, name) for name in (*_PLAIN, *_MOMENTS)}
    body["following"] = delivery.following
    body["escalation_id"] = delivery.escalation_id
    return {
        "id": str(delivery.id),
        "notification_id": str(delivery.notification_id),
        "request_id": str(delivery.request_id),
        "recipient": delivery.recipient,
        "channel": delivery.channel,
        "state": delivery.state.value,
        "accepted_us": to_us(delivery.accepted_at),
        "next_us": to_us(delivery.next_at),
        "body": dumped(body),
    }


def delivery_of(row: Any) -> Delivery:
    """Return the delivery of a row."""
    body = orjson.loads(row.body)
    escalation = body["escalation_id"]
    plain = {name: body[name] for name in _PLAIN}
    moments: dict[str, Any] = {name: _moment(body[name]) for name in _MOMENTS}
    return Delivery(
        id=UUID(row.id),
        notification_id=UUID(row.notification_id),
        request_id=UUID(row.request_id),
        recipient=row.recipient,
        channel=row.channel,
        state=State(row.state),
        accepted_at=from_us(row.accepted_us),
        next_at=from_us(row.next_us),
        following=tuple(body["following"]),
        escalation_id=UUID(escalation) if escalation else None,
        **plain,
        **moments,
    )


def endpoint_row(endpoint: Endpoint) -> dict[str, Any]:
    """Return the row of an endpoint."""
    return {
        "id": str(endpoint.id),
        "name": endpoint.name,
        "url": endpoint.url,
        "secret": endpoint.secret,
        "created_us": to_us(endpoint.created_at),
        "disabled_us": to_us(endpoint.disabled_at) if endpoint.disabled_at else None,
    }


def endpoint_of(row: Any) -> Endpoint:
    """Return the endpoint of a row."""
    disabled_at = from_us(row.disabled_us) if row.disabled_us is not None else None
    created_at = from_us(row.created_us)
    return Endpoint(UUID(row.id), row.name, row.url, row.secret, created_at, disabled_at)


def void_row(void: Void) -> dict[str, Any]:
    """Return the row of a void."""
    return {
        "escalation_id": str(void.escalation_id),
        "request_id": str(void.request_id),
        "epoch": void.epoch,
        "reason": void.reason,
        "taken_by": void.by,
    }


def void_of(row: Any) -> Void:
    """Return the void of a row."""
    return Void(UUID(row.escalation_id), UUID(row.request_id), row.epoch, row.reason, row.taken_by)


def directory_body(directory: Directory) -> dict[str, Any]:
    """Return the JSON of the directory."""
    return {
        "people": [
            [p.id, p.name, p.language, p.zone, dict(p.addresses), p.channels]
            for p in directory.people.values()
        ],
        "teams": [[t.id, dict(t.name), dict(t.channels)] for t in directory.teams.values()],
    }


def directory_of(version: int, body: dict[str, Any]) -> Directory:
    """Return the directory of its JSON."""
    people = (
        Person(person, name, language, zone, addresses, tuple(channels))
        for person, name, language, zone, addresses, channels in body["people"]
    )
    teams = (Team(team, name, channels) for team, name, channels in body["teams"])
    return Directory(
        version,
        {person.id: person for person in people},
        {team.id: team for team in teams},
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

"""Notify's unit of work: the open deliveries of a batch and what decides about them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import delete, or_, select

from services.notify.domain.deliveries import OPEN, Delivery, Void
from services.notify.domain.people import Directory, Endpoint
from services.notify.store import tables
from services.notify.store.house import Copies
from services.notify.store.rows import (
    delivery_of,
    delivery_row,
    directory_body,
    dumped,
    endpoint_of,
    endpoint_row,
    void_of,
    void_row,
)
from shared.consuming import Work, WorkContext
from shared.database.native import Prepared
from shared.database.statements import insert_missing, listed, one_of, rows_among, upsert
from shared.database.tables import from_us, to_us
from shared.events.notify import NotifyEvent

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from services.notify.store.house import House
    from shared.events.base import EventData

_ID_LENGTH = 36
#: As store/tables.py has it; what a diagram calls a number may be anything.
_NUMBER_LENGTH = 40
_BUCKET = "bucket/"

_ENDPOINTS = Prepared(select(tables.endpoints))


@lru_cache(maxsize=2)
def _deliveries_about(dialect: str) -> Prepared:
    """Return the open deliveries of the requests `ids`, and those whose own id is among them."""
    table = tables.deliveries
    is_open = or_(*(table.c.state == state.value for state in OPEN))
    is_of_request = one_of(dialect, table.c.request_id, "ids") & is_open
    return Prepared(select(table).where(or_(is_of_request, one_of(dialect, table.c.id, "ids"))))


@lru_cache(maxsize=2)
def _notified_about(dialect: str) -> Prepared:
    """Return the ids of the notifications accepted about the requests `ids`."""
    table = tables.notifications
    return Prepared(select(table.c.id).where(one_of(dialect, table.c.request_id, "ids")))


@dataclass(frozen=True, slots=True)
class Notification:
    """What somebody wants told: the template and its values."""

    id: UUID
    request_id: UUID
    template: str
    parameters: Mapping[str, Any]
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider's limit remembers of one lane."""

    taken_at: tuple[datetime, ...] = ()
    closed_until: datetime | None = None


def bucket_key(lane: str) -> str:
    """Return the subject that locks and loads the limit of a lane."""
    return f"{_BUCKET}{lane}"


class NotifyWork(Work):
    """What the handlers of one transaction read and change."""

    def __init__(self, context: WorkContext, house: House) -> None:
        super().__init__(context)
        self.house = house
        self.copies = Copies()
        self.endpoints: list[Endpoint] = []
        self._deliveries: dict[UUID, Delivery] = {}
        self._changed: dict[UUID, Delivery] = {}
        self._handed: dict[UUID, tuple[Delivery, str | None]] = {}
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._notifications: dict[UUID, Notification] = {}
        self._known_notifications: set[UUID] = set()
        self._new_notifications: list[Notification] = []
        self._voids: dict[UUID, Void] = {}
        self._changed_voids: dict[UUID, Void] = {}
        self._tokens: dict[str, Tokens] = {}
        self._changed_lanes: set[str] = set()
        self._changed_endpoints: dict[UUID, Endpoint] = {}
        self._gone_endpoints: list[str] = []
        self._new_templates: list[dict[str, Any]] = []
        self._is_directory_new = False

    # ---- load and flush --------------------------------------------------------------------

    async def load(self, keys: Collection[str]) -> None:
        """Load what is open about requests, deliveries by id, limits by lane, and the copies."""
        about = [key for key in keys if not key.startswith(_BUCKET)]
        self.copies = await self.house.read(self.tx, about)
        rows = (await self.tx.execute(_ENDPOINTS)).all()
        self.endpoints = [endpoint_of(row) for row in rows]
        ids = sorted(key for key in keys if len(key) == _ID_LENGTH)
        if ids:
            await self._load_about(ids)
        await self._load_notifications()
        lanes = sorted(key.removeprefix(_BUCKET) for key in keys if key.startswith(_BUCKET))
        for row in await rows_among(self.tx, tables.buckets, "lane", lanes):
            self._tokens[row.lane] = _tokens_of(orjson.loads(row.body))

    async def _load_about(self, ids: Sequence[str]) -> None:
        dialect = self.tx.dialect.name
        bound = {"ids": listed(dialect, ids)}
        for row in (await self.tx.execute(_deliveries_about(dialect), bound)).all():
            self._deliveries[UUID(row.id)] = delivery_of(row)
        requests = {str(d.request_id) for d in self._deliveries.values()} | set(ids)
        for row in await rows_among(self.tx, tables.voids, "request_id", sorted(requests)):
            self._voids[UUID(row.escalation_id)] = void_of(row)
        accepted = await self.tx.execute(_notified_about(dialect), bound)
        self._known_notifications |= {UUID(row.id) for row in accepted.all()}

    async def _load_notifications(self) -> None:
        ids = sorted({str(d.notification_id) for d in self._deliveries.values()})
        for row in await rows_among(self.tx, tables.notifications, "id", ids):
            self._notifications[UUID(row.id)] = _notification_of(row)

    async def flush(self) -> None:
        """Write what changed, in bulk, and hand over what is to be sent."""
        new = [_notification_row(n) for n in self._new_notifications]
        await insert_missing(self.tx, tables.notifications, sorted(new, key=lambda r: str(r["id"])))
        changed = sorted(self._changed.values(), key=lambda d: str(d.id))
        await upsert(self.tx, tables.deliveries, [delivery_row(d) for d in changed])
        voids = sorted(self._changed_voids.values(), key=lambda v: str(v.escalation_id))
        await upsert(self.tx, tables.voids, [void_row(void) for void in voids])
        lanes = [
            {"lane": lane, "body": dumped(_tokens_body(self._tokens[lane]))}
            for lane in sorted(self._changed_lanes)
        ]
        await upsert(self.tx, tables.buckets, lanes)
        await self._flush_endpoints()
        await upsert(self.tx, tables.templates, self._new_templates)
        if self._is_directory_new:
            known = self.copies.directory
            row = {"id": 1, "version": known.version, "body": dumped(directory_body(known))}
            await upsert(self.tx, tables.directory, [row])
        if self._is_directory_new or self._new_templates:
            self.house.changed()
        for delivery, traceparent in self._handed.values():
            self.house.hand_over(delivery, traceparent)
        self.house.outcomes.update(self._outcomes)

    async def _flush_endpoints(self) -> None:
        table = tables.endpoints
        rows = [endpoint_row(e) for e in self._changed_endpoints.values()]
        await upsert(self.tx, table, sorted(rows, key=lambda r: str(r["id"])))
        if self._gone_endpoints:
            await self.tx.execute(delete(table).where(table.c.id.in_(self._gone_endpoints)))

    # ---- notifications and deliveries ------------------------------------------------------

    def has_notification(self, notification_id: UUID) -> bool:
        """Return whether this notification was accepted before."""
        return notification_id in self._known_notifications

    def add_notification(self, notification: Notification) -> None:
        """Keep what is to be told."""
        self._known_notifications.add(notification.id)
        self._notifications[notification.id] = notification
        self._new_notifications.append(notification)

    def notification(self, delivery: Delivery) -> Notification:
        """Return what a loaded delivery tells."""
        return self._notifications[delivery.notification_id]

    def delivery(self, delivery_id: UUID) -> Delivery | None:
        """Return a delivery of a loaded request that is open, or one loaded by its id."""
        return self._deliveries.get(delivery_id)

    def open_deliveries(self, request_id: UUID) -> list[Delivery]:
        """Return what is still to be sent about a request, oldest first."""
        found = [d for d in self._deliveries.values() if d.request_id == request_id and d.is_open]
        return sorted(found, key=lambda d: (d.accepted_at, str(d.id)))

    def publish(self, data: EventData, *, subject: UUID | str, occurred_at: datetime) -> UUID:
        """Say something, as `Work.publish`; what is said of deliveries is also counted."""
        if isinstance(data, NotifyEvent):
            outcome = data.type.split(".")[1]
            self._outcomes[(data.channel, outcome)] += 1
        return super().publish(data, subject=subject, occurred_at=occurred_at)

    def keep(self, delivery: Delivery) -> None:
        """Keep a delivery as it is now."""
        self._deliveries[delivery.id] = self._changed[delivery.id] = delivery

    def hand_over(self, delivery: Delivery) -> None:
        """Let the sender have a delivery whose time has come."""
        self._handed[delivery.id] = (delivery, self._context.cause.traceparent)

    # ---- voids and limits ------------------------------------------------------------------

    def void_of(self, delivery: Delivery) -> Void | None:
        """Return what makes a delivery meaningless, if anything does."""
        void = self._voids.get(delivery.escalation_id) if delivery.escalation_id else None
        return void if void is not None and void.covers(delivery) else None

    def void(self, escalation_id: UUID) -> Void | None:
        """Return what is void of an escalation."""
        return self._voids.get(escalation_id)

    def keep_void(self, void: Void) -> None:
        """Make messages of an escalation meaningless."""
        self._voids[void.escalation_id] = self._changed_voids[void.escalation_id] = void

    def tokens(self, lane: str) -> Tokens:
        """Return what the limit of a loaded lane remembers."""
        return self._tokens.get(lane, Tokens())

    def keep_tokens(self, lane: str, tokens: Tokens) -> None:
        """Keep what the limit of a lane remembers."""
        self._tokens[lane] = tokens
        self._changed_lanes.add(lane)

    # ---- endpoints and copies --------------------------------------------------------------

    def keep_endpoint(self, endpoint: Endpoint) -> None:
        """Keep an endpoint as it is now."""
        self.endpoints = [e for e in self.endpoints if e.id != endpoint.id] + [endpoint]
        self._changed_endpoints[endpoint.id] = endpoint

    def remove_endpoint(self, endpoint: Endpoint) -> None:
        """Forget an endpoint."""
        self.endpoints = [e for e in self.endpoints if e.id != endpoint.id]
        self._changed_endpoints.pop(endpoint.id, None)
        self._gone_endpoints.append(str(endpoint.id))

    def keep_directory(self, directory: Directory) -> None:
        """Put a newer directory in force."""
        self.copies.directory = directory
        self._is_directory_new = True

    def keep_templates(self, key: str, version: int, content: str) -> None:
        """Put newer templates in force; raise `BadDefinition` when they are none."""
        self.copies.take_templates(key, version, content)
        self._new_templates.append({"key": key, "version": version, "content": content})


def _notification_row(notification: Notification) -> dict[str, Any]:
    body = {"template": notification.template, "parameters": dict(notification.parameters)}
    return {
        "id": str(notification.id),
        "request_id": str(notification.request_id),
        "accepted_us": to_us(notification.accepted_at),
        "body": dumped(body),
        "number": str(notification.parameters.get("number") or "")[:_NUMBER_LENGTH],
    }


def _notification_of(row: Any) -> Notification:
    body = orjson.loads(row.body)
    return Notification(
        UUID(row.id),
        UUID(row.request_id),
        body["template"],
        body["parameters"],
        from_us(row.accepted_us),
    )


def _tokens_body(tokens: Tokens) -> dict[str, Any]:
    closed = to_us(tokens.closed_until) if tokens.closed_until else None
    return {"taken": [to_us(moment) for moment in tokens.taken_at], "closed": closed}


def _tokens_of(body: dict[str, Any]) -> Tokens:
    closed = from_us(body["closed"]) if body["closed"] is not None else None
    return Tokens(tuple(from_us(us) for us in body["taken"]), closed)

"""Escalation's unit of work: the requests of a batch with their running escalations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.escalation.domain import Directory, Escalation, Request
from services.escalation.store import tables
from services.escalation.store.copies import InForce
from services.escalation.store.rows import (
    directory_body,
    dumped,
    escalation_of,
    escalation_row,
    reached_body,
    request_of,
    request_row,
)
from shared.consuming import Work, WorkContext
from shared.database.statements import insert_missing, rows_among, upsert
from shared.database.tables import to_us

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from services.escalation.domain import Telling
    from services.escalation.store.copies import Copies
    from shared.definitions.models import EscalationPolicy

_ID_LENGTH = 36


class EscalationWork(Work):
    """What the handlers of one transaction read and change."""

    def __init__(self, context: WorkContext, copies: Copies) -> None:
        super().__init__(context)
        self._copies = copies
        self.in_force = InForce(Directory(), {})
        self._requests: dict[UUID, Request] = {}
        self._changed_requests: set[UUID] = set()
        self._running: dict[UUID, Escalation] = {}
        self._changed: dict[UUID, Escalation] = {}
        self._steps: list[dict[str, Any]] = []
        self._policies: list[dict[str, Any]] = []
        self._is_directory_new = False

    async def load(self, keys: Collection[str]) -> None:
        """Load requests, their escalations that are not over, and the copies."""
        self.in_force = await self._copies.read(self.tx, keys)
        ids = sorted(key for key in keys if len(key) == _ID_LENGTH)
        for row in await rows_among(self.tx, tables.requests, "id", ids):
            self._requests[UUID(row.id)] = request_of(row)
        for row in await rows_among(self.tx, tables.escalations, "request_id", ids):
            if row.state != "closed":
                self._running[UUID(row.request_id)] = escalation_of(row)

    async def flush(self) -> None:
        """Write what changed, in bulk."""
        requests = [self._requests[key] for key in sorted(self._changed_requests, key=str)]
        await upsert(self.tx, tables.requests, [request_row(request) for request in requests])
        changed = sorted(self._changed.values(), key=lambda e: str(e.id))
        # Ended ones first: a request has room for one that is not over.
        for is_closed in (True, False):
            rows = [escalation_row(e) for e in changed if e.is_closed is is_closed]
            await upsert(self.tx, tables.escalations, rows)
        await insert_missing(self.tx, tables.steps, self._steps)
        await insert_missing(self.tx, tables.policies, self._policies)
        if self._is_directory_new:
            directory = self.in_force.directory
            row = {"id": 1, "version": directory.version, "body": dumped(directory_body(directory))}
            await upsert(self.tx, tables.directory, [row])
        if self._is_directory_new or self._policies:
            self._copies.changed()

    # ---- requests and escalations ----------------------------------------------------------

    def find(self, request_id: UUID) -> Request | None:
        """Return the request, or None when nobody spoke of it yet."""
        return self._requests.get(request_id)

    def request(self, request_id: UUID) -> Request:
        """Return the request as far as it is known."""
        return self._requests.get(request_id) or Request(request_id)

    def keep_request(self, request: Request) -> None:
        """Keep what is known of a request."""
        if self._requests.get(request.id) != request:
            self._requests[request.id] = request
            self._changed_requests.add(request.id)

    def running(self, request_id: UUID) -> Escalation | None:
        """Return the escalation of a request that is not over."""
        return self._running.get(request_id)

    def keep(self, escalation: Escalation) -> None:
        """Keep an escalation as it is now."""
        self._changed[escalation.id] = escalation
        if escalation.is_closed:
            self._running.pop(escalation.request_id, None)
        else:
            self._running[escalation.request_id] = escalation

    def add_step(
        self, step_id: UUID, escalation: Escalation, telling: Telling, at: datetime
    ) -> None:
        """Note whom a step told."""
        self._steps.append(
            {
                "id": str(step_id),
                "escalation_id": str(escalation.id),
                "at_us": to_us(at),
                "epoch": escalation.epoch,
                "tier": telling.step.tier,
                "repeat": telling.step.repeat,
                "body": dumped(reached_body(telling.reached)),
            }
        )

    # ---- copies ----------------------------------------------------------------------------

    def keep_directory(self, directory: Directory) -> None:
        """Put a newer directory in force."""
        self.in_force.directory = directory
        self._is_directory_new = True

    def keep_policy(
        self, version: int, policy: EscalationPolicy, content: str, content_hash: str
    ) -> None:
        """Put a version of a policy in force, beside the older ones."""
        self.in_force.add(version, policy)
        self._policies.append(
            {
                "key": policy.key,
                "version": version,
                "content_hash": content_hash,
                "content": content,
            }
        )

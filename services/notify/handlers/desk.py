"""Carries one delivery out of the house: claim, send, record; three steps, two transactions."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from services.notify.channels import LIMITS, Outcome
from services.notify.handlers.sending import claim, record
from services.notify.store import bucket_key
from shared.errors import Unavailable
from shared.observability.traces import Edge, coming_from, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from services.notify.channels import Channel, Outgoing
    from services.notify.gateways import Job
    from shared.consuming import Runtime

_log = logging.getLogger(__name__)

#: Longer than any channel's own limit (SMTP, 60 s of real time), shorter than a lease: a channel
#: that hangs all the same leaves its attempt in doubt instead of its lane blocked.
_PATIENCE_S = 90.0


class Desk:
    """Where deliveries are claimed and their outcomes written down."""

    def __init__(self, runtime: Runtime[Any], channels: Mapping[str, Channel]) -> None:
        self._runtime, self._channels = runtime, channels

    async def carry(self, job: Job) -> None:
        """Send one delivery, if it is still to be sent.

        When the database goes away half-way nothing is lost: the delivery's timer brings it
        back, marked as possibly repeated.
        """
        try:
            with coming_from(Edge(read(job.traceparent))):
                await self._carry(job)
        except Unavailable as error:
            _log.warning("delivery %s comes back later: %s", job.delivery_id, error)

    async def _carry(self, job: Job) -> None:
        locks: list[UUID | str] = [job.request_id]
        if job.channel in LIMITS:
            locks.append(bucket_key(job.lane))
        loads = [str(job.delivery_id)]
        found = await self._runtime.do(
            lambda work: claim(job.delivery_id, work), locks=locks, loads=loads
        )
        if found is None:
            return
        delivery, message = found
        outcome = await self._send(message)
        await self._runtime.do(
            lambda work: record(delivery.id, delivery.attempts, outcome, work),
            locks=locks,
            loads=loads,
        )

    async def _send(self, message: Outgoing) -> Outcome:
        channel = self._channels.get(message.channel)
        if channel is None:
            return Outcome("refused", f"{message.channel}_not_configured", fault="house")
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await channel.send(message)
        except TimeoutError:
            return Outcome("unknown", "no_answer")
        except Exception as error:  # noqa: BLE001  judged like any other failure
            # A channel's own mistake. Unrecorded, the same attempt would be made for ever, and
            # each time the message may have left.
            _log.exception("delivery %s: channel %s failed", message.delivery_id, message.channel)
            return Outcome("unknown", "channel_failed", provider_message=type(error).__name__)

"""Notify's paths under /notify/v1: endpoints and the delivery log."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.notify.domain.deliveries import Delivery, State
from services.notify.domain.errors import NoSuchDelivery, NotAnAddress
from services.notify.domain.people import Endpoint
from services.notify.handlers import add_endpoint, remove_endpoint, resend, siblings
from services.notify.handlers.operating import ENDPOINTS_LOCK
from services.notify.store import Filter
from shared.http.auth import Caller, needs
from shared.http.client import AddressRefused, NotReached, OutboundClient
from shared.http.kit import Limit, Offset, json_answer, page
from shared.http.references import Reference

if TYPE_CHECKING:
    from services.notify.store import House, Reading
    from shared.consuming import Runtime

#: Standard Webhooks: a key has between 24 and 64 bytes.
_SECRET_BYTES = 32


class EndpointBody(BaseModel):
    """A system that wants to hear of things: a name to call it by, and where it listens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")]
    url: Annotated[str, Field(min_length=8, max_length=2000)]


def routes(
    runtime: Runtime[Any], reading: Reading, house: House, client: OutboundClient
) -> APIRouter:
    """Return notify's paths."""
    api = APIRouter(prefix="/v1")
    _endpoints(api, runtime, reading, client)
    _deliveries(api, runtime, reading, house)
    return api


def _endpoints(
    api: APIRouter, runtime: Runtime[Any], reading: Reading, client: OutboundClient
) -> None:
    @api.post("/webhooks", summary="Register an endpoint; its secret is shown this once")
    async def register(body: EndpointBody, caller: Annotated[Caller, needs("operate")]) -> Response:
        try:
            await client.check(body.url)
        except (AddressRefused, NotReached) as error:
            raise NotAnAddress(body.url, str(error.params.get("why"))) from error
        secret = f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"
        now = runtime.time.now()
        endpoint = Endpoint(runtime.ids.new(), body.name, body.url, secret, now)
        await runtime.do(lambda work: add_endpoint(endpoint, work), locks=[ENDPOINTS_LOCK])
        place = f"/notify/v1/webhooks/{endpoint.id}"
        return json_answer(_endpoint_json(endpoint) | {"secret": secret}, 201, {"Location": place})

    @api.get("/webhooks", summary="The endpoints, without their secrets")
    async def list_endpoints(
        caller: Annotated[Caller, needs("operate")], limit: Limit = 100, offset: Offset = 0
    ) -> Response:
        found = await reading.endpoints()
        items = [_endpoint_json(endpoint) for endpoint in found[offset : offset + limit]]
        return json_answer(page(items, len(found), limit, offset))

    @api.delete("/webhooks/{endpoint_id}", summary="Forget an endpoint")
    async def remove(endpoint_id: UUID, caller: Annotated[Caller, needs("operate")]) -> Response:
        await runtime.do(lambda work: remove_endpoint(endpoint_id, work), locks=[ENDPOINTS_LOCK])
        return Response(status_code=204)


def _deliveries(api: APIRouter, runtime: Runtime[Any], reading: Reading, house: House) -> None:
    mode = "record" if house.is_recording else "real"

    @api.get("/deliveries", summary="What became of every message, newest first")
    async def list_deliveries(
        caller: Annotated[Caller, needs("operate")],
        state: State | None = None,
        recipient: str | None = None,
        request_id: Reference | None = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> Response:
        about = await reading.about(request_id)
        wanted = Filter(state.value if state else None, recipient, about)
        found, total = await reading.page(wanted, limit, offset)
        items = [_delivery_json(delivery) for delivery in found]
        return json_answer({"mode": mode, **page(items, total, limit, offset)})

    @api.post("/deliveries/{delivery_id}/resend", summary="Send it again, under the same id")
    async def send_again(
        delivery_id: UUID, caller: Annotated[Caller, needs("operate")]
    ) -> Response:
        delivery = await reading.delivery(delivery_id)
        if delivery is None:
            raise NoSuchDelivery(delivery_id=delivery_id)
        again = await runtime.do(
            lambda work: resend(delivery_id, work),
            locks=[delivery.request_id],
            loads=[str(delivery_id), *map(str, siblings(delivery))],
        )
        return json_answer({"mode": mode, **_delivery_json(again)})


def _endpoint_json(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": str(endpoint.id),
        "name": endpoint.name,
        "recipient": f"webhook:{endpoint.name}",
        "url": endpoint.url,
        "created_at": endpoint.created_at,
        "disabled_at": endpoint.disabled_at,
    }


def _delivery_json(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery without its address and words: those are the recipient's."""
    return {
        "id": str(delivery.id),
        "notification_id": str(delivery.notification_id),
        "request_id": str(delivery.request_id),
        "template": delivery.template,
        "recipient": delivery.recipient,
        "channel": delivery.channel,
        "state": delivery.state.value,
        "attempts": delivery.attempts,
        "accepted_at": delivery.accepted_at,
        "next_at": delivery.next_at if delivery.state is State.ACCEPTED else None,
        "waits_for": delivery.waits_for,
        "settled_at": delivery.settled_at,
        "expires_at": delivery.expires_at,
        "is_urgent": delivery.is_urgent,
        "is_possibly_repeated": delivery.is_possibly_repeated,
        "provider_code": delivery.provider_code,
        "provider_message": delivery.provider_message,
        "reason": delivery.reason,
        "seen_at": delivery.seen_at,
        "acted_at": delivery.acted_at,
    }

"""Acknowledge links: looking changes nothing, pressing acts once.

Mail scanners and chat previews open every link they see, so a GET only shows a button (facts on
notification, §2.1). Whoever holds the link may press it: it was sent to one person, cannot be
guessed and expires. A press from another site's page is refused all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.notify.api.pages import answer
from services.notify.domain.errors import LinkExpired, LinkForged
from services.notify.domain.links import is_genuine, read_token
from services.notify.domain.words import local_time
from services.notify.handlers import Pressed, note_seen, press
from services.notify.handlers.acting import outcome_of
from services.notify.handlers.wording import signed_of

if TYPE_CHECKING:
    from services.notify.domain.deliveries import Delivery
    from services.notify.domain.people import Directory
    from services.notify.store import House, Reading
    from shared.consuming import Runtime


class _Opened(NamedTuple):
    """A genuine link: its delivery, and what it shows when nothing is left to press."""

    delivery: Delivery
    number: str
    outcome: Pressed | None


def links(runtime: Runtime[Any], reading: Reading, house: House) -> APIRouter:
    """Return the paths of links."""
    api = APIRouter(prefix="/a", tags=["links"])
    door = _Door(runtime, reading, house)

    @api.head("/{token}", summary="Nothing; previews may ask")
    async def peek(token: str) -> Response:
        return answer("", "", has_body=False)

    @api.get("/{token}", summary="A page with a button; changes nothing")
    async def look(token: str) -> Response:
        try:
            return await door.look(token)
        except (LinkForged, LinkExpired) as error:
            return _refusal(error)

    @api.post("/{token}", summary="Acknowledge; again shows the same outcome")
    async def act(token: str, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return _refusal(LinkForged())
        try:
            return await door.act(token)
        except (LinkForged, LinkExpired) as error:
            return _refusal(error)

    return api


class _Door:
    """What stands behind every link."""

    def __init__(self, runtime: Runtime[Any], reading: Reading, house: House) -> None:
        self._runtime, self._reading, self._house = runtime, reading, house

    async def look(self, token: str) -> Response:
        """Show the button, or what is left to say."""
        opened = await self._open(token)
        delivery = opened.delivery
        if delivery.seen_at is None:
            await self._runtime.do(
                lambda work: note_seen(delivery.id, work),
                locks=[delivery.request_id],
                loads=[str(delivery.id)],
            )
        if opened.outcome is not None:
            return await self._show(opened, opened.outcome)
        return answer(
            "按下按钮即表示由您接手，升级随即停止。",
            "Press the button to take this over: it stops climbing.",
            number=opened.number,
            has_button=True,
        )

    async def act(self, token: str) -> Response:
        """Acknowledge, or show why there is nothing to acknowledge."""
        opened = await self._open(token)
        delivery = opened.delivery
        pressed = await self._runtime.do(
            lambda work: press(delivery.id, work),
            locks=[delivery.request_id],
            loads=[str(delivery.id)],
        )
        return await self._show(opened, pressed)

    async def _open(self, token: str) -> _Opened:
        """Return what a link opens; raise `LinkForged` or `LinkExpired`.

        A link that was pressed, or whose matter is over, shows that even when it has expired.
        """
        claim = read_token(token)
        delivery = await self._reading.delivery(claim.delivery_id) if claim else None
        if claim is not None and delivery is None and claim.expires_at <= self._runtime.time.now():
            # Forgotten by now; whoever made it up is told no more than it says itself.
            raise LinkExpired
        signed = signed_of(delivery) if delivery else None
        if claim is None or delivery is None or signed is None:
            raise LinkForged
        if not is_genuine(claim, signed, self._house.link_secret):
            raise LinkForged
        void = await self._reading.void(signed.escalation_id)
        outcome = outcome_of(delivery, void if void and void.covers(delivery) else None)
        if outcome is None and claim.expires_at <= self._runtime.time.now():
            raise LinkExpired
        return _Opened(delivery, await self._reading.number(delivery), outcome)

    async def _show(self, opened: _Opened, pressed: Pressed) -> Response:
        zh, en = _told(pressed, (await self._reading.copies()).directory)
        return answer(zh, en, number=opened.number)


def _told(pressed: Pressed, directory: Directory) -> tuple[str, str]:
    name = directory.person_name(pressed.by) if pressed.by else ""
    if pressed.outcome == "acknowledged":
        return "已认领，升级停止。谢谢！", "Taken over: it stops climbing. Thank you!"
    if pressed.outcome == "acknowledged_before":
        person = directory.people.get(pressed.by or "")
        zone = person.zone if person else "UTC"
        at = local_time(pressed.at, zone) if pressed.at else ""
        return f"您已于 {at} 认领。", f"You took this over at {at}."
    if pressed.outcome == "taken_over":
        return f"已由 {name} 认领，无需再处理。", f"{name} took this over; nothing is left to do."
    return "该升级已结束，无需再处理。", "This escalation is over; nothing is left to do."


def _refusal(error: LinkForged | LinkExpired) -> Response:
    status = 410 if isinstance(error, LinkExpired) else 403
    return answer(error.sentence("zh-CN"), error.sentence("en"), status=status)

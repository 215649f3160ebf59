"""Notify at work in a small world, with real receivers at the far ends."""

from __future__ import annotations

import base64
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.notify.main import NotifyService, build
from services.notify.settings import Settings
from shared.events.commands.notify import AcknowledgeLink, NotificationRequested, NotifyRecipient
from shared.events.escalation import EscalationAcknowledged
from shared.events.router import DefinitionReleased, DirectoryChanged, Person, Team
from tests.harness.receivers import WebhookReceiver
from tests.harness.services import Neighbour, at_work, caller, key_ring, published
from tests.harness.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from tests.harness.receivers import SmtpReceiver

ESCALATION = UUID(int=900)
TEMPLATES = (
    Path(__file__).resolve().parents[2] / "bpmn" / "templates" / "templates.yaml"
).read_text()
LINK = re.compile(r"https://levee\.test(/notify/a/[\w-]+)")


@dataclass(slots=True)
class Stage:
    """Notify, its neighbours and a caller with a key."""

    world: World
    service: NotifyService
    router: Neighbour
    escalation: Neighbour
    intake: Neighbour
    http: httpx.AsyncClient
    request: UUID

    async def introduce(
        self, *people: Person, teams: tuple[Team, ...] = (), version: int = 1
    ) -> None:
        """Announce who there is."""
        event = DirectoryChanged(version=version, people=people, teams=teams)
        await self.router.say(event, "directory")

    async def tell(
        self,
        *recipients: str,
        request: UUID | None = None,
        number: int = 1,
        is_awaited: bool = True,
        **changed: Any,
    ) -> NotificationRequested:
        """Ask for a page as escalation would; not awaited where the far end holds its answer."""
        now = self.world.time.now()
        given: dict[str, Any] = {
            "notification_id": UUID(int=number),
            "template": "escalation.step",
            "recipients": tuple(NotifyRecipient(recipient=name) for name in recipients),
            "parameters": {
                "number": f"R-2026-{number:06}", "priority": "P2", "team": "desk",
                "reason": "breached", "metric": "first_response", "due_at": now.isoformat(),
                "tier": 1, "attempt": 1,
            },
            "acknowledge": AcknowledgeLink(
                escalation_id=ESCALATION, epoch=1, expires_at=now + timedelta(hours=24)
            ),
            "expires_at": now + timedelta(hours=24),
        }  # fmt: skip
        command = NotificationRequested(**(given | changed))
        subject = request or self.request
        await self.escalation.say(command, subject, is_awaited=is_awaited)
        return command

    async def status(self, *endpoints: str, number: int = 1, is_awaited: bool = True) -> None:
        """Ask to tell other systems of a change, as intake would."""
        recipients = [NotifyRecipient(recipient=f"webhook:{name}") for name in endpoints]
        command = NotificationRequested(
            notification_id=UUID(int=1000 + number),
            template="request.status",
            recipients=tuple(recipients),
            parameters={"number": f"R-2026-{number:06}", "state": "resolved"},
        )
        await self.intake.say(command, self.request, is_awaited=is_awaited)

    async def register(self, name: str, hook: PortalReceiver) -> dict[str, Any]:
        """Register a receiver as an endpoint; it learns its secret from the answer."""
        body = {"name": name, "url": hook.url}
        answer = await self.http.post("/notify/v1/webhooks", json=body)
        assert answer.status_code == 201, answer.text
        shown: dict[str, Any] = answer.json()
        hook.learn(shown["secret"])
        return shown

    async def acknowledged(self, epoch: int = 1, by: str = "bob") -> None:
        """Say that somebody took the escalation over."""
        event = EscalationAcknowledged(
            escalation_id=ESCALATION, tier=1, acknowledged_by=by, epoch=epoch
        )
        await self.escalation.say(event, self.request)

    def types(self) -> list[str]:
        """What notify has said, in order."""
        said = published(self.world, "notify")
        return [event["type"].removeprefix("notification.").removesuffix(".v1") for event in said]

    def said(self, name: str) -> list[dict[str, Any]]:
        """What notify has said of one kind."""
        found = published(self.world, "notify", f"notification.{name}.v1")
        return [event["data"] for event in found]

    async def log(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the delivery log."""
        answer = await self.http.get("/notify/v1/deliveries", params={"limit": 500, **wanted})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


class PortalReceiver(WebhookReceiver):
    """A receiver that is told its secret once it is registered."""

    def learn(self, secret: str) -> None:
        """Verify with `secret` from now on."""
        self._key = base64.b64decode(secret.removeprefix("whsec_"))


def ann(*channels: str, **addresses: str) -> Person:
    """Ann, who reads Chinese in Shanghai."""
    given = addresses or {"email": "ann@example.com"}
    return Person(id="ann", name="安娜", addresses=given, channels=channels or ("email",))


def bob(**addresses: str) -> Person:
    """Bob, who reads English in New York."""
    given = addresses or {"email": "bob@example.com"}
    return Person(id="bob", name="Bob", language="en", zone="America/New_York", addresses=given)


def mail(receiver: SmtpReceiver) -> dict[str, Any]:
    """Return the settings for a mail server of the test."""
    return {"smtp_host": receiver.host, "smtp_port": receiver.port, "smtp_security": "none",
            "mail_from": "levee@house.example"}  # fmt: skip


def settings(url: str, **changed: Any) -> Settings:
    """Return settings of a house whose links begin with https://levee.test."""
    given: dict[str, Any] = {
        "database_url": url,
        "is_durable": False,
        "public_url": "https://levee.test",
    }
    return Settings(**(given | changed))


@asynccontextmanager
async def a_stage(
    url: str, world: World, folder: Path, *, is_bare: bool = False, **changed: Any
) -> AsyncIterator[Stage]:
    """Run notify, with the shipped templates in force; `folder` keeps the key of the caller."""
    service = build(settings(url, **changed), world.given)
    ring, key = key_ring(folder, world)
    names = ("router", "escalation", "intake")
    router, escalation, intake = (Neighbour(world, name) for name in names)
    async with at_work(service, world), caller(service, ring, key) as http:
        stage = Stage(world, service, router, escalation, intake, http, world.ids.new())
        if not is_bare:
            await router.say(a_release(), "templates/templates")
        yield stage


def a_release(content: str = TEMPLATES, version: int = 1) -> DefinitionReleased:
    """Return the release of templates."""
    return DefinitionReleased(
        kind="templates", key="templates", version=version, content_hash="0" * 64,
        content=content, released_by="test",
    )  # fmt: skip


def in_file(folder: Path) -> str:
    """Return the URL of a database file."""
    return f"sqlite+aiosqlite:///{folder / 'notify.db'}"

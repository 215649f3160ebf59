"""The house as the player sees it, and an ear on its bus for the counts of the report."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from services.escalation.handlers.answering import acknowledge_running
from services.intake.domain.values import Asker, Post, Written
from services.router.handlers import Change
from shared.bus.port import BusClosed, ConsumerSpec
from shared.events.router import DirectoryChanged, Person, Team
from shared.vocabulary import AuthorKind

if TYPE_CHECKING:
    from levee.replay.actions import Action
    from levee.replay.servicenow import Incident
    from levee.simulated import SimulatedHouse
    from shared.bus.port import Bus, Subscription

#: What the log's requests are in our catalogue.
REQUEST_TYPE = "it-incident"
SOURCE = "servicenow"


@dataclass(slots=True)
class Ear:
    """Counts what escalation and notify say, and knows which requests have somebody waiting."""

    bus: Bus
    raised: Counter[str] = field(default_factory=Counter)
    tiers: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    by_template: Counter[str] = field(default_factory=Counter)
    requested: int = 0
    acknowledged: int = 0
    exhausted: int = 0
    open: set[str] = field(default_factory=set)
    _task: asyncio.Task[None] | None = None
    _pull: Subscription | None = None

    async def open_up(self) -> None:
        """Begin to listen."""
        streams = ("LEVEE_ESCALATION", "LEVEE_NOTIFY")
        specs = [ConsumerSpec(stream, f"ear-{stream.lower()}") for stream in streams]
        self._pull = await self.bus.subscribe(specs)
        self._task = asyncio.create_task(self._listen(self._pull))

    async def shut(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._pull is not None:
            await self._pull.close()

    async def _listen(self, pull: Subscription) -> None:
        with contextlib.suppress(BusClosed):
            while True:
                for delivery in await pull.take(500):
                    event = orjson.loads(delivery.body)
                    self._note(event["type"].rsplit(".v", 1)[0], event)
                    await delivery.ack()

    def _note(self, kind: str, event: dict[str, Any]) -> None:
        request, data = event["subject"], event["data"]
        match kind:
            case "escalation.raised":
                self.raised[data["trigger"]["kind"]] += 1
                self.open.add(request)
            case "escalation.stepped":
                self.tiers[str(data["tier"])] += 1
                self.open.add(request)
            case "escalation.acknowledged":
                self.acknowledged += 1
                self.open.discard(request)
            case "escalation.exhausted":
                self.exhausted += 1
            case "notification.requested":
                self.requested += 1
            case "notification.accepted":
                self.by_template[data["template"]] += 1
            case _ if kind.startswith("notification."):
                self.outcomes[kind.removeprefix("notification.")] += 1
            case _:
                pass

    def escalations(self) -> dict[str, Any]:
        """Return the counts of escalations for the report."""
        return {
            "raised": sum(self.raised.values()),
            "by_trigger": dict(sorted(self.raised.items())),
            "steps_by_tier": dict(sorted(self.tiers.items())),
            "acknowledged": self.acknowledged,
            "exhausted": self.exhausted,
        }

    def notifications(self) -> dict[str, Any]:
        """Return the counts of notifications for the report; nothing left the house."""
        return {
            "requested": self.requested,
            "accepted_by_template": dict(sorted(self.by_template.items())),
            "outcomes": dict(sorted(self.outcomes.items())),
        }


@dataclass(slots=True)
class HouseStage:
    """Lets what a log says happen to the services of a house."""

    simulated: SimulatedHouse
    ear: Ear

    async def submit(self, incident: Incident, team: str) -> UUID:
        """Post the incident as a request; return its id."""
        post = Post(
            type=REQUEST_TYPE,
            source=SOURCE,
            external_id=incident.external_id,
            requester=Asker(id="log"),
            title=incident.category or incident.external_id,
            channel="phone",
            urgency=incident.urgency,
            impact=incident.impact,
            # A log knows no decisions and no reviews: what happened is told on the standard path.
            form={"lane": "standard", **({"team": team} if team else {})},
        )
        answer = await self.simulated.house.intake.desk.submit(post)
        return UUID(answer.told["id"])

    async def act(self, request_id: UUID, action: Action) -> None:
        """Let one thing happen to the request, at the moment the log gives."""
        match action.verb:
            case "acknowledge":
                await self._acknowledge(request_id, action)
            case "respond":
                written = Written(
                    author=AuthorKind.AGENT, author_id=action.person, text="log", is_effective=True
                )
                await self.simulated.house.intake.desk.post_message(str(request_id), written)
            case verb:
                change = Change(
                    kind=verb,
                    at=action.at,
                    by=action.person or None,
                    team=action.team or None,
                    assignee=action.person or None,
                    reason=action.reason,
                )
                desk = self.simulated.house.router.desk
                assert desk is not None
                await desk.change(request_id, change)

    async def _acknowledge(self, request_id: UUID, action: Action) -> None:
        if str(request_id) not in self.ear.open:
            return
        runtime = self.simulated.house.services["escalation"].runtime
        await runtime.do(
            lambda work: acknowledge_running(work, request_id, action.person, action.at),
            locks=[request_id],
        )


def directory_of(teams: dict[str, list[str]], people: list[str]) -> DirectoryChanged:
    """Return a directory of the log's groups and people.

    The log names no leads: whoever is seen most often in a group stands in as lead, so that
    escalations have somebody to reach; one duty person stands behind all.
    """
    return DirectoryChanged(
        version=0,
        people=tuple(_person(name, index) for index, name in enumerate((*people, "duty"))),
        teams=tuple(
            Team(
                id=team,
                name={"zh-CN": team, "en": team},
                members=tuple(members),
                lead=members[0] if members else "duty",
                manager="duty",
            )
            for team, members in sorted(teams.items())
        ),
        duty_person="duty",
    )


def _person(name: str, index: int) -> Person:
    """Return a person of the log, with an address under a domain that can never exist."""
    return Person(id=name, name=name, addresses={"email": f"person-{index}@replay.invalid"})

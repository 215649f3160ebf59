"""The whole house in one process, told from outside: through HTTP, mail, chat and webhooks.

    item = await world.raise_request("Payroll is down", urgency="high", impact="high")
    await world.fast_forward(minutes=15)
    await world.expect(item.breached("first_response"))

All services share one time that stands still until it is moved; then it goes from due moment to
due moment. Messages leave the house for real and arrive at the receivers of tests/harness.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import httpx

from levee.embedded import DEFINITIONS, house_options
from levee.house import House, build_house
from shared.bus import nats
from shared.bus.memory import MemoryBus
from shared.bus.port import STREAMS, Bus
from shared.bus.server import NatsServer
from shared.consuming import MOVED_TIME
from shared.http.auth import KeyRing, add_to_file, new_key
from shared.id_source import SeededIds
from shared.service import Surroundings
from shared.time_source import Activity, ManualTime
from tests.harness.nats import nats_server
from tests.harness.receivers import ReceivedMail, SmtpReceiver, WebhookReceiver, WeComReceiver
from tests.harness.unruly import UnrulyBus
from tests.harness.world import MORNING

BusKind = Literal["memory", "nats", "unruly"]

_LINK = re.compile(r"https://levee\.test(/notify/a/[\w-]+)")
#: The team of these journeys works under the shipped policy `urgent`: members at once and after
#: 5 minutes, the lead 10 minutes after them, the manager 10 later, the duty person, the end.
_DIRECTORY = """
people:
  - {{id: lin, name: 林静, addresses: {{email: lin@example.com}}, absences: {absences}}}
  - {{id: ann, name: Ann, language: en, zone: America/New_York,
      addresses: {{email: ann@example.com}}}}
  - {{id: wang, name: 王伟, channels: [wecom_robot, email],
      addresses: {{email: wang@example.com, wecom_robot: "{robot}"}}}}
  - {{id: gao, name: 高飞, addresses: {{email: gao@example.com}}}}
  - {{id: duty, name: 值班主管, addresses: {{email: duty@example.com}}}}
teams:
  - {{id: triage, name: {{zh-CN: 分诊台, en: Triage}}, members: [lin], lead: wang, manager: gao}}
  - {{id: it-service-desk, name: {{zh-CN: IT 服务台, en: IT service desk}}, members: [lin],
      lead: wang, manager: gao, escalation_policy: urgent}}
  - {{id: it-infrastructure, name: {{zh-CN: IT 基础设施, en: IT infrastructure}}, members: [ann],
      lead: wang, manager: gao, escalation_policy: urgent}}
  - {{id: hr-service, name: {{zh-CN: 人力资源服务, en: HR service}}, members: [ann], lead: wang,
      manager: gao}}
duty_person: duty
"""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that should be true: a sentence, and how to look (is it so, what was found)."""

    sentence: str
    look: Callable[[], Awaitable[tuple[bool, object]]]


@dataclass(slots=True, repr=False)
class World:
    """The house, its time, and everybody outside."""

    house: House
    time: ManualTime
    activity: Activity
    bus: Bus
    http: httpx.AsyncClient
    post: SmtpReceiver
    robot: WeComReceiver
    portal: WebhookReceiver
    #: This house's own copy of the shipped definitions, to be changed by its test.
    definitions: Path
    server: NatsServer | None = None

    # ---- time ------------------------------------------------------------------------------

    async def settled(self) -> None:
        """Return when everything that was begun is done."""
        await self.activity.settled()

    async def fast_forward(
        self, *, seconds: float = 0, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> None:
        """Let time pass, due moment by due moment."""
        end = self.time.now() + timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days)
        await self.settled()
        while (due := self.time.next_moment()) is not None and due <= end:
            self.time.advance_to(due)
            await self.settled()
        self.time.advance_to(end)
        await self.settled()

    # ---- the entrance ----------------------------------------------------------------------

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Call a path that answers 2xx, let the house settle, return the answer's JSON."""
        answer = await self.http.request(method, path, json=body, headers=headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        await self.settled()
        return answer.json()

    async def raise_request(self, title: str, **given: Any) -> Item:
        """Post a request as a portal would."""
        told = await self.call("POST", "/v1/requests", a_post(title, **given))
        return Item(self, told["id"], told["number"])

    async def expect(self, fact: Fact) -> None:
        """Fail, saying what was found, unless the fact is true."""
        is_true, found = await fact.look()
        assert is_true, f"expected: {fact.sentence}; found: {found}"

    # ---- who is reached --------------------------------------------------------------------

    def inbox(self, person: str) -> list[ReceivedMail]:
        """Return a person's mails, oldest first."""
        return self.post.inbox(f"{person}@example.com")

    def link_for(self, person: str) -> str:
        """Return the path of the acknowledge link in a person's newest mail."""
        found = _LINK.search(self.inbox(person)[-1].text)
        assert found is not None, self.inbox(person)[-1].text
        return found.group(1)

    async def introduce(self, absences: str = "[]") -> None:
        """Put the directory in force; `absences` are lin's, as YAML."""
        text = _DIRECTORY.format(robot=self.robot.url, absences=absences)
        answer = await self.http.put("/router/v1/directory", content=text.encode())
        assert answer.is_success, answer.text
        await self.settled()

    async def connect_portal(self) -> None:
        """Register the portal's endpoint for signed calls, as `portal`."""
        told = await self.call(
            "POST", "/notify/v1/webhooks", {"name": "portal", "url": self.portal.url}
        )
        self.portal.learn(told["secret"])

    # ---- the truth about the services ------------------------------------------------------

    async def unfinished(self) -> dict[str, Any]:
        """Return what waits anywhere: outboxes, parked and set-aside messages; empty when well."""
        waiting: dict[str, Any] = {}
        for name, service in self.house.services.items():
            await service.runtime.relay.forget_published()
            rows, _ = await service.runtime.relay.unpublished()
            _, aside = await service.runtime.held.find(limit=1)
            _, early = await service.runtime.held.find(is_set_aside=False, limit=1)
            found = {"outbox": rows, "set aside": aside, "early": early}
            waiting |= {f"{name}: {what}": n for what, n in found.items() if n}
        return waiting

    def said_twice(self) -> list[UUID]:
        """Return the ids that stand in more than one message, whoever published them."""
        if not isinstance(self.bus, MemoryBus):
            return []
        ids = Counter(message.id for s in STREAMS for message in self.bus.stored(s.name))
        return [event_id for event_id, count in ids.items() if count > 1]


@dataclass(frozen=True, slots=True)
class Item:
    """One request, as a test follows it."""

    world: World = field(repr=False)
    id: str
    number: str

    # ---- what people do --------------------------------------------------------------------

    async def write(self, text: str, **given: Any) -> None:
        """Let the requester write."""
        body = {"text": text, "author": "requester", "author_id": "u1", **given}
        await self.world.call("POST", f"/v1/requests/{self.id}/messages", body)

    async def answer(self, by: str, text: str) -> None:
        """Let an agent answer, effectively."""
        await self.write(text, author="agent", author_id=by, is_effective=True)

    async def change(self, change: str, **given: Any) -> None:
        """Let an agent change the request."""
        path = f"/router/v1/requests/{self.id}/changes"
        await self.world.call("POST", path, {"change": change, **given})

    async def act(self, verb: str, **given: Any) -> None:
        """Let the requester withdraw, confirm, reopen or rate."""
        await self.world.call("POST", f"/v1/requests/{self.id}/{verb}", given)

    # ---- what is shown ---------------------------------------------------------------------

    async def shown(self) -> dict[str, Any]:
        """Return what portals see."""
        told: dict[str, Any] = await self.world.call("GET", f"/v1/requests/{self.number}")
        return told

    async def promise(self, metric: str) -> dict[str, Any]:
        """Return the newest promise about a metric, as portals see it."""
        found = [p for p in (await self.shown())["promises"] if p["metric"] == metric]
        return found[-1] if found else {}

    async def story(self) -> list[str]:
        """Return the types of the timeline's facts, without their versions."""
        items = (await self.world.call("GET", f"/v1/requests/{self.id}/timeline"))["items"]
        return [fact["type"].rsplit(".v", 1)[0] for fact in items]

    async def clocks(self, metric: str) -> list[dict[str, Any]]:
        """Return the clock service's own account of a metric, ended ones first."""
        told = await self.world.call("GET", f"/clock/v1/requests/{self.id}/clocks")
        (found,) = (m for m in told["metrics"] if m["metric"] == metric)
        return [*found["completed"], *found["ongoing"]]

    async def escalations(self) -> list[dict[str, Any]]:
        """Return the request's escalations, newest first."""
        path = f"/escalation/v1/escalations?request_id={self.id}"
        items: list[dict[str, Any]] = (await self.world.call("GET", path))["items"]
        return items

    async def steps(self) -> list[tuple[float, int, list[str]]]:
        """Return the steps of its escalation: minutes since the start, tier, who was told."""
        (escalation,) = await self.escalations()
        told = await self.world.call("GET", f"/escalation/v1/escalations/{escalation['id']}")
        start = _moment(escalation["raised_at"])
        return [
            (
                (_moment(step["at"]) - start).total_seconds() / 60,
                step["tier"],
                [entry["person"] for entry in step["told"]],
            )
            for step in told["steps"]
        ]

    async def deliveries(self) -> list[dict[str, Any]]:
        """Return the delivery log of this request, newest first."""
        path = f"/notify/v1/deliveries?request_id={self.id}&limit=500"
        items: list[dict[str, Any]] = (await self.world.call("GET", path))["items"]
        return items

    # ---- facts -----------------------------------------------------------------------------

    def routed_to(self, team: str, priority: str) -> Fact:
        """The request is owned by `team` and has `priority`."""

        async def look() -> tuple[bool, object]:
            status = (await self.shown())["status"]
            return (status["team"], status["priority"]) == (team, priority), status

        return Fact(f"{self.number} is routed to {team} as {priority}", look)

    def is_(self, state: str) -> Fact:
        """The request is in `state`, and router, portal and board agree on it."""

        async def look() -> tuple[bool, object]:
            found = {
                "portal": (await self.shown())["status"]["state"],
                "router": (await self._get("router"))["state"],
                "board": (await self._get("insight"))["state"],
            }
            return set(found.values()) == {state}, found

        return Fact(f"{self.number} is {state}", look)

    def warned(self, metric: str, percent: int) -> Fact:
        """The portal shows the warning."""
        return self._promised(f"is warned at {percent} %", metric, warned_percent=percent)

    def breached(self, metric: str) -> Fact:
        """The promise was broken, and the portal shows it."""
        return self._promised("is breached", metric, is_breached=True)

    def promised(self, metric: str, **fields: Any) -> Fact:
        """The promise has these fields."""
        return self._promised(f"has {fields}", metric, **fields)

    def escalated(self, **fields: Any) -> Fact:
        """There is exactly one escalation and it has these fields."""

        async def look() -> tuple[bool, object]:
            found = await self.escalations()
            is_so = len(found) == 1 and all(found[0][k] == v for k, v in fields.items())
            return is_so, found

        return Fact(f"{self.number} has one escalation with {fields}", look)

    def _promised(self, words: str, metric: str, **fields: Any) -> Fact:
        async def look() -> tuple[bool, object]:
            found = await self.promise(metric)
            return bool(found) and all(found[k] == v for k, v in fields.items()), found

        return Fact(f"{metric} of {self.number} {words}", look)

    async def _get(self, service: str) -> dict[str, Any]:
        told: dict[str, Any] = await self.world.call("GET", f"/{service}/v1/requests/{self.id}")
        return told


#: What makes a request the most pressing there is, and keeps it out of the green channel.
P1: dict[str, Any] = {"urgency": "high", "impact": "high", "form": {"lane": "standard"}}


def a_post(title: str, **given: Any) -> dict[str, Any]:
    """Return the body of a post that is routed to the IT service desk as P3."""
    body = {
        "type": "it-incident",
        "source": "portal",
        "channel": "portal",
        "requester": {"id": "u1", "name": "周洋"},
        "title": title,
    }
    return body | given


@asynccontextmanager
async def whole_house(
    folder: Path,
    bus_kind: BusKind = "memory",
    *,
    seed: int = 1,
    absences: str = "[]",
    start: datetime = MORNING,
) -> AsyncIterator[World]:
    """Run all six services on SQLite below `folder`, on a Monday morning, until the block ends.

    A folder on which a house ran before (with `bus_kind` nats) is gone on with, from `start`.
    """
    time, activity = ManualTime(start), Activity()
    async with AsyncExitStack() as stack:
        post = await stack.enter_async_context(SmtpReceiver(time.now))
        robot = await stack.enter_async_context(WeComReceiver(time.now))
        portal = await stack.enter_async_context(WebhookReceiver(time.now))
        server = None
        memory = MemoryBus(time, activity)
        bus: Bus = UnrulyBus(memory, seed) if bus_kind == "unruly" else memory
        if bus_kind == "nats":
            server = await stack.enter_async_context(nats_server(folder / "nats"))
            bus = await nats.connect(server.url, name="test", time=time, activity=activity)
        stack.push_async_callback(bus.close)
        definitions = folder / "definitions"
        if not definitions.exists():
            shutil.copytree(DEFINITIONS, definitions)
        key, kept = new_key("test", ("*",))
        add_to_file(folder / "keys.json", kept)
        keys = KeyRing(folder / "keys.json", time)
        ids = SeededIds(time, seed)
        given = Surroundings(time, ids, bus, activity, keys, MOVED_TIME)
        options = house_options(
            "https://levee.test", definitions, {"notify": _outside(post, robot, portal)}
        )
        house = build_house(
            given, folder / "data", {n: {"is_durable": False, **options.get(n, {})} for n in _NAMES}
        )
        await house.start()
        stack.push_async_callback(house.stop)
        await activity.settled()
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(house.app(), raise_app_exceptions=False),
                base_url="https://levee.test",
                headers={"Authorization": f"Bearer {key}"},
            )
        )
        world = World(house, time, activity, bus, http, post, robot, portal, definitions, server)
        await world.introduce(absences)
        if bus_kind == "unruly":
            # The definitions come late, too.
            await world.fast_forward(minutes=1)
        yield world


_NAMES = ("intake", "router", "clock", "escalation", "notify", "insight")


def _outside(post: SmtpReceiver, robot: WeComReceiver, portal: WebhookReceiver) -> dict[str, Any]:
    return {
        "delivery": "real",
        "outbound_allow": f"{robot.place},{portal.place}",
        "smtp_host": post.host,
        "smtp_port": post.port,
        "smtp_security": "none",
        "mail_from": "levee@levee.test",
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)

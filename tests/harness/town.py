"""The real house as processes on real time: loaded, killed, brought to rest, read row by row."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import text

from levee.auditing.rules import Finding
from levee.auditing.sources import HttpSource
from levee.auditing.walk import Report, audit
from levee.house import NAMES
from shared.database.engine import Database
from shared.http.kit import MAX_PAGE
from shared.time_source import SystemTime
from tests.harness.journey import P1, a_post
from tests.harness.nats_house import NatsNode
from tests.harness.processes import ServiceProcess
from tests.harness.waiting import until

#: Whom a request reaches that nobody takes care of: tier, person.
TOLD = {(1, "lin"), (2, "wang"), (3, "duty")}
#: The clocks such a request has.
METRICS = {"first_response", "assignment", "resolution", "escalation_response"}
#: How long a client waits before it tries the same call again.
_AGAIN_S = 0.1


@dataclass
class Town:
    """A house somebody can reach, and what was asked of it.

    `victims` are what may be killed, each brought back by the same call.
    """

    #: Where each service answers.
    bases: Mapping[str, str]
    key: str
    urls: Mapping[str, str]
    victims: Mapping[str, Callable[[], Awaitable[None]]]
    stop: Callable[[], Awaitable[None]]
    #: Request ids by Idempotency-Key, and which of them were withdrawn.
    accepted: dict[str, str] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    tried_again: int = 0
    #: What the house consists of, where each part may be stopped by itself.
    processes: Sequence[ServiceProcess] = ()
    nodes: Sequence[NatsNode] = ()
    #: What a test itself spoke of in a service's name: no service ever said that.
    invented: set[str] = field(default_factory=set)
    #: Whom a request reaches that nobody takes care of, and over which channel if not by mail.
    people: set[tuple[int, str]] = field(default_factory=lambda: set(TOLD))
    channels: Mapping[str, str] = field(default_factory=dict)
    _loads: int = 0

    # ---- the load --------------------------------------------------------------------------

    async def load(
        self, clients: int, posts: int, pause_s: float, enough: asyncio.Event | None = None
    ) -> None:
        """Let clients post, each call under a key of its own, until it is answered.

        They end after `posts` each, or when `enough` is set. Several loads may go on at once.
        """
        self._loads += 1
        told = enough or asyncio.Event()
        names = [f"{self._loads}-{n}" for n in range(clients)]
        async with self.http() as http:
            await asyncio.gather(*(self._client(http, n, posts, pause_s, told) for n in names))

    async def _client(
        self, http: httpx.AsyncClient, name: str, posts: int, pause: float, enough: asyncio.Event
    ) -> None:
        machine = SystemTime()
        base = f"{self.bases['intake']}/intake/v1/requests"
        for n in range(posts):
            if enough.is_set():
                return
            key = f"{name}-{n}"
            body = a_post(f"Outage {key}", **P1)
            answer = await self._call(http, base, body, key)
            self.accepted[key] = answer["id"]
            if n % 4 == 3:
                await self._call(http, f"{base}/{answer['id']}/withdraw", {}, f"{key}-withdraw")
                self.withdrawn.add(answer["id"])
            await machine.sleep(pause)

    async def _call(self, http: httpx.AsyncClient, url: str, body: Any, key: str) -> Any:
        machine = SystemTime()
        while True:
            try:
                answer = await http.post(url, json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                pass
            else:
                if answer.is_success:
                    return answer.json()
                assert answer.status_code in (409, 503), answer.text
            self.tried_again += 1
            await machine.sleep(_AGAIN_S)

    @asynccontextmanager
    async def under_load(self, clients: int, pause_s: float) -> AsyncIterator[None]:
        """Let clients post until the block ends; each call is answered before that."""
        enough = asyncio.Event()
        load = asyncio.create_task(self.load(clients, 1_000_000, pause_s, enough))
        try:
            yield
        finally:
            enough.set()
            await load

    async def more_requests(self, count: int, within_s: float = 60) -> None:
        """Return once that many more were accepted."""
        wanted = len(self.accepted) + count
        await until(lambda: len(self.accepted) >= wanted, within_s)

    async def kill_each(self, every_s: float) -> None:
        """Kill everybody in turn and bring each back at once."""
        machine = SystemTime()
        for victim in self.victims.values():
            await machine.sleep(every_s)
            await victim()

    # ---- rest ------------------------------------------------------------------------------

    async def comes_to_rest(self, within_s: float) -> None:
        """Return when every outbox is empty, nothing is held and everybody was told."""
        live = len(self.accepted) - len(self.withdrawn)

        async def unrest() -> dict[str, Any]:
            waiting = {name: await self._waiting(http, name) for name in NAMES}
            told = len(await self._told(http))
            routed = await self._total(http, "router/v1/requests")
            is_told = told >= live * len(self.people) and routed >= len(self.accepted)
            is_quiet = is_told and not any(waiting.values())
            return {} if is_quiet else {**waiting, "told": told, "routed": routed}

        async def is_at_rest() -> bool:
            try:
                return not await unrest()
            except httpx.TransportError:
                return False

        async with self.http() as http:
            try:
                await until(is_at_rest, within_s)
            except TimeoutError:
                pytest.fail(f"no rest with {live} live requests: {await unrest()}")

    async def _waiting(self, http: httpx.AsyncClient, name: str) -> list[str]:
        told = (await http.get(f"{self.bases[name]}/{name}/ready")).json()
        checks = [told["checks"].get(check) for check in ("outbox", "set_aside", "parked")]
        details = [check["detail"] if check else "unknown" for check in checks]
        return [detail for detail in details if not detail.startswith("0 ")]

    async def _told(self, http: httpx.AsyncClient) -> set[tuple[str, str]]:
        """Return who was told of which request that nobody withdrew."""
        told: set[tuple[str, str]] = set()
        for offset in itertools.count(step=MAX_PAGE):
            path = f"{self.bases['notify']}/notify/v1/deliveries?limit={MAX_PAGE}&offset={offset}"
            page = (await http.get(path)).json()
            told |= {
                (d["request_id"], d["recipient"]) for d in page["items"] if d["state"] == "sent"
            }
            if offset + MAX_PAGE >= page["total"]:
                return {one for one in told if one[0] in self._live}
        raise AssertionError

    async def _total(self, http: httpx.AsyncClient, path: str) -> int:
        name = path.split("/", 1)[0]
        answer = await http.get(f"{self.bases[name]}/{path}?limit=1")
        return int(answer.json()["total"])

    def http(self) -> httpx.AsyncClient:
        """Return a client with the house's key."""
        return httpx.AsyncClient(timeout=10, headers={"Authorization": f"Bearer {self.key}"})

    # ---- an auditor ------------------------------------------------------------------------

    async def audit(self, grace: timedelta = timedelta(seconds=10)) -> Report:
        """Audit the house through its API, as `levee audit` does."""
        async with AsyncExitStack() as stack:
            sources = {}
            for name in NAMES:
                client = httpx.AsyncClient(
                    base_url=self.bases[name],
                    timeout=30,
                    headers={"Authorization": f"Bearer {self.key}"},
                )
                http = await stack.enter_async_context(client)
                sources[name] = HttpSource(http, name, timedelta(seconds=60))
            return await audit(sources, grace=grace)

    async def assert_adds_up(self) -> None:
        """Audit a house at rest: everything adds up, nothing is late."""
        report = await self.audit()
        assert report.findings == [], report.findings
        sums = {name: report.totals[name]["requests"] for name in NAMES if name != "notify"}
        assert set(sums.values()) == {len(self.accepted)}, sums
        assert report.totals["router"]["processes"] == len(self.accepted)
        assert report.totals["clock"]["clock_sets"] == len(self.accepted)

    async def audit_until(self, is_over: asyncio.Event) -> list[Finding]:
        """Audit again and again; return whom an auditor accused meanwhile.

        A service that was just killed is silent; that is no accusation.
        """
        accused: list[Finding] = []
        while not is_over.is_set():
            report = await self.audit(timedelta(seconds=3))
            accused += [f for f in report.faults if f.code != "silent"]
        return accused

    # ---- the truth, once everybody has left -----------------------------------------------

    async def rows(self, service: str, statement: str) -> list[Any]:
        """Return the rows of a statement in a service's database."""
        database = Database(self.urls[service])
        try:
            async with database.reading() as connection:
                return list((await connection.execute(text(statement))).all())
        finally:
            await database.close()

    async def assert_nothing_lost_or_doubled(self) -> None:
        """Compare what was accepted with every service's rows."""
        everything, live = set(self.accepted.values()), self._live
        assert len(everything) == len(self.accepted), "two keys got one request"
        for service, table in (("intake", "requests"), ("router", "requests")):
            assert await self._ids(service, f"SELECT id FROM {table}") == _once(everything)
        one_each = "SELECT request_id FROM instances"
        assert await self._ids("router", one_each) == _once(everything)
        opened = "SELECT request_id FROM work_items WHERE state = 'open'"
        assert await self._ids("router", opened) == _once(live)
        cancelled = "SELECT id FROM requests WHERE state = 'cancelled'"
        assert await self._ids("router", cancelled) == _once(self.withdrawn)
        assert await self._ids("intake", cancelled) == _once(self.withdrawn)
        await self._assert_clocks()
        await self._assert_tellings()
        await self._assert_what_was_said()

    @property
    def _live(self) -> set[str]:
        return set(self.accepted.values()) - self.withdrawn

    async def _ids(self, service: str, statement: str) -> Counter[str]:
        return Counter(row[0] for row in await self.rows(service, statement))

    async def _assert_clocks(self) -> None:
        found = await self.rows("clock", "SELECT request_id, metric, state FROM clocks")
        clocks = Counter((row[0], row[1]) for row in found)
        # Each escalation has a clock of its own. A request can rightly have two: asked for by
        # intake's watchdog and over when it was routed, then raised by a broken promise.
        answers = {r: n for (r, metric), n in clocks.items() if metric == "escalation_response"}
        raised = Counter(
            row[0] for row in await self.rows("escalation", "SELECT request_id FROM escalations")
        )
        assert answers == raised, "escalations and their clocks differ"
        of_requests = {key: n for key, n in clocks.items() if key[1] != "escalation_response"}
        assert set(of_requests.values()) == {1}, "clocks were doubled"
        sets: dict[str, set[str]] = defaultdict(set)
        for request_id, metric in clocks:
            sets[request_id].add(metric)
        assert set(sets) == set(self.accepted.values())
        assert all(sets[request_id] == METRICS for request_id in self._live)
        ended = {row[2] for row in found if row[0] in self.withdrawn}
        assert not ended & {"running", "paused"}, "a clock of a withdrawn request still runs"

    async def _assert_tellings(self) -> None:
        climbs = await self.rows("escalation", "SELECT id, request_id, state FROM escalations")
        request_of = {row[0]: row[1] for row in climbs}
        of_live = Counter(request_of.values())
        assert {of_live[request_id] for request_id in self._live} == {1}
        told = await self.rows("escalation", "SELECT escalation_id, epoch, tier, repeat FROM steps")
        steps = Counter((request_of[row[0]], *row[1:]) for row in told)
        expected = {(r, 1, tier, 0) for r in self._live for tier, _ in self.people}
        assert {key: n for key, n in steps.items() if key[0] in self._live} == _once(expected)
        sent = await self.rows(
            "notify", "SELECT request_id, recipient, channel, state FROM deliveries"
        )
        found = Counter(tuple(row) for row in sent if row[0] in self._live)
        ways = {person: self.channels.get(person, "email") for _, person in self.people}
        people = {(r, person, way, "sent") for r in self._live for person, way in ways.items()}
        assert found == _once(people)

    async def _assert_what_was_said(self) -> None:
        """Every event once, numbered without gap, and heard to the end by whoever listens."""
        said: dict[tuple[str, str], int] = {}
        ids: Counter[str] = Counter()
        for service in NAMES:
            assert await self.rows(service, "SELECT event_id FROM held") == []
            unpublished = "SELECT id FROM outbox WHERE published_us IS NULL"
            assert await self.rows(service, unpublished) == []
            numbers: dict[str, list[int]] = defaultdict(list)
            for event_id, body in await self.rows(service, "SELECT event_id, body FROM outbox"):
                event = orjson.loads(body)
                ids[event_id] += 1
                numbers[event["subject"]].append(event["sequence"])
            for subject, found in numbers.items():
                assert sorted(found) == list(range(1, len(found) + 1)), (service, subject)
                said[(service, subject)] = len(found)
        assert set(ids.values()) == {1}, "an event was said twice"
        for service in NAMES:
            for subject, heard in await self.rows(service, 'SELECT "key", heard FROM subjects'):
                if subject in self.invented:
                    continue
                for publisher, position in orjson.loads(heard).items():
                    last = said.get((publisher, subject), 0)
                    assert position == last, f"{service} heard {publisher} up to {position}/{last}"


def _once(keys: set[Any]) -> dict[Any, int]:
    return dict.fromkeys(keys, 1)

"""`levee:call-web-service`: real calls to a real server (docs/bpmn-operations.md)."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from pydantic import SecretStr

from services.router.gateways.web import BadWebSecrets, SecretRefused, Secrets
from services.router.main import build
from services.router.settings import Settings
from tests.harness.receivers.faults import Code, Drop
from tests.harness.receivers.http import Received, Receiver, Reply
from tests.harness.services import Neighbour, at_work, caller, key_ring
from tests.harness.world import World, new_world
from tests.integration.test_router import BPMN, a_request
from tests.unit.router.workflow.builders import BEGIN, boundary, ends, io, job, path, user, xml

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from services.router.main import RouterService

STANDARD = 'id="standard-path" isExecutable="true"'
INCIDENTS = "/router/v1/incidents?state=open"
CALL = "levee:call-web-service"


class Shop(Receiver[Any]):
    """Answers every order with how many are left."""

    reply = Reply.json({"left": 3})

    def judge(self, received: Received) -> tuple[Reply, Any]:
        return self.reply, received

    def refusal(self, code: int, http_status: int | None) -> Reply:
        return Reply(http_status or code, headers={"retry-after": "7"})


@dataclass
class Scene:
    world: World
    intake: Neighbour
    api: httpx.AsyncClient
    service: RouterService
    shop: Shop

    async def call(self) -> int:
        assert self.service.web_worker is not None
        done = await self.service.web_worker.once()
        await self.world.settled()
        return done

    async def waits_at(self, request: Any) -> list[str]:
        told = (await self.api.get(f"/router/v1/requests/{request}")).json()
        return [i["element_id"] for i in told["work_items"] if i["state"] == "open"]

    async def incidents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.api.get(INCIDENTS)).json()["items"]
        return found


def calling(given: dict[str, str]) -> bytes:
    not_found = '<bpmn:errorEventDefinition errorRef="E_404"/>'
    return xml(
        BEGIN,
        job("order", CALL, io(given, {"left": "=body.left", "code": "=status"})),
        user("after", '="triage"'),
        user("unknown", '="triage"'),
        boundary("missing", "order", not_found),
        ends("e"),
        path("begin", "order", "after", "e"),
        path("missing", "unknown", "e"),
        roots='<bpmn:error id="E_404" name="unknown" errorCode="HTTP_404"/>',
        process=STANDARD,
    )


@asynccontextmanager
async def scene(
    folder: Path, given: dict[str, str], allow: bool = True, secrets: Any = None
) -> AsyncIterator[Scene]:
    world = new_world()
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(Shop(world.time.now))
        definitions = folder / "bpmn"
        shutil.copytree(BPMN, definitions)
        told = {"url": f'="{shop.origin}/orders"', **given}
        (definitions / "standard-path.bpmn").write_bytes(calling(told))
        kept = {name: {"hosts": [shop.origin], **s} for name, s in (secrets or {}).items()}
        settings = Settings(
            database_url=f"sqlite+aiosqlite:///{folder}/router.db",
            definitions_folder=definitions,
            outbound_allow=shop.place if allow else "",
            web_secrets=SecretStr(orjson.dumps(kept).decode()) if kept else None,
        )
        service = build(settings, world.given)
        ring, key = key_ring(folder, world)
        await stack.enter_async_context(at_work(service, world))
        api = await stack.enter_async_context(caller(service, ring, key))
        yield Scene(world, Neighbour(world, "intake"), api, service, shop)


async def test_a_service_is_called_once_and_its_answer_read(tmp_path: Path) -> None:
    given = {"body": "={title: request.title}", "headers": '={"X-Shop": "3"}'}
    async with scene(tmp_path, given) as s:
        request = s.world.ids.new()
        await s.intake.say(a_request(), request)

        assert await s.call() == 1
        assert await s.call() == 0

        [received] = s.shop.requests
        assert (received.method, received.path) == ("POST", "/orders")
        assert orjson.loads(received.body) == {"title": "邮件系统打不开"}
        assert received.headers["x-shop"] == "3"
        [done] = (await s.api.get("/router/v1/jobs?state=completed")).json()["items"]
        assert received.headers["idempotency-key"] == done["id"]
        assert await s.waits_at(request) == ["after"]


async def test_what_is_a_matter_of_time_is_tried_again_with_the_same_key(tmp_path: Path) -> None:
    async with scene(tmp_path, {}) as s:
        request = s.world.ids.new()
        await s.intake.say(a_request(), request)
        s.shop.fail_next(Code(503, 503))
        s.shop.fail_next(Drop())

        await s.call()
        await s.world.pass_time(6)
        assert await s.call() == 0
        await s.world.pass_time(1)
        await s.call()
        await s.world.pass_time(40)
        await s.call()

        keys = {r.headers["idempotency-key"] for r in s.shop.requests}
        assert (len(s.shop.requests), len(keys)) == (3, 1)
        assert await s.waits_at(request) == ["after"]
        assert await s.incidents() == []


async def test_a_no_reaches_its_boundary_event_and_any_other_becomes_an_incident(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, {}) as s:
        first, second = s.world.ids.new(), s.world.ids.new()
        s.shop.fail_next(Code(404, 404))
        s.shop.fail_next(Code(403, 403))
        await s.intake.say(a_request(), first)
        await s.call()
        await s.intake.say(a_request(number="R-2026-000002"), second)
        await s.call()

        assert await s.waits_at(first) == ["unknown"]
        [incident] = await s.incidents()
        assert (incident["request_id"], incident["code"]) == (str(second), "uncaught-error")
        assert incident["detail"] == "the service answered 403"


async def test_nothing_inside_the_house_is_called_unless_the_operator_lists_it(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, {}, allow=False) as s:
        await s.intake.say(a_request(), s.world.ids.new())

        await s.call()

        assert s.shop.requests == []
        [incident] = await s.incidents()
        assert "is not allowed" in incident["detail"]


async def test_a_secret_goes_where_it_belongs_and_nowhere_else(tmp_path: Path) -> None:
    secrets = {"crm": {"value": "s3cret"}}
    async with scene(tmp_path, {"secret": '="crm"'}, secrets=secrets) as s:
        request = s.world.ids.new()
        await s.intake.say(a_request(), request)
        await s.call()

        assert s.shop.requests[0].headers["authorization"] == "Bearer s3cret"
        shown = str((await s.api.get("/router/v1/jobs")).json())
        assert "s3cret" not in shown


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"secret": '="other"'}, "may not be sent"),
        ({"headers": '={Host: "evil"}'}, "is set by Levee"),
        ({"headers": '={"X-A": "a\\u000d\\u000aB: c"}'}, "no header"),
        ({"timeout_s": "=600"}, "timeout_s"),
        ({"url": '="file:///etc/passwd"'}, ""),
        ({"url": "=null"}, "url"),
    ],
)
async def test_what_cannot_be_called_waits_for_a_person(
    tmp_path: Path, given: dict[str, str], told: str
) -> None:
    async with scene(tmp_path, given) as s:
        await s.intake.say(a_request(), s.world.ids.new())

        await s.call()

        assert s.shop.requests == []
        [incident] = await s.incidents()
        assert incident["code"] == "job-failed"
        assert told in incident["detail"]


def test_secrets_of_a_host_are_not_sent_to_one_that_looks_like_it() -> None:
    kept = Secrets.parse('{"crm": {"value": "x", "hosts": ["crm.example.com"]}}')

    assert kept.header("crm", "https://crm.example.com/a") == ("Authorization", "Bearer x")
    assert kept.header("crm", "https://CRM.example.com:443/a")[0] == "Authorization"
    for url in (
        "http://crm.example.com/a",
        "https://crm.example.com.evil.com/",
        "https://crm.example.com@evil.com/",
        "https://evil.com/?https://crm.example.com",
        "https://crm.example.com:8443/",
        "https://crm.example.com\\@evil.com/",
        "nonsense",
    ):
        with pytest.raises(SecretRefused):
            kept.header("crm", url)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": {"value": "v3ry"}}', '{"a": {"value": "v3ry", "hosts": []}}']
)
def test_a_wrong_setting_is_refused_without_telling_secrets(text: str) -> None:
    with pytest.raises(BadWebSecrets) as refused:
        Secrets.parse(text)
    assert "v3ry" not in refused.value.sentence("en")

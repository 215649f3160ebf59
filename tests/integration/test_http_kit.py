"""What every API of ours promises: problem+json, limits, keys, health that tells the truth."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import orjson
import pytest
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.bus.port import Message
from shared.database.engine import Database
from shared.errors import Refused, Unavailable
from shared.http.auth import Caller, KeyRing, add_to_file, needs, new_key
from shared.http.kit import MAX_BODY_BYTES, Limit, json_answer
from tests.harness import dummies
from tests.harness.lab import Refusal, laboratory
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.conftest import ErrorLines
    from tests.harness.dummies import Dummy
    from tests.harness.lab import Lab


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=20)]
    count: Annotated[int, Field(ge=1)]
    anything: JsonValue = None


class TooSoon(Refused):
    """It is too soon for {what}."""

    zh = "现在处理{what}还太早。"


class Weary(Unavailable):
    """The neighbour is weary."""

    zh = "邻居累了。"
    retry_after_s = 7


def routes() -> APIRouter:
    added = APIRouter(prefix="/v1")

    @added.post("/echo")
    async def echo(body: Body) -> Response:
        return json_answer(body.model_dump(), 201)

    @added.get("/limit")
    async def limited(limit: Limit = 10) -> Response:
        return json_answer({"limit": limit})

    @added.get("/raise/{what}")
    async def raising(what: str) -> Response:
        if what == "refused":
            raise TooSoon(what="tea")
        if what == "unavailable":
            raise Weary
        raise ZeroDivisionError("nobody expected this")

    @added.get("/secret")
    async def secret(caller: Annotated[Caller, needs("work:read")]) -> Response:
        return json_answer({"name": caller.name})

    return added


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with laboratory(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}") as lab:
        lab.dummy.service.routes = [routes()]
        yield lab


@pytest.fixture
async def http(lab: Lab, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    ring = KeyRing(tmp_path / "keys.json", lab.world.time)
    app = lab.dummy.service.app(ring)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test/clock") as client:
        yield client


def is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    told: dict[str, Any] = answer.json()
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (told["status"], told["code"]) == (status, code)
    assert told["type"] == f"urn:levee:problem:{code}"
    assert told["request_id"] == answer.headers["x-request-id"]
    assert set(told["sentences"]) == {"zh-CN", "en"}
    return told


async def test_an_error_is_told_in_the_callers_language_with_code_and_parameters(
    http: httpx.AsyncClient,
) -> None:
    chinese = await http.get("/v1/raise/refused")
    english = await http.get("/v1/raise/refused", headers={"Accept-Language": "en-GB,zh;q=0.5"})
    asked = await http.get("/v1/raise/refused?lang=en")

    told = is_problem(chinese, 409, "too-soon")
    assert told["title"] == "现在处理tea还太早。"
    assert told["params"] == {"what": "tea"}
    assert told["instance"] == "/clock/v1/raise/refused"
    assert english.json()["title"] == asked.json()["title"] == "It is too soon for tea."


async def test_what_is_away_says_when_to_come_back(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/raise/unavailable")

    is_problem(answer, 503, "weary")
    assert answer.headers["retry-after"] == "7"


async def test_every_wrong_field_is_named_in_both_languages(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/echo", json={"title": "", "count": 0, "extra": 1})

    told = is_problem(answer, 422, "invalid")
    assert [error["path"] for error in told["errors"]] == ["/title", "/count", "/extra"]
    for error in told["errors"]:
        assert set(error["message"]) == {"zh-CN", "en"}
        assert error["detail"] == error["message"]["zh-CN"] != error["message"]["en"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b'{"title": "a", "count": 1} x',
        b'{"title": "\xff", "count": 1}',
        b'{"title": "a\\u0000b", "count": 1}',
        b'{"title": "a", "count": 1, "anything": ["\\ud800"]}',
        b'{"a":' * 50_000,
    ],
)
async def test_what_is_not_json_a_database_could_keep_is_malformed(
    http: httpx.AsyncClient, body: bytes
) -> None:
    answer = await http.post("/v1/echo", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == (422 if body == b"" else 400), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_backslash_before_u0000_is_text_like_any_other(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/v1/echo",
        content=b'{"title": "a\\\\u0000", "count": 1, "anything": "\\ud83d\\ude00"}',
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 201
    assert answer.json() == {"title": "a\\u0000", "count": 1, "anything": "😀"}


async def test_a_body_above_the_limit_is_refused_whether_announced_or_streamed(
    http: httpx.AsyncClient,
) -> None:
    fits = orjson.dumps({"title": "a", "count": 1, "anything": "x" * (MAX_BODY_BYTES - 100)})
    large = b" " * (MAX_BODY_BYTES + 1)

    async def stream(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), 60_000):
            yield body[start : start + 60_000]

    headers = {"Content-Type": "application/json"}
    announced = await http.post("/v1/echo", content=large, headers=headers)
    streamed = await http.post("/v1/echo", content=stream(large), headers=headers)
    good = await http.post("/v1/echo", content=stream(fits), headers=headers)

    assert is_problem(announced, 413, "too-large")["params"] == {"limit": MAX_BODY_BYTES}
    is_problem(streamed, 413, "too-large")
    assert good.status_code == 201


async def test_unknown_paths_and_methods_are_problems_too(http: httpx.AsyncClient) -> None:
    is_problem(await http.get("/v1/nowhere"), 404, "no-such-path")
    is_problem(await http.get("/v1/%00"), 404, "no-such-path")
    wrong_method = await http.delete("/v1/echo")

    is_problem(wrong_method, 405, "method-not-allowed")
    assert wrong_method.headers["allow"] == "POST"
    is_problem(await http.get("/v1/limit?limit=0"), 422, "invalid")
    is_problem(await http.get("/v1/limit?limit=%00"), 400, "malformed")


async def test_a_fault_of_ours_is_a_500_that_tells_nothing_but_its_id_and_is_logged(
    http: httpx.AsyncClient, announced_errors: ErrorLines
) -> None:
    announced_errors.expect("GET /clock/v1/raise/{what} failed")

    answer = await http.get("/v1/raise/fault", headers={b"X-Request-Id": b"mine-1 \xe9{"})

    told = is_problem(answer, 500, "internal-fault")
    assert told["request_id"] == "mine-1"
    assert "nobody expected" not in answer.text
    [record] = announced_errors.records
    assert record.exc_info is not None


async def test_each_call_has_an_id(http: httpx.AsyncClient) -> None:
    given = await http.get("/health", headers={"X-Request-Id": "abc-1"})
    made = [(await http.get("/health")).headers["x-request-id"] for _ in range(2)]
    hostile = await http.get("/health", headers={"X-Request-Id": '"}{' + "x" * 500})

    assert given.headers["x-request-id"] == "abc-1"
    assert len(set(made)) == 2
    assert hostile.headers["x-request-id"] == "x" * 61


async def test_keys_open_only_what_they_are_for_and_only_while_they_are_valid(
    lab: Lab, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    expires_at = lab.world.time.now() + timedelta(hours=1)
    good, kept = new_key("portal", ["work:read"], expires_at)
    other, other_kept = new_key("board", ["board:read"])

    async def ask(key: str | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return await http.get("/v1/secret", headers=headers)

    before = await ask(good)
    add_to_file(path, kept)
    add_to_file(path, other_kept)
    with_key = await ask(good)
    lacking = await ask(other)
    wrong = [await ask(key) for key in (None, "x", good[:-1], good + "x", f"levee_{kept['id']}_")]
    lab.world.time.advance(timedelta(hours=1))
    expired = await ask(good)
    path.unlink()
    gone = await ask(other)

    is_problem(before, 401, "unauthorized")
    assert with_key.json() == {"name": "portal"}
    assert is_problem(lacking, 403, "forbidden")["params"] == {"scope": "work:read"}
    for answer in [*wrong, expired, gone]:
        is_problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert path.exists() is False


@pytest.mark.announces("API key file")
async def test_a_slip_in_the_key_file_locks_nobody_out(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    key, kept = new_key("portal", ["*"])
    add_to_file(path, kept)
    headers = {"Authorization": f"Bearer {key}"}
    before = await http.get("/v1/secret", headers=headers)

    path.write_text('{"keys": [{"id": "half')
    after = await http.get("/v1/secret", headers=headers)

    assert (before.status_code, after.status_code) == (200, 200)


async def test_readiness_tells_what_works_and_what_waits(
    lab: Lab, http: httpx.AsyncClient, announced_errors: ErrorLines
) -> None:
    announced_errors.expect("set aside")
    ready = (await http.get("/ready")).json()
    lab.world.bus.disconnect()
    without_bus = await http.get("/ready")
    lab.world.bus.reconnect()
    key = lab.world.ids.new()
    await lab.hear(lab.event(key, 1, "refuse"), lab.event(key, 2))
    with_set_aside = (await http.get("/ready")).json()

    assert ready["status"] == "ready"
    assert without_bus.status_code == 200
    assert without_bus.json()["status"] == "degraded"
    assert without_bus.json()["checks"]["bus"]["is_well"] is False
    assert with_set_aside["status"] == "degraded"
    assert with_set_aside["checks"]["set_aside"] == {"is_well": False, "detail": "1 set aside"}
    assert with_set_aside["checks"]["parked"]["detail"].startswith("1 ")
    assert with_set_aside["counts"]["set_aside"] == 1


async def test_a_dead_loop_is_not_ready(
    lab: Lab, http: httpx.AsyncClient, announced_errors: ErrorLines
) -> None:
    announced_errors.expect("clock-consumer died")
    [consumer] = [t for t in lab.dummy.runtime._tasks if t.get_name() == "clock-consumer"]
    consumer.cancel()
    await asyncio.wait([consumer])

    answer = await http.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["loops"]["detail"] == "clock-consumer"
    assert (await http.get("/health")).status_code == 200


@pytest.mark.announces("set aside")
async def test_operators_list_replay_dismiss_and_skip_through_the_api(
    lab: Lab, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    key, kept = new_key("operator", ["operate"])
    add_to_file(tmp_path / "keys.json", kept)
    http.headers["Authorization"] = f"Bearer {key}"
    a, b, c = (lab.world.ids.new() for _ in range(3))
    await lab.hear(lab.event(a, 1, "refuse"), lab.event(b, 1, "refuse"), lab.event(c, 5))

    listed = (await http.get("/v1/setaside?limit=1")).json()
    parked = (await http.get("/v1/setaside?waiting=true")).json()
    ids = {held["request_id"]: held["event_id"] for held in
           (await http.get("/v1/setaside")).json()["items"]}  # fmt: skip
    too_soon = await http.post(f"/v1/setaside/{ids[str(a)]}/replay")
    lab.behaviour.is_strict = False
    replayed = await http.post(f"/v1/setaside/{ids[str(a)]}/replay")
    why = {"reason": "raised by mistake"}
    without_reason = await http.post(f"/v1/setaside/{ids[str(b)]}/dismiss")
    dismissed = await http.post(f"/v1/setaside/{ids[str(b)]}/dismiss", json=why)
    skipped = await http.post(
        "/v1/parked/skip", json={"request_id": str(c), "publisher": "intake", "sequence": 4}
    )
    gone = await http.post(f"/v1/setaside/{ids[str(b)]}/dismiss", json=why)
    settled = (await http.get("/v1/settled")).json()

    assert (listed["total"], listed["next_offset"], len(listed["items"])) == (2, 1, 1)
    assert listed["items"][0]["code"] == Refusal.code
    assert [held["sequence"] for held in parked["items"]] == [5]
    assert (too_soon.json()["is_done"], replayed.json()["is_done"]) == (False, True)
    is_problem(without_reason, 422, "invalid")
    assert dismissed.json()["is_done"] is True
    decisions = [(d["verb"], d["request_id"], d["by"], d["reason"]) for d in settled["items"]]
    assert decisions == [
        ("dismissed", str(b), "operator", "raised by mistake"),
        ("replayed", str(a), "operator", ""),
        ("replayed", str(a), "operator", ""),
    ]
    assert skipped.status_code == 200
    is_problem(gone, 404, "no-such-held-message")
    assert await lab.sequences(a) == [1]
    assert await lab.sequences(c) == [5]


@pytest.mark.announces("set aside")
async def test_operators_choose_look_into_and_replay_what_was_set_aside_for_one_reason(
    lab: Lab, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    key, kept = new_key("operator", ["operate"])
    add_to_file(tmp_path / "keys.json", kept)
    http.headers["Authorization"] = f"Bearer {key}"
    a, b = (lab.world.ids.new() for _ in range(2))
    await lab.hear(lab.event(a, 1, "refuse"), lab.event(b, 1, "refuse"), lab.event(a, 2))
    unreadable = Message("levee.intake.request.submitted.v1", lab.world.ids.new(), b"{no JSON")
    await lab.hear(unreadable)

    refused = (await http.get(f"/v1/setaside?code={Refusal.code}&limit=1")).json()
    about_b = (await http.get(f"/v1/setaside?request_id={b}")).json()["items"]
    of_no_type = (await http.get("/v1/setaside?type=request.closed.v1")).json()["items"]
    shown = (await http.get(f"/v1/setaside/{about_b[0]['event_id']}")).json()
    broken = (await http.get("/v1/setaside?code=unreadable")).json()["items"]
    raw = (await http.get(f"/v1/setaside/{broken[0]['event_id']}")).json()
    lab.behaviour.is_strict = False
    replayed = await http.post("/v1/setaside/replay", json={"code": Refusal.code})

    assert (refused["total"], len(refused["items"]), refused["next_offset"]) == (2, 1, 1)
    assert of_no_type == []
    assert shown["body"]["data"]["title"] == "refuse"
    assert raw["body"] == "{no JSON"
    told = replayed.json()
    assert (len(told["done"]), told["failed"]) == (2, [])
    assert await lab.sequences(a) == [1, 2]
    assert (await http.get("/v1/setaside")).json()["total"] == 1
    is_problem(await http.get("/v1/setaside/unknown"), 404, "no-such-held-message")


async def test_a_database_that_is_away_is_a_503_and_not_ready(tmp_path: Path) -> None:
    world = new_world()
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    dummy: Dummy = dummies.dummy("clock", database, world.given)  # no tables: nothing works

    told = await dummy.service.readiness()

    assert told["status"] == "not_ready"
    await database.close()

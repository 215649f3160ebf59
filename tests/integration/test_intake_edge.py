"""What intake refuses, in whose words, and what happens when something it needs is away."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from services.intake.store.tables import metadata, requests
from shared.database import migrations
from shared.database.engine import Database
from tests.harness.intake import Intake, a_post, intake_at_work
from tests.harness.postgres import PostgresServer
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx


@pytest.fixture
async def intake(tmp_path: Path) -> AsyncIterator[Intake]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'intake.db'}"
    async with intake_at_work(url, tmp_path, new_world()) as started:
        yield started


def findings(answer: httpx.Response) -> dict[str, str]:
    """Return rule by path of a refused body, checking that every word is there twice."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    for error in answer.json()["errors"]:
        assert error["message"]["zh-CN"] != error["message"]["en"]
        assert error["message"]["zh-CN"].strip()
    return {error["path"]: error["rule"] for error in answer.json()["errors"]}


async def test_every_wrong_field_is_named_with_its_path(intake: Intake) -> None:
    refused = await intake.post(
        source="portal",
        type="it-access",
        requester={"id": "", "tier": "very important", "mood": "angry"},
        title="x" * 301,
        description="bell\x07",
        urgency="huge",
        is_import="yes",
        nonsense=1,
    )

    assert findings(refused) == {
        "/requester/id": "blank",
        "/requester/tier": "string_pattern_mismatch",
        "/requester/mood": "extra_forbidden",
        "/title": "string_too_long",
        "/description": "control_characters",
        "/urgency": "enum",
        "/is_import": "bool_type",
        "/nonsense": "extra_forbidden",
    }


async def test_every_wrong_field_of_a_form_is_named_with_its_path(intake: Intake) -> None:
    form = {"level": "root", "seats": 0, "code": "ab-1", "colour": "red"}

    refused = await intake.post(**a_post(form=form))

    assert refused.json()["code"] == "form-not-valid"
    assert findings(refused) == {
        "/form/system": "required",
        "/form/level": "enum",
        "/form/seats": "minimum",
        "/form/code": "pattern",
        "/form/colour": "additionalProperties",
    }


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"external_id": "a\x07b"}, "/external_id"),
        ({"external_id": "x" * 201}, "/external_id"),
        ({"title": "   "}, "/title"),
        ({"description": "x" * 20_001}, "/description"),
        ({"channel": "carrier pigeon"}, "/channel"),
        ({"language": "中文"}, "/language"),
        ({"occurred_at": "2026-01-01T00:00:00"}, "/occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+08:00", "is_import": True}, "/occurred_at"),
        ({"callback": {"endpoint": "https://example.org"}}, "/callback/endpoint"),
        ({"form": {"x": list(range(3000))}}, "/form"),
        ({"form": []}, "/form"),
        ({"requester": {"id": "emp-1", "email": "nobody"}}, "/requester/email"),
    ],
)
async def test_values_outside_their_limits_are_refused(
    intake: Intake, changed: dict[str, Any], path: str
) -> None:
    assert list(findings(await intake.post(**a_post(**changed)))) == [path]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"a": NaN}', b'"\\ud800"', b"[" * 5000, "标题".encode("gb18030")],
)
async def test_what_is_not_json_is_told_so(intake: Intake, body: bytes) -> None:
    refused = await intake.api.post("/intake/v1/requests", content=body)

    assert refused.status_code in (400, 422)
    assert refused.json()["code"] in ("malformed", "invalid")


async def test_a_body_above_the_limit_is_refused(intake: Intake) -> None:
    refused = await intake.api.post("/intake/v1/requests", content=b"x" * 300_000)

    assert refused.status_code == 413


async def test_an_unknown_and_a_closed_type_are_told_apart(intake: Intake) -> None:
    unknown = await intake.post(**a_post(type="it-acess"))
    closed = await intake.post(**a_post(type="fax"))

    assert (unknown.status_code, closed.status_code) == (422, 422)
    assert unknown.json()["code"] == "unknown-type"
    assert unknown.json()["params"]["known"] == "fax, it-access, question"
    assert closed.json()["code"] == "type-closed"


async def test_errors_speak_the_callers_language(intake: Intake) -> None:
    for language, title in (("zh-CN", "没有请求"), ("en", "There is no request")):
        answer = await intake.api.get(
            "/intake/v1/requests/R-2026-000099", headers={"Accept-Language": language}
        )

        assert answer.status_code == 404
        assert answer.json()["title"].startswith(title)
        assert answer.json()["code"] == "no-such-request"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("reference", ["nonsense", "R-2026-x", "0" * 36])
async def test_what_names_no_request_is_not_found(intake: Intake, reference: str) -> None:
    read = await intake.api.get(f"/intake/v1/requests/{reference}")
    acted = await intake.post(f"requests/{reference}/withdraw")

    assert (read.status_code, acted.status_code) == (404, 404)


async def test_an_act_on_an_unknown_id_leaves_nothing_behind(intake: Intake) -> None:
    refused = await intake.post(f"requests/{intake.world.ids.new()}/confirm")

    assert refused.status_code == 404
    assert intake.said() == []


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "schlüssel"])
async def test_an_idempotency_key_is_short_and_visible(intake: Intake, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode())]

    refused = await intake.api.post("/intake/v1/requests", json=a_post(), headers=headers)

    assert list(findings(refused)) == ["/header/Idempotency-Key"]


@pytest.mark.parametrize("query", ["state=lost", "limit=0", "offset=-1", f"offset={2**63}"])
async def test_wrong_filters_are_named(intake: Intake, query: str) -> None:
    refused = await intake.api.get(f"/intake/v1/requests?{query}")

    assert list(findings(refused)) == [f"/query/{query.split('=')[0]}"]


@pytest.mark.parametrize("body", [{}, {"reason": " "}, {"reason": None}])
async def test_reopening_needs_a_reason(intake: Intake, body: dict[str, Any]) -> None:
    request_id = await intake.new()
    await intake.resolved(request_id)

    assert list(findings(await intake.post(f"requests/{request_id}/reopen", **body))) == ["/reason"]


@pytest.mark.parametrize("score", [0, 6, "5", 4.5])
async def test_a_rating_is_a_whole_number_from_one_to_five(intake: Intake, score: Any) -> None:
    request_id = await intake.new()

    refused = await intake.post(f"requests/{request_id}/rate", score=score)

    assert list(findings(refused)) == ["/score"]


async def test_each_path_asks_for_its_scope(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'intake.db'}"
    world = new_world()
    async with intake_at_work(url, tmp_path, world, scopes=("work:write",)) as intake:
        message = {"text": "hello", "author_id": "li"}
        unknown = f"requests/{world.ids.new()}/messages"

        post = await intake.post(**a_post())
        read = await intake.api.get("/intake/v1/requests")
        as_agent = await intake.post(unknown, author="agent", **message)
        as_requester = await intake.post(unknown, author="requester", **message)
        nobody = await intake.api.get("/intake/v1/catalogue", headers={"Authorization": "Bearer x"})

    assert [a.status_code for a in (post, read, as_agent, as_requester, nobody)] == [
        403,
        403,
        404,
        403,
        401,
    ]
    assert post.json()["params"] == {"scope": "requests:write"}


async def test_nothing_can_be_asked_before_a_catalogue_has_come(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'intake.db'}"
    async with intake_at_work(url, tmp_path, new_world(), has_catalogue=False) as intake:
        early = await intake.post(**a_post())
        shown = await intake.api.get("/intake/v1/catalogue")
        ready = (await intake.api.get("/intake/ready")).json()
        await intake.release()
        later = await intake.post(**a_post())

    assert (early.status_code, shown.status_code, later.status_code) == (503, 503, 201)
    assert early.json()["code"] == "catalogue-missing"
    assert early.headers["Retry-After"] == "5"
    assert ready["status"] == "degraded"


async def test_a_restarted_intake_knows_its_catalogue_and_goes_on_counting(
    tmp_path: Path,
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'intake.db'}"
    async with intake_at_work(url, tmp_path, new_world(1)) as intake:
        first = await intake.post(**a_post())
    (tmp_path / "keys.json").unlink()
    async with intake_at_work(url, tmp_path, new_world(2), has_catalogue=False) as intake:
        second = await intake.post(**a_post())

    assert second.status_code == 201
    assert second.json()["number"] > first.json()["number"]


async def test_without_the_bus_posts_are_kept_and_flow_later(intake: Intake) -> None:
    intake.world.bus.disconnect()
    answer = await intake.post(**a_post())
    before = intake.said("request.submitted.v1")

    intake.world.bus.reconnect()
    # What waits in the outbox counts as unsettled, so time is moved without asking.
    intake.world.time.advance(timedelta(seconds=1))
    await intake.world.settled()

    assert answer.status_code == 201
    assert before == []
    assert len(intake.said("request.submitted.v1")) == 1


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that may be killed, and that forgets nothing then."""
    with tempfile.TemporaryDirectory(prefix="levee-pg-") as folder:
        Path(folder).chmod(0o755)  # so that `nobody` reaches the data folder inside
        server = PostgresServer(Path(folder) / "server", is_durable=True)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.mark.postgres
async def test_without_the_database_nothing_is_promised_and_nothing_stored(
    own_postgres: PostgresServer, tmp_path: Path
) -> None:
    url = await own_postgres.create()
    async with intake_at_work(url, tmp_path, new_world()) as intake:
        kept = await intake.new()
        own_postgres.kill()

        refused = await asyncio.gather(*(intake.post(**a_post()) for _ in range(5)))
        act = await intake.post(f"requests/{kept}/withdraw")
        read = await intake.api.get(f"/intake/v1/requests/{kept}")
        ready = await intake.api.get("/intake/ready")
        own_postgres.start()

        assert {a.status_code for a in (*refused, act, read)} == {503}
        assert {a.json()["code"] for a in refused} == {"database-unavailable"}
        assert all("Retry-After" in a.headers for a in refused)
        assert ready.status_code == 503
        async with intake.service.runtime.database.reading() as connection:
            found = await connection.execute(select(func.count()).select_from(requests))
            assert found.scalar_one() == 1
        assert (await intake.post(**a_post())).status_code == 201


async def test_the_migrations_make_the_tables_the_code_knows(database_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = Database(database_url, is_durable=False)
    try:
        await migrations.upgrade("intake", database)
        async with database.reading() as connection:
            different = await connection.run_sync(
                lambda c: compare_metadata(MigrationContext.configure(c), metadata)
            )
    finally:
        await database.close()

    assert different == []

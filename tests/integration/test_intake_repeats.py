"""Whatever a caller repeats, a request is made once: keys, references, parallel duplicates."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from services.intake.domain.values import Asker, Post
from services.intake.store.tables import answers, kit, requests
from tests.harness.intake import CATALOGUE, Intake, a_post, intake_at_work
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy import Table


@pytest.fixture
async def intake(database_url: str, tmp_path: Path) -> AsyncIterator[Intake]:
    async with intake_at_work(database_url, tmp_path, new_world()) as started:
        yield started


async def rows(intake: Intake, table: Table) -> int:
    async with intake.service.runtime.database.reading() as connection:
        found = await connection.execute(select(func.count()).select_from(table))
        return int(found.scalar_one())


async def test_the_same_key_and_body_get_the_same_answer(intake: Intake) -> None:
    first = await intake.post(**a_post(), key="k-1")
    await intake.world.pass_time(3600)

    again = await intake.post(**a_post(), key="k-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert first.headers["Location"] == again.headers["Location"]
    assert len(intake.said("request.submitted.v1")) == 1


async def test_spelling_out_a_default_or_reordering_fields_is_the_same_body(
    intake: Intake,
) -> None:
    first = await intake.post(**a_post(), key="k-1")

    other = dict(reversed(a_post(urgency="medium").items()))
    again = await intake.post(**other, key="k-1")

    assert again.content == first.content


async def test_the_same_key_with_another_body_is_refused(intake: Intake) -> None:
    await intake.post(**a_post(), key="k-1")

    other = await intake.post(**a_post(title="something else"), key="k-1")

    assert other.status_code == 422
    assert other.json()["code"] == "idempotency-key-reused"
    assert await rows(intake, requests) == 1


async def test_a_key_used_for_a_post_cannot_be_used_for_an_act(intake: Intake) -> None:
    first = await intake.post(**a_post(), key="k-1")

    other = await intake.post(f"requests/{first.json()['id']}/withdraw", key="k-1")

    assert other.json()["code"] == "idempotency-key-reused"


async def test_a_refused_post_may_be_mended_under_the_same_key(intake: Intake) -> None:
    refused = await intake.post(**a_post(form={}), key="k-1")

    mended = await intake.post(**a_post(), key="k-1")

    assert (refused.status_code, mended.status_code) == (422, 201)


async def test_an_answer_outlives_the_type_it_was_for(intake: Intake) -> None:
    first = await intake.post(**a_post(), key="k-1")
    named = await intake.post(**a_post(external_id="T-1"))
    await intake.release(CATALOGUE.replace("key: it-access", "key: it-rights"), version=2)

    again = await intake.post(**a_post(), key="k-1")
    named_again = await intake.post(**a_post(external_id="T-1"))
    new = await intake.post(**a_post())

    assert again.content == first.content
    assert (named_again.status_code, named_again.json()["id"]) == (200, named.json()["id"])
    assert new.json()["code"] == "unknown-type"


async def test_a_repeated_act_happens_once(intake: Intake) -> None:
    request_id = await intake.new()
    path = f"requests/{request_id}/messages"
    body = {"text": "hello", "author": "requester", "author_id": "emp-1"}

    first = await intake.post(path, **body, key="m-1")
    again = await intake.post(path, **body, key="m-1")
    await intake.world.settled()

    assert first.content == again.content
    assert len(intake.said("message.posted.v1")) == 1


async def test_an_external_id_leads_to_the_request_it_made(intake: Intake) -> None:
    first = await intake.post(**a_post(external_id="T-1"))
    elsewhere = await intake.post(**a_post(external_id="T-1", source="crm"))

    same = await intake.post(**a_post(external_id="T-1"))
    other = await intake.post(**a_post(external_id="T-1", title="something else"))

    assert (same.status_code, same.json()) == (200, first.json())
    assert same.headers["Location"] == first.headers["Location"]
    assert elsewhere.status_code == 201
    assert other.status_code == 409
    assert other.json()["code"] == "external-id-taken"
    assert other.json()["params"]["number"] == first.json()["number"]
    assert first.json()["number"] in other.json()["sentences"]["zh-CN"]


async def test_fifty_parallel_posts_of_one_external_id_make_one_request(intake: Intake) -> None:
    before = await rows(intake, kit.subjects)
    posts = [intake.post(**a_post(external_id="T-1")) for _ in range(50)]

    told = await asyncio.gather(*posts)
    await intake.world.settled()

    assert Counter(a.status_code for a in told) == {201: 1, 200: 49}
    assert len({a.json()["number"] for a in told}) == 1
    assert len(intake.said("request.submitted.v1")) == 1
    # Nothing is left behind of the ids and numbers the duplicates were given.
    assert await rows(intake, kit.subjects) == before + 1
    assert (await intake.post(**a_post())).json()["number"] <= "R-2026-000050"


async def test_fifty_parallel_posts_with_one_key_make_one_request(intake: Intake) -> None:
    posts = [intake.post(**a_post(), key="k-1") for _ in range(50)]

    told = await asyncio.gather(*posts)
    later = await intake.post(**a_post(), key="k-1")

    made = [a for a in told if a.status_code == 201]
    busy = [a for a in told if a.status_code == 409]
    assert (len(made), len(busy)) == (1, 49)
    assert {a.json()["code"] for a in busy} == {"still-in-flight"}
    assert {a.headers["Retry-After"] for a in busy} == {"1"}
    assert later.content == made[0].content
    assert await rows(intake, requests) == 1


async def test_numbers_differ_and_count_up(intake: Intake) -> None:
    told = await asyncio.gather(*(intake.post(**a_post()) for _ in range(60)))

    numbers = sorted(a.json()["number"] for a in told)

    assert numbers == [f"R-2026-{count:06d}" for count in range(1, 61)]


async def test_answers_are_forgotten_after_their_time_and_not_before(intake: Intake) -> None:
    keeper = intake.service.runtime.keeper
    first = await intake.post(**a_post(), key="k-1")

    await intake.world.pass_time(2 * 86_400)
    await keeper.go_through()
    repeated = await intake.post(**a_post(), key="k-1")
    await intake.world.pass_time(15 * 60)
    await keeper.go_through()

    assert repeated.content == first.content
    assert await rows(intake, answers) == 0
    assert keeper.purged["answers"] == 1


async def test_callers_in_the_same_process_need_no_http(intake: Intake) -> None:
    desk = intake.service.desk
    post = Post("question", "log", Asker("emp-1"), "怎么休假？", external_id="T-1")

    made = await desk.submit(post)
    again = await desk.submit(post, "replay")

    assert (made.status, again.status) == (201, 200)
    shown = await intake.get("requests", external_id="T-1")
    assert shown["items"][0]["number"] == made.told["number"]


@pytest.mark.postgres
async def test_two_replicas_make_one_request_of_one_reference_and_one_key(
    postgres_url: str, tmp_path: Path
) -> None:
    """Each replica has a connection pool, numbers and in-flight calls of its own."""
    (tmp_path / "other").mkdir()
    async with (
        intake_at_work(postgres_url, tmp_path, new_world(1)) as one,
        intake_at_work(postgres_url, tmp_path / "other", new_world(2)) as two,
    ):
        both = (one, two)
        named = [
            replica.post(**a_post(external_id=f"T-{index % 10}"))
            for index in range(60)
            for replica in both
        ]
        told = await asyncio.gather(*named)
        keyed = await asyncio.gather(*(replica.post(**a_post(), key="k-1") for replica in both))

        assert Counter(a.status_code for a in told) == {201: 10, 200: 110}
        assert len({a.json()["number"] for a in told}) == 10
        # The two replicas are two callers: each has a key ring of its own.
        assert [a.status_code for a in keyed] == [201, 201]
        said = [r.said("request.submitted.v1") for r in both]
        assert sum(map(len, said)) == 12

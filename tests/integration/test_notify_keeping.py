"""The delivery log is kept for a time: what goes, what stays, and who still finds what."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from services.notify.store import tables
from tests.harness.notify import LINK, a_stage, ann, bob, mail
from tests.harness.receivers import SmtpFault, SmtpReceiver
from tests.harness.world import World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from tests.harness.notify import Stage

KEPT = timedelta(days=30)


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.fixture
async def post(world: World) -> AsyncIterator[SmtpReceiver]:
    async with SmtpReceiver(world.time.now) as listening:
        yield listening


@pytest.fixture
async def stage(
    world: World, post: SmtpReceiver, database_url: str, tmp_path: Path
) -> AsyncIterator[Stage]:
    """Notify on each database, which keeps its log for a month."""
    told = mail(post) | {"keep_deliveries_days": KEPT.days}
    async with a_stage(database_url, world, tmp_path, **told) as built:
        await built.introduce(ann(), bob())
        yield built


async def purge_after(stage: Stage, span: timedelta) -> int:
    """Let `span` pass and go through; return how many deliveries were forgotten in all."""
    stage.world.time.advance(span)
    await stage.world.settled()
    await stage.service.runtime.keeper.go_through()
    return stage.service.runtime.keeper.purged["deliveries"]


async def notifications(stage: Stage) -> list[Any]:
    async with stage.service.runtime.database.reading() as connection:
        return list((await connection.execute(select(tables.notifications))).all())


async def faults(stage: Stage) -> list[str]:
    """Return what an auditor finds wrong with notify's own rows."""
    accounts = stage.service.accounts
    assert accounts is not None
    told = await accounts.look([str(stage.request)], timedelta(seconds=60))
    return [fault["code"] for entry in told["items"] for fault in entry["faults"]]


async def test_finished_deliveries_go_and_an_auditor_still_finds_what_was_accepted(
    stage: Stage,
) -> None:
    await stage.tell("ann", "bob")
    before = await purge_after(stage, KEPT)
    await purge_after(stage, timedelta(minutes=11))

    (kept,) = await notifications(stage)
    assert (before, stage.service.runtime.keeper.purged["deliveries"]) == (0, 2)
    assert await stage.log() == []
    assert (kept.request_id, kept.body) == (str(stage.request), "")
    assert await faults(stage) == []


async def test_a_notification_of_which_something_waits_for_a_person_stays_whole(
    stage: Stage, post: SmtpReceiver
) -> None:
    post.fail_next(SmtpFault("rcpt", "550 5.1.1 unknown"))
    await stage.tell("ann", "bob")

    gone = await purge_after(stage, KEPT + timedelta(days=1))

    assert gone == 0
    assert sorted(d["state"] for d in await stage.log()) == ["sent", "set_aside"]
    (given_up,) = await stage.log(state="set_aside")
    answer = await stage.http.post(f"/notify/v1/deliveries/{given_up['id']}/resend")
    await stage.world.settled()
    assert answer.is_success
    assert len(post.messages) == 2

    assert await purge_after(stage, timedelta(minutes=11)) == 2
    assert await faults(stage) == []


async def test_what_was_asked_for_is_not_sent_again_once_its_delivery_is_forgotten(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.tell("ann")
    await purge_after(stage, KEPT + timedelta(days=1))

    await stage.tell("ann")  # the same notification, as a new event

    assert len(post.messages) == 1
    assert await faults(stage) == []


async def test_a_link_whose_delivery_is_forgotten_has_expired_and_is_no_forgery(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.tell("ann")
    found = LINK.search(post.messages[0].text)
    assert found is not None
    await purge_after(stage, KEPT + timedelta(days=1))
    stage.http.headers.pop("Authorization")

    answer = await stage.http.get(found[1])

    assert answer.status_code == 410
    assert stage.said("acted") == []

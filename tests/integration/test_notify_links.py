"""Links people press, links robots open, and what an acknowledgement stops."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from services.notify.domain.links import Signed
from services.notify.main import build
from shared.events.commands.notify import AcknowledgeLink
from shared.events.escalation import EscalationClosed, EscalationReleased
from tests.harness.notify import (
    ESCALATION,
    LINK,
    a_stage,
    ann,
    bob,
    in_file,
    mail,
    settings,
)
from tests.harness.receivers import SmtpFault, SmtpReceiver, WeComReceiver
from tests.harness.services import at_work, caller, key_ring
from tests.harness.waiting import until
from tests.harness.world import World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.harness.notify import Stage

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.fixture
async def post(world: World) -> AsyncIterator[SmtpReceiver]:
    async with SmtpReceiver(world.time.now) as listening:
        yield listening


@pytest.fixture
async def stage(world: World, post: SmtpReceiver, tmp_path: Path) -> AsyncIterator[Stage]:
    """Notify with a mail server; ann and bob are known."""
    given: dict[str, Any] = {**mail(post), "link_secret": SECRET}
    async with a_stage(in_file(tmp_path), world, tmp_path, **given) as built:
        await built.introduce(ann(), bob())
        yield built


def link_of(post: SmtpReceiver, address: str = "ann@example.com") -> str:
    """Return the path of the link in the last mail to somebody."""
    found = LINK.search(post.inbox(address)[-1].text)
    assert found is not None
    return found[1]


def without_key(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """Return the client of somebody who has the link and nothing else."""
    http.headers.pop("Authorization", None)
    return http


async def test_whoever_only_looks_acknowledges_nothing(stage: Stage, post: SmtpReceiver) -> None:
    await stage.tell("ann")
    anybody = without_key(stage.http)
    link = link_of(post)

    head = await anybody.head(link)
    first = await anybody.get(link)
    second = await anybody.get(link)
    await stage.world.settled()

    assert (head.status_code, head.text) == (200, "")
    assert first.status_code == second.status_code == 200
    assert "认领" in first.text
    assert "<form method=" in first.text
    assert "<script" not in first.text
    assert stage.said("acted") == []
    assert len(stage.said("seen")) == 1


async def test_a_page_behind_a_link_is_passed_on_kept_found_and_framed_by_nobody(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.tell("ann")

    headers = (await without_key(stage.http).get(link_of(post))).headers

    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-robots-tag"].startswith("noindex")
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_the_button_acknowledges_once_and_shows_the_same_afterwards(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.tell("ann")
    anybody, link = without_key(stage.http), link_of(post)

    pressed = await anybody.post(link)
    again = await anybody.post(link)
    later = await anybody.get(link)
    await stage.world.settled()

    assert "已认领" in pressed.text
    assert (pressed.status_code, again.status_code) == (200, 200)
    assert "您已于 2026-03-02 17:00 (Asia/Shanghai) 认领" in again.text
    assert "<form" not in later.text
    (acted,) = stage.said("acted")
    assert acted["actor"] == acted["recipient"] == "ann"
    assert (acted["escalation_id"], acted["epoch"]) == (str(ESCALATION), 1)
    assert acted["action"] == "acknowledge"


async def test_a_link_shows_who_took_it_over_instead_of_a_button(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.tell("ann")
    await stage.acknowledged(by="bob")
    anybody, link = without_key(stage.http), link_of(post)

    page, pressed = await anybody.get(link), await anybody.post(link)
    await stage.world.settled()

    assert "Bob took this over" in page.text
    assert "<form" not in page.text
    assert "Bob took this over" in pressed.text
    assert stage.said("acted") == []


async def test_a_link_of_an_escalation_that_is_over_says_so(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.tell("ann")
    closed = EscalationClosed(escalation_id=ESCALATION, reason="resolved")
    await stage.escalation.say(closed, stage.request)

    page = await without_key(stage.http).post(link_of(post))

    assert "This escalation is over" in page.text


async def test_an_expired_link_does_nothing_and_a_pressed_one_still_shows_its_outcome(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.tell("ann", "bob")
    anybody = without_key(stage.http)
    await anybody.post(link_of(post))
    await stage.world.pass_time(25 * 3600)

    of_ann = await anybody.get(link_of(post))
    of_bob = await anybody.post(link_of(post, "bob@example.com"))

    assert of_ann.status_code == 200
    assert of_bob.status_code == 410
    assert len(stage.said("acted")) == 1


async def test_a_forged_link_is_refused(stage: Stage, post: SmtpReceiver) -> None:
    await stage.tell("ann")
    (delivery,) = await stage.log()
    anybody = without_key(stage.http)
    expires_at = stage.world.time.now() + timedelta(hours=24)
    mine = Signed(UUID(delivery["id"]), ESCALATION, "ann", 1, expires_at)

    right = mine.token(SECRET.encode())
    forged = mine.token(b"a secret of mine, quite long indeed")
    answers = [await anybody.post(f"/notify/a/{token}") for token in (forged, "rubbish", "a" * 75)]

    assert f"/notify/a/{right}" == link_of(post)
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert "此链接无效" in answers[0].text
    assert stage.said("acted") == []


async def test_a_page_of_another_site_cannot_press_the_button(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.tell("ann")

    answer = await without_key(stage.http).post(
        link_of(post), headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 403
    assert stage.said("acted") == []


async def test_what_a_request_is_called_cannot_become_part_of_the_page(
    stage: Stage, post: SmtpReceiver
) -> None:
    parameters = {"number": "<img src=x onerror=alert(1)>", "reason": "breached"}
    await stage.tell("ann", parameters=parameters)

    page = await without_key(stage.http).get(link_of(post))

    assert "<img" not in page.text


async def test_links_outlive_a_restart_without_a_secret_of_the_operator(
    world: World, post: SmtpReceiver, tmp_path: Path
) -> None:
    url = in_file(tmp_path)
    async with a_stage(url, world, tmp_path, **mail(post)) as stage:
        await stage.introduce(ann())
        await stage.tell("ann")
    again = build(settings(url, **mail(post)), world.given)
    (tmp_path / "keys").mkdir()
    ring, key = key_ring(tmp_path / "keys", world)

    async with at_work(again, world), caller(again, ring, key) as http:
        page = await without_key(http).get(link_of(post))

    assert page.status_code == 200


async def test_an_acknowledgement_stops_what_waits(stage: Stage, post: SmtpReceiver) -> None:
    post.fail_next(SmtpFault("rcpt", "451 4.7.1 later"))
    await stage.tell("ann")
    await stage.acknowledged()
    await stage.world.pass_time(3600)

    assert post.messages == []
    assert stage.types() == ["accepted", "failed", "suppressed"]
    assert stage.said("suppressed")[0]["reason"] == "acknowledged"


async def test_an_acknowledgement_stops_what_waits_for_a_robots_limit(
    world: World, tmp_path: Path
) -> None:
    async with WeComReceiver(world.time.now) as robot:
        given: dict[str, Any] = {"outbound_allow": robot.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            await stage.introduce(ann("wecom_robot", wecom_robot=robot.url))
            for number in range(1, 31):
                await stage.tell("ann", number=number)
            await stage.acknowledged()
            await world.pass_time(3600)

            assert len(robot.requests) == 20
            assert len(stage.said("suppressed")) == 10


async def test_an_acknowledgement_during_an_attempt_keeps_it_from_being_repeated(
    stage: Stage, post: SmtpReceiver
) -> None:
    post.fail_next(SmtpFault("mail", is_held=True))
    await stage.tell("ann", is_awaited=False)
    await until(lambda: stage.service.sender is not None and stage.service.sender.running)
    await until(lambda: not post._faults)  # the server is at the step where it was told to wait
    post.fail_next(SmtpFault("rcpt", "451 4.7.1 later"))
    heard = stage.acknowledged()
    post.release()
    await heard
    await stage.world.pass_time(3600)

    assert post.messages == []
    assert stage.types()[-1] == "suppressed"


async def test_a_release_stops_its_epoch_and_not_the_next_one(
    stage: Stage, post: SmtpReceiver
) -> None:
    event = EscalationReleased(escalation_id=ESCALATION, reason="met_in_time", epoch=1)
    await stage.escalation.say(event, stage.request)
    await stage.tell("ann", number=1)

    expires_at = stage.world.time.now() + timedelta(hours=1)
    link = AcknowledgeLink(escalation_id=ESCALATION, epoch=2, expires_at=expires_at)
    await stage.tell("ann", number=2, acknowledge=link)

    assert stage.types() == ["suppressed", "accepted", "sent"]
    assert len(post.messages) == 1


async def test_a_link_of_what_was_reopened_has_its_button_although_somebody_had_taken_it_over(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.acknowledged()
    expires_at = stage.world.time.now() + timedelta(hours=1)
    link = AcknowledgeLink(escalation_id=ESCALATION, epoch=3, expires_at=expires_at)
    await stage.tell("ann", acknowledge=link)

    page = await without_key(stage.http).get(link_of(post))

    assert "<form" in page.text


async def test_a_message_whose_matter_is_over_is_not_sent_again(
    stage: Stage, post: SmtpReceiver
) -> None:
    post.fail_next(SmtpFault("rcpt", "550 5.1.1 unknown"))
    await stage.tell("ann")
    (lost,) = await stage.log()
    await stage.acknowledged()

    answer = await stage.http.post(f"/notify/v1/deliveries/{lost['id']}/resend")

    assert lost["state"] == "set_aside"
    assert (answer.status_code, answer.json()["code"]) == (409, "matter-is-over")


async def test_a_message_about_an_end_is_sent_although_everything_before_is_void(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.acknowledged()
    words = {"number": "R-1", "person": "Bob"}
    await stage.tell("ann", template="escalation.released", parameters=words, acknowledge=None)

    assert post.messages[0].mail["Subject"] == "R-1 已由 Bob 认领"

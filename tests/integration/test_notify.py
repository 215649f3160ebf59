"""Words, channels, retries and fail-over: messages reach real receivers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from services.notify.handlers import Desk
from services.notify.main import build
from shared.events.router import Team
from tests.harness.notify import (
    LINK,
    PortalReceiver,
    a_release,
    a_stage,
    ann,
    bob,
    in_file,
    mail,
    settings,
)
from tests.harness.receivers import (
    Answer,
    Code,
    DingTalkReceiver,
    Drop,
    Hold,
    SmtpFault,
    SmtpReceiver,
    WeComReceiver,
)
from tests.harness.services import at_work
from tests.harness.waiting import until
from tests.harness.world import World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from services.notify.channels import Outcome, Outgoing
    from tests.conftest import ErrorLines
    from tests.harness.notify import Stage


MAIL = {"email": "ann@example.com"}


class Broken:
    """A channel with a mistake in it."""

    async def send(self, message: Outgoing) -> Outcome:
        raise KeyError(message.channel)


DESK = Team(id="desk", name={"zh-CN": "服务台", "en": "Desk"})


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
    async with a_stage(in_file(tmp_path), world, tmp_path, **mail(post)) as built:
        await built.introduce(ann(), bob(), teams=(DESK,))
        yield built


async def test_people_are_told_in_their_language_and_zone(
    world: World, post: SmtpReceiver, database_url: str, tmp_path: Path
) -> None:
    async with a_stage(database_url, world, tmp_path, **mail(post)) as stage:
        await stage.introduce(ann(), bob(), teams=(DESK,))
        await stage.tell("ann", "bob")

        (to_ann,), (to_bob,) = post.inbox("ann@example.com"), post.inbox("bob@example.com")
        assert to_ann.mail["Subject"] == "[P2] R-2026-000001 需要处理：首次响应已超时"
        assert "团队 服务台" in to_ann.text
        assert "截止时间：2026-03-02 17:00 (Asia/Shanghai)" in to_ann.text
        assert to_bob.mail["Subject"] == "[P2] R-2026-000001 needs you: first response is overdue"
        assert "2026-03-02 04:00 (America/New_York)" in to_bob.text
        assert LINK.findall(to_ann.text) != LINK.findall(to_bob.text)
        assert sorted(stage.types()) == ["accepted", "accepted", "sent", "sent"]
        sent = stage.said("sent")[0]
        assert (sent["attempts"], sent["is_possibly_repeated"]) == (1, False)
        (delivery,) = await stage.log(recipient="ann")
        assert to_ann.message_id == f"<{delivery['id']}@house.example>"
        assert to_ann.mail["References"] == f"<{stage.request}@house.example>"


async def test_a_notification_that_is_asked_for_twice_is_sent_once(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.tell("ann", "ann")
    await stage.tell("ann")

    assert len(post.messages) == 1


async def test_a_mail_server_that_is_busy_is_asked_again(stage: Stage, post: SmtpReceiver) -> None:
    post.fail_next(SmtpFault("rcpt", "451 4.7.1 later"), times=2)
    await stage.tell("ann")
    waiting = (await stage.log())[0]
    await stage.world.pass_time(5)
    between = len(post.messages)
    await stage.world.pass_time(30)

    assert (waiting["state"], waiting["waits_for"]) == ("accepted", "retry")
    assert (between, len(post.messages)) == (0, 1)
    assert [f["is_final"] for f in stage.said("failed")] == [False, False]
    assert stage.said("sent")[0]["attempts"] == 3


async def test_a_mail_that_may_have_arrived_is_sent_again_under_its_id_and_marked(
    stage: Stage, post: SmtpReceiver
) -> None:
    post.fail_next(SmtpFault("data"))
    await stage.tell("ann")
    await stage.world.pass_time(5)

    assert len(post.messages) == 2
    assert len(post.inbox("ann@example.com")) == 1
    assert stage.said("sent")[0]["is_possibly_repeated"] is True


async def test_a_channel_that_refuses_hands_over_to_the_next_at_once(
    world: World, post: SmtpReceiver, tmp_path: Path
) -> None:
    async with WeComReceiver(world.time.now) as robot:
        given: dict[str, Any] = {**mail(post), "outbound_allow": robot.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            unknown = robot.robot_url("no-such-key")
            person = ann("wecom_robot", "email", wecom_robot=unknown, email="ann@example.com")
            await stage.introduce(person)
            await stage.tell("ann")

            assert len(post.inbox("ann@example.com")) == 1
            assert stage.types() == ["accepted", "failed", "accepted", "sent"]
            assert stage.said("failed")[0]["provider_code"] == "93000"
            states = {d["channel"]: d["state"] for d in await stage.log()}
            assert states == {"wecom_robot": "failed", "email": "sent"}


async def test_what_every_channel_lost_is_set_aside_and_can_be_sent_again(
    stage: Stage, post: SmtpReceiver
) -> None:
    post.fail_next(SmtpFault("rcpt", "451 4.7.1 later"), times=5)
    await stage.tell("ann")
    await stage.world.pass_time(5 + 30 + 120 + 600 + 1)
    (given_up,) = await stage.log(state="set_aside")
    ready = (await stage.http.get("/notify/ready")).json()

    answer = await stage.http.post(f"/notify/v1/deliveries/{given_up['id']}/resend")
    await stage.world.settled()
    again = await stage.http.post(f"/notify/v1/deliveries/{given_up['id']}/resend")

    assert [f["is_final"] for f in stage.said("failed")] == [False] * 4 + [True]
    assert stage.said("set_aside")[0]["reason"] == "451"
    assert ready["checks"]["given_up"]["is_well"] is False
    assert answer.status_code == 200
    assert len(post.messages) == 1
    assert again.status_code == 409


async def test_what_went_on_to_mail_is_not_mailed_again_when_the_robot_is_asked_again(
    world: World, post: SmtpReceiver, tmp_path: Path
) -> None:
    async with WeComReceiver(world.time.now) as robot:
        given: dict[str, Any] = {**mail(post), "outbound_allow": robot.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            await stage.introduce(ann("wecom_robot", "email", wecom_robot=robot.url, **MAIL))
            robot.fail_next(Code(93000), times=2)
            await stage.tell("ann")
            by_channel = {d["channel"]: d for d in await stage.log()}

            path = f"/notify/v1/deliveries/{by_channel['wecom_robot']['id']}/resend"
            answer = await stage.http.post(path)
            await world.settled()

            assert answer.status_code == 200
            assert len(robot.requests) == 2
            assert len(post.inbox("ann@example.com")) == 1
            now = {d["channel"]: d["state"] for d in await stage.log()}
            assert now == {"wecom_robot": "set_aside", "email": "sent"}


async def test_what_was_lost_with_its_sender_each_time_goes_another_way(
    world: World, post: SmtpReceiver, tmp_path: Path
) -> None:
    url = in_file(tmp_path)
    async with WeComReceiver(world.time.now) as robot:
        given: dict[str, Any] = {**mail(post), "outbound_allow": robot.place}
        async with a_stage(url, world, tmp_path, **given) as stage:
            await stage.introduce(ann("wecom_robot", "email", wecom_robot=robot.url, **MAIL))
            robot.fail_next(Hold())
            await stage.tell("ann", is_awaited=False)
            await robot.received(1)
            assert stage.service.sender is not None
            await stage.service.sender.abandon()
        robot.release()
        # As it stands when four more attempts went the same way.
        with closing(sqlite3.connect(tmp_path / "notify.db")) as store, store:
            store.execute("UPDATE deliveries SET body = json_set(body, '$.attempts', 5)")

        async with at_work(build(settings(url, **given), world.given), world):
            await world.pass_time(121)

        assert len(robot.requests) == 1
        assert len(post.inbox("ann@example.com")) == 1
        assert stage.said("failed")[0]["reason"] == "no_outcome"


async def test_a_channel_that_breaks_is_noted_like_any_other_failure(
    stage: Stage, announced_errors: ErrorLines
) -> None:
    announced_errors.expect("channel email failed")
    assert stage.service.sender is not None
    stage.service.sender.carry_with(Desk(stage.service.runtime, {"email": Broken()}).carry)
    await stage.tell("ann")

    (delivery,) = await stage.log()
    assert (delivery["attempts"], delivery["waits_for"]) == (1, "retry")
    assert delivery["provider_code"] == "channel_failed"


async def test_without_a_mail_server_mail_fails_with_a_reason_people_can_act_on(
    world: World, tmp_path: Path
) -> None:
    async with a_stage(in_file(tmp_path), world, tmp_path) as stage:
        await stage.introduce(ann())
        await stage.tell("ann")
        ready = (await stage.http.get("/notify/ready")).json()

        assert stage.types() == ["accepted", "failed", "set_aside"]
        assert stage.said("set_aside")[0]["reason"] == "email_not_configured"
        assert ready["checks"]["mail"]["is_well"] is False


async def test_in_record_mode_nothing_leaves_and_everybody_is_told_so(
    world: World, post: SmtpReceiver, tmp_path: Path
) -> None:
    given: dict[str, Any] = {**mail(post), "delivery": "record"}
    async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
        await stage.introduce(ann())
        await stage.tell("ann")
        log = (await stage.http.get("/notify/v1/deliveries")).json()
        ready = (await stage.http.get("/notify/ready")).json()

        assert post.messages == []
        assert stage.types() == ["accepted", "sent"]
        assert stage.said("sent")[0]["provider_code"] == "recorded"
        assert log["mode"] == "record"
        assert "nothing leaves" in ready["checks"]["delivery"]["detail"]


async def test_a_team_is_told_by_its_signed_robot(world: World, tmp_path: Path) -> None:
    async with DingTalkReceiver(world.time.now, secret="SECtest0123456789") as robot:
        given: dict[str, Any] = {"outbound_allow": robot.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            address = {"dingtalk_robot": f"{robot.url}#SECtest0123456789"}
            await stage.introduce(teams=(DESK.model_copy(update={"channels": address}),))
            await stage.tell("team:desk")

            assert stage.types() == ["accepted", "sent"]
            assert "R-2026-000001 需要处理" in robot.messages[0].text


async def test_another_system_gets_signed_values_and_no_words(world: World, tmp_path: Path) -> None:
    async with PortalReceiver(world.time.now) as hook:
        given: dict[str, Any] = {"outbound_allow": hook.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, is_bare=True, **given) as stage:
            await stage.register("portal", hook)
            await stage.status("portal")

            (message,) = hook.messages
            assert message.body == {
                "type": "request.status",
                "timestamp": world.time.now().isoformat(),
                "data": {
                    "notification_id": str(UUID(int=1001)),
                    "request_id": str(stage.request),
                    "number": "R-2026-000001",
                    "state": "resolved",
                },
            }
            assert message.webhook_id == (await stage.log())[0]["id"]


async def test_a_webhook_that_stayed_silent_gets_the_same_id_and_shows_it_once(
    world: World, tmp_path: Path
) -> None:
    async with PortalReceiver(world.time.now) as hook:
        given: dict[str, Any] = {"outbound_allow": hook.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            await stage.register("portal", hook)
            hook.fail_next(Drop())
            await stage.status("portal")
            await world.pass_time(5)

            ids = {request.headers["webhook-id"] for request in hook.requests}
            assert (len(hook.requests), len(ids), len(hook.messages)) == (2, 1, 1)
            assert stage.said("sent")[0]["is_possibly_repeated"] is True


async def test_an_endpoint_that_asks_never_to_be_called_again_is_not(
    world: World, tmp_path: Path
) -> None:
    async with PortalReceiver(world.time.now) as hook:
        given: dict[str, Any] = {"outbound_allow": hook.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            await stage.register("portal", hook)
            hook.fail_next(Answer(410))
            await stage.status("portal")
            await stage.status("portal", number=2)

            assert len(hook.requests) == 1
            reasons = [said["reason"] for said in stage.said("set_aside")]
            assert reasons == ["http_410", "endpoint_disabled"]
            shown = (await stage.http.get("/notify/v1/webhooks")).json()["items"]
            assert shown[0]["disabled_at"] is not None


async def test_a_provider_that_asks_for_time_gets_it(world: World, tmp_path: Path) -> None:
    async with PortalReceiver(world.time.now) as hook:
        given: dict[str, Any] = {"outbound_allow": hook.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            await stage.register("portal", hook)
            hook.fail_next(Answer(503, headers={"retry-after": "90"}))
            await stage.status("portal")
            await world.pass_time(89)
            before = len(hook.requests)
            await world.pass_time(1)

            assert (before, len(hook.messages)) == (1, 1)


async def test_a_robot_that_is_exhausted_is_left_alone_by_everybody_for_its_time(
    world: World, tmp_path: Path
) -> None:
    async with WeComReceiver(world.time.now) as robot:
        given: dict[str, Any] = {"outbound_allow": robot.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            await stage.introduce(ann("wecom_robot", wecom_robot=robot.url))
            robot.fail_next(Code(45009))
            await stage.tell("ann", number=1)
            await stage.tell("ann", number=2)
            waiting = {entry["waits_for"] for entry in await stage.log()}
            calls = len(robot.requests)
            await world.pass_time(60)

            assert calls == 1
            assert waiting == {"retry", "limit"}
            assert len(robot.messages) == 2


async def test_an_urgent_page_does_not_wait_out_a_robots_pause_when_mail_is_free(
    world: World, post: SmtpReceiver, tmp_path: Path
) -> None:
    async with DingTalkReceiver(world.time.now) as robot:
        given: dict[str, Any] = {**mail(post), "outbound_allow": robot.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            person = ann("dingtalk_robot", "email", dingtalk_robot=robot.url, **MAIL)
            await stage.introduce(person)
            robot.fail_next(Code(130101))
            await stage.tell("ann", number=1, is_urgent=True)
            await stage.tell("ann", number=2, is_urgent=True)

            assert len(robot.requests) == 1
            assert len(post.inbox("ann@example.com")) == 2
            finals = [said["reason"] for said in stage.said("failed") if said["is_final"]]
            assert finals == ["130101", "cooling_down"]


async def test_a_storm_of_a_hundred_keeps_the_robots_limit_and_loses_nothing(
    world: World, tmp_path: Path
) -> None:
    async with WeComReceiver(world.time.now) as robot:
        given: dict[str, Any] = {"outbound_allow": robot.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            await stage.introduce(ann("wecom_robot", wecom_robot=robot.url))
            for number in range(1, 101):
                await stage.tell("ann", number=number, request=world.ids.new())
            at_once = len(robot.messages)
            await world.pass_time(10 * 60)

            assert at_once == 20
            assert len(robot.requests) == len(robot.messages) == 100
            assert len({message.text.split(" ")[1] for message in robot.messages}) == 100
            moments = [message.at for message in robot.messages]
            for first, last in zip(moments, moments[20:], strict=False):
                assert (last - first).total_seconds() > 60
            assert {entry["attempts"] for entry in await stage.log()} == {1}


async def test_a_slow_provider_does_not_delay_another(
    world: World, post: SmtpReceiver, tmp_path: Path
) -> None:
    async with WeComReceiver(world.time.now) as robot:
        given: dict[str, Any] = {**mail(post), "outbound_allow": robot.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            await stage.introduce(ann("wecom_robot", wecom_robot=robot.url), bob())
            robot.fail_all(Hold())
            for number in range(1, 11):
                request = world.ids.new()
                await stage.tell("ann", number=number, request=request, is_awaited=False)
            await robot.received(2)
            await stage.tell("bob", number=11, is_awaited=False)
            await until(lambda: post.messages)

            assert len(robot.requests) == 2
            robot.recover()
            await world.settled()
            assert len(robot.messages) == 10


async def test_a_kill_between_sending_and_knowing_repeats_once_and_marks_it(
    world: World, database_url: str, tmp_path: Path
) -> None:
    async with PortalReceiver(world.time.now) as hook:
        given: dict[str, Any] = {"outbound_allow": hook.place}
        async with a_stage(database_url, world, tmp_path, **given) as stage:
            await stage.register("portal", hook)
            hook.fail_next(Hold())
            await stage.status("portal", is_awaited=False)
            await hook.received(1)
            assert stage.service.sender is not None
            await stage.service.sender.abandon()
        told_before = stage.types()
        hook.release()
        again = build(settings(database_url, **given), world.given)

        async with at_work(again, world):
            await world.pass_time(121)

        assert told_before == ["accepted"]
        assert stage.types() == ["accepted", "sent"]
        assert stage.said("sent")[0]["is_possibly_repeated"] is True
        ids = {request.headers["webhook-id"] for request in hook.requests}
        assert (len(hook.requests), len(ids), len(hook.messages)) == (2, 1, 1)


async def test_a_kill_before_anything_was_sent_loses_nothing(
    world: World, post: SmtpReceiver, tmp_path: Path
) -> None:
    url = in_file(tmp_path)
    async with a_stage(url, world, tmp_path, **mail(post)) as stage:
        await stage.introduce(ann())
        assert stage.service.sender is not None
        await stage.service.sender.abandon()
        await stage.tell("ann", is_awaited=False)
        await until(stage.log)
    again = build(settings(url, **mail(post)), world.given)

    async with at_work(again, world):
        await world.pass_time(121)

    assert len(post.messages) == 1
    assert stage.said("sent")[0]["is_possibly_repeated"] is False


async def test_what_has_expired_is_not_sent_any_more(stage: Stage, post: SmtpReceiver) -> None:
    await stage.tell("ann", expires_at=stage.world.time.now())

    assert post.messages == []
    assert stage.types() == ["suppressed"]
    assert stage.said("suppressed")[0]["reason"] == "expired"


async def test_a_template_nobody_wrote_is_set_aside_until_somebody_does(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.tell("ann", template="request.praise")
    (lost,) = await stage.log()
    written = """
key: templates
templates:
  - {key: request.praise, subject: {en: "{number}"}, text: {en: "Well done, {nobody}."}}
"""
    await stage.router.say(a_release(written, version=2), "templates/templates")
    await stage.http.post(f"/notify/v1/deliveries/{lost['id']}/resend")
    await stage.world.settled()

    assert (lost["state"], lost["reason"]) == ("set_aside", "unknown_template")
    assert post.messages[0].text == "Well done, {nobody}."


async def test_somebody_without_an_address_is_set_aside_and_reached_once_there_is_one(
    stage: Stage, post: SmtpReceiver
) -> None:
    await stage.introduce(ann(sms="138"), version=2)
    await stage.tell("ann", "ghost")
    lost = {entry["recipient"]: entry for entry in await stage.log()}
    await stage.introduce(ann(), version=3)
    answer = await stage.http.post(f"/notify/v1/deliveries/{lost['ann']['id']}/resend")
    await stage.world.settled()

    assert lost["ann"]["reason"] == "no_address"
    assert lost["ghost"]["reason"] == "unknown_recipient"
    assert answer.json()["channel"] == "email"
    assert len(post.inbox("ann@example.com")) == 1


async def test_without_directory_and_templates_a_page_waits_for_them(
    world: World, post: SmtpReceiver, tmp_path: Path
) -> None:
    async with a_stage(in_file(tmp_path), world, tmp_path, is_bare=True, **mail(post)) as stage:
        await stage.tell("ann")
        before = stage.types()
        await stage.introduce(ann())
        await stage.router.say(a_release(), "templates/templates")
        await world.pass_time(60)

        assert before == []
        assert len(post.messages) == 1


async def test_endpoints_are_checked_named_once_and_their_secret_is_shown_once(
    world: World, tmp_path: Path
) -> None:
    async with PortalReceiver(world.time.now) as hook:
        given: dict[str, Any] = {"outbound_allow": hook.place}
        async with a_stage(in_file(tmp_path), world, tmp_path, **given) as stage:
            made = await stage.register("portal", hook)
            path = "/notify/v1/webhooks"
            twice = await stage.http.post(path, json={"name": "portal", "url": hook.url})
            inside = await stage.http.post(
                path, json={"name": "evil", "url": "http://169.254.169.254/latest"}
            )
            listed = (await stage.http.get(path)).json()["items"]
            gone = await stage.http.delete(f"{path}/{made['id']}")
            missing = await stage.http.delete(f"{path}/{made['id']}")

            assert made["secret"].startswith("whsec_")
            assert (twice.status_code, inside.status_code) == (409, 422)
            assert inside.json()["errors"][0]["path"] == "/url"
            assert "secret" not in listed[0]
            assert (gone.status_code, missing.status_code) == (204, 404)


async def test_the_log_is_filtered_paged_and_shows_no_addresses(stage: Stage) -> None:
    await stage.tell("ann", "bob")
    every = (await stage.http.get("/notify/v1/deliveries", params={"limit": 1})).json()
    wrong = await stage.http.get("/notify/v1/deliveries", params={"state": "lost"})

    assert (every["total"], every["next_offset"]) == (2, 1)
    assert len(await stage.log(recipient="bob", state="sent")) == 1
    assert await stage.log(request_id=str(UUID(int=4))) == []
    assert wrong.status_code == 422
    assert "example.com" not in str(every)

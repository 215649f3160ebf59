"""The chat robots against receivers that enforce their providers' rules."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from services.notify.channels import (
    LIMITS,
    Bucket,
    Channel,
    DingTalkRobot,
    FeishuRobot,
    Outcome,
    WeComRobot,
)
from services.notify.channels.limits import free_at, take
from shared.http.client import OutboundClient
from shared.time_source import ManualTime
from tests.harness.receivers import (
    Answer,
    Code,
    DingTalkReceiver,
    Drop,
    FeishuReceiver,
    Hold,
    Stall,
    WeComReceiver,
)
from tests.unit.notify.channels.builders import NOW, a_client, a_message, now

Robot = WeComReceiver | DingTalkReceiver | FeishuReceiver
SECRET = "SECtest0123456789"
CHANNELS: dict[type[Robot], Callable[[OutboundClient, float], Channel]] = {
    WeComReceiver: lambda client, timeout_s: WeComRobot(client, now, timeout_s),
    DingTalkReceiver: lambda client, timeout_s: DingTalkRobot(client, now, timeout_s),
    FeishuReceiver: lambda client, timeout_s: FeishuRobot(client, now, timeout_s),
}

NAMES: dict[type[Robot], str] = {
    WeComReceiver: "wecom_robot",
    DingTalkReceiver: "dingtalk_robot",
    FeishuReceiver: "feishu_robot",
}


@pytest.fixture(params=["wecom", "dingtalk", "feishu"])
async def robot(request: pytest.FixtureRequest) -> AsyncIterator[Robot]:
    robots: dict[str, Robot] = {
        "wecom": WeComReceiver(now),
        "dingtalk": DingTalkReceiver(now, secret=SECRET),
        "feishu": FeishuReceiver(now, secret=SECRET),
    }
    async with robots[str(request.param)] as listening:
        yield listening


async def send(
    robot: Robot,
    text: str = "工资单打不开",
    *,
    address: str | None = None,
    secret: str | None = SECRET,
    subject: str = "",
    mentions: tuple[str, ...] = (),
    timeout_s: float = 5.0,
) -> Outcome:
    client = a_client(robot.place)
    message = a_message(
        address or robot.url, secret=secret, subject=subject, text=text, mentions=mentions
    )
    return await CHANNELS[type(robot)](client, timeout_s).send(message)


async def test_a_message_arrives_as_it_was_written(robot: Robot) -> None:
    outcome = await send(robot, "第一行\n第二行 “引号” <b>", subject="【P1】工资单")

    assert outcome.kind == "accepted"
    assert outcome.provider_code == "0"
    assert [message.text for message in robot.messages] == [
        "【P1】工资单\n第一行\n第二行 “引号” <b>"
    ]


async def test_a_long_message_is_taken_and_keeps_its_link(robot: Robot) -> None:
    link = "https://levee.example/r/R-2026-000123"

    outcome = await send(robot, '字"\n' * 9000 + link, mentions=("13800138000", "u1", "@all"))

    assert outcome.kind == "accepted"
    assert link in robot.messages[0].text
    assert "shortened" in robot.messages[0].text


async def test_half_a_character_from_a_careless_portal_does_no_harm(robot: Robot) -> None:
    outcome = await send(robot, "坏字符 \ud83d 之后", mentions=("a\ud83d",))

    assert outcome.kind == "accepted"
    assert robot.messages[0].text.startswith("坏字符 \ufffd 之后")


async def test_a_robot_nobody_knows_is_a_refusal_by_the_address(robot: Robot) -> None:
    outcome = await send(robot, address=robot.robot_url("other"))

    assert (outcome.kind, outcome.fault) == ("refused", "address")


async def test_an_address_inside_the_house_is_refused_before_anything_is_sent(
    robot: Robot,
) -> None:
    outcome = await CHANNELS[type(robot)](a_client(), 5.0).send(a_message(robot.url, secret=SECRET))

    assert outcome == Outcome("refused", "address_not_public", fault="address")
    assert robot.requests == []


async def test_nobody_listening_can_be_tried_again(robot: Robot) -> None:
    url = robot.url
    client = a_client(robot.place)
    await robot.stop()

    outcome = await CHANNELS[type(robot)](client, 5.0).send(a_message(url))

    assert (outcome.kind, outcome.provider_code) == ("retry", "not_reached")


async def test_silence_after_the_message_was_taken_is_doubt(robot: Robot) -> None:
    robot.fail_next(Drop())

    outcome = await send(robot)

    assert outcome.kind == "unknown"
    assert len(robot.messages) == 1


@pytest.mark.parametrize("fault", [Hold(), Stall()])
async def test_an_answer_that_does_not_come_in_time_is_doubt(
    robot: Robot, fault: Hold | Stall
) -> None:
    robot.fail_next(fault)

    outcome = await send(robot, timeout_s=0.4)

    assert outcome.kind == "unknown"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<html>welcome to the hotel</html>", "unknown"),
        (200, b"[]", "unknown"),
        (200, b"{}", "unknown"),
        (200, b'{"errcode":true,"code":"0"}', "unknown"),
        (302, b"", "refused"),
        (404, b"", "refused"),
        (429, b"", "retry"),
        (500, b"", "retry"),
        (502, b"", "unknown"),
        (503, b"", "retry"),
        (504, b"", "unknown"),
    ],
)
async def test_an_answer_that_is_not_the_robots_is_never_a_success(
    robot: Robot, status: int, body: bytes, kind: str
) -> None:
    robot.fail_next(Answer(status, body))

    assert (await send(robot)).kind == kind


async def test_a_code_nobody_has_written_down_is_a_refusal(robot: Robot) -> None:
    robot.fail_next(Code(987_654))

    outcome = await send(robot)

    assert (outcome.kind, outcome.provider_code) == ("refused", "987654")


async def test_the_code_decides_and_not_the_status(robot: Robot) -> None:
    robot.fail_next(Code(0, http_status=500))
    robot.fail_next(Code(987_654, http_status=503))

    assert (await send(robot)).kind == "unknown"
    assert (await send(robot)).kind == "refused"


@pytest.mark.parametrize(
    ("kind_of_robot", "code", "kind", "fault", "wait_s"),
    [
        (WeComReceiver, 45009, "retry", None, 60),
        (WeComReceiver, 93000, "refused", "address", None),
        (WeComReceiver, -1, "retry", None, 5),
        (WeComReceiver, 40058, "refused", "message", None),
        (WeComReceiver, 45002, "refused", "message", None),
        (DingTalkReceiver, 130101, "retry", None, 600),
        (DingTalkReceiver, 310000, "refused", "address", None),
        (DingTalkReceiver, 300001, "refused", "address", None),
        (DingTalkReceiver, 460101, "refused", "message", None),
        (DingTalkReceiver, -1, "retry", None, 5),
        (FeishuReceiver, 11232, "retry", None, 60),
        (FeishuReceiver, 2200, "retry", None, 10),
        (FeishuReceiver, 19021, "refused", "address", None),
        (FeishuReceiver, 19024, "refused", "address", None),
        (FeishuReceiver, 9499, "refused", "message", None),
    ],
)
async def test_a_code_means_what_its_provider_says(
    kind_of_robot: type[Robot], code: int, kind: str, fault: str | None, wait_s: int | None
) -> None:
    async with kind_of_robot(now) as robot:
        robot.fail_next(Code(code))

        outcome = await send(robot, secret=None)

    assert outcome.provider_code == str(code)
    assert (outcome.kind, outcome.fault, outcome.retry_after_s) == (kind, fault, wait_s)


async def test_when_the_minute_is_used_up_the_robot_says_when_to_come_back(robot: Robot) -> None:
    robot.empty_bucket()

    outcome = await send(robot)

    assert outcome.kind == "retry"
    assert outcome.retry_after_s is not None
    assert outcome.retry_after_s >= 60
    assert robot.messages == []


async def test_whoever_keeps_the_limits_is_never_told_to_slow_down(robot: Robot) -> None:
    time = ManualTime(NOW)
    limits = LIMITS[NAMES[type(robot)]]
    bucket = Bucket()
    async with type(robot)(time.now) as patient:
        for _ in range(130):
            time.advance_to(free_at(bucket, limits, time.now()))
            bucket = take(bucket, limits, time.now())
            outcome = await send(patient, "字", secret=None)
            assert outcome.kind == "accepted"

    assert len(patient.messages) == 130


async def test_a_providers_words_are_kept_short() -> None:
    body = b'{"errcode":93000,"errmsg":"' + b"x\\r\\n" * 2000 + b'"}'
    async with WeComReceiver(now) as robot:
        robot.fail_next(Answer(200, body))

        outcome = await send(robot)

    assert outcome.provider_message is not None
    assert len(outcome.provider_message) == 200
    assert "\n" not in outcome.provider_message


async def test_the_gateways_own_header_says_how_long_feishu_wants_to_rest() -> None:
    async with FeishuReceiver(now) as robot:
        robot.fail_next(
            Answer(429, b'{"code":99991400,"msg":"x"}', {"x-ogw-ratelimit-reset": "90"})
        )

        outcome = await send(robot, secret=None)

    assert (outcome.kind, outcome.retry_after_s) == ("retry", 90)


async def test_wecom_calls_people_by_id_and_by_number() -> None:
    async with WeComReceiver(now) as robot:
        await send(robot, mentions=("zhangwei", "13800138000", "@all"))

    assert robot.messages[0].mentioned == ("zhangwei", "@all")
    assert robot.messages[0].mobiles == ("13800138000",)


async def test_dingtalk_calls_people_and_names_them_in_the_text() -> None:
    async with DingTalkReceiver(now) as robot:
        await send(
            robot, "请 @13800138000 接手", mentions=("13800138000", "u1", "@all"), secret=None
        )

    message = robot.messages[0]
    assert message.text == "请 @13800138000 接手\n@u1"
    assert (message.mobiles, message.users, message.is_for_all) == (
        ("13800138000",),
        ("u1",),
        True,
    )


async def test_feishu_calls_those_who_are_meant_and_nobody_a_text_names() -> None:
    async with FeishuReceiver(now) as robot:
        await send(
            robot,
            '请看 <at user_id="all">所有人</at> < AT user_id="ou_9"> 1 < 2',
            mentions=("ou_1", 'x"><at user_id="all'),
            secret=None,
        )

    assert robot.messages[0].mentioned == ("ou_1",)
    assert "1 < 2" in robot.messages[0].text


async def test_a_wrong_secret_is_an_address_to_mend() -> None:
    for robot in (
        DingTalkReceiver(now, secret=SECRET),
        FeishuReceiver(now, secret=SECRET, http_status=400),
    ):
        async with robot:
            outcome = await send(robot, secret="SECother")

        assert (outcome.kind, outcome.fault) == ("refused", "address")


async def test_a_fragment_in_an_address_does_not_swallow_the_signature() -> None:
    async with DingTalkReceiver(now, secret=SECRET) as robot:
        outcome = await send(robot, address=f"{robot.url}#group")

    assert outcome.kind == "accepted"

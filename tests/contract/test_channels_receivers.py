"""The receivers are what the channels are checked against, so they answer to known facts here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import httpx
import orjson
import pytest

from tests.harness.receivers import (
    SECRET,
    DingTalkReceiver,
    FeishuReceiver,
    WebhookReceiver,
    WeComReceiver,
)

AT = datetime.fromtimestamp(1_700_000_000, UTC)
DINGTALK_SECRET = "SECtest0123456789"
DINGTALK_SIGN = "yBKp5IlG6qCzcQWmgyRK%2FziJBdVNJmHfFE2ST%2FCzT%2Fg%3D"
FEISHU_SIGN = "AOc8oJ7//5OlQlfWC3nRL0R+IkuzcD1FKcAyibRK9Q8="
FEISHU_SWAPPED = "QtI24SK3/m8+lKf0d89/bclcePXhBxolugiWin8Kl3c="
WEBHOOK_BODY = (
    b'{"type":"escalation.step_fired","timestamp":"2026-10-01T03:00:00Z","data":{"id":"e1"}}'
)
WEBHOOK_HEADERS = {
    "webhook-id": "msg_1",
    "webhook-timestamp": "1700000000",
    "webhook-signature": "v1,R2cu1OHlYWPc6Bd5o3XBdVhVOqI2vl1XEMkgTFsI914=",
}


class Clock:
    """Time these receivers go by."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def caller() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def said(caller: httpx.AsyncClient, url: str, body: object) -> Mapping[str, object]:
    answer = await caller.post(url, json=body)
    assert answer.status_code == 200
    spoken = orjson.loads(answer.content)
    assert isinstance(spoken, dict)
    return spoken


def wecom(content: str) -> dict[str, object]:
    return {"msgtype": "text", "text": {"content": content}}


dingtalk = wecom


def feishu(text: str, sign: str | None = None) -> dict[str, object]:
    signed = {} if sign is None else {"timestamp": "1700000000", "sign": sign}
    return {**signed, "msg_type": "text", "content": {"text": text}}


async def test_wecom_takes_2048_bytes_and_not_one_more(
    clock: Clock, caller: httpx.AsyncClient
) -> None:
    async with WeComReceiver(clock) as robot:
        fits = await said(caller, robot.url, wecom("字" * 682 + "ab"))
        exceeds = await said(caller, robot.url, wecom("字" * 682 + "abc"))

    assert fits == {"errcode": 0, "errmsg": "ok"}
    assert exceeds["errcode"] == 40058
    assert len(robot.messages) == 1


async def test_wecom_refuses_with_http_200_and_a_code(
    clock: Clock, caller: httpx.AsyncClient
) -> None:
    async with WeComReceiver(clock) as robot:
        unknown = await said(caller, robot.robot_url("other"), wecom("x"))
        kind = await said(caller, robot.url, {"msgtype": "postcard"})
        empty = await said(caller, robot.url, wecom(" "))

    assert [unknown["errcode"], kind["errcode"], empty["errcode"]] == [93000, 40008, 44004]
    assert str(unknown["errmsg"]).startswith("invalid webhook url, hint: [")


async def test_wecom_lets_twenty_a_minute_through(clock: Clock, caller: httpx.AsyncClient) -> None:
    async with WeComReceiver(clock) as robot:
        codes = [(await said(caller, robot.url, wecom("x")))["errcode"] for _ in range(21)]
        clock.at += timedelta(minutes=1)
        later = await said(caller, robot.url, wecom("x"))

    assert codes == [0] * 20 + [45009]
    assert later["errcode"] == 0


async def test_dingtalk_knows_its_signature_and_refuses_one_encoded_twice(
    clock: Clock, caller: httpx.AsyncClient
) -> None:
    async with DingTalkReceiver(clock, secret=DINGTALK_SECRET) as robot:
        url = f"{robot.url}&timestamp=1700000000000&sign="
        right = await said(caller, url + DINGTALK_SIGN, dingtalk("x"))
        twice = await said(caller, url + DINGTALK_SIGN.replace("%", "%25"), dingtalk("x"))
        none = await said(caller, robot.url, dingtalk("x"))

    assert right["errcode"] == 0
    assert twice["errcode"] == none["errcode"] == 310000
    assert "sign not match" in str(twice["errmsg"])


async def test_dingtalk_refuses_a_signature_after_an_hour(
    clock: Clock, caller: httpx.AsyncClient
) -> None:
    async with DingTalkReceiver(clock, secret=DINGTALK_SECRET) as robot:
        url = f"{robot.url}&timestamp=1700000000000&sign={DINGTALK_SIGN}"
        clock.at += timedelta(hours=1, seconds=1)
        late = await said(caller, url, dingtalk("x"))

    assert late["errcode"] == 310000
    assert "invalid timestamp" in str(late["errmsg"])


async def test_dingtalk_wants_its_keyword_and_at_most_20000_bytes(
    clock: Clock, caller: httpx.AsyncClient
) -> None:
    async with DingTalkReceiver(clock, keywords=("告警",)) as robot:
        without = await said(caller, robot.url, dingtalk("hello"))
        with_it = await said(caller, robot.url, dingtalk("告警 hello"))
        large = await said(caller, robot.url, dingtalk("告警" + "x" * 20_000))

    assert [without["errcode"], with_it["errcode"], large["errcode"]] == [310000, 0, 460101]


async def test_dingtalk_is_silent_for_ten_minutes_after_the_21st(
    clock: Clock, caller: httpx.AsyncClient
) -> None:
    async with DingTalkReceiver(clock) as robot:
        codes = [(await said(caller, robot.url, dingtalk("x")))["errcode"] for _ in range(21)]
        clock.at += timedelta(minutes=9, seconds=59)
        still = await said(caller, robot.url, dingtalk("x"))
        clock.at += timedelta(minutes=10)
        again = await said(caller, robot.url, dingtalk("x"))

    assert codes == [0] * 20 + [130101]
    assert still == {
        "status": 1111,
        "wait": 5,
        "source": "x5",
        "punish": "deny",
        "uuid": "0",
        "errcode": 130101,
        "errmsg": "send too fast, exceed 20 times per minute",
    }
    assert again["errcode"] == 0


async def test_feishu_knows_its_signature_and_refuses_dingtalks(
    clock: Clock, caller: httpx.AsyncClient
) -> None:
    async with FeishuReceiver(clock, secret="testsecret") as bot:
        right = await said(caller, bot.url, feishu("x", FEISHU_SIGN))
        swapped = await said(caller, bot.url, feishu("x", FEISHU_SWAPPED))
        clock.at += timedelta(hours=1, seconds=1)
        late = await said(caller, bot.url, feishu("x", FEISHU_SIGN))

    assert right["code"] == right["StatusCode"] == 0
    assert swapped["code"] == late["code"] == 19021


async def test_feishu_lets_five_a_second_and_a_hundred_a_minute_through(
    clock: Clock, caller: httpx.AsyncClient
) -> None:
    async with FeishuReceiver(clock) as bot:
        burst = [(await said(caller, bot.url, feishu("x")))["code"] for _ in range(6)]
        steady = []
        for _ in range(100):
            clock.at += timedelta(milliseconds=250)
            steady.append((await said(caller, bot.url, feishu("x")))["code"])

    assert burst == [0] * 5 + [11232]
    assert steady.count(11232) > 0
    assert steady.count(0) <= 100


async def test_feishu_may_refuse_with_another_http_status(
    clock: Clock, caller: httpx.AsyncClient
) -> None:
    async with FeishuReceiver(clock, http_status=400) as bot:
        answer = await caller.post(bot.robot_url("other"), json=feishu("x"))

    assert answer.status_code == 400
    assert orjson.loads(answer.content)["code"] == 19001


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 204),
        ({"webhook-signature": "v1,AAAA v1,R2cu1OHlYWPc6Bd5o3XBdVhVOqI2vl1XEMkgTFsI914="}, 204),
        ({"webhook-signature": "v1,AAAA"}, 401),
        ({"webhook-signature": "R2cu1OHlYWPc6Bd5o3XBdVhVOqI2vl1XEMkgTFsI914="}, 401),
        ({"webhook-id": "msg_2"}, 401),
        ({"webhook-timestamp": "1700000001"}, 401),
        ({"webhook-timestamp": "noon"}, 401),
    ],
)
async def test_a_webhook_receiver_answers_204_to_what_is_signed_and_401_to_what_is_not(
    clock: Clock, caller: httpx.AsyncClient, change: dict[str, str], status: int
) -> None:
    async with WebhookReceiver(clock, SECRET) as receiver:
        headers = {**WEBHOOK_HEADERS, **change}
        answer = await caller.post(receiver.url, content=WEBHOOK_BODY, headers=headers)

    assert answer.status_code == status


async def test_a_webhook_receiver_shows_a_repeated_message_once(
    clock: Clock, caller: httpx.AsyncClient
) -> None:
    async with WebhookReceiver(clock) as receiver:
        for _ in range(2):
            await caller.post(receiver.url, content=WEBHOOK_BODY, headers=WEBHOOK_HEADERS)
        clock.at += timedelta(minutes=5, seconds=1)
        late = await caller.post(receiver.url, content=WEBHOOK_BODY, headers=WEBHOOK_HEADERS)

    assert [message.webhook_id for message in receiver.messages] == ["msg_1"]
    assert len(receiver.requests) == 3
    assert late.status_code == 401

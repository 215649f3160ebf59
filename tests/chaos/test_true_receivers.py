"""Notify is killed and its receivers fail, under load: what was asked arrived, doubts are marked.

The receivers go by the true rules of WeCom, DingTalk, Feishu and SMTP (tests/harness/receivers):
signatures, limits, refusals with HTTP 200. A message that may have been taken is sent again under
the same id, and the house says of it that it may be a repetition; no other comes twice.
"""

from __future__ import annotations

import base64
import re
import sys
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from levee.house import NAMES
from shared.time_source import SystemTime
from tests.harness.receivers import (
    Answer,
    Code,
    DingTalkReceiver,
    Drop,
    FeishuReceiver,
    SmtpFault,
    SmtpReceiver,
    WeComReceiver,
)
from tests.harness.town_processes import town_of_processes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.harness.processes import ServiceProcess
    from tests.harness.town import Town

pytestmark = [pytest.mark.nats, pytest.mark.slow]

_LINK = re.compile(r"https://levee\.test/notify/a/([\w-]+)")
_SECRETS = {"dingtalk_robot": "SEC" + "d1" * 32, "feishu_robot": "feishu-secret-of-this-test"}
#: Ann and lin at once, wang two seconds later, duty two more.
_PEOPLE = {(1, "ann"), (1, "lin"), (2, "wang"), (3, "duty")}
_WAYS = {"lin": "wecom_robot", "wang": "dingtalk_robot", "duty": "feishu_robot"}
_DIRECTORY = """
people:
  - {{id: ann, name: 安, addresses: {{email: ann@example.com}}}}
  - {{id: lin, name: 林静, channels: [wecom_robot], addresses: {{wecom_robot: "{wecom_robot}"}}}}
  - {{id: wang, name: 王伟, channels: [dingtalk_robot],
      addresses: {{dingtalk_robot: "{dingtalk_robot}"}}}}
  - {{id: duty, name: 值班主管, channels: [feishu_robot],
      addresses: {{feishu_robot: "{feishu_robot}"}}}}
teams:
  - {{id: it-service-desk, name: {{en: Desk}}, members: [ann, lin], lead: wang,
      escalation_policy: urgent}}
duty_person: duty
"""
#: An attempt that was cut off is in doubt for two minutes before it is made again.
_REST_S = 300.0


@dataclass
class Outside:
    """Everybody out there, on the machine's time."""

    post: SmtpReceiver
    wecom: WeComReceiver
    dingtalk: DingTalkReceiver
    feishu: FeishuReceiver

    @property
    def directory(self) -> str:
        """The directory whose people are reached here; robots that sign have their secret."""
        robots = {
            "wecom_robot": self.wecom.url,
            "dingtalk_robot": f"{self.dingtalk.url}#{_SECRETS['dingtalk_robot']}",
            "feishu_robot": f"{self.feishu.url}#{_SECRETS['feishu_robot']}",
        }
        return _DIRECTORY.format(**robots)

    @property
    def settings(self) -> dict[str, str]:
        """What notify is told."""
        robots = (self.wecom, self.dingtalk, self.feishu)
        return {
            "DELIVERY": "real",
            "PUBLIC_URL": "https://levee.test",
            "OUTBOUND_ALLOW": ",".join(robot.place for robot in robots),
            "SMTP_HOST": self.post.host,
            "SMTP_PORT": str(self.post.port),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "levee@house.example",
        }

    def fail(self) -> None:
        """Let each fail in ways that are refusals, and in ways that leave doubt."""
        self.wecom.fail_next(Drop(is_taken=True), 2)
        self.wecom.fail_next(Code(-1), 2)
        self.dingtalk.fail_next(Code(-1), 3)
        self.dingtalk.fail_next(Drop(is_taken=False), 1)
        self.feishu.fail_next(Drop(is_taken=True), 1)
        self.feishu.fail_next(Answer(503), 2)
        self.post.fail_next(SmtpFault("data"), 2)
        self.post.fail_next(SmtpFault("rcpt", "451 4.7.1 later"), 2)

    def arrived(self) -> dict[str, dict[UUID, list[str]]]:
        """Return per channel what people were shown: delivery id -> the texts, each time."""
        found: dict[str, dict[UUID, list[str]]] = defaultdict(lambda: defaultdict(list))
        for mail in self.post.messages:
            found["email"][UUID(mail.message_id.strip("<>").split("@")[0])].append(mail.text)
        robots: dict[str, list[Any]] = {
            "wecom_robot": self.wecom.messages,
            "dingtalk_robot": self.dingtalk.messages,
            "feishu_robot": self.feishu.messages,
        }
        for channel, messages in robots.items():
            for message in messages:
                # Without a link it says that nothing is left to do: nobody acts on that.
                if (link := _LINK.search(message.text)) is not None:
                    found[channel][_delivery_of(link[1])].append(message.text)
        return found


def _delivery_of(token: str) -> UUID:
    """Return the id a link carries in front."""
    return UUID(bytes=base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[:16])


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """Listen until the block ends."""
    now = SystemTime().now
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        yield Outside(
            await enter(SmtpReceiver(now)),
            await enter(WeComReceiver(now)),
            await enter(DingTalkReceiver(now, secret=_SECRETS["dingtalk_robot"])),
            await enter(FeishuReceiver(now, secret=_SECRETS["feishu_robot"])),
        )


async def log_of(town: Town) -> dict[UUID, dict[str, Any]]:
    """Return notify's delivery log by id."""
    async with town.http() as http:
        answer = await http.get(f"{town.bases['notify']}/notify/v1/deliveries?limit=500")
    page = answer.json()
    assert page["total"] <= 500
    return {UUID(one["id"]): one for one in page["items"]}


def the_notify(town: Town) -> ServiceProcess:
    return next(process for process in town.processes if process.name.startswith("notify"))


async def test_what_was_asked_arrives_and_only_what_is_in_doubt_comes_twice(
    tmp_path: Path,
) -> None:
    urls = {name: f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in NAMES}
    async with (
        outside() as far,
        town_of_processes(
            tmp_path, urls, told={"notify": far.settings}, directory=far.directory
        ) as town,
    ):
        town.people, town.channels = _PEOPLE, _WAYS
        notify = the_notify(town)
        await town.load(clients=2, posts=2, pause_s=0.2)
        far.fail()
        for _ in range(3):
            await town.load(clients=2, posts=3, pause_s=0.5)
            notify.kill()
            notify.start()
            await notify.answers(within_s=60)
        await town.comes_to_rest(within_s=_REST_S)
        await town.assert_adds_up()
        log = await log_of(town)
        await town.stop()
        await town.assert_nothing_lost_or_doubled()

    assert_arrived(town, far, log)
    assert [line for process in town.processes for line in process.error_lines()] == []


def assert_arrived(town: Town, far: Outside, log: dict[UUID, dict[str, Any]]) -> None:
    """Compare what the house says with what people were shown."""
    arrived = far.arrived()
    live = set(town.accepted.values()) - town.withdrawn
    doubled = 0
    for delivery_id, told in log.items():
        texts = arrived[told["channel"]].get(delivery_id, [])
        if told["request_id"] in live:
            assert told["state"] == "sent", told
            assert texts, f"the house says it was sent, and nobody saw it: {told}"
        if len(texts) > 1:
            doubled += 1
            assert told["is_possibly_repeated"], f"came twice, unmarked: {told}"
            assert len(set(texts)) == 1, texts
    shown = {one for messages in arrived.values() for one in messages}
    assert shown <= set(log), "somebody was told what the house does not know of"
    marked = sum(one["is_possibly_repeated"] for one in log.values())
    assert doubled >= 3, "no message was taken without an answer: nothing was tried"
    sys.stderr.write(f"{len(log)} deliveries, {marked} in doubt, {doubled} of them came twice\n")

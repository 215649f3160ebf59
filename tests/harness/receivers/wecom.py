"""A WeCom group robot: document 99110, error texts as seen in public reports.

Over-long text is refused with 40058, as newer servers do (RayWangQvQ/BiliBiliTool#569); unknown
keys with 93000; the 21st message within a minute with 45009. Everything is HTTP 200.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from tests.harness.receivers.http import Received, Receiver, Reply
from tests.harness.receivers.window import Window

_KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
_PATH = "/cgi-bin/webhook/send"
_TEXTS = {
    -1: "system busy",
    40008: "invalid message type",
    40058: "text.content exceed max length 2048. invalid Request Parameter",
    44004: "empty content",
    45009: "api freq out of limit",
    93000: "invalid webhook url",
}


@dataclass(frozen=True, slots=True)
class WeComMessage:
    """What the group sees."""

    text: str
    mentioned: tuple[str, ...]
    mobiles: tuple[str, ...]
    at: datetime


class WeComReceiver(Receiver[WeComMessage]):
    """The robot with key `key`; `robot_url` makes the address of another one."""

    def __init__(
        self, now: Callable[[], datetime], key: str = _KEY, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(now, tls)
        self._key = key
        self._window = Window(20, timedelta(minutes=1))

    @property
    def url(self) -> str:
        """The robot's address, which is also its secret."""
        return self.robot_url(self._key)

    def robot_url(self, key: str) -> str:
        """The address of the robot with `key`, known here or not."""
        return f"{self.origin}{_PATH}?key={key}"

    def empty_bucket(self) -> None:
        """Let the minute's twenty messages be used up."""
        self._window.fill(self._now())

    def judge(self, received: Received) -> tuple[Reply, WeComMessage | None]:
        """Check key, form, length and frequency, in this order."""
        if received.method != "POST" or received.path != _PATH:
            return Reply(404), None
        text = _text_of(received)
        code = self._code(received, text)
        if code != 0 or text is None:
            return self.refusal(code, None), None
        self._window.count(received.at)
        message = WeComMessage(
            text=str(text["content"]),
            mentioned=_names(text.get("mentioned_list")),
            mobiles=_names(text.get("mentioned_mobile_list")),
            at=received.at,
        )
        return Reply.json({"errcode": 0, "errmsg": "ok"}), message

    def refusal(self, code: int, http_status: int | None) -> Reply:
        """Return the platform's refusal; its words change, which is why nobody may read them."""
        words = (
            f"{_TEXTS.get(code, 'failed')}, hint: [1700000000_1_0123456789abcdef], "
            f"from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e={code}"
        )
        return Reply.json({"errcode": code, "errmsg": words}, http_status or 200)

    def _code(self, received: Received, text: dict[str, object] | None) -> int:
        if received.query.get("key") != self._key:
            return 93000
        if text is None:
            return 40008
        content = text.get("content")
        if not isinstance(content, str) or not content.strip():
            return 44004
        if len(content.encode("utf-8")) > 2048:
            return 40058
        return 0 if self._window.has_room(received.at) else 45009


def _text_of(received: Received) -> dict[str, object] | None:
    if not received.headers.get("content-type", "").lower().startswith("application/json"):
        return None
    try:
        body = orjson.loads(received.body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict) or body.get("msgtype") != "text":
        return None
    text = body.get("text")
    return text if isinstance(text, dict) else None


def _names(found: object) -> tuple[str, ...]:
    return tuple(str(name) for name in found) if isinstance(found, list) else ()

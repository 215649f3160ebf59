"""A DingTalk custom robot: signature, keyword, size and frequency, all refused with HTTP 200.

310000 stands for signature, time and keyword alike; the 21st message within a minute is answered
with 130101 and shuts the robot for ten minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from tests.harness.receivers.http import Received, Receiver, Reply
from tests.harness.receivers.window import Window

_TOKEN = "5f" * 32
_PATH = "/robot/send"
_MORE = "more: [https://ding-doc.dingtalk.com/doc#/serverapi2/qf2nxq]"
_TEXTS = {
    -1: "system busy",
    40035: "invalid parameters",
    101002: "message is too long",
    130101: "send too fast, exceed 20 times per minute",
    300001: "token is not exist",
    310000: f"sign not match, {_MORE}",
    460101: "message too long, exceed 20000 bytes",
}


@dataclass(frozen=True, slots=True)
class DingTalkMessage:
    """What the group sees."""

    text: str
    mobiles: tuple[str, ...]
    users: tuple[str, ...]
    is_for_all: bool
    at: datetime


class DingTalkReceiver(Receiver[DingTalkMessage]):
    """The robot with `token`; `secret` and `keywords` are its security settings."""

    def __init__(
        self,
        now: Callable[[], datetime],
        token: str = _TOKEN,
        secret: str | None = None,
        keywords: tuple[str, ...] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(now, tls)
        self._token, self._secret, self._keywords = token, secret, keywords
        self._window = Window(20, timedelta(minutes=1), shut_for=timedelta(minutes=10))

    @property
    def url(self) -> str:
        """The robot's address."""
        return self.robot_url(self._token)

    def robot_url(self, token: str) -> str:
        """The address of the robot with `token`, known here or not."""
        return f"{self.origin}{_PATH}?access_token={token}"

    def empty_bucket(self) -> None:
        """Let the minute's twenty messages be used up."""
        self._window.fill(self._now())

    def judge(self, received: Received) -> tuple[Reply, DingTalkMessage | None]:
        """Check token, size, form, security settings and frequency."""
        if received.method != "POST" or received.path != _PATH:
            return Reply(404), None
        message = _message(received)
        code, words = self._objection(received, message)
        if code != 0 or message is None:
            return self._say(code, words), None
        self._window.count(received.at)
        return Reply.json({"errcode": 0, "errmsg": "ok"}), message

    def refusal(self, code: int, http_status: int | None) -> Reply:
        """Return the platform's refusal."""
        return self._say(code, _TEXTS.get(code, "failed"), http_status)

    def _say(self, code: int, words: str, http_status: int | None = None) -> Reply:
        body: dict[str, object] = {"errcode": code, "errmsg": words}
        if code == 130101:
            body = {
                "status": 1111,
                "wait": 5,
                "source": "x5",
                "punish": "deny",
                "uuid": "0",
                **body,
            }
        return Reply.json(body, http_status or 200)

    def _objection(self, received: Received, message: DingTalkMessage | None) -> tuple[int, str]:
        if received.query.get("access_token") != self._token:
            return 300001, _TEXTS[300001]
        if len(received.body) > 20_000:
            return 460101, _TEXTS[460101]
        if message is None:
            return 40035, _TEXTS[40035]
        words = self._insecure(received, message)
        if words is not None:
            return 310000, f"{words}, {_MORE}"
        return (0, "") if self._window.has_room(received.at) else (130101, _TEXTS[130101])

    def _insecure(self, received: Received, message: DingTalkMessage) -> str | None:
        if self._keywords and not any(word in message.text for word in self._keywords):
            return "keywords not in content"
        if self._secret is None:
            return None
        timestamp = received.query.get("timestamp", "")
        if (
            not timestamp.isdigit()
            or abs(received.at.timestamp() * 1000 - int(timestamp))
            > timedelta(hours=1).total_seconds() * 1000
        ):
            return "invalid timestamp"
        signed = f"{timestamp}\n{self._secret}".encode()
        digest = hmac.new(self._secret.encode(), signed, hashlib.sha256).digest()
        is_right = base64.b64encode(digest).decode() == received.query.get("sign")
        return None if is_right else "sign not match"


def _message(received: Received) -> DingTalkMessage | None:
    try:
        body = orjson.loads(received.body)
    except orjson.JSONDecodeError:
        return None
    text = body.get("text") if isinstance(body, dict) and body.get("msgtype") == "text" else None
    content = text.get("content") if isinstance(text, dict) else None
    if not isinstance(content, str) or not content.strip():
        return None
    at = body.get("at") or {}
    return DingTalkMessage(
        text=content,
        mobiles=tuple(at.get("atMobiles") or ()),
        users=tuple(at.get("atUserIds") or ()),
        is_for_all=bool(at.get("isAtAll")),
        at=received.at,
    )

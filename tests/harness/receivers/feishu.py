"""A Feishu custom bot: its signature has key and message swapped compared with DingTalk's.

Reports differ about the HTTP status of refusals, so `http_status` is a parameter: a caller must
look at the code and at the status.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from tests.harness.receivers.http import Received, Receiver, Reply
from tests.harness.receivers.window import Window

_TOKEN = "0f0f0f0f-1111-4222-8333-444444444444"
_PATH = "/open-apis/bot/v2/hook/"
_MENTION = re.compile(r'<at user_id="([^"]*)">')
_TEXTS = {
    2200: "internal error",
    9499: "Bad Request",
    11232: "frequency limited",
    19001: "param invalid: incoming webhook access token invalid",
    19002: "params error, msg_type need",
    19021: "sign match fail or timestamp is not within one hour from current time",
    19022: "Ip Not Allowed",
    19024: "Key Words Not Found",
}


@dataclass(frozen=True, slots=True)
class FeishuMessage:
    """What the group sees; `mentioned` are the ids (or "all") the text calls."""

    text: str
    mentioned: tuple[str, ...]
    at: datetime


class FeishuReceiver(Receiver[FeishuMessage]):
    """The bot with `token`; `http_status` is the status of its refusals."""

    def __init__(
        self,
        now: Callable[[], datetime],
        token: str = _TOKEN,
        secret: str | None = None,
        keywords: tuple[str, ...] = (),
        http_status: int = 200,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(now, tls)
        self._token, self._secret, self._keywords = token, secret, keywords
        self._http_status = http_status
        self._minute = Window(100, timedelta(minutes=1))
        self._second = Window(5, timedelta(seconds=1))

    @property
    def url(self) -> str:
        """The bot's address."""
        return self.robot_url(self._token)

    def robot_url(self, token: str) -> str:
        """The address of the bot with `token`, known here or not."""
        return f"{self.origin}{_PATH}{token}"

    def empty_bucket(self) -> None:
        """Let the minute's hundred messages be used up."""
        self._minute.fill(self._now())

    def judge(self, received: Received) -> tuple[Reply, FeishuMessage | None]:
        """Check token, size, form, signature, keyword and both frequencies."""
        if received.method != "POST" or not received.path.startswith(_PATH):
            return Reply(404), None
        body = _body(received)
        text = _text(body)
        code = self._code(received, body, text)
        if code != 0 or text is None:
            return self.refusal(code, None), None
        self._minute.count(received.at)
        self._second.count(received.at)
        mentioned = tuple(_MENTION.findall(text))
        return _success(), FeishuMessage(text, mentioned, received.at)

    def refusal(self, code: int, http_status: int | None) -> Reply:
        """Return the platform's refusal."""
        body = {"code": code, "data": {}, "msg": _TEXTS.get(code, "failed")}
        return Reply.json(body, http_status or self._http_status)

    def _code(self, received: Received, body: dict[str, object], text: str | None) -> int:
        if received.path.removeprefix(_PATH) != self._token:
            return 19001
        if len(received.body) > 20_000 or not body:
            return 9499
        if text is None or not text.strip():
            return 19002
        if not self._is_signed(received.at, body):
            return 19021
        if self._keywords and not any(word in text for word in self._keywords):
            return 19024
        has_room = self._minute.has_room(received.at) and self._second.has_room(received.at)
        return 0 if has_room else 11232

    def _is_signed(self, at: datetime, body: dict[str, object]) -> bool:
        if self._secret is None:
            return True
        timestamp = body.get("timestamp")
        if not isinstance(timestamp, str) or not timestamp.isdigit():
            return False
        if abs(at.timestamp() - int(timestamp)) > timedelta(hours=1).total_seconds():
            return False
        key = f"{timestamp}\n{self._secret}".encode()
        digest = hmac.new(key, b"", hashlib.sha256).digest()
        return base64.b64encode(digest).decode() == body.get("sign")


def _success() -> Reply:
    return Reply.json(
        {
            "code": 0,
            "msg": "success",
            "data": {},
            "StatusCode": 0,
            "StatusMessage": "success",
            "Extra": None,
        }
    )


def _body(received: Received) -> dict[str, object]:
    try:
        body = orjson.loads(received.body)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(body: dict[str, object]) -> str | None:
    content = body.get("content")
    if body.get("msg_type") != "text" or not isinstance(content, dict):
        return None
    text = content.get("text")
    return text if isinstance(text, str) else None

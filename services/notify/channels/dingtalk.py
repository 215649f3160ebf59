"""DingTalk custom robot (钉钉自定义机器人): text messages, signed when the robot has a secret."""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson

from services.notify.channels.calls import Codes, Meaning, Now, call_robot, mentions_of, words_of
from services.notify.channels.port import Outcome, Outgoing
from services.notify.channels.signatures import dingtalk_signature
from services.notify.channels.text import shorten
from shared.http.client import TIMEOUT_S, OutboundClient

#: Bytes of the whole JSON; the robot answers 460101 above it.
MAX_BODY_BYTES = 20_000
#: After more than twenty in a minute the robot is silent for ten.
COOL_DOWN_S = 600

_MOBILE = re.compile(r"(?:\+\d{1,3}-)?\d{11}")
_EVERYBODY = "@all"

# HTTP 200 whatever happened. 310000 has four meanings (signature, time, keyword, sender's
# network), all of them settings of the robot; 300001 and 300005 are "token is not exist".
CODES = Codes(
    code_fields=("errcode",),
    message_fields=("errmsg",),
    table={
        -1: Meaning("retry", retry_after_s=5),
        130101: Meaning("retry", retry_after_s=COOL_DOWN_S),
        300001: Meaning("refused", "address"),
        300005: Meaning("refused", "address"),
        310000: Meaning("refused", "address"),
        40035: Meaning("refused", "message"),
        101002: Meaning("refused", "message"),
        460101: Meaning("refused", "message"),
    },
)


class DingTalkRobot:
    """Sends to the group behind a robot's address; `secret` is its SEC… key, if it has one."""

    def __init__(self, client: OutboundClient, now: Now, timeout_s: float = TIMEOUT_S) -> None:
        self._client, self._now, self._timeout_s = client, now, timeout_s

    async def send(self, message: Outgoing) -> Outcome:
        """Send subject and text as one text message."""
        url = message.address.partition("#")[0]
        if message.secret:
            timestamp, sign = dingtalk_signature(message.secret, self._now())
            url += f"{'&' if '?' in url else '?'}timestamp={timestamp}&sign={sign}"
        body = dingtalk_body(message)
        return await call_robot(self._client, url, body, CODES, self._now, self._timeout_s)


def dingtalk_body(message: Outgoing) -> bytes:
    """Return the JSON of the robot, at most 20 000 bytes with unescaped UTF-8."""
    mobiles = [mention for mention in mentions_of(message) if _MOBILE.fullmatch(mention)]
    users = [m for m in mentions_of(message) if m not in mobiles and m != _EVERYBODY]
    at = {"atMobiles": mobiles, "atUserIds": users, "isAtAll": _EVERYBODY in message.mentions}
    words = words_of(message)
    calls = _calls(words, (*mobiles, *users))

    def encoded(text: str) -> bytes:
        return orjson.dumps({"msgtype": "text", "text": {"content": text + calls}, "at": at})

    return encoded(shorten(words, lambda text: len(encoded(text)) <= MAX_BODY_BYTES))


def _calls(words: str, called: Sequence[str]) -> str:
    # A person is only called when the text names them too.
    missing = [f"@{name}" for name in called if f"@{name}" not in words]
    return "\n" + " ".join(missing) if missing else ""

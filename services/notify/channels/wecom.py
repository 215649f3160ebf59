"""WeCom group robot (企业微信 消息推送): text messages, document 99110 of 2025-08-07."""

from __future__ import annotations

import re

import orjson

from services.notify.channels.calls import Codes, Meaning, Now, call_robot, mentions_of, words_of
from services.notify.channels.port import Outcome, Outgoing
from services.notify.channels.text import shorten, utf8_length
from shared.http.client import TIMEOUT_S, OutboundClient

#: Bytes of UTF-8, not characters: 682 Chinese ones.
MAX_CONTENT_BYTES = 2048

_MOBILE = re.compile(r"\+?\d{11,15}")

# The robot answers HTTP 200 whatever happened. Codes from the global table of the platform; over-
# long texts were seen refused with 45002 and, by newer servers, with 40058.
CODES = Codes(
    code_fields=("errcode",),
    message_fields=("errmsg",),
    table={
        -1: Meaning("retry", retry_after_s=5),
        45009: Meaning("retry", retry_after_s=60),
        45033: Meaning("retry", retry_after_s=5),
        93000: Meaning("refused", "address"),
        40008: Meaning("refused", "message"),
        40058: Meaning("refused", "message"),
        44004: Meaning("refused", "message"),
        45002: Meaning("refused", "message"),
    },
)


class WeComRobot:
    """Sends to the group behind a robot's address; the key in it is the whole secret."""

    def __init__(self, client: OutboundClient, now: Now, timeout_s: float = TIMEOUT_S) -> None:
        self._client, self._now, self._timeout_s = client, now, timeout_s

    async def send(self, message: Outgoing) -> Outcome:
        """Send subject and text as one text message, shortened to what the robot takes."""
        body = orjson.dumps(wecom_body(message))
        return await call_robot(
            self._client, message.address, body, CODES, self._now, self._timeout_s
        )


def wecom_body(message: Outgoing) -> dict[str, object]:
    """Return the JSON of the robot; mobile numbers and user ids are mentioned in two lists."""
    words = words_of(message)
    content = shorten(words, lambda text: utf8_length(text) <= MAX_CONTENT_BYTES)
    mobiles = [mention for mention in mentions_of(message) if _MOBILE.fullmatch(mention)]
    users = [mention for mention in mentions_of(message) if mention not in mobiles]
    text: dict[str, object] = {"content": content}
    if users:
        text["mentioned_list"] = users
    if mobiles:
        text["mentioned_mobile_list"] = mobiles
    return {"msgtype": "text", "text": text}

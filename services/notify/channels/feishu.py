"""Feishu custom bot (飞书自定义机器人): text messages, signed when the bot has a secret."""

from __future__ import annotations

import re

import orjson

from services.notify.channels.calls import Codes, Meaning, Now, call_robot, words_of
from services.notify.channels.port import Outcome, Outgoing
from services.notify.channels.signatures import feishu_signature
from services.notify.channels.text import shorten
from shared.http.client import TIMEOUT_S, OutboundClient

#: Bytes of the whole JSON (document ucTM5YjL3ETO24yNxkjN: 20 kB).
MAX_BODY_BYTES = 20_000

_EVERYBODY = "@all"
_USER_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_TAG = re.compile(r"<(?=\s*/?\s*at\b)", re.IGNORECASE)

# Refusals mostly come as HTTP 200 with a code, some with another status: the code decides, and
# only 0 together with 2xx is a success.
CODES = Codes(
    code_fields=("code", "StatusCode"),
    message_fields=("msg", "StatusMessage"),
    table={
        2200: Meaning("retry", retry_after_s=10),
        11232: Meaning("retry", retry_after_s=60),
        99991400: Meaning("retry", retry_after_s=60),
        9499: Meaning("refused", "message"),
        19001: Meaning("refused", "address"),
        19002: Meaning("refused", "message"),
        19021: Meaning("refused", "address"),
        19022: Meaning("refused", "address"),
        19024: Meaning("refused", "address"),
    },
)


class FeishuRobot:
    """Sends to the group behind a bot's address; `secret` is its signing key, if it has one."""

    def __init__(self, client: OutboundClient, now: Now, timeout_s: float = TIMEOUT_S) -> None:
        self._client, self._now, self._timeout_s = client, now, timeout_s

    async def send(self, message: Outgoing) -> Outcome:
        """Send subject and text as one text message."""
        signature = feishu_signature(message.secret, self._now()) if message.secret else None
        body = feishu_body(message, signature)
        return await call_robot(
            self._client, message.address, body, CODES, self._now, self._timeout_s
        )


def feishu_body(message: Outgoing, signature: tuple[str, str] | None) -> bytes:
    """Return the JSON of the bot, at most 20 000 bytes; only `mentions` can call people.

    The bot reads `<at …>` inside a text; one that somebody wrote into a request would call the
    whole group, so it is made harmless.
    """
    head: dict[str, object] = {}
    if signature is not None:
        head = {"timestamp": signature[0], "sign": signature[1]}
    words = _TAG.sub("＜", words_of(message))
    calls = _calls(message.mentions)

    def encoded(text: str) -> bytes:
        return orjson.dumps({**head, "msg_type": "text", "content": {"text": text + calls}})

    return encoded(shorten(words, lambda text: len(encoded(text)) <= MAX_BODY_BYTES))


def _calls(mentions: tuple[str, ...]) -> str:
    tags = [_call(mention) for mention in mentions]
    return "\n" + " ".join(tag for tag in tags if tag) if any(tags) else ""


def _call(mention: str) -> str:
    if mention == _EVERYBODY:
        return '<at user_id="all">所有人</at>'
    return f'<at user_id="{mention}"></at>' if _USER_ID.fullmatch(mention) else ""

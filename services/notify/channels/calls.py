"""What an HTTP call and its answer mean for a message: the part all HTTP channels share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import orjson

from services.notify.channels.port import Fault, Kind, Outcome, Outgoing
from services.notify.channels.text import one_line, printable
from shared.http.client import (
    TIMEOUT_S,
    AddressRefused,
    Answer,
    NoAnswer,
    NotReached,
    OutboundClient,
)

_T = TypeVar("_T")

#: Tells the time, in UTC (TimeSource.now).
Now = Callable[[], datetime]

JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}

# A day: the longest pause of the schedule Standard Webhooks recommends. Whoever asks for more
# has made a mistake or wants to be forgotten.
_MAX_RETRY_AFTER_S = 24 * 60 * 60
_MESSAGE_LENGTH = 200
# A gateway gave up waiting; what stands behind it may have taken the message.
_DOUBTFUL_STATUS = frozenset({502, 504})
_RETRY_STATUS = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one of a provider's codes means."""

    kind: Kind
    fault: Fault | None = None
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Codes:
    """How a robot answers: the fields of its JSON, and what the codes in them mean.

    An unknown code is a refusal by the address: the message was certainly not taken, so the
    next channel can have it at once, and the code shows an operator what to mend.
    """

    code_fields: tuple[str, ...]
    message_fields: tuple[str, ...]
    table: Mapping[int, Meaning]

    def read(self, body: bytes) -> tuple[int, str] | None:
        """Return code and message of an answer, or None when it is not this provider's."""
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(answer, dict):
            return None
        code = _first(answer, self.code_fields, int)
        message = _first(answer, self.message_fields, str)
        return None if code is None else (code, message or "")

    def meaning(self, code: int) -> Meaning:
        """Return what a code other than 0 means."""
        return self.table.get(code, Meaning("refused", "address"))


async def post(
    client: OutboundClient,
    url: str,
    content: bytes,
    headers: Mapping[str, str],
    timeout_s: float = TIMEOUT_S,
) -> Answer | Outcome:
    """Send and return the answer; or, when there is none, what that means."""
    try:
        return await client.post(url, content, headers, timeout_s)
    except AddressRefused as error:
        return Outcome("refused", _why(error.params), fault="address")
    except NotReached as error:
        return Outcome("retry", "not_reached", _why(error.params))
    except NoAnswer as error:
        return Outcome("unknown", "no_answer", _why(error.params))


async def call_robot(
    client: OutboundClient, url: str, content: bytes, codes: Codes, now: Now, timeout_s: float
) -> Outcome:
    """Send JSON to a robot and return what its answer means."""
    answer = await post(client, url, content, JSON_HEADERS, timeout_s)
    return answer if isinstance(answer, Outcome) else robot_outcome(answer, codes, now())


def robot_outcome(answer: Answer, codes: Codes, now: datetime) -> Outcome:
    """Judge a robot's answer: the code in the body decides, never the status nor the message.

    Only where the body holds no code does the status speak: then something else than the
    provider answered.
    """
    found = codes.read(answer.body)
    if found is None:
        return _without_code(answer, now)
    code, message = found
    shown = clipped(message)
    if code == 0:
        kind: Kind = "accepted" if 200 <= answer.status < 300 else "unknown"
        return Outcome(kind, "0" if kind == "accepted" else f"http_{answer.status}", shown)
    meaning = codes.meaning(code)
    wait_s = meaning.retry_after_s
    if meaning.kind == "retry":
        wait_s = max(wait_s or 0, retry_after_s(answer.headers, now) or 0) or None
    return Outcome(meaning.kind, str(code), shown, wait_s, fault=meaning.fault)


def words_of(message: Outgoing) -> str:
    """Return subject and text as one text, for channels that know no subject."""
    return printable("\n".join(part for part in (message.subject, message.text) if part))


def mentions_of(message: Outgoing) -> tuple[str, ...]:
    """Return the mentions in a form that can be encoded, without empty ones."""
    return tuple(name for name in map(one_line, message.mentions) if name)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> int | None:
    """Return the seconds `Retry-After` asks for (a number or a date), between 0 and one day.

    Feishu's gateway says it in a header of its own, in seconds.
    """
    text = (headers.get("retry-after") or headers.get("x-ogw-ratelimit-reset", "")).strip()
    if re.fullmatch(r"\d{1,9}", text):
        return min(int(text), _MAX_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(round((moment - now).total_seconds()), 0), _MAX_RETRY_AFTER_S)


def clipped(message: str) -> str:
    """Return a provider's words on one line, at most 200 characters."""
    return one_line(message)[:_MESSAGE_LENGTH]


def is_passing(status: int) -> bool:
    """Return whether a status is one that tends to pass by itself."""
    return status in _RETRY_STATUS or status >= 500


def _without_code(answer: Answer, now: datetime) -> Outcome:
    code = f"http_{answer.status}"
    if answer.status in _DOUBTFUL_STATUS or 200 <= answer.status < 300:
        return Outcome("unknown", code)
    if is_passing(answer.status):
        return Outcome("retry", code, retry_after_s=retry_after_s(answer.headers, now))
    return Outcome("refused", code, fault="address")


def _why(params: Mapping[str, object]) -> str:
    return clipped(str(params.get("why", "")))


def _first(answer: Mapping[str, object], fields: tuple[str, ...], kind: type[_T]) -> _T | None:
    for name in fields:
        found = answer.get(name)
        if isinstance(found, kind) and not isinstance(found, bool):
            return found
    return None

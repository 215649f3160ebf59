"""Questions to JetStream: streams and consumers, as its JSON API has them.

Plain requests instead of nats-py's manager: that one changes the config objects it is given
(floors.md §1, trap 3), and this is all we ask.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import orjson
from nats.errors import Error as NatsError

from shared.bus.port import DUPLICATE_WINDOW, BusUnavailable
from shared.errors import LeveeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from nats.aio.client import Client

    from shared.bus.port import ConsumerSpec, StreamSpec

_log = logging.getLogger(__name__)

_TIMEOUT_S = 2.0
# The server's own limit (max_payload); MAX_MESSAGE_BYTES leaves room for the headers below it.
_MAX_MSG_SIZE = 1024 * 1024
# https://github.com/nats-io/nats-server/blob/main/server/errors.json
# Of every error that passes by itself: a cluster without leader, a disk that is full now.
_AWAY = 503
_NAME_IN_USE = 10058
STREAM_NOT_FOUND = 10059


class JetStreamRefused(LeveeError):
    """JetStream refused {subject}: {description}"""

    zh = "JetStream 拒绝了 {subject}：{description}"

    def __init__(self, subject: str, description: str, err_code: int) -> None:
        super().__init__(subject=subject, description=description, err_code=err_code)
        self.err_code = err_code


class JetStreamAway(BusUnavailable):
    """JetStream cannot do {subject} now: {description}"""

    zh = "JetStream 暂时无法执行 {subject}：{description}"


def nanoseconds(time: timedelta) -> int:
    """Return a duration as JetStream writes it."""
    return int(time.total_seconds() * 1_000_000) * 1_000


async def ask(client: Client, subject: str, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return JetStream's answer. Raises BusUnavailable and JetStreamRefused.

    What JetStream cannot do at this moment (a cluster without leader) is no refusal.
    """
    try:
        reply = await client.request(
            f"$JS.API.{subject}", orjson.dumps(question), timeout=_TIMEOUT_S
        )
    except (NatsError, OSError, TimeoutError) as problem:
        raise BusUnavailable from problem
    answer: dict[str, Any] = orjson.loads(reply.data)
    if error := answer.get("error"):
        told = str(error.get("description"))
        if error.get("code") == _AWAY:
            raise JetStreamAway(subject=subject, description=told)
        raise JetStreamRefused(subject, told, error.get("err_code", 0))
    return answer


async def declare_stream(client: Client, spec: StreamSpec, replicas: int) -> None:
    """Create the stream, or bring what differs from `spec` up to date.

    What an operator set besides (placement, compression, limits in bytes) stays. An update the
    server refuses, or cannot make now, is logged and lived with: the stream is there. Raises
    BusUnavailable, and
    JetStreamRefused when there is no such stream afterwards.
    """
    wanted = _stream_config(spec, replicas)
    try:
        await ask(client, f"STREAM.CREATE.{spec.name}", wanted)
    except JetStreamRefused as refused:
        if refused.err_code != _NAME_IN_USE:
            raise
    else:
        return
    present = (await ask(client, f"STREAM.INFO.{spec.name}", {}))["config"]
    if all(present.get(key) == value for key, value in wanted.items()):
        return
    try:
        await ask(client, f"STREAM.UPDATE.{spec.name}", {**present, **wanted})
    except (JetStreamRefused, JetStreamAway) as refused:
        _log.error("stream %s keeps its old settings: %s", spec.name, refused)


async def declare_consumer(client: Client, spec: ConsumerSpec) -> None:
    """Create the durable, or bring its waiting times up to date; what it has settled stays.

    Raises BusUnavailable and JetStreamRefused.
    """
    config = {
        "name": spec.durable,
        "durable_name": spec.durable,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "replay_policy": "instant",
        "ack_wait": nanoseconds(spec.ack_wait),
        "max_ack_pending": spec.max_ack_pending,
        "max_deliver": -1,
    }
    question = {"stream_name": spec.stream, "config": config}
    await ask(client, f"CONSUMER.CREATE.{spec.stream}.{spec.durable}", question)


async def unsettled(client: Client, spec: ConsumerSpec) -> int:
    """Return how many messages the durable has not settled. Raises as `ask` does."""
    told = await ask(client, f"CONSUMER.INFO.{spec.stream}.{spec.durable}", {})
    return int(told["num_pending"]) + int(told["num_ack_pending"])


async def settled_upto(client: Client, spec: ConsumerSpec) -> int:
    """Return the sequence up to which the durable has settled everything. Raises as `ask` does.

    The floor stands still over messages that expired or were never meant for the durable: when
    nothing is left to settle it is the end of the stream, as it was before the question.
    """
    last = await last_sequence(client, spec.stream)
    told = await ask(client, f"CONSUMER.INFO.{spec.stream}.{spec.durable}", {})
    is_idle = not told["num_pending"] and not told["num_ack_pending"]
    floor = int(told["ack_floor"]["stream_seq"])
    return max(floor, last) if is_idle else floor


async def last_sequence(client: Client, stream: str) -> int:
    """Return the last sequence stored in `stream`. Raises as `ask` does."""
    return int((await ask(client, f"STREAM.INFO.{stream}", {}))["state"]["last_seq"])


def _stream_config(spec: StreamSpec, replicas: int) -> dict[str, Any]:
    limit = {} if spec.max_bytes is None else {"max_bytes": spec.max_bytes}
    return limit | {
        "name": spec.name,
        "subjects": list(spec.subjects),
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_age": nanoseconds(spec.max_age),
        "max_msg_size": _MAX_MSG_SIZE,
        "max_msgs_per_subject": 1 if spec.is_last_per_subject else -1,
        "duplicate_window": nanoseconds(DUPLICATE_WINDOW),
        "num_replicas": replicas,
    }

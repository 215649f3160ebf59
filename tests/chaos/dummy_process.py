"""A dummy service as a process of its own: `python -m tests.chaos.dummy_process <options>`.

Real time, a real nats-server, a real database; killed and started again by the chaos test.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import uvloop
from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import func, select

from shared.bus.nats import connect
from shared.consuming import Knobs
from shared.database.engine import Database
from shared.http.auth import Caller, KeyRing, needs
from shared.http.kit import json_answer
from shared.id_source import RandomIds
from shared.observability import log_to_stderr
from shared.service import Surroundings, serve_app
from shared.time_source import Activity, SystemTime
from tests.harness import dummies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.harness.dummies import Dummy

#: Short enough for a test, long enough to be killed in between.
CLOSES_AFTER = timedelta(seconds=1.5)


class Post(BaseModel):
    """A request with the id its caller gave it."""

    id: UUID


def routes(dummy: Dummy) -> APIRouter:
    """Return what the test asks for."""
    added = APIRouter()

    @added.post("/posts")
    async def post(body: Post) -> Response:
        return json_answer({"count": await dummy.post(body.id)}, 201)

    @added.get("/state")
    async def state() -> Response:
        return json_answer(await _state(dummy))

    @added.get("/secret")
    async def secret(caller: Annotated[Caller, needs("operate")]) -> Response:
        return json_answer({"caller": caller.name})

    return added


async def _state(dummy: Dummy) -> dict[str, int]:
    kit = dummies.kit
    waiting = select(func.count()).where(kit.outbox.c.published_us.is_(None))
    async with dummy.database.reading() as connection:
        unpublished = (await connection.execute(waiting)).scalar_one()
    return {
        "entries": await dummy.count(),
        "held": await dummy.count(kit.held),
        "timers": await dummy.count(kit.timers),
        "unpublished": unpublished,
    }


async def serve(asked: argparse.Namespace) -> None:
    """Work until SIGTERM."""
    dummies.CLOSES_AFTER = CLOSES_AFTER
    time, activity = SystemTime(), Activity()
    bus = await connect(asked.nats, name=f"{asked.name}-{asked.replica}", time=time)
    knobs = Knobs(replica=asked.replica)
    keys = KeyRing(None, time)
    given = Surroundings(time, RandomIds(time), bus, activity, keys, knobs)
    database = Database(asked.database)
    if not asked.has_tables:
        await dummies.create_tables(database)
    build = {"intake": dummies.intake, "router": dummies.router}[asked.name]
    dummy = build(database, given)
    dummy.service.routes = [routes(dummy)]
    await dummy.runtime.start()
    try:
        await serve_app(dummy.service.app(keys), "127.0.0.1", asked.port)
    finally:
        await dummy.service.stop()
        await bus.close()


def main(argv: Sequence[str] | None = None) -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=["intake", "router"])
    parser.add_argument("--database", required=True)
    parser.add_argument("--nats", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--replica", default="replica-1")
    parser.add_argument("--has-tables", action="store_true")
    asked = parser.parse_args(argv)
    log_to_stderr(f"{asked.name}-{asked.replica}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(asked))


if __name__ == "__main__":
    main()
    sys.exit(0)

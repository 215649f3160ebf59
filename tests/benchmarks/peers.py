"""What intake is compared with: `python -m tests.benchmarks.peers KIND --url … --port …`.

Each takes the same POST, checks it and stores the request and its outbox row before it answers
202; nothing else. `bare`: no framework, group commit. `group`: FastAPI, group commit: the floor.
`orm`: FastAPI with one ORM session and transaction per request, as most such services are built.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any, Literal, cast

import orjson
import uvloop
from fastapi import FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, Text, insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.database.tables import to_us
from shared.id_source import RandomIds
from shared.service import serve_app
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

metadata = MetaData()
requests = Table(
    "requests",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("type", String(50), nullable=False),
    Column("source", String(100), nullable=False),
    Column("requester", Text, nullable=False),
    Column("title", String(300), nullable=False),
    Column("form", Text, nullable=False),
    Column("submitted_us", BigInteger, nullable=False),
)
outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("event_id", String(36), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

_TIME = SystemTime()
_IDS = RandomIds(_TIME)


class Requester(BaseModel):
    """Who asks."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(max_length=200)
    name: str | None = Field(None, max_length=200)
    tier: str = Field("standard", max_length=50)


class Post(BaseModel):
    """What is asked for."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(max_length=50)
    source: str = Field(max_length=100)
    channel: str = Field("api", max_length=50)
    urgency: Literal["high", "medium", "low"] = "medium"
    impact: Literal["high", "medium", "low"] = "medium"
    requester: Requester
    title: str = Field(max_length=300)
    description: str = Field("", max_length=20_000)
    form: dict[str, Any] = Field(default_factory=dict)


class Base(DeclarativeBase):
    """Of the ORM's classes."""


class RequestRow(Base):
    """A request, for the ORM."""

    __table__ = requests


class OutboxRow(Base):
    """What was said, for the ORM."""

    __tablename__ = "outbox_orm"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    event_id: Mapped[str] = mapped_column(String(36))
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_us: Mapped[int] = mapped_column(BigInteger)


def _rows(raw: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Check a POST; return its two rows."""
    post = Post.model_validate_json(raw)
    now_us, request_id = to_us(_TIME.now()), str(_IDS.new())
    event = {"id": str(_IDS.new()), "subject": request_id, "data": post.model_dump(mode="json")}
    request = {
        "id": request_id,
        "type": post.type,
        "source": post.source,
        "requester": post.requester.model_dump_json(),
        "title": post.title,
        "form": orjson.dumps(post.form).decode(),
        "submitted_us": now_us,
    }
    said = {
        "event_id": event["id"],
        "subject": "floor.request.submitted",
        "body": orjson.dumps(event),
        "created_us": now_us,
    }
    return request, said


class GroupCommit:
    """Stores what many callers want in one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: list[tuple[dict[str, Any], dict[str, Any], asyncio.Future[None]]] = []
        self._wake = asyncio.Event()

    async def store(self, request: dict[str, Any], said: dict[str, Any]) -> None:
        """Return after the commit."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, said, done))
        self._wake.set()
        await done

    async def run(self) -> None:
        """Serve for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            taken, self._waiting = self._waiting, []
            if not taken:
                continue
            async with self._engine.begin() as tx:
                await tx.execute(insert(requests), [request for request, _, _ in taken])
                await tx.execute(insert(outbox), [said for _, said, _ in taken])
            for _, _, done in taken:
                done.set_result(None)
            self.committed([said for _, said, _ in taken])

    def committed(self, said: Sequence[dict[str, Any]]) -> None:
        """Hear what was stored; these peers publish nothing."""


def bare(group: GroupCommit) -> ASGIApp:
    """Return an application without a framework."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raw, has_more = b"", True
        while has_more:
            message = await receive()
            raw += message.get("body", b"")
            has_more = message.get("more_body", False)
        body = b"{}"
        if scope["method"] == "POST":
            request, said = _rows(raw)
            await group.store(request, said)
            body = orjson.dumps({"id": request["id"]})
        length = str(len(body)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        status = 202 if scope["method"] == "POST" else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def framed(store: Any) -> FastAPI:
    """Return a FastAPI application that stores with `store(request, said)`."""
    app = FastAPI()

    @app.get("/")
    async def alive() -> Response:
        return Response(b"{}", media_type="application/json")

    @app.post("/intake/v1/requests")
    async def submit(request: Request) -> Response:
        row, said = _rows(await request.body())
        await store(row, said)
        return Response(orjson.dumps({"id": row["id"]}), 202, media_type="application/json")

    return app


async def main(kind: str, url: str, port: int) -> None:
    """Serve until SIGTERM."""
    engine = create_async_engine(url, pool_size=20, max_overflow=0)
    async with engine.begin() as tx:
        await tx.run_sync(metadata.create_all)
        await tx.run_sync(cast("Table", OutboxRow.__table__).create)
    group = GroupCommit(engine)
    writer = asyncio.create_task(group.run())

    async def with_orm(row: dict[str, Any], said: dict[str, Any]) -> None:
        async with AsyncSession(engine) as session:
            session.add(RequestRow(**row))
            session.add(OutboxRow(**said))
            await session.commit()

    apps: dict[str, Any] = {
        "bare": lambda: bare(group),
        "group": lambda: framed(group.store),
        "orm": lambda: framed(with_orm),
    }
    try:
        await serve_app(apps[kind](), "127.0.0.1", port)
    finally:
        writer.cancel()
        await engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["bare", "group", "orm"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    uvloop.run(main(asked.kind, asked.url, asked.port))

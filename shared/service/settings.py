"""What every service may be told."""

from __future__ import annotations

import functools
import importlib.metadata
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


@functools.cache
def version() -> str:
    """Return the installed version of Levee."""
    try:
        return importlib.metadata.version("levee")
    except importlib.metadata.PackageNotFoundError:
        return os.environ.get("LEVEE_VERSION", "0.0.0")


def _known_database(url: str) -> str:
    try:
        driver = make_url(url).drivername
    except ArgumentError as error:
        raise ValueError("not a database URL") from error
    if driver not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise ValueError("begin with sqlite+aiosqlite:/// or postgresql+asyncpg://")
    return url


DatabaseUrl = Annotated[str, AfterValidator(_known_database)]


class ServiceSettings(BaseSettings):
    """What every service may be told; read once, in `main`, with the service's own prefix."""

    database_url: DatabaseUrl = Field(description="sqlite+aiosqlite:///… or postgresql+asyncpg://…")
    is_durable: bool = Field(
        default=True, description="SQLite: wait for the disk at commit; off only for replays"
    )
    nats_url: str = Field("nats://127.0.0.1:4222", description="one or several, comma separated")
    nats_user: str | None = Field(None, description="one NATS user per service")
    nats_password: str | None = Field(None, description="its password")
    nats_replicas: int = Field(1, ge=1, le=5, description="copies of each stream")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on")
    keys_file: Path | None = Field(None, description="JSON file with the API keys' hashes")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    replica: str = Field(default="replica-1", description="this replica's own name")
    is_batching: bool = Field(
        default=True, description="off: a transaction per message and call, only to compare speed"
    )

"""Logs an operator and a machine can read: one JSON object per line, with the request's id."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from shared.observability.traces import of_request, read

if TYPE_CHECKING:
    from collections.abc import Iterator

_bound: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar(
    "levee_log", default=None
)


@contextlib.contextmanager
def bound(**fields: str) -> Iterator[None]:
    """Add fields (request_id, trace …) to every log line written inside."""
    token = _bound.set({**(_bound.get() or {}), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def about(request_id: str | None, traceparent: str | None = None) -> dict[str, dict[str, str]]:
    """Return the `extra` of a log line about one request: its id and its trace's id."""
    found = {}
    if request_id is not None:
        found["request_id"] = request_id
    context = read(traceparent) or of_request(request_id)
    if context is not None:
        found["trace_id"] = f"{context.trace_id:032x}"
    return {"about": found}


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC), level, service, logger, message, bound fields."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
            **(_bound.get() or {}),
            **getattr(record, "about", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


def log_to_stderr(service: str, level: str = "INFO") -> None:
    """Send logs as JSON lines to standard error; quiet the libraries that tell too much."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("nats", "aiosqlite", "asyncio", "httpx", "httpcore", "uvicorn.access", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)

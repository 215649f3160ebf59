"""What is told of an attempt that failed: in the request's trace, and in its log line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.observability import about

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.consuming.batch import Arrival
    from shared.observability.traces import Tracer


def tell_failure(
    tracer: Tracer | None,
    tried: Sequence[Arrival],
    entry: str,
    code: str,
    attempt: int,
    is_final: bool,
) -> dict[str, Any]:
    """Record a failed attempt at `entry` as a span; return the `extra` of its log line."""
    header = next((a.header for a in tried if a.header and a.header.id == entry), None)
    if header is None:
        return {}
    traceparent = header.raw.get("traceparent")
    if tracer is not None:
        tracer.failed(
            f"message {header.type}",
            header.subject,
            traceparent,
            code,
            type=header.type,
            attempt=attempt,
            is_set_aside=is_final,
        )
    return about(header.subject, traceparent)

"""Spans to an OTLP receiver over HTTP, as the standard OTEL_ variables say; off without them.

Needs the extra `otel`. OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT turns it
on; OTEL_TRACES_EXPORTER=none and OTEL_SDK_DISABLED=true turn it off; OTEL_TRACES_SAMPLER (with
_ARG), OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_BSP_* and the other OTEL_EXPORTER_OTLP_*
count as OpenTelemetry defines them.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from shared.observability.traces import Span, Tracer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

_log = logging.getLogger(__name__)

#: Any of these, not empty, turns tracing on.
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
#: How long a stopping service waits for its last spans to leave.
FLUSH_MS = 3_000


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Tell whether the standard variables ask for traces."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() == "none":
        return False
    return any(environment.get(name) for name in _ENDPOINTS)


def sampling(environment: Mapping[str, str]) -> tuple[float, bool]:
    """Return the share of requests to trace, and whether a caller's decision counts.

    What cannot be read means all, as OpenTelemetry has it, and is logged.
    """
    name = environment.get("OTEL_TRACES_SAMPLER", "parentbased_always_on").strip().lower()
    told = environment.get("OTEL_TRACES_SAMPLER_ARG", "1").strip() or "1"
    plain = name.removeprefix("parentbased_")
    shares = {"always_on": "1", "always_off": "0", "traceidratio": told}
    try:
        share = float(shares[plain])
        if not 0 <= share <= 1:
            raise ValueError
    except (KeyError, ValueError):
        _log.warning("OTEL_TRACES_SAMPLER=%s with %s is not known: tracing all", name, told)
        share = 1.0
    return share, plain != name


def tracer_for(
    service: str, version: str, environment: Mapping[str, str], now: Callable[[], datetime]
) -> tuple[Tracer, Callable[[], None]] | None:
    """Return the tracer the variables ask for and what flushes and ends it; None for none."""
    if not is_wanted(environment):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _log.warning("traces are asked for but not possible: pip install 'levee[otel]'")
        return None
    own = {"service.version": version, "service.namespace": "levee"}
    if not environment.get("OTEL_SERVICE_NAME"):
        own["service.name"] = f"levee-{service}"
    resource = Resource.create(own)
    processor: Any = BatchSpanProcessor(OTLPSpanExporter(endpoint=_endpoint(environment)))

    def export(spans: Sequence[Span]) -> None:
        for span in spans:
            processor.on_end(readable(span, resource))

    def end() -> None:
        processor.force_flush(FLUSH_MS)
        processor.shutdown()

    share, is_parent_based = sampling(environment)
    return Tracer(service, export, now, share, is_parent_based), end


def _endpoint(environment: Mapping[str, str]) -> str:
    """Return where spans go: the traces' own address as it stands, else below the common one."""
    own, common = (environment.get(name, "") for name in _ENDPOINTS)
    return own or f"{common.rstrip('/')}/v1/traces"


def readable(span: Span, resource: Any) -> Any:
    """Return a span as the SDK's exporters take it."""
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

    flags, trace_id = TraceFlags(TraceFlags.SAMPLED), span.context.trace_id
    parent = None
    if span.parent_id is not None:
        parent = SpanContext(trace_id, span.parent_id, is_remote=True, trace_flags=flags)
    status = Status(StatusCode.ERROR, span.error) if span.error is not None else Status()
    return ReadableSpan(
        name=span.name,
        context=SpanContext(trace_id, span.context.span_id, is_remote=False, trace_flags=flags),
        parent=parent,
        resource=resource,
        attributes=span.attributes,
        kind=getattr(SpanKind, span.kind.upper()),
        status=status,
        start_time=_nanoseconds(span.began_at),
        end_time=_nanoseconds(span.ended_at or span.began_at),
        instrumentation_scope=InstrumentationScope("levee"),
    )


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6) * 1000

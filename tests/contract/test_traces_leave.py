"""Spans really leave: OTLP over HTTP, as a collector reads it."""

from __future__ import annotations

import gzip
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from shared.observability import otel

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
REQUEST = "01978c3e-8a00-7000-8000-0000000000ff"


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Run a receiver; give its address and what arrived (path, body)."""
    arrived: list[tuple[str, bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            is_packed = self.headers.get("content-encoding") == "gzip"
            arrived.append((self.path, gzip.decompress(body) if is_packed else body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", arrived
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_finished_span_arrives_with_its_service_its_request_and_its_reason() -> None:
    with collector() as (address, arrived):
        told = {"OTEL_EXPORTER_OTLP_ENDPOINT": address}
        found = otel.tracer_for("clock", "0.1", told, lambda: NOW)
        assert found is not None
        tracer, end = found
        tracer.failed("message x", REQUEST, None, "refusal", attempt=4, is_set_aside=True)

        end()

    ((path, body),) = arrived
    assert path == "/v1/traces"
    (resource,) = ExportTraceServiceRequest.FromString(body).resource_spans
    named = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert named["service.name"] == "levee-clock"
    (span,) = resource.scope_spans[0].spans
    assert span.trace_id.hex() == REQUEST.replace("-", "")
    assert (span.name, span.status.message) == ("message x", "refusal")
    assert {one.key for one in span.attributes} >= {"levee.request_id", "levee.attempt"}

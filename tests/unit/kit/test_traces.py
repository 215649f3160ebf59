"""What a traceparent says, whom it is taken from, and what the standard variables ask for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.observability import JsonFormatter, about, otel
from shared.observability.traces import Context, Span, Tracer, of_request, read

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
REQUEST = "01978c3e-8a00-7000-8000-0000000000ff"
_IDS = st.integers(1, 2**64 - 1)


@given(trace=st.integers(1, 2**128 - 1), span=_IDS, is_sampled=st.booleans())
def test_what_is_written_is_read_again(trace: int, span: int, is_sampled: bool) -> None:
    context = Context(trace, span, is_sampled)

    assert read(context.traceparent) == context


@pytest.mark.parametrize(
    "told",
    [None, "", "00", f"00-{0:032x}-{1:016x}-01", f"00-{1:032x}-{0:016x}-01", "ff-" + "1" * 52],
)
def test_what_is_no_traceparent_counts_as_none(told: str | None) -> None:
    assert read(told) is None


def test_the_trace_of_a_request_is_its_own_id() -> None:
    root = of_request(REQUEST)

    assert root is not None
    assert f"{root.trace_id:032x}" == REQUEST.replace("-", "")
    assert of_request("process/standard-path") is None


def test_a_failure_is_a_span_with_its_reason() -> None:
    spans: list[Span] = []
    tracer = Tracer("clock", spans.extend, lambda: NOW)

    tracer.failed("message x", REQUEST, None, "refusal", attempt=2, is_set_aside=True)

    (span,) = spans
    assert (span.error, span.attributes["levee.attempt"]) == ("refusal", 2)
    assert span.attributes["levee.request_id"] == REQUEST


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, (1.0, True)),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, (0.0, False)),
        (
            {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"},
            (0.25, True),
        ),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "7"}, (1.0, False)),
    ],
)
def test_sampling_is_as_the_variables_say(
    told: dict[str, str], expected: tuple[float, bool]
) -> None:
    assert otel.sampling(told) == expected


def test_tracing_is_off_until_an_endpoint_is_named() -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}

    assert not otel.is_wanted({})
    assert otel.is_wanted(endpoint)
    assert not otel.is_wanted({**endpoint, "OTEL_TRACES_EXPORTER": "none"})
    assert not otel.is_wanted({**endpoint, "OTEL_SDK_DISABLED": "true"})


def test_a_span_leaves_as_the_sdk_has_it() -> None:
    tracer = Tracer("clock", lambda _: None, lambda: NOW)
    span = tracer.begin("message x", "consumer", None, REQUEST)
    assert span is not None

    sent = otel.readable(span, None)

    assert f"{sent.context.trace_id:032x}" == REQUEST.replace("-", "")
    assert sent.start_time == 1772442000 * 10**9
    assert sent.attributes["levee.service"] == "clock"


def test_a_line_about_a_request_names_it_and_its_trace() -> None:
    record = logging.makeLogRecord({"msg": "set aside", **about(REQUEST)})

    line = orjson.loads(JsonFormatter("clock").format(record))

    assert (line["request_id"], line["trace_id"]) == (REQUEST, REQUEST.replace("-", ""))

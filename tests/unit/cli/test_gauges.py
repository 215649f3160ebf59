"""What `levee status` tells is what /metrics tells."""

from __future__ import annotations

import math

from levee.commands.status import figures_of
from levee.gauges import read_gauges
from shared.observability.exposition import Exposition
from shared.observability.measures import HANDLER_BOUNDS_S, Histogram


def told() -> str:
    """Return the metrics of a service that handled a hundred messages, one of them slowly."""
    page = Exposition("clock")
    page.value("levee_consumer_lag_messages", 7, "LEVEE_ROUTER")
    page.value("levee_consumer_lag_messages", 2, "LEVEE_INTAKE")
    page.value("levee_parked_messages", 3)
    fast, slow = Histogram(HANDLER_BOUNDS_S), Histogram(HANDLER_BOUNDS_S)
    for _ in range(99):
        fast.note(0.0002)
    slow.note(0.2)
    handlers = [(("message", "request.routed.v1"), fast), (("timer", "threshold"), slow)]
    page.histograms("levee_handler_seconds", handlers)
    return page.text().decode()


def test_figures_are_sums_and_quantiles_over_all_types() -> None:
    figures = figures_of(read_gauges(told()))

    assert figures["lag"] == {"LEVEE_ROUTER": 7, "LEVEE_INTAKE": 2}
    assert figures["parked"] == 3
    assert figures["handler_p99_s"] == 0.00025
    assert read_gauges(told()).quantile("levee_handler_seconds", 1) == 0.25


def test_what_is_absent_is_none_and_not_zero() -> None:
    figures = figures_of(read_gauges(told()))

    assert (figures["outbox"], figures["timer_lateness_p99_s"]) == (None, None)
    assert figures["batch_mean"] is None


def test_what_lies_beyond_the_last_bound_has_no_finite_quantile() -> None:
    page, beyond = Exposition("clock"), Histogram((1.0,))
    beyond.note(5)
    page.histograms("levee_timer_lateness_seconds", [((), beyond)])
    gauges = read_gauges(page.text().decode())

    assert gauges.quantile("levee_timer_lateness_seconds", 0.5) == math.inf
    assert figures_of(gauges)["timer_lateness_p99_s"] is None

"""From plain numbers to the text that Prometheus reads; each service has its own registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from shared.observability.metrics import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client.metrics_core import Metric as Family

    from shared.observability.measures import Histogram

#: Of text/plain exposition, version 0.0.4: what every Prometheus reads.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Exposition(Collector):
    """The families of one reading, of one service; every name comes from the table of metrics."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._families: dict[str, Family] = {}

    def value(self, name: str, value: float, *labels: str) -> None:
        """Add a sample of a gauge or counter; `labels` in the order of its definition."""
        family = self._family(name)
        assert isinstance(family, GaugeMetricFamily | CounterMetricFamily)
        family.add_metric([self._service, *labels], value)

    def values(self, name: str, values: Mapping[tuple[str, ...], float]) -> None:
        """Add a sample per set of labels; the metric is there even when there is none."""
        self._family(name)
        for labels, value in sorted(values.items()):
            self.value(name, value, *labels)

    def histograms(self, name: str, found: Iterable[tuple[tuple[str, ...], Histogram]]) -> None:
        """Add a histogram per set of labels."""
        family = self._family(name)
        assert isinstance(family, HistogramMetricFamily)
        for labels, histogram in sorted(found, key=lambda pair: pair[0]):
            family.add_metric([self._service, *labels], _buckets(histogram), histogram.sum)

    def collect(self) -> Iterator[Family]:
        """Return the families; what a registry asks for."""
        yield from self._families.values()

    def describe(self) -> Iterable[Family]:
        """Return what may come, without collecting it."""
        return list(self._families.values())

    def text(self) -> bytes:
        """Return all of it as Prometheus reads it."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)

    def _family(self, name: str) -> Family:
        if name not in self._families:
            metric = BY_NAME[name]
            labels = ("service", *metric.labels)
            make = {
                "gauge": GaugeMetricFamily,
                "counter": CounterMetricFamily,
                "histogram": HistogramMetricFamily,
            }[metric.kind]
            self._families[name] = make(name, metric.en, labels=labels)
        return self._families[name]


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Return cumulative counts per upper bound, as Prometheus has them."""
    bounds = [*map(str, histogram.bounds), "+Inf"]
    total, found = 0, []
    for bound, count in zip(bounds, histogram.counts, strict=True):
        total += count
        found.append((bound, float(total)))
    return found

"""The metrics of a running house as numbers for people: read from /metrics, nothing of its own."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from prometheus_client.samples import Sample


@dataclass(frozen=True, slots=True)
class Gauges:
    """What one service tells at /metrics."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def one(self, name: str) -> float | None:
        """Return a metric without labels; None where it is absent."""
        found = self.samples.get(name)
        return found[0].value if found else None

    def by(self, name: str, label: str) -> dict[str, float]:
        """Return a metric per value of a label, summed over the other labels."""
        found: dict[str, float] = defaultdict(float)
        for sample in self.samples.get(name, ()):
            found[sample.labels[label]] += sample.value
        return dict(found)

    def total(self, name: str) -> float:
        """Return a metric summed over its labels."""
        return sum(sample.value for sample in self.samples.get(name, ()))

    def mean(self, name: str) -> float | None:
        """Return the mean of a histogram; None before its first value."""
        count = self.total(f"{name}_count")
        return self.total(f"{name}_sum") / count if count else None

    def quantile(self, name: str, share: float) -> float | None:
        """Return the upper bound below which `share` of a histogram's values lie.

        None before the first value, infinity when it lies beyond the last bound. As coarse as
        the buckets: what Prometheus interpolates is not more certain.
        """
        counts: dict[float, float] = defaultdict(float)
        for sample in self.samples.get(f"{name}_bucket", ()):
            counts[float(sample.labels["le"])] += sample.value
        everything = counts.get(float("inf"), 0.0)
        if not everything:
            return None
        return next(bound for bound in sorted(counts) if counts[bound] >= share * everything)


def read_gauges(text: str) -> Gauges:
    """Read the text of /metrics."""
    samples: dict[str, list[Sample]] = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples[sample.name].append(sample)
    return Gauges(dict(samples))

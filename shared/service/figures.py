"""What /metrics tells: read from tables, bus and memory, kept for a few seconds."""

from __future__ import annotations

import asyncio
import os
import platform
import resource
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from shared.consuming.backlog import read_backlog
from shared.database.timer_watch import LATENESS_BOUNDS_S
from shared.errors import LeveeError
from shared.observability.exposition import Exposition
from shared.observability.measures import Histogram
from shared.service.settings import version

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from shared.service.built import Service

#: How long a reading is kept: many who ask cost no more than one.
_KEPT_S = 3.0

#: Name of a metric -> labels -> value: what a service adds of its own.
Own = dict[str, dict[tuple[str, ...], float]]


class Figures:
    """Reads a service's metrics, at most once in a few seconds."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._one_at_a_time = asyncio.Lock()
        self._text = b""
        self._read_s = float("-inf")

    async def text(self) -> bytes:
        """Return the metrics as Prometheus reads them; never raises for what is away."""
        async with self._one_at_a_time:
            monotonic = self._service.runtime.time.monotonic
            if monotonic() - self._read_s >= _KEPT_S:
                self._text = await self._read()
                self._read_s = monotonic()
            return self._text

    async def _read(self) -> bytes:
        service, told = self._service, Exposition(self._service.name)
        told.value("levee_build_info", 1, version(), platform.python_version())
        readiness = await service.readiness()
        told.value("levee_ready", readiness["status"] != "not_ready")
        for name, found in sorted(readiness["checks"].items()):
            told.value("levee_check_well", found["is_well"], name)
        await self._lag(told)
        if readiness["checks"]["database"]["is_well"]:
            await _if_there(self._waiting(told))
            if service.figures is not None:
                for name, values in (await _if_there(service.figures()) or {}).items():
                    told.values(name, values)
        self._counted(told)
        return told.text()

    async def _lag(self, told: Exposition) -> None:
        runtime = self._service.runtime
        told.values("levee_consumer_lag_messages", {})
        if not runtime.bus.is_connected:
            return
        lags = await asyncio.gather(*(runtime.bus.lag(spec) for spec in runtime.consumers))
        for spec, lag in zip(runtime.consumers, lags, strict=True):
            if lag is not None:
                told.value("levee_consumer_lag_messages", lag, spec.stream)

    async def _waiting(self, told: Exposition) -> None:
        runtime = self._service.runtime
        found = await read_backlog(runtime.database, runtime.tables, runtime.time.now())
        told.values("levee_setaside_messages", {})
        for code, count in sorted(found.set_aside.items()):
            told.value("levee_setaside_messages", count, code)
        told.value("levee_setaside_oldest_age_seconds", found.set_aside_age_s)
        told.value("levee_parked_messages", found.parked)
        told.value("levee_parked_oldest_age_seconds", found.parked_age_s)
        told.value("levee_outbox_unpublished_messages", found.outbox)
        told.value("levee_outbox_oldest_age_seconds", found.outbox_age_s)
        told.value("levee_timers_armed", found.timers)
        told.value("levee_timers_overdue", found.timers_overdue)
        for what, age_s in (await runtime.keeper.ages()).items():
            told.value("levee_kept_oldest_age_seconds", age_s, what)

    def _counted(self, told: Exposition) -> None:
        runtime = self._service.runtime
        stats, late = runtime.stats, runtime.timers.lateness
        lateness = Histogram(LATENESS_BOUNDS_S, list(late.counts), late.sum_s)
        told.histograms("levee_timer_lateness_seconds", [((), lateness)])
        measures = stats.measures
        told.histograms("levee_handler_seconds", measures.handlers.items())
        told.histograms("levee_batch_size", _one(measures.batches))
        told.histograms("levee_transaction_seconds", _one(measures.transactions))
        outcomes = ("handled", "duplicate", "early", "set_aside", "retried")
        counts = (stats.handled, stats.duplicates, stats.early, stats.set_aside, stats.retried)
        for outcome, count in zip(outcomes, counts, strict=True):
            told.value("levee_messages_total", count, outcome)
        told.value("levee_outbox_published_total", runtime.relay.published)
        for purge in runtime.keeper.purges:
            told.value("levee_keep_seconds", purge.keep.total_seconds(), purge.what)
            told.value("levee_purged_rows_total", runtime.keeper.purged[purge.what], purge.what)
        told.value("levee_calls_total", stats.calls)
        told.values("levee_http_requests_total", _floats(measures.statuses))
        told.histograms("levee_http_request_seconds", measures.answers.items())
        if measures.notifications:
            told.values("levee_notifications_total", _floats(measures.notifications))
        used = resource.getrusage(resource.RUSAGE_SELF)
        told.value("levee_process_cpu_seconds_total", used.ru_utime + used.ru_stime)
        # Kilobytes on Linux, bytes on macOS.
        unit = 1 if os.uname().sysname == "Darwin" else 1024
        told.value("levee_process_resident_bytes", used.ru_maxrss * unit)


def _one(found: Mapping[str, Histogram]) -> list[tuple[tuple[str, ...], Histogram]]:
    return [((label,), histogram) for label, histogram in found.items()]


def _floats(found: Mapping[Any, int]) -> dict[tuple[str, ...], float]:
    return {labels: float(count) for labels, count in found.items()}


async def _if_there(reading: Awaitable[Own | None]) -> Own | None:
    """Return what is read; a database that is away leaves these metrics out."""
    try:
        return await reading
    except (LeveeError, SQLAlchemyError):
        return None

"""The audit itself: walk through every request, wait for what is on its way, look again.

1. All services are read page by page in the order of request ids; memory holds a page of each.
   What does not add up makes a request suspect; most of it is merely on its way.
2. Then the auditor waits until everything that had been said when it was read has reached the
   bus, and everybody who hears it has settled it (or `grace` is over).
3. Suspects are looked at again. What was said before must be heard now. Where the wait succeeded
   the rest is a loss; where it did not, it is told as lag.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from levee.auditing.rules import NOTHING, Entry, Finding, differences, own_faults
from levee.auditing.sources import NAMED, Source
from shared.errors import LeveeError
from shared.time_source import SystemTime, TimeSource

#: How often the auditor looks whether what it saw has been settled.
_LOOK_EVERY_S = 0.25
#: A suspect's second look is worth this many requests at most; beyond it the house is simply ill.
SUSPECTS_MAX = 50_000

#: Tells which sequences of a publisher about a request are still carried by outbox or stream.
Carried = Callable[[str, str, range], bool]


@dataclass(slots=True)
class Report:
    """What an audit found."""

    began_at: datetime
    ended_at: datetime
    requests: int = 0
    suspects: int = 0
    #: Per service the sums over all requests.
    totals: dict[str, Counter[str]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def faults(self) -> list[Finding]:
        """What is wrong for certain."""
        return [finding for finding in self.findings if not finding.is_lag]

    @property
    def lags(self) -> list[Finding]:
        """What may still be on its way."""
        return [finding for finding in self.findings if finding.is_lag]

    def is_clean(self, *, is_strict: bool) -> bool:
        """Whether nothing was found; `is_strict` counts what is merely late too."""
        return not (self.findings if is_strict else self.faults)


async def audit(
    sources: Mapping[str, Source],
    *,
    since: datetime | None = None,
    grace: timedelta = timedelta(seconds=30),
    time: TimeSource | None = None,
    carried: Carried | None = None,
    suspects_max: int = SUSPECTS_MAX,
) -> Report:
    """Compare the services' books; raises nothing for a service that does not answer.

    `since` leaves out requests made before it. `carried` is asked, where given, whether what a
    service has not heard yet is still under way to it: for a house that stands still.
    """
    auditing = _Audit(dict(sources), grace, time or SystemTime(), suspects_max)
    return await auditing.run("" if since is None else _floor(since), carried)


def _floor(moment: datetime) -> str:
    """Return the id below all UUIDv7 made from `moment` on."""
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return str(UUID(int=milliseconds << 80))


class _Audit:
    """One audit under way."""

    def __init__(
        self, sources: dict[str, Source], grace: timedelta, time: TimeSource, suspects_max: int
    ) -> None:
        self._sources, self._grace, self._time = sources, grace, time
        self._suspects_max = suspects_max
        self._report = Report(time.now(), time.now())
        self._hears: dict[str, frozenset[str]] = {}
        self._forgotten: dict[str, str] = {}
        self._suspects: dict[str, dict[str, Entry]] = {}
        self._first: dict[str, Any] = {}

    async def run(self, after: str, carried: Carried | None) -> Report:
        self._first = await self._summaries()
        self._hears = {name: _publishers(told) for name, told in self._first.items()}
        self._forgotten = _forgotten(self._first)
        await self._walk(after)
        settled, last = await self._settle()
        # What was forgotten since it was read accuses nobody either.
        self._forgotten |= _forgotten(last)
        await self._look_again(settled, carried)
        if (dropped := self._report.suspects - len(self._suspects)) > 0:
            # What was not looked at twice may be lost as well as late: nothing is proved of it.
            self._report.findings.append(Finding("too_many", "house", None, {"dropped": dropped}))
        self._sum_up(last)
        self._report.ended_at = self._time.now()
        return self._report

    # ---- reading ---------------------------------------------------------------------------

    async def _summaries(self) -> dict[str, Any]:
        names = list(self._sources)
        answers = await asyncio.gather(
            *(self._sources[name].summary() for name in names), return_exceptions=True
        )
        told = {}
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, LeveeError):
                self._silent(name, answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                told[name] = answer
        return told

    def _silent(self, name: str, error: LeveeError) -> None:
        """Go on without a service that does not answer; that is a finding by itself."""
        self._sources.pop(name, None)
        self._report.findings.append(Finding("silent", name, None, {"reason": str(error)[:200]}))

    async def _walk(self, after: str) -> None:
        cursors = {name: _Cursor(after) for name in self._sources}
        while True:
            for name in self._behind(cursors):
                try:
                    cursors[name].take(await self._sources[name].page(cursors[name].after))
                except LeveeError as error:
                    self._silent(name, error)
            cursors = {name: cursors[name] for name in self._sources}
            open_ends = [cursor.after for cursor in cursors.values() if not cursor.is_done]
            horizon = min(open_ends, default=None)
            views = _views(cursors, horizon)
            for request_id in sorted(views):
                self._compare(request_id, views[request_id])
            if horizon is None:
                return

    def _behind(self, cursors: Mapping[str, _Cursor]) -> list[str]:
        """Return the services whose next page is needed to go on."""
        reading = {n: c for n, c in cursors.items() if n in self._sources and not c.is_done}
        lowest = min((cursor.after for cursor in reading.values()), default="")
        return [name for name, cursor in reading.items() if cursor.after == lowest]

    def _compare(self, request_id: str, view: dict[str, Entry]) -> None:
        self._report.requests += 1
        for service, entry in view.items():
            self._report.totals.setdefault(service, Counter()).update(_counts(entry))
        full = {name: view.get(name, NOTHING) for name in self._sources}
        is_suspect = any(own_faults(request_id, full)) or any(
            differences(request_id, full, full, self._hears, self._forgotten)
        )
        if is_suspect and len(self._suspects) < self._suspects_max:
            self._suspects[request_id] = full
        self._report.suspects += is_suspect

    # ---- waiting ---------------------------------------------------------------------------

    async def _settle(self) -> tuple[set[tuple[str, str]], dict[str, Any]]:
        """Wait until what was said by now is settled everywhere.

        Return the (service, publisher) pairs for which it is, and the last sums seen.
        """
        give_up = self._time.now() + self._grace
        told = await self._summaries()
        marks = {name: one["outbox"]["last"] for name, one in told.items()}
        ends: dict[str, int] = {}
        while True:
            for name, one in told.items():
                first, last = one["outbox"]["first"], one["stream_last"]
                if name not in ends and last is not None and (first is None or first > marks[name]):
                    ends[name] = last
            settled = _settled(told, ends)
            wanted = {(s, p) for s, ps in self._hears.items() for p in ps if s in told}
            if wanted <= settled or not self._suspects or self._time.now() >= give_up:
                return settled, told
            await self._time.sleep(_LOOK_EVERY_S)
            told = await self._summaries()

    # ---- looking again ---------------------------------------------------------------------

    async def _look_again(self, settled: set[tuple[str, str]], carried: Carried | None) -> None:
        keys = sorted(self._suspects)
        for start in range(0, len(keys), NAMED):
            part = keys[start : start + NAMED]
            after = await self._look(part)
            for request_id in part:
                for finding in self._confirmed(request_id, after[request_id]):
                    self._report.findings.append(_judged(finding, settled, carried))

    async def _look(self, keys: list[str]) -> dict[str, dict[str, Entry]]:
        views: dict[str, dict[str, Entry]] = {key: {} for key in keys}
        for name in list(self._sources):
            try:
                answer = await self._sources[name].look(keys)
            except LeveeError as error:
                self._silent(name, error)
                continue
            for entry in answer["items"]:
                views[entry["request_id"]][name] = entry
        return views

    def _confirmed(self, request_id: str, after: dict[str, Entry]) -> list[Finding]:
        before = {name: e for name, e in self._suspects[request_id].items() if name in after}
        known = {finding.key for finding in own_faults(request_id, before)}
        lasting = [f for f in own_faults(request_id, after) if f.key in known]
        rules = (self._hears, self._forgotten)
        return [*lasting, *differences(request_id, before, after, *rules)]

    def _sum_up(self, last: Mapping[str, Any]) -> None:
        """Add what only the sums show: rows that wait, what is held about no request."""
        heard = {publisher for publishers in self._hears.values() for publisher in publishers}
        for name, told in last.items():
            before = self._first.get(name)
            if before is None:
                continue
            was, now = before["outbox"], told["outbox"]
            if now["is_stuck"] and was["is_stuck"] and was["first"] == now["first"]:
                detail = {"waiting": now["waiting"], "oldest_at": now["oldest_at"]}
                self._report.findings.append(Finding("outbox_stuck", name, None, detail))
            if told["stream_last"] is None and name in heard:
                self._report.findings.append(Finding("bus_away", name, None, {}, is_lag=True))
            self._add_unowned(name, before, told)

    def _add_unowned(self, name: str, before: Mapping[str, Any], told: Mapping[str, Any]) -> None:
        named = Counter(f.code for f in self._report.findings if f.service == name)
        aside = sum(count for kind, count in told["held"].items() if kind != "early")
        if aside > named["set_aside"]:
            detail = {"count": aside - named["set_aside"]}
            self._report.findings.append(Finding("set_aside_elsewhere", name, None, detail))
        is_lasting = (
            told["timers"]["since"] and told["timers"]["since"] == before["timers"]["since"]
        )
        if is_lasting and not named["timer_overdue"]:
            detail = dict(told["timers"])
            self._report.findings.append(Finding("timers_overdue", name, None, detail))


class _Cursor:
    """How far a service was read."""

    def __init__(self, after: str) -> None:
        self.after, self.is_done = after, False
        self.entries: dict[str, Entry] = {}

    def take(self, page: Mapping[str, Any]) -> None:
        """Add a page."""
        self.entries |= {entry["request_id"]: entry for entry in page["items"]}
        self.is_done = page["next_after"] is None
        self.after = page["next_after"] or self.after


def _views(cursors: Mapping[str, _Cursor], horizon: str | None) -> dict[str, dict[str, Entry]]:
    """Take from the cursors everything up to `horizon` (all of it for None), by request."""
    views: dict[str, dict[str, Entry]] = {}
    for name, cursor in cursors.items():
        for key in [key for key in cursor.entries if horizon is None or key <= horizon]:
            views.setdefault(key, {})[name] = cursor.entries.pop(key)
    return views


def _publishers(told: Mapping[str, Any]) -> frozenset[str]:
    """Return the services whose streams a service hears; definitions supersede one another."""
    streams = (one["stream"].removeprefix("LEVEE_").lower() for one in told["hears"])
    return frozenset(name for name in streams if name != "definitions")


def _forgotten(told: Mapping[str, Any]) -> dict[str, str]:
    """Return per service up to which request it may have forgotten positions."""
    found = {name: one.get("forgotten_upto") for name, one in told.items()}
    return {name: upto for name, upto in found.items() if upto is not None}


def _settled(told: Mapping[str, Any], ends: Mapping[str, int]) -> set[tuple[str, str]]:
    found = set()
    for service, one in told.items():
        for heard in one["hears"]:
            publisher = heard["stream"].removeprefix("LEVEE_").lower()
            upto = heard["settled"]
            if publisher in ends and upto is not None and upto >= ends[publisher]:
                found.add((service, publisher))
    return found


def _judged(finding: Finding, settled: set[tuple[str, str]], carried: Carried | None) -> Finding:
    """Tell lag from loss: what was not settled yet may still come."""
    if finding.code != "unheard":
        return finding
    detail = finding.detail
    publisher = detail["publisher"]
    if carried is not None:
        sequences = range(detail["heard"] + 1, detail["said"] + 1)
        is_lag = carried(publisher, finding.request_id or "", sequences)
    else:
        is_lag = (finding.service, publisher) not in settled
    if not is_lag:
        return finding
    return Finding(finding.code, finding.service, finding.request_id, detail, is_lag=True)


def _counts(entry: Entry) -> dict[str, int]:
    facts = entry["facts"]
    return {
        "requests": int(bool(facts.get("request"))),
        "said": entry["said"],
        "processes": facts.get("processes", 0),
        "clock_sets": int(bool(facts.get("clocks"))),
        "clocks": len(facts.get("clocks", ())),
        "thresholds": sum(facts.get("thresholds", {}).values()),
        "escalations": facts.get("escalations", 0),
        "told": len(facts.get("told", ())),
        "notifications": len(facts.get("accepted", ())),
        **{f"deliveries_{state}": n for state, n in facts.get("deliveries", {}).items()},
    }

"""What a reopening makes of a run: the rule of its target says so (`targets.Reopen`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from services.clock.domain.runs import End, Run
from shared.business_time import Pause
from shared.targets.rows import Reopen

#: Why nothing before the reopening counts where the clock begins again.
RESTARTED = "restarted"


def cycles(run: Run, rule: Reopen) -> tuple[Run, ...]:
    """Return the run as the rule has it: itself, itself begun anew, or one run per cycle."""
    if not run.stops or rule is Reopen.CONTINUE:
        return (run,)
    reopened = [_reopened_at(run, stop) for stop in run.stops]
    if rule is Reopen.RESTART:
        return (replace(run, gaps=(*run.gaps, Pause(run.started_at, reopened[-1], RESTARTED))),)
    return tuple(_each(run, reopened))


def _reopened_at(run: Run, stop: datetime) -> datetime:
    ends = (gap.end for gap in run.gaps if gap.start == stop and gap.end is not None)
    return max(ends, default=stop)


def _each(run: Run, reopened: list[datetime]) -> Iterator[Run]:
    starts, ends = [run.started_at, *reopened], [*run.stops, run.ended_at]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        is_last = number == len(starts)
        within = [r for r in run.rebases if start < r.at and (end is None or r.at <= end)]
        later = [r for r in run.rebases if end is not None and r.at > end]
        yield replace(
            run,
            key=run.key if number == 1 else f"{run.key}/{number}",
            started_at=start,
            priority=later[0].old if later else run.priority,
            gaps=_part(run.gaps, start, end),
            waits=_part(run.waits, start, end),
            rebases=tuple(within),
            stops=(),
            ended_at=end,
            end=run.end if is_last else End.MET,
            reason=run.reason if is_last else "",
        )


def _part(pauses: tuple[Pause, ...], start: datetime, end: datetime | None) -> tuple[Pause, ...]:
    return tuple(
        pause
        for pause in pauses
        if pause.start >= start and (end is None or (pause.end is not None and pause.end <= end))
    )

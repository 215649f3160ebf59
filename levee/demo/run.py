"""One day from plan to figures, in simulated time, and on to the present moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from levee.demo.company import company_of, directory_for
from levee.demo.day import DEFAULT_REQUESTS, make_day
from levee.demo.ear import Ear
from levee.demo.plan import Case, Day
from levee.demo.player import Player
from levee.demo.stage import Stage
from levee.demo.watcher import Watcher
from levee.embedded import DEFINITIONS
from levee.replay.report import metric_totals
from levee.simulated import BusKind, SimulatedHouse, simulated_house
from services.clock.store import snapshot
from services.router.gateways import read_directory
from shared.vocabulary import ClockState

if TYPE_CHECKING:
    from datetime import date

    from services.router.domain import Record
    from shared.events.router import DirectoryChanged

#: Stages of a demo, for whoever shows it.
Tell = Callable[["Scene", datetime], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is being played, and what was heard of it so far."""

    day: Day
    watcher: Watcher


@dataclass(frozen=True, slots=True)
class Figures:
    """The day in figures, as it stood when it ended; clock times in seconds."""

    requests: int
    #: request type -> priority -> how many
    by_type: Mapping[str, Mapping[str, int]]
    by_state: Mapping[str, int]
    handovers: int
    reopenings: int
    #: As the report of a replay has them (levee.replay.report).
    metrics: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A day that was played."""

    scene: Scene
    figures: Figures
    #: The number of a request whose timeline is worth a look.
    example: str
    #: What happened between the end of the day and now.
    since: Mapping[str, int]


def plan_day(day: date, *, seed: int, requests: int) -> tuple[Day, DirectoryChanged]:
    """Return a day and the directory that goes with it."""
    shipped = read_directory((DEFINITIONS / "directory.yaml").read_text(encoding="utf-8"))
    directory = directory_for(shipped, day)
    return make_day(day, company_of(directory, seed), seed=seed, requests=requests), directory


async def play_day(
    day: date,
    folder: Path,
    *,
    now: Callable[[], datetime],
    tell: Tell = lambda scene, at: None,
    seed: int = 1,
    requests: int = DEFAULT_REQUESTS,
    bus_kind: BusKind = "nats",
    url: str = "http://127.0.0.1:8080",
) -> Told:
    """Play a working day through the real services and on until `now()`; data lies in `folder`."""
    planned, directory = plan_day(day, seed=seed, requests=requests)
    names = {person.id: person.name for person in directory.people}
    names |= {team.id: team.name["zh-CN"] for team in directory.teams}
    watcher = Watcher({case.key: case for case in planned.cases}, names)
    scene = Scene(planned, watcher)
    start = planned.begins_at - timedelta(minutes=10)
    async with simulated_house(folder, start, seed=seed, bus_kind=bus_kind, url=url) as simulated:
        ear = Ear(simulated.bus, watcher)
        await ear.open_up()
        desk = simulated.house.router.desk
        assert desk is not None
        await desk.put_directory(directory)
        await simulated.activity.settled()
        player = Player(
            simulated.time, Stage(simulated), watcher, planned, lambda at: tell(scene, at)
        )
        await player.play_until(planned.ends_at)
        figures = await figures_of(simulated)
        before = Counter(watcher.counts)
        await player.play_until(max(now(), planned.ends_at))
        await ear.shut()
    since = {kind: watcher.counts[kind] - before[kind] for kind in watcher.counts}
    return Told(scene, figures, example_of(watcher), since)


def example_of(watcher: Watcher) -> str:
    """Return the number of the forgotten request, whose timeline has everything."""
    forgotten = [f.number for f in watcher.requests.values() if f.case.kind == "forgotten"]
    return forgotten[0]


async def figures_of(simulated: SimulatedHouse) -> Figures:
    """Return the figures as they stand now in simulated time."""
    at = simulated.time.now()
    clocks = await snapshot(simulated.house.services["clock"].runtime.database, at)
    desk = simulated.house.router.desk
    assert desk is not None
    records = await desk.everything()
    timed = [{"clocks": [_clock(one) for one in found]} for found in clocks.values()]
    return Figures(
        requests=len(records),
        by_type=_by_type(records),
        by_state=Counter(record.state.value for record in records),
        handovers=sum(record.handovers for record in records),
        reopenings=sum(record.reopenings for record in records),
        metrics=metric_totals(timed),
    )


def _by_type(records: list[Record]) -> Mapping[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for record in records:
        kind = str(record.context.get("request_type"))
        found.setdefault(kind, Counter())[record.priority.value] += 1
    return dict(sorted(found.items()))


def _clock(clock: Any) -> dict[str, Any]:
    """Return what the totals need of a clock; `breached` says the target passed, stopped or not."""
    state = clock["state"]
    is_stopped = state == ClockState.MET.value
    if clock["is_breached"] and state != ClockState.CANCELLED.value:
        state = ClockState.BREACHED.value
    return {
        "metric": clock["metric"],
        "state": state,
        "is_stopped": is_stopped,
        "elapsed_s": clock["elapsed_s"],
    }


__all__ = ["Case", "Figures", "Scene", "Told", "plan_day", "play_day"]

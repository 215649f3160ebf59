"""One replay from log to report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from levee.embedded import DEFINITIONS
from levee.replay.player import WINDOW, Player
from levee.replay.report import totals
from levee.replay.servicenow import BadLog, Incident, Skipped, read_log, teams_of
from levee.replay.stage import Ear, HouseStage, directory_of
from levee.simulated import BusKind, SimulatedHouse, simulated_house
from services.clock.store import snapshot
from shared.time_source import SystemTime
from shared.vocabulary import ClockState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID

    from services.router.domain import Record

#: Nobody asks intake for a status while a log is played, so it hears nothing; and then its watchdog
#: must not take that for a request nobody routed.
_OPTIONS = {"intake": {"route_within_s": 366 * 86_400.0}}
#: How often progress is told, in seconds of real time.
_TELL_EVERY_S = 0.2


async def replay_log(
    file: Path,
    folder: Path,
    *,
    zone: str = "UTC",
    limit: int | None = None,
    bus_kind: BusKind = "memory",
    seed: int = 1,
    definitions: Path = DEFINITIONS,
    window: timedelta = WINDOW,
    progress: Callable[[int, int, float], None] = lambda done, total, rate: None,
) -> dict[str, Any]:
    """Play the log through the services and return the report; see docs/replay.md for its shape.

    Databases lie in `folder`. What different requests do within a `window` is taken together,
    which changes nothing in the report. Raises `BadLog` when there is nothing to play.
    """
    real = SystemTime()
    began = real.monotonic()
    incidents, skipped = read_log(file, zone, limit)
    if not incidents:
        raise BadLog(path=file, reason=f"no incident could be read, {skipped.count} rows skipped")
    start = min(incident.submitted_at for incident in incidents) - timedelta(minutes=5)
    async with simulated_house(
        folder,
        start,
        seed=seed,
        bus_kind=bus_kind,
        definitions=definitions,
        options=_OPTIONS,
        # What portals and boards would show: nothing in the report comes from there.
        deaf=("insight", "intake"),
        has_turns=True,
    ) as simulated:
        ear = Ear(simulated.bus)
        await ear.open_up()
        desk = simulated.house.router.desk
        assert desk is not None
        await desk.put_directory(directory_of(*teams_of(incidents)))
        await simulated.activity.settled()
        player = Player(simulated, HouseStage(simulated, ear), incidents, window)
        await player.play(_Teller(real, sum(len(i.rows) for i in incidents), progress).tell)
        requests = await _requests(simulated, player.ids)
        await ear.shut()
        log = _log(incidents, skipped, real.monotonic() - began, bus_kind)
        return {
            "requests": requests,
            "totals": totals(
                requests,
                escalations=ear.escalations(),
                notifications=ear.notifications(),
                log=log,
            ),
        }


class _Teller:
    """Tells how far the replay is, not too often."""

    def __init__(
        self, real: SystemTime, total: int, show: Callable[[int, int, float], None]
    ) -> None:
        self._real, self._total, self._show = real, total, show
        self._began = self._told_at = real.monotonic()
        self._done = 0

    def tell(self, played: int) -> None:
        """Count `played` events more."""
        self._done += played
        now = self._real.monotonic()
        if now - self._told_at >= _TELL_EVERY_S or self._done == self._total:
            self._told_at = now
            rate = self._done / max(now - self._began, 1e-6)
            self._show(self._done, self._total, rate)


async def _requests(simulated: SimulatedHouse, ids: dict[str, UUID]) -> list[dict[str, Any]]:
    """Return every request as the report shows it, by external id."""
    end = simulated.time.now()
    clocks = await snapshot(simulated.house.services["clock"].runtime.database, end)
    desk = simulated.house.router.desk
    assert desk is not None
    records = {record.id: record for record in await desk.everything()}
    return [
        _request(external_id, records[ids[external_id]], clocks.get(str(ids[external_id]), []))
        for external_id in sorted(ids)
    ]


def _request(external_id: str, record: Record, clocks: Any) -> dict[str, Any]:
    return {
        "external_id": external_id,
        "number": record.number,
        "priority": record.priority.value,
        "state": record.state.value,
        "team": record.team,
        "team_changes": record.handovers,
        "reopenings": record.reopenings,
        "clocks": sorted((_clock(clock) for clock in clocks), key=_in_order),
    }


def _in_order(clock: dict[str, Any]) -> tuple[Any, ...]:
    """Sort several clocks of one metric by what they are, not by the ids they happen to have."""
    return (clock["metric"], str(clock["due_at"]), clock["elapsed_s"], clock["state"])


def _clock(clock: Any) -> dict[str, Any]:
    """Return one clock; `breached` says that the target passed, stopped since or not."""
    state = clock["state"]
    is_stopped = state == ClockState.MET.value
    if clock["is_breached"] and state != ClockState.CANCELLED.value:
        state = ClockState.BREACHED.value
    due_at: datetime | None = clock["due_at"]
    return {
        "metric": clock["metric"],
        "calendar": clock["calendar"],
        "target_s": clock["target_s"],
        "elapsed_s": clock["elapsed_s"],
        "paused_s": clock["paused_s"],
        "due_at": due_at,
        "state": state,
        "is_stopped": is_stopped,
    }


def _log(
    incidents: list[Incident], skipped: Skipped, wall_s: float, bus_kind: str
) -> dict[str, Any]:
    return {
        "incidents": len(incidents),
        "events": sum(len(incident.rows) for incident in incidents),
        "skipped": skipped.count,
        "skipped_rows": skipped.named,
        "bus": bus_kind,
        "wall_s": round(wall_s, 3),
    }

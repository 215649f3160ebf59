"""Plays incidents through a house in simulated time, moment by moment."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from levee.replay.actions import Action, Progress, first_team

if TYPE_CHECKING:
    from levee.replay.servicenow import Incident
    from shared.time_source import SimulatedTime


#: What different incidents do within this time is taken together; nothing in the shipped rules
#: lets one request touch another, so it changes no record (decision 0009, tests/journey).
WINDOW = timedelta(hours=24)


class Stage(Protocol):
    """The services, as the player sees them."""

    async def submit(self, incident: Incident, team: str) -> UUID:
        """Post the incident as a request; return its id."""
        ...

    async def act(self, request_id: UUID, action: Action) -> None:
        """Let one thing happen to it."""
        ...


@dataclass(slots=True)
class Played:
    """One incident while it is played."""

    incident: Incident
    request_id: UUID | None = None
    progress: Progress = field(default_factory=Progress)


@dataclass(frozen=True, slots=True, order=True)
class _Cue:
    """Something to be played at `at`: a submission (`step` 0) or an event of the log."""

    at: datetime
    step: int
    order: int


class World(Protocol):
    """The house in its simulated time."""

    time: SimulatedTime

    async def pass_until(self, moment: datetime, bounds: Mapping[UUID, datetime]) -> None:
        """Let happen what is due, about the subjects in `bounds` only up to their moment."""
        ...


class Player:
    """Plays a log window by window.

    What concerns one incident happens strictly in the order of its moments: events of the log
    and due moments of the services alternate. Different incidents of a window are taken together.
    """

    def __init__(
        self,
        world: World,
        stage: Stage,
        incidents: list[Incident],
        window: timedelta = WINDOW,
    ) -> None:
        self._world, self._stage, self._window = world, stage, window
        self._played = [Played(incident) for incident in incidents]
        self.cues = _cues(incidents)

    @property
    def ids(self) -> dict[str, UUID]:
        """The request of each incident."""
        return {
            played.incident.external_id: played.request_id
            for played in self._played
            if played.request_id is not None
        }

    async def play(self, progress: Callable[[int], None]) -> None:
        """Play everything; `progress` hears how many events were played."""
        place = 0
        while place < len(self.cues):
            until = min(self.cues[place].at + self._window, self.cues[-1].at)
            waiting: dict[int, deque[_Cue]] = {}
            while place < len(self.cues) and self.cues[place].at <= until:
                waiting.setdefault(self.cues[place].order, deque()).append(self.cues[place])
                place += 1
            await self._play_window(until, waiting, progress)

    async def _play_window(
        self, until: datetime, waiting: dict[int, deque[_Cue]], progress: Callable[[int], None]
    ) -> None:
        while waiting:
            await self._world.pass_until(until, self._bounds(waiting))
            # By their moments: so requests are numbered as they came, whatever the window.
            now = sorted(_next_moment(cues) for cues in waiting.values())
            waiting = {order: left for order, left in waiting.items() if left}
            await asyncio.gather(*(self._play_moment(cues) for cues in now))
            await self._world.time.activity.settled()
            progress(sum(1 for cues in now for cue in cues if cue.step > 0))
        await self._world.pass_until(until, {})

    def _bounds(self, waiting: dict[int, deque[_Cue]]) -> dict[UUID, datetime]:
        """Return up to when what is due may happen before the log goes on, per request."""
        bounds = {}
        for order, cues in waiting.items():
            request_id = self._played[order].request_id
            if request_id is not None:
                bounds[request_id] = cues[0].at
        return bounds

    async def _play_moment(self, cues: list[_Cue]) -> None:
        """Play what the log says of one incident at one moment, or its submission."""
        played = self._played[cues[0].order]
        with self._world.time.standing_at(cues[0].at):
            if cues[0].step == 0:
                team = first_team(played.incident)
                played.progress.team = team
                played.request_id = await self._stage.submit(played.incident, team)
                return
            assert played.request_id is not None
            for cue in cues:
                for action in played.progress.actions(played.incident.rows[cue.step - 1]):
                    await self._stage.act(played.request_id, action)


def _next_moment(cues: deque[_Cue]) -> list[_Cue]:
    """Take what happens next from an incident's cues: the submission, or all of one moment."""
    taken = [cues.popleft()]
    while taken[0].step and cues and cues[0].at == taken[0].at:
        taken.append(cues.popleft())
    return taken


def _cues(incidents: list[Incident]) -> list[_Cue]:
    """Return what is played when: per incident in the order of the log, never back in time."""
    cues: list[_Cue] = []
    for order, incident in enumerate(incidents):
        at = incident.submitted_at
        cues.append(_Cue(at, 0, order))
        for step, row in enumerate(incident.rows, start=1):
            at = max(at, row.at)
            cues.append(_Cue(at, step, order))
    return sorted(cues)

"""Plays incidents through a house in simulated time, moment by moment."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from levee.replay.actions import Action, Progress, first_team

if TYPE_CHECKING:
    from levee.replay.servicenow import Incident, Row
    from shared.time_source import SimulatedTime


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


class Player:
    """Plays a log; moments of the log and due moments of the services alternate in order."""

    def __init__(self, time: SimulatedTime, stage: Stage, incidents: list[Incident]) -> None:
        self._time, self._stage = time, stage
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
        for at, group in itertools.groupby(self.cues, key=lambda cue: cue.at):
            cues = list(group)
            await self._time.run_until(at)
            submissions = [cue for cue in cues if cue.step == 0]
            if submissions:
                await asyncio.gather(*(self._submit(cue) for cue in submissions))
                await self._time.activity.settled()
            await self._play_rows([cue for cue in cues if cue.step > 0])
            progress(len(cues) - len(submissions))

    async def _submit(self, cue: _Cue) -> None:
        played = self._played[cue.order]
        team = first_team(played.incident)
        played.progress.team = team
        played.request_id = await self._stage.submit(played.incident, team)

    async def _play_rows(self, cues: list[_Cue]) -> None:
        if not cues:
            return
        by_incident: dict[int, list[_Cue]] = {}
        for cue in cues:
            by_incident.setdefault(cue.order, []).append(cue)
        await asyncio.gather(
            *(self._play_incident(order, steps) for order, steps in by_incident.items())
        )
        await self._time.activity.settled()

    async def _play_incident(self, order: int, cues: list[_Cue]) -> None:
        played = self._played[order]
        assert played.request_id is not None
        for cue in cues:
            row: Row = played.incident.rows[cue.step - 1]
            for action in played.progress.actions(row):
                await self._stage.act(played.request_id, action)


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

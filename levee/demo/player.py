"""Plays a day: the plan's moments, the services' due moments and people's reactions in order."""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from levee.demo.plan import ROLES, ZONE
from levee.simulated import GRAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from levee.demo.plan import Case, Day, Step
    from levee.demo.stage import Stage
    from levee.demo.watcher import Call, Duty, Watcher
    from shared.time_source import SimulatedTime

#: Outside these hours only the duty person hears the phone, and needs this long to answer.
_FROM_HOUR, _UNTIL_HOUR = 8, 19
_NIGHT_ANSWER = timedelta(minutes=7)
#: How long somebody with authority takes for what is theirs alone.
_DUTY_TAKES = {"decision": timedelta(minutes=6), "review": timedelta(minutes=85)}


@dataclass(frozen=True, slots=True, order=True)
class _Cue:
    """Something to be played at `at`: a submission, a step of a plan, or a reaction."""

    at: datetime
    order: int
    case: Case | None = field(default=None, compare=False)
    step: Step | None = field(default=None, compare=False)
    call: Call | None = field(default=None, compare=False)
    duty: Duty | None = field(default=None, compare=False)
    person: str = field(default="", compare=False)


class Player:
    """Plays one day on a stage; `tell` hears the moment after each jump."""

    def __init__(
        self,
        time: SimulatedTime,
        stage: Stage,
        watcher: Watcher,
        day: Day,
        tell: Callable[[datetime], None],
    ) -> None:
        self._time, self._stage, self._watcher = time, stage, watcher
        self._tell = tell
        self._order = 0
        self._cues: list[_Cue] = []
        self._ids: dict[str, UUID] = {}
        for case in day.cases:
            self._add(case.at, case=case)
            for step in case.steps:
                self._add(step.at, case=case, step=step)

    async def play_until(self, moment: datetime) -> None:
        """Let everything happen up to `moment`, and stand there."""
        while True:
            self._plan_reactions()
            cue_at = self._cues[0].at if self._cues else None
            goal = min(cue_at, moment) if cue_at is not None else moment
            due = self._time.next_moment()
            if due is not None and due < goal:
                # Never past a due moment by more than the grain: people may react to it.
                await self._time.run_until(min(due + GRAIN, goal))
            else:
                await self._time.run_until(goal)
                if cue_at is None or cue_at > moment:
                    break
                await self._play(self._due(goal))
            self._tell(self._time.now())
        self._plan_reactions()
        self._tell(self._time.now())

    def _due(self, at: datetime) -> list[_Cue]:
        found = []
        while self._cues and self._cues[0].at <= at:
            found.append(heapq.heappop(self._cues))
        return found

    async def _play(self, cues: list[_Cue]) -> None:
        await asyncio.gather(*(self._play_one(cue) for cue in cues))
        await self._time.activity.settled()

    async def _play_one(self, cue: _Cue) -> None:
        if cue.call is not None:
            if cue.call.request_id in self._watcher.unanswered:
                await self._stage.acknowledge(cue.call, cue.person, self._time.now())
        elif cue.duty is not None:
            await self._stage.do(cue.duty, cue.person, self._time.now())
        elif cue.case is not None and cue.step is not None:
            await self._stage.act(self._ids[cue.case.key], cue.step)
        elif cue.case is not None:
            self._ids[cue.case.key] = await self._stage.submit(cue.case.key, cue.case.asked)

    def _plan_reactions(self) -> None:
        """Let whoever hears an escalation acknowledge it, and leads decide, in a while."""
        duties, self._watcher.duties = self._watcher.duties, []
        for duty in duties:
            if duty.people:
                at = max(duty.at + _DUTY_TAKES[duty.purpose], self._time.now())
                self._add(at, duty=duty, person=duty.people[-1])
        calls, self._watcher.calls = self._watcher.calls, []
        for call in calls:
            known = self._watcher.requests.get(call.request_id)
            if known is None or known.case.ears is None:
                continue
            found = reaction(call, known.case)
            if found is not None:
                person, after = found
                at = max(call.at + after, self._time.now())
                self._add(at, call=call, person=person)

    def _add(
        self,
        at: datetime,
        *,
        case: Case | None = None,
        step: Step | None = None,
        call: Call | None = None,
        duty: Duty | None = None,
        person: str = "",
    ) -> None:
        self._order += 1
        heapq.heappush(self._cues, _Cue(at, self._order, case, step, call, duty, person))


def reaction(call: Call, case: Case) -> tuple[str, timedelta] | None:
    """Return who acknowledges and after how long; None when nobody who was told will."""
    if case.ears is None or not call.told:
        return None
    person, role = call.told[0]
    rank = ROLES.index(role) if role in ROLES else len(ROLES)
    if not _FROM_HOUR <= call.at.astimezone(ZONE).hour < _UNTIL_HOUR:
        return (person, _NIGHT_ANSWER) if role == "duty" else None
    return (person, case.ears.after) if rank >= ROLES.index(case.ears.role) else None

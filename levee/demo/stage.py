"""Lets the people of a plan act on the services, through the same entry points as real callers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from services.escalation.handlers.answering import Answer, acknowledge
from services.intake.domain.errors import RequestIsOver
from services.intake.domain.values import Asker, Post, Written
from services.router.handlers import Change
from shared.vocabulary import AuthorKind

if TYPE_CHECKING:
    from datetime import datetime

    from levee.demo.plan import Asked, Step
    from levee.demo.watcher import Call, Duty
    from levee.simulated import SimulatedHouse
    from services.router.handlers.requests import ChangeKind

_OPEN_ITEMS = ("open", "claimed")
#: What those with authority say when something is theirs alone.
_DONE = {
    "decision": {"decision": "approved", "reason": "影响大，直接处置，先恢复再补手续"},
    "review": {"conclusion": "处置得当；加装备用链路并纳入巡检"},
}
_MESSAGES = ("answer", "ask", "reply")
_REQUESTERS = ("confirm", "reopen", "rate", "withdraw", "correct")


@dataclass(slots=True)
class Stage:
    """The services of a house, as the plan's people use them."""

    simulated: SimulatedHouse

    async def submit(self, key: str, asked: Asked) -> UUID:
        """Post a request at the entrance; return its id."""
        post = Post(
            type=asked.type,
            source=asked.source,
            external_id=key,
            requester=Asker(asked.requester_id, asked.requester_name, asked.tier),
            title=asked.title,
            channel=asked.channel,
            urgency=asked.urgency,
            impact=asked.impact,
            form=asked.form,
            organisation_unit=asked.unit,
        )
        return UUID((await self.simulated.house.intake.desk.submit(post)).told["id"])

    async def act(self, request_id: UUID, step: Step) -> None:
        """Let one person do one thing now."""
        if step.verb in _MESSAGES:
            await self._write(request_id, step)
        elif step.verb in _REQUESTERS:
            # A green request closes with its review: a requester may come too late.
            with suppress(RequestIsOver):
                await self._ask(str(request_id), step)
        else:
            await self._work(request_id, step)

    async def acknowledge(self, call: Call, person: str, at: datetime) -> None:
        """Take an escalation over; too late means nothing."""
        runtime = self.simulated.house.services["escalation"].runtime
        request_id = UUID(call.request_id)
        answer = Answer(call.escalation_id, request_id, person, at)
        await runtime.do(lambda work: acknowledge(answer, work), locks=[request_id])

    async def do(self, duty: Duty, person: str, at: datetime) -> None:
        """Decide or review; what was decided or taken away meanwhile is nobody's any more."""
        desk = self.simulated.house.router.desk
        assert desk is not None
        told = await desk.request(UUID(duty.request_id))
        waiting = {item["id"] for item in told["work_items"] if item["state"] in _OPEN_ITEMS}
        if str(duty.work_item_id) in waiting:
            await desk.complete(duty.work_item_id, person, dict(_DONE[duty.purpose]), at)

    async def _write(self, request_id: UUID, step: Step) -> None:
        is_agent = step.verb != "reply"
        author = AuthorKind.AGENT if is_agent else AuthorKind.REQUESTER
        written = Written(step.text, author, step.by, is_effective=is_agent)
        await self.simulated.house.intake.desk.post_message(str(request_id), written)
        if step.verb == "ask":
            await self._change(request_id, step, "wait", reason="requester")

    async def _ask(self, reference: str, step: Step) -> None:
        desk = self.simulated.house.intake.desk
        match step.verb:
            case "confirm":
                await desk.confirm(reference)
            case "reopen":
                await desk.reopen(reference, step.text)
            case "rate":
                await desk.rate(reference, step.score)
            case "withdraw":
                await desk.withdraw(reference, step.text or None)
            case _:
                await desk.correct(reference, {"urgency": "high"}, step.by)

    async def _work(self, request_id: UUID, step: Step) -> None:
        match step.verb:
            case "claim":
                await self._claim(request_id, step)
            case "resolve":
                await self._resolve(request_id, step)
            case "wait":
                await self._change(request_id, step, "wait", reason="supplier", note=step.text)
            case verb:
                kind = cast("ChangeKind", verb)
                await self._change(request_id, step, kind, team=step.team or None, reason=step.text)

    async def _claim(self, request_id: UUID, step: Step) -> None:
        item = await self._item(request_id)
        desk = self.simulated.house.router.desk
        assert desk is not None
        if item is not None:
            await desk.claim(item, step.by, step.at)

    async def _resolve(self, request_id: UUID, step: Step) -> None:
        item = await self._item(request_id)
        desk = self.simulated.house.router.desk
        assert desk is not None
        if item is not None:
            result = {"resolution": "solved", "note": step.text}
            await desk.complete(item, step.by, result, step.at)

    async def _change(self, request_id: UUID, step: Step, kind: ChangeKind, **more: Any) -> None:
        desk = self.simulated.house.router.desk
        assert desk is not None
        await desk.change(request_id, Change(kind=kind, at=step.at, by=step.by, **more))

    async def _item(self, request_id: UUID) -> UUID | None:
        """Return the work that is open on a request for its owner."""
        desk = self.simulated.house.router.desk
        assert desk is not None
        told = await desk.request(request_id)
        waiting = [
            item
            for item in told["work_items"]
            if item["state"] in _OPEN_ITEMS and item["purpose"] == "work"
        ]
        return UUID(waiting[0]["id"]) if waiting else None

"""From facts to the diagram and back: messages in, work items, timers and incidents out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from services.router import domain, events_out
from services.router.domain import Move
from services.router.domain import jobs as rules
from services.router.handlers import incidents, jobs, lanes, operations
from services.router.handlers.following import claim_for_owner, end_items, ending, items_follow
from services.router.handlers.incidents import note_fault
from services.router.handlers.opening import open_item
from services.router.handlers.waits import record_waits
from shared.errors import LeveeError
from shared.events import router as said
from shared.vocabulary import RequestState, WorkItemState

if TYPE_CHECKING:
    from datetime import datetime

    from services.router.domain import Fact, Job, Record
    from services.router.store import RouterWork
    from services.router.workflow import Step

#: The kind of a diagram's timers.
PROCESS_TIMER = "process"
#: Lanes one operation may lead through: diagrams that send each other a request end here.
_MOVES_AT_MOST = 3
_LIVE = (RequestState.OPEN, RequestState.WAITING)
_OVER = (RequestState.CLOSED, RequestState.CANCELLED)
#: The incident of a lane a diagram asked for and its request could not take.
_NO_LANE = "lane-not-changed"
#: The shared step that does a review its own diagram did not.
_REVIEW = "review"


def follow(work: RouterWork, record: Record, facts: tuple[Fact, ...], at: datetime) -> Record:
    """Keep the record, announce what happened, and let the diagram hear of it.

    A diagram that comes to its end by it closes the request, after all that was to be announced.
    """
    was_over = work.instance(record).is_ended
    instance_id = record.instance_id
    record = _tell(work, record, facts, at)
    is_deferred = any(isinstance(fact, domain.ClosingDeferred) for fact in facts)
    if is_deferred or (was_over and record.instance_id == instance_id):
        return record
    return close_with_process(work, record, at)


def _tell(work: RouterWork, record: Record, facts: tuple[Fact, ...], at: datetime) -> Record:
    work.keep(record)
    for fact in facts:
        work.publish(events_out.fact(fact), subject=record.id, occurred_at=at)
        items_follow(work, record, fact, at)
        record = _tell_diagram(work, record, fact, at)
    return record


def record_step(
    work: RouterWork,
    record: Record,
    step: Step,
    at: datetime,
    *,
    outcome: str = "completed",
    moves: int = 0,
    closing: str | None = "process",
) -> Record:
    """Record what one move of the diagram did; return the request, in whatever lane it is then.

    The router's own operations are done at once. An operation that was not applied as a whole
    leaves nothing but the incident that says why. A request whose diagram has come to its end is
    closed for the reason `closing`; None leaves that to the caller, who has more to do before.
    """
    work.note_step(record, step)
    if not step.is_applied:
        incidents.raise_all(work, record, step, at)
        return record
    end_items(work, record, step, WorkItemState.CANCELLED, "process", at)
    for task in step.user_tasks:
        open_item(work, record, task, _chosen_team(step), at)
    _record_timers(work, record, step)
    record_waits(work, record, step, at)
    jobs.end_gone(work, record, step, at)
    incidents.raise_all(work, record, step, at)
    if step.completed or step.active:
        work.publish(events_out.moved(record, step), subject=record.id, occurred_at=at)
    if step.is_ended:
        ended = said.ProcessEnded(instance_id=record.instance_id, outcome=outcome)
        work.publish(ended, subject=record.id, occurred_at=at)
    incidents.pass_over(work, record, at)
    instance_id = record.instance_id
    record = _follow_thrown(work, record, step, at, moves)
    for wanted in step.jobs:
        # What one of them leads to may be another lane: then nobody waits for the others.
        if record.instance_id == instance_id:
            record = begin_job(work, record, jobs.of(record, wanted, at), at)
    return record if closing is None else close_with_process(work, record, at, closing)


def _record_timers(work: RouterWork, record: Record, step: Step) -> None:
    for gone in step.timers_gone:
        work.disarm(PROCESS_TIMER, record.id, f"{record.instance_id}/{gone}")
    for timer in step.timers:
        name = f"{record.instance_id}/{timer.task_id}"
        payload = {"instance_id": str(record.instance_id), "task_id": timer.task_id}
        work.arm(PROCESS_TIMER, record.id, name, timer.due_at, payload)


def begin_job(work: RouterWork, record: Record, job: Job, at: datetime) -> Record:
    """Offer a job to workers, or do what the router itself can do."""
    if operations.is_own(job.type):
        return do_own(work, record, job, at)
    if job.task_id in work.instance(record).open_jobs:
        jobs.offer(work, record, job, at)
    return record


def do_own(work: RouterWork, record: Record, job: Job, at: datetime) -> Record:
    """Do one of the router's own operations, and let the diagram go on from there.

    All of it belongs to the transaction that brought the token here: it happens once, or an
    incident says why not and nothing of it happened. Closing is left to whoever moved the diagram.
    """
    if job.task_id not in work.instance(record).open_jobs:
        # An operation beside it moved the diagram on.
        return record
    try:
        work.count_operation()
        done = operations.perform(work, record, job, at)
    except LeveeError as refusal:
        jobs.give_up(work, record, job, refusal.code, str(refusal), at)
        return record
    record = _tell(work, done.record, done.facts, at)
    instance = work.instance(record)
    if record.instance_id != job.instance_id or job.task_id not in instance.open_jobs:
        return record
    step = instance.complete_job(job.task_id, done.answer, at)
    if not step.is_applied and step.incident is not None:
        why = step.incident
        jobs.give_up(work, record, job, why.code, why.detail, at, done.answer)
        return record
    if work.find_job(job.id) is not None:
        # It had failed before, and has a row.
        work.keep_job(rules.completed(job))
    return record_step(work, record, step, at, closing=None)


def _chosen_team(step: Step) -> str | None:
    """Return the team the diagram chose when it began, before anything moved."""
    team = step.data.get("team")
    return team if isinstance(team, str) else None


def close_with_process(
    work: RouterWork, record: Record, at: datetime, closing: str = "process"
) -> Record:
    """Close a request whose process has come to its end; one that is over, or runs, stays.

    Nobody would hold such a request any more: no work item, no timer and no incident leads back
    to it. Whoever moved its diagram to the end, it ends with it; unless that wanted another lane
    which could not be taken: an incident says so, and a person says which lane it is.
    """
    if record.state in _OVER or not work.instance(record).is_ended:
        return record
    if any(i.code == _NO_LANE and i.raised_at == at for i in work.open_incidents(record)):
        return record
    return close(work, record, closing, at)


def close(work: RouterWork, record: Record, reason: str, at: datetime) -> Record:
    """Close a request whose diagram has come so far; begin the review it owes where none runs."""
    record, facts = domain.close(record, record.closing or reason)
    record = _tell(work, record, facts, at)
    if not facts and record.review == domain.OWED and work.instance(record).is_ended:
        return review_now(work, record, at)
    return record


def start_again(work: RouterWork, record: Record, at: datetime) -> Record:
    """Give a request whose process had ended a new instance; its owner stays."""
    instance_id = work.new_id("instance")
    return _begin(work, record, record.process, instance_id, {}, at)


def move_to_lane(
    work: RouterWork, record: Record, choice: lanes.Choice, move: Move, at: datetime, moves: int = 0
) -> Record:
    """Let a request go on in another lane: the old instance ends, a new one begins; its owner,
    its wait and its clocks stay.
    """
    old, before = record.lane, work.instance(record)
    instance_id = work.new_id(f"lane/{moves}/{choice.lane.value}")
    entered = domain.enter_lane(
        record,
        choice.lane,
        choice.process,
        is_review_owed=choice.is_review_owed,
        instance_id=instance_id,
        version=work.repository.process(choice.process).version,
    )
    told = events_out.lane_changed(old, entered, move, choice.explanations)
    work.publish(told, subject=record.id, occurred_at=at)
    if not before.is_ended:
        _cancel(work, record, "lane_changed", at)
    told_of = {"from": old.value, "reason": move.reason, "cause": move.cause, "by": move.by}
    entered = _begin(work, entered, choice.process, instance_id, {"lane": told_of}, at, moves)
    claim_for_owner(work, entered, at)
    # Where a diagram threw it, whoever moved that diagram closes.
    return entered if moves else close_with_process(work, entered, at)


def review_now(work: RouterWork, record: Record, at: datetime) -> Record:
    """Begin the review a request owes although its diagram is over and had none."""
    if _REVIEW not in work.repository.process_keys:
        why = "there is no process review; release one, then reopen and resolve the request"
        note_fault(work, record, "review", _REVIEW, "review-not-drawn", why, at)
        return record
    instance_id = work.new_id("review")
    # The process stays the lane's: when the request is reopened it begins there again.
    kept = record.process
    record = _begin(work, record, _REVIEW, instance_id, {}, at)
    record = replace(record, process=kept)
    work.keep(record)
    if record.review == domain.OWED and work.instance(record).is_ended:
        why = "process review came to its end without a review; draw a task that `completes` one"
        note_fault(work, record, "review", _REVIEW, "review-not-drawn", why, at)
    return record


def _begin(
    work: RouterWork,
    record: Record,
    process: str,
    instance_id: UUID,
    beside: dict[str, object],
    at: datetime,
    moves: int = 0,
) -> Record:
    """Start an instance for a request that had one before."""
    context = dict(record.context)
    context["form"] = {**context["form"], "team": record.team}
    data = {"request": context, **beside}
    step = work.start(process, instance_id, record.id, data, at)
    version = work.repository.process(process).version
    record = replace(record, instance_id=instance_id, process_version=version, process=process)
    work.keep(record)
    begun = said.ProcessStarted(instance_id=instance_id, process=process, version=version)
    work.publish(begun, subject=record.id, occurred_at=at)
    return record_step(work, record, step, at, moves=moves, closing=None)


def _cancel(work: RouterWork, record: Record, reason: str, at: datetime) -> Record:
    """End the running instance with everything it has open."""
    step = work.instance(record).cancel(at)
    end_items(work, record, step, WorkItemState.CANCELLED, reason, at)
    return record_step(work, record, step, at, outcome="cancelled", closing=None)


def _follow_thrown(
    work: RouterWork, record: Record, step: Step, at: datetime, moves: int
) -> Record:
    """Change the lane when the diagram threw an escalation that names one (`lane:green`)."""
    for thrown in step.escalations:
        word = thrown.code.removeprefix(lanes.THROWN)
        if word == thrown.code or word == record.lane.value or record.state not in _LIVE:
            continue
        choice = lanes.thrown(work, record, word, at) if moves < _MOVES_AT_MOST else None
        if choice is not None and choice.fault is None:
            move = Move(thrown.name or thrown.code, "event")
            return move_to_lane(work, record, choice, move, at, moves + 1)
        why = (choice and choice.fault) or "diagrams send each other the request in a circle"
        name = f"lane/{thrown.element_id}/{moves}"
        note_fault(work, record, name, thrown.element_id, _NO_LANE, why, at)
    return record


def _tell_diagram(work: RouterWork, record: Record, fact: Fact, at: datetime) -> Record:
    """Correlate the message of a fact; a diagram that does not wait for it is left alone."""
    instance = work.instance(record)
    step = None
    if not instance.is_ended:
        payload = {"to_team": fact.to_team} if isinstance(fact, domain.HandedOver) else {}
        step = instance.correlate(_message(fact), payload, at)
    if step is not None:
        by = fact.by if isinstance(fact, domain.Resolved) else None
        end_items(work, record, step, *ending(fact, _message(fact)), at, by)
        record = record_step(work, record, step, at, closing=None)
    # What was refused as a whole was not heard, whoever waited for it.
    is_heard = step is not None and step.is_applied
    return _make_sure(work, record, fact, at, is_heard=is_heard)


def _make_sure(
    work: RouterWork, record: Record, fact: Fact, at: datetime, *, is_heard: bool
) -> Record:
    """Do what a fact asks for where the diagram does not do it by itself."""
    is_ended = work.instance(record).is_ended
    match fact:
        case domain.Closed() | domain.Cancelled() if not is_ended:
            return _cancel(work, record, _message(fact), at)
        case domain.Reopened() if is_ended:
            return start_again(work, record, at)
        case domain.Reopened() if not is_heard and not _is_worked_on(work, record):
            # Nobody has it in hand, and the diagram waits for something else: it begins anew.
            _cancel(work, record, _message(fact), at)
            return start_again(work, record, at)
        case domain.ClosingDeferred() if is_ended:
            return review_now(work, record, at)
    return record


def _is_worked_on(work: RouterWork, record: Record) -> bool:
    return any(item.is_owners for item in work.open_items(record))


def _message(fact: Fact) -> str:
    """Return the name of the message a diagram may wait for."""
    match fact:
        case domain.Closed(reason) | domain.ClosingDeferred(reason):
            return "confirmed" if reason == "confirmed" else "closed"
        case _:
            return _MESSAGES[type(fact)]


_MESSAGES: dict[type, str] = {
    domain.Assigned: "assigned",
    domain.HandedOver: "handed_over",
    domain.Unassigned: "unassigned",
    domain.WaitingStarted: "waiting_started",
    domain.WaitingEnded: "waiting_ended",
    domain.Resolved: "resolved",
    domain.Reopened: "reopened",
    domain.Cancelled: "cancelled",
    domain.PriorityChanged: "priority_changed",
}

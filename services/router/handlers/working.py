"""What workers do with jobs: take, give more time, answer, fail; and what they leave undone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from services.router.domain import JobEnded, JobState
from services.router.domain import jobs as rules
from services.router.handlers import incidents, jobs
from services.router.handlers.steps import record_step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from services.router.domain import Job, Record
    from services.router.store import RouterWork
    from shared.database.timers import Timer


#: What an error is told as that nothing in the diagram catches.
UNCAUGHT = "uncaught-error"


def take_jobs(
    wanted: Sequence[UUID],
    worker: str,
    lease: timedelta,
    limit: int,
    at: datetime,
    work: RouterWork,
) -> list[Job]:
    """Give a worker up to `limit` of the jobs that are still there to be taken, in this order."""
    taken: list[Job] = []
    for wanted_id in wanted:
        job = work.find_job(wanted_id)
        if job is None or not job.is_available(at) or _is_dead(work, job, at):
            continue
        if len(taken) == limit:
            break
        if job.state is JobState.TAKEN:
            # Its lease ended and the timer has not come yet: the silent attempt counts.
            job = rules.missed(job, _silence(job), at, rest=timedelta(0))
            if job.state is JobState.FAILED:
                jobs.rest_or_fail(work, work.record(job.request_id), job, "job-failed", at)
                continue
        taken.append(_taken(work, rules.take(job, worker, at + lease), at))
    return taken


def _is_dead(work: RouterWork, job: Job, at: datetime) -> bool:
    """Put away a job no process waits for; return whether it was one."""
    record = work.find(job.request_id)
    is_waited_for = (
        record is not None
        and record.instance_id == job.instance_id
        and job.task_id in work.instance(record).open_jobs
    )
    if not is_waited_for and record is not None:
        jobs.drop(work, job, at)
    return not is_waited_for


def _taken(work: RouterWork, job: Job, at: datetime) -> Job:
    work.keep_job(job)
    assert job.lease_until is not None
    jobs.watch(work, job, job.lease_until, "lease")
    incidents.pass_untaken(work, work.record(job.request_id), job, at)
    return job


def extend_job(wanted: UUID, attempt: int, lease: timedelta, at: datetime, work: RouterWork) -> Job:
    """Give the worker more time from now on."""
    job = rules.extend(_current(work, wanted), attempt, at + lease)
    work.keep_job(job)
    jobs.watch(work, job, at + lease, "lease")
    return job


def complete_job(
    wanted: UUID, attempt: int, result: Mapping[str, object], at: datetime, work: RouterWork
) -> Job:
    """Take in what a worker answers, and let the diagram go on.

    The same answer given twice is one answer. An answer the diagram cannot take in is kept, and an
    incident says why: the worker has done its part.
    """
    found = work.job(wanted)
    if found.state is JobState.COMPLETED and found.attempt == attempt:
        return found
    return deliver(work, rules.complete(_current(work, wanted), attempt), result, at)


def deliver(work: RouterWork, job: Job, result: Mapping[str, object], at: datetime) -> Job:
    """Hand a completed job's answer to the diagram."""
    record = work.record(job.request_id)
    step = work.instance(record).complete_job(job.task_id, result, at)
    if not step.is_applied:
        if step.incident is None:
            raise JobEnded(job_id=job.id, state=JobState.CANCELLED.value)
        why = step.incident
        return jobs.give_up(work, record, job, why.code, why.detail, at, dict(result))
    work.keep_job(job)
    jobs.unwatch(work, job)
    jobs.ended(work, job, "completed", at)
    record_step(work, record, step, at)
    return job


def fail_job(
    wanted: UUID,
    attempt: int,
    failure: str,
    at: datetime,
    work: RouterWork,
    *,
    retries: int | None = None,
    rest: timedelta | None = None,
) -> Job:
    """Count an attempt as failed: the job is offered again later, or an incident says why not.

    Said again of the same attempt, or of one that was counted when its lease ended, it is the same
    failure.
    """
    found = _current(work, wanted)
    if found.attempt == attempt and found.state in (JobState.OPEN, JobState.FAILED):
        return found
    job = rules.fail(found, attempt, failure, at, retries=retries, rest=rest)
    jobs.rest_or_fail(work, work.record(job.request_id), job, "job-failed", at)
    return job


def throw_error(
    wanted: UUID,
    attempt: int,
    code: str,
    message: str,
    payload: Mapping[str, object],
    at: datetime,
    work: RouterWork,
) -> Job:
    """Throw a BPMN error where the job stands; one that nothing catches needs a person.

    The same error thrown twice is one error.
    """
    found = work.job(wanted)
    if found.state is JobState.ERROR and found.attempt == attempt:
        return found
    job = _current(work, wanted)
    rules.must_be_last(job, attempt)
    record = work.record(job.request_id)
    known = [i for i in work.open_incidents(record) if i.job_id == job.id]
    if job.state is JobState.FAILED and any(i.code == UNCAUGHT for i in known):
        return job
    step = work.instance(record).fail_job(job.task_id, code, at, payload)
    if not step.is_applied:
        why = step.incident
        told = message or (why.detail if why else code)
        return jobs.give_up(work, record, job, why.code if why else UNCAUGHT, told, at)
    over = rules.thrown(job)
    work.keep_job(over)
    jobs.unwatch(work, job)
    jobs.ended(work, job, "error", at, code)
    record_step(work, record, step, at)
    return over


def fire_job_timer(timer: Timer, work: RouterWork) -> None:
    """A rest, a lease or somebody's patience is over."""
    record = work.find(UUID(timer.key))
    job = work.find_job(UUID(timer.payload["job_id"]))
    if record is None or job is None or job.attempt != timer.payload["attempt"]:
        return
    at, what = work.fires_at(timer), timer.payload["what"]
    if job.state is JobState.TAKEN and what == "lease":
        missed = rules.missed(job, _silence(job), at)
        jobs.rest_or_fail(work, record, missed, "job-failed", at)
    elif job.state is JobState.OPEN and what == "rest":
        jobs.offer(work, record, job, at)
    elif job.state is JobState.OPEN and what == "patience":
        incidents.raise_for(work, record, job, incidents.UNTAKEN, at)
        # Looked at again: who waits is reminded by the age of the incident, not by a second one.
        jobs.watch(work, job, at + job.patience, "patience")


def _silence(job: Job) -> str:
    return f"no answer from worker {job.worker!r} before its lease ended (attempt {job.attempt})"


def _current(work: RouterWork, wanted: UUID) -> Job:
    """Return a job the request's process still waits for; raise `NoSuchJob`, `JobEnded`."""
    job = work.job(wanted)
    record: Record = work.record(job.request_id)
    if record.instance_id != job.instance_id:
        raise JobEnded(job_id=job.id, state=JobState.CANCELLED.value)
    return job

"""Jobs as the diagram makes and drops them: offered, rested, given up, cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.router.domain import Job, JobState
from services.router.domain import jobs as rules
from services.router.handlers import incidents
from services.router.store.work import job_id
from shared.events import router as said

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from services.router.domain import Record
    from services.router.store import RouterWork
    from services.router.workflow import Job as OpenJob
    from services.router.workflow import Step

#: The kind of the timers of jobs. Each open job has one: its rest, its lease or the patience of
#: whoever waits ends then.
JOB_TIMER = "job"


def of(record: Record, wanted: OpenJob, at: datetime) -> Job:
    """Return the job a token waits for."""
    return Job(
        id=job_id(record.instance_id, wanted.task_id),
        request_id=record.id,
        instance_id=record.instance_id,
        task_id=wanted.task_id,
        element_id=wanted.element_id,
        type=wanted.type,
        # A job with no attempt at all could never be done.
        retries=max(wanted.retries, 1),
        opened_at=at,
        available_at=at,
        headers=wanted.headers,
        variables=wanted.variables,
    )


def offer(work: RouterWork, record: Record, job: Job, at: datetime) -> None:
    """Let workers know of a job that may be taken now."""
    work.keep_job(job)
    event = said.JobRequested(
        job_id=job.id,
        instance_id=job.instance_id,
        element_id=job.element_id,
        job_type=job.type,
        attempt=job.attempt + 1,
        retries=job.retries,
        headers=dict(job.headers),
    )
    work.publish(event, subject=record.id, occurred_at=at)
    watch(work, job, at + job.patience, "patience")


def watch(work: RouterWork, job: Job, until: datetime, what: str) -> None:
    """Look at the job again then; there is one timer for each."""
    payload = {"job_id": str(job.id), "what": what, "attempt": job.attempt}
    work.arm(JOB_TIMER, job.request_id, str(job.id), until, payload)


def unwatch(work: RouterWork, job: Job) -> None:
    """No moment of the job matters any more."""
    work.disarm(JOB_TIMER, job.request_id, str(job.id))


def rest_or_fail(work: RouterWork, record: Record, job: Job, code: str, at: datetime) -> None:
    """Record a failed attempt: the job rests and is offered again, or waits for a person."""
    work.keep_job(job)
    if job.state is JobState.OPEN:
        watch(work, job, job.available_at, "rest")
    else:
        stop(work, record, job, code, at)


def give_up(
    work: RouterWork,
    record: Record,
    job: Job,
    code: str,
    failure: str,
    at: datetime,
    answer: Mapping[str, Any] | None = None,
) -> Job:
    """Let a person look, however many attempts are left."""
    failed = rules.give_up(job, failure, answer)
    work.keep_job(failed)
    stop(work, record, failed, code, at)
    return failed


def stop(work: RouterWork, record: Record, job: Job, code: str, at: datetime) -> None:
    """Say that workers need not ask for it, and why not."""
    unwatch(work, job)
    ended(work, job, "failed", at)
    incidents.raise_for(work, record, job, code, at)


def ended(
    work: RouterWork, job: Job, outcome: str, at: datetime, error_code: str | None = None
) -> None:
    """Announce that nothing more is expected of workers."""
    event = said.JobEnded(
        job_id=job.id,
        outcome=outcome,
        attempt=job.attempt,
        worker=job.worker,
        error_code=error_code,
    )
    work.publish(event, subject=job.request_id, occurred_at=at)


def end_gone(work: RouterWork, record: Record, step: Step, at: datetime) -> None:
    """Drop the jobs the diagram went on without."""
    for task_id in step.jobs_gone:
        job = work.find_job(job_id(record.instance_id, task_id))
        if job is not None and not job.is_over:
            drop(work, job, at)


def drop(work: RouterWork, job: Job, at: datetime) -> None:
    """Note that nobody waits for it any more."""
    work.keep_job(rules.cancel(job))
    unwatch(work, job)
    ended(work, job, "cancelled", at)

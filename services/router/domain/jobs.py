"""Jobs: what service tasks ask of workers outside, and the leases under which these do it.

A worker takes a job for a time (its lease) and answers with the attempt it was given: the fencing
token. Whoever was slower than the lease and finds the job taken again is told so; its work counts
for nothing (facts/platforms.md, 13). An attempt that ends by silence counts as a failed one: a job
that kills its workers must come to light, not go round for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.router.domain.errors import JobEnded, JobNotTaken, LeaseLost

#: After a failed attempt the job rests 10 s, then four times as long each time, an hour at most.
_FIRST_REST = timedelta(seconds=10)
_REST_GROWS = 4
_LONGEST_REST = timedelta(hours=1)
#: How long a job may lie there with nobody taking it before a person hears of it.
UNANSWERED_AFTER = timedelta(hours=1)


class JobState(StrEnum):
    """Where a job stands."""

    OPEN = "open"
    TAKEN = "taken"
    #: It needs a person: an incident tells why.
    FAILED = "failed"
    COMPLETED = "completed"
    #: A worker threw a BPMN error, and the diagram took it up.
    ERROR = "error"
    #: The diagram went on without it.
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work for a worker; moments are UTC."""

    id: UUID
    request_id: UUID
    instance_id: UUID
    task_id: int
    element_id: str
    type: str
    #: Failed attempts still allowed.
    retries: int
    opened_at: datetime
    #: Nobody may take it before.
    available_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    state: JobState = JobState.OPEN
    #: How often it was taken; the fencing token of whoever took it last.
    attempt: int = 0
    worker: str | None = None
    lease_until: datetime | None = None
    #: Why the last attempt failed, in the worker's words.
    failure: str = ""
    #: What a worker answered and the diagram could not take in: kept, so that the work is not done
    #: twice once the diagram's data are mended.
    answer: Mapping[str, Any] | None = None
    #: How long it may lie there untaken before an incident tells a person.
    patience: timedelta = UNANSWERED_AFTER

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come of it."""
        return self.state in (JobState.COMPLETED, JobState.ERROR, JobState.CANCELLED)

    def is_available(self, now: datetime) -> bool:
        """Whether a worker may take it."""
        if self.state is JobState.OPEN:
            return self.available_at <= now
        return (
            self.state is JobState.TAKEN
            and self.lease_until is not None
            and (self.lease_until <= now)
        )


def take(job: Job, worker: str, until: datetime) -> Job:
    """Give an available job to a worker until then."""
    return replace(
        job,
        state=JobState.TAKEN,
        worker=worker,
        lease_until=until,
        attempt=job.attempt + 1,
    )


def extend(job: Job, attempt: int, until: datetime) -> Job:
    """Give its worker more time; raise `JobEnded`, `JobNotTaken`, `LeaseLost`."""
    must_hold(job, attempt)
    return replace(job, lease_until=until)


def complete(job: Job, attempt: int) -> Job:
    """The work is done; raise `JobEnded`, `LeaseLost`."""
    must_be_last(job, attempt)
    return completed(job)


def completed(job: Job) -> Job:
    """It is done, whoever did it."""
    return replace(job, state=JobState.COMPLETED, lease_until=None, answer=None)


def fail(
    job: Job,
    attempt: int,
    failure: str,
    at: datetime,
    *,
    retries: int | None = None,
    rest: timedelta | None = None,
) -> Job:
    """An attempt failed: try again after a rest, or let a person look when none are left.

    `retries` replaces how many are left; `rest` the rest of 10 s, 40 s, 160 s … at most an hour.
    Raises `JobEnded`, `JobNotTaken`, `LeaseLost`.
    """
    must_hold(job, attempt)
    return missed(job, failure, at, retries=retries, rest=rest)


def missed(
    job: Job,
    failure: str,
    at: datetime,
    *,
    retries: int | None = None,
    rest: timedelta | None = None,
) -> Job:
    """Count an attempt as failed."""
    left = job.retries - 1 if retries is None else retries
    pause = rest_after(job.attempt) if rest is None else rest
    return replace(
        job,
        state=JobState.OPEN if left > 0 else JobState.FAILED,
        retries=max(left, 0),
        available_at=at + pause,
        lease_until=None,
        failure=failure,
    )


def give_up(job: Job, failure: str, answer: Mapping[str, Any] | None = None) -> Job:
    """Nothing can be done before a person has looked."""
    return replace(job, state=JobState.FAILED, lease_until=None, failure=failure, answer=answer)


def try_again(job: Job, at: datetime, retries: int) -> Job:
    """Offer it to workers again, with so many attempts."""
    return replace(job, state=JobState.OPEN, available_at=at, retries=retries, lease_until=None)


def cancel(job: Job) -> Job:
    """The diagram went on without it."""
    return job if job.is_over else replace(job, state=JobState.CANCELLED, lease_until=None)


def thrown(job: Job) -> Job:
    """A worker threw an error and the diagram took it up."""
    return replace(job, state=JobState.ERROR, lease_until=None)


def rest_after(attempt: int) -> timedelta:
    """Return how long a job rests after its `attempt`-th attempt failed."""
    # Beyond the sixth the longest rest holds; a larger power would only be cut.
    return min(_FIRST_REST * int(_REST_GROWS ** min(max(attempt - 1, 0), 6)), _LONGEST_REST)


def must_hold(job: Job, attempt: int) -> None:
    """Raise unless this attempt is under way: `JobEnded`, `LeaseLost`, `JobNotTaken`."""
    must_be_last(job, attempt)
    if job.state is not JobState.TAKEN:
        raise JobNotTaken(job_id=job.id, state=job.state.value)


def must_be_last(job: Job, attempt: int) -> None:
    """Raise unless this attempt is the last there was: `JobEnded`, `LeaseLost`.

    Whose lease ended while nobody else took the job may still answer: the work is done, and doing
    it twice helps nobody.
    """
    if job.is_over:
        raise JobEnded(job_id=job.id, state=job.state.value)
    if attempt != job.attempt:
        raise LeaseLost(job_id=job.id, attempt=attempt, current=job.attempt)


@dataclass(frozen=True, slots=True)
class Incident:
    """Why a process cannot go on by itself; moments are UTC.

    `task_id` names the token that stands still; `job_id` the job that failed. With neither, an
    operation as a whole was not applied and nothing inside waits for the incident.
    """

    id: UUID
    request_id: UUID
    instance_id: UUID
    element_id: str
    code: str
    detail: str
    raised_at: datetime
    process: str
    version: int
    inputs: Mapping[str, Any] = field(default_factory=dict)
    task_id: int | None = None
    job_id: UUID | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    #: retried | dismissed | passed (it went on without anybody's doing)
    resolution: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a person."""
        return self.resolved_at is None


def resolve_incident(incident: Incident, by: str, resolution: str, at: datetime) -> Incident:
    """Note that it is over, on whose account and how."""
    return replace(incident, resolved_at=at, resolved_by=by, resolution=resolution)

"""Incidents resolved by people: tried again, with other data where need be, or dismissed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from services.router.domain import IncidentOver, NothingToRetry, StillWaiting, TryFailed
from services.router.domain import jobs as rules
from services.router.handlers import incidents, jobs, operations
from services.router.handlers.steps import close_with_process, do_own, record_step
from services.router.handlers.working import deliver

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from services.router.domain import Incident, Job, Record
    from services.router.store import RouterWork

#: Attempts a job gets after a person tried it again.
_ATTEMPTS = 3


def retry_incident(
    incident_id: UUID, by: str, changes: Mapping[str, Any], at: datetime, work: RouterWork
) -> Incident:
    """Let the process try again, after `changes` to its variables.

    Raises `IncidentOver`, `NothingToRetry`, and `TryFailed` when it fails in a way that leaves
    everything as it was. What fails anew raises an incident of its own.
    """
    incident = work.incident(incident_id)
    record = _must_be_open(work, incident)
    instance = work.instance(record)
    if incident.job_id is not None:
        return _retry_job(work, record, incident, by, changes, at)
    if instance.version and incident.task_id not in instance.held:
        raise NothingToRetry(incident_id=incident_id)
    # A process that never began (its first step was refused) begins now.
    step = instance.resume(at, changes) if instance.version else instance.begin(at, changes)
    if not step.is_applied:
        why = step.incident
        raise TryFailed(incident_id=incident_id, reason=why.detail if why else "-")
    for other in work.open_incidents(record):
        # Resuming lets every token that was held try again.
        if other.job_id is None and other.id != incident.id:
            incidents.resolve(work, other, by, "retried", at)
    over = incidents.resolve(work, incident, by, "retried", at)
    record_step(work, record, step, at)
    return over


def _retry_job(
    work: RouterWork,
    record: Record,
    incident: Incident,
    by: str,
    changes: Mapping[str, Any],
    at: datetime,
) -> Incident:
    assert incident.job_id is not None
    job = work.find_job(incident.job_id)
    if job is None or job.is_over:
        raise NothingToRetry(incident_id=incident.id)
    over = incidents.resolve(work, incident, by, "retried", at)
    if changes:
        renewed = _with_changes(work, record, incident, job, changes, at)
        if renewed is None:
            return over
        job = renewed
    _try_again(work, work.record(record.id), job, at)
    return over


def _with_changes(
    work: RouterWork,
    record: Record,
    incident: Incident,
    job: Job,
    changes: Mapping[str, Any],
    at: datetime,
) -> Job | None:
    """Give the job its inputs anew: by its mappings, and where they are named, as they are.

    None when the change itself led the diagram on, past the job.
    """
    instance = work.instance(record)
    step = instance.ask_again(job.task_id, at, changes)
    if not step.is_applied:
        why = step.incident
        raise TryFailed(incident_id=incident.id, reason=why.detail if why else "-")
    told = instance.renewed(job.task_id)
    record = record_step(work, record, step, at)
    if told is None or record.instance_id != job.instance_id:
        return None
    named = {name: value for name, value in changes.items() if name in told.variables}
    return replace(job, variables={**told.variables, **named})


def _try_again(work: RouterWork, record: Record, job: Job, at: datetime) -> None:
    if job.answer is not None:
        deliver(work, rules.completed(job), job.answer, at)
    elif operations.is_own(job.type):
        again = rules.try_again(job, at, job.retries)
        close_with_process(work, do_own(work, record, again, at), at)
    else:
        jobs.offer(work, record, rules.try_again(job, at, max(job.retries, _ATTEMPTS)), at)


def dismiss_incident(incident_id: UUID, by: str, at: datetime, work: RouterWork) -> Incident:
    """Put an incident away that nothing waits for; raise `IncidentOver`, `StillWaiting`.

    What a process waits for cannot be dismissed: the request would stand still and nobody know.
    """
    incident = work.incident(incident_id)
    record = _must_be_open(work, incident, is_current=False)
    is_current = record.instance_id == incident.instance_id
    if (is_current and incident.task_id is not None) or incident.job_id is not None:
        held = set(work.instance(record).held) if is_current else set()
        if incidents.waits(work, incident, held):
            raise StillWaiting(incident_id=incident_id)
    return incidents.resolve(work, incident, by, "dismissed", at)


def _must_be_open(work: RouterWork, incident: Incident, *, is_current: bool = True) -> Record:
    if not incident.is_open:
        raise IncidentOver(
            incident_id=incident.id, by=incident.resolved_by or "-", resolution=incident.resolution
        )
    record = work.record(incident.request_id)
    if is_current and record.instance_id != incident.instance_id:
        raise NothingToRetry(incident_id=incident.id)
    return record

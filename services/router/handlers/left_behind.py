"""Give an instance of a release that knew neither jobs nor messages what its process waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.router.domain.messages import OWN_MESSAGES
from services.router.handlers import jobs
from services.router.handlers.steps import begin_job, close_with_process, record_step
from services.router.handlers.waits import record_waiting
from services.router.store.letters import waiting_id
from services.router.store.work import job_id

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from services.router.domain import Record
    from services.router.store import RouterWork


def take_care(request_id: UUID, at: datetime, work: RouterWork) -> int:
    """Offer the jobs nobody has a row of, do Levee's own, note the messages; return how many.

    Done again it finds nothing to do. What was waited for since the old release is offered from
    now on: a worker's patience and its attempts begin here.
    """
    record = work.find(request_id)
    if record is None:
        return 0
    instance_id, instance = record.instance_id, work.instance(record)
    waits = [
        wait
        for wait in instance.open_waits(OWN_MESSAGES)
        if work.letters.find_waiting(waiting_id(instance_id, wait.task_id)) is None
    ]
    for wait in waits:
        record_waiting(work, record, wait, at)
    missing = [n for n in instance.open_jobs if work.find_job(job_id(instance_id, n)) is None]
    for task_id in missing:
        # One of Levee's own may have moved the request on, and the others with it.
        if record.instance_id == instance_id and task_id in instance.open_jobs:
            record = _ask(work, record, task_id, at)
    close_with_process(work, record, at)
    return len(waits) + len(missing)


def _ask(work: RouterWork, record: Record, task_id: int, at: datetime) -> Record:
    """Work out what a job's worker gets to know, which no state keeps, and begin it.

    Where that fails the job waits for a person, who may mend the variables.
    """
    instance, instance_id = work.instance(record), record.instance_id
    step = instance.ask_again(task_id, at, {})
    wanted = instance.renewed(task_id)
    if wanted is None:
        return record
    job = jobs.of(record, wanted, at)
    if not step.is_applied:
        why = step.incident
        assert why is not None, "an open job is asked again or says why not"
        jobs.give_up(work, record, job, why.code, why.detail, at)
        return record
    record = record_step(work, record, step, at)
    if record.instance_id != instance_id:
        return record
    return begin_job(work, record, job, at)

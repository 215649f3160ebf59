"""What an instance waits for: one scan over its live tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from .bindings_events import Message
from .bindings_work import Outside, People
from .step import Job, OpenUserTask, Timer, Wait
from .tokens import STARTED

if TYPE_CHECKING:
    from .tokens import Game, Token


@dataclass(slots=True)
class Survey:
    """Ids of the tokens that wait, by what they wait for, oldest first."""

    user_tasks: list[int] = field(default_factory=list)
    jobs: list[int] = field(default_factory=list)
    timers: list[int] = field(default_factory=list)
    #: message name → tokens
    messages: dict[str, list[int]] = field(default_factory=dict)
    #: elements that hold a token; armed boundary events hold none
    active: list[str] = field(default_factory=list)
    #: elements before which a token is held by an incident
    stuck: list[str] = field(default_factory=list)
    #: the tokens that are
    held: list[int] = field(default_factory=list)


def survey(game: Game) -> Survey:
    """Look at every live token once."""
    found = Survey()
    for token in game.tokens():
        spec, kept = token.task_spec, token.internal_data
        if spec.bpmn_id and not spec.is_hidden:
            found.active.append(spec.bpmn_id)
        if "stuck" in kept or "dead" in kept:
            found.stuck.append(spec.bpmn_id or spec.name.partition(":")[0] or spec.name)
            found.held.append(token.id)
        elif token._state == STARTED:
            if "refused" in kept:
                # A timer that is to be tried again: it is armed all the same.
                found.stuck.append(spec.bpmn_id)
                found.held.append(token.id)
            _sort_in(found, token)
    for waiting in found.messages.values():
        waiting.sort()
    return found


def _sort_in(found: Survey, token: Token) -> None:
    """Put a resting token where it belongs."""
    kept, binding = token.internal_data, token.task_spec.binding
    if "user" in kept:
        found.user_tasks.append(token.id)
    elif "job" in kept:
        found.jobs.append(token.id)
    elif "due" in kept:
        found.timers.append(token.id)
    elif isinstance(binding, Message):
        found.messages.setdefault(binding.message, []).append(token.id)


def user_task_of(token: Token) -> OpenUserTask:
    """Describe an open user task."""
    groups, users, assignee, due, follow_up, *priority = token.internal_data["user"]
    binding = token.task_spec.binding
    assert isinstance(binding, People)
    return OpenUserTask(
        task_id=token.id,
        element_id=binding.element_id,
        name=binding.name,
        candidate_groups=tuple(groups),
        candidate_users=tuple(users),
        assignee=assignee,
        form=binding.form,
        due_at=_moment(due),
        follow_up_at=_moment(follow_up),
        headers=binding.headers,
        priority=priority[0] if priority else None,
        variables=token.internal_data.get("local", {}),
    )


def job_of(token: Token) -> Job:
    """Describe a job that was just requested; `data` holds its variables until it is stored."""
    kind, retries = token.internal_data["job"]
    binding = token.task_spec.binding
    assert isinstance(binding, Outside)
    return Job(token.id, binding.element_id, kind, retries, binding.headers, token.data)


def wait_of(token: Token, message: str) -> Wait:
    """Describe an element that waits for a message."""
    return Wait(token.id, token.task_spec.bpmn_id, message, token.internal_data.get("key"))


def timer_of(token: Token) -> Timer:
    """Describe an armed timer."""
    kept = token.internal_data
    due_at = datetime.fromisoformat(kept["due"])
    return Timer(token.id, token.task_spec.bpmn_id, due_at, is_cycle="every" in kept)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def waits_of(now: Survey, then: Survey) -> list[tuple[str, int]]:
    """Return the messages waited for now and not then: name, token."""
    return [
        (name, number)
        for name, numbers in now.messages.items()
        for number in numbers
        if number not in then.messages.get(name, ())
    ]


def only_in(now: Survey, then: Survey, what: str) -> list[int]:
    """Return the tokens that wait now and did not then: `what` names one of the lists."""
    known = set(getattr(then, what))
    return [number for number in getattr(now, what) if number not in known]

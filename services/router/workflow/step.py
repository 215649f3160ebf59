"""What one operation on an instance did: plain frozen values for the router to record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def labels(name: str) -> dict[str, str]:
    """Split a diagram's "处理请求 / Handle request" into {"zh-CN": …, "en": …}.

    A name without " / " is used for both languages.
    """
    zh, found, en = name.partition(" / ")
    return {"zh-CN": zh.strip(), "en": en.strip() if found else zh.strip()}


@dataclass(frozen=True, slots=True)
class OpenUserTask:
    """A user task that waits for a person; `due_at` is in UTC, `name` as drawn."""

    task_id: int
    element_id: str
    name: str
    candidate_groups: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    assignee: str | None = None
    form: str | None = None
    due_at: datetime | None = None
    follow_up_at: datetime | None = None
    #: 0 (last) to 100 (first); None when the diagram says nothing.
    priority: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: What its input mappings made for the person to see.
    variables: Mapping[str, object] = field(default_factory=dict)

    @property
    def names(self) -> dict[str, str]:
        """Return the name per language."""
        return labels(self.name)


@dataclass(frozen=True, slots=True)
class Job:
    """Work for somebody outside the engine; answered by complete_job or fail_job."""

    task_id: int
    element_id: str
    type: str
    retries: int
    headers: Mapping[str, str]
    variables: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Timer:
    """A moment (UTC) at which fire_timer(task_id) is to be called; the row lives in the store."""

    task_id: int
    element_id: str
    due_at: datetime
    is_cycle: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """An element that waits for a message; `key` where its subscription names one."""

    task_id: int
    element_id: str
    message: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Escalation:
    """An escalation the diagram threw; `is_handled` when a boundary event caught it."""

    element_id: str
    code: str
    name: str
    is_handled: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that was taken, with the evaluator's own explanation of it."""

    element_id: str
    decision_id: str
    explanation: object


@dataclass(frozen=True, slots=True)
class Incident:
    """Why the diagram cannot go on by itself, and on what inputs.

    With a `task_id` the token stands before `element_id` and Instance.resume tries again; without
    one the operation as a whole was not applied.
    """

    element_id: str
    code: str
    detail: str
    inputs: Mapping[str, object] = field(default_factory=dict)
    task_id: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one operation did, and where the instance stands now.

    `is_applied` is False when nothing happened (repeated, late or refused): then every list of
    changes is empty. `version` counts the applied operations of the instance; a step computed
    from an older state has a version the store has already seen. What is gone is gone because of
    this operation: the user task or job it completed is not listed, all others are.
    """

    version: int
    is_applied: bool = True
    user_tasks: tuple[OpenUserTask, ...] = ()
    user_tasks_gone: tuple[int, ...] = ()
    jobs: tuple[Job, ...] = ()
    jobs_gone: tuple[int, ...] = ()
    timers: tuple[Timer, ...] = ()
    timers_gone: tuple[int, ...] = ()
    #: Elements that wait for a message since this operation; (message, task_id) of those that
    #: do not any more.
    waits: tuple[Wait, ...] = ()
    waits_gone: tuple[tuple[str, int], ...] = ()
    #: Names of all messages the instance waits for now, sorted.
    messages_awaited: tuple[str, ...] = ()
    #: Elements that waited for a correlated message besides the (oldest) one that got it.
    ambiguous: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    #: Elements that were left, in order; an element entered twice is listed twice.
    completed: tuple[str, ...] = ()
    #: Elements that hold a token now, in the order the tokens came.
    active: tuple[str, ...] = ()
    is_ended: bool = False
    #: The process variables after this operation; a copy.
    data: Mapping[str, object] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()

    @property
    def incident(self) -> Incident | None:
        """Return the first incident, if there is any."""
        return self.incidents[0] if self.incidents else None

    @property
    def ended(self) -> bool:
        """Return whether no token is left."""
        return self.is_ended

"""What diagrams ask of workers and say in their own words: jobs, stages, war rooms."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.base import Json
from shared.events.router.directory import RouterEvent


class ProcessAnnounced(RouterEvent):
    """Something a diagram says in its own words, for whoever listens."""

    type: ClassVar[str] = "process.announced.v1"

    instance_id: UUID
    element_id: str
    name: str
    payload: dict[str, Json] = Field(default_factory=dict)


class StageStarted(RouterEvent):
    """A diagram says that a stage of the work begins; tables say how long it may take."""

    type: ClassVar[str] = "stage.started.v1"

    instance_id: UUID
    element_id: str
    stage: str


class StageEnded(RouterEvent):
    """A diagram says that a stage of the work ends."""

    type: ClassVar[str] = "stage.ended.v1"

    instance_id: UUID
    element_id: str
    stage: str


class WarRoomOpened(RouterEvent):
    """A temporary group across teams works on a major event."""

    type: ClassVar[str] = "war_room.opened.v1"

    war_room_id: UUID
    purpose: str
    #: Ids of people, `team:<id>`.
    members: tuple[str, ...]
    lead: str | None = None
    #: The element of the diagram that opened it.
    element_id: str


class WarRoomClosed(RouterEvent):
    """The group has done its work."""

    type: ClassVar[str] = "war_room.closed.v1"

    war_room_id: UUID
    conclusion: str = ""


class JobRequested(RouterEvent):
    """A service task waits for a worker; said again for every further attempt.

    Whoever does such work takes the job over HTTP (`POST /router/v1/jobs/take`), so that nobody
    else does it meanwhile.
    """

    type: ClassVar[str] = "job.requested.v1"

    job_id: UUID
    instance_id: UUID
    #: The service task's id in the diagram.
    element_id: str
    job_type: str
    #: Which attempt this will be, from 1.
    attempt: int
    #: Failed attempts still allowed, this one included.
    retries: int
    headers: dict[str, str] = Field(default_factory=dict)


class JobEnded(RouterEvent):
    """Nothing more is expected from workers for this job."""

    type: ClassVar[str] = "job.ended.v1"

    job_id: UUID
    #: completed | error (a BPMN error was thrown) | failed (no attempts left: an incident tells
    #: why, and a retry requests it again) | cancelled (the diagram went on without it)
    outcome: str
    attempt: int
    worker: str | None = None
    error_code: str | None = None

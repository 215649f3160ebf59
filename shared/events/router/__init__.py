"""Events published by the router: lanes, states, owners, work items, processes, definitions."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import EventData, Json, Part
from shared.events.router.directory import (
    Absence,
    DefinitionKind,
    DefinitionReleased,
    DirectoryChanged,
    Person,
    RouterEvent,
    Team,
)
from shared.events.router.jobs import (
    JobEnded,
    JobRequested,
    ProcessAnnounced,
    StageEnded,
    StageStarted,
    WarRoomClosed,
    WarRoomOpened,
)
from shared.events.router.processes import (
    IncidentRaised,
    IncidentResolved,
    ProcessEnded,
    ProcessMoved,
    ProcessStarted,
    Thrown,
    WorkItemCancelled,
    WorkItemClaimed,
    WorkItemCompleted,
    WorkItemDelegated,
    WorkItemOpened,
    WorkItemReturned,
    WorkItemUnclaimed,
)
from shared.vocabulary import Lane, Priority

__all__ = [
    "EVENTS",
    "Absence",
    "Considered",
    "DefinitionKind",
    "DefinitionReleased",
    "DirectoryChanged",
    "Explanation",
    "IncidentRaised",
    "IncidentResolved",
    "JobEnded",
    "JobRequested",
    "Person",
    "ProcessAnnounced",
    "ProcessEnded",
    "ProcessMoved",
    "ProcessStarted",
    "RequestAssigned",
    "RequestCancelled",
    "RequestClosed",
    "RequestClosingDeferred",
    "RequestDecided",
    "RequestHandedOver",
    "RequestLaneChanged",
    "RequestPriorityChanged",
    "RequestReopened",
    "RequestResolved",
    "RequestRouted",
    "RequestUnassigned",
    "RequestWaitingEnded",
    "RequestWaitingStarted",
    "RouterEvent",
    "StageEnded",
    "StageStarted",
    "Team",
    "Thrown",
    "WarRoomClosed",
    "WarRoomOpened",
    "WorkItemCancelled",
    "WorkItemClaimed",
    "WorkItemCompleted",
    "WorkItemDelegated",
    "WorkItemOpened",
    "WorkItemReturned",
    "WorkItemUnclaimed",
]


class Explanation(Part):
    """Why a decision came out as it did: which version, which rows, on which inputs."""

    decision: str
    version: int
    matched_rules: tuple[str, ...] = ()
    inputs: dict[str, Json] = Field(default_factory=dict)
    outputs: Json = None


class RequestRouted(RouterEvent):
    """The request was classified, has a lane, an owner team and a running process.

    `submitted_at` is when intake received it: clocks are back-dated to it. A request posted
    in the past (import) carries the past moment.
    """

    type: ClassVar[str] = "request.routed.v1"

    number: str
    request_type: str
    domain: str
    organisation_unit: str | None = None
    channel: str
    customer_tier: str
    priority: Priority
    lane: Lane
    team: str
    submitted_at: AwareDatetime
    process: str
    process_version: int
    instance_id: UUID
    #: The team is the visible triage queue: no table row named another owner.
    is_triage: bool = False
    is_import: bool = False
    explanation: tuple[Explanation, ...] = ()


class RequestPriorityChanged(RouterEvent):
    """Urgency or impact was corrected and the table gave another priority."""

    type: ClassVar[str] = "request.priority_changed.v1"

    old: Priority
    new: Priority
    explanation: tuple[Explanation, ...] = ()


class RequestLaneChanged(RouterEvent):
    """The request goes on in another lane: its old instance is cancelled, a new one begins.

    Its clocks run on: a promise is about the request, not about the lane.
    """

    type: ClassVar[str] = "request.lane_changed.v1"

    old: Lane
    new: Lane
    reason: str
    #: person (somebody with the right) | rule (the table, after a correction) | event (the diagram)
    cause: str | None = None
    changed_by: str | None = None
    process: str | None = None
    instance_id: UUID | None = None
    explanation: tuple[Explanation, ...] = ()


class RequestDecided(RouterEvent):
    """An authorised person decided beyond the ordinary rules: over levels, or an exception."""

    type: ClassVar[str] = "request.decided.v1"

    lane: Lane
    #: approved | rejected
    decision: str
    reason: str
    decided_by: str
    #: Whose authority it was when a deputy decided.
    on_behalf_of: str | None = None
    #: Which level of the table of authority was asked, from 1.
    level: int | None = None
    #: False when the next level has to agree as well.
    is_final: bool = True
    work_item_id: UUID
    element_id: str


class RequestClosingDeferred(RouterEvent):
    """It would be closed now, but something that must come first is not done."""

    type: ClassVar[str] = "request.closing_deferred.v1"

    #: What would have closed it: confirmed | time | process | withdrawn
    reason: str
    #: review
    waits_for: str


class Considered(Part):
    """A person of the team as the rule of assignment saw them."""

    person: str
    #: Work items in their hands.
    load: int
    capacity: int | None = None
    #: Why it was not them: absent | off_shift | full | skill | barred | gave_it_back; None when it
    #: could be.
    ruled_out: str | None = None


class RequestAssigned(RouterEvent):
    """One named person owns it now."""

    type: ClassVar[str] = "request.assigned.v1"

    team: str
    assignee: str
    assigned_by: str | None = None
    #: How the table of assignment chose; absent when a person did.
    strategy: str | None = None
    considered: tuple[Considered, ...] = ()
    explanation: tuple[Explanation, ...] = ()


class RequestHandedOver(RouterEvent):
    """Another team owns it now; leaving the triage queue is routing and does not count."""

    type: ClassVar[str] = "request.handed_over.v1"

    from_team: str
    to_team: str
    from_assignee: str | None = None
    reason: str
    #: How often the request has been handed over, this time included.
    handovers: int
    #: False when the request only left the triage queue.
    is_counted: bool = True
    handed_over_by: str | None = None


class RequestUnassigned(RouterEvent):
    """Nobody owns it by name any more: it is in its team's queue again."""

    type: ClassVar[str] = "request.unassigned.v1"

    team: str
    from_assignee: str
    #: How it came back: returned | unclaimed | delegated
    reason: str
    unassigned_by: str | None = None


class RequestWaitingStarted(RouterEvent):
    """Nothing can be done until somebody outside answers; policies say which clocks pause."""

    type: ClassVar[str] = "request.waiting_started.v1"

    #: requester | supplier | another open code, see docs/glossary.md
    reason: str
    note: str = ""


class RequestWaitingEnded(RouterEvent):
    """The wait is over."""

    type: ClassVar[str] = "request.waiting_ended.v1"

    reason: str


class RequestResolved(RouterEvent):
    """What was asked is solved, in the agent's opinion."""

    type: ClassVar[str] = "request.resolved.v1"

    resolution: str
    note: str = ""
    resolved_by: str | None = None


class RequestReopened(RouterEvent):
    """It was not solved after all."""

    type: ClassVar[str] = "request.reopened.v1"

    reason: str
    #: How often it has been reopened, this time included.
    reopenings: int


class RequestClosed(RouterEvent):
    """Confirmed by the requester, or by time; nothing runs any more."""

    type: ClassVar[str] = "request.closed.v1"

    #: confirmed | time | agent
    reason: str


class RequestCancelled(RouterEvent):
    """It ends unsolved: withdrawn, merged or mistaken."""

    type: ClassVar[str] = "request.cancelled.v1"

    reason: str


EVENTS: tuple[type[EventData], ...] = (
    RequestRouted,
    RequestPriorityChanged,
    RequestLaneChanged,
    RequestDecided,
    RequestClosingDeferred,
    RequestAssigned,
    RequestHandedOver,
    RequestUnassigned,
    RequestWaitingStarted,
    RequestWaitingEnded,
    RequestResolved,
    RequestReopened,
    RequestClosed,
    RequestCancelled,
    WorkItemOpened,
    WorkItemClaimed,
    WorkItemReturned,
    WorkItemUnclaimed,
    WorkItemDelegated,
    WorkItemCompleted,
    WorkItemCancelled,
    ProcessStarted,
    ProcessMoved,
    ProcessEnded,
    ProcessAnnounced,
    StageStarted,
    StageEnded,
    WarRoomOpened,
    WarRoomClosed,
    JobRequested,
    JobEnded,
    IncidentRaised,
    IncidentResolved,
    DirectoryChanged,
    DefinitionReleased,
)

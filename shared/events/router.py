"""Events published by the router: lanes, states, owners, work items, processes, definitions."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import EventData, Json, Ordering, Part
from shared.vocabulary import Lane, Priority


class RouterEvent(EventData):
    """Something the router says."""

    publisher: ClassVar[str | None] = "router"


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
    """The request goes on in another lane."""

    type: ClassVar[str] = "request.lane_changed.v1"

    old: Lane
    new: Lane
    reason: str


class RequestAssigned(RouterEvent):
    """One named person owns it now."""

    type: ClassVar[str] = "request.assigned.v1"

    team: str
    assignee: str
    assigned_by: str | None = None


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


class WorkItemOpened(RouterEvent):
    """A diagram's user task waits for a person."""

    type: ClassVar[str] = "work_item.opened.v1"

    work_item_id: UUID
    instance_id: UUID
    #: The user task's id in the diagram.
    element_id: str
    name: dict[str, str]
    candidate_teams: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    form: str | None = None


class WorkItemClaimed(RouterEvent):
    """A person took the work item."""

    type: ClassVar[str] = "work_item.claimed.v1"

    work_item_id: UUID
    assignee: str


class WorkItemReturned(RouterEvent):
    """The person gave it back to the team."""

    type: ClassVar[str] = "work_item.returned.v1"

    work_item_id: UUID
    returned_by: str
    reason: str


class WorkItemDelegated(RouterEvent):
    """Another team or person is to do it."""

    type: ClassVar[str] = "work_item.delegated.v1"

    work_item_id: UUID
    to_team: str
    to_assignee: str | None = None
    reason: str


class WorkItemCompleted(RouterEvent):
    """The work is done."""

    type: ClassVar[str] = "work_item.completed.v1"

    work_item_id: UUID
    completed_by: str | None = None


class WorkItemCancelled(RouterEvent):
    """The diagram went on without it."""

    type: ClassVar[str] = "work_item.cancelled.v1"

    work_item_id: UUID
    reason: str


class ProcessStarted(RouterEvent):
    """A process instance began, pinned to its version."""

    type: ClassVar[str] = "process.started.v1"

    instance_id: UUID
    process: str
    version: int


class Thrown(Part):
    """An escalation of a diagram; `is_handled` when a boundary event or sub-process took it."""

    element_id: str
    code: str
    name: str = ""
    is_handled: bool = False


class ProcessMoved(RouterEvent):
    """Tokens moved: elements that were left and elements that now hold a token."""

    type: ClassVar[str] = "process.moved.v1"

    instance_id: UUID
    completed: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    #: Escalations the diagram threw, whether or not it catches them itself.
    escalations: tuple[Thrown, ...] | None = None
    #: Elements that waited for the same message besides the one that got it.
    ambiguous: tuple[str, ...] | None = None


class ProcessEnded(RouterEvent):
    """The instance has no token left."""

    type: ClassVar[str] = "process.ended.v1"

    instance_id: UUID
    #: completed | cancelled
    outcome: str


class IncidentRaised(RouterEvent):
    """A process cannot go on by itself; a person must look."""

    type: ClassVar[str] = "incident.raised.v1"

    incident_id: UUID
    instance_id: UUID
    element_id: str
    code: str
    detail: str


class IncidentResolved(RouterEvent):
    """The process goes on."""

    type: ClassVar[str] = "incident.resolved.v1"

    incident_id: UUID
    resolved_by: str


class Absence(Part):
    """A person is away from `starts_at` to `ends_at`; the deputy stands in."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime
    deputy: str | None = None


class Person(Part):
    """A person of the directory, with the addresses notify may use."""

    id: str
    name: str
    language: str = "zh-CN"
    zone: str = "Asia/Shanghai"
    addresses: dict[str, str] = Field(default_factory=dict)
    absences: tuple[Absence, ...] = ()
    #: Channels in the order they are tried.
    channels: tuple[str, ...] = ("email",)


class Team(Part):
    """A team that can own requests."""

    id: str
    name: dict[str, str]
    members: tuple[str, ...] = ()
    lead: str | None = None
    manager: str | None = None
    escalation_policy: str = "standard"
    #: Group channels (a robot's address per channel name), for broadcasts.
    channels: dict[str, str] = Field(default_factory=dict)


class DirectoryChanged(RouterEvent):
    """The directory of people and teams as it is now; whole, because it is small.

    Subject: `directory`. Supersedes what was said before.
    """

    type: ClassVar[str] = "directory.changed.v1"
    ordering: ClassVar[Ordering] = "latest"

    version: int
    people: tuple[Person, ...] = ()
    teams: tuple[Team, ...] = ()
    #: Who is told when every tier stayed silent.
    duty_person: str | None = None


DefinitionKind = Literal[
    "process", "decision", "calendar", "escalation_policy", "catalogue", "templates"
]


class DefinitionReleased(RouterEvent):
    """A definition is in force from now on; requests keep the version they started with.

    Subject: `<kind>/<key>`. Content up to 256 KiB travels inside, larger content by its hash
    in the object store.
    """

    type: ClassVar[str] = "definition.released.v1"
    ordering: ClassVar[Ordering] = "latest"

    kind: DefinitionKind
    key: str
    version: int
    #: sha256 of the content, hex
    content_hash: str
    content: str | None = None
    released_by: str


EVENTS: tuple[type[EventData], ...] = (
    RequestRouted,
    RequestPriorityChanged,
    RequestLaneChanged,
    RequestAssigned,
    RequestHandedOver,
    RequestWaitingStarted,
    RequestWaitingEnded,
    RequestResolved,
    RequestReopened,
    RequestClosed,
    RequestCancelled,
    WorkItemOpened,
    WorkItemClaimed,
    WorkItemReturned,
    WorkItemDelegated,
    WorkItemCompleted,
    WorkItemCancelled,
    ProcessStarted,
    ProcessMoved,
    ProcessEnded,
    IncidentRaised,
    IncidentResolved,
    DirectoryChanged,
    DefinitionReleased,
)

"""People, teams and released definitions, announced whole: the newest counts."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from shared.events.base import EventData, Ordering, Part


class RouterEvent(EventData):
    """Something the router says."""

    publisher: ClassVar[str | None] = "router"


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
    skills: tuple[str, ...] = ()
    #: At most so many work items at once; None: as many as come.
    capacity: int | None = None
    #: The calendar of their shifts; None: always on shift.
    shift: str | None = None


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
    #: The older version whose content this is again, when somebody put one back in force.
    again_of: int | None = None

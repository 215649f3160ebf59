"""Whom a message can reach and how: people, teams and endpoints with their channels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

EMAIL, WEBHOOK, NOWHERE = "email", "webhook", "none"
ROBOTS = ("wecom_robot", "dingtalk_robot", "feishu_robot")
#: The channels that exist; other names in the directory wait for a provider.
CHANNELS = (EMAIL, *ROBOTS, WEBHOOK)


@dataclass(frozen=True, slots=True)
class Person:
    """A person with the addresses we may use."""

    id: str
    name: str
    language: str = "zh-CN"
    zone: str = "Asia/Shanghai"
    addresses: Mapping[str, str] = field(default_factory=dict)
    #: In the order they are tried.
    channels: tuple[str, ...] = (EMAIL,)


@dataclass(frozen=True, slots=True)
class Team:
    """A team with its group channels: a robot's address per channel name."""

    id: str
    name: Mapping[str, str]
    channels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Directory:
    """People and teams; version 0 is the one nobody has announced."""

    version: int = 0
    people: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether a directory was ever heard."""
        return self.version > 0

    def person_name(self, person: str) -> str:
        """Return how people call the person; the id for whom the directory does not know."""
        found = self.people.get(person)
        return found.name if found else person

    def team_name(self, team: str, language: str) -> str:
        """Return how a team is called in a language; its id where nobody named it."""
        found = self.teams.get(team)
        if found is None:
            return team
        return found.name.get(language) or next(iter(found.name.values()), team)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Another system that hears of things by signed calls."""

    id: UUID
    name: str
    url: str
    secret: str = field(repr=False)
    created_at: datetime
    #: The far end asked never to be called again (410), or an operator said so.
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One way to one recipient; `secret` signs, where the channel signs."""

    channel: str
    address: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)

    @property
    def lane(self) -> str:
        """What shares a provider's limits and patience: one robot, one endpoint, the mail server.

        The address of a robot is its secret, so only a digest of it is kept.
        """
        if self.channel == EMAIL:
            return EMAIL
        digest = hashlib.sha256(self.address.encode()).hexdigest()[:16]
        return f"{self.channel}:{digest}"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the words: in which language and time zone."""

    language: str = "zh-CN"
    zone: str = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a name in a command means; without routes nobody can be reached, for `reason`."""

    reader: Reader
    routes: tuple[Route, ...]
    reason: str | None = None

    def route(self, channel: str) -> Route | None:
        """Return the way over one channel, if there still is one."""
        return next((route for route in self.routes if route.channel == channel), None)


def recipient_of(
    directory: Directory,
    endpoints: Iterable[Endpoint],
    name: str,
    channels: tuple[str, ...] = (),
) -> Recipient:
    """Return how `name` is reached: a person, `team:<id>` or `webhook:<endpoint>`.

    `channels` are tried first, then those the person prefers; of both only what exists and has
    an address. A person who names no channel that works is written to.
    """
    kind, _, rest = name.partition(":")
    if kind == "webhook" and rest:
        return _endpoint(endpoints, rest)
    if kind == "team" and rest:
        team = directory.teams.get(rest)
        if team is None:
            return Recipient(Reader(), (), "unknown_recipient")
        return _reached(Reader(), team.channels, (*channels, *team.channels))
    person = directory.people.get(name)
    if person is None:
        return Recipient(Reader(), (), "unknown_recipient")
    reader = Reader(person.language, person.zone)
    return _reached(reader, person.addresses, (*channels, *person.channels, EMAIL))


def _reached(reader: Reader, addresses: Mapping[str, str], order: tuple[str, ...]) -> Recipient:
    usable = [c for c in dict.fromkeys(order) if c in CHANNELS and addresses.get(c)]
    routes = tuple(_route(channel, addresses[channel]) for channel in usable)
    return Recipient(reader, routes, None if routes else "no_address")


def _route(channel: str, address: str) -> Route:
    """Read a robot's address: what stands behind `#` is its signing secret."""
    if channel not in ROBOTS:
        return Route(channel, address)
    url, _, secret = address.partition("#")
    return Route(channel, url, secret or None)


def _endpoint(endpoints: Iterable[Endpoint], wanted: str) -> Recipient:
    found = next((e for e in endpoints if wanted in (e.name, str(e.id))), None)
    if found is None:
        return Recipient(Reader(), (), "unknown_recipient")
    if found.disabled_at is not None:
        return Recipient(Reader(), (), "endpoint_disabled")
    return Recipient(Reader(), (Route(WEBHOOK, found.url, found.secret),))

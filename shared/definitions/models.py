"""The models of YAML definitions: escalation policies, the catalogue, templates, the directory."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from shared.definitions.parsing import parse_duration


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


#: ISO 8601 in files: PT15M, PT4H, P1D.
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Words = Annotated[dict[Literal["zh-CN", "en"], str], Field(min_length=1)]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")]


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TierRule(_Written):
    """One tier: whom, how long after the tier before, how often again."""

    #: member: the assignee, or all members while nobody is named; lead; manager; duty; or
    #: `person:<id>`.
    notify: tuple[str, ...] = Field(min_length=1)
    #: From the trigger for the first tier, else from the first telling of the tier before.
    after: Duration = timedelta(0)
    #: Told again this often, every `repeat_every`, while nobody acknowledges.
    repeats: int = Field(0, ge=0, le=20)
    repeat_every: Duration = timedelta(minutes=15)
    channels: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _times(self) -> TierRule:
        if self.after < timedelta(0) or self.repeat_every < timedelta(minutes=1):
            raise ValueError("`after` must not be negative, `repeat_every` at least PT1M")
        return self


class EscalationPolicy(_Written):
    """Who is told next and when; every policy ends with a person, never in the void."""

    key: Key
    name: Words
    #: Which triggers start it: warned at these percentages, breached, requested, not_routed.
    on_warned_percent: tuple[int, ...] = (75, 90)
    #: Warned so much working time before or after the target: "-PT30M", "+PT1H".
    on_warned_time: tuple[str, ...] = ()
    on_breached: bool = True
    #: Metrics and names of stages; empty: all of them.
    metrics: tuple[str, ...] = ()
    tiers: tuple[TierRule, ...] = Field(min_length=1, max_length=10)
    #: From the last telling of all tiers to the first of the duty person, who is told again
    #: `duty_repeats` times; one `duty_repeat_every` after the last, "no one answered" is raised.
    duty_after: Duration = timedelta(minutes=15)
    duty_repeats: int = Field(2, ge=0, le=20)
    duty_repeat_every: Duration = timedelta(minutes=15)


class RequestType(_Written):
    """What can be asked."""

    key: Key
    name: Words
    description: Words | None = None
    domain: str
    process: Key = "standard-path"
    #: JSON Schema 2020-12 of the form; absent: any object.
    form: dict[str, JsonValue] | None = None
    is_open: bool = True


class Catalogue(_Written):
    """The service catalogue."""

    key: Key = "catalogue"
    types: tuple[RequestType, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _once(self) -> Catalogue:
        seen: set[str] = set()
        for entry in self.types:
            if entry.key in seen:
                raise ValueError(f"request type {entry.key!r} stands twice")
            seen.add(entry.key)
        return self


class Template(_Written):
    """The words of one kind of notification, per language; `{name}` is replaced, nothing else."""

    key: Key
    subject: Words
    text: Words


class Templates(_Written):
    """All templates of an installation."""

    key: Key = "templates"
    templates: tuple[Template, ...] = Field(min_length=1)


class WrittenAbsence(_Written):
    """Away from `starts_at` to `ends_at` (with offset); the deputy stands in."""

    starts_at: str
    ends_at: str
    deputy: str | None = None


class WrittenPerson(_Written):
    """A person."""

    id: Key
    name: str
    language: Literal["zh-CN", "en"] = "zh-CN"
    zone: str = "Asia/Shanghai"
    addresses: dict[str, str] = Field(default_factory=dict)
    channels: tuple[str, ...] = ("email",)
    absences: tuple[WrittenAbsence, ...] = ()
    skills: tuple[Key, ...] = ()
    #: At most so many work items at once are given to them by the table of assignment.
    capacity: int | None = Field(None, ge=0, le=10_000)
    #: The calendar of their shifts.
    shift: Key | None = None


class WrittenTeam(_Written):
    """A team."""

    id: Key
    name: Words
    members: tuple[Key, ...] = ()
    lead: Key | None = None
    manager: Key | None = None
    escalation_policy: Key = "standard"
    channels: dict[str, str] = Field(default_factory=dict)


class Directory(_Written):
    """People and teams, as the seed file has them."""

    people: tuple[WrittenPerson, ...] = ()
    teams: tuple[WrittenTeam, ...] = ()
    duty_person: Key | None = None

    @model_validator(mode="after")
    def _known(self) -> Directory:
        people = {person.id for person in self.people}
        for team in self.teams:
            named: set[Any] = {*team.members, team.lead, team.manager} - {None}
            if unknown := sorted(named - people):
                raise ValueError(f"team {team.id} names unknown people: {', '.join(unknown)}")
        if self.duty_person is not None and self.duty_person not in people:
            raise ValueError(f"duty_person {self.duty_person!r} is not among the people")
        deputies = {a.deputy for p in self.people for a in p.absences} - {None}
        if unknown := sorted(str(d) for d in deputies - people):
            raise ValueError(f"unknown deputies: {', '.join(unknown)}")
        return self

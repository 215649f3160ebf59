"""The company: 300 people who ask, the teams that answer, one lead on leave.

All names are invented. Teams, leads and managers are those of the shipped directory; the agents
below join them, so that the day's load falls on enough shoulders.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from levee.demo.plan import moment
from shared.events.router import Absence, Person, Team

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from shared.events.router import DirectoryChanged

PEOPLE = 300

#: Who is on leave all week, and who stands in.
AWAY, DEPUTY = "he.jing", "zheng.li"

#: Share of each department in the company.
_UNITS = {
    "sales": 58,
    "production": 76,
    "logistics": 34,
    "research": 42,
    "finance": 22,
    "marketing": 24,
    "quality": 18,
    "administration": 26,
}
_MORE_AGENTS = (
    ("tang.wei", "唐伟", "it-service-desk"),
    ("peng.bo", "彭博", "it-service-desk"),
    ("cao.yang", "曹阳", "it-applications"),
    ("guo.min", "郭敏", "hr-service"),
    ("yu.qian", "于谦和", "hr-service"),
    ("xu.lin", "许琳", "customer-care"),
    ("ma.chao", "马超", "customer-care"),
    ("luo.lan", "罗兰", "finance-approval"),
    ("xie.fang", "谢芳", "citizen-service"),
)
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚辉鹏宇欣怡浩然子涵雨桐佳琪思远晓东文博志远梦洁"
    "俊峰海燕雪梅建国玉华春梅晨曦"
)


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody who asks."""

    id: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class Company:
    """Who asks and who answers."""

    employees: tuple[Employee, ...]
    #: team -> the agents who work that day
    agents: Mapping[str, tuple[str, ...]]


def directory_for(shipped: DirectoryChanged, day: date) -> DirectoryChanged:
    """Return the shipped directory with the company's further agents and the absence."""
    people = [_on_leave(p, day) if p.id == AWAY else p for p in shipped.people]
    people += [
        Person(id=key, name=name, addresses={"email": f"{key}@example.com"})
        for key, name, _ in _MORE_AGENTS
    ]
    return shipped.model_copy(
        update={"people": tuple(people), "teams": tuple(_grown(t) for t in shipped.teams)}
    )


def company_of(directory: DirectoryChanged, seed: int) -> Company:
    """Return the company; the same seed makes the same people."""
    agents = {team.id: tuple(m for m in team.members if m != AWAY) for team in directory.teams}
    return Company(_employees(random.Random(f"people/{seed}")), agents)


def invented_name(rng: random.Random) -> str:
    """Return a Chinese name."""
    given = "".join(rng.sample(_GIVEN, rng.choice((1, 2, 2))))
    return rng.choice(_SURNAMES) + given


def _grown(team: Team) -> Team:
    joining = tuple(key for key, _, where in _MORE_AGENTS if where == team.id)
    return team.model_copy(update={"members": (*team.members, *joining)})


def _on_leave(person: Person, day: date) -> Person:
    monday = day - timedelta(days=day.weekday())
    leave = Absence(
        starts_at=moment(monday, 0), ends_at=moment(monday + timedelta(days=7), 0), deputy=DEPUTY
    )
    return person.model_copy(update={"absences": (leave,)})


def _employees(rng: random.Random) -> tuple[Employee, ...]:
    units = [unit for unit, count in _UNITS.items() for _ in range(count)]
    return tuple(
        Employee(f"e{number:04}", invented_name(rng), units[number - 1])
        for number in range(1, PEOPLE + 1)
    )

"""The two stories every day has: an outage that storms the desks, and a request nobody touches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from levee.demo.plan import Asked, Case, Ears, Step, moment
from shared.vocabulary import Impact, Urgency

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import date, datetime

    from levee.demo.company import Company
    from levee.demo.plan import Role

STORM_HOUR, STORM_MINUTES = 10, 6
#: Teams of the shipped directory that the storm runs through.
DESK, ENGINEERS = "it-service-desk", "it-infrastructure"
#: Requests of the storm that monitoring raises by itself, at the engineers'.
_ALARMS = 2
#: How many of the desk's requests somebody takes before the common cause is seen.
_TAKEN_ONE_BY_ONE = 3

_CRIES = (
    "ERP 全部掉线，{unit} 无法下单",
    "整层断网，电话也打不通",
    "仓库 WMS 登录不上，装车停了",
    "生产线报工系统无响应，产线停线",
    "VPN 与内网都不通",
    "收银和开票都提示网络错误",
    "视频会议全部中断，客户在线等",
)
_ALARM_TITLES = ("核心交换机 A 双电源告警，链路中断", "出口防火墙心跳丢失")


@dataclass(frozen=True, slots=True)
class Storm:
    """The storm's cases, and when it binds whom (so that other work has to wait)."""

    cases: tuple[Case, ...]
    bound: Mapping[str, tuple[tuple[datetime, datetime], ...]]


def storm(day: date, size: int, company: Company, rng: random.Random) -> Storm:
    """Return a P1 storm of `size` requests from 10:00 on, within six minutes, on one outage.

    Agents take the first few one by one; at 10:15 the desk sees that it is one matter and hands
    all of them to the engineers, who mend it before 11.
    """
    start = moment(day, STORM_HOUR)
    first, second = _two(company.agents[ENGINEERS])
    seen = moment(day, STORM_HOUR, 15)
    mended = moment(day, STORM_HOUR, 51)
    times = sorted(rng.randrange(20, STORM_MINUTES * 60 - 5) for _ in range(size - _ALARMS))
    cases = [_alarm(start, number, (first, second)[number], mended) for number in range(_ALARMS)]
    for place, second_of_storm in enumerate(times):
        at = start + timedelta(seconds=second_of_storm)
        taker = _taker(company, place)
        steps = _at_the_desk(at, taker, rng) if place < _TAKEN_ONE_BY_ONE else []
        handed = seen + timedelta(seconds=12 * place)
        head = company.agents[DESK][0]
        steps.append(Step(handed, "hand_over", taker if steps else head, _SAME_CAUSE, ENGINEERS))
        steps += _at_the_engineers(handed, mended, place, second)
        cases.append(_cry(place, at, steps, company, rng))
    desk = company.agents[DESK][: _TAKEN_ONE_BY_ONE + 1]
    bound = {member: ((start, moment(day, STORM_HOUR, 24)),) for member in desk}
    bound |= {member: ((start, moment(day, STORM_HOUR, 58)),) for member in (first, second)}
    return Storm(tuple(sorted(cases, key=lambda case: case.at)), bound)


_SAME_CAUSE = "同一故障：核心交换机"


def forgotten(day: date, rng: random.Random) -> Case:
    """Return the request that nobody touches and nobody answers for, posted at 08:52."""
    asked = Asked(
        type="customer-complaint",
        title="退款三周未到账，打了四次电话没有回音（SO248117）",
        requester_id="c71803",
        requester_name="沈秋雨",
        channel="wechat",
        source="crm",
        form={"order_number": "SO248117", "wish": "尽快退款并说明原因"},
    )
    at = moment(day, 8, 52, rng.randrange(60))
    return Case("forgotten", "forgotten", at, asked)


def _alarm(start: datetime, number: int, engineer: str, mended: datetime) -> Case:
    at = start + timedelta(seconds=4 + 31 * number)
    asked = Asked(
        type="it-incident",
        title=_ALARM_TITLES[number],
        requester_id="zabbix",
        requester_name="Zabbix",
        channel="monitoring",
        source="zabbix",
        urgency=Urgency.HIGH,
        impact=Impact.HIGH,
        unit="datacenter",
        form={"system": "network", "affected_people": 300},
    )
    claimed = at + timedelta(seconds=95 + 220 * number)
    said = claimed + timedelta(seconds=140)
    done = mended - timedelta(seconds=60 - 20 * number)
    steps = (
        Step(claimed, "claim", engineer),
        Step(said, "answer", engineer, "已到机房，正在切换备用链路。"),
        Step(done, "resolve", engineer, "更换电源模块，链路恢复"),
        Step(done + timedelta(minutes=4), "confirm", "zabbix"),
    )
    return Case(f"storm-alarm-{number}", "storm", at, asked, steps, _storm_ears(number))


def _cry(place: int, at: datetime, steps: list[Step], company: Company, rng: random.Random) -> Case:
    person = rng.choice(company.employees)
    asked = Asked(
        type="it-incident",
        title=_CRIES[place % len(_CRIES)].format(unit=person.unit),
        requester_id=person.id,
        requester_name=person.name,
        channel=rng.choice(("phone", "wecom", "portal")),
        urgency=Urgency.HIGH,
        impact=Impact.HIGH,
        unit=person.unit,
        # An outage that is known needs no green channel for each who calls about it.
        form={
            "system": "network",
            "affected_people": rng.randrange(5, 120),
            "lane": "standard",
        },
    )
    solved = steps[-1].at
    if rng.random() < 0.7:
        steps.append(
            Step(solved + timedelta(seconds=rng.randrange(90, 2400)), "confirm", person.id)
        )
    return Case(f"storm-{place:02}", "storm", at, asked, tuple(steps), _storm_ears(place))


def _at_the_desk(at: datetime, taker: str, rng: random.Random) -> list[Step]:
    claimed = at + timedelta(seconds=rng.randrange(60, 200))
    return [
        Step(claimed, "claim", taker),
        Step(claimed + timedelta(seconds=75), "answer", taker, "收到，正在核实是否大面积故障。"),
    ]


def _at_the_engineers(handed: datetime, mended: datetime, place: int, engineer: str) -> list[Step]:
    claimed = handed + timedelta(seconds=200)
    solved = mended + timedelta(seconds=11 * place)
    return [
        Step(claimed, "claim", engineer),
        Step(
            claimed + timedelta(seconds=25),
            "answer",
            engineer,
            "全公司网络故障，正在抢修，预计 11 点前恢复。",
        ),
        Step(solved, "resolve", engineer, "核心交换机恢复"),
    ]


def _storm_ears(place: int) -> Ears:
    """Most are answered by those told first, every fourth only by a lead, one by the manager."""
    role: Role = "manager" if place == 5 else "lead" if place % 4 == 3 else "member"
    return Ears(role, timedelta(minutes=2 + place % 4))


def _taker(company: Company, place: int) -> str:
    desk = company.agents[DESK]
    return desk[place % len(desk)]


def _two(members: tuple[str, ...]) -> tuple[str, str]:
    return members[0], members[-1]

"""Events in words, zh-CN first, English beside, for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

METRICS = {
    "first_response": ("首次响应", "first response"),
    "assignment": ("分配", "assignment"),
    "handling": ("处理", "handling"),
    "resolution": ("整体解决", "resolution"),
    "next_response": ("后续响应", "next response"),
    "escalation_response": ("升级响应", "escalation response"),
}
ROLE_NAMES = {
    "member": ("成员", "member"),
    "lead": ("组长", "lead"),
    "manager": ("经理", "manager"),
    "duty": ("值班", "duty"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened; loud ones are worth the screen."""

    at: datetime
    #: The event's type without its version.
    kind: str
    number: str
    priority: str
    zh: str
    en: str
    is_loud: bool
    #: calm | warning | alarm | good: how it is coloured.
    tone: str = "calm"


_Said = tuple[str, str, bool, str]
_Tell = Callable[[Any, str, Mapping[str, str]], _Said | None]


def line(
    kind: str, number: str, priority: str, event: Mapping[str, Any], names: Mapping[str, str]
) -> Line | None:
    """Return the line of an event; None for what nobody wants to read."""
    tell = _TALES.get(kind)
    said = tell(event["data"], priority, names) if tell is not None else None
    if said is None:
        return None
    zh, en, is_loud, tone = said
    at = datetime.fromisoformat(event["occurredat"])
    return Line(at, kind, number, priority, zh, en, is_loud, tone)


def metric(key: str) -> tuple[str, str]:
    """Return what a metric is called; the key itself where we have no word."""
    return METRICS.get(key, (key, key))


def _submitted(data: Any, priority: str, names: Mapping[str, str]) -> _Said:
    title = data["title"]
    is_loud = data["urgency"] == "high" and data["impact"] == "high"
    return f"提交：{title}", f"submitted by {data['channel']}", is_loud, "calm"


def _routed(data: Any, priority: str, names: Mapping[str, str]) -> _Said:
    team = names.get(data["team"], data["team"])
    return f"分流到 {team}，{data['priority']}", f"routed to {data['team']}", False, "calm"


def _warned(data: Any, priority: str, names: Mapping[str, str]) -> _Said:
    zh, en = metric(data["metric"])
    percent = data["threshold_percent"]
    return f"预警：{zh}已用 {percent}%", f"warning: {percent} % of {en}", False, "warning"


def _breached(data: Any, priority: str, names: Mapping[str, str]) -> _Said:
    zh, en = metric(data["metric"])
    return f"违约：{zh}超时", f"breached: {en}", True, "alarm"


def _stepped(data: Any, priority: str, names: Mapping[str, str]) -> _Said:
    recipients = data["recipients"]
    if not recipients:
        return (
            f"第 {data['tier']} 级无人可告知，跳过",
            f"tier {data['tier']} is empty",
            True,
            "alarm",
        )
    people = "、".join(_person(one, names) for one in recipients)
    repeat = f"（第 {data['repeat'] + 1} 次）" if data["repeat"] else ""
    role = recipients[0]["role"]
    zh_role, en_role = ROLE_NAMES.get(role, (role, role))
    is_loud = data["tier"] > 1 or priority == "P1"
    tone = "alarm" if data["tier"] > 2 else "warning"
    zh = f"第 {data['tier']} 级升级{repeat}，告知{zh_role}：{people}"
    return zh, f"tier {data['tier']}, told {en_role}", is_loud, tone


def _person(recipient: Any, names: Mapping[str, str]) -> str:
    name = names.get(recipient["person"], recipient["person"])
    absent = recipient["stands_in_for"]
    return f"{name}（代 {names.get(absent, absent)}）" if absent else name


def _acknowledged(data: Any, priority: str, names: Mapping[str, str]) -> _Said:
    who = names.get(data["acknowledged_by"], data["acknowledged_by"])
    return f"{who} 认领，升级停止", "acknowledged", data["tier"] > 1 or priority == "P1", "good"


def _exhausted(data: Any, priority: str, names: Mapping[str, str]) -> _Said:
    return f"全部 {data['tiers']} 级与值班均无人响应", "no one answered", True, "alarm"


def _handed_over(data: Any, priority: str, names: Mapping[str, str]) -> _Said:
    count = data["handovers"]
    where = names.get(data["to_team"], data["to_team"])
    is_kicked = count >= 2
    zh = f"第 {count} 次转手 → {where}：{data['reason']}"
    return zh, f"handover {count}", is_kicked, "warning" if is_kicked else "calm"


def _reopened(data: Any, priority: str, names: Mapping[str, str]) -> _Said:
    return f"请求人不认可，重新打开：{data['reason']}", "reopened", True, "warning"


def _changed(data: Any, priority: str, names: Mapping[str, str]) -> _Said:
    return f"优先级 {data['old']} → {data['new']}", "priority changed", True, "warning"


def _resolved(data: Any, priority: str, names: Mapping[str, str]) -> _Said:
    return f"已解决：{data['note'] or data['resolution']}", "resolved", priority == "P1", "good"


def _rated(data: Any, priority: str, names: Mapping[str, str]) -> _Said | None:
    if data["score"] > 2:
        return None
    return f"请求人只打了 {data['score']} 分", f"rated {data['score']} of 5", True, "warning"


_TALES: Mapping[str, _Tell] = {
    "request.submitted": _submitted,
    "request.routed": _routed,
    "clock.warned": _warned,
    "clock.breached": _breached,
    "escalation.stepped": _stepped,
    "escalation.acknowledged": _acknowledged,
    "escalation.exhausted": _exhausted,
    "request.handed_over": _handed_over,
    "request.reopened": _reopened,
    "request.priority_changed": _changed,
    "request.resolved": _resolved,
    "request.rated": _rated,
}

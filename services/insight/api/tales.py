"""A timeline in words: what happened, said to the person who reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.insight.api.words import Voice

Params = Mapping[str, Any]

#: Event type -> (zh, en). Placeholders are what `_Said` makes of the parameters.
_TALES: dict[str, tuple[str, str]] = {
    "request.submitted.v1": (
        "请求已提交，渠道：{channel}，紧急程度：{urgency}，影响范围：{impact}",
        "Submitted by {channel}; urgency {urgency}, impact {impact}",
    ),
    "request.updated.v1": ("内容已更正", "Details were corrected"),
    "request.withdrawn.v1": ("请求人撤回了请求", "The requester withdrew it"),
    "request.confirmed.v1": ("请求人确认已解决", "The requester confirmed that it is solved"),
    "request.reopened_by_requester.v1": (
        "请求人表示未解决：{reason}",
        "The requester says it is not solved: {reason}",
    ),
    "request.rated.v1": ("请求人评分：{score}/5", "Rated {score} of 5"),
    "request.sealed.v1": (
        "已封存：早已结束，不再追加内容",
        "Sealed: it ended long ago, nothing is added any more",
    ),
    "request.routed.v1": (
        "分流到 {team}，优先级 {priority}，{lane}",
        "Routed to {team}: {priority}, {lane}",
    ),
    "request.priority_changed.v1": (
        "优先级由 {old} 变为 {new}",
        "Priority changed from {old} to {new}",
    ),
    "request.lane_changed.v1": (
        "由{old}转入{new}：{reason}",
        "Moved from {old} to {new}: {reason}",
    ),
    "request.decided.v1": (
        "{actor} {decision}（{lane}）：{reason}",
        "{actor} {decision} it ({lane}): {reason}",
    ),
    "request.closing_deferred.v1": (
        "应关闭（{reason}），但须先完成{waits_for}",
        "To be closed ({reason}) after: {waits_for}",
    ),
    "request.assigned.v1": ("责任人：{assignee}（{team}）", "Assigned to {assignee} ({team})"),
    "request.handed_over.v1": (
        "由 {from_team} 转给 {to_team}：{reason}",
        "Handed over from {from_team} to {to_team}: {reason}",
    ),
    "request.unassigned.v1": (
        "回到 {team} 的队列，原责任人 {from_assignee}（{reason}）",
        "Back in the queue of {team}, {from_assignee} had it ({reason})",
    ),
    "request.waiting_started.v1": ("开始等待：{reason}", "Waiting for {reason}"),
    "request.waiting_ended.v1": ("等待结束：{reason}", "No longer waiting for {reason}"),
    "request.resolved.v1": ("解决：{resolution}", "Resolved: {resolution}"),
    "request.reopened.v1": (
        "重新打开（第 {reopenings} 次）：{reason}",
        "Reopened (time {reopenings}): {reason}",
    ),
    "request.closed.v1": ("已关闭：{reason}", "Closed: {reason}"),
    "request.cancelled.v1": ("已取消：{reason}", "Cancelled: {reason}"),
    "work_item.opened.v1": ("工作项待办：{name}", "Work item waits: {name}"),
    "work_item.claimed.v1": ("{assignee} 领取了工作项", "{assignee} claimed the work item"),
    "work_item.returned.v1": ("工作项被退回：{reason}", "Work item returned: {reason}"),
    "work_item.unclaimed.v1": (
        "{unclaimed_by} 将工作项放回团队（原在 {assignee} 手中）",
        "{unclaimed_by} put the work item back ({assignee} had it)",
    ),
    "work_item.delegated.v1": (
        "工作项转给 {to_team}：{reason}",
        "Work item delegated to {to_team}: {reason}",
    ),
    "work_item.completed.v1": ("工作项已完成", "Work item completed"),
    "work_item.cancelled.v1": ("工作项不再需要", "Work item no longer needed"),
    "process.started.v1": ("流程启动：{process} v{version}", "Process began: {process} v{version}"),
    "process.ended.v1": ("流程结束", "Process ended"),
    "incident.raised.v1": (
        "流程故障：{code}（{element_id}）",
        "The process cannot go on: {code} at {element_id}",
    ),
    "incident.resolved.v1": ("流程故障已排除", "The process goes on"),
    "stage.started.v1": ("阶段开始：{stage}", "Stage begun: {stage}"),
    "stage.ended.v1": ("阶段结束：{stage}", "Stage ended: {stage}"),
    "war_room.opened.v1": ("成立专项工作组：{purpose}", "War room opened: {purpose}"),
    "war_room.closed.v1": ("专项工作组结束：{conclusion}", "War room closed: {conclusion}"),
    "clock.started.v1": ("开始计时：{clocks}", "Promised: {clocks}"),
    "clock.paused.v1": ("暂停计时：{metrics}（{reason}）", "Paused: {metrics} ({reason})"),
    "clock.resumed.v1": ("继续计时：{clocks}", "Resumed: {clocks}"),
    "clock.rebased.v1": ("目标调整：{clocks}（{reason}）", "New target: {clocks} ({reason})"),
    "clock.corrected.v1": ("计时更正：{clocks}（{reason}）", "Corrected: {clocks} ({reason})"),
    "clock.warned.v1": (
        "预警：{metric}已用 {threshold_percent}%，{due_at} 到期",
        "Warning: {threshold_percent} % of {metric} used, due {due_at}",
    ),
    "clock.breached.v1": (
        "违约：{metric}应于 {due_at} 前完成",
        "Breached: {metric} was due {due_at}",
    ),
    "clock.cancelled.v1": ("不再计时：{metrics}", "No longer timed: {metrics}"),
    "agreement_clock.started.v1": ("开始计时：{clocks}", "Promised inside: {clocks}"),
    "agreement_clock.paused.v1": ("暂停计时：{clocks}（{reason}）", "Paused: {clocks} ({reason})"),
    "agreement_clock.resumed.v1": ("继续计时：{clocks}", "Resumed: {clocks}"),
    "agreement_clock.rebased.v1": (
        "目标调整：{clocks}（{reason}）",
        "New target: {clocks} ({reason})",
    ),
    "agreement_clock.corrected.v1": (
        "计时更正：{clocks}（{reason}）",
        "Corrected: {clocks} ({reason})",
    ),
    "agreement_clock.warned.v1": (
        "预警：{clock}已用 {used_percent}%，{due_at} 到期",
        "Warning: {used_percent} % of {clock} used, due {due_at}",
    ),
    "agreement_clock.breached.v1": (
        "违约：{clock}应于 {due_at} 前完成",
        "Breached: {clock} was due {due_at}",
    ),
    "agreement_clock.met.v1": ("{clock}完成", "{clock}: done"),
    "agreement_clock.cancelled.v1": ("不再计时：{clocks}", "No longer timed: {clocks}"),
    "escalation.requested.v1": ("请求升级：{reason}", "Escalation requested: {reason}"),
    "escalation.raised.v1": (
        "发起升级（{trigger}），策略 {policy}",
        "Escalation raised ({trigger}), policy {policy}",
    ),
    "escalation.stepped.v1": (
        "第 {tier} 层已通知：{recipients}",
        "Tier {tier} told: {recipients}",
    ),
    "escalation.acknowledged.v1": (
        "{actor} 在第 {tier} 层认领了升级",
        "{actor} acknowledged at tier {tier}",
    ),
    "escalation.released.v1": ("升级解除：{reason}", "Escalation released: {reason}"),
    "escalation.exhausted.v1": (
        "全部 {tiers} 层均无人响应",
        "Nobody answered at any of {tiers} tiers",
    ),
    "escalation.closed.v1": ("升级结束：{reason}", "Escalation over: {reason}"),
    "notification.sent.v1": (
        "已向 {recipient} 发出{channel}通知",
        "Sent to {recipient} by {channel}",
    ),
    "notification.delivered.v1": (
        "{channel}通知已送达 {recipient}",
        "Delivered to {recipient} by {channel}",
    ),
    "notification.seen.v1": (
        "{recipient} 的通知链接被打开",
        "The link sent to {recipient} was opened",
    ),
    "notification.acted.v1": ("{actor} 通过通知操作：{action}", "{actor} acted by link: {action}"),
    "notification.suppressed.v1": (
        "给 {recipient} 的通知有意不发：{reason}",
        "Not sent to {recipient} on purpose: {reason}",
    ),
    "notification.set_aside.v1": (
        "给 {recipient} 的通知已搁置：{reason}",
        "Set aside for {recipient}: {reason}",
    ),
}


def tell(voice: Voice, type_: str, params: Params, actor: str | None) -> str:
    """Say one line of a timeline in the viewer's words; an unknown type by its name."""
    said = _Said(voice, params, actor)
    special = _SPECIAL.get(type_)
    if special is not None:
        return special(voice, params, said)
    tale = _TALES.get(type_)
    return voice.pick(*tale).format_map(said) if tale else type_


def _message(voice: Voice, params: Params, said: _Said) -> str:
    if params.get("is_automatic"):
        return voice.pick("系统自动回复（不算响应）", "Automatic reply (not a response)")
    if params.get("author") == "requester":
        return voice.pick("请求人留言", "The requester wrote")
    who = said["actor"]
    if params.get("is_effective"):
        return voice.pick(f"{who} 有效答复", f"{who} answered")
    return voice.pick(f"{who} 留言", f"{who} wrote")


def _met(voice: Voice, params: Params, said: _Said) -> str:
    metric, took = said["metric"], said["elapsed_s"]
    target = said["target_s"]
    if params.get("is_breached"):
        return voice.pick(
            f"{metric}逾期完成：用时 {took}，目标 {target}",
            f"{metric} met late: took {took}, target {target}",
        )
    return voice.pick(
        f"{metric}按时完成：用时 {took}，目标 {target}",
        f"{metric} met in time: took {took}, target {target}",
    )


def _failed(voice: Voice, params: Params, said: _Said) -> str:
    told = voice.pick(
        "向 {recipient} 的{channel}通知第 {attempts} 次失败：{reason}",
        "Attempt {attempts} to tell {recipient} by {channel} failed: {reason}",
    ).format_map(said)
    return (
        told if params.get("is_final") else told + voice.pick("，将重试", "; will be tried again")
    )


_SPECIAL: dict[str, Callable[[Voice, Params, _Said], str]] = {}


class _Said(dict[str, str]):
    """The parameters as words; one that is missing is a dash."""

    def __init__(self, voice: Voice, params: Params, actor: str | None) -> None:
        super().__init__()
        self._voice, self._params, self._actor = voice, params, actor

    def __missing__(self, key: str) -> str:
        """Put one parameter into words."""
        if key == "actor":
            return self._voice.name("person", self._actor)
        value = self._params.get(key)
        if value is None or value == "":
            return "–"
        told = _WORDS.get(key)
        return told(self._voice, value) if told else self._voice.label(value)


def _moment(voice: Voice, value: Any) -> str:
    return voice.short(datetime.fromisoformat(str(value)))


def _promises(voice: Voice, value: Any) -> str:
    told = []
    for promise in value:
        due = promise.get("due_at")
        until = voice.pick(f"（{_moment(voice, due)} 前）", f" by {_moment(voice, due)}")
        target = promise.get("target_s")
        span = "" if target is None else f" {voice.duration(target)}"
        told.append(f"{_clock(voice, promise)}{span}{until if due else ''}")
    return voice.pick("，", ", ").join(told)


def _clock(voice: Voice, value: Any) -> str:
    told = voice.label(value.get("name") or value.get("metric"))
    agreement = value.get("agreement")
    return voice.pick(f"{told}（{agreement}）", f"{told} ({agreement})") if agreement else told


def _labels(voice: Voice, value: Any) -> str:
    return voice.pick("、", ", ").join(voice.label(entry) for entry in value)


def _people(voice: Voice, value: Any) -> str:
    return voice.pick("、", ", ").join(voice.name("person", r.get("person")) for r in value)


def _trigger(voice: Voice, value: Any) -> str:
    told = voice.label(value.get("kind"))
    if value.get("metric"):
        told = f"{voice.label(value['metric'])} · {told}"
    percent = value.get("threshold_percent")
    return f"{told} {percent}%" if percent else told


def _words(voice: Voice, value: Any) -> str:
    return voice.pick(
        value.get("zh-CN") or value.get("en") or "–", value.get("en") or value.get("zh-CN") or "–"
    )


def _person(voice: Voice, value: Any) -> str:
    return voice.name("person", str(value))


def _team(voice: Voice, value: Any) -> str:
    return voice.name("team", str(value))


def _as_it_is(_: Voice, value: Any) -> str:
    return str(value)


def _duration(voice: Voice, value: Any) -> str:
    return voice.duration(float(value))


_WORDS: dict[str, Callable[[Voice, Any], str]] = {
    "due_at": _moment,
    "clocks": _promises,
    "clock": _clock,
    "metrics": _labels,
    "recipients": _people,
    "trigger": _trigger,
    "name": _words,
    "assignee": _person,
    "from_assignee": _person,
    "to_assignee": _person,
    "recipient": _person,
    "duty_person": _person,
    "team": _team,
    "from_team": _team,
    "to_team": _team,
    "elapsed_s": _duration,
    "target_s": _duration,
    # Keys of definitions and diagrams, which may look like a code that has words.
    "policy": _as_it_is,
    "process": _as_it_is,
    "element_id": _as_it_is,
    "code": _as_it_is,
}
_SPECIAL.update(
    {
        "message.posted.v1": _message,
        "clock.met.v1": _met,
        "notification.failed.v1": _failed,
    }
)

"""What `levee process try` shows: lane, steps, decisions and promises in both languages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LANES = {
    "standard": "标准路径 / standard path",
    "green": "绿色通道 / green channel",
    "exception": "例外审批 / exception approval",
}
_METRICS = {
    "first_response": "首次响应 / first response",
    "assignment": "分配 / assignment",
    "handling": "处理 / handling",
    "resolution": "整体解决 / resolution",
    "next_response": "后续响应 / next response",
    "escalation_response": "升级响应 / escalation response",
}
#: Longer values would hide what matters.
_SHOWN = 200


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is shown, line by line."""
    yield f"请求 / request   {told['request_type']} ({told['domain']})  {told['at']}"
    yield f"通道 / lane      {_LANES.get(told['lane'], told['lane'])}"
    triage = "  (分诊台：没有行指明团队 / triage: no row names a team)" if told["is_triage"] else ""
    yield f"优先级 / priority {told['priority']}   团队 / team {told['team']}{triage}"
    for process in told["processes"]:
        yield from _process(process)
    yield from _waits(told)
    yield from _decisions(told["decisions"])
    yield from _promises(told)
    for incident in told["incidents"]:
        yield (
            f"✗ 故障 / incident  {incident['element_id']} [{incident['code']}] {incident['detail']}"
        )


def _process(process: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    pins = ", ".join(process["pins"]) or "–"
    yield f"流程 / process   {process['process']} v{process['version']}  {_name(process)}"
    yield f"  固定版本 / pinned to  {pins}"
    for number, step in enumerate(process["steps"], start=1):
        yield f"  {number:>2}. {_name(step)}  ({step['element_id']}, {step['type']})"
    if process["is_ended"]:
        yield "  ■ 流程已结束 / the process has ended"
    for element in process["waits_at"]:
        yield f"   ◦ 停在 / waits at  {_name(element)}  ({element['element_id']})"


def _waits(told: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    for item in told["work_items"]:
        who = ", ".join([*item["candidate_teams"], *item["candidate_users"]]) or "–"
        form = f"  表单 / form {item['form']}" if item["form"] else ""
        due = f"  到期 / due {item['due_at']}" if item["due_at"] else ""
        yield f"工作项 / work item  {_name(item)} → {who}{form}{due}"
    for timer in told["timers"]:
        yield f"定时 / timer       {_name(timer)}  {timer['due_at']}"
    for job in told["jobs"]:
        yield f"作业 / job         {_name(job)}  {job['type']}"
    if told["messages"]:
        yield f"等待消息 / awaits   {', '.join(told['messages'])}"


def _decisions(decisions: list[Mapping[str, Any]]) -> Iterator[str]:
    for decision in decisions:
        yield ""
        where = f"  @ {_name(decision['element'])}" if decision.get("element") else ""
        yield f"决策 / decision   {decision['decision']} v{decision['version']}{where}"
        yield f"  结果 / result  {_value(decision['outputs'])}"
        rules = ", ".join(decision["matched_rules"]) or "无 / none"
        yield f"  命中行 / rows  {rules}"
        yield f"  输入 / inputs  {_value(decision['inputs'])}"


def _promises(told: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    promises = told["promises"]
    if promises is None:
        problem = told["promises_problem"]
        sentences = problem["sentences"]
        yield f"✗ 承诺无法得知 / promises not known: {sentences['zh-CN']} / {sentences['en']}"
        return
    running = {clock["clock"] for clock in promises["clocks"]}
    for clock in promises["clocks"]:
        name = _METRICS.get(clock["name"], clock["name"])
        agreement = f" @{clock['agreement']}" if clock["agreement"] else ""
        due = clock["due_at"] or f"– ({clock['no_due_reason']})"
        yield (
            f"承诺 / promise   {name}{agreement}  {_time(clock['target_s'])} "
            f"@ {clock['calendar']} → {due}  [{clock['explanation']['rule']}]"
        )
    for promise in promises["promises"]:
        if promise["metric"] not in running and promise["is_clock_wanted"]:
            name = _METRICS.get(promise["metric"], promise["metric"])
            yield (
                f"  以后 / later   {name}  {_time(promise['target_s'])} @ {promise['calendar']}"
                f"  [{promise['explanation']['rule']}]"
            )


def _name(thing: Mapping[str, Any]) -> str:
    names = thing.get("name") or {}
    told = dict.fromkeys(names[key] for key in ("zh-CN", "en") if names.get(key))
    return " / ".join(told) or str(thing.get("element_id", ""))


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _time(seconds: float) -> str:
    """Return working time as people say it: 30 min, 8 h, 1 h 30 min."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "min"), (left, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"

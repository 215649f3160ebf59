"""Sentences about ledgers and due times, made from codes where a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.business_time.answers import Due
from shared.business_time.codes import Code, NoAnswer
from shared.business_time.ledger import Entry, Ledger

_REASONS: dict[str, dict[Code, str]] = {
    "zh": {
        Code.WORKING: "工作时间",
        Code.MAKE_UP_DAY: "调休上班日",
        Code.EXCEPTION_HOURS: "特别安排的工作时间",
        Code.ALWAYS_OPEN: "全天候服务",
        Code.OUTSIDE_HOURS: "非工作时段",
        Code.REST_DAY: "休息日",
        Code.HOLIDAY: "节假日",
        Code.CLOSED_BY_EXCEPTION: "特别安排的休息",
        Code.BREAK: "中途休息",
        Code.PAUSED: "计时暂停",
        Code.SUBTRACTED: "被另一日历排除",
        Code.OUTSIDE_VALIDITY: "不在日历有效期内",
    },
    "en": {
        Code.WORKING: "working time",
        Code.MAKE_UP_DAY: "make-up working day",
        Code.EXCEPTION_HOURS: "special hours",
        Code.ALWAYS_OPEN: "round-the-clock service",
        Code.OUTSIDE_HOURS: "outside working hours",
        Code.REST_DAY: "rest day",
        Code.HOLIDAY: "holiday",
        Code.CLOSED_BY_EXCEPTION: "closed by exception",
        Code.BREAK: "break",
        Code.PAUSED: "clock paused",
        Code.SUBTRACTED: "taken out by another calendar",
        Code.OUTSIDE_VALIDITY: "outside the calendar's validity",
    },
}

_SENTENCES: dict[str, dict[str, str]] = {
    "zh": {
        "counted": "{start} 至 {end}：计入 {time}（{reason}）",
        "skipped": "{start} 至 {end}：不计（{reason}）",
        "total": "共计 {time}。",
        "provisional": "暂定：{until} 之后的节假日安排尚未公布。",
        "provisional_open": "暂定：部分日期的节假日安排未知。",
        "named": "{reason}：{name}",
        "due": "到期时间：{due_at}。",
        "due_breaks_later": (
            "到期时间：{due_at}（恰逢停止计时）；{later} 恢复计时，届时未完成即违约。"
        ),
        "due_never_breaks": "到期时间：{due_at}；此后不再计时。",
        NoAnswer.PAUSED: "暂无到期时间：计时已暂停，剩余 {left}。",
        NoAnswer.CALENDAR_ENDED: "没有到期时间：日历的有效期先结束，剩余 {left}。",
        NoAnswer.NOTHING_WITHIN_HORIZON: "没有到期时间：日历在可预见的时间内不开放。",
        NoAnswer.TARGET_BEYOND_HORIZON: "没有到期时间：目标时长超出可计算范围，剩余 {left}。",
    },
    "en": {
        "counted": "{start} to {end}: {time} counted ({reason})",
        "skipped": "{start} to {end}: not counted ({reason})",
        "total": "{time} in all.",
        "provisional": "Provisional: the holidays after {until} are not published yet.",
        "provisional_open": "Provisional: the holidays of some dates are not known.",
        "named": "{reason}: {name}",
        "due": "Due at {due_at}.",
        "due_breaks_later": (
            "Due at {due_at}, just when time stops counting; broken if not met when it counts "
            "again at {later}."
        ),
        "due_never_breaks": "Due at {due_at}; no time counts after that.",
        NoAnswer.PAUSED: "Not due yet: the clock is paused with {left} left.",
        NoAnswer.CALENDAR_ENDED: "Never due: the calendar's validity ends first, {left} left.",
        NoAnswer.NOTHING_WITHIN_HORIZON: "Never due: the calendar does not open within sight.",
        NoAnswer.TARGET_BEYOND_HORIZON: "Never due: the target lies beyond sight, {left} left.",
    },
}

_UNITS = {"zh": (" 小时", " 分", " 秒"), "en": (" h", " min", " s")}


def explain(
    told: Ledger, language: str = "zh-CN", pause_reasons: Mapping[str, str] | None = None
) -> list[str]:
    """Return a ledger in sentences, times in its zone; the last ones are total and caveat.

    `pause_reasons` are the caller's words for its pause reason codes; a code without one is
    shown as it is.
    """
    tongue, zone = _tongue(language), ZoneInfo(told.zone)
    sentences = [_entry(entry, tongue, zone, pause_reasons or {}) for entry in told.entries]
    sentences.append(_say(tongue, "total", time=spoken(told.elapsed, language)))
    if told.is_provisional:
        key = "provisional" if told.known_until else "provisional_open"
        sentences.append(_say(tongue, key, until=told.known_until))
    return sentences


def explain_due(answer: Due, zone: str, language: str = "zh-CN") -> str:
    """Return what a due time means, in one sentence, times in `zone`."""
    tongue, place = _tongue(language), ZoneInfo(zone)
    if answer.due_at is None:
        reason = answer.reason or NoAnswer.NOTHING_WITHIN_HORIZON
        return _say(tongue, reason, left=spoken(answer.left, language))
    due_at = _clock(answer.due_at, place)
    if answer.breaches_after is None:
        return _say(tongue, "due_never_breaks", due_at=due_at)
    if answer.breaches_after == answer.due_at:
        return _say(tongue, "due", due_at=due_at)
    later = _clock(answer.breaches_after, place)
    return _say(tongue, "due_breaks_later", due_at=due_at, later=later)


def spoken(time: timedelta, language: str = "zh-CN") -> str:
    """Return a span of time in words: hours (days of 24 hours would mislead), minutes, seconds."""
    hour, minute, second = _UNITS[_tongue(language)]
    whole_minutes, seconds = divmod(time, timedelta(minutes=1))
    hours, minutes = divmod(whole_minutes, 60)
    parts = [f"{hours}{hour}"] if hours else []
    parts += [f"{minutes}{minute}"] if minutes else []
    if seconds or not parts:
        text = f"{seconds / timedelta(seconds=1):f}".rstrip("0").rstrip(".")
        parts.append(f"{text}{second}")
    return " ".join(parts)


def _entry(entry: Entry, tongue: str, zone: ZoneInfo, pause_reasons: Mapping[str, str]) -> str:
    reason = _REASONS[tongue][entry.code]
    name = entry.label.text("zh-CN" if tongue == "zh" else "en")
    if entry.code is Code.PAUSED:
        name = pause_reasons.get(entry.pause_reason, entry.pause_reason)
    if name:
        reason = _say(tongue, "named", reason=reason, name=name)
    return _say(
        tongue,
        "counted" if entry.is_counted else "skipped",
        start=_clock(entry.start, zone),
        end=_clock(entry.end, zone),
        time=spoken(entry.time, "zh-CN" if tongue == "zh" else "en"),
        reason=reason,
    )


def _say(tongue: str, key: str, **params: object) -> str:
    return _SENTENCES[tongue][key].format(**params)


def _tongue(language: str) -> str:
    return "zh" if language.startswith("zh") else "en"


def _clock(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    if local.microsecond:
        return local.strftime("%Y-%m-%d %H:%M:%S.%f")
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")

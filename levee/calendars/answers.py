"""What the command line says of a calendar: JSON for scripts, sentences for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared import business_time as bt

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer twice: for scripts and for people."""

    json: dict[str, Any]
    sentences: tuple[str, ...]


def due(
    calendar: bt.Calendar,
    start: datetime,
    target: timedelta,
    pauses: Sequence[bt.Pause],
    language: str,
) -> Told:
    """Return when a target is used up, with every span counted or skipped until then."""
    answer = bt.due_with_pauses(calendar, start, target, pauses)
    shape = {
        **_head(calendar),
        "start": start,
        "target_s": target.total_seconds(),
        "due_at": answer.due_at,
        "breaches_after": answer.breaches_after,
        "is_provisional": answer.is_provisional,
        "reason": None if answer.reason is None else answer.reason.value,
        "left_s": answer.left.total_seconds(),
    }
    sentences: list[str] = []
    if answer.due_at is not None:
        ledger = bt.ledger(calendar, start, answer.due_at, pauses)
        shape["ledger"] = ledger.as_json()
        sentences += bt.explain(ledger, language)
    return Told(shape, (*sentences, bt.explain_due(answer, calendar.zone, language)))


def due_backward(calendar: bt.Calendar, end: datetime, target: timedelta, language: str) -> Told:
    """Return when work must begin so that the target fits before `end`."""
    answer = bt.due_backward(calendar, end, target)
    shape = {
        **_head(calendar),
        "end": end,
        "target_s": target.total_seconds(),
        "start_at": answer.start_at,
        "same_from": answer.same_from,
        "is_provisional": answer.is_provisional,
        "reason": None if answer.reason is None else answer.reason.value,
        "left_s": answer.left.total_seconds(),
    }
    if answer.start_at is None:
        told = "没有这样的开始时刻" if _is_zh(language) else "there is no such start"
        return Told(shape, (f"{told}: {shape['reason']}",))
    ledger = bt.ledger(calendar, answer.start_at, end)
    shape["ledger"] = ledger.as_json()
    local = _local(answer.start_at, calendar.zone)
    last = f"最晚开始：{local}。" if _is_zh(language) else f"Start at the latest: {local}."
    return Told(shape, (*bt.explain(ledger, language), last))


def elapsed(
    calendar: bt.Calendar,
    start: datetime,
    end: datetime,
    pauses: Sequence[bt.Pause],
    language: str,
) -> Told:
    """Return how much working time passed, span by span."""
    ledger = bt.ledger(calendar, start, end, pauses)
    shape = {
        **_head(calendar),
        "start": start,
        "end": end,
        "elapsed_s": ledger.elapsed.total_seconds(),
        "is_provisional": ledger.is_provisional,
        "ledger": ledger.as_json(),
    }
    return Told(shape, tuple(bt.explain(ledger, language)))


def show(calendar: bt.Calendar, first: date, days: int, language: str) -> Told:
    """Return what is open on each of `days` dates, and how far the holidays are known."""
    zone = ZoneInfo(calendar.zone)
    listed, sentences = [], []
    for ahead in range(days):
        day = first + ahead * _DAY
        start = datetime(day.year, day.month, day.day, tzinfo=zone)
        told = bt.ledger(calendar, start, start + _DAY)
        names = {_name(e, language) for e in told.entries if e.label.text(language)}
        spans = [_span(e, zone) for e in told.counted]
        listed.append(
            {
                "date": day,
                "is_working_day": bt.is_working_day(calendar, day),
                "open": spans,
                "names": sorted(names),
                "is_provisional": told.is_provisional,
            }
        )
        sentences.append(_line(day, spans, names, told.is_provisional, language))
    return Told({**_head(calendar), "days": listed}, tuple(sentences))


def coverage_sentence(found: bt.Coverage, language: str) -> str:
    """Return it in words."""
    if found.until is None or found.days_left is None:
        return "不依赖节假日数据" if _is_zh(language) else "needs no holidays"
    until, left = found.until.isoformat(), found.days_left
    if _is_zh(language):
        alarm = "；请补充下一年的节假日安排" if found.is_alarming else ""
        return f"节假日已知至 {until}（还有 {left} 天）{alarm}"
    alarm = "; see to the next year's holidays" if found.is_alarming else ""
    return f"holidays known until {until} ({left} days left){alarm}"


def _head(calendar: bt.Calendar) -> dict[str, Any]:
    return {"calendar": calendar.key, "version": calendar.version, "zone": calendar.zone}


def _line(
    day: date, spans: Sequence[str], names: Iterable[str], is_provisional: bool, language: str
) -> str:
    weekday = "一二三四五六日"[day.weekday()] if _is_zh(language) else f"{day:%a}"
    closed, unknown = ("休", "暂定") if _is_zh(language) else ("closed", "provisional")
    told = [" ".join(spans) or closed, *sorted(names), *([unknown] if is_provisional else [])]
    return f"{day} {weekday} " + " · ".join(told)


def _name(entry: bt.Entry, language: str) -> str:
    name = entry.label.text(language)
    if entry.code is not bt.Code.MAKE_UP_DAY:
        return name
    return f"调休上班日：{name}" if _is_zh(language) else f"make-up working day: {name}"


def _span(entry: bt.Entry, zone: ZoneInfo) -> str:
    start, end = entry.start.astimezone(zone), entry.end.astimezone(zone)
    last = "24:00" if end.date() > start.date() else f"{end:%H:%M}"
    return f"{start:%H:%M}-{last}"


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def _is_zh(language: str) -> bool:
    return language.startswith("zh")

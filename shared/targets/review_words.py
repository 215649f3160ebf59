"""The findings of a review in words, each with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from shared.errors import Finding
from shared.targets.rows import CellFault, Row
from shared.targets.supporting import Promised, Shortfall

#: A row counts on a calendar nobody knows: what may be mended by releasing that.
CALENDAR_UNKNOWN = "calendar-unknown"


def word_unknown(rule: str, name: str, shown: str, known: Sequence[str]) -> Finding:
    """No request ever has this word."""
    listed = ", ".join(known)
    return Finding(
        _cell(rule, name),
        f"{name}-unknown",
        {
            "zh-CN": f"{name} 列的 {shown} 不存在，该行对它永远不适用。",
            "en": f"there is no {name} {shown}: the row never applies to it.",
        },
        {"zh-CN": f"可用：{listed}。", "en": f"Write one of {listed}."},
    )


def unusable(rule: str, fault: CellFault) -> Finding:
    """A cell cannot be read."""
    return Finding(
        _cell(rule, fault.column),
        "row-unusable",
        {"zh-CN": f"该行无法使用：{fault.zh}。", "en": f"the row cannot be used: {fault.en}"},
        {"zh-CN": fault.mend_zh, "en": fault.mend_en},
    )


def bare(row: Row, column: str, found: str) -> Finding:
    """A target or threshold in bare days."""
    return Finding(
        _cell(row.rule, column),
        "bare-day",
        {
            "zh-CN": f"{found}：单独的“天”没有确定含义（工作日几小时？）。",
            "en": f"{found}: a bare day means nothing (how many hours is a working day?).",
        },
        {
            "zh-CN": "写工作时长（PT8H），或写“1 working day”/“1个工作日”。",
            "en": 'Write working time (PT8H), or "1 working day".',
        },
    )


def no_calendar(row: Row, known: Sequence[str]) -> Finding:
    """The row counts on a calendar nobody knows."""
    listed = ", ".join(known) or "–"
    return Finding(
        _cell(row.rule, "calendar"),
        CALENDAR_UNKNOWN,
        {
            "zh-CN": f"没有日历 {row.calendar}；它发布之前请求无法计时。",
            "en": f"there is no calendar {row.calendar}; requests are not timed before it is "
            "released.",
        },
        {
            "zh-CN": f"先发布该日历（或与本表一起发布），或改用已知日历：{listed}。",
            "en": f"Release that calendar first, or with the table; known calendars: {listed}.",
        },
    )


def never_begins(row: Row) -> Finding:
    """A stage without a name or a beginning."""
    return Finding(
        _cell(row.rule, "starts_on" if row.clock else "clock"),
        "stage-never-begins",
        {
            "zh-CN": "阶段计时需要名称（clock）和开始条件（starts_on），否则不会运行。",
            "en": "a stage needs a name (clock) and a beginning (starts_on); this one never runs.",
        },
        {"zh-CN": "填写 clock 与 starts_on。", "en": "Fill in clock and starts_on."},
    )


def _cell(rule: str, column: str) -> str:
    return f"rule {rule} / {column}"


def stage_disagrees(rule: str, clock: str, first: str) -> Finding:
    """Two rows of one stage begin or end it differently."""
    return Finding(
        f"rule {rule}",
        "stage-disagrees",
        {
            "zh-CN": f"阶段 {clock} 的开始或结束条件与 {first} 不同；以先匹配者为准。",
            "en": f"stage {clock} begins or ends otherwise than in {first}; the first one counts.",
        },
        {"zh-CN": "使各行一致，或另取名称。", "en": "Make the rows agree, or take another name."},
        "warning",
    )


def stands_still(part: Row, whole: Row, reasons: Sequence[str]) -> Finding:
    """It pauses while what it supports runs on."""
    shown = ", ".join(reasons)
    return Finding(
        f"rule {part.rule}",
        "pauses-unsupported",
        {
            "zh-CN": f"等待 {shown} 时该承诺暂停，而对外承诺 {whole.rule} 继续计时。",
            "en": f"it stands still for {shown} while the promise outside ({whole.rule}) runs on.",
        },
        {
            "zh-CN": f"从该行 pauses_on 去掉 {shown}，或让对外承诺也为其暂停。",
            "en": f"Take {shown} out of its pauses_on, or let the promise outside pause too.",
        },
        "warning",
    )


def unsupported(found: Shortfall) -> Finding:
    """It may fall due after what it supports."""
    part, whole = found.inside, found.outside
    start = found.start.astimezone(ZoneInfo(part.calendar.zone))
    when = f"{start:%a %Y-%m-%d %H:%M} {part.calendar.zone}"
    late = found.late_by
    late_zh = f"晚 {_span(late)}" if late is not None else "永远不会到期"
    late_en = f"{_span(late)} later" if late is not None else "never"
    kinds = {"ola": ("OLA", "OLA"), "uc": ("支撑合同", "underpinning contract")}
    zh, en = kinds[part.row.kind]
    mend_zh, mend_en = _remedy(found)
    return Finding(
        f"rule {part.row.rule}",
        "promise-unsupported",
        {
            "zh-CN": f"{zh}（{_told(part)}）支撑不了对外承诺 {whole.row.rule}（{_told(whole)}）："
            f"若在 {when} 开始，它比对外承诺{late_zh}。",
            "en": f"the {en} ({_told(part)}) cannot support the promise outside, "
            f"{whole.row.rule} ({_told(whole)}): begun {when} it falls due {late_en}.",
        },
        {"zh-CN": mend_zh, "en": mend_en},
        "warning",
    )


def _remedy(found: Shortfall) -> tuple[str, str]:
    if found.fitting > timedelta(0):
        shown = _span(found.fitting)
        return (
            f"把该行目标改为不超过 {shown}（按日历 {found.inside.row.calendar}），或放宽对外承诺。",
            f"Promise at most {shown} here (on {found.inside.row.calendar}), or more time outside.",
        )
    key = found.outside.row.calendar
    return (
        f"对外承诺到期时该行日历可能一直关闭：改用日历 {key}，或放宽对外承诺。",
        f"Its calendar may be closed until the promise outside is due: count it on {key}, or "
        "promise more time outside.",
    )


def _told(one: Promised) -> str:
    row = one.row
    time = f"{row.days} working days" if row.days else _span(row.target)
    return f"{time}, {row.calendar}"


def _span(time: timedelta) -> str:
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"

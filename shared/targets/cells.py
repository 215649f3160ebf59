"""The cells of a table of targets: what a process owner wrote, read output by output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from shared.business_time import DayEnd
from shared.targets.rows import (
    EVERY_AGREEMENT,
    FALLBACK_THRESHOLDS,
    LONGEST,
    CellFault,
    Matched,
    Reopen,
    Row,
    Threshold,
)
from shared.targets.stage_words import KNOWN, unknown_word
from shared.targets.thresholds import duration, offset

#: Percentages a table may announce; above 100 it reminds of what is late already.
LOWEST_PERCENT, HIGHEST_PERCENT = 1, 1000

KINDS = ("sla", "ola", "uc")
_NAME = re.compile(r"[\w.-]{1,40}")
#: "3 working days" (at the same time of the third), "3 working days, end of day"; or in Chinese.
_WORKING_DAYS = re.compile(
    r"(?P<days>\d{1,5})\s*(?:working days?|个?工作日)(?P<end>\s*[,，]?\s*(?:end of day|下班前))?"
)
_BARE_DAYS = re.compile(r"P\d+D")

#: How each column is written, in Chinese and English.
_MEND = {
    "target": (
        "写工作时长，如 PT15M、PT8H，或“3 working days”/“3个工作日”；文字须加引号。",
        'Write working time such as "PT15M" or "PT8H", or "3 working days"; texts in quotes.',
    ),
    "calendar": (
        '写日历的 key，如 "24x7"。',
        'Write the key of a calendar, such as "24x7".',
    ),
    "thresholds": (
        '写百分比（1 到 1000）或到期前后的时间，用逗号分隔，如 "50,75,-PT30M"。',
        'Write percentages (1 to 1000) or times around the target, such as "50,75,-PT30M".',
    ),
    "pauses_on": (
        '写等待原因，用逗号分隔，如 "requester,supplier"；"*" 为全部，留空为不暂停。',
        'Write reasons of waits with commas, such as "requester,supplier"; "*" for all.',
    ),
    "agreement": (
        "写不超过 40 个字母、数字、点、- 或 _ 的名称；对外承诺留空。",
        "Write a name of up to 40 letters, digits, dots, - or _; nothing for the promise outside.",
    ),
    "clock": (
        "写不超过 40 个字母、数字、点、- 或 _ 的名称。",
        "Write a name of up to 40 letters, digits, dots, - or _.",
    ),
    "kind": (f"写 {'、'.join(KINDS)} 之一，或留空。", f"Write one of {', '.join(KINDS)}."),
    "reopen": (
        f"写 {'、'.join(Reopen)} 之一，或留空。",
        f"Write one of {', '.join(Reopen)}, or nothing.",
    ),
    "goal_percent": ("写大于 0 且不超过 100 的数。", "Write a number above 0 and at most 100."),
    "is_clock_wanted": ("写 true 或 false。", "Write true or false, without quotes."),
} | dict.fromkeys(
    ("starts_on", "stops_on"),
    (
        f"可用：{'、'.join(KNOWN)}（见 docs/agreements.md）。",
        f"Known: {', '.join(KNOWN)} (docs/agreements.md).",
    ),
)


class CellWrong(ValueError):
    """A cell cannot be used; `fault` says why, and how to mend it."""

    def __init__(self, column: str, zh: str, en: str) -> None:
        """`zh` and `en` say what is wrong with what stands there."""
        mend_zh, mend_en = _MEND[column]
        self.fault = CellFault(column, zh, en, mend_zh, mend_en)
        super().__init__(str(self.fault))


def read_row(matched: Matched) -> Row:
    """Return the row of a matched rule; its `fault` says what cannot be used."""
    outputs = matched.outputs
    wanted = outputs.get("is_clock_wanted")
    try:
        agreement = _agreement(outputs.get("agreement"), is_wanted=wanted is not False)
        kind, clock = _kind(outputs.get("kind")), _name(outputs.get("clock"), "clock")
        if wanted is False:
            nothing = Row(matched.rule, timedelta(0), "", (), is_clock_wanted=False)
            return replace(nothing, agreement=agreement, kind=kind, clock=clock)
        target, days, day_end = read_target(outputs.get("target"))
        return Row(
            rule=matched.rule,
            target=target,
            days=days,
            day_end=day_end,
            calendar=_calendar(outputs.get("calendar")),
            thresholds=_thresholds(outputs.get("thresholds")),
            pauses_on=_reasons(outputs.get("pauses_on")),
            agreement=agreement,
            kind=kind,
            clock=clock,
            starts_on=_words(outputs.get("starts_on"), "starts_on"),
            stops_on=_words(outputs.get("stops_on"), "stops_on"),
            reopen=_reopen(outputs.get("reopen")),
            goal_percent=_goal(outputs.get("goal_percent")),
        )
    except CellWrong as error:
        return Row(matched.rule, timedelta(0), "", (), fault=error.fault)


def read_target(value: object) -> tuple[timedelta, int, DayEnd]:
    """Return a time, or so many working days and what is meant on the last one.

    Raises `CellWrong` (a `ValueError`).
    """
    in_days = _WORKING_DAYS.fullmatch(value.strip()) if isinstance(value, str) else None
    if in_days is not None:
        days = int(in_days["days"])
        if not 0 < days <= LONGEST.days:
            raise _out_of_range(value)
        return LONGEST, days, DayEnd.END_OF_DAY if in_days["end"] else DayEnd.SAME_TIME
    time = value if isinstance(value, timedelta) else _duration(value)
    if not timedelta(0) < time <= LONGEST:
        raise _out_of_range(value)
    return time, 0, DayEnd.SAME_TIME


def bare_days(outputs: Mapping[str, object]) -> dict[str, str]:
    """Return, by column, what in a row counts in bare days, which mean nothing by themselves.

    Released tables that have them go on: there a day is 24 hours of working time.
    """
    found = {}
    for column in ("target", "thresholds"):
        value = outputs.get(column)
        parts = value.split(",") if isinstance(value, str) else ()
        bare = [part.strip() for part in parts if has_bare_days(part)]
        if bare:
            found[column] = ", ".join(bare)
    return found


def odd_wish(outputs: Mapping[str, object]) -> CellFault | None:
    """Return what is wrong with a word for "no clock" that is none: "false" in quotes is a text.

    Released tables that have it go on: there only false is "no clock".
    """
    wanted = outputs.get("is_clock_wanted")
    if wanted in (None, "") or isinstance(wanted, bool):
        return None
    told = ("既非 true 也非 false", "neither true nor false")
    return _wrong("is_clock_wanted", wanted, *told).fault


def has_bare_days(text: str) -> bool:
    """Whether a duration counts in days, which mean nothing where a day has working hours."""
    return _BARE_DAYS.search(text) is not None


def _wrong(column: str, value: object, zh: str, en: str) -> CellWrong:
    if value is None:
        # What FEEL makes of a text without quotes, and of a formula that comes to nothing.
        return CellWrong(
            column, "单元格为空，或公式没有结果", "the cell is empty, or comes to nothing"
        )
    return CellWrong(column, f"{value!r} {zh}", f"{value!r} is {en}")


def _out_of_range(value: object) -> CellWrong:
    told = ("须大于零且不超过十年", "not above zero and at most ten years")
    return _wrong("target", value, *told)


def _goal(value: object) -> float | None:
    if value in (None, ""):
        return None
    goal = float(value) if isinstance(value, int | float | Decimal) else -1.0
    if not 0 < goal <= 100:
        told = ("不是大于 0 且不超过 100 的数", "not a number above 0 and at most 100")
        raise _wrong("goal_percent", value, *told)
    return goal


def _duration(value: object) -> timedelta:
    found = duration(value.strip()) if isinstance(value, str) else None
    if found is None:
        told = ("不是 ISO 8601 时长", "not an ISO 8601 duration such as PT15M")
        raise _wrong("target", value, *told)
    return found


def _calendar(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong("calendar", value, "不是日历的 key", "not a calendar's key")
    return value.strip()


def _thresholds(value: object) -> tuple[Threshold, ...]:
    if value is None:
        return FALLBACK_THRESHOLDS
    parts = _parts(value, "thresholds")
    times = [part for part in parts if part[:1] in ("+", "-")]
    for part in times:
        if not offset(part):
            told = ("不是时间（如 -PT30M）", "not a time such as -PT30M or +PT1H")
            raise _wrong("thresholds", part, *told)
    try:
        percents = sorted({int(part) for part in parts if part not in times})
    except ValueError:
        told = ("不全是整数百分比或时间", "not whole percentages, nor times such as -PT30M")
        raise _wrong("thresholds", value, *told) from None
    if percents and not LOWEST_PERCENT <= percents[0] <= percents[-1] <= HIGHEST_PERCENT:
        raise _wrong("thresholds", value, "不在 1 到 1000 之间", "not between 1 and 1000")
    return (*percents, *sorted(set(times)))


def _agreement(value: object, *, is_wanted: bool) -> str:
    if value == EVERY_AGREEMENT and not is_wanted:
        return EVERY_AGREEMENT
    return _name(value, "agreement")


def _name(value: object, column: str) -> str:
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or _NAME.fullmatch(value.strip()) is None:
        raise _wrong(column, value, "不是有效名称", "not up to 40 letters, digits, dots, - or _")
    return value.strip()


def _kind(value: object) -> str:
    if value in (None, ""):
        return ""
    if value not in KINDS:
        raise _wrong("kind", value, "不在可用值之内", f"none of {', '.join(KINDS)}")
    return str(value)


def _words(value: object, column: str) -> tuple[str, ...]:
    words = tuple(_parts(value, column)) if value is not None else ()
    unknown = unknown_word(words)
    if unknown is not None:
        raise CellWrong(column, f"{unknown!r} 不代表任何事实", f"{unknown!r} stands for no fact")
    return words


def _reopen(value: object) -> Reopen:
    if value in (None, ""):
        return Reopen.CONTINUE
    try:
        return Reopen(str(value))
    except ValueError:
        told = f"none of {', '.join(Reopen)}"
        raise _wrong("reopen", value, "不在可用值之内", told) from None


def _reasons(value: object) -> frozenset[str]:
    return frozenset(_parts(value, "pauses_on")) if value is not None else frozenset()


def _parts(value: object, name: str) -> list[str]:
    """Read "a, b" or a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list | tuple):
        return [str(part).strip() for part in value]
    raise _wrong(name, value, "不是列表", "not a list such as a,b")

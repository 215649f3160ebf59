"""Words from codes and values: in the reader's language and time zone, by plain replacement.

A template cannot run anything: `{name}` becomes the value of that name, everything else stays
as it stands, and what was put in is not looked at again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.notify.domain.people import Directory, Reader
from shared.vocabulary import LANGUAGES

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
#: Stands where a value is known to be none.
_NOTHING = "—"
#: A value longer than this is cut: a note is a hint, the request holds the whole.
_MAX_VALUE = 500

_METRICS = {
    "first_response": {"zh-CN": "首次响应", "en": "first response"},
    "assignment": {"zh-CN": "分配", "en": "assignment"},
    "handling": {"zh-CN": "处理", "en": "handling"},
    "resolution": {"zh-CN": "解决", "en": "resolution"},
    "next_response": {"zh-CN": "后续响应", "en": "next response"},
    "escalation_response": {"zh-CN": "升级响应", "en": "escalation response"},
}
#: Sentences for reason codes; themselves templates over the same values.
_REASONS = {
    "warned": {
        "zh-CN": "{metric}已用去 {threshold_percent}% 的时限",
        "en": "{metric} has used {threshold_percent} % of its time",
    },
    "breached": {"zh-CN": "{metric}已超时", "en": "{metric} is overdue"},
    "requested": {"zh-CN": "{requested_by}请求升级：{note}", "en": "{requested_by} asks: {note}"},
    "not_routed": {"zh-CN": "无人受理", "en": "nobody has taken it in"},
    "met_in_time": {"zh-CN": "已按时完成", "en": "done in time"},
    "met_late": {"zh-CN": "已完成（超时）", "en": "done, late"},
    "clock_cancelled": {"zh-CN": "计时已取消", "en": "the clock was cancelled"},
    "taken_back": {"zh-CN": "重新计算后并未到时限", "en": "its time is not up after all"},
    "routed": {"zh-CN": "已受理", "en": "it was taken in"},
}
_STATES = {
    "submitted": {"zh-CN": "已提交", "en": "submitted"},
    "open": {"zh-CN": "处理中", "en": "open"},
    "waiting": {"zh-CN": "等待中", "en": "waiting"},
    "resolved": {"zh-CN": "已解决", "en": "resolved"},
    "closed": {"zh-CN": "已关闭", "en": "closed"},
    "cancelled": {"zh-CN": "已取消", "en": "cancelled"},
}


def replaced(template: str, values: Mapping[str, str]) -> str:
    """Return the template with every `{name}` that has a value replaced, in one pass."""
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), template)


def in_language(words: Mapping[Any, str], language: str) -> str:
    """Return the words in a language, or in the one there is."""
    return words.get(language) or words.get("zh-CN") or next(iter(words.values()), "")


def told_values(
    parameters: Mapping[str, object], reader: Reader, directory: Directory
) -> dict[str, str]:
    """Return what templates may name: codes as words, moments in the reader's own zone."""
    language = reader.language
    parameters = {"status": parameters.get("state"), **parameters}
    values = {
        name: _plain(_in_words(value, language), name, reader) for name, value in parameters.items()
    }
    for name, table in (("metric", _METRICS), ("status", _STATES)):
        if name in values:
            values[name] = _word(table, values[name], language)
    if "team" in values:
        values["team"] = directory.team_name(values["team"], language)
    for name in ("requested_by", "assignee", "by"):
        if name in values:
            values[name] = directory.person_name(values[name])
    if "reason" in values:
        values["reason"] = _reason(values, language)
    return values


def local_time(moment: datetime, zone: str) -> str:
    """Return a moment as people of a zone write it, with the zone's name; UTC for unknown ones."""
    try:
        local, name = moment.astimezone(ZoneInfo(zone)), zone
    except (ZoneInfoNotFoundError, ValueError, OSError):
        local, name = moment.astimezone(UTC), "UTC"
    return f"{local:%Y-%m-%d %H:%M} ({name})"


def _reason(values: Mapping[str, str], language: str) -> str:
    code = values["reason"]
    sentence = _REASONS.get(code) or _STATES.get(code)
    return replaced(in_language(sentence, language), values) if sentence else code


def _word(table: Mapping[str, Mapping[str, str]], code: str, language: str) -> str:
    return in_language(table[code], language) if code in table else code


def _in_words(value: object, language: str) -> object:
    """Return a label in the reader's language; everything else as it is."""
    is_label = isinstance(value, Mapping) and bool(value) and set(value) <= set(LANGUAGES)
    return in_language(value, language) if is_label and isinstance(value, Mapping) else value


def _plain(value: object, name: str, reader: Reader) -> str:
    if value is None or value == "":
        return _NOTHING
    text = str(value)
    if name.endswith("_at"):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text[:_MAX_VALUE]
        return local_time(moment, reader.zone) if moment.tzinfo else text
    return text[:_MAX_VALUE]

"""What is refused here, rule by rule: what is wrong and how to mend it, in zh-CN and English."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import Finding, Invalid


class CalendarInvalid(Invalid):
    """This calendar cannot be used as it stands."""

    zh = "此日历不可使用，请按下列说明修正。"


class HolidayFileInvalid(Invalid):
    """This iCalendar file cannot be read."""

    zh = "无法读取此 iCalendar 文件，请按下列说明修正。"


class InstantWithoutZone(Invalid):
    """`{name}` is {value}: an instant needs an offset, e.g. 2026-02-13T16:00:00+08:00."""

    zh = "`{name}` 的值为 {value}：时刻必须带时区偏移，例如 2026-02-13T16:00:00+08:00。"


class InstantOutOfRange(Invalid):
    """`{name}` is {value}: instants are supported from 1900 to 2199."""

    zh = "`{name}` 的值为 {value}：只支持 1900 年至 2199 年之间的时刻。"


class TargetNotPositive(Invalid):
    """The target is {target}: it must be longer than nothing; "no clock" is said otherwise."""

    zh = "目标时长为 {target}：必须大于零；不计时请明确写成“不计时”。"


class EndBeforeStart(Invalid):
    """The end {end} lies before the start {start}."""

    zh = "结束时刻 {end} 早于开始时刻 {start}。"


@dataclass(frozen=True, slots=True)
class Rule:
    """The sentences of one rule: templates over the parameters of a finding."""

    en: str
    zh: str
    mend_en: str
    mend_zh: str


RULES: dict[str, Rule] = {
    "type-wrong": Rule(
        "is {found}, but {expected} is needed",
        "是{found}，应为{expected}",
        "Write {expected}.",
        "请改为{expected}。",
    ),
    "field-missing": Rule(
        "`{field}` is missing",
        "缺少 `{field}`",
        "Add `{field}`, e.g. {example}.",
        "请补上 `{field}`，例如 {example}。",
    ),
    "field-unknown": Rule(
        "`{field}` means nothing here",
        "不认识 `{field}`",
        "Remove it, or use one of: {known}.",
        "请删除，或改用：{known}。",
    ),
    "field-not-for-kind": Rule(
        "`{field}` has no meaning in a calendar of kind {kind}",
        "`{kind}` 类日历没有 `{field}`",
        "Remove it, or make the kind weekly (with 00:00-24:00 on every day if need be).",
        "请删除，或改用 weekly 类日历（需要时每天写 00:00-24:00）。",
    ),
    "kind-unknown": Rule(
        "{value!r} is no kind of calendar",
        "没有 {value!r} 这种日历",
        "Use one of: {known}.",
        "请改用：{known}。",
    ),
    "key-malformed": Rule(
        "{value!r} is no calendar key",
        "{value!r} 不能作为日历标识",
        "Use up to 64 letters, digits, dots, hyphens or underscores.",
        "请使用不超过 64 个字母、数字、点、连字符或下划线。",
    ),
    "zone-unknown": Rule(
        "{value!r} is no IANA time zone",
        "{value!r} 不是 IANA 时区",
        "Write a name such as Asia/Shanghai or Europe/Berlin.",
        "请写 Asia/Shanghai、Europe/Berlin 之类的名称。",
    ),
    "weekday-unknown": Rule(
        "{value!r} is no weekday",
        "{value!r} 不是星期",
        "Use mon, tue, wed, thu, fri, sat, sun.",
        "请使用 mon、tue、wed、thu、fri、sat、sun。",
    ),
    "window-malformed": Rule(
        "{value!r} is no window",
        "{value!r} 不是时间段",
        'Write "09:00-12:00"; 24:00 is allowed as the end; "22:00-06:00" runs over midnight.',
        '请写成 "09:00-12:00"；结束可写 24:00；"22:00-06:00" 表示跨午夜。',
    ),
    "window-empty": Rule(
        "window {value} starts and ends at the same time",
        "时间段 {value} 的开始与结束相同",
        "Give it a length; write 00:00-24:00 for the whole day.",
        "请给出长度；整天请写 00:00-24:00。",
    ),
    "windows-overlap": Rule(
        "window {value} overlaps {other} at {other_path}",
        "时间段 {value} 与 {other_path} 的 {other} 重叠",
        "Join the two into one window, or move one of them.",
        "请合并为一个时间段，或调整其中之一。",
    ),
    "day-without-windows": Rule(
        "this day is listed with windows, but none is given",
        "此日写明了时间段，但列表为空",
        "Give it a window; a day off is an exception with closed: true.",
        "请给出时间段；休息日请写成带 closed: true 的例外。",
    ),
    "no-open-time": Rule(
        "this calendar never opens",
        "此日历从不开放",
        "Give it at least one window that is not closed again by validity, breaks or combination.",
        "请至少给出一个不会被有效期、休息或组合抵消的时间段。",
    ),
    "date-malformed": Rule(
        "{value!r} is no date",
        "{value!r} 不是日期",
        "Write it as YYYY-MM-DD, e.g. 2026-10-01.",
        "请写成 YYYY-MM-DD，例如 2026-10-01。",
    ),
    "date-out-of-range": Rule(
        "{value} lies outside the years 1900 to 2199",
        "{value} 不在 1900 年至 2199 年之间",
        "Correct the year.",
        "请修正年份。",
    ),
    "date-repeated": Rule(
        "{value} stands here a second time, first at {other_path}",
        "{value} 重复出现，首次出现在 {other_path}",
        "Keep one entry per date.",
        "每个日期只保留一条。",
    ),
    "date-contradicted": Rule(
        "{value} is a make-up working day here and a holiday at {other_path}",
        "{value} 在此处是调休上班日，在 {other_path} 却是节假日",
        "Keep one of the two.",
        "请保留其中之一。",
    ),
    "dates-reversed": Rule(
        "{until_field} {until} lies before {from_field} {since}",
        "{until_field} {until} 早于 {from_field} {since}",
        "Swap or correct the two dates.",
        "请对调或修正这两个日期。",
    ),
    "coverage-missing": Rule(
        "holidays or make-up days are listed, but nothing says until when the list is complete",
        "列出了节假日或调休日，却没有说明该列表完整到哪一天",
        "Add `covered_until` with the last date the list is known for, e.g. 2026-12-31.",
        "请补上 `covered_until`，写明列表所覆盖的最后一天，例如 2026-12-31。",
    ),
    "coverage-too-short": Rule(
        "{value} lies after covered_until {until}",
        "{value} 晚于 covered_until {until}",
        "Move `covered_until` forward or remove the day.",
        "请推后 `covered_until` 或删除该日。",
    ),
    "coverage-too-long": Rule(
        "source {source} knows the holidays until {until} only; no day of {year} is listed",
        "来源 {source} 的节假日只到 {until}；{year} 年没有列出任何一天",
        "List that year's days under holidays.also, or end covered_until at {until}.",
        "请在 holidays.also 中列出该年的安排，或将 covered_until 写为 {until}。",
    ),
    "source-unknown": Rule(
        "there is no holiday source {value!r}",
        "没有节假日来源 {value!r}",
        "Use one of: {known}; or list the days.",
        "请改用：{known}；或逐日列出。",
    ),
    "exception-says-nothing": Rule(
        "this exception changes nothing",
        "此例外没有任何内容",
        "Add one of: closed: true, windows: [...], breaks: [...].",
        "请写明 closed: true、windows: [...] 或 breaks: [...] 之一。",
    ),
    "exception-contradicts-itself": Rule(
        "closed days have neither windows nor breaks",
        "休息日不能再有时间段或休息段",
        "Keep either closed: true, or windows and breaks.",
        "请只保留 closed: true，或只保留 windows 与 breaks。",
    ),
    "members-missing": Rule(
        "a calendar of kind {kind} needs {needed} calendars under `of`, it has {found}",
        "{kind} 类日历的 `of` 需要 {needed} 个日历，现有 {found} 个",
        "List the calendars to combine.",
        "请列出要组合的日历。",
    ),
    "member-unknown": Rule(
        "there is no calendar {value!r} to combine",
        "没有可供组合的日历 {value!r}",
        "Use the key of a known calendar ({known}) or write the calendar out.",
        "请使用已知日历的标识（{known}），或写出完整日历。",
    ),
    "member-circle": Rule(
        "it is made of itself: {circle}",
        "日历循环组合了自己：{circle}",
        "Take one of them out of `of`.",
        "从 `of` 中去掉其中一个。",
    ),
    "version-malformed": Rule(
        "{value!r} is no version",
        "{value!r} 不是版本号",
        "Write a whole number from 1.",
        "请写从 1 开始的整数。",
    ),
    "nested-too-deep": Rule(
        "calendars are combined more than {limit} levels deep",
        "日历组合超过 {limit} 层",
        "Combine fewer levels; windows can often be written out.",
        "请减少组合层数；时间段往往可以直接写出。",
    ),
    "list-too-long": Rule(
        "{found} entries, at most {limit} are read",
        "共 {found} 条，最多读取 {limit} 条",
        "Remove what is long past.",
        "请删除早已过去的条目。",
    ),
    "line-malformed": Rule(
        "line {line} cannot be read: {value!r}",
        "第 {line} 行无法读取：{value!r}",
        "Export the file again, or correct the line.",
        "请重新导出文件，或修正该行。",
    ),
    "event-incomplete": Rule(
        "the event that ends on line {line} has no {field}",
        "第 {line} 行结束的事件缺少 {field}",
        "Add {field}.",
        "请补上 {field}。",
    ),
    "event-unsupported": Rule(
        "{field} on line {line} is not supported: days are read one by one",
        "不支持第 {line} 行的 {field}：仅逐日读取",
        "Write the days out as all-day events.",
        "请把各天分别写成全天事件。",
    ),
}


def finding(path: str, rule: str, **params: object) -> Finding:
    """Return what `rule` says about the element at `path`, filled with `params`."""
    words = RULES[rule]
    return Finding(
        path=path,
        rule=rule,
        message={"zh-CN": words.zh.format(**params), "en": words.en.format(**params)},
        fix={"zh-CN": words.mend_zh.format(**params), "en": words.mend_en.format(**params)},
    )

"""From the file form (a dict as YAML or JSON gives it) to a calendar, or to all that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TypedDict, TypeVar

from shared.business_time.calendar import EMPTY_WEEK, Calendar, Kind, Week
from shared.business_time.checks import DEEPEST, MOST_DAYS, MOST_MEMBERS
from shared.business_time.errors import CalendarInvalid, finding
from shared.business_time.values import (
    NO_LABEL,
    WEEKDAYS,
    DayException,
    Holiday,
    Label,
    MakeUpDay,
    Window,
    label_of,
)
from shared.errors import Finding

T = TypeVar("T")

_FIELDS = (
    *("key", "kind", "version", "name", "zone", "windows", "holidays", "make_up_days"),
    *("make_up_windows", "exceptions", "covered_from", "covered_until"),
    *("valid_from", "valid_until", "of"),
)

#: Stands for a date that could not be read; the finding keeps it from ever being used.
_NO_DATE = date(1970, 1, 1)

_WORDS = {
    "a mapping": "键值对",
    "a list": "列表",
    "a string": "字符串",
    "true or false": "true 或 false",
    'a name or {"zh-CN": …, "en": …}': '名称或 {"zh-CN": …, "en": …}',
}


def read_calendar(document: object, known: Mapping[str, Calendar]) -> Calendar:
    """Return the calendar `document` describes; `CalendarInvalid` lists every finding by path."""
    reader = _Reader(known)
    calendar = reader.calendar(document, path="", depth=1)
    if calendar is None:
        raise CalendarInvalid(reader.findings, key=_key(document))
    return calendar


def _key(document: object) -> str:
    return str(document.get("key", "")) if isinstance(document, Mapping) else ""


class _Parts(TypedDict):
    """What a calendar is made of beside its key, kind and zone."""

    version: int
    label: Label
    week: Week
    holidays: tuple[Holiday, ...]
    source_key: str | None
    make_up_days: tuple[MakeUpDay, ...]
    make_up_windows: tuple[Window, ...] | None
    exceptions: tuple[DayException, ...]
    covered_from: date | None
    covered_until: date | None
    valid_from: date | None
    valid_until: date | None
    members: tuple[Calendar, ...]


class _Reader:
    """Reads one document; remembers what is wrong and goes on, so that all of it is said."""

    def __init__(self, known: Mapping[str, Calendar]) -> None:
        self.findings: list[Finding] = []
        self._known = known
        self._members_read = 0

    def calendar(self, document: object, path: str, depth: int) -> Calendar | None:
        """Return the calendar at `path`, None when anything in it is wrong."""
        before = len(self.findings)
        fields = self._mapping(document, path or "calendar")
        if depth > DEEPEST:
            self._tell(path, "nested-too-deep", limit=DEEPEST)
            return None
        self._only(fields, _FIELDS, path)
        kind = self._kind(fields, path)
        for name in ("key", *(("zone",) if kind is Kind.WEEKLY else ())):
            if name not in fields:
                example = "support-cn" if name == "key" else "Asia/Shanghai"
                self._tell(_under(path, name), "field-missing", field=name, example=example)
        read = _Parts(
            holidays=tuple(self._holidays(fields, path)),
            source_key=self._source_key(fields, path),
            members=tuple(self._members(fields, path, depth)),
            version=self._version(fields, path),
            label=self._label(fields, path),
            week=self._week(fields, path),
            make_up_days=tuple(self._listed(fields, "make_up_days", path, self._make_up_day)),
            make_up_windows=self._optional_windows(fields, "make_up_windows", path),
            exceptions=tuple(self._listed(fields, "exceptions", path, self._exception)),
            covered_from=self._optional_date(fields, "covered_from", path),
            covered_until=self._optional_date(fields, "covered_until", path),
            valid_from=self._optional_date(fields, "valid_from", path),
            valid_until=self._optional_date(fields, "valid_until", path),
        )
        key = self._string(fields, "key", path)
        zone = self._zone(fields, path, read["members"])
        if len(self.findings) > before:
            return None
        try:
            return Calendar(key=key, kind=kind, zone=zone, **read)
        except CalendarInvalid as refused:
            self.findings += [
                replace(told, path=_under(path, told.path)) for told in refused.findings
            ]
            return None

    def _kind(self, fields: Mapping[str, object], path: str) -> Kind:
        value = fields.get("kind", Kind.WEEKLY)
        try:
            return Kind(str(value))
        except ValueError:
            known = ", ".join(kind.value for kind in Kind)
            self._tell(_under(path, "kind"), "kind-unknown", value=value, known=known)
            return Kind.WEEKLY

    def _version(self, fields: Mapping[str, object], path: str) -> int:
        value = fields.get("version", 1)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self._tell(_under(path, "version"), "version-malformed", value=value)
        return 1

    def _zone(self, fields: Mapping[str, object], path: str, members: tuple[Calendar, ...]) -> str:
        if "zone" in fields:
            return self._string(fields, "zone", path)
        return members[0].zone if members else "UTC"

    def _members(self, fields: Mapping[str, object], path: str, depth: int) -> Iterator[Calendar]:
        here = _under(path, "of")
        for position, value in enumerate(self._list(fields.get("of", []), here)):
            self._members_read += 1
            if self._members_read > MOST_MEMBERS:
                self._tell(here, "list-too-long", found=self._members_read, limit=MOST_MEMBERS)
                return
            place = f"{here}[{position}]"
            if not isinstance(value, str):
                member = self.calendar(value, place, depth + 1)
            else:
                member = self._known.get(value)
                if member is None:
                    known = ", ".join(sorted(self._known)) or "–"
                    self._tell(place, "member-unknown", value=value, known=known)
            if member is not None:
                yield member

    def _week(self, fields: Mapping[str, object], path: str) -> Week:
        here = _under(path, "windows")
        given = self._mapping(fields.get("windows", {}), here)
        for name in given:
            if name not in WEEKDAYS:
                self._tell(f"{here}.{name}", "weekday-unknown", value=name)
        week = [self._windows(given.get(name, []), f"{here}.{name}") for name in WEEKDAYS]
        mon, tue, wed, thu, fri, sat, sun = week
        return (mon, tue, wed, thu, fri, sat, sun) if given else EMPTY_WEEK

    def _windows(self, value: object, path: str) -> tuple[Window, ...]:
        windows: list[Window] = []
        for position, text in enumerate(self._list(value, path)):
            try:
                windows.append(Window.parse(str(text)))
            except ValueError as wrong:
                self._tell(f"{path}[{position}]", str(wrong), value=text)
        return tuple(windows)

    def _optional_windows(
        self, fields: Mapping[str, object], name: str, path: str
    ) -> tuple[Window, ...] | None:
        if name not in fields:
            return None
        return self._windows(fields[name], _under(path, name))

    def _holidays(self, fields: Mapping[str, object], path: str) -> Iterator[Holiday]:
        value = fields.get("holidays", [])
        if not isinstance(value, Mapping):
            return self._listed(fields, "holidays", path, self._holiday)
        here = _under(path, "holidays")
        self._only(value, ("source", "also"), here)
        return self._listed(value, "also", here, self._holiday)

    def _source_key(self, fields: Mapping[str, object], path: str) -> str | None:
        value, here = fields.get("holidays"), _under(path, "holidays")
        if not isinstance(value, Mapping):
            return None
        if "source" not in value:
            self._tell(f"{here}.source", "field-missing", field="source", example="cn")
        return self._string(value, "source", here)

    def _holiday(self, fields: Mapping[str, object], path: str) -> Holiday:
        self._only(fields, ("date", "name"), path)
        return Holiday(self._date(fields, path), self._label(fields, path))

    def _make_up_day(self, fields: Mapping[str, object], path: str) -> MakeUpDay:
        self._only(fields, ("date", "name", "windows"), path)
        windows = self._optional_windows(fields, "windows", path)
        return MakeUpDay(self._date(fields, path), self._label(fields, path), windows)

    def _exception(self, fields: Mapping[str, object], path: str) -> DayException:
        self._only(fields, ("date", "name", "closed", "windows", "breaks"), path)
        is_closed = fields.get("closed", False)
        if not isinstance(is_closed, bool):
            self._wrong_type(f"{path}.closed", is_closed, "true or false")
        return DayException(
            day=self._date(fields, path),
            label=self._label(fields, path),
            is_closed=is_closed is True,
            windows=self._optional_windows(fields, "windows", path),
            breaks=self._windows(fields.get("breaks", []), f"{path}.breaks"),
        )

    def _listed(
        self,
        fields: Mapping[str, object],
        name: str,
        path: str,
        read: Callable[[Mapping[str, object], str], T],
    ) -> Iterator[T]:
        here = _under(path, name)
        for position, value in enumerate(self._list(fields.get(name, []), here)):
            yield read(self._mapping(value, f"{here}[{position}]"), f"{here}[{position}]")

    def _date(self, fields: Mapping[str, object], path: str) -> date:
        if "date" not in fields:
            self._tell(f"{path}.date", "field-missing", field="date", example="2026-10-01")
        return self._optional_date(fields, "date", path) or _NO_DATE

    def _optional_date(self, fields: Mapping[str, object], name: str, path: str) -> date | None:
        value = fields.get(name)
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        try:
            # fromisoformat alone would also take 20261001 and 2026-W40-4.
            if isinstance(value, str) and len(value) == len("2026-10-01") and "W" not in value:
                return date.fromisoformat(value)
        except ValueError:
            pass
        self._tell(_under(path, name), "date-malformed", value=value)
        return None

    def _label(self, fields: Mapping[str, object], path: str) -> Label:
        value = fields.get("name")
        if value is None:
            return NO_LABEL
        if isinstance(value, str):
            return label_of(value)
        texts = {str(k): v for k, v in value.items()} if isinstance(value, Mapping) else {}
        words = {k: v for k, v in texts.items() if isinstance(v, str) and k in ("zh-CN", "en")}
        if not texts or len(words) != len(texts):
            self._wrong_type(_under(path, "name"), value, 'a name or {"zh-CN": …, "en": …}')
        return label_of(words)

    def _string(self, fields: Mapping[str, object], name: str, path: str) -> str:
        value = fields.get(name, "")
        if not isinstance(value, str):
            self._wrong_type(_under(path, name), value, "a string")
            return ""
        return value

    def _mapping(self, value: object, path: str) -> Mapping[str, object]:
        if isinstance(value, Mapping):
            return value
        self._wrong_type(path, value, "a mapping")
        return {}

    def _list(self, value: object, path: str) -> list[object]:
        if isinstance(value, list | tuple) and len(value) <= MOST_DAYS:
            return list(value)
        if isinstance(value, list | tuple):
            self._tell(path, "list-too-long", found=len(value), limit=MOST_DAYS)
        else:
            self._wrong_type(path, value, "a list")
        return []

    def _only(self, fields: Mapping[str, object], known: tuple[str, ...], path: str) -> None:
        for name in fields:
            if name not in known:
                place = _under(path, str(name))
                self._tell(place, "field-unknown", field=name, known=", ".join(known))

    def _wrong_type(self, path: str, value: object, expected: str) -> None:
        found = type(value).__name__
        told = finding(path, "type-wrong", found=found, expected=expected)
        in_chinese = finding(path, "type-wrong", found=found, expected=_WORDS[expected])
        message = {"zh-CN": in_chinese.message["zh-CN"], "en": told.message["en"]}
        fix = {"zh-CN": in_chinese.fix["zh-CN"], "en": told.fix["en"]}
        self.findings.append(Finding(path, told.rule, message, fix))

    def _tell(self, path: str, rule: str, **params: object) -> None:
        self.findings.append(finding(path, rule, **params))


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name

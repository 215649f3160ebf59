"""Calendar files: found by key or path, with the calendars they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from shared.business_time import Calendar, CalendarInvalid
from shared.definitions.parsing import read_yaml
from shared.errors import Finding, Invalid, NotFound

#: Calendars within calendars, at most; more is a circle.
_DEEPEST = 8


class CalendarFileMissing(NotFound):
    """There is no calendar {name}: name a file, or one of {known}."""

    zh: ClassVar[str] = "没有日历 {name}：请给出文件，或以下之一：{known}。"


def read_file(path: Path) -> dict[str, Any]:
    """Return the document of a calendar file, its key the file's name unless it says another."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(f"byte {error.start}", "文件不是 UTF-8 编码", "is not UTF-8") from None
    document = read_yaml(text, path.name)
    if not isinstance(document, Mapping):
        raise _unreadable("/", "应为一组键值", "a mapping of keys to values is expected")
    return {"key": path.stem, **document}


def find_calendar(name: str, folder: Path) -> Calendar:
    """Return a calendar by the path of its file, or by its key below `folder`/calendars.

    Raises `CalendarFileMissing`, `CalendarInvalid` or `BadDefinition`.
    """
    given = Path(name)
    place = folder / "calendars"
    path = given if given.suffix in (".yaml", ".yml") else place / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in place.glob("*.yaml"))) or "-"
        raise CalendarFileMissing(name=name, known=known)
    return read_calendar(path)


def read_calendar(path: Path) -> Calendar:
    """Return the calendar of a file; the keys in `of` are files of the same folder."""
    return _read(path, 0)


def _read(path: Path, depth: int) -> Calendar:
    document = read_file(path)
    keys = [key for key in document.get("of") or () if isinstance(key, str)]
    known = {}
    for key in keys:
        member = path.parent / f"{key}.yaml"
        if depth < _DEEPEST and member.is_file() and member != path:
            known[key] = _read(member, depth + 1)
    return Calendar.from_dict(document, known)


def _unreadable(place: str, zh: str, en: str) -> Invalid:
    return CalendarInvalid([Finding(place, "file-unreadable", {"zh-CN": zh, "en": en})])

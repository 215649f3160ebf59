"""Calendars as their files have them, those among them that combine others by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from shared.business_time import Calendar, CalendarInvalid
from shared.business_time.errors import finding
from shared.definitions.parsing import read_yaml
from shared.errors import Finding, Invalid


class CalendarFiles:
    """The texts of calendars by key; each is read when it is asked for, with what it is made of.

    A combination follows its members: it is read anew when one of them is another.
    """

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        """`texts`: what there is to begin with."""
        self._texts = dict(texts or {})
        self._read: dict[str, Calendar] = {}

    def put(self, key: str, text: str) -> None:
        """Take a calendar as its file has it; it need not be readable yet."""
        self._texts[key] = text
        self._read.clear()

    def __contains__(self, key: str) -> bool:
        """Whether there is a calendar of this key."""
        return key in self._texts

    def __iter__(self) -> Iterator[str]:
        """Yield the keys."""
        return iter(self._texts)

    def read(self, key: str) -> Calendar:
        """Return a calendar; raises `CalendarInvalid` or `BadDefinition` with all that is wrong.

        KeyError where there is none of this key.
        """
        return self._of(key, ())

    def readable(self) -> dict[str, Calendar]:
        """Return all that can be read."""
        found = {}
        for key in self._texts:
            try:
                found[key] = self.read(key)
            except Invalid:
                continue
        return found

    def made_of(self, key: str) -> frozenset[str]:
        """Return the calendars that are made of this one, directly or not."""
        found: set[str] = set()
        pending = {key}
        while pending:
            parts, pending = pending, set()
            named = ((other, self._named_by(other)) for other in self._texts if other not in found)
            pending = {other for other, members in named if not parts.isdisjoint(members)}
            found |= pending
        return frozenset(found)

    def _named_by(self, key: str) -> Mapping[str, str]:
        try:
            return members_of(self._document(key))
        except Invalid:
            return {}

    def _of(self, key: str, within: tuple[str, ...]) -> Calendar:
        if key not in self._read:
            document = self._document(key)
            known = {}
            for member, path in members_of(document).items():
                if member in (*within, key):
                    circle = " → ".join((*within, key, member))
                    raise CalendarInvalid([finding(path, "member-circle", circle=circle)], key=key)
                if member in self._texts:
                    known[member] = self._member(member, (*within, key))
            self._read[key] = Calendar.from_dict(document, known)
        return self._read[key]

    def _member(self, key: str, within: tuple[str, ...]) -> Calendar:
        try:
            return self._of(key, within)
        except CalendarInvalid as error:
            if any(told.rule == "member-circle" for told in error.findings):
                raise
            placed = [replace(told, path=f"{key} / {told.path}") for told in error.findings]
            raise CalendarInvalid(placed, key=key) from error

    def _document(self, key: str) -> dict[str, object]:
        return calendar_document(self._texts[key], key)


def calendar_document(text: str, key: str) -> dict[str, object]:
    """Return the plain value of a calendar file; its key is the file's unless it says another.

    Raises `BadDefinition` for what is no YAML, `CalendarInvalid` for what is no mapping.
    """
    document = read_yaml(text, f"{key}.yaml")
    if not isinstance(document, dict):
        told = {"zh-CN": "应为一组键值", "en": "a mapping of keys to values is expected"}
        raise CalendarInvalid([Finding("/", "not-a-mapping", told)], key=key)
    return {"key": key, **document}


def members_of(document: Mapping[str, object]) -> dict[str, str]:
    """Return the keys of other calendars a document names, each with the place of its naming."""
    found: dict[str, str] = {}
    for member, path in _named(document, ""):
        found.setdefault(member, path)
    return found


def _named(document: Mapping[str, object], path: str) -> Iterator[tuple[str, str]]:
    members = document.get("of")
    for position, member in enumerate(members if isinstance(members, list) else ()):
        place = f"{path}of[{position}]"
        if isinstance(member, str):
            yield member, place
        elif isinstance(member, Mapping):
            yield from _named(member, f"{place}.")

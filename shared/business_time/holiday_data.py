"""The one module that knows where public holidays come from.

China: `chinesecalendar`, a yearly transcription of the State Council's notices, make-up
working weekends (调休) included. It ends with the last notice; what lies beyond is unknown, not
"no holiday". The tests compare it with `holidays`, an independent transcription.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.metadata import version

from shared.business_time.values import Holiday, Label, MakeUpDay

#: What the holidays of chinesecalendar are called in Chinese; its own names are English.
_CN_NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利七十周年纪念日",
}

#: Names a calendar file may use under holidays.source.
SOURCES = ("cn",)


@dataclass(frozen=True, slots=True)
class HolidaySource:
    """The days of one source, and the dates between which it is complete (both included)."""

    key: str
    version: str
    holidays: tuple[Holiday, ...]
    make_up_days: tuple[MakeUpDay, ...]
    covered_from: date
    covered_until: date


@lru_cache(maxsize=len(SOURCES))
def holiday_source(key: str) -> HolidaySource:
    """Return the source called `key`; KeyError when there is none."""
    if key != "cn":
        raise KeyError(key)
    # Imported here: a service whose calendars need no source need not install it.
    from chinese_calendar.constants import holidays, in_lieu_days, workdays

    return HolidaySource(
        key=key,
        version=f"chinesecalendar-{version('chinesecalendar')}",
        holidays=tuple(
            Holiday(day, _off(name, day in in_lieu_days)) for day, name in sorted(holidays.items())
        ),
        make_up_days=tuple(MakeUpDay(day, _cn(name)) for day, name in sorted(workdays.items())),
        covered_from=date(min(holidays).year, 1, 1),
        # The notice for a year covers it to its last day, though its last holiday is earlier.
        covered_until=date(max(holidays).year, 12, 31),
    )


def _cn(name: str) -> Label:
    return Label(_CN_NAMES.get(name, name), name)


def _off(name: str, is_in_lieu: bool) -> Label:
    label = _cn(name)
    if not is_in_lieu:
        return label
    return Label(f"{label.zh}（调休）", f"{label.en} (day off in lieu)")

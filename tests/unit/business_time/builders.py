"""What the tests of working time are made with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from shared.business_time import Calendar, Holiday, Kind, Pause, Window

WORKING_WEEK = ("mon", "tue", "wed", "thu", "fri")
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def office(**fields: object) -> Calendar:
    """An office in Shanghai, 09-12 and 13-18 from Monday to Friday, with Chinese holidays."""
    document: dict[str, object] = {
        "key": "office",
        "zone": "Asia/Shanghai",
        "windows": {day: ["09:00-12:00", "13:00-18:00"] for day in WORKING_WEEK},
        "holidays": {"source": "cn"},
    }
    return Calendar.from_dict(document | fields)


def weekly(zone: str = "UTC", **windows: list[str]) -> Calendar:
    return Calendar.from_dict({"key": "weekly", "zone": zone, "windows": windows})


#: Zones with and without daylight saving, with a half-hour one, a negative one, far east and west.
ZONES = (
    "UTC",
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
    "Africa/Casablanca",
)

FIXED_ZONES = ("UTC", "Asia/Shanghai", "Asia/Kolkata", "Etc/GMT+12", "Etc/GMT-14")

_MORNING_S, _NIGHT_S, _DAY_S = 6 * 3600, 22 * 3600, 86_400


@st.composite
def _day(draw: st.DrawFn) -> tuple[Window, ...]:
    edges = draw(st.lists(st.integers(_MORNING_S, _NIGHT_S), unique=True, max_size=6))
    edges = sorted(edges[: len(edges) // 2 * 2])
    windows = [Window(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)]
    if draw(st.booleans()):
        windows.append(Window(_NIGHT_S, _DAY_S + _MORNING_S))
    return tuple(windows)


@st.composite
def calendars(draw: st.DrawFn, zones: tuple[str, ...] = ZONES) -> Calendar:
    """Any weekly calendar: odd windows, night shifts, holidays around the instants below."""
    week = draw(st.tuples(*[_day()] * 7).filter(any))
    days = draw(st.sets(st.dates(date(2026, 1, 20), date(2026, 4, 10)), max_size=5))
    mon, tue, wed, thu, fri, sat, sun = week
    return Calendar(
        key="any",
        kind=Kind.WEEKLY,
        zone=draw(st.sampled_from(zones)),
        week=(mon, tue, wed, thu, fri, sat, sun),
        holidays=tuple(Holiday(day) for day in sorted(days)),
        covered_until=date(2026, 12, 31),
    )


_FIRST = datetime(2026, 1, 25, tzinfo=UTC)

#: Over the clock changes of March and the two of Casablanca's Ramadan.
instants = st.timedeltas(timedelta(0), timedelta(days=70)).map(lambda since: _FIRST + since)
spans = st.timedeltas(timedelta(microseconds=1), timedelta(days=12))
targets = st.timedeltas(timedelta(microseconds=1), timedelta(hours=100))


@st.composite
def pauses(draw: st.DrawFn) -> Pause:
    start = draw(instants)
    return Pause(start, start + draw(st.timedeltas(timedelta(0), timedelta(days=10))), "waiting")

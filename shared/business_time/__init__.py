"""Working time: calendars become intervals of instants, intervals become due and elapsed times.

Pure: no clock is read, nothing is stored, the same calendar and the same instants give the same
answer. Rules and the file format: docs/working-time.md.
"""

from shared.business_time.answers import (
    Due,
    Elapsed,
    LatestStart,
    Moment,
    Period,
    WorkingDay,
    WorkingDays,
)
from shared.business_time.arithmetic import due, due_backward, due_with_pauses, elapsed
from shared.business_time.calendar import Calendar, Kind, always
from shared.business_time.codes import Code, NoAnswer
from shared.business_time.coverage import (
    ALARM_BEFORE,
    Coverage,
    alarm_at,
    coverage,
    covered_until,
    extends,
)
from shared.business_time.errors import (
    CalendarInvalid,
    EndBeforeStart,
    HolidayFileInvalid,
    InstantOutOfRange,
    InstantWithoutZone,
    TargetNotPositive,
)
from shared.business_time.ledger import Entry, Ledger, known_until, ledger
from shared.business_time.openings import (
    is_covered,
    is_open,
    next_closing,
    next_opening,
    open_at_or_after,
    open_at_or_before,
    open_between,
    open_periods,
    open_periods_before,
)
from shared.business_time.values import (
    DayException,
    Holiday,
    Label,
    MakeUpDay,
    Pause,
    Window,
)
from shared.business_time.words import explain, explain_due, spoken
from shared.business_time.working_days import (
    DayEnd,
    add_working_days,
    add_working_days_at,
    due_in_working_days,
    is_working_day,
    working_day_at_or_after,
    working_day_at_or_before,
    working_days_between,
)

__all__ = [
    "ALARM_BEFORE",
    "Calendar",
    "CalendarInvalid",
    "Code",
    "Coverage",
    "DayEnd",
    "DayException",
    "Due",
    "Elapsed",
    "EndBeforeStart",
    "Entry",
    "Holiday",
    "HolidayFileInvalid",
    "InstantOutOfRange",
    "InstantWithoutZone",
    "Kind",
    "Label",
    "LatestStart",
    "Ledger",
    "MakeUpDay",
    "Moment",
    "NoAnswer",
    "Pause",
    "Period",
    "TargetNotPositive",
    "Window",
    "WorkingDay",
    "WorkingDays",
    "add_working_days",
    "add_working_days_at",
    "alarm_at",
    "always",
    "coverage",
    "covered_until",
    "due",
    "due_backward",
    "due_in_working_days",
    "due_with_pauses",
    "elapsed",
    "explain",
    "explain_due",
    "extends",
    "is_covered",
    "is_open",
    "is_working_day",
    "known_until",
    "ledger",
    "next_closing",
    "next_opening",
    "open_at_or_after",
    "open_at_or_before",
    "open_between",
    "open_periods",
    "open_periods_before",
    "spoken",
    "working_day_at_or_after",
    "working_day_at_or_before",
    "working_days_between",
]

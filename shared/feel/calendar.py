"""Days of the proleptic Gregorian calendar for any year FEEL allows (±999,999,999).

Python's own dates end at the years 1 and 9999, which FEEL's do not. The two conversions follow
Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms" (public domain).
"""

from __future__ import annotations

MIN_YEAR, MAX_YEAR = -999_999_999, 999_999_999
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_leap(year: int) -> bool:
    """Return whether February of `year` has 29 days."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """Return how many days `month` (1 to 12) of `year` has."""
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]


def is_date(year: int, month: int, day: int) -> bool:
    """Return whether the three name a day of the calendar within FEEL's years."""
    return (
        MIN_YEAR <= year <= MAX_YEAR and 1 <= month <= 12 and 1 <= day <= days_in_month(year, month)
    )


def day_number(year: int, month: int, day: int) -> int:
    """Return the days since 1970-01-01; negative before it."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468


def date_of(number: int) -> tuple[int, int, int]:
    """Return the (year, month, day) that lies `number` days after 1970-01-01."""
    era, day_of_era = divmod(number + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + (3 if shifted < 10 else -9)
    return year_of_era + era * 400 + (month <= 2), month, day


def add_months(year: int, month: int, day: int, months: int) -> tuple[int, int, int]:
    """Move by whole months; a day the target month lacks becomes its last one."""
    years, month0 = divmod(year * 12 + month - 1 + months, 12)
    return years, month0 + 1, min(day, days_in_month(years, month0 + 1))

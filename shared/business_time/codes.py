"""The closed vocabulary of reasons: why time counted, why it did not, why there is no answer."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """Why a span of time counted or was skipped. Stored and sent; words are in `words`."""

    # counted
    WORKING = "working"
    MAKE_UP_DAY = "make_up_day"
    EXCEPTION_HOURS = "exception_hours"
    ALWAYS_OPEN = "always_open"
    # skipped
    OUTSIDE_HOURS = "outside_hours"
    REST_DAY = "rest_day"
    HOLIDAY = "holiday"
    CLOSED_BY_EXCEPTION = "closed_by_exception"
    BREAK = "break"
    PAUSED = "paused"
    SUBTRACTED = "subtracted"
    OUTSIDE_VALIDITY = "outside_validity"


class NoAnswer(StrEnum):
    """Why an instant that was asked for does not exist. A state to show, not an error."""

    #: A pause that has not ended stands before it: "none yet, so much left".
    PAUSED = "paused"
    #: The calendar's validity ends (or, backward, begins) first.
    CALENDAR_ENDED = "calendar_ended"
    #: The calendar does not open (or close) once within the horizon.
    NOTHING_WITHIN_HORIZON = "nothing_within_horizon"
    #: The calendar opens, but not for long enough within the horizon.
    TARGET_BEYOND_HORIZON = "target_beyond_horizon"

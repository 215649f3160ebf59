"""The words with which a table begins and ends a stage; what they mean stands in the clock.

Each stands for a fact: `submitted`, `assigned`, `waiting:supplier`, `stage:recovery`, … The
clock's `domain/stages.py` has the table.
"""

from __future__ import annotations

from collections.abc import Iterable

SUBMITTED, TEAM, TEAM_LEFT = "submitted", "team", "team_left"
#: Facts that need no more words.
PLAIN = frozenset(
    {
        "assigned",
        "handed_over",
        "replied",
        "asked",
        "resolved",
        "reopened",
        "confirmed",
        "closed",
        "escalated",
        "acknowledged",
    }
)
#: Facts that may be named with what they are about: `waiting:supplier`, `stage:recovery`.
WITH_VALUE = ("waiting", "waiting_ended", "stage", "stage_ended")
KNOWN = (SUBMITTED, TEAM, TEAM_LEFT, *sorted(PLAIN), *WITH_VALUE)


def unknown_word(words: Iterable[str]) -> str | None:
    """Return the first word that stands for no fact; None where all do."""
    for word in words:
        head, colon, value = word.partition(":")
        if head not in KNOWN or (colon and (not value or head not in WITH_VALUE)):
            return word
    return None

"""The reading rules of a replay, as a table of small logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from levee.replay.actions import Action, Progress, first_team
from levee.replay.servicenow import Incident, Row
from shared.vocabulary import Impact, Urgency

NINE = datetime(2016, 3, 1, 9, tzinfo=UTC)
#: state, group, person of each event, an hour apart
Log = list[tuple[str, str, str]]


def rows(log: Log) -> list[Row]:
    return [
        Row(sequence, NINE + timedelta(hours=sequence), state, group, person)
        for sequence, (state, group, person) in enumerate(log, start=1)
    ]


def told(log: Log, team: str = "A") -> list[list[str]]:
    """Return what each event means, without the acknowledgement that each one is."""
    progress = Progress(team=team)
    return [[_in_words(action) for action in progress.actions(row)][1:] for row in rows(log)]


def _in_words(action: Action) -> str:
    what = action.team or action.person
    if action.verb == "wait":
        what = action.reason
    return f"{action.verb} {what}".strip()


@pytest.mark.parametrize(
    ("log", "meaning"),
    [
        # Ownership.
        ([("New", "A", "")], [[]]),
        ([("New", "A", "lin")], [["assign lin"]]),
        ([("New", "A", "lin"), ("New", "A", "lin")], [["assign lin"], []]),
        ([("New", "A", "lin"), ("New", "A", "wu")], [["assign lin"], ["assign wu"]]),
        ([("New", "A", "lin"), ("New", "A", "")], [["assign lin"], []]),
        ([("New", "B", "")], [["hand_over B"]]),
        ([("New", "", "")], [[]]),
        ([("New", "A", "lin"), ("New", "B", "wu")], [["assign lin"], ["hand_over B", "assign wu"]]),
        # The same person in the next group is named there again.
        (
            [("New", "A", "lin"), ("New", "B", "lin")],
            [["assign lin"], ["hand_over B", "assign lin"]],
        ),
        # A group that is not named changes nothing.
        ([("New", "A", "lin"), ("New", "", "lin")], [["assign lin"], []]),
        # The first response is the first event that is not New, and no other.
        ([("Active", "A", "")], [["respond agent"]]),
        ([("New", "A", "lin"), ("Active", "A", "lin")], [["assign lin"], ["respond lin"]]),
        ([("Active", "A", ""), ("New", "A", ""), ("Active", "A", "")], [["respond agent"], [], []]),
        # Waiting lasts from an Awaiting state to the next event in another one.
        (
            [("Awaiting User Info", "A", ""), ("Active", "A", "")],
            [["respond agent", "wait requester"], ["resume"]],
        ),
        (
            [("Awaiting Vendor", "A", ""), ("Awaiting Vendor", "A", ""), ("New", "A", "")],
            [["respond agent", "wait supplier"], [], ["resume"]],
        ),
        (
            [("Awaiting Problem", "A", ""), ("Awaiting Evidence", "A", "")],
            [["respond agent", "wait problem"], ["wait evidence"]],
        ),
        ([("Awaiting Godot", "A", "")], [["respond agent", "wait third_party"]]),
        # A resolution ends the wait by itself.
        (
            [("Awaiting Vendor", "A", ""), ("Resolved", "A", "lin")],
            [["respond agent", "wait supplier"], ["assign lin", "resolve lin"]],
        ),
        # Endings.
        ([("Resolved", "A", "")], [["respond agent", "resolve"]]),
        ([("Closed", "A", "")], [["respond agent", "resolve", "close"]]),
        (
            [("Resolved", "A", ""), ("Resolved", "A", ""), ("Closed", "A", "")],
            [["respond agent", "resolve"], [], ["close"]],
        ),
        (
            [("Resolved", "A", ""), ("Active", "A", ""), ("Resolved", "A", "")],
            [["respond agent", "resolve"], ["reopen"], ["resolve"]],
        ),
        (
            [("Closed", "A", ""), ("Active", "B", "wu"), ("Closed", "B", "wu")],
            [
                ["respond agent", "resolve", "close"],
                ["reopen", "hand_over B", "assign wu"],
                ["resolve wu", "close"],
            ],
        ),
        (
            [("Resolved", "A", ""), ("Awaiting Vendor", "A", "")],
            [["respond agent", "resolve"], ["reopen", "wait supplier"]],
        ),
        # A state nobody knows is work that goes on.
        ([("-100", "A", "")], [["respond agent"]]),
    ],
)
def test_a_log_means(log: Log, meaning: list[list[str]]) -> None:
    assert told(log) == meaning


def test_each_event_acknowledges_what_escalated_before_it_and_happens_when_the_log_says() -> None:
    for row in rows([("New", "A", "lin"), ("Resolved", "B", "")]):
        first, *others = Progress(team="A").actions(row)

        assert first == Action("acknowledge", row.at, person=row.person or "agent")
        assert {action.at for action in (first, *others)} == {row.at}


def test_the_first_event_names_the_team_an_incident_starts_with() -> None:
    started = Incident("INC1", NINE, Urgency.LOW, Impact.LOW, "", rows([("New", "B", "")]))

    assert first_team(started) == "B"

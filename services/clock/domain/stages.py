"""Named stages: clocks that a table itself says when to start and when to stop.

A row whose metric is `stage` names its clock and, in `starts_on` and `stops_on`, words for facts:

| word | begins or ends it |
|---|---|
| submitted | the submission (begins only) |
| assigned, handed_over, replied, asked, resolved, reopened, confirmed, closed | that fact |
| escalated, acknowledged | somebody was told, took it over |
| waiting, waiting:REASON; waiting_ended, waiting_ended:REASON | a wait |
| stage:NAME, stage_ended:NAME | what a diagram says of a stage |
| team, team_left | a team owns the request now, not any more: its stint |

Each beginning is a cycle of its own. What still runs when the request is closed or cancelled has
no meaning any more, unless the row names `closed` as an end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from services.clock.domain.effects import in_effect
from services.clock.domain.facts import Fact, FactKind, Ledger
from services.clock.domain.promises import Promises
from services.clock.domain.runs import End, Rebase, Run, Story, touching
from shared.targets.rows import STAGE, Row
from shared.targets.stage_words import PLAIN, SUBMITTED, TEAM, TEAM_LEFT
from shared.vocabulary import Priority

_WITH_VALUE = {
    FactKind.WAITING_STARTED: "waiting",
    FactKind.WAITING_ENDED: "waiting_ended",
    FactKind.STAGE_STARTED: "stage",
    FactKind.STAGE_ENDED: "stage_ended",
}
_OVER = (FactKind.CLOSED, FactKind.CANCELLED)


@dataclass(frozen=True, slots=True)
class _Moment:
    """One moment that words of rows may name."""

    at: datetime
    words: tuple[str, ...]
    kind: FactKind | None = None
    team: str = ""


def stage_runs(ledger: Ledger, story: Story, promises: Promises) -> tuple[Run, ...]:
    """Return a run per cycle of every stage that the table names for this request."""
    if not promises.has_stages():
        return ()
    rows = _rows(story, promises)
    if not rows or ledger.routed is None:
        return ()
    moments = _moments(ledger, story)
    changes = [
        (max(fact.at, ledger.routed.submitted_at), Priority(fact.value))
        for fact in in_effect(ledger.facts)
        if fact.kind is FactKind.PRIORITY_CHANGED
    ]
    runs = []
    for name, row in rows.items():
        for number, cycle in enumerate(_cycles(moments, row), 1):
            runs.append(_run(f"{STAGE}/{name}/{number}", cycle, story, ledger, changes))
    return tuple(runs)


def _rows(story: Story, promises: Promises) -> dict[str, Row]:
    """Return one row per stage: for its beginning and end rows of one name must agree."""
    found: dict[str, Row] = {}
    routed = promises.routed
    first = promises.stage_rows(routed.priority, routed.team)
    is_split = len(story.owners) > 1 and promises.is_split_by_team()
    asked = [first]
    if is_split or story.priority is not routed.priority:
        priorities = dict.fromkeys((routed.priority, story.priority))
        teams = dict.fromkeys(owner.team for owner in story.owners) if is_split else (routed.team,)
        asked += [promises.stage_rows(p, team) for p in priorities for team in teams]
    for rows in asked:
        for row in rows:
            if row.clock and row.starts_on and not row.fault and row.is_clock_wanted:
                found.setdefault(row.clock, row)
    return found


@dataclass(frozen=True, slots=True)
class _Cycle:
    started_at: datetime
    team: str = ""
    ended_at: datetime | None = None
    end: End | None = None
    reason: str = ""


def _cycles(moments: Sequence[_Moment], row: Row) -> Iterator[_Cycle]:
    begun: _Moment | None = None
    for moment in moments:
        if begun is not None:
            if any(word in row.stops_on for word in moment.words):
                yield _Cycle(begun.at, begun.team, moment.at, End.MET)
                begun = None
            elif moment.kind in _OVER:
                reason = moment.kind.value
                yield _Cycle(begun.at, begun.team, moment.at, End.CANCELLED, reason)
                begun = None
        if begun is None and any(word in row.starts_on for word in moment.words):
            begun = moment
    if begun is not None:
        yield _Cycle(begun.at, begun.team)


def _moments(ledger: Ledger, story: Story) -> list[_Moment]:
    assert ledger.routed is not None
    submitted_at = ledger.routed.submitted_at
    moments = [_Moment(submitted_at, (SUBMITTED,))]
    moments += [
        _Moment(max(fact.at, submitted_at), _words(fact), fact.kind)
        for fact in in_effect(ledger.facts)
    ]
    moments += _stints(story)
    return sorted(moments, key=lambda moment: moment.at)


def _words(fact: Fact) -> tuple[str, ...]:
    if fact.kind.value in PLAIN:
        return (fact.kind.value,)
    head = _WITH_VALUE.get(fact.kind)
    return (head, f"{head}:{fact.value}") if head is not None else ()


def _stints(story: Story) -> Iterator[_Moment]:
    """Yield where one team's time ends and the next one's begins."""
    is_first = True
    for team, owners in groupby(story.owners, key=lambda owner: owner.team):
        since = next(iter(owners)).since
        yield _Moment(since, (TEAM,) if is_first else (TEAM_LEFT, TEAM), team=team)
        is_first = False


def _run(
    key: str,
    cycle: _Cycle,
    story: Story,
    ledger: Ledger,
    changes: Sequence[tuple[datetime, Priority]],
) -> Run:
    assert ledger.routed is not None
    priority, rebases = ledger.routed.priority, []
    for at, new in changes:
        if cycle.ended_at is not None and at > cycle.ended_at:
            break
        if at > cycle.started_at and new is not priority:
            rebases.append(Rebase(at, priority))
        priority = new
    return Run(
        key=key,
        metric=STAGE,
        started_at=cycle.started_at,
        priority=priority,
        waits=touching(story.waits, cycle.started_at, cycle.ended_at),
        rebases=tuple(rebases),
        ended_at=cycle.ended_at,
        end=cycle.end,
        reason=cycle.reason,
        team=cycle.team,
    )

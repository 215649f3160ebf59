"""When the router's facts took effect: nothing is undone before it was done.

People report late, mails carry the moment they were written, machines disagree about the time.
So the end of a wait may be dated before its beginning: the requester's mail of ten o'clock that
arrives at a quarter past, after the agent began to wait. The router decides what state a request
is in, and its sequence says in which order it decided. Taken by their moments alone, such facts
would leave a clock standing still for ever on a request that is being worked on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from services.clock.domain.facts import Fact, FactKind

#: Facts about the same thing follow one another as the router decided them.
_LIFE = frozenset({FactKind.RESOLVED, FactKind.REOPENED, FactKind.CLOSED, FactKind.CANCELLED})
_WAIT = frozenset({FactKind.WAITING_STARTED, FactKind.WAITING_ENDED})
_OWNER = frozenset({FactKind.ASSIGNED, FactKind.HANDED_OVER, FactKind.UNASSIGNED})
_PRIORITY = frozenset({FactKind.PRIORITY_CHANGED})
#: What a fact of each kind cannot come before. A wait on a resolved request reopens it first.
_FOLLOWS = {
    kind: kinds | (_LIFE if kinds is _WAIT else frozenset())
    for kinds in (_LIFE, _WAIT, _OWNER, _PRIORITY)
    for kind in kinds
}


def in_effect(facts: Iterable[Fact]) -> Sequence[Fact]:
    """Return the facts at the moments they took effect, in order (`Fact.order`).

    A fact of the router takes effect when it happened, but not before an earlier decision about
    the same thing: waiting, being solved, the owner, the priority. What others say stays.
    """
    given = tuple(facts)
    decided = [fact for fact in given if fact.source == "router" and fact.kind in _FOLLOWS]
    if all(one.sequence <= following.sequence for one, following in pairwise(decided)):
        return given
    latest: dict[FactKind, datetime] = {}
    moved: dict[int, Fact] = {}
    for fact in sorted(decided, key=lambda fact: fact.sequence):
        before = [latest[kind] for kind in _FOLLOWS[fact.kind] if kind in latest]
        moment = max([fact.at, *before])
        latest[fact.kind] = max(moment, latest.get(fact.kind, moment))
        moved[fact.sequence] = replace(fact, at=moment)
    told = (moved.get(f.sequence, f) if f.source == "router" else f for f in given)
    return sorted(told, key=lambda fact: fact.order)

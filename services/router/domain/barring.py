"""Four eyes: who may not do a piece of work because of what they did before.

A user task says by its header `excludes` who is barred: `requester` (who asked), `decider` (who
approved what is to be reviewed), or the id of a user task of the same diagram (who completed it in
this instance, however often it was done, and whoever they did it for).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from services.router.domain.errors import FourEyes, OwnDecision
from services.router.domain.requests import Record

#: What `excludes` knows besides the ids of user tasks.
EXCLUDED_WORDS = ("requester", "decider")


@dataclass(frozen=True, slots=True)
class Doer:
    """Somebody who completed a user task of an instance, or for whom it was completed."""

    person: str
    element_id: str
    #: As drawn.
    name: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Why somebody may not do it: a word of `excludes`, and the name of the task it names."""

    word: str
    name: str = ""


#: Person → why not.
Barred = Mapping[str, Bar]


def excludes_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return whom the header `excludes` of a user task bars, as written."""
    return tuple(word for part in headers.get("excludes", "").split(",") if (word := part.strip()))


def tasks_excluded(excludes: Collection[str]) -> tuple[str, ...]:
    """Return those of these words that name user tasks."""
    return tuple(word for word in excludes if word not in EXCLUDED_WORDS)


def excluded_in(excludes: Iterable[str], element_id: str) -> tuple[str, ...]:
    """Return these words as an instance knows them; `element_id` is the task that says them.

    A task of a called process names tasks of its own diagram, which go by both names outside.
    """
    called, colon, _ = element_id.rpartition(":")
    return tuple(word if word in EXCLUDED_WORDS else f"{called}{colon}{word}" for word in excludes)


def barred(record: Record, excludes: Collection[str], doers: Iterable[Doer] = ()) -> Barred:
    """Return the people whom these words bar from a work item of a request, and why."""
    found = {
        doer.person: Bar(doer.element_id, doer.name)
        for doer in doers
        if doer.element_id in excludes
    }
    if "decider" in excludes:
        found |= dict.fromkeys(record.deciders, Bar("decider"))
    if "requester" in excludes and (requester := record.context.get("requester")):
        found[str(requester)] = Bar("requester")
    return found


def must_be_free(person: str, barred: Barred) -> None:
    """Raise `OwnDecision` or `FourEyes` for somebody who may not do it."""
    bar = barred.get(person)
    if bar is None:
        return
    if bar.word in EXCLUDED_WORDS:
        raise OwnDecision(person=person)
    raise FourEyes(person=person, element_id=bar.word, done=bar.name or bar.word)

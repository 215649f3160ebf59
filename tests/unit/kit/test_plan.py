"""Whatever the bus does with order and repetition, a subject's events apply once and in order."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.consuming.batch import Arrival, plan, read_arrival
from shared.database.subjects import Subject
from shared.events.base import Envelope
from shared.id_source import derived
from tests.harness.dummies import submitted

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEYS = ("a", "b")
PUBLISHERS = ("intake", "router")
ROOT = UUID(int=1)


@dataclass(frozen=True)
class Place:
    """Which event: about what, by whom, the how manieth."""

    key: str
    publisher: str
    sequence: int

    @property
    def id(self) -> str:
        return str(derived(ROOT, f"{self.key}/{self.publisher}/{self.sequence}"))

    def body(self) -> bytes:
        return Envelope(
            id=UUID(self.id),
            source=self.publisher,
            time=NOW,
            subject=self.key,
            occurred_at=NOW,
            sequence=self.sequence,
            correlation_id=self.key,
            causation_id=None,
            data=submitted(),
        ).to_bytes()


@dataclass(frozen=True)
class Row:
    """A held message as the table keeps it."""

    event_id: str
    key: str
    publisher: str
    sequence: int
    kind: str
    body: bytes


@dataclass
class Inbox:
    """The kit's bookkeeping without a database: subjects, held rows, what was applied."""

    subjects: dict[str, Subject] = field(default_factory=lambda: {k: Subject(k) for k in KEYS})
    held: dict[str, Row] = field(default_factory=dict)
    applied: list[Place] = field(default_factory=list)

    def take(
        self,
        places: list[Place],
        barred: frozenset[str] = frozenset(),
        at_most: int | None = None,
    ) -> None:
        arrivals = [read_arrival(place.body(), None) for place in places]
        outcome = plan(arrivals, self.subjects, list(self.held.values()), barred, at_most)
        for arrival in outcome.apply:
            self.applied.append(place_of(arrival))
            self.held.pop(place_of(arrival).id, None)
        for arrival in outcome.early:
            place = place_of(arrival)
            assert place.id not in self.held
            self.held[place.id] = Row(
                place.id, place.key, place.publisher, place.sequence, "early", arrival.body
            )

    def of(self, key: str, publisher: str) -> list[int]:
        return [p.sequence for p in self.applied if (p.key, p.publisher) == (key, publisher)]


def place_of(arrival: Arrival) -> Place:
    assert arrival.header is not None
    return Place(arrival.header.subject, arrival.header.source, arrival.header.sequence)


counts = st.tuples(*(st.integers(0, 6) for _ in range(4)))


def all_places(counts: tuple[int, ...]) -> list[Place]:
    pairs = [(key, publisher) for key in KEYS for publisher in PUBLISHERS]
    return [
        Place(key, publisher, n)
        for (key, publisher), count in zip(pairs, counts, strict=True)
        for n in range(1, count + 1)
    ]


@given(counts=counts, seed=st.integers(0, 2**32), size=st.integers(1, 9))
def test_any_interleaving_and_repetition_applies_each_event_once_and_in_order(
    counts: tuple[int, ...], seed: int, size: int
) -> None:
    chance = random.Random(seed)
    places = all_places(counts)
    stream = places + chance.choices(places, k=len(places)) if places else []
    chance.shuffle(stream)
    inbox = Inbox()

    for start in range(0, len(stream), size):
        inbox.take(stream[start : start + size])

    assert sorted(inbox.applied, key=repr) == sorted(places, key=repr)
    for key in KEYS:
        for publisher in PUBLISHERS:
            assert inbox.of(key, publisher) == sorted(inbox.of(key, publisher))
    assert inbox.held == {}


@given(counts=counts, seed=st.integers(0, 2**32), size=st.integers(1, 9))
def test_events_barred_now_and_then_and_tried_again_are_neither_lost_nor_overtaken(
    counts: tuple[int, ...], seed: int, size: int
) -> None:
    chance = random.Random(seed)
    waiting = all_places(counts)
    chance.shuffle(waiting)
    inbox = Inbox()

    while waiting:
        batch, waiting = waiting[:size], waiting[size:]
        barred = [p for p in batch if chance.random() < 0.3]
        barred_held = [row.event_id for row in inbox.held.values() if chance.random() < 0.3]
        at_most = chance.choice([None, None, 0, 1, 2])
        inbox.take(batch, frozenset([p.id for p in barred] + barred_held), at_most)
        waiting += [p for p in barred if p not in inbox.applied]
    for _ in range(sum(counts) + 1):
        inbox.take([])

    assert sorted(inbox.applied, key=repr) == sorted(all_places(counts), key=repr)
    for key in KEYS:
        for publisher in PUBLISHERS:
            assert inbox.of(key, publisher) == sorted(inbox.of(key, publisher))


@given(counts=counts, seed=st.integers(0, 2**32))
def test_the_same_batch_comes_out_the_same_in_whatever_order_it_was_taken(
    counts: tuple[int, ...], seed: int
) -> None:
    places = all_places(counts)
    shuffled = random.Random(seed).sample(places, len(places))
    one, other = Inbox(), Inbox()

    one.take(places)
    other.take(shuffled)

    assert one.applied == other.applied
    assert one.held == other.held


def test_a_successor_waits_while_its_predecessor_is_set_aside() -> None:
    first, second = Place("a", "intake", 1), Place("a", "intake", 2)
    inbox = Inbox()
    inbox.held[first.id] = Row(first.id, "a", "intake", 1, "failed", first.body())

    inbox.take([first, second])

    assert inbox.applied == []
    assert [row.kind for row in inbox.held.values()] == ["failed", "early"]

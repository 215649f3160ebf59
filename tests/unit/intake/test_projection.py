"""What the router and the clock say of a request comes out the same in whatever order it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.standing import Standing
from services.intake.domain.values import Answer, Fact, Message, Once, Request, Submission
from services.intake.events_in import SUBSCRIPTIONS
from shared.events import clock, router
from shared.events.base import Envelope, EventData
from shared.id_source import derived
from shared.vocabulary import Impact, Lane, Metric, Priority, Urgency

NOBODY = UUID(int=0)
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
REQUEST = str(UUID(int=5))
CLOCKS = (UUID(int=1), UUID(int=2))
_HANDLERS: dict[str, Any] = {s.event_type.type: s.handle for s in SUBSCRIPTIONS}


@dataclass
class Notebook:
    """A unit of work in memory: what handlers keep, record and say."""

    kept: dict[str, Request]
    facts: dict[str, Fact] = field(default_factory=dict)
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    cause: UUID = NOBODY
    now: datetime = NINE

    def request(self, request_id: str) -> Request | None:
        return self.kept.get(request_id)

    def keep(self, request: Request) -> None:
        self.kept[request.id] = request

    def record(self, fact: Fact) -> None:
        self.facts[fact.id] = fact

    def publish(self, data: EventData, *, subject: UUID | str, occurred_at: datetime) -> UUID:
        self.told.append((data.type, data.model_dump(mode="json")))
        return self.cause

    def new_id(self, name: str) -> UUID:
        return derived(self.cause, name)

    def arm(
        self,
        kind: str,
        key: UUID | str,
        name: str,
        due_at: datetime,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        raise AssertionError("hearing arms nothing")

    def disarm(self, kind: str, key: UUID | str, name: str) -> None:
        return None

    def posted_as(self, source: str, external_id: str) -> Request | None:
        raise AssertionError("nothing is posted here")

    def answered(self, once: Once) -> tuple[str, Answer] | None:
        raise AssertionError("nothing is posted here")

    def catalogue_version(self, key: str) -> int:
        raise AssertionError("nothing is released here")

    def check_catalogue(self, content_hash: str, content: str) -> None:
        raise AssertionError("nothing is released here")

    def add(self, submission: Submission) -> Request:
        raise AssertionError("nothing is posted here")

    def correct(self, request: Request, columns: Mapping[str, Any]) -> None:
        raise AssertionError("nothing is corrected here")

    def add_message(self, message: Message, sequence: int) -> None:
        raise AssertionError("nothing is written here")

    def say(
        self, data: EventData, request_id: str, occurred_at: datetime, params: Mapping[str, Any]
    ) -> int:
        raise AssertionError("hearing says no facts of our own")

    def remember(self, once: Once, answer: Answer) -> None:
        raise AssertionError("nothing is posted here")

    def keep_catalogue(
        self, key: str, version: int, content_hash: str, content: str, released_at: datetime
    ) -> None:
        raise AssertionError("nothing is released here")


def a_request(request_id: str = REQUEST) -> Request:
    return Request(
        id=request_id,
        number="R-2026-000001",
        source="portal",
        external_id=None,
        content_hash="",
        request_type="question",
        requester_id="emp-1",
        title="?",
        urgency=Urgency.MEDIUM,
        impact=Impact.MEDIUM,
        callback="hook",
        is_import=False,
        submitted_at=NINE,
        standing=Standing(),
    )


ROUTED = router.RequestRouted(
    number="R-2026-000001",
    request_type="question",
    domain="hr",
    channel="portal",
    customer_tier="standard",
    priority=Priority.P3,
    lane=Lane.STANDARD,
    team="hr",
    submitted_at=NINE,
    process="standard-path",
    process_version=1,
    instance_id=UUID(int=7),
)
ROUTER_SAYS = st.lists(
    st.sampled_from(
        [
            router.RequestPriorityChanged(old=Priority.P3, new=Priority.P1),
            router.RequestAssigned(team="hr", assignee="li"),
            router.RequestHandedOver(from_team="hr", to_team="it", reason="x", handovers=1),
            router.RequestUnassigned(team="hr", from_assignee="li", reason="returned"),
            router.RequestWaitingStarted(reason="requester"),
            router.RequestWaitingEnded(reason="requester"),
            router.RequestResolved(resolution="done"),
            router.RequestReopened(reason="no", reopenings=1),
            router.RequestClosed(reason="time"),
            router.WorkItemClaimed(work_item_id=UUID(int=3), assignee="li"),
        ]
    ),
    max_size=8,
).map(lambda rest: [ROUTED, *rest])


def a_promise(clock_id: UUID, minutes: int) -> clock.Promise:
    return clock.Promise(
        clock_id=clock_id,
        metric=Metric.RESOLUTION if clock_id == CLOCKS[0] else Metric.FIRST_RESPONSE,
        target_s=60.0 * minutes,
        calendar="24x7",
        calendar_version=1,
        started_at=NINE,
        due_at=NINE + timedelta(minutes=minutes),
        explanation={"version": minutes},
    )


def said_of(clock_id: UUID) -> st.SearchStrategy[EventData]:
    metric = a_promise(clock_id, 1).metric
    told = {"clock_id": clock_id, "metric": metric, "target_s": 60.0}
    ids: dict[str, Any] = {"clock_ids": (clock_id,), "metrics": (metric,), "reason": "requester"}
    owner = {"priority": Priority.P3, "team": "hr", "due_at": NINE}
    again = st.integers(1, 90).map(lambda minutes: (a_promise(clock_id, minutes),))
    return st.one_of(
        st.just(clock.ClockPaused(**ids)),
        st.just(clock.ClockCancelled(**ids)),
        st.just(clock.ClockBreached(**told, **owner)),
        st.just(clock.ClockWarned(**told, **owner, threshold_percent=75, elapsed_s=45)),
        st.just(clock.ClockMet(**told, elapsed_s=30, paused_s=0, is_breached=False)),
        again.map(lambda clocks: clock.ClockResumed(clocks=clocks)),
        again.map(lambda clocks: clock.ClockRebased(clocks=clocks, reason="priority")),
        again.map(lambda clocks: clock.ClockCorrected(clocks=clocks, reason="late fact")),
    )


CLOCK_SAYS = st.lists(st.sampled_from(CLOCKS).flatmap(said_of), max_size=8).map(
    lambda rest: [clock.ClockStarted(clocks=tuple(a_promise(c, 30) for c in CLOCKS)), *rest]
)


def enveloped(source: str, said: Sequence[EventData]) -> list[Envelope[EventData]]:
    """Give a publisher's events their ids, moments and sequence, once for all orders."""
    base = UUID(int=100 if source == "router" else 200)
    return [
        Envelope(
            id=derived(base, index),
            source=source,
            time=NINE + timedelta(seconds=index),
            subject=REQUEST,
            occurred_at=NINE + timedelta(seconds=index),
            sequence=index + 1,
            correlation_id=REQUEST,
            causation_id=None,
            data=data,
        )
        for index, data in enumerate(said)
    ]


def heard(events: Sequence[Envelope[EventData]]) -> Notebook:
    work = Notebook({REQUEST: a_request()})
    for event in events:
        work.cause = event.id
        _HANDLERS[event.type](event, work)
    return work


@given(ROUTER_SAYS, CLOCK_SAYS, st.data())
def test_no_interleaving_of_router_and_clock_changes_what_a_portal_sees(
    router_says: list[EventData], clock_says: list[EventData], data: st.DataObject
) -> None:
    first, second = enveloped("router", router_says), enveloped("clock", clock_says)
    turns = data.draw(st.permutations([0] * len(first) + [1] * len(second)))
    queues = [list(first), list(second)]

    expected = heard([*first, *second])
    mixed = heard([queues[turn].pop(0) for turn in turns])

    assert mixed.kept == expected.kept
    assert mixed.facts == expected.facts
    assert mixed.told == expected.told


@given(ROUTER_SAYS)
def test_the_callback_hears_every_state_once_and_in_order(says: list[EventData]) -> None:
    work = heard(enveloped("router", says))

    parameters = [told["parameters"] for _, told in work.told]
    steps = [(p["old_state"], p["state"]) for p in parameters]

    assert all(old != new for old, new in steps)
    assert [old for old, _ in steps] == ["submitted", *(new for _, new in steps[:-1])]
    assert steps[-1][1] == work.kept[REQUEST].standing.state.value


@given(CLOCK_SAYS)
def test_the_clock_never_decides_the_state_of_a_request(says: list[EventData]) -> None:
    work = heard(enveloped("clock", says))

    assert work.kept[REQUEST].standing == Standing()
    assert work.told == []


@given(ROUTER_SAYS)
def test_events_of_unknown_requests_are_passed_over(says: list[EventData]) -> None:
    work = Notebook({})
    for event in enveloped("router", says):
        _HANDLERS[event.type](event, work)

    assert (work.kept, work.facts, work.told) == ({}, {}, [])

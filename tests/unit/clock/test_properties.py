"""What holds for every request: order of arrival does not matter, what is said is so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.clock.domain import steps
from services.clock.domain.clocks import BREACH, Clock, clocks_at
from services.clock.domain.facts import Fact, FactKind, Ledger
from services.clock.domain.said import Topic
from services.clock.store.encoding import decode, encode
from shared.targets.rows import Threshold
from shared.vocabulary import ClockState, Priority
from tests.unit.clock.builders import ESCALATION, REQUEST, Case, at, shipped

_REASONS = st.sampled_from(["requester", "supplier"])
_ROUTER = st.one_of(
    st.tuples(st.just(FactKind.ASSIGNED), st.sampled_from(["li.na", "wang.wei"])),
    st.tuples(st.just(FactKind.HANDED_OVER), st.just("skill")),
    st.tuples(st.just(FactKind.UNASSIGNED), st.just("returned")),
    st.tuples(st.just(FactKind.WAITING_STARTED), _REASONS),
    st.tuples(st.just(FactKind.WAITING_ENDED), _REASONS),
    st.tuples(st.just(FactKind.RESOLVED), st.just("")),
    st.tuples(st.just(FactKind.REOPENED), st.just("no")),
    st.tuples(st.just(FactKind.PRIORITY_CHANGED), st.sampled_from(["P1", "P2", "P3", "P4"])),
    st.tuples(st.just(FactKind.CLOSED), st.just("time")),
    st.tuples(st.just(FactKind.CANCELLED), st.just("dup")),
)
_INTAKE = st.tuples(
    st.sampled_from([FactKind.REPLIED, FactKind.ASKED, FactKind.CONFIRMED]), st.just("")
)
_ESCALATION = st.tuples(
    st.sampled_from([FactKind.ESCALATED, FactKind.ACKNOWLEDGED, FactKind.RELEASED]),
    st.just(ESCALATION),
)
_MOMENTS = st.integers(0, 400)
_END = 3000.0


@dataclass(frozen=True)
class Play:
    """Facts in the order they arrive; the routing comes before the fact at `routed_before`."""

    priority: Priority
    domain: str
    facts: tuple[Fact, ...]
    routed_before: int


@st.composite
def plays(draw: st.DrawFn, *, is_shuffled: bool) -> Play:
    """Facts of three publishers; shuffled, they overtake one another and come back-dated."""
    case = Case()
    told = []
    for kinds in (_ROUTER, _INTAKE, _ESCALATION):
        for kind, value in draw(st.lists(kinds, max_size=7)):
            told.append((draw(_MOMENTS), kind, value))
    told.sort(key=lambda entry: entry[0])
    facts = [case.fact(kind, minute, value, "desk") for minute, kind, value in told]
    if is_shuffled:
        facts = draw(st.permutations(facts))
    return Play(
        draw(st.sampled_from(list(Priority))),
        draw(st.sampled_from(["it", "hr"])),
        tuple(facts),
        draw(st.integers(0, len(facts))) if is_shuffled else 0,
    )


def performed(play: Play, *, has_timers: bool) -> Case:
    """Let the facts arrive; timers fire up to each fact's moment where asked."""
    case = Case(play.priority, play.domain)
    for number, fact in enumerate(play.facts):
        if number == play.routed_before:
            case.routed(1)
        if has_timers and case.ledger.routed is not None:
            case.wait_until((fact.at - at(0)).total_seconds() / 60)
        case.hear(fact)
    return case if case.ledger.routed is not None else case.routed(1)


def figures(clock: Clock, moment: datetime) -> tuple[object, ...]:
    return (
        clock.key,
        clock.state_at(moment),
        clock.target.time,
        clock.elapsed_at(moment),
        clock.paused_at(moment),
        clock.due_at,
        clock.is_breached_at(moment),
        clock.run.ended_at,
    )


def all_figures(ledger: Ledger, moment: datetime) -> list[tuple[object, ...]]:
    return sorted(
        (figures(clock, moment) for clock in clocks_at(ledger, moment, shipped())),
        key=lambda told: str(told[0]),
    )


@settings(max_examples=80, deadline=None)
@given(plays(is_shuffled=True))
def test_a_rebuilt_request_equals_the_one_kept_step_by_step(play: Play) -> None:
    case = performed(play, has_timers=False)

    rebuilt = Ledger(REQUEST, facts=tuple(sorted(play.facts, key=lambda fact: fact.order)))
    assert case.ledger.routed is not None
    rebuilt = steps.route(rebuilt, case.ledger.routed, shipped()).ledger

    assert all_figures(case.ledger, at(_END)) == all_figures(rebuilt, at(_END))


@settings(max_examples=80, deadline=None)
@given(plays(is_shuffled=True), st.booleans())
def test_what_was_announced_is_so_until_it_is_taken_back_and_never_said_twice(
    play: Play, has_timers: bool
) -> None:
    """A neighbour that only listens knows what stands: no threshold twice, none silently gone."""
    case = performed(play, has_timers=has_timers).wait_until(_END)

    standing: set[tuple[str, Threshold]] = set()
    for said in case.said:
        if said.percent:
            assert (said.clocks[0].key, said.percent) not in standing
            standing.add((said.clocks[0].key, said.percent))
        for clock, back in zip(said.clocks, said.withdrawn, strict=False):
            assert standing >= {(clock.key, threshold) for threshold in back}
            standing -= {(clock.key, threshold) for threshold in back}
    now = case.ledger.reached_at
    assert now is not None
    for clock in clocks_at(case.ledger, now, case.library):
        late = (clock.key, BREACH) in standing
        assert late == (BREACH in case.ledger.told[clock.key].standing)
        if not clock.is_ended and clock.breaches_at != now:
            assert late == clock.is_breached_at(now)


@settings(max_examples=80, deadline=None)
@given(plays(is_shuffled=True))
def test_what_was_told_last_is_what_is_so(play: Play) -> None:
    """A neighbour that only listens knows state, target and due moment of every clock."""
    case = performed(play, has_timers=True).wait_until(_END)

    states: dict[object, str] = {}
    dues: dict[object, object] = {}
    for said in case.said:
        for clock in said.clocks:
            if said.topic in _STATES:
                states[clock.id] = _STATES[said.topic]
            if said.topic in _WITH_PROMISE:
                dues[clock.id] = (clock.target.time, clock.run.started_at, clock.due_at)
        states |= {gone.id: "cancelled" for gone in said.gone}
    now = case.ledger.reached_at
    assert now is not None
    for clock in clocks_at(case.ledger, now, case.library):
        state = clock.state_at(now)
        assert states[clock.id] == ("running" if state is ClockState.BREACHED else state)
        if state in (ClockState.RUNNING, ClockState.BREACHED):
            assert dues[clock.id] == (clock.target.time, clock.run.started_at, clock.due_at)


_STATES = {
    Topic.STARTED: "running",
    Topic.RESUMED: "running",
    Topic.PAUSED: "paused",
    Topic.MET: "met",
    Topic.CANCELLED: "cancelled",
}
_WITH_PROMISE = {Topic.STARTED, Topic.RESUMED, Topic.REBASED, Topic.CORRECTED}


@settings(max_examples=60, deadline=None)
@given(plays(is_shuffled=False))
def test_in_order_nothing_is_ever_corrected_and_every_crossing_has_its_moment(play: Play) -> None:
    case = performed(play, has_timers=True).wait_until(_END)

    exact = [s for s in case.said if s.topic is Topic.CORRECTED]
    # Only an end or a wait at the very due moment takes back what the timer has said.
    for said in exact:
        for clock in said.clocks:
            is_waiting = any(pause.start == clock.due_at for pause in clock.pauses)
            assert is_waiting or clock.run.ended_at == clock.breaches_at
    for said in case.said:
        if said.percent and said.clocks[0].rebased_at is None:
            assert said.at == said.clocks[0].crossing(said.percent)


@settings(max_examples=60, deadline=None)
@given(plays(is_shuffled=False))
def test_every_breach_of_an_open_clock_was_announced_and_no_other(play: Play) -> None:
    case = performed(play, has_timers=True).wait_until(_END)

    for clock in clocks_at(case.ledger, at(_END), case.library):
        if clock.run.ended_at == clock.breaches_at:
            continue
        assert clock.is_breached_at(at(_END)) == (BREACH in case.ledger.told[clock.key].standing)


@settings(max_examples=60, deadline=None)
@given(plays(is_shuffled=True))
def test_a_ledger_survives_being_stored(play: Play) -> None:
    case = performed(play, has_timers=True)

    assert decode(REQUEST, encode(case.ledger)) == case.ledger


@settings(max_examples=60, deadline=None)
@given(plays(is_shuffled=False))
def test_the_counted_intervals_sum_exactly_to_elapsed(play: Play) -> None:
    case = performed(play, has_timers=False)

    for clock in clocks_at(case.ledger, at(_END), case.library):
        assert clock.intervals_at(at(_END)).elapsed == clock.elapsed_at(at(_END))


@dataclass
class Minutes:
    """A naive count, minute by minute around the clock, that knows nothing of runs and spans."""

    resolution: int = 0
    handling: int = 0
    is_active: bool = True
    is_owned: bool = False

    def __post_init__(self) -> None:
        self.waits: set[str] = set()

    def hear(self, fact: Fact) -> None:
        kind = fact.kind
        if kind in (FactKind.RESOLVED, FactKind.CLOSED, FactKind.CANCELLED):
            self.is_active = False
            self.waits.clear()
        elif kind is FactKind.REOPENED:
            self.is_active = True
        elif kind is FactKind.WAITING_STARTED and self.is_active:
            self.waits.add(fact.value)
        elif kind is FactKind.WAITING_ENDED:
            self.waits.discard(fact.value)
        elif kind in (FactKind.ASSIGNED, FactKind.HANDED_OVER, FactKind.UNASSIGNED):
            self.is_owned = kind is FactKind.ASSIGNED

    def pass_minute(self) -> None:
        if self.is_active and not self.waits:
            self.resolution += 1
            self.handling += self.is_owned


@settings(max_examples=60, deadline=None)
@given(plays(is_shuffled=False))
def test_resolution_and_handling_agree_with_counting_minutes(play: Play) -> None:
    case = Case(play.priority, "it").routed()
    counted, ahead = Minutes(), sorted(play.facts, key=lambda fact: fact.order)
    for fact in play.facts:
        case.hear(fact)

    for minute in range(500):
        while ahead and ahead[0].at <= at(minute):
            counted.hear(ahead.pop(0))
        counted.pass_minute()

    found = {c.key: c.elapsed_at(at(500)) for c in clocks_at(case.ledger, at(500), case.library)}
    assert found["resolution"] == timedelta(minutes=counted.resolution)
    assert found.get("handling", timedelta()) == timedelta(minutes=counted.handling)

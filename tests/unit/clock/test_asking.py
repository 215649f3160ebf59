"""What if, who held it, and what is given back for broken promises."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clock.domain.clocks import standing
from services.clock.domain.credits import Band, BandsInvalid, credit_of
from services.clock.domain.facts import FactKind
from services.clock.domain.holding import holders
from services.clock.domain.supposing import Supposition, Wait, differences
from shared.targets.rows import Json
from shared.vocabulary import Priority
from tests.unit.clock.builders import Case, at, library_of, minutes

ROWS: tuple[dict[str, Json], ...] = (
    {"metric": "resolution", "priority": "P3", "target": "PT8H", "calendar": "24x7"},
    {"metric": "resolution", "priority": "P1", "target": "PT2H", "calendar": "24x7"},
)
PAUSING = tuple({**row, "pauses_on": "*"} for row in ROWS)
BANDS = (Band(Decimal(95), Decimal(5)), Band(Decimal(90), Decimal(10)))


def test_what_would_be_due_if_it_were_urgent_now() -> None:
    case = Case(priority=Priority.P3, library=library_of(*ROWS)).routed()
    before = case.ledger

    found = differences(case.ledger, Supposition(priority=Priority.P1), at(180), case.library)

    [one] = [difference for difference in found if difference.key == "resolution"]
    assert one.now is not None
    assert one.then is not None
    assert (one.now.due_at, one.then.due_at) == (at(480), at(120))
    assert one.then.is_breached_by_rebase()
    assert case.ledger == before


def test_what_would_be_due_if_it_had_waited_on_the_supplier() -> None:
    case = Case(priority=Priority.P3, library=library_of(*PAUSING)).routed()
    case.then(FactKind.WAITING_STARTED, 10, "requester")
    case.then(FactKind.WAITING_ENDED, 20, "requester")

    wait = Wait("supplier", at(60), at(120))
    found = differences(case.ledger, Supposition(waits=(wait,)), at(180), case.library)

    [one] = [difference for difference in found if difference.key == "resolution"]
    assert one.now is not None
    assert one.then is not None
    assert one.now.due_at is not None
    assert one.then.due_at == one.now.due_at + timedelta(hours=1)


def test_what_would_be_due_without_the_waits() -> None:
    case = Case(priority=Priority.P3, library=library_of(*PAUSING)).routed()
    case.then(FactKind.WAITING_STARTED, 10, "requester")
    case.then(FactKind.WAITING_ENDED, 40, "requester")

    supposition = Supposition(without_waits=frozenset({"requester"}))
    found = differences(case.ledger, supposition, at(180), case.library)

    [one] = [difference for difference in found if difference.key == "resolution"]
    assert one.now is not None
    assert one.then is not None
    assert (one.now.due_at, one.then.due_at) == (at(510), at(480))


@given(
    assigned=st.integers(0, 100),
    wait=st.integers(0, 100),
    back=st.integers(0, 100),
    handed=st.integers(0, 100),
    reason=st.sampled_from(["requester", "supplier", "internal"]),
)
def test_who_held_it_adds_up_to_the_whole(
    assigned: int, wait: int, back: int, handed: int, reason: str
) -> None:
    case = Case(priority=Priority.P3, library=library_of(*ROWS)).routed()
    case.then(FactKind.ASSIGNED, assigned, "li.na", "desk")
    case.then(FactKind.WAITING_STARTED, assigned + wait, reason)
    case.then(FactKind.WAITING_ENDED, assigned + wait + back, reason)
    case.then(FactKind.HANDED_OVER, assigned + wait + back + handed, "skill", "network")

    found = standing(case.ledger, at(500), case.library)
    assert found is not None
    [clock] = found.of_metric("resolution")
    held = holders(clock, found.story, at(500))

    assert sum((one.time for one in held), timedelta()) == timedelta(minutes=500)
    by_holder = {one.holder: minutes(one.time) for one in held if one.who in (reason, "li.na")}
    awaited = reason if reason != "internal" else "nobody"
    assert by_holder.get(awaited, 0) == back
    assert by_holder.get("agent", 0) == wait + handed


@pytest.mark.parametrize(
    ("kept", "broken", "percent", "amount"),
    [
        (95, 5, 0, "0.00"),
        (949, 51, 5, "50.00"),
        (94, 6, 5, "50.00"),
        (89, 11, 8, "80.00"),
        (0, 0, 0, "0.00"),
    ],
)
def test_the_band_gives_back_and_the_cap_limits(
    kept: int, broken: int, percent: int, amount: str
) -> None:
    found = credit_of(kept, broken, BANDS, cap_percent=Decimal(8), fee=Decimal(1000))

    assert found.credit_percent == percent
    assert found.amount == Decimal(amount)
    assert found.is_capped == (kept == 89)


def test_an_attainment_just_below_a_band_is_not_rounded_up_into_it() -> None:
    found = credit_of(94_999, 5_001, BANDS)

    assert found.attainment_percent == Decimal("95.00")
    assert found.credit_percent == 5


@pytest.mark.parametrize(
    ("bands", "told"),
    [
        ((), "there is none"),
        ((BANDS[0], BANDS[0]), "same attainment"),
        ((Band(Decimal(101), Decimal(5)),), "between 0 and 100"),
        ((Band(Decimal(95), Decimal(9)), Band(Decimal(90), Decimal(5))), "less back"),
    ],
)
def test_bands_nobody_can_agree_to_are_refused(bands: tuple[Band, ...], told: str) -> None:
    with pytest.raises(BandsInvalid, match=told):
        credit_of(1, 1, bands)

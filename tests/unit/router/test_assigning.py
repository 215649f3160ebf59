"""Who of a team gets a request: by skill, load, turn, relation and shift, within capacity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain import Person
from services.router.domain.assigning import (
    LEAST_LOADED,
    RELATED_OWNER,
    ROUND_ROBIN,
    Member,
    Rule,
    choose,
    rule_of,
)

NAMES = ("ann", "bob", "cai")


def member(name: str, load: int = 0, **given: Any) -> Member:
    person = {k: given.pop(k) for k in ("skills", "capacity") if k in given}
    return Member(Person(name, **person), load, **given)


def team(**loads: int) -> list[Member]:
    return [member(name, loads.get(name, 0)) for name in NAMES]


def chosen(rule: Rule, members: list[Member], last: str | None = None, **more: Any) -> str | None:
    return choose(rule, members, last, more.pop("related", None), **more).person


def test_the_least_loaded_is_chosen_and_equals_in_turn() -> None:
    rule = Rule(LEAST_LOADED)

    assert chosen(rule, team(ann=2, bob=1, cai=3)) == "bob"
    assert chosen(rule, team()) == "ann"
    assert chosen(rule, team(), "ann") == "bob"
    assert chosen(rule, team(bob=1), "ann") == "cai"


def test_the_turn_goes_round_past_those_who_cannot() -> None:
    rule = Rule(ROUND_ROBIN)

    assert chosen(rule, team(ann=0, bob=9), "ann") == "bob"
    assert chosen(rule, team(), "cai") == "ann"
    assert chosen(rule, team(), "gone") == "ann"
    away = [member("ann"), member("bob", is_away=True), member("cai")]
    assert chosen(rule, away, "ann") == "cai"


def test_the_owner_of_the_related_request_is_asked_first_and_else_the_least_loaded() -> None:
    rule = Rule(RELATED_OWNER, capacity=5)

    assert chosen(rule, team(cai=4), related="cai") == "cai"
    assert chosen(rule, team(ann=1, cai=5), related="cai") == "bob"
    assert chosen(rule, team(ann=1), related="stranger") == "bob"


def test_each_reason_against_somebody_is_told() -> None:
    rule = Rule(LEAST_LOADED, skill="sap", on_shift=True, capacity=3)
    able: dict[str, Any] = {"skills": frozenset({"sap"})}
    members = [
        member("a", is_away=True, **able),
        member("b", is_on_shift=False, **able),
        member("c"),
        member("d", 3, **able),
        member("e", 1, capacity=1, **able),
        member("f", 2, **able),
        member("g", **able),
    ]

    found = choose(rule, members, None, None, barred={"g"})

    assert found.person == "f"
    assert {c.person: c.ruled_out for c in found.considered} == {
        "a": "absent",
        "b": "off_shift",
        "c": "skill",
        "d": "full",
        "e": "full",
        "f": None,
        "g": "barred",
    }


def test_nobody_able_is_nobody() -> None:
    assert chosen(Rule(LEAST_LOADED, capacity=0), team()) is None
    assert chosen(Rule(LEAST_LOADED), []) is None


@pytest.mark.parametrize(
    ("told", "rule"),
    [
        ({}, None),
        ({"strategy": "queue"}, None),
        ({"strategy": "by magic"}, None),
        ({"strategy": "round_robin"}, Rule(ROUND_ROBIN)),
        (
            {"strategy": "least_loaded", "skill": "sap", "on_shift": True, "capacity": 4},
            Rule(LEAST_LOADED, "sap", True, 4),
        ),
        ({"strategy": "least_loaded", "again_after_s": 1}, Rule(LEAST_LOADED, again_after_s=60.0)),
        ({"strategy": "related_owner", "related": "R-1"}, Rule(RELATED_OWNER, related="R-1")),
    ],
)
def test_a_row_of_the_table_is_read(told: Mapping[str, Any], rule: Rule | None) -> None:
    assert rule_of(told) == rule


@given(loads=st.lists(st.integers(0, 5), min_size=1, max_size=8), count=st.integers(1, 40))
def test_loads_never_drift_apart_by_more_than_they_were(loads: list[int], count: int) -> None:
    hands = {f"p{i}": load for i, load in enumerate(loads)}
    last: str | None = None
    for _ in range(count):
        members = [member(name, load) for name, load in hands.items()]
        last = chosen(Rule(LEAST_LOADED), members, last)
        assert last is not None
        hands[last] += 1

    spread = max(hands.values()) - min(hands.values())
    assert spread <= max(max(loads) - min(loads), 1)


@given(size=st.integers(1, 6), rounds=st.integers(1, 5))
def test_in_turn_everybody_gets_the_same(size: int, rounds: int) -> None:
    members, last, got = [member(f"p{i}") for i in range(size)], None, []
    for _ in range(size * rounds):
        last = chosen(Rule(ROUND_ROBIN), members, last)
        got.append(last)

    assert {name: got.count(name) for name in got} == {f"p{i}": rounds for i in range(size)}

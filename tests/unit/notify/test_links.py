"""A link speaks for one delivery, one escalation, one person, one epoch, until it expires."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.links import Signed, is_genuine, read_token
from tests.unit.notify.builders import ESCALATION, NINE

SECRET = b"0123456789abcdef0123456789abcdef"
SIGNED = Signed(UUID(int=9), ESCALATION, "ann", 1, NINE + timedelta(hours=1))


def test_a_link_of_ours_is_genuine_and_names_nobody() -> None:
    token = SIGNED.token(SECRET)
    claim = read_token(token)

    assert claim is not None
    assert is_genuine(claim, SIGNED, SECRET)
    assert claim.expires_at == SIGNED.expires_at
    assert "ann" not in token


@pytest.mark.parametrize("changed", [
    {"delivery_id": UUID(int=10)},
    {"escalation_id": UUID(int=10)},
    {"recipient": "bob"},
    {"epoch": 2},
    {"action": "release"},
])  # fmt: skip
def test_a_link_for_something_else_is_not(changed: dict[str, Any]) -> None:
    claim = read_token(SIGNED.token(SECRET))

    assert claim is not None
    assert not is_genuine(claim, replace(SIGNED, **changed), SECRET)


def test_the_life_of_a_link_cannot_be_prolonged() -> None:
    claim = read_token(SIGNED.token(SECRET))

    assert claim is not None
    longer = replace(claim, expires_at=claim.expires_at + timedelta(days=365))
    assert not is_genuine(longer, SIGNED, SECRET)


def test_another_secret_makes_other_links() -> None:
    claim = read_token(SIGNED.token(b"x" * 32))

    assert claim is not None
    assert not is_genuine(claim, SIGNED, SECRET)


@given(st.text(max_size=120))
def test_rubbish_is_no_token(text: str) -> None:
    claim = read_token(text)

    assert claim is None or not is_genuine(claim, SIGNED, SECRET)


@given(position=st.integers(0, 74), letter=st.sampled_from("ABCxyz019-_"))
def test_a_token_with_one_letter_changed_is_not_genuine(position: int, letter: str) -> None:
    token = SIGNED.token(SECRET)
    changed = token[:position] + letter + token[position + 1 :]
    claim = read_token(changed)

    # The last letter of base64 has bits that mean nothing; the bytes are what counts.
    if claim is not None and claim != read_token(token):
        same = replace(SIGNED, delivery_id=claim.delivery_id)
        assert not is_genuine(claim, same, SECRET)

"""Whatever a channel or a delivery may be called, a reader sees words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from services.insight.api.words import LABELS
from services.notify.channels import LIMITS
from services.notify.domain.people import EMAIL, NOWHERE, WEBHOOK

_NOTIFY = Path(__file__).parents[3] / "services" / "notify"
_SAID = re.compile(
    r"""(?:give_up|suppress|set_aside)\(work, [^"\n]*"([a-z_]+)"|"""
    r"""Outcome\("(?:unknown|refused|retry)", "([a-z_]+)\""""
)


def reasons() -> set[str]:
    found: set[str] = set()
    for path in sorted(_NOTIFY.rglob("*.py")):
        for match in _SAID.finditer(path.read_text()):
            found.update(group for group in match.groups() if group)
    return found


def test_every_channel_has_words() -> None:
    assert {EMAIL, NOWHERE, WEBHOOK, *LIMITS} <= set(LABELS)


def test_every_reason_a_delivery_may_end_for_has_words() -> None:
    said = reasons()

    assert {"expired", "no_outcome", "cooling_down", "no_answer"} <= said
    assert said - set(LABELS) == set()


@pytest.mark.parametrize("code", sorted(LABELS))
def test_words_are_there_in_both_languages(code: str) -> None:
    zh, en = LABELS[code]

    assert zh.strip()
    assert en.strip()

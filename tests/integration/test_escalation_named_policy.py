"""Whoever asks for an escalation may name its policy: the green channel pages all lines at once."""

from __future__ import annotations

import pytest

from shared.events.commands.escalation import EscalationRequested
from tests.integration.test_escalation import POLICY, Stage, a_release, stage

__all__ = ["stage"]

AT_ONCE = """
key: at-once
name: {en: At once}
tiers:
  - {notify: [member, lead], repeats: 1, repeat_every: PT5M}
"""


async def test_a_named_policy_is_climbed_instead_of_the_teams(stage: Stage) -> None:
    released = a_release(key="at-once", content=AT_ONCE)
    await stage.router.say(released, "escalation_policy/at-once")
    await stage.route()

    asked = EscalationRequested(reason="person", note="all hands", policy="at-once")
    await stage.intake.say(asked, stage.request)
    await stage.world.pass_time(1)

    assert (await stage.shown())["policy"] == "at-once"
    assert len(stage.pages()) == 1
    assert {"lea"} < set(stage.pages()[0])


@pytest.mark.parametrize("named", [None, "gone"])
async def test_without_a_known_name_it_is_the_teams_own(stage: Stage, named: str | None) -> None:
    await stage.route()

    asked = EscalationRequested(reason="person", note="all hands", policy=named)
    await stage.intake.say(asked, stage.request)
    await stage.world.pass_time(1)

    assert "key: standard" in POLICY
    assert (await stage.shown())["policy"] == "standard"

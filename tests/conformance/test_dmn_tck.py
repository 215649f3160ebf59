"""The DMN conformance cases at hand, every one of which must pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.dmn_tck import main, run_folder
from tests.harness.shared_data import shared_data

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def test_every_case_at_hand_passes(record_property: Callable[[str, object], None]) -> None:
    outcomes = list(run_folder(shared_data("models") / "dmn-tck"))

    failed = [(str(path.name), o.node, o.seen) for path, o in outcomes if o.verdict != "passed"]
    record_property("passed", len(outcomes) - len(failed))
    assert failed == []
    # A folder that was not found, or not understood, would pass with nothing in it.
    assert len(outcomes) >= 500


def test_the_command_ends_with_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    status = main([str(shared_data("models") / "dmn-tck" / "compliance-level-2")])

    assert status == 0
    assert capsys.readouterr().out.strip().endswith(" passed, 0 failed, 0 skipped")


def test_the_command_refuses_what_is_no_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/nowhere"]) == 2
    assert "usage" in capsys.readouterr().err

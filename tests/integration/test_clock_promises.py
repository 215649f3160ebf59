"""What would be promised, by every agreement, and what is odd about it: over HTTP."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from levee.packs.merging import Merging
from tests.integration.test_clock import BPMN, Scene, clock


async def release_with(scene: Scene, *packs: str, version: int = 2) -> None:
    """Release the shipped table with packs in it."""
    table = Merging((BPMN / "targets.dmn").read_bytes(), "targets.dmn")
    for pack in packs:
        table.add(Merging((BPMN / f"packs/{pack}.dmn").read_bytes(), pack, pack))
    await scene.release("decision", "targets", table.to_bytes().decode(), version)


async def promised(scene: Scene, **body: Any) -> dict[str, Any]:
    asked = {"request_type": "any", "priority": "P1", "domain": "it", **body}
    answer = await scene.api.post("/clock/v1/promises", json=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_named_stages_and_further_agreements_are_promised_too(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        await release_with(scene, "scenes", "teams")

        told = await promised(scene, submitted_at="2026-03-02T02:00:00Z")

        outside = {one["metric"]: one for one in told["promises"]}
        assert outside["resolution"]["target_s"] == 7200
        further = {(one["name"], one["agreement"]): one for one in told["agreements"]}
        assert set(further) == {
            ("handling", "ola-teams"),
            ("engagement", None),
            ("recovery", None),
            ("confirmed-resolution", None),
            ("stint", "ola-teams"),
            ("supplier", "uc-supplier"),
        }
        recovery = further["recovery", None]
        assert (recovery["starts_on"], recovery["stops_on"]) == (
            ["submitted"],
            ["stage_ended:recovery", "resolved"],
        )
        assert recovery["due_at"] == "2026-03-02T04:00:00Z"
        assert further["stint", "ola-teams"]["kind"] == "ola"


async def test_what_cannot_be_supported_is_said_when_the_table_is_released(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with clock(tmp_path) as scene:
        with caplog.at_level(logging.WARNING):
            await release_with(scene, "bank", "teams")

        told = (await scene.api.get("/clock/v1/agreements/findings")).json()

        assert told["policy_version"] == 2
        found = {(one["path"], one["rule"], one["severity"]) for one in told["items"]}
        assert ("rule teams_stint", "promise-unsupported", "warning") in found
        assert all(one["fix"]["zh-CN"] for one in told["items"])
        assert "cannot support the promise outside" in caplog.text
        # It is a warning: the table is in force all the same.
        low = await promised(scene, request_type="low-risk-transaction")
        assert low["promises"][3]["target_s"] == 30


async def test_a_table_in_bare_days_is_refused_and_the_one_in_force_stays(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        table = (BPMN / "targets.dmn").read_text().replace('"PT15M"', '"P1D"')

        await scene.release("decision", "targets", table, 2)

        ready = await scene.service.readiness()
        assert not ready["checks"]["definitions"]["is_well"]
        assert "1 working day" not in ready["checks"]["definitions"]["detail"]
        assert "bare day" in ready["checks"]["definitions"]["detail"]
        assert (await promised(scene))["promises"][0]["policy_version"] == 1


async def test_a_portal_may_ask_in_working_days_and_not_in_bare_ones(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        path = "/clock/v1/calendars/office-cn/due"
        start = "2026-02-13T16:00:00+08:00"

        days = await scene.api.get(path, params={"start": start, "target": "2 working days"})
        bare = await scene.api.get(path, params={"start": start, "target": "P2D"})

        # Saturday 14 February is a make-up day; then Spring Festival until the 23rd.
        assert days.json()["due_at"] == "2026-02-24T08:00:00Z"
        assert (bare.status_code, bare.json()["code"]) == (422, "target-unusable")
        assert "3 working days" in bare.text

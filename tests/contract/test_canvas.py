"""Each service's README is its canvas: it lists what the code does, no more and no less."""

from __future__ import annotations

import asyncio

import pytest

from tools import canvas
from tools.canvas import read_canvas
from tools.topology import ROOT, SERVICES


@pytest.mark.parametrize("service", SERVICES)
def test_a_canvas_says_what_the_code_says(service: str) -> None:
    assert canvas.problems(service) == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_canvas_names_the_prefix_of_its_settings(service: str) -> None:
    text = (ROOT / "services" / service / "README.md").read_text(encoding="utf-8")

    prefix = canvas.settings_of(service).model_config["env_prefix"]

    assert f"`{prefix}…`" in text


def test_a_service_offers_what_every_service_offers() -> None:
    for service in SERVICES:
        offered = {
            f"{verb.upper()} {path.removeprefix(f'/{service}')}"
            for path, verbs in asyncio.run(canvas.application(service)).openapi()["paths"].items()
            for verb in verbs
        }

        assert {name for name in canvas.EVERYWHERE if "{}" not in name} <= offered


def test_a_table_is_read_by_its_heading_and_its_first_column() -> None:
    text = "\n".join(
        [
            "# X",
            "## Offers",
            "| path under `/x/v1` | what |",
            "|---|---|",
            "| `GET /a`, `GET /b` | reads `c` |",
            "prose with `d`",
            "## Says",
            "| event | when |",
            "|---|---|",
            "| `e.happened.v1` | now |",
        ]
    )

    found = read_canvas(text)

    assert found.names("Offers") == ["GET /a", "GET /b"]
    assert found.names("Says") == ["e.happened.v1"]
    assert found.names("Hears") == []

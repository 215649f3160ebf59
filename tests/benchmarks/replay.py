"""How fast `levee replay` plays a log: real services, simulated time, one process."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from tests.benchmarks.report import Section, progress

_ROOT = Path(__file__).resolve().parents[2]
_COLUMNS = (
    "number",
    "event_seq",
    "incident_state",
    "opened_at",
    "sys_updated_at",
    "impact",
    "urgency",
    "category",
    "assignment_group",
    "assigned_to",
)
_URGENCY = ("1 - High", "2 - Medium", "3 - Low")
_FIRST = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def measure(*, requests: int) -> Section:
    """Play a made-up log of so many incidents, some four events each."""
    section = Section("replay", "Replay: `levee replay`, made-up ServiceNow log, SQLite, 1 process")
    progress(f"replay: {requests} requests")
    with tempfile.TemporaryDirectory(prefix="levee-bench-replay-") as folder:
        log = Path(folder) / "log.csv"
        _write(log, requests)
        told = _play(log, requests)
    wall_s = told["log"]["wall_s"]
    section.add("requests", told["requests"] / wall_s, "/s")
    section.add("events of the log", told["log"]["events"] / wall_s, "/s")
    spent = told["escalations"]["raised"], told["notifications"]["requested"]
    section.note(f"{told['requests']} requests led to {spent[0]} escalations and {spent[1]}")
    section.note("notifications: what costs time is how often something is due, not the log.")
    return section


def _play(log: Path, limit: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "levee", "replay", str(log), "--format", "servicenow"]
    command += ["--limit", str(limit), "--json"]
    done = subprocess.run(
        command, cwd=_ROOT, env=dict(os.environ), capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"levee replay: {done.stderr.decode(errors='replace')[-2000:]}")
    told: dict[str, Any] = orjson.loads(done.stdout)
    return told


def _write(path: Path, requests: int) -> None:
    """Write incidents that come every five minutes and are solved within hours to days."""
    chance = random.Random(7)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        for number in range(requests):
            writer.writerows(_incident(number, chance))


def _incident(number: int, chance: random.Random) -> list[dict[str, str]]:
    opened = _FIRST + timedelta(minutes=5 * number)
    at = opened
    told = []
    group = f"Group {chance.randrange(20)}"
    person = f"Person {chance.randrange(200)}"
    for sequence, (state, team, who) in enumerate(
        [
            ("New", group, ""),
            ("Active", group, person),
            ("Awaiting User Info", group, person),
            ("Active", f"Group {chance.randrange(20)}", f"Person {chance.randrange(200)}"),
            ("Resolved", group, person),
            ("Closed", group, person),
        ]
    ):
        if state == "Awaiting User Info" and chance.random() < 0.6:
            continue
        told.append(
            {
                "number": f"INC{number:07}",
                "event_seq": str(sequence),
                "incident_state": state,
                "opened_at": f"{opened:%Y-%m-%dT%H:%M}",
                "sys_updated_at": f"{at:%Y-%m-%dT%H:%M}",
                "impact": chance.choice(_URGENCY),
                "urgency": chance.choice(_URGENCY),
                "category": f"Category {chance.randrange(40)}",
                "assignment_group": team,
                "assigned_to": who,
            }
        )
        at += timedelta(minutes=chance.randrange(1, 1_000))
    return told

"""`make bench`: how fast it is, each figure beside a floor or peer measured in the same run."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from tests.benchmarks import (
    all_in_one,
    bus_floor,
    clocks,
    compute,
    inbox,
    intake,
    path,
    pressure,
    purging,
    replay,
    timers,
)
from tests.benchmarks.report import Section, as_json, machine
from tests.benchmarks.stage import stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.benchmarks.stage import Stage

_SECTIONS = (
    "intake",
    "path",
    "pressure",
    "all-in-one",
    "timers",
    "purging",
    "clocks",
    "inbox",
    "bus",
    "compute",
    "replay",
)


@dataclass(frozen=True, slots=True)
class Effort:
    """How long each thing is measured."""

    intake_rounds: int
    intake_s: float
    path_s: float
    #: How long the path is loaded as fast as it goes, and the rate at which its latency is taken
    #: (half of what goes, where that is less).
    sustained_s: float
    rate: float
    timers_s: float
    inbox_rounds: int
    rows: int
    messages: int
    compute_s: float
    replayed: int
    #: Clocks that are rebuilt, and clocks that cross a threshold within one second.
    clocks: int
    crossing: int


#: Below three minutes, and below one, on two quiet cores.
_USUAL = Effort(3, 3.0, 6.0, 6.0, 200.0, 5.0, 200, 100_000, 20_000, 0.5, 60, 20_000, 1_000)
_QUICK = Effort(1, 1.5, 2.0, 2.0, 200.0, 2.0, 50, 20_000, 5_000, 0.1, 10, 5_000, 500)
#: What the bars of the clock are about: `--million` asks for it.
_CLOCKS, _CROSSING = 100_000, 5_000


async def measure(
    wanted: Sequence[str], effort: Effort, *, has_followers: bool, waiting: int
) -> AsyncIterator[Section]:
    """Measure one section after another."""
    staged = {"intake", "path", "pressure", "all-in-one", "timers", "purging", "clocks", "inbox"}
    if staged & set(wanted):
        async with stage() as made:
            async for section in _on_stage(made, wanted, effort, has_followers, waiting):
                yield section
    if "bus" in wanted:
        yield await bus_floor.section(effort.messages)
    if "compute" in wanted:
        yield compute.measure(seconds=effort.compute_s)
    if "replay" in wanted:
        yield replay.measure(requests=effort.replayed)


async def _on_stage(
    made: Stage, wanted: Sequence[str], effort: Effort, has_followers: bool, waiting: int
) -> AsyncIterator[Section]:
    """Measure what needs databases and services."""
    if "intake" in wanted:
        yield await intake.measure(made, rounds=effort.intake_rounds, seconds=effort.intake_s)
    if "path" in wanted:
        yield await path.measure(
            made,
            seconds=effort.path_s,
            sustained_s=effort.sustained_s,
            rate=effort.rate,
            has_followers=has_followers,
        )
    if "pressure" in wanted:
        yield await pressure.measure(made, seconds=effort.path_s)
    if "all-in-one" in wanted:
        yield await all_in_one.measure(made, seconds=effort.path_s)
    if "timers" in wanted:
        yield await timers.measure(made, seconds=effort.timers_s, waiting=waiting)
    async for section in _kept(made, wanted, effort, waiting):
        yield section


async def _kept(
    made: Stage, wanted: Sequence[str], effort: Effort, waiting: int
) -> AsyncIterator[Section]:
    """Measure what grows with what is kept."""
    if "purging" in wanted:
        yield await purging.measure(made, rows=effort.rows)
    if "clocks" in wanted:
        yield await clocks.measure(
            made,
            seconds=effort.compute_s,
            clocks=effort.clocks,
            crossing=effort.crossing,
            waiting=waiting or 10 * effort.clocks,
        )
    if "inbox" in wanted:
        yield await inbox.measure(made, rounds=effort.inbox_rounds)


async def run(
    wanted: Sequence[str], effort: Effort, *, has_followers: bool, waiting: int
) -> list[Section]:
    """Measure; print each section as soon as it is there."""
    told = machine()
    heading = ", ".join(f"{name} {value}" for name, value in told.items())
    sys.stdout.write(f"{heading}\n'n x what': the figure divided by that of the floor or peer.\n\n")
    sections = []
    async for section in measure(wanted, effort, has_followers=has_followers, waiting=waiting):
        sections.append(section)
        sys.stdout.write(section.text())
        sys.stdout.flush()
    return sections


def main() -> int:
    """Read what is wanted, and measure it."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="below a minute; coarser figures")
    parser.add_argument("--only", nargs="+", choices=_SECTIONS, default=_SECTIONS)
    parser.add_argument(
        "--six", action="store_true", help="also the path with escalation, notify and insight"
    )
    parser.add_argument(
        "--million",
        action="store_true",
        help="timers while 1,000,000 others are armed; 100,000 clocks rebuilt, 5,000 that cross",
    )
    parser.add_argument(
        "--minute", action="store_true", help="load the path for a minute instead of seconds"
    )
    parser.add_argument(
        "--rate", type=float, default=200.0, help="requests a second at which latency is taken"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all figures there")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    effort = replace(_QUICK if asked.quick else _USUAL, rate=asked.rate)
    if asked.million:
        effort = replace(effort, clocks=_CLOCKS, crossing=_CROSSING)
    if asked.minute:
        effort = replace(effort, sustained_s=60.0)
    sections = uvloop.run(
        run(asked.only, effort, has_followers=asked.six, waiting=1_000_000 * asked.million)
    )
    if asked.json is not None:
        asked.json.write_bytes(as_json(sections))
    return 0


if __name__ == "__main__":
    sys.exit(main())

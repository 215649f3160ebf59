"""What a run found: figures, each beside the floor or peer of the same run."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field
from typing import Any

import orjson

from shared.time_source import SystemTime
from tests.benchmarks.processor import processors


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; `ratio` is what it comes to against `against`, a floor or peer of this run."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""

    def line(self) -> str:
        """Return the figure as one line of text."""
        told = f"  {self.name:<52}{_number(self.value):>12} {self.unit:<14}"
        if self.ratio is not None:
            told += f"{_number(self.ratio):>8} x {self.against}"
        return told.rstrip()


@dataclass(slots=True)
class Section:
    """The figures of one subject."""

    key: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    load_average: float = field(default_factory=lambda: os.getloadavg()[0])

    def add(
        self, name: str, value: float, unit: str, ratio: float | None = None, against: str = ""
    ) -> None:
        """Add a figure."""
        self.figures.append(Figure(name, value, unit, ratio, against))

    def note(self, text: str) -> None:
        """Add a sentence."""
        self.notes.append(text)

    def text(self) -> str:
        """Return the section as text."""
        heading = f"{self.title}  (load average when it began: {self.load_average:.1f})"
        lines = [heading, "-" * len(heading), *(figure.line() for figure in self.figures)]
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)]) + "\n\n"

    def as_json(self) -> dict[str, Any]:
        """Return the section for `--json`."""
        return {
            "title": self.title,
            "load_average": self.load_average,
            "figures": [
                {
                    "name": figure.name,
                    "value": figure.value,
                    "unit": figure.unit,
                    "ratio": figure.ratio,
                    "against": figure.against,
                }
                for figure in self.figures
            ],
            "notes": self.notes,
        }


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "date": f"{SystemTime().now():%Y-%m-%d}",
        "cores": processors(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": os.getloadavg()[0],
    }


def as_json(sections: list[Section]) -> bytes:
    """Return a whole run."""
    told = {"machine": machine(), "sections": {s.key: s.as_json() for s in sections}}
    return orjson.dumps(told, option=orjson.OPT_INDENT_2)


def progress(text: str) -> None:
    """Say on stderr what is being measured."""
    sys.stderr.write(f"{SystemTime().now():%H:%M:%S}  {text}\n")
    sys.stderr.flush()


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"

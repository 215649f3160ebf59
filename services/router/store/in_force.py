"""The released definitions at one revision, as plain values: what a check may take its time over.

A check runs beside the loop, in a thread of its own; what it looks at must not change meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Released:
    """One released definition."""

    kind: str
    key: str
    version: int
    content: str
    content_hash: str
    released_by: str = ""
    #: UTC; None where no house runs.
    released_at: datetime | None = None
    #: The older version whose content it is again.
    again_of: int | None = None


class Around:
    """What a diagram may call: these decisions, these processes."""

    def __init__(self, decisions: Collection[str], processes: Mapping[str, str]) -> None:
        self._decisions, self._processes = decisions, processes

    def decisions(self) -> Collection[str]:
        """Return the decisions that exist."""
        return self._decisions

    def process(self, process_id: str) -> bytes | None:
        """Return a process's diagram."""
        found = self._processes.get(process_id)
        return None if found is None else found.encode()


@dataclass(frozen=True, slots=True)
class InForce:
    """Everything in force at one revision of the house."""

    revision: int = -1
    #: By kind and key.
    released: Mapping[tuple[str, str], Released] = field(default_factory=dict)
    #: Decision → the key of the file it stands in.
    decisions: Mapping[str, str] = field(default_factory=dict)

    def find(self, kind: str, key: str) -> Released | None:
        """Return the definition in force, if there is one."""
        return self.released.get((kind, key))

    def processes(self) -> dict[str, str]:
        """Return the diagrams in force by their keys."""
        found = self.released.values()
        return {each.key: each.content for each in found if each.kind == "process"}

    def calendars(self) -> dict[str, str]:
        """Return the files of the calendars in force by their keys."""
        found = self.released.values()
        return {each.key: each.content for each in found if each.kind == "calendar"}

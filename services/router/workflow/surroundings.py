"""What lies around a diagram: the decisions and processes it may call (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .findings import Findings
from .safe_xml import BPMN, ZEEBE, children, is_true, parse

if TYPE_CHECKING:
    from collections.abc import Collection


class Surroundings(Protocol):
    """Answers what else there is; asked only for what a diagram calls."""

    def decisions(self) -> Collection[str]:
        """Return the ids of the decisions that exist; none at all: nobody knows."""
        ...

    def process(self, process_id: str) -> bytes | None:
        """Return the diagram of a process, or None when there is none."""
        ...


class Known:
    """Surroundings whose decisions are known, and no processes."""

    def __init__(self, decisions: Collection[str] = ()) -> None:
        self._decisions = decisions

    def decisions(self) -> Collection[str]:
        """Return the decisions."""
        return self._decisions

    def process(self, process_id: str) -> bytes | None:
        """Return nothing."""
        return None


def executable_processes(xml: bytes) -> tuple[str, ...]:
    """Return the ids of the executable processes in a BPMN file; none for what cannot be read."""
    root = parse(xml, Findings())
    if root is None:
        return ()
    found = children(root, "process")
    return tuple(p.get("id", "") for p in found if is_true(p, "isExecutable"))


def called_processes(xml: bytes) -> frozenset[str]:
    """Return the ids of the processes a BPMN file calls; none for what cannot be read."""
    root = parse(xml, Findings())
    if root is None:
        return frozenset()
    said = (e.get("processId") for e in root.iter(f"{{{ZEEBE}}}calledElement"))
    plain = (e.get("calledElement") for e in root.iter(f"{{{BPMN}}}callActivity"))
    return frozenset(name for name in (*said, *plain) if name)

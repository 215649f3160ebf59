"""The processes a diagram calls, and those they call: found, bounded, never in a circle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .findings import Findings
from .lint import lint
from .lint_loops import passes_through, spinning
from .lint_tokens import tokens, worth
from .reader import read
from .wording import Wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.feel import WorkingTime

    from .bindings import Binding, DecisionEvaluator
    from .model import Diagram, Node
    from .surroundings import Surroundings

MAX_CALL_DEPTH = 5
#: Nodes of a process with all it calls.
MAX_CALLED_NODES = 2_000

Part = tuple["Diagram", "Mapping[str, Binding]"]


class Family:
    """A diagram with everything it calls: each process once, whoever calls it."""

    def __init__(
        self,
        findings: Findings,
        around: Surroundings,
        evaluator: DecisionEvaluator | None,
        working: WorkingTime | None = None,
    ) -> None:
        self.findings = findings
        self.around = around
        self.evaluator = evaluator
        self.working = working
        self.parts: dict[str, Part] = {}

    def add(self, diagram: Diagram) -> None:
        """Take in the diagram itself and what it calls."""
        words = Wording(diagram, self.findings, self.around, self.evaluator, self.working)
        self.parts[diagram.process_id] = (diagram, words.bindings())
        self._calls(diagram, (diagram.process_id,))
        if not self.findings.are_fatal:
            self._bounds(diagram)
        count = sum(len(part.nodes) for part, _ in self.parts.values())
        if count > MAX_CALLED_NODES:
            self.findings.add(
                diagram.process_id, "call-too-many", count=count, limit=MAX_CALLED_NODES
            )

    def _bounds(self, diagram: Diagram) -> None:
        """Look at loops and tokens once more, now that it is known what is called."""
        passing, called = self._passing(), self._worth()
        spinning(diagram, _calls_of(diagram, passing), self.findings)
        tokens(diagram, called, self.findings)

    def _passing(self) -> frozenset[str]:
        """Return the called processes a token can cross without resting."""
        found: frozenset[str] = frozenset()
        for _ in range(MAX_CALL_DEPTH + 1):
            found = frozenset(
                name
                for name, (part, _) in self.parts.items()
                if passes_through(part, _calls_of(part, found))
            )
        return found

    def _worth(self) -> dict[str, tuple[float, float]]:
        """Return how many tokens and moves each called process leads to."""
        found: dict[str, tuple[float, float]] = {}
        for _ in range(MAX_CALL_DEPTH + 1):
            found = {name: worth(part, found) for name, (part, _) in self.parts.items()}
        return found

    def _calls(self, diagram: Diagram, way: tuple[str, ...]) -> None:
        for node in diagram.nodes.values():
            if node.kind == "callActivity":
                self._call(diagram, node, way)

    def _call(self, diagram: Diagram, node: Node, way: tuple[str, ...]) -> None:
        path, called = diagram.path(node.id), node.says.called_process
        if not called:
            self.findings.add(path, "event-empty", what="calledElement processId")
        elif called.startswith("=") or "${" in called or "#{" in called:
            self.findings.add(path, "call-fixed")
        elif called in way:
            self.findings.add(path, "call-cycle", cycle=" → ".join((*way, called)))
        elif len(way) > MAX_CALL_DEPTH:
            self.findings.add(path, "call-too-deep", depth=len(way), limit=MAX_CALL_DEPTH)
        elif called in self.parts:
            self._calls(self.parts[called][0], (*way, called))
        else:
            self._read(path, called, way)

    def _read(self, path: str, called: str, way: tuple[str, ...]) -> None:
        xml = self.around.process(called)
        if xml is None:
            self.findings.add(path, "process-unknown", id=called)
            return
        own = Findings()
        diagram = read(xml, own)
        if diagram is not None and lint(diagram, own):
            diagram = replace(diagram, prefix=f"{called}:")
            words = Wording(diagram, own, self.around, self.evaluator, self.working)
            self.parts[called] = (diagram, words.bindings())
        if own.forbid_to_run() or diagram is None or called not in self.parts:
            first = next(f for f in own.items if f.severity == "error")
            self.findings.add(
                path,
                "called-refused",
                id=called,
                problem=f"{first.path} {first.message['en']}",
                problem_zh=f"{first.path} {first.message['zh-CN']}",
            )
            return
        self._calls(diagram, (*way, called))


def _calls_of(diagram: Diagram, called: frozenset[str]) -> frozenset[str]:
    """Return the elements of a diagram that call one of these processes."""
    calls = (node for node in diagram.nodes.values() if node.kind == "callActivity")
    return frozenset(node.id for node in calls if node.says.called_process in called)

"""The diagram as we understand it: nodes, flows and scopes, before anything is executed (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

EventKind = Literal[
    "none",
    "message",
    "timer",
    "error",
    "escalation",
    "terminate",
    "signal",
    "conditional",
    "link",
]
Pairs = tuple[tuple[str, str], ...]

GATEWAYS = frozenset(
    {"exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway"}
)
#: Elements at which a token rests until somebody outside says so.
CATCHING = frozenset({"intermediateCatchEvent", "receiveTask", "boundaryEvent"})


@dataclass(frozen=True, slots=True)
class Event:
    """What an event catches or throws. `name` is a message or escalation name, `code` a code."""

    kind: EventKind = "none"
    name: str = ""
    code: str = ""
    #: date, duration or cycle
    timer_kind: str = ""
    timer_text: str = ""
    correlation_key: str = ""
    #: FEEL, of a conditional event
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Loop:
    """A multi-instance as written: FEEL texts and variable names."""

    collection: str = ""
    element: str = ""
    into: str = ""
    result: str = ""
    enough: str = ""
    is_sequential: bool = False


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the zeebe extensions of an element say; texts as written, `=` marks FEEL."""

    job_type: str = ""
    job_retries: str = ""
    decision_id: str = ""
    script: str = ""
    result_variable: str = ""
    called_process: str = ""
    #: Whether a called process sees and gives back all variables: true, false or "" (not said).
    sees_all: str = ""
    gives_all: str = ""
    assignee: str = ""
    candidate_groups: str = ""
    candidate_users: str = ""
    due_date: str = ""
    follow_up_date: str = ""
    form: str = ""
    priority: str = ""
    headers: Pairs = ()
    #: (target, source)
    inputs: Pairs = ()
    outputs: Pairs = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One flow node. `scopes` are the sub-processes around it, outermost first."""

    id: str
    kind: str
    name: str = ""
    scopes: tuple[str, ...] = ()
    event: Event = field(default_factory=Event)
    says: Extensions = field(default_factory=Extensions)
    #: Boundary events only.
    attached_to: str = ""
    is_interrupting: bool = True
    default_flow: str = ""
    #: A sub-process that an event starts, beside the main flow.
    is_event_scope: bool = False
    loop: Loop | None = None

    @property
    def scope(self) -> str:
        """Return the id of the sub-process around it, "" at the top."""
        return self.scopes[-1] if self.scopes else ""

    @property
    def is_job(self) -> bool:
        """Return whether somebody outside does the work."""
        return bool(self.says.job_type)

    @property
    def waits(self) -> bool:
        """Return whether a token rests here."""
        if self.event.kind == "link":
            return False
        return self.kind in CATCHING or self.kind == "userTask" or self.is_job


@dataclass(frozen=True, slots=True)
class Flow:
    """One sequence flow; `condition` as written, "" when there is none."""

    id: str
    source: str
    target: str
    condition: str = ""
    scope: str = ""


@dataclass(frozen=True)
class Diagram:
    """One executable process. Nodes and flows in document order."""

    process_id: str
    name: str = ""
    nodes: dict[str, Node] = field(default_factory=dict)
    flows: tuple[Flow, ...] = ()
    #: Some elements were refused while reading: the shape of the rest says nothing.
    is_partial: bool = False
    #: "" for the process itself, "id:" for one that is called.
    prefix: str = ""

    def qualified(self, element_id: str) -> str:
        """Return how an element is called outside: those of a called process by both names."""
        return self.prefix + element_id

    def starts(self, scope: str) -> list[Node]:
        """Return the start events directly inside a scope."""
        return [node for node in self.within(scope) if node.kind == "startEvent"]

    def path(self, element_id: str) -> str:
        """Return where an element is: process, sub-processes, element."""
        node = self.nodes.get(element_id)
        parts = (self.process_id, *(node.scopes if node else ()), element_id)
        return "/".join(part for part in parts if part)

    @cached_property
    def leaving(self) -> dict[str, list[Flow]]:
        """Return the flows that leave each node."""
        return self._grouped("source")

    @cached_property
    def entering(self) -> dict[str, list[Flow]]:
        """Return the flows that enter each node."""
        return self._grouped("target")

    @cached_property
    def boundaries(self) -> dict[str, list[Node]]:
        """Return the boundary events attached to each node."""
        found: dict[str, list[Node]] = {name: [] for name in self.nodes}
        for node in self.nodes.values():
            if node.attached_to in found:
                found[node.attached_to].append(node)
        return found

    @cached_property
    def nexts(self) -> dict[str, tuple[str, ...]]:
        """Return the nodes a token at a node may reach directly, boundary events included."""
        return {
            name: (
                *(flow.target for flow in self.leaving[name]),
                *(event.id for event in self.boundaries[name]),
            )
            for name in self.nodes
        }

    def within(self, scope: str) -> list[Node]:
        """Return the nodes directly inside a scope, "" for the process itself."""
        return [node for node in self.nodes.values() if node.scope == scope]

    def reachable(self, start: str) -> frozenset[str]:
        """Return every node reachable from `start` by at least one move."""
        seen: set[str] = set()
        pending = list(self.nexts[start])
        while pending:
            name = pending.pop()
            if name not in seen:
                seen.add(name)
                pending.extend(self.nexts[name])
        return frozenset(seen)

    def reaching(self, target: str) -> frozenset[str]:
        """Return every node from which `target` can be reached by at least one move."""
        sources: dict[str, list[str]] = {name: [] for name in self.nodes}
        for name, nexts in self.nexts.items():
            for following in nexts:
                sources[following].append(name)
        seen: set[str] = set()
        pending = list(sources[target])
        while pending:
            name = pending.pop()
            if name not in seen:
                seen.add(name)
                pending.extend(sources[name])
        return frozenset(seen)

    def _grouped(self, end: str) -> dict[str, list[Flow]]:
        found: dict[str, list[Flow]] = {name: [] for name in self.nodes}
        for flow in self.flows:
            if getattr(flow, end) in found:
                found[getattr(flow, end)].append(flow)
        return found


__all__ = ["CATCHING", "GATEWAYS", "Diagram", "Event", "Extensions", "Flow", "Loop", "Node"]

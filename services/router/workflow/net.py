"""The compiled process: SpiffWorkflow specs built from our diagram, once per released version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import specs
from .bindings_events import Condition
from .bindings_scopes import Inside
from .expressions import compile_formula
from .specs_scopes import Each, Round, SubProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.feel import WorkingTime

    from .bindings import Binding
    from .model import Diagram, Node


@dataclass(frozen=True, slots=True)
class Net:
    """What tokens move on; shared by all instances of a version and never changed."""

    spec: specs.ProcessSpec
    sub_specs: Mapping[str, specs.ProcessSpec]
    #: Whether conditional events have to be looked at after each operation.
    has_conditions: bool = False


_CLASSES: dict[str, type[specs.Element]] = {
    "startEvent": specs.Element,
    "subProcess": SubProcess,
    "callActivity": SubProcess,
    "task": specs.Element,
    "manualTask": specs.Element,
    "userTask": specs.UserTask,
    "businessRuleTask": specs.Immediate,
    "scriptTask": specs.Immediate,
    "receiveTask": specs.Catch,
    "intermediateCatchEvent": specs.Catch,
    "boundaryEvent": specs.Boundary,
    "intermediateThrowEvent": specs.Throw,
    "endEvent": specs.Throw,
    "exclusiveGateway": specs.Exclusive,
    "inclusiveGateway": specs.Inclusive,
    "parallelGateway": specs.Parallel,
    "eventBasedGateway": specs.Race,
}


def build(
    parts: Sequence[tuple[Diagram, Mapping[str, Binding]]], working: WorkingTime | None = None
) -> Net:
    """Build the specs of a diagram that was checked and found good, and of all it calls."""
    found: dict[str, specs.ProcessSpec] = {}
    for diagram, bindings in parts:
        found |= _Builder(diagram, bindings, working).built()
    is_any = any(isinstance(b, Condition) for _, bindings in parts for b in bindings.values())
    return Net(found.pop(":"), found, has_conditions=is_any)


class _Builder:
    """Builds the scopes of one diagram; `rounds:X` in the bindings is the multi-instance of X."""

    def __init__(
        self,
        diagram: Diagram,
        bindings: Mapping[str, Binding],
        working: WorkingTime | None = None,
    ) -> None:
        self.diagram = diagram
        self.working = working
        self.bindings = bindings
        self.made: dict[str, specs.ProcessSpec] = {}

    def built(self) -> dict[str, specs.ProcessSpec]:
        """Return every scope by its name; that of the process itself is only the prefix."""
        subs = [node.id for node in self.diagram.nodes.values() if node.kind == "subProcess"]
        for scope in ("", *subs):
            self._scope(scope)
        return self.made

    def _name(self, scope: str) -> str:
        return self.diagram.prefix + scope or ":"

    def _spec(self, name: str) -> specs.ProcessSpec:
        spec = self.made[name] = specs.ProcessSpec(name)
        return spec

    def _scope(self, scope: str) -> None:
        spec = self._spec(self._name(scope))
        nodes = self.diagram.within(scope)
        entries: dict[str, Any] = {}
        made: dict[str, Any] = {}
        for node in nodes:
            made[node.id] = entries[node.id] = self._place(spec, node)
        for node in nodes:
            events = self.diagram.boundaries[node.id]
            if events:
                entries[node.id] = self._attach(spec, node, [made[e.id] for e in events], made)
        for node in nodes:
            self._connect(node, made[node.id], entries)
            if node.kind == "startEvent":
                spec.start.connect(entries[node.id])
            if node.is_event_scope:
                self._listen(spec, node, made[node.id])

    def _place(self, spec: specs.ProcessSpec, node: Node) -> specs.Element:
        """Make an element, or the whole of its rounds."""
        if node.loop is None:
            return self._element(spec, node)
        each = Each(spec, node.id, bpmn_name=node.name)
        self._tell(each, node)
        each.binding = self.bindings[f"rounds:{node.id}"]
        each.inner, each.is_sequential = self._name(f"{node.id}:each"), node.loop.is_sequential
        rounds = self._spec(each.inner)
        one = Round(rounds, f"{node.id}:round")
        one.bpmn_id, one.binding = None, each.binding
        one.inner = self._name(f"{node.id}:one")
        rounds.round = one
        inside = self._spec(one.inner)
        inside.start.connect(self._element(inside, node))
        return each

    def _element(self, spec: specs.ProcessSpec, node: Node) -> specs.Element:
        kind = specs.Job if node.is_job else _CLASSES[node.kind]
        if node.event.kind == "link":
            # The flow that stands for the link leads on; there is nothing to wait for.
            kind = specs.Element
        element = kind(spec, node.id, bpmn_name=node.name)
        self._tell(element, node)
        element.binding = self.bindings.get(node.id)
        if isinstance(element, SubProcess):
            element.inner = self._name(node.id)
            if isinstance(element.binding, Inside) and element.binding.is_call:
                element.inner = f"{node.says.called_process}:"
                element.border = "sealed" if node.says.sees_all == "false" else "closed"
        if node.kind == "startEvent" and self.bindings.get(node.id) is not None:
            # It was told when its listener went off.
            element.binding, element.bpmn_id = None, None
        if isinstance(element, specs.Inclusive):
            upstream = self.diagram.reaching(node.id) - {node.id}
            element.upstream = upstream | {f"{name}:armed" for name in upstream}
        return element

    def _tell(self, element: specs.Element, node: Node) -> None:
        element.bpmn_id = self.diagram.qualified(node.id)
        element.cancel_activity = node.is_interrupting

    def _listen(self, spec: specs.ProcessSpec, node: Node, entry: Any) -> None:
        """Put the start of an event sub-process into the scope around it."""
        (start,) = self.diagram.starts(node.id)
        listener = specs.Listener(spec, f"{node.id}:start")
        self._tell(listener, start)
        listener.binding = self.bindings.get(start.id)
        listener.connect(entry)
        spec.listeners.append(listener)

    def _attach(
        self, spec: specs.ProcessSpec, node: Node, events: list[Any], made: Mapping[str, Any]
    ) -> specs.Attached:
        group = specs.Attached(spec, f"{node.id}:armed")
        group.bpmn_id = None
        group.main = node.id
        for event in events:
            group.connect(event)
        group.connect(made[node.id])
        return group

    def _connect(self, node: Node, element: Any, entries: Mapping[str, Any]) -> None:
        for flow in self.diagram.leaving[node.id]:
            target = entries[flow.target]
            if flow.condition and flow.id != node.default_flow:
                element.connect_outgoing_if(compile_formula(flow.condition, self.working), target)
            else:
                element.connect(target)

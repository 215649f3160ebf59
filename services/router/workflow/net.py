"""The compiled process: SpiffWorkflow specs built from our diagram, once per released version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import specs
from .expressions import compile_formula

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .bindings import Binding
    from .model import Diagram, Node


@dataclass(frozen=True, slots=True)
class Net:
    """What tokens move on; shared by all instances of a version and never changed."""

    spec: specs.ProcessSpec
    sub_specs: Mapping[str, specs.ProcessSpec]


_CLASSES: dict[str, type[specs.Element]] = {
    "startEvent": specs.Element,
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


def build(diagram: Diagram, bindings: Mapping[str, Binding]) -> Net:
    """Build the specs of a diagram that was checked and found good."""
    return _Builder(diagram, bindings).net()


class _Builder:
    def __init__(self, diagram: Diagram, bindings: Mapping[str, Binding]) -> None:
        self.diagram = diagram
        self.bindings = bindings

    def net(self) -> Net:
        subs = [node.id for node in self.diagram.nodes.values() if node.kind == "subProcess"]
        return Net(self._scope(""), {name: self._scope(name) for name in subs})

    def _scope(self, scope: str) -> specs.ProcessSpec:
        spec = specs.ProcessSpec(scope or self.diagram.process_id)
        nodes = self.diagram.within(scope)
        entries: dict[str, Any] = {}
        made: dict[str, Any] = {}
        for node in nodes:
            made[node.id] = entries[node.id] = self._element(spec, node)
        for node in nodes:
            events = self.diagram.boundaries[node.id]
            if events:
                entries[node.id] = self._attach(spec, node, [made[e.id] for e in events], made)
        for node in nodes:
            self._connect(node, made[node.id], entries)
            if node.kind == "startEvent":
                spec.start.connect(entries[node.id])
        return spec

    def _element(self, spec: specs.ProcessSpec, node: Node) -> specs.Element:
        if node.kind == "subProcess":
            element: specs.Element = specs.SubProcess(
                spec, node.id, subworkflow_spec=node.id, bpmn_name=node.name
            )
        else:
            kind = specs.Job if node.is_job else _CLASSES[node.kind]
            element = kind(spec, node.id, bpmn_name=node.name)
        element.binding = self.bindings.get(node.id)
        element.cancel_activity = node.is_interrupting
        if isinstance(element, specs.Inclusive):
            upstream = self.diagram.reaching(node.id) - {node.id}
            element.upstream = upstream | {f"{name}:armed" for name in upstream}
        return element

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
                element.connect_outgoing_if(compile_formula(flow.condition), target)
            else:
                element.connect(target)

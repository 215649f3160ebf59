"""Rules about the shape of a diagram: what would be silently mis-executed is refused here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lint_events import events
from .lint_loops import loops
from .model import GATEWAYS

if TYPE_CHECKING:
    from .findings import Findings
    from .model import Diagram, Flow, Node

#: Above this, a diagram is neither readable nor cheap; the largest of the public corpora has 120.
MAX_NODES = 400
MAX_FLOWS = 1_600
MAX_DEPTH = 10
#: Elements through which a token passes without resting, so that nothing can happen to it there.
_PASSING = frozenset({"task", "manualTask", "scriptTask", "businessRuleTask"})
_ACTIVITIES = _PASSING | {
    "userTask",
    "serviceTask",
    "sendTask",
    "receiveTask",
    "subProcess",
    "callActivity",
}


def lint(diagram: Diagram, findings: Findings) -> bool:
    """Report everything about the shape of a diagram that cannot or should not be executed.

    Returns False when the diagram is too big to be looked at any further.
    """
    if _is_too_big(diagram, findings):
        return False
    if not diagram.is_partial:
        _shape(diagram, findings)
    return True


def _shape(diagram: Diagram, findings: Findings) -> None:
    ok_flows = [flow for flow in diagram.flows if _flow(diagram, flow, findings)]
    if len(ok_flows) < len(diagram.flows):
        return
    _starts(diagram, findings)
    for node in diagram.nodes.values():
        _ends(diagram, node, findings)
        _leaving(diagram, node, findings)
        _boundary(diagram, node, findings)
    _reached(diagram, findings)
    events(diagram, findings)
    loops(diagram, findings)


def _is_too_big(diagram: Diagram, findings: Findings) -> bool:
    nodes = diagram.nodes
    if len(diagram.flows) > MAX_FLOWS:
        count = len(diagram.flows)
        findings.add(diagram.process_id, "too-many-flows", count=count, limit=MAX_FLOWS)
    if len(nodes) > MAX_NODES:
        findings.add(diagram.process_id, "too-many-nodes", count=len(nodes), limit=MAX_NODES)
    depth = max((len(node.scopes) for node in nodes.values()), default=0)
    if depth > MAX_DEPTH:
        findings.add(diagram.process_id, "too-deep", depth=depth, limit=MAX_DEPTH)
    return len(nodes) > MAX_NODES or len(diagram.flows) > MAX_FLOWS or depth > MAX_DEPTH


def _flow(diagram: Diagram, flow: Flow, findings: Findings) -> bool:
    path = "/".join((diagram.process_id, flow.id))
    ends = {"source": flow.source, "target": flow.target}
    lost = [(end, name) for end, name in ends.items() if name not in diagram.nodes]
    for end, name in lost:
        findings.add(path, "flow-dangling", end=end, id=name)
    if lost:
        return False
    if {diagram.nodes[name].scope for name in ends.values()} != {flow.scope}:
        findings.add(path, "flow-crosses-scope")
        return False
    return True


def _starts(diagram: Diagram, findings: Findings) -> None:
    scopes = ["", *(n.id for n in diagram.nodes.values() if n.kind == "subProcess")]
    for scope in scopes:
        starts = diagram.starts(scope)
        path = diagram.path(scope) if scope else diagram.process_id
        if scope and diagram.nodes[scope].is_event_scope:
            _event_scope(diagram, scope, starts, findings)
            continue
        if len(starts) != 1:
            findings.add(path, "start-count", where=path, count=len(starts))


def _event_scope(diagram: Diagram, scope: str, starts: list[Node], findings: Findings) -> None:
    able = [node for node in starts if node.event.kind != "none"]
    if len(starts) != 1 or len(able) != 1:
        findings.add(diagram.path(scope), "event-scope-start", count=len(able))
    touched = diagram.entering[scope] or diagram.leaving[scope] or diagram.boundaries[scope]
    if touched or diagram.nodes[scope].loop is not None:
        findings.add(diagram.path(scope), "event-scope-connected")


def _ends(diagram: Diagram, node: Node, findings: Findings) -> None:
    """Look at what may neither be entered nor left."""
    path = diagram.path(node.id)
    if node.kind == "startEvent" and diagram.entering[node.id]:
        findings.add(path, "start-entered")
    if node.kind == "boundaryEvent" and diagram.entering[node.id]:
        findings.add(path, "boundary-entered")
    if node.kind == "endEvent" and diagram.leaving[node.id]:
        findings.add(path, "end-left")
    if node.event.kind == "link":
        # The flow that stands for the link is there; any other one is too many.
        is_throw = node.kind == "intermediateThrowEvent"
        wrong = diagram.leaving[node.id] if is_throw else diagram.entering[node.id]
        if any(not flow.id.endswith(":link") for flow in wrong):
            findings.add(path, "link-connected")
    if node.kind in ("task", "manualTask"):
        findings.add(path, "passes-at-once", tag=node.kind)


def _leaving(diagram: Diagram, node: Node, findings: Findings) -> None:
    path, flows = diagram.path(node.id), diagram.leaving[node.id]
    if not flows and node.kind != "endEvent" and not node.is_event_scope:
        findings.add(path, "dead-end")
    if len(flows) > 1 and node.kind not in GATEWAYS and node.kind != "endEvent":
        findings.add(path, "implicit-split", count=len(flows))
    if node.default_flow and node.default_flow not in {flow.id for flow in flows}:
        findings.add(path, "default-unknown", id=node.default_flow)
    for flow in flows:
        _condition(node, flow, len(flows), f"{path}/{flow.id}", findings)
    chooses = node.kind in ("exclusiveGateway", "inclusiveGateway") and len(flows) > 1
    if chooses and not node.default_flow:
        findings.add(path, "no-default")
    if len(diagram.entering[node.id]) > 1 and node.kind in ("parallelGateway", "inclusiveGateway"):
        _entering_twice(diagram, node, findings)


def _condition(node: Node, flow: Flow, count: int, path: str, findings: Findings) -> None:
    chooses = node.kind in ("exclusiveGateway", "inclusiveGateway")
    if flow.condition and not chooses:
        findings.add(
            path,
            "condition-misplaced",
            reason=f"it leaves a {node.kind}",
            zh_reason=f"它从 {node.kind} 流出",
        )
    elif flow.condition and flow.id == node.default_flow:
        findings.add(
            path, "condition-misplaced", reason="it is the default flow", zh_reason="它是默认流"
        )
    elif chooses and not flow.condition and flow.id != node.default_flow and count > 1:
        findings.add(path, "condition-missing")


def _entering_twice(diagram: Diagram, node: Node, findings: Findings) -> None:
    sources = [flow.source for flow in diagram.entering[node.id]]
    for source in {name for name in sources if sources.count(name) > 1}:
        findings.add(diagram.path(node.id), "flow-twice", source=source, target=node.id)


def _boundary(diagram: Diagram, node: Node, findings: Findings) -> None:
    if node.kind != "boundaryEvent":
        return
    path, host = diagram.path(node.id), diagram.nodes.get(node.attached_to)
    if host is None or host.kind not in _ACTIVITIES or host.scope != node.scope:
        findings.add(path, "attached-to", id=node.attached_to)
    elif host.kind in _PASSING and not host.is_job:
        findings.add(path, "attached-to-passing", tag=host.kind)


def _reached(diagram: Diagram, findings: Findings) -> None:
    reached: set[str] = set()
    for node in diagram.nodes.values():
        if node.kind == "startEvent" or node.is_event_scope:
            reached |= {node.id} | diagram.reachable(node.id)
    for name in diagram.nodes:
        if name not in reached:
            findings.add(diagram.path(name), "unreachable")

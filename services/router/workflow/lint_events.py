"""Rules about events: races, errors and escalations nobody throws or catches, cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .findings import Findings
    from .model import Diagram, Node


def events(diagram: Diagram, findings: Findings) -> None:
    """Report events that would never fire, or would fire in a way the drawing does not say."""
    for node in diagram.nodes.values():
        if node.kind == "eventBasedGateway":
            _race(diagram, node, findings)
        if node.event.timer_kind == "cycle":
            _cycle(diagram, node, findings)
        if node.event.kind in ("error", "escalation"):
            _code(diagram, node, findings)


def _race(diagram: Diagram, node: Node, findings: Findings) -> None:
    flows = diagram.leaving[node.id]
    if len(flows) < 2:
        findings.add(diagram.path(node.id), "race-alone")
    for flow in flows:
        target = diagram.nodes[flow.target]
        catches = target.kind in ("intermediateCatchEvent", "receiveTask")
        catches = catches and target.event.kind != "link" and target.loop is None
        is_alone = len(diagram.entering[target.id]) == 1 and not diagram.boundaries[target.id]
        if not (catches and is_alone):
            findings.add(diagram.path(target.id), "race-target")


def _cycle(diagram: Diagram, node: Node, findings: Findings) -> None:
    if node.kind not in ("boundaryEvent", "startEvent") or node.is_interrupting:
        findings.add(diagram.path(node.id), "cycle-misplaced")


def _code(diagram: Diagram, node: Node, findings: Findings) -> None:
    path, event = diagram.path(node.id), node.event
    if node.kind == "startEvent":
        if event.kind == "error" and not node.is_interrupting:
            findings.add(path, "error-not-interrupting")
    elif node.kind == "boundaryEvent":
        if event.kind == "error" and not node.is_interrupting:
            findings.add(path, "error-not-interrupting")
        host = diagram.nodes.get(node.attached_to)
        if host is not None and not _may_throw(host, event.kind):
            kinds = {"error": "错误", "escalation": "升级"}
            findings.add(
                path, "never-thrown", tag=host.kind, kind=event.kind, zh_kind=kinds[event.kind]
            )
    elif event.kind == "error" and not _is_caught(diagram, node):
        findings.add(path, "error-uncaught", code=event.code)


def _may_throw(host: Node, kind: str) -> bool:
    return host.kind in ("subProcess", "callActivity") or (kind == "error" and host.is_job)


def _is_caught(diagram: Diagram, node: Node) -> bool:
    """Return whether a boundary event or an event sub-process around it takes an error.

    What a called process lets out its caller may catch; that is not known here.
    """
    for scope in ("", *node.scopes):
        beside = [
            s for n in diagram.within(scope) if n.is_event_scope for s in diagram.starts(n.id)
        ]
        on = diagram.boundaries[scope] if scope else []
        for catcher in (*beside, *on):
            inside = catcher.scope in node.scopes and catcher.kind == "startEvent"
            if inside and catcher.event.kind == "error":
                # An event sub-process does not catch what it throws itself.
                continue
            if catcher.event.kind == "error" and catcher.event.code in ("", node.event.code):
                return True
    return False

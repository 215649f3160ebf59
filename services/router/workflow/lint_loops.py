"""Rules about loops: one that waits for nothing spins, one into a join waits for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .findings import Findings
    from .model import Diagram, Node


def loops(diagram: Diagram, findings: Findings) -> None:
    """Report loops without a wait state and loops that lead into a join.

    Of a called process nothing is known here: see `spinning`.
    """
    spinning(diagram, frozenset(), findings)
    for node in diagram.nodes.values():
        is_join = node.kind in ("parallelGateway", "inclusiveGateway")
        if is_join and len(diagram.entering[node.id]) > 1:
            _into_join(diagram, node, findings)


def spinning(diagram: Diagram, passing: frozenset[str], findings: Findings) -> None:
    """Report loops without a wait state; through the `passing` calls a token goes at once."""
    for loop in _spinning(diagram, passing):
        findings.add(diagram.path(loop[0]), "loop-without-wait", loop=" → ".join((*loop, loop[0])))


def passes_through(diagram: Diagram, passing: frozenset[str]) -> bool:
    """Return whether a token can cross a whole process without resting."""
    return _passes_through(diagram, "", passing)


def _into_join(diagram: Diagram, node: Node, findings: Findings) -> None:
    """A join inside a loop is fine when the loop passes the split too: all its inputs then loop.

    It is wrong when an incoming flow can only be reached through the join itself.
    """
    if node.id not in diagram.reachable(node.id):
        return
    before = _reached_without(diagram, node)
    for flow in diagram.entering[node.id]:
        if flow.source not in before:
            findings.add(diagram.path(node.id), "loop-into-join")


def _reached_without(diagram: Diagram, join: Node) -> set[str]:
    start = next((n.id for n in diagram.within(join.scope) if n.kind == "startEvent"), join.id)
    seen = {start}
    pending = [start]
    while pending:
        for name in diagram.nexts[pending.pop()]:
            if name not in seen and name != join.id:
                seen.add(name)
                pending.append(name)
    return seen


def _spinning(diagram: Diagram, passing: frozenset[str]) -> list[list[str]]:
    """Return loops on which no token ever rests, one for each element they can be entered at.

    Depth-first without recursion: diagrams may be long.
    """
    moving = {name for name in diagram.nodes if not _rests(diagram, name, passing)}
    done: set[str] = set()
    found: list[list[str]] = []
    for root in diagram.nodes:
        if root not in moving or root in done:
            continue
        path: list[str] = []
        stack: list[tuple[str, bool]] = [(root, False)]
        while stack:
            name, is_left = stack.pop()
            if is_left:
                path.pop()
                done.add(name)
                continue
            if name in path:
                found.append(path[path.index(name) :])
                continue
            if name in done:
                continue
            path.append(name)
            stack.append((name, True))
            stack += [
                (flow.target, False) for flow in diagram.leaving[name] if flow.target in moving
            ]
    return found


def _rests(diagram: Diagram, name: str, passing: frozenset[str]) -> bool:
    """Return whether every token rests at (or inside) an element."""
    node = diagram.nodes[name]
    if node.kind == "callActivity":
        return name not in passing
    if node.kind != "subProcess":
        return node.waits
    return not _passes_through(diagram, name, passing)


def _passes_through(diagram: Diagram, scope: str, passing: frozenset[str]) -> bool:
    """Return whether a token can cross a sub-process without resting."""
    inside = diagram.within(scope)
    pending = [node.id for node in inside if node.kind == "startEvent"]
    seen = set(pending)
    while pending:
        name = pending.pop()
        if _rests(diagram, name, passing):
            continue
        if not diagram.leaving[name]:
            return True
        for flow in diagram.leaving[name]:
            if flow.target not in seen:
                seen.add(flow.target)
                pending.append(flow.target)
    return False

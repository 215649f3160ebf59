"""Rules about loops: one that waits for nothing spins, one into a join waits for ever."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .findings import Findings
    from .model import Diagram, Node


#: A duration all of whose numbers are zero.
_NO_TIME = re.compile(r"P[0.YMWDTHS]+")


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
    """Report loops without a wait state; through the `passing` calls a token goes at once.

    Where all that rests in a loop may be over at once (a condition that holds, rounds over an
    empty list) that is told, and not refused: what else is in the loop may see to it.
    """
    certain = _spinning(diagram, lambda name: _rests(diagram, name, passing))
    for loop in certain:
        findings.add(diagram.path(loop[0]), "loop-without-wait", loop=_shown(loop))
    if certain:
        return
    with findings.younger():
        hasty = _spinning(
            diagram, lambda n: _rests(diagram, n, passing) and not _is_over(diagram, n)
        )
        for loop in hasty:
            findings.add(diagram.path(loop[0]), "loop-without-wait", loop=_shown(loop))
    maybe = _spinning(diagram, lambda n: _rests(diagram, n, passing) and not _may_pass(diagram, n))
    for loop in maybe if not hasty else ():
        findings.add(diagram.path(loop[0]), "loop-may-spin", loop=_shown(loop))


def _shown(loop: list[str]) -> str:
    return " → ".join((*loop, loop[0]))


def _is_over(diagram: Diagram, name: str) -> bool:
    """Return whether an element is a timer of no time at all."""
    event = diagram.nodes[name].event
    return event.timer_kind == "duration" and bool(_NO_TIME.fullmatch(event.timer_text))


def _may_pass(diagram: Diagram, name: str) -> bool:
    node = diagram.nodes[name]
    is_condition = node.event.kind == "conditional" and node.kind == "intermediateCatchEvent"
    return node.loop is not None or is_condition or _is_over(diagram, name)


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


def _spinning(diagram: Diagram, rests: Callable[[str], bool]) -> list[list[str]]:
    """Return loops on which no token ever rests, one for each element they can be entered at.

    Depth-first without recursion: diagrams may be long.
    """
    moving = {name for name in diagram.nodes if not rests(name)}
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

"""How many tokens and moves a diagram can lead to, at most: what multiplies is refused.

A potential is given to every element: what one token there can become, at most. It never grows
when tokens move, so that of the start bounds them all:

* an end or a rest is worth one token; a choice the most of its branches; a split their sum;
* of a parallel join with k inputs each arriving token carries a k-th of what goes on, but at
  least itself, for it may wait there;
* an inclusive join goes on once all that could still come has come, so once for each pass: what
  goes on is counted once, whatever arrives.

Loops are followed once: each of them rests (lint_loops), and what comes about over many rounds
is bounded while it runs (MAX_TOKENS). Rounds of multi-instances are bounded there as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .tokens import MAX_MOVES, MAX_TOKENS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .findings import Findings
    from .model import Diagram, Node

#: Far above any number a sentence should show.
_MANY = 10**12
_JOINS = ("parallelGateway", "inclusiveGateway")


def worth(diagram: Diagram, called: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """Return how many tokens a process leads to at most, and how many moves one operation.

    `called` holds the same of the processes it calls, by their ids.
    """
    tokens = _Bound(diagram, {name: count for name, (count, _) in called.items()}, rests=False)
    moves = _Bound(diagram, {name: count for name, (_, count) in called.items()}, rests=True)
    return tokens.of_scope(""), moves.of_scope("")


def tokens(diagram: Diagram, called: Mapping[str, tuple[float, float]], findings: Findings) -> None:
    """Report a diagram in which tokens multiply."""
    limit = MAX_TOKENS // 2
    count, begin = worth(diagram, called)
    if count > limit:
        told = min(int(count), _MANY)
        findings.add(diagram.process_id, "tokens-multiply", count=told, limit=limit)
        return
    bound = _Bound(diagram, {name: moves for name, (_, moves) in called.items()}, rests=True)
    # An operation begins at the start, or where a token rested.
    begins = [begin]
    begins += [bound.behind(node) for node in diagram.nodes.values() if node.waits]
    if max(begins) > MAX_MOVES:
        count = min(int(max(begins)), _MANY)
        findings.add(diagram.process_id, "moves-multiply", count=count, limit=MAX_MOVES)


@dataclass(slots=True)
class _Open:
    """A node whose followers are being looked at."""

    name: str
    pending: list[str]


class _Bound:
    """Counts tokens, or the moves of one operation (which ends where tokens rest)."""

    def __init__(self, diagram: Diagram, called: Mapping[str, float], *, rests: bool) -> None:
        self.diagram = diagram
        self.called = called
        self.rests = rests
        self.worth: dict[str, float] = {}
        #: What goes on behind inclusive joins, counted once for each scope.
        self.once: dict[str, float] = {}
        self.scopes: dict[str, float] = {}

    def of_scope(self, scope: str) -> float:
        """Return the worth of one token at the start of a scope, event sub-processes included."""
        if scope not in self.scopes:
            self.scopes[scope] = 1
            beside = sum(self._of(n.id) for n in self.diagram.within(scope) if n.is_event_scope)
            total = sum(self._of(start.id) for start in self.diagram.starts(scope)) + beside
            self.scopes[scope] = total + self.once.get(scope, 0)
        return self.scopes[scope]

    def behind(self, node: Node) -> float:
        """Return the worth of a token that leaves a node, and of what it may set free."""
        self._of(node.id)
        total = sum(self._of(name) for name in self._nexts(node))
        return total + 1 + sum(self.once.get(s, 0) + self._left(s) for s in ("", *node.scopes))

    def _left(self, scope: str) -> float:
        """Return the worth of leaving a sub-process."""
        if not scope:
            return 0
        return sum(self._of(name) for name in self._nexts(self.diagram.nodes[scope]))

    def _of(self, name: str) -> float:
        """Depth-first without recursion: diagrams may be long."""
        stack = [_Open(name, [])] if name not in self.worth else []
        if stack:
            stack[0].pending = self._ahead(name)
            self.worth[name] = 1
        while stack:
            top = stack[-1]
            if top.pending:
                following = top.pending.pop()
                if following not in self.worth:
                    # Met again before it is known: a loop, followed once.
                    self.worth[following] = 1
                    stack.append(_Open(following, self._ahead(following)))
            else:
                stack.pop()
                self.worth[top.name] = self._count(self.diagram.nodes[top.name])
        return self.worth[name]

    def _ahead(self, name: str) -> list[str]:
        return list(self.diagram.nexts[name])

    def _nexts(self, node: Node) -> tuple[str, ...]:
        return tuple(flow.target for flow in self.diagram.leaving[node.id])

    def _count(self, node: Node) -> float:
        found = [self.worth[name] for name in self._nexts(node)]
        chooses = node.kind in ("exclusiveGateway", "eventBasedGateway")
        on = (max(found, default=0) if chooses else sum(found)) + self.rests
        if node.kind in _JOINS and len(self.diagram.entering[node.id]) > 1:
            on = self._joined(node, on)
        beside = [self.worth[event.id] + 1 for event in self.diagram.boundaries[node.id]]
        if self.rests and node.waits and node.kind != "boundaryEvent":
            return 1 + len(beside)
        if node.kind == "subProcess":
            on += self.of_scope(node.id)
        if node.kind == "callActivity":
            on += self.called.get(node.says.called_process, 1)
        return max(on, 1) + sum(beside)

    def _joined(self, node: Node, on: float) -> float:
        if node.kind == "parallelGateway":
            return max(1, on / len(self.diagram.entering[node.id]))
        self.once[node.scope] = self.once.get(node.scope, 0) + on
        return 1

"""What goes into and out of sub-processes, called processes and multi-instance rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .bindings import Binding, Mapped, mapped, write
from .errors import Stuck

if TYPE_CHECKING:
    from .expressions import Formula
    from .tokens import Game, SubScope, Token


@dataclass(frozen=True, slots=True)
class Inside(Binding):
    """A sub-process: its input mappings are local, its output mappings are what leaves."""

    inputs: tuple[Mapped, ...] = ()
    outputs: tuple[Mapped, ...] = ()
    #: A called process keeps what it writes, unless all of it is to be given back.
    is_call: bool = False
    gives_all: bool = False

    def opening(self, game: Game, token: Token) -> dict[str, object] | None:
        """Return the variables of the scope alone."""
        if not self.inputs and not self.is_call:
            return None
        return mapped(game, token, self.inputs)

    def closing(self, game: Game, token: Token, scope: SubScope) -> None:
        """Write what leaves: evaluated on what is seen inside, all of it before any is written."""
        inside = scope.context()
        found = [(m.target, m.source.value(inside, game.moment.now)) for m in self.outputs]
        if self.gives_all:
            inputs = {mapping.target[0] for mapping in self.inputs}
            given = {k: v for k, v in (scope.local or {}).items() if k not in inputs}
            found = [*(((name,), value) for name, value in given.items()), *found]
        for target, value in found:
            write(token, target, value)


@dataclass(frozen=True, slots=True)
class Rounds(Binding):
    """A multi-instance: over which collection, called what inside, and what becomes of it."""

    collection: Formula | None = None
    element: str = ""
    into: str = ""
    result: Formula | None = None
    enough: Formula | None = None
    #: Variables that belong to each round alone: where its answer goes.
    own: tuple[str, ...] = ()

    def items(self, game: Game, token: Token) -> list[Any]:
        """Return the elements there are rounds for."""
        assert self.collection is not None
        found = game.value(self.collection, token)
        if not isinstance(found, list):
            detail = f"the collection {self.collection.text!r} gives {found!r}, which is no list"
            raise Stuck("expression-failed", detail, self.collection.inputs(game.seen(token)))
        return found

    def opening(self, place: int, item: object) -> dict[str, object]:
        """Return a round's own variables."""
        local: dict[str, object] = dict.fromkeys(self.own)
        if self.element:
            local[self.element] = item
        local["loopCounter"] = place + 1
        return local

    def round_closing(
        self, game: Game, scope: SubScope, whole: Token, place: int, running: int
    ) -> bool:
        """Take what a round gave; return whether that was enough and the others need not end."""
        inside, now = scope.context(), game.moment.now
        got = None if self.result is None else self.result.value(inside, now)
        kept = whole.internal_data
        is_enough = self.enough is not None and self.enough.decide(
            {
                **inside,
                "numberOfInstances": len(kept["got"]),
                "numberOfActiveInstances": running,
                "numberOfCompletedInstances": kept["count"] + 1,
                "numberOfTerminatedInstances": 0,
            },
            now,
        )
        kept["got"][place] = got
        kept["count"] += 1
        return is_enough

    def closing(self, game: Game, token: Token) -> None:
        """Write the collection of results; rounds that never ended give null."""
        if self.into:
            write(token, (self.into,), token.internal_data["got"])

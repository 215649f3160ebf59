"""What an element does with variables; compiled once, no Spiff.

`enter` is called when a token comes, `leave` when what it waited for has come, `finish` when
somebody outside answered, `carry` when a boundary event may be armed once more. What a binding
keeps lies in the token's internal data as small JSON values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .values import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .expressions import Text
    from .tokens import Game, Token


class DecisionEvaluator(Protocol):
    """Takes decisions; the router binds it to the released tables an instance runs on."""

    def evaluate(
        self, decision_id: str, inputs: Mapping[str, object], now: datetime
    ) -> tuple[object, object]:
        """Return the result as JSON values and an explanation of any shape.

        `now` is what now() and today() mean in the table.

        Raises a LeveeError when no decision can be taken; it becomes an incident.
        """


@dataclass(frozen=True, slots=True)
class Mapped:
    """One input or output mapping: the dotted target and where its value comes from."""

    target: tuple[str, ...]
    source: Text


@dataclass(frozen=True, slots=True)
class Binding:
    """What all bindings may do; by itself it does nothing and may be armed again."""

    element_id: str = ""

    def enter(self, game: Game, token: Token) -> None:
        """Prepare, or do what needs no answer."""

    def leave(self, game: Game, token: Token, payload: dict[str, object]) -> None:
        """Take in what came."""

    def finish(self, game: Game, token: Token, result: dict[str, object]) -> None:
        """Take in what somebody outside answered."""

    def carry(self, game: Game, token: Token) -> dict[str, object] | None:
        """Return what the next arming starts from, or None when it was the last."""
        return {}

    def is_true(self, game: Game, token: Token) -> bool:
        """Return whether a condition that is waited for has become true."""
        return False


@dataclass(frozen=True, slots=True)
class WithOutputs(Binding):
    """A binding whose answer goes into the variables."""

    outputs: tuple[Mapped, ...] = ()
    #: The variable that takes the whole answer when no output mapping is drawn.
    key: str = ""

    def store(self, game: Game, token: Token, answer: dict[str, object]) -> None:
        """Write an answer: by the output mappings, which see it as local variables, or as a whole.

        Everything is evaluated before anything is written. An empty answer leaves no trace.
        """
        if self.outputs:
            write_outputs(game, token, self.outputs, {**local_of(token), **answer})
        elif answer:
            write(token, (self.key,), answer)

    def leave(self, game: Game, token: Token, payload: dict[str, object]) -> None:
        """Write the message's payload."""
        self.store(game, token, payload)

    def finish(self, game: Game, token: Token, result: dict[str, object]) -> None:
        """Write the result of the work."""
        self.store(game, token, result)


def local_of(token: Token) -> dict[str, object]:
    """Return the variables an element made for itself by its input mappings."""
    local: dict[str, object] = token.internal_data.get("local", {})
    return local


def keep_local(game: Game, token: Token, inputs: tuple[Mapped, ...]) -> None:
    """Evaluate input mappings and keep them with the token, for as long as it rests here."""
    if inputs:
        local = mapped(game, token, inputs)
        # What cannot be stored stops here, at the element that made it.
        bounded(local)
        token.internal_data["local"] = local


def mapped(game: Game, token: Token, inputs: tuple[Mapped, ...]) -> dict[str, object]:
    """Return the local variables that input mappings make; later ones see earlier ones."""
    local: dict[str, object] = {}
    for mapping in inputs:
        assign(local, mapping.target, game.value(mapping.source, token, local))
    return local


def write_outputs(
    game: Game, token: Token, outputs: tuple[Mapped, ...], answer: dict[str, object]
) -> None:
    """Evaluate output mappings on the answer, then write them all."""
    found = [(m.target, game.value(m.source, token, answer)) for m in outputs]
    for target, value in found:
        write(token, target, value)


def write(token: Token, target: tuple[str, ...], value: object) -> None:
    """Write a variable where it lives: the nearest scope that has it, else the outermost."""
    scope = token.workflow
    home = scope.home(target[0])
    if len(target) > 1 and target[0] not in home:
        known = scope.context().get(target[0])
        if known is not None:
            home[target[0]] = known
    assign(home, target, value)


def assign(variables: dict[str, object], target: tuple[str, ...], value: object) -> None:
    """Write a value under a dotted name; what lies on the way is copied, never changed in place."""
    *way, last = target
    for part in way:
        inner = variables.get(part)
        copy = dict(inner) if isinstance(inner, dict) else {}
        variables[part] = copy
        variables = copy
    variables[last] = value

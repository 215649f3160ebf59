"""Elements inside of which tokens move: sub-processes, called processes, multi-instances.

What runs inside lies in a scope of its own, owned by the element's token. When no token is left
inside, the owner is run again with "done" in its internal data and takes out what is to be kept;
if that fails the token is held there, with everything inside still to be seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import Stuck, TooMuch
from .specs import Element
from .tokens import MAX_MOVES

if TYPE_CHECKING:
    from .bindings_scopes import Inside, Rounds
    from .tokens import Game, Token

#: Rounds of one multi-instance: each holds a few tokens, and an instance has at most 2,000.
MAX_ROUNDS = 600


class SubProcess(Element):
    """An embedded sub-process, or a called process: rests until no token is left inside."""

    inner = ""

    def _run_hook(self, token: Token) -> bool | None:
        game: Game = token.workflow.top_workflow
        inside: Inside | None = self.binding  # type: ignore[assignment]
        if "done" not in token.internal_data:
            local = None if inside is None else inside.opening(game, token)
            game.open_scope(token, self.inner, local)
            return None
        if inside is not None:
            inside.closing(game, token, game.subprocesses[token.id])
        game.close_scope(token)
        return True

    def _on_cancel(self, token: Token) -> None:
        token.workflow.top_workflow.close_scope(token)


class Each(Element):
    """A multi-instance activity: one round per element of a collection, at once or in turn.

    Keeps, in its token: "got" (what the rounds gave, by place), "count" (rounds that ended) and,
    when in turn, "items" (what the rounds are about).
    """

    is_hidden = True
    is_recorded = False
    inner = ""
    is_sequential = False

    def _run_hook(self, token: Token) -> bool | None:
        game: Game = token.workflow.top_workflow
        rounds: Rounds = self.binding  # type: ignore[assignment]
        if "done" not in token.internal_data:
            return self._open(game, rounds, token)
        rounds.closing(game, token)
        game.close_scope(token)
        return True

    def _open(self, game: Game, rounds: Rounds, token: Token) -> bool | None:
        items = rounds.items(game, token)
        if len(items) > MAX_ROUNDS:
            detail = f"the collection has {len(items)} elements; at most {MAX_ROUNDS} are allowed"
            raise Stuck("too-many-rounds", detail, {"elements": len(items)})
        token.internal_data |= {"got": [None] * len(items), "count": 0}
        if not items:
            rounds.closing(game, token)
            game.moment.completed.append(self.bpmn_id)
            return True
        scope = game.place_scope(token, self.inner, None)
        if self.is_sequential:
            token.internal_data["items"] = items
        for place, item in enumerate(items[:1] if self.is_sequential else items):
            begin(scope, place, item)
        return None

    def _on_cancel(self, token: Token) -> None:
        token.workflow.top_workflow.close_scope(token)


class Round(Element):
    """One round of a multi-instance: the activity in a scope with the round's own variables."""

    inner = ""

    def _run_hook(self, token: Token) -> bool | None:
        game: Game = token.workflow.top_workflow
        rounds: Rounds = self.binding  # type: ignore[assignment]
        place, kept = token.internal_data["round"], token.internal_data
        if "done" not in kept:
            game.open_scope(token, self.inner, rounds.opening(place, kept.pop("item")))
            return None
        scope = game.subprocesses[token.id]
        whole = token.workflow.owner
        others = [t for t in token.workflow.live() if t is not token]
        is_over = rounds.round_closing(game, scope, whole, place, len(others))
        game.close_scope(token)
        if is_over:
            for other in others:
                other.cancel()
        elif "items" in whole.internal_data and place + 1 < len(whole.internal_data["items"]):
            begin(token.workflow, place + 1, whole.internal_data["items"][place + 1])
        return True

    def _on_cancel(self, token: Token) -> None:
        token.workflow.top_workflow.close_scope(token)


def begin(scope: Any, place: int, item: object) -> None:
    """Begin one round."""
    game: Game = scope.top_workflow
    game.moment.rounds += 1
    if game.moment.rounds > MAX_MOVES:
        # Each of them moves: nested rounds would be opened for long before that is noticed.
        raise TooMuch("too-many-moves", f"more than {MAX_MOVES} rounds in one operation")
    token = game.token(scope, scope.spec.round)
    token.internal_data |= {"round": place, "item": item}
    token._ready()

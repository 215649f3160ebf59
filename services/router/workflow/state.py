"""Stored instances: one JSON array, its order fixed, variables once, live tokens only.

    [format, instance id, process key, process version, moves, last token id, is ended, variables,
     [[owner token or 0, scope or "", [[id, group or 0, state, spec, kept or 0], …], local], …]]

`local` are the variables of the scope alone, left out when it has none. The definitions beside
the process that the instance is pinned to stand in the place of a scope without owner or tokens:
[0, [[kind, key, version], …], []]. A release that knows no pins passes over it, so that the two
can work side by side on instances both can run.

Arrays keep their order everywhere, so a store that reorders object keys does no harm (H3). The
process itself is not stored: an instance is pinned to a released (key, version).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from .errors import StateNotReadable, StateOfOtherVersion
from .tokens import FUTURE, LIVE, Game, SubScope, Token

if TYPE_CHECKING:
    from .compiled import CompiledProcess, Pins

FORMAT = 1


def dump(process: CompiledProcess, instance_id: UUID, game: Game, moves: int) -> bytes:
    """Write an instance at rest."""
    scopes: list[list[Any]] = [[0, "", _rows(game)]]
    if process.pins:
        scopes.append([0, process.pins, []])
    for owner, inner in game.subprocesses.items():
        local = [] if inner.local is None else [inner.local]
        scopes.append([owner, inner.spec.name, _rows(inner), *local])
    return orjson.dumps(
        [
            FORMAT,
            str(instance_id),
            process.key,
            process.version,
            moves,
            game.number,
            game.completed,
            game.variables,
            scopes,
        ]
    )


class Stored:
    """A stored instance that was looked at, not yet put on a process."""

    __slots__ = ("bytes", "key", "pins", "values", "version")

    def __init__(self, state: bytes) -> None:
        """Read the bytes; raise StateNotReadable for what is no state of a known format."""
        self.bytes = state
        self.values = _parsed(state)
        self.key: str = self.values[2]
        self.version: int = self.values[3]
        #: The definitions it is pinned to; None for one stored before there were pins.
        self.pins: Pins | None = None
        for _, told, *_ in self.values[8]:
            if isinstance(told, list):
                self.pins = tuple((kind, key, version) for kind, key, version in told)


def load(process: CompiledProcess, stored: Stored) -> tuple[UUID, Game, int]:
    """Read an instance: its id, its tokens and variables, and how many operations it has seen.

    Raises StateNotReadable for what is no state of a known format, StateOfOtherVersion when it
    runs on another process or version.
    """
    _, instance_id, key, version, moves, number, is_ended, variables, scopes = stored.values
    if (key, version) != (process.key, process.version):
        raise StateOfOtherVersion(f"{key} v{version}", f"{process.key} v{process.version}")
    game = Game(process.net, variables, number)
    try:
        identity = UUID(instance_id)
        for owner, name, rows, *local in scopes:
            scope: Any = game
            if owner:
                scope = _inner(game, owner, name, local)
            _place(scope, rows)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise StateNotReadable(f"{type(problem).__name__}: {problem}") from None
    game.completed = is_ended
    return identity, game, moves


def _inner(game: Game, owner: int, name: str, local: list[dict[str, object]]) -> SubScope:
    """Make a scope again; what owns it was stored, and so read, before it."""
    token = game.find(owner)
    if token is None:
        raise ValueError(f"nothing owns the scope {name}")
    return game.place_scope(token, name, local[0] if local else None)


def _parsed(state: bytes) -> list[Any]:
    try:
        stored = orjson.loads(state)
    except orjson.JSONDecodeError as problem:
        raise StateNotReadable(str(problem)) from None
    if not isinstance(stored, list) or not stored or stored[0] != FORMAT or len(stored) != 9:
        raise StateNotReadable("unknown format")
    values: list[Any] = stored
    return values


def _rows(scope: Any) -> list[list[Any]]:
    return [
        [t.id, t._parent or 0, t._state, t.task_spec.name, t.internal_data or 0]
        for t in scope.tasks.values()
        if t._state & LIVE or t.task_spec.is_group
    ]


def _place(scope: Any, rows: list[list[Any]]) -> None:
    specs, tasks = scope.spec.task_specs, scope.tasks
    for number, group, state, name, kept in rows:
        token = Token(scope, specs[name], tasks[group] if group else None, FUTURE, number)
        token._state = state
        if kept:
            token.internal_data = kept

"""Stored instances: one JSON array, its order fixed, variables once, live tokens only.

    [format, instance id, process key, process version, moves, last token id, is ended, variables,
     [[owner token or 0, sub-process id or "", [[id, group or 0, state, spec, kept or 0], …]], …]]

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
    from .compiled import CompiledProcess

FORMAT = 1


def dump(process: CompiledProcess, instance_id: UUID, game: Game, moves: int) -> bytes:
    """Write an instance at rest."""
    scopes = [[0, "", _rows(game)]]
    scopes += [[owner, s.spec.name, _rows(s)] for owner, s in game.subprocesses.items()]
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


def load(process: CompiledProcess, state: bytes) -> tuple[UUID, Game, int]:
    """Read an instance: its id, its tokens and variables, and how many operations it has seen.

    Raises StateNotReadable for what is no state of a known format, StateOfOtherVersion when it
    runs on another process or version.
    """
    stored = _parsed(state)
    _, instance_id, key, version, moves, number, is_ended, variables, scopes = stored
    if (key, version) != (process.key, process.version):
        raise StateOfOtherVersion(f"{key} v{version}", f"{process.key} v{process.version}")
    game = Game(process.net, variables, number)
    try:
        identity = UUID(instance_id)
        for owner, name, rows in scopes:
            scope: Any = game
            if owner:
                spec = process.net.sub_specs[name]
                scope = SubScope(spec, owner, game, deserializing=True)
                game.subprocesses[owner] = scope
            _place(scope, rows)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise StateNotReadable(f"{type(problem).__name__}: {problem}") from None
    game.completed = is_ended
    return identity, game, moves


def _parsed(state: bytes) -> list[Any]:
    try:
        stored = orjson.loads(state)
    except orjson.JSONDecodeError as problem:
        raise StateNotReadable(str(problem)) from None
    if not isinstance(stored, list) or not stored or stored[0] != FORMAT or len(stored) != 9:
        raise StateNotReadable("unknown format")
    return stored


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

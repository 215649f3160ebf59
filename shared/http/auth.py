"""API keys: 256 random bits behind a prefix, stored as SHA-256, with scopes and an expiry.

The keys of an installation stand in one JSON file every service reads (a mounted secret, or the
data folder of the all-in-one): `{"keys": [{"id", "hash", "scopes": [...], "name", "expires_at"}]}`.
Services look at the file again when it changes, so keys come and go without a restart.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from fastapi import Depends, Request

from shared.errors import Forbidden, Invalid, Unauthorized

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from shared.time_source import TimeSource

_log = logging.getLogger(__name__)

_PREFIX = "levee_"

#: What a key may do. `*` may do everything (the operator's own key).
SCOPES = (
    "requests:write",
    "requests:read",
    "work:write",
    "work:read",
    "jobs:work",
    "process:write",
    "board:read",
    "operate",
)


class BadKeyFile(Invalid):
    """The API key file {path} is not valid: {reason}."""

    zh: ClassVar[str] = "API 密钥文件 {path} 无效：{reason}。"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking."""

    key_id: str
    name: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether the key carries the scope."""
        return scope in self.scopes or "*" in self.scopes


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One key as kept: never the key itself."""

    id: str
    hash: str
    scopes: tuple[str, ...]
    name: str
    expires_at: datetime | None


def new_key(
    name: str, scopes: Sequence[str], expires_at: datetime | None = None
) -> tuple[str, dict[str, Any]]:
    """Make a key; return the key itself, to be shown once, and what to keep of it."""
    key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    key = f"{_PREFIX}{key_id}_{secret}"
    kept = {
        "id": key_id,
        "hash": _hash(key),
        "scopes": list(scopes),
        "name": name,
        "expires_at": expires_at.isoformat() if expires_at else None,
    }
    return key, kept


def add_to_file(path: Path, kept: dict[str, Any]) -> None:
    """Add a kept key to the key file, readable by its owner only."""
    known = orjson.loads(path.read_bytes()) if path.exists() else {"keys": []}
    known["keys"].append(kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(orjson.dumps(known, option=orjson.OPT_INDENT_2))
    beside.replace(path)


class KeyRing:
    """The keys in force, read from a file that may change at any time."""

    def __init__(self, path: Path | None, time: TimeSource) -> None:
        """Read `path`; raise `BadKeyFile`. A file that is not there yet holds no keys."""
        self._path, self._time = path, time
        self._read: tuple[int, int, int] | None = None
        self._keys: dict[str, StoredKey] = {}
        self._look(is_start=True)

    def caller(self, token: str) -> Caller:
        """Return who holds this key; raise `Unauthorized` for unknown or expired ones."""
        self._look()
        key_id = token.removeprefix(_PREFIX).partition("_")[0]
        kept = self._keys.get(key_id)
        # Compared in constant time even for unknown ids, so that timing tells nothing.
        matches = hmac.compare_digest(kept.hash if kept else _hash(""), _hash(token))
        if kept is None or not matches:
            raise Unauthorized
        if kept.expires_at is not None and kept.expires_at <= self._time.now():
            raise Unauthorized
        return Caller(kept.id, kept.name, frozenset(kept.scopes))

    def _look(self, *, is_start: bool = False) -> None:
        if self._path is None:
            return
        try:
            state = self._path.stat()
        except FileNotFoundError:
            self._keys, self._read = {}, None
            return
        seen = (state.st_mtime_ns, state.st_size, state.st_ino)
        if seen == self._read:
            return
        self._read = seen
        try:
            self._keys = {key.id: key for key in _read_keys(self._path)}
        except BadKeyFile as error:
            if is_start:
                raise
            # Nobody is locked out by a slip; who was to be removed stays until it is mended.
            _log.error("%s The keys read before stay in force.", error)


def require(scope: str) -> Callable[[Request], Awaitable[Caller]]:
    """Return a FastAPI dependency: the caller, who must carry `scope`."""

    # Not a plain function: FastAPI would send each call through its thread pool.
    async def check(request: Request) -> Caller:
        header = request.headers.get("authorization", "")
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer" or not token:
            raise Unauthorized
        ring: KeyRing = request.app.state.keys
        caller = ring.caller(token.strip())
        if not caller.may(scope):
            raise Forbidden(scope=scope)
        return caller

    return check


def needs(scope: str) -> Any:
    """Return the dependency of an endpoint: `caller: Annotated[Caller, needs("work:read")]`."""
    return Depends(require(scope))


def _read_keys(path: Path) -> list[StoredKey]:
    try:
        return [
            StoredKey(
                str(raw["id"]),
                str(raw["hash"]),
                tuple(map(str, raw["scopes"])),
                str(raw.get("name", "")),
                _moment(raw["expires_at"]) if raw.get("expires_at") else None,
            )
            for raw in orjson.loads(path.read_bytes())["keys"]
        ]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, OSError) as error:
        raise BadKeyFile(path=str(path), reason=f"{type(error).__name__}: {error}") from error


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("expires_at without an offset")
    return moment


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()

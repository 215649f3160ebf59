"""The data folder of an all-in-one house: its files, its keys, and where the running one is.

Apart from what builds a house: whoever only asks a running one need not import six services.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from shared.http.auth import add_to_file, new_key


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder of an all-in-one house."""

    path: Path

    @property
    def databases(self) -> Path:
        """Where the services' SQLite files lie."""
        return self.path / "data"

    @property
    def keys_file(self) -> Path:
        """The hashes of the API keys."""
        return self.path / "keys.json"

    @property
    def operator_key_file(self) -> Path:
        """The key of whoever may read this folder: the command line uses it."""
        return self.path / "operator.key"

    @property
    def running_file(self) -> Path:
        """Where the running house is: pid and address."""
        return self.path / "running.json"

    @property
    def store(self) -> Path:
        """Where the embedded bus keeps its streams."""
        return self.path / "nats"

    def operator_key(self) -> str:
        """Return the operator's key, made at the first call."""
        self.path.mkdir(parents=True, exist_ok=True)
        if self.operator_key_file.exists():
            return self.operator_key_file.read_text(encoding="ascii").strip()
        key, kept = new_key("operator", ["*"])
        add_to_file(self.keys_file, kept)
        handle = os.open(self.operator_key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key + "\n")
        return key

    def running(self) -> dict[str, Any] | None:
        """Return pid and address of the house that runs on this folder, if one does."""
        try:
            told: dict[str, Any] = orjson.loads(self.running_file.read_bytes())
            os.kill(told["pid"], 0)
        except (FileNotFoundError, ProcessLookupError, orjson.JSONDecodeError, KeyError):
            return None
        return told

    def note_running(self, url: str) -> None:
        """Write down where this process's house is."""
        self.running_file.write_bytes(orjson.dumps({"pid": os.getpid(), "url": url}))

    def note_stopped(self) -> None:
        """Forget the running house."""
        self.running_file.unlink(missing_ok=True)

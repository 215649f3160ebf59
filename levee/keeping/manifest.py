"""What a backup says of itself: read before anything else of it is believed."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Annotated

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from levee.house import NAMES
from levee.keeping.errors import BackupDamaged, BackupNewer, NoBackup
from shared.service import version

#: Grows when an older program could not read a backup any more.
FORMAT = 1
FILE = "manifest.json"
_BLOCK = 1 << 20


class Part(BaseModel):
    """One service's file: a SQLite database whatever the source was."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    file: Annotated[str, Field(pattern=r"^[a-z]+\.db$")]
    #: Where it came from: sqlite or postgresql.
    source: str
    revision: str
    bytes: int
    sha256: str
    #: Table -> rows.
    rows: dict[str, int]


class Manifest(BaseModel):
    """A whole backup. `cut_at` is the one moment (UTC) all its files show."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: int
    version: str
    cut_at: datetime
    finished_at: datetime
    #: How long nobody could write while the cut was made.
    held_ms: float
    services: dict[str, Part]
    #: Further files (the hashes of API keys), name -> SHA-256.
    others: dict[str, str] = {}

    @property
    def total_bytes(self) -> int:
        """The size of all databases."""
        return sum(part.bytes for part in self.services.values())


def write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest; the last file of a backup."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z
    text = orjson.dumps(manifest.model_dump(), option=options)
    path = folder / FILE
    path.touch(mode=0o600)
    path.write_bytes(text + b"\n")


def read(folder: Path) -> Manifest:
    """Return a backup's manifest; raise `NoBackup`, `BackupDamaged` and `BackupNewer`."""
    path = folder / FILE
    try:
        raw = orjson.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise NoBackup(folder=folder, reason=f"{FILE} is missing") from error
    except NotADirectoryError as error:
        raise NoBackup(folder=folder, reason="not a folder") from error
    except (OSError, orjson.JSONDecodeError) as error:
        raise BackupDamaged(file=path, reason=f"cannot be read ({error})") from error
    found = raw.get("format") if isinstance(raw, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise BackupNewer(found=raw.get("version"), detail=f"format {found}", own=version())
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        place = "/".join(map(str, wrong["loc"]))
        raise BackupDamaged(file=path, reason=f"{place}: {wrong['msg']}") from error
    missing = sorted(set(NAMES) - set(manifest.services))
    if missing:
        raise BackupDamaged(file=path, reason=f"no part for {', '.join(missing)}")
    return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """Compare every file with what the manifest says; raise `BackupDamaged`."""
    wanted = {part.file: part.sha256 for part in manifest.services.values()} | manifest.others
    for name, digest in wanted.items():
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise BackupDamaged(file=path, reason="is missing")
        if digest_of(path) != digest:
            raise BackupDamaged(file=path, reason="is not what was written (SHA-256 differs)")


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()

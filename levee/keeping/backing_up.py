"""Taking a backup: one moment of six databases, copied while the house works on."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from levee.house import NAMES
from levee.keeping import gaps, manifest
from levee.keeping.errors import NoRoom
from levee.keeping.manifest import Manifest, Part
from levee.keeping.services import METADATA, hears
from levee.keeping.sources import HOLD_S, source_of
from shared.service import version
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from levee.keeping.sources import Source

#: What finished backups are called; what is under way begins with a dot.
PREFIX = "levee-"
_TIME = SystemTime()


async def back_up(
    urls: Mapping[str, str],
    into: Path,
    *,
    others: Mapping[str, Path] | None = None,
    hold_s: float = HOLD_S,
    progress: Callable[[str, float], None] = lambda _service, _share: None,
) -> tuple[Path, Manifest]:
    """Write a backup below `into`; return its folder and what it says of itself.

    `urls` names each service's database; `others` are small files kept with it. Writers wait only
    while the moment is fixed; `progress` hears how much of each database is copied. Raises
    `HouseBusy`, `SchemaDiffers`, `UnheardAndForgotten`, `NotOneMoment` and `NoRoom`; then, and
    after a kill, there is nothing that looks like a backup.
    """
    began = _TIME.now()
    partial = _begun(into)
    try:
        cut_at, held_ms = await _copy_all(urls, partial, hold_s, progress)
        await asyncio.to_thread(gaps.check, partial, hears())
        digests = {name: _keep(path, partial / name) for name, path in (others or {}).items()}
        parts = {name: await asyncio.to_thread(_part, partial, name, urls[name]) for name in NAMES}
        told = Manifest(
            format=manifest.FORMAT,
            version=version(),
            cut_at=cut_at,
            finished_at=_TIME.now(),
            held_ms=round(held_ms, 1),
            services=parts,
            others=digests,
        )
        manifest.write(partial, told)
        _sync(partial)
        final = _free_name(into, began)
        partial.rename(final)
        _sync_folder(into)
    except OSError as error:
        raise NoRoom(place=into, reason=error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final, told


def prune(into: Path, keep: int) -> list[Path]:
    """Remove all but the `keep` newest finished backups; return what is gone.

    Only folders with our name and a manifest count: nothing else is ever touched.
    """
    finished = sorted(
        path
        for path in into.glob(f"{PREFIX}*")
        if path.is_dir() and (path / manifest.FILE).is_file()
    )
    gone = finished[: max(0, len(finished) - keep)]
    for path in gone:
        shutil.rmtree(path)
    return gone


async def _copy_all(
    urls: Mapping[str, str],
    folder: Path,
    hold_s: float,
    progress: Callable[[str, float], None],
) -> tuple[datetime, float]:
    """Fix one moment everywhere and copy it; return the moment and how long writers waited."""
    sources = {name: source_of(name, urls[name], METADATA[name], hold_s) for name in NAMES}
    try:
        for source in sources.values():
            await source.open()
        cut_at, held_ms = await _cut(sources)
        for name, source in sources.items():
            path = folder / f"{name}.db"
            path.touch(mode=0o600)
            await source.copy_to(path, lambda share, name=name: progress(name, share))  # type: ignore[misc]
    finally:
        for source in sources.values():
            await source.close()
    return cut_at, held_ms


async def _cut(sources: Mapping[str, Source]) -> tuple[datetime, float]:
    began = _TIME.monotonic()
    try:
        for source in sources.values():
            await source.hold()
        for source in sources.values():
            await source.pin()
        cut_at = _TIME.now()
    finally:
        for source in sources.values():
            await source.free()
    return cut_at, (_TIME.monotonic() - began) * 1000


def _begun(into: Path) -> Path:
    """Make the folder that gets its name when it is complete."""
    partial = into / f".partial-{secrets.token_hex(6)}"
    try:
        into.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
    except OSError as error:
        raise NoRoom(place=into, reason=error) from error
    return partial


def _part(folder: Path, name: str, url: str) -> Part:
    path = folder / f"{name}.db"
    with closing(sqlite3.connect(path)) as connection:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        rows: dict[str, Any] = {
            table: connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
            for (table,) in sorted(tables)
        }
    return Part(
        file=path.name,
        source="sqlite" if url.startswith("sqlite") else "postgresql",
        revision=str(revision[0]),
        bytes=path.stat().st_size,
        sha256=manifest.digest_of(path),
        rows=rows,
    )


def _keep(source: Path, target: Path) -> str:
    target.touch(mode=0o600)
    target.write_bytes(source.read_bytes())
    return manifest.digest_of(target)


def _free_name(into: Path, moment: datetime) -> Path:
    stem = f"{PREFIX}{moment:%Y%m%dT%H%M%SZ}"
    names = (stem, *(f"{stem}-{count}" for count in range(2, 1_000)))
    return next(into / name for name in names if not (into / name).exists())


def _sync(folder: Path) -> None:
    """Have everything on the disk before the backup gets its name."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

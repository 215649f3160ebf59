"""Putting a backup back: staged beside its place, mended, audited, then put there whole."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from levee.auditing.stopped import stopped_house
from levee.auditing.walk import audit
from levee.auditing.words import sentences
from levee.embedded import Folder
from levee.house import NAMES
from levee.keeping import manifest
from levee.keeping.errors import BackupNewer, NoRoom, NotEmpty, NotSound
from levee.keeping.services import KIT
from levee.keeping.targets import target_of
from services.intake.store.restoring import skip_numbers
from services.notify.store.restoring import doubt_open_deliveries
from shared.consuming.restored import begin_again
from shared.database import migrations
from shared.database.engine import Database
from shared.service import version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from levee.auditing.walk import Report
    from levee.keeping.manifest import Manifest

#: Numbers left out by default: more requests than a house gets between two backups of a day
#: would be a second, larger setting.
NUMBERS_SKIPPED = 1_000
#: What a house at work may have too and its operator sees: messages that wait for a person or a
#: predecessor. And what is so on purpose in one that stands still: an outbox that is full, moments
#: that have come due since.
_NOT_UNSOUND = frozenset(
    {
        "set_aside",
        "set_aside_elsewhere",
        "parked",
        "outbox_stuck",
        "timer_overdue",
        "timers_overdue",
    }
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back. `events` will be published again, `doubts` are marked deliveries."""

    manifest: Manifest
    events: int
    doubts: int
    numbers_skipped: int
    requests: int
    #: What is merely late: events on their way.
    late: int
    #: What did not add up and was accepted.
    faults: int


async def restore(
    backup: Path,
    urls: Mapping[str, str],
    *,
    staging: Path | None = None,
    numbers: int = NUMBERS_SKIPPED,
    accept_faults: bool = False,
    progress: Callable[[str], None] = lambda _step: None,
) -> Restored:
    """Put a backup into the empty databases at `urls`; all of it or nothing.

    It is unpacked below `staging` (default: the system's folder for temporary files), brought to
    this program's schema, mended and audited there. Raises `NoBackup`, `BackupDamaged`,
    `BackupNewer`, `NotEmpty`, `NotSound`, `NoRoom` and `HouseBusy`; nothing is in place then.
    `accept_faults` puts in place what does not add up, too: sometimes there is nothing better.
    A kill while databases commit one after the other can leave some filled: empty them and restore
    again.
    """
    told = manifest.read(backup)
    _require_known(told)
    targets = {name: target_of(name, urls[name]) for name in NAMES}
    try:
        for target in targets.values():
            await target.require_empty()
        progress("verify")
        manifest.verify(backup, told)
        with _staged(staging) as stage:
            folder = Folder(stage)
            progress("unpack")
            _unpack(backup, told, folder)
            events, doubts = await _mend(folder, numbers)
            progress("audit")
            report = await _audited(folder)
            if report.faults and not accept_faults:
                raise _not_sound(report)
            for name, target in targets.items():
                progress(name)
                await target.fill(folder.databases / f"{name}.db")
        for target in targets.values():
            await target.finish()
    finally:
        for target in targets.values():
            await target.close()
    late, faults = len(report.lags), len(report.faults)
    return Restored(told, events, doubts, numbers, report.requests, late, faults)


def require_free(folder: Folder) -> None:
    """Raise `NotEmpty` where a data folder has streams of its own or a house at work."""
    if told := folder.running():
        raise NotEmpty(place=folder.path, what=f"a house runs there ({told['url']})")
    streams = folder.store / "jetstream"
    if streams.exists() and any(streams.iterdir()):
        raise NotEmpty(place=folder.path, what=f"{streams.relative_to(folder.path)} has streams")


@contextmanager
def _staged(staging: Path | None) -> Iterator[Path]:
    """Make a folder that is gone at the end."""
    try:
        if staging is not None:
            staging.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(prefix=".levee-restoring-", dir=staging)
    except OSError as error:
        raise NoRoom(place=staging or tempfile.gettempdir(), reason=error) from error
    with made as name:
        yield Path(name)


def _require_known(told: Manifest) -> None:
    """Raise `BackupNewer` for a schema this program has never heard of."""
    for name, part in told.services.items():
        if name in NAMES and part.revision not in migrations.known(name):
            detail = f"{name} at revision {part.revision}"
            raise BackupNewer(found=told.version, detail=detail, own=version())


def _unpack(backup: Path, told: Manifest, folder: Folder) -> None:
    try:
        folder.databases.mkdir(parents=True)
        for name in NAMES:
            shutil.copyfile(backup / told.services[name].file, folder.databases / f"{name}.db")
    except OSError as error:
        raise NoRoom(place=folder.path, reason=error) from error


async def _mend(folder: Folder, numbers: int) -> tuple[int, int]:
    """Bring every file up to date and let it begin again; return events and marked deliveries."""
    events = doubts = 0
    for name in NAMES:
        database = Database(f"sqlite+aiosqlite:///{folder.databases / name}.db", is_durable=False)
        try:
            await migrations.upgrade(name, database)
            async with database.transaction() as tx:
                events += await begin_again(tx, KIT[name])
                if name == "intake":
                    await skip_numbers(tx, numbers)
                if name == "notify":
                    doubts = await doubt_open_deliveries(tx)
        finally:
            await database.close()
    return events, doubts


async def _audited(folder: Folder) -> Report:
    """Audit the staged house."""
    async with stopped_house(folder, timedelta(minutes=1)) as (sources, _):
        report = await audit(sources, grace=timedelta(0))
    report.findings = [one for one in report.findings if one.code not in _NOT_UNSOUND]
    return report


def _not_sound(report: Report) -> NotSound:
    first = report.faults[0]
    words = sentences(first)
    place = f"{first.service} {first.request_id or ''}".strip()
    told = f"{place}: {words['en']} / {words['zh']}"
    return NotSound(count=len(report.faults), first=told)

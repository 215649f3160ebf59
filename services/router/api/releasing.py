"""Definitions come into force: from the folder, by the API, or an older version again.

Whatever comes is checked beside the loop (in a thread: a large diagram takes a second), against
what was in force when the check began; where something else is by then, it is checked anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from services.router import handlers
from services.router.api.released import Shelf, verdict_json
from services.router.domain.definitions import (
    DefinitionsMoved,
    FileIsWrong,
    NoSuchDefinition,
    NoSuchVersion,
    NothingRefused,
    NotReleasable,
)
from services.router.gateways import ORDER, Found, check_together, in_order, settle
from services.router.handlers import RELEASING, InForceNow, Submission
from services.router.store.releases import content_hash
from shared.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from services.router.gateways import Checked, Folder
    from services.router.store import InForce, Repository, RouterWork
    from shared.consuming import Runtime
    from shared.events.router import DefinitionKind

    R = TypeVar("R")

#: What a sender saw in force, by kind and key.
Seen = Mapping[tuple[str, str], tuple[str, ...]]

_log = logging.getLogger(__name__)

#: Under this name the folder releases; a key of the API does not.
FOLDER = "folder"
#: How often a release is checked anew because another came into force meanwhile.
_ATTEMPTS = 5


class Releasing:
    """Puts definitions in force, one release at a time."""

    def __init__(
        self, runtime: Runtime[RouterWork], repository: Repository, folder: Folder | None
    ) -> None:
        self._runtime, self._repository, self._folder = runtime, repository, folder
        self.shelf = Shelf(runtime, repository)
        self._one_at_a_time = asyncio.Lock()

    # ---- by the API ------------------------------------------------------------------------

    async def apply(
        self,
        found: Sequence[Found],
        by: str,
        seen: Seen,
        *,
        is_dry_run: bool = False,
        again_of: int | None = None,
    ) -> list[InForceNow]:
        """Check definitions together and put them in force, all or none.

        `seen` is what the sender saw in force, by kind and key. Raises `SomebodyWasFaster`, and
        `NotReleasable` with every finding, which is kept for others to see.
        """
        async with self._one_at_a_time:
            for _ in range(_ATTEMPTS):
                known = await self._look()
                for submission in _submissions(found, [], by, seen):
                    place = (submission.kind, submission.key)
                    handlers.must_be_as_seen(submission, known.find(*place))
                checked = await self._aside(partial(check_together, found, known))
                if not all(verdict.is_ok for verdict in checked):
                    await self._refuse(found, checked, by, is_kept=not is_dry_run)
                submissions = _submissions(found, checked, by, seen, again_of)
                if is_dry_run:
                    return [_as_if(submission, known) for submission in submissions]
                try:
                    return await self._release(submissions, known)
                except DefinitionsMoved:
                    continue
            raise DefinitionsMoved

    async def activate(
        self, kind: DefinitionKind, key: str, version: int, by: str, seen: tuple[str, ...]
    ) -> InForceNow:
        """Put an older version in force again, as a version of its own.

        It must still fit what is in force beside it. Raises `NoSuchDefinition`,
        `NoSuchVersion`, and what `apply` raises.
        """
        known = await self.shelf.versions(kind, key)
        if not known:
            raise NoSuchDefinition(kind=kind, key=key)
        row = await self.shelf.find(kind, key, version)
        if row is None:
            raise NoSuchVersion(kind=kind, key=key, version=version, newest=known[0]["version"])
        found = Found(kind, key, f"{kind}/{key}@{version}", row.content.encode())
        [now] = await self.apply([found], by, {(kind, key): seen}, again_of=version)
        return now

    async def dismiss(self, kind: str, key: str, by: str, reason: str) -> list[str]:
        """Close what was refused of a definition; return under which names it stood.

        The log keeps it with who and why. A file that lies in the folder and is wrong is refused
        as long as it is: it is mended or taken away there. Raises `NothingRefused`, `FileIsWrong`.
        """
        found = [f for f in await self.shelf.faults() if (f["kind"], f["key"]) == (kind, key)]
        here = self._folder
        there = {f["file"] for f in found if f["told_to"] is None and here and here.has(f["file"])}
        files = [fault["file"] for fault in found if fault["file"] not in there]
        if not found:
            raise NothingRefused(kind=kind, key=key)
        if not files:
            raise FileIsWrong(kind=kind, key=key, file=", ".join(sorted(there)))
        await self._runtime.do(partial(handlers.dismiss_faults, files, by, reason))
        return files

    # ---- by the folder ---------------------------------------------------------------------

    async def load_folder(self) -> int:
        """Take new and changed files of the folder into force; return how many were released.

        Files that are wrong, or need one that is, are refused; the others come into force
        together. A file that the folder gave before, over which somebody applied another
        version since, is old: it stays aside until it is changed.
        """
        if self._folder is None:
            return 0
        async with self._one_at_a_time:
            if self._folder.may_lack():
                await self._forget_gone()
            found = self._folder.changed()
            if not found:
                return 0
            try:
                return await self._load(found)
            except BaseException:
                self._folder.offer_again([each.file for each in found])
                raise

    async def _load(self, found: Sequence[Found]) -> int:
        assert self._folder is not None
        given = await self.shelf.given_by(FOLDER)
        for _ in range(_ATTEMPTS):
            known = await self._look()
            wanted = [each for each in found if not _is_old(each, given, known)]
            await self._forget_faults([each for each in found if each not in wanted])
            taken, refused = await self._aside(partial(settle, wanted, known))
            try:
                released = await self._release(
                    _submissions([f for f, _ in taken], [c for _, c in taken], FOLDER, {}), known
                )
            except DefinitionsMoved:
                continue
            self._folder.refuse([each.file for each, _ in refused])
            for each, verdict in refused:
                await self._note(each, verdict)
            return sum(one.is_new for one in released)
        raise DefinitionsMoved

    async def _forget_faults(self, old: Sequence[Found]) -> None:
        blamed = {fault["file"] for fault in await self.shelf.faults()} if old else set()
        for each in old:
            if each.file in blamed:
                await self._runtime.do(partial(handlers.forget_fault, each.file, "mended"))

    async def _forget_gone(self) -> None:
        """Close the refusals of files that are no longer in the folder."""
        assert self._folder is not None
        for fault in await self.shelf.faults():
            if fault["told_to"] is None and not self._folder.has(fault["file"]):
                await self._runtime.do(partial(handlers.forget_fault, fault["file"], "gone"))

    async def _note(self, found: Found, verdict: Checked) -> None:
        _log.warning(
            "%s refused, the version in force stays: %s",
            found.file,
            "; ".join(f"{f.path}: {f.message.get('en', f.rule)}" for f in verdict.findings),
        )
        submission = Submission(found.kind, found.key, verdict.text, found.file, FOLDER)
        await self._runtime.do(lambda work: handlers.note_fault(submission, verdict.findings, work))

    # ---- how -------------------------------------------------------------------------------

    async def _look(self) -> InForce:
        async with self._runtime.database.reading() as connection:
            await self._repository.refresh(connection)
        return self._repository.snapshot()

    async def _aside(self, check: Callable[[], R]) -> R:
        """Run a check beside the loop; simulated time stands still meanwhile."""
        with self._runtime.activity.busy():
            return await asyncio.to_thread(check)

    async def _release(self, submissions: Sequence[Submission], known: InForce) -> list[InForceNow]:
        if not submissions:
            return []
        locks = [RELEASING, *(submission.subject for submission in submissions)]
        done = await self._runtime.do(
            lambda work: handlers.release_together(submissions, known.revision, work), locks=locks
        )
        await self._look()
        return done

    async def _refuse(
        self, found: Sequence[Found], checked: Sequence[Checked], by: str, *, is_kept: bool
    ) -> None:
        """Raise `NotReleasable`; what was meant to come into force is kept with its findings."""
        pairs = list(zip(found, checked, strict=True))
        for each, verdict in pairs:
            if is_kept and not verdict.is_ok:
                file = handlers.api_file(each.kind, each.key)
                submission = Submission(each.kind, each.key, verdict.text, file, by)
                note = partial(handlers.note_fault, submission, verdict.findings, told_to=by)
                await self._runtime.do(note)
        several = len(pairs) > 1
        raise NotReleasable(
            [verdict_json(each, verdict) for each, verdict in pairs],
            [
                _placed(finding, each.file) if several else finding
                for each, verdict in pairs
                for finding in verdict.findings
            ],
        )


def _submissions(
    found: Sequence[Found],
    checked: Sequence[Checked],
    by: str,
    seen: Seen,
    again_of: int | None = None,
) -> list[Submission]:
    """Return what is to be released, in the order of release; texts as checked, if they are."""
    texts = {
        (each.kind, each.key): verdict.text for each, verdict in zip(found, checked, strict=False)
    }
    return [
        Submission(
            each.kind,
            each.key,
            texts.get((each.kind, each.key), each.content.decode("utf-8-sig", "replace")),
            each.file,
            by,
            seen.get((each.kind, each.key), ()),
            again_of,
        )
        for each in in_order(found)
    ]


def _is_old(found: Found, given: Mapping[tuple[str, str], str], known: InForce) -> bool:
    """Whether the folder gave just this before, and somebody put another in force since."""
    place = (found.kind, found.key)
    now = known.find(*place)
    hashed = content_hash(found.content.decode("utf-8-sig", "replace"))
    if now is None or now.released_by == FOLDER or given.get(place) != hashed:
        return False
    if now.content_hash != hashed:
        _log.info(
            "%s is older than version %s of %s/%s, which %s applied: it stays aside",
            found.file,
            now.version,
            *place,
            now.released_by,
        )
    return True


def _as_if(submission: Submission, known: InForce) -> InForceNow:
    """Return what a release would have come to."""
    now = known.find(submission.kind, submission.key)
    hashed = content_hash(submission.content)
    version = now.version if now is not None else 0
    is_new = now is None or now.content_hash != hashed
    return InForceNow(submission.kind, submission.key, version + is_new, hashed, is_new=is_new)


def _placed(finding: Finding, file: str) -> Finding:
    """Say in which of several files a finding is."""
    path = finding.path if finding.path.startswith(file) else f"{file} / {finding.path}"
    return Finding(path, finding.rule, finding.message, finding.fix, finding.severity)


__all__ = ["FOLDER", "ORDER", "Releasing"]

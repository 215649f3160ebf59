"""Definitions and the directory: put in force, announced, or refused with the reasons kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.router.domain.definitions import DefinitionsMoved, SomebodyWasFaster, is_as_seen
from services.router.store import Released
from services.router.store.releases import content_hash
from shared.events import router as said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.router.store import RouterWork
    from shared.errors import Finding
    from shared.events.router import DefinitionKind, DirectoryChanged

#: The row whoever releases anything locks: two releases, each sound alone, may be wrong together.
RELEASING = "definitions"


@dataclass(frozen=True, slots=True)
class Submission:
    """A definition handed in: by a file of the folder, or by the API."""

    kind: DefinitionKind
    key: str
    content: str
    file: str
    by: str
    #: What the sender saw in force: versions, hashes, `*` or `none`; empty: does not say.
    seen: tuple[str, ...] = ()
    #: The older version whose content it is.
    again_of: int | None = None

    @property
    def subject(self) -> str:
        """The key of the definition as events name it."""
        return f"{self.kind}/{self.key}"


@dataclass(frozen=True, slots=True)
class InForceNow:
    """A definition after it was handed in."""

    kind: str
    key: str
    version: int
    content_hash: str
    #: False when this content was in force before.
    is_new: bool


def release_together(
    submissions: Sequence[Submission], revision: int, work: RouterWork
) -> list[InForceNow]:
    """Put checked definitions in force, all or none; the same content again stays as it is.

    `revision` is the one they were checked against. Raises `DefinitionsMoved` when another is in
    force by now, `SomebodyWasFaster` when a sender saw something else than is in force.
    """
    if work.repository.revision != revision or work.releases.are_any:
        raise DefinitionsMoved
    for submission in submissions:
        must_be_as_seen(submission, work.repository.in_force(submission.kind, submission.key))
    return [_released(submission, work) for submission in submissions]


def must_be_as_seen(submission: Submission, known: Released | None) -> None:
    """Raise `SomebodyWasFaster` unless the sender saw what is in force, or sends just that."""
    if not submission.seen:
        return
    version = known.version if known is not None else None
    hashed = known.content_hash if known is not None else ""
    if hashed == content_hash(submission.content):
        return  # a repeated call, or two people with one mind
    if not is_as_seen(submission.seen, version, hashed):
        raise SomebodyWasFaster(
            kind=submission.kind,
            key=submission.key,
            version=version,
            content_hash=hashed or None,
            released_by=known.released_by if known is not None else "-",
            released_at=known.released_at.isoformat() if known and known.released_at else None,
            expected=", ".join(submission.seen),
        )


def _released(submission: Submission, work: RouterWork) -> InForceNow:
    kind, key = submission.kind, submission.key
    known = work.repository.in_force(kind, key)
    hashed = content_hash(submission.content)
    for file in {submission.file, api_file(kind, key)}:
        work.releases.refusals.settle(file, "mended", work.now, submission.by)
    if known is not None and known.content_hash == hashed:
        return InForceNow(kind, key, known.version, hashed, is_new=False)
    version = known.version + 1 if known else 1
    released = Released(
        kind, key, version, submission.content, hashed, again_of=submission.again_of
    )
    work.releases.put(released, submission.by, work.now)
    event = said.DefinitionReleased(
        kind=kind,
        key=key,
        version=version,
        content_hash=hashed,
        content=submission.content,
        released_by=submission.by,
        again_of=submission.again_of,
    )
    work.publish(event, subject=submission.subject, occurred_at=work.now)
    return InForceNow(kind, key, version, hashed, is_new=True)


def api_file(kind: str, key: str) -> str:
    """Return under which name the faults of what came by the API are kept."""
    return f"api/{kind}/{key}"


def note_fault(
    submission: Submission,
    findings: Sequence[Finding],
    work: RouterWork,
    told_to: str | None = None,
) -> None:
    """Keep why a definition was refused; what is in force stays in force."""
    place = (submission.kind, submission.key)
    hashed = content_hash(submission.content)
    work.releases.refusals.blame(submission.file, place, hashed, findings, work.now, told_to)


def forget_fault(file: str, outcome: str, work: RouterWork) -> None:
    """A file is in order again without anything being released (`mended`), or is `gone`."""
    work.releases.refusals.settle(file, outcome, work.now)


def dismiss_faults(files: Sequence[str], by: str, reason: str, work: RouterWork) -> None:
    """Somebody has seen why these were refused and leaves it at that; the log keeps who and why."""
    for file in files:
        work.releases.refusals.settle(file, "dismissed", work.now, by, reason)


def keep_directory(directory: DirectoryChanged, work: RouterWork) -> int:
    """Put a directory in force and announce it whole; return its version."""
    version = work.repository.directory.version + 1
    numbered = directory.model_copy(update={"version": version})
    work.releases.keep_directory(numbered)
    work.publish(numbered, subject="directory", occurred_at=work.now)
    return version

"""Definitions and the directory: put in force, announced, or refused with the reasons kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.router.store.repository import Released
from services.router.store.work import content_hash
from shared.events import router as said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.router.store import RouterWork
    from shared.errors import Finding
    from shared.events.router import DefinitionKind, DirectoryChanged


@dataclass(frozen=True, slots=True)
class Submission:
    """A definition handed in: by a file of the folder, or by the API."""

    kind: DefinitionKind
    key: str
    content: str
    file: str
    by: str

    @property
    def subject(self) -> str:
        """The key of the definition as events name it."""
        return f"{self.kind}/{self.key}"


def release(submission: Submission, work: RouterWork) -> int:
    """Put a checked definition in force as the next version; the same content stays as it is."""
    known = work.repository.in_force(submission.kind, submission.key)
    hashed = content_hash(submission.content)
    work.mend(submission.file)
    if known is not None and known.content_hash == hashed:
        return known.version
    version = known.version + 1 if known else 1
    released = Released(submission.kind, submission.key, version, submission.content, hashed)
    work.release(released, submission.by)
    event = said.DefinitionReleased(
        kind=submission.kind,
        key=submission.key,
        version=version,
        content_hash=hashed,
        content=submission.content,
        released_by=submission.by,
    )
    work.publish(event, subject=submission.subject, occurred_at=work.now)
    return version


def note_fault(submission: Submission, findings: Sequence[Finding], work: RouterWork) -> None:
    """Keep why a definition was refused; what is in force stays in force."""
    work.blame(submission.file, submission.kind, submission.key, submission.content, findings)


def keep_directory(directory: DirectoryChanged, work: RouterWork) -> int:
    """Put a directory in force and announce it whole; return its version."""
    version = work.repository.directory.version + 1
    numbered = directory.model_copy(update={"version": version})
    work.keep_directory(numbered)
    work.publish(numbered, subject="directory", occurred_at=work.now)
    return version

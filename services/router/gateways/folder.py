"""The folder of definitions as process owners keep it (the seed and the GitOps form).

`*.bpmn` are processes, `*.dmn` decisions, `calendars/*.yaml`, `policies/*.yaml`,
`catalogue/*.yaml`, `templates/*.yaml` what their folder says; the file's stem is the key.
`directory.yaml` seeds the directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.router.workflow import called_processes
from shared.definitions.models import Directory
from shared.definitions.parsing import parse, read_yaml
from shared.events.router import Absence, DefinitionKind, DirectoryChanged, Person, Team

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

FOLDERS: dict[str, DefinitionKind] = {
    "calendars": "calendar",
    "policies": "escalation_policy",
    "catalogue": "catalogue",
    "templates": "templates",
}
#: In this order a folder is released, so that what is referred to is there before.
ORDER: tuple[DefinitionKind, ...] = (
    "calendar",
    "decision",
    "process",
    "catalogue",
    "escalation_policy",
    "templates",
)
#: No definition is larger; a larger file is not even read.
_MAX_FILE_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A definition file."""

    kind: DefinitionKind
    key: str
    file: str
    content: bytes


class Folder:
    """A folder of definitions that is looked at again and again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: dict[str, tuple[int, int]] = {}
        self._refused: set[str] = set()

    def changed(self) -> list[Found]:
        """Return the files that are new or different since the last look, in release order.

        With them come those that were refused: what they lacked may be there now.
        """
        found: list[Found] = []
        again: list[Found] = []
        for path, kind in self._files():
            try:
                state = path.stat()
                seen = (state.st_mtime_ns, state.st_size)
                file = str(path.relative_to(self._path))
                is_known = self._seen.get(file) == seen
                if is_known and file not in self._refused:
                    continue
                with path.open("rb") as opened:
                    content = opened.read(_MAX_FILE_BYTES + 1)
            except FileNotFoundError:
                continue  # gone between listing and reading: an editor's temporary file
            self._seen[file] = seen
            (again if is_known else found).append(Found(kind, path.stem, file, content))
        return in_order([*found, *again]) if found else []

    def refuse(self, files: Collection[str]) -> None:
        """Remember which files were refused in the last look."""
        self._refused = set(files)

    def offer_again(self, files: Collection[str]) -> None:
        """Forget that these were seen: nothing came of it (a database that was away)."""
        for file in files:
            self._seen.pop(file, None)

    def directory_seed(self) -> str | None:
        """Return the text of `directory.yaml`, if there is one."""
        path = self._path / "directory.yaml"
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def _files(self) -> list[tuple[Path, DefinitionKind]]:
        if not self._path.is_dir():
            return []
        files: list[tuple[Path, DefinitionKind]] = []
        files += [(path, "process") for path in sorted(self._path.glob("*.bpmn"))]
        files += [(path, "decision") for path in sorted(self._path.glob("*.dmn"))]
        for folder, kind in FOLDERS.items():
            files += [(path, kind) for path in sorted((self._path / folder).glob("*.yaml"))]
        return [(path, kind) for path, kind in files if not path.name.startswith((".", "~"))]


def in_order(found: Collection[Found]) -> list[Found]:
    """Sort so that what is referred to comes first, called processes before their callers."""
    calls = {f.key: called_processes(f.content) for f in found if f.kind == "process"}
    depth = dict.fromkeys(calls, 0)
    for _ in calls:
        # As deep as the longest chain of calls; in a circle it does not matter who is refused.
        depth = {
            key: max((depth[name] + 1 for name in called if name in depth), default=0)
            for key, called in calls.items()
        }
    return sorted(found, key=lambda f: (ORDER.index(f.kind), depth.get(f.key, 0), f.key))


def read_directory(text: str, file: str = "directory.yaml") -> DirectoryChanged:
    """Return the directory of a YAML text; raise `BadDefinition` with what is wrong."""
    written = parse(Directory, read_yaml(text, file), file)
    people = tuple(
        Person(
            id=person.id,
            name=person.name,
            language=person.language,
            zone=person.zone,
            addresses=person.addresses,
            channels=person.channels,
            absences=tuple(
                Absence.model_validate(absence.model_dump()) for absence in person.absences
            ),
            skills=person.skills,
            capacity=person.capacity,
            shift=person.shift,
        )
        for person in written.people
    )
    teams = tuple(Team.model_validate(team.model_dump()) for team in written.teams)
    return DirectoryChanged(version=0, people=people, teams=teams, duty_person=written.duty_person)

"""The folder of definitions as process owners keep it (the seed and the GitOps form).

`*.bpmn` are processes, `*.dmn` decisions, `calendars/*.yaml`, `policies/*.yaml`,
`catalogue/*.yaml`, `templates/*.yaml` what their folder says; the file's stem is the key.
`directory.yaml` seeds the directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.router.workflow import called_processes
from shared.definitions.calendars import calendar_document, members_of
from shared.definitions.models import Directory
from shared.definitions.parsing import BadDefinition, parse, read_yaml
from shared.errors import Finding, LeveeError
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
        #: Refused in the last look; None before the first.
        self._refused: set[str] | None = None

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
                if is_known and file not in (self._refused or ()):
                    continue
                with path.open("rb") as opened:
                    content = opened.read(_MAX_FILE_BYTES + 1)
            except FileNotFoundError:
                continue  # gone between listing and reading: an editor's temporary file
            self._seen[file] = seen
            (again if is_known else found).append(Found(kind, path.stem, file, content))
        return in_order([*found, *again]) if found else []

    def has(self, file: str) -> bool:
        """Whether a file lies in the folder."""
        return (self._path / file).is_file()

    def may_lack(self) -> bool:
        """Whether a file that was refused may lie here no longer: nobody knows before a look."""
        return self._refused is None or not all(map(self.has, self._refused))

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

    def keys(self, kind: DefinitionKind) -> frozenset[str]:
        """Return the keys of the definitions of one kind that lie in it."""
        return frozenset(path.stem for path, found in self._files() if found == kind)

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
    """Sort so that what is referred to comes first.

    That is called processes before their callers, calendars before combinations of them.
    """
    calls = {(f.kind, f.key): [(f.kind, name) for name in _named_in(f)] for f in found}
    depth = dict.fromkeys(calls, 0)
    for _ in calls:
        # As deep as the longest chain of calls; in a circle it does not matter who is refused.
        depth = {
            place: max((depth[name] + 1 for name in called if name in depth), default=0)
            for place, called in calls.items()
        }
    return sorted(found, key=lambda f: (ORDER.index(f.kind), depth[(f.kind, f.key)], f.key))


def _named_in(found: Found) -> Collection[str]:
    if found.kind == "process":
        return called_processes(found.content)
    if found.kind != "calendar":
        return ()
    try:
        return members_of(calendar_document(found.content.decode("utf-8-sig"), found.key))
    except (UnicodeDecodeError, LeveeError):
        return ()  # the check says what is wrong with it


def must_be_on_known_shifts(directory: DirectoryChanged, calendars: Collection[str]) -> None:
    """Raise `BadDefinition` for people whose shift is a calendar that is not among these."""
    known = ", ".join(sorted(calendars)) or "–"
    findings = [
        Finding(
            f"/people/{number}/shift",
            "calendar-unknown",
            {
                "zh-CN": f"{person.id} 的班次 {person.shift} 不是已知日历",
                "en": f"the shift {person.shift} of {person.id} is no calendar that is known",
            },
            {
                "zh-CN": f"先发布该日历，或改用已知日历：{known}；不排班则去掉 shift",
                "en": f"release that calendar first, or write one of {known}; "
                "without shift somebody is always there",
            },
        )
        for number, person in enumerate(directory.people)
        if person.shift is not None and person.shift not in calendars
    ]
    if findings:
        raise BadDefinition(findings, file="directory")


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

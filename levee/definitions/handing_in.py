"""Files that are to be applied: of which kind each is, and under which key it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from levee.definitions.files import MAX_READ, kind_of
from shared.errors import Invalid, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: As services/router/gateways/folder.py has them: what lies in which folder.
_BY_FOLDER = {
    "calendars": "calendar",
    "policies": "escalation_policy",
    "catalogue": "catalogue",
    "templates": "templates",
}
KINDS = ("process", "decision", *_BY_FOLDER.values())
_YAML = (".yaml", ".yml")


class NoSuchPath(NotFound):
    """There is no file or folder {path}."""

    zh: ClassVar[str] = "没有文件或目录 {path}。"


class NothingToApply(NotFound):
    """There is no definition under {paths}: no .bpmn or .dmn, no YAML in calendars, policies, …."""

    zh: ClassVar[str] = (
        "{paths} 下没有定义：没有 .bpmn、.dmn，也没有 calendars、policies 等目录中的 YAML。"
    )


class KindUnknown(Invalid):
    """What kind of definition {path} is cannot be told: name it with --kind ({kinds})."""

    zh: ClassVar[str] = "无法判断 {path} 是哪种定义：请用 --kind 指明（{kinds}）。"


class PathUnreadable(Invalid):
    """{path} cannot be read: {reason}."""

    zh: ClassVar[str] = "无法读取 {path}：{reason}。"


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One file that is to be applied; `content` at most a byte more than is accepted."""

    kind: str
    key: str
    file: str
    content: bytes

    @property
    def name(self) -> str:
        """Its kind and key as one word."""
        return f"{self.kind}/{self.key}"


def gather(paths: Sequence[Path], kind: str | None = None) -> list[HandedIn]:
    """Return the definitions among files and folders, each once, sorted within a folder.

    A file that was named is never passed over: `kind` says what it is where its place does not.
    Raises `NoSuchPath`, `KindUnknown`, `PathUnreadable`, `NothingToApply`.
    """
    found: list[HandedIn] = []
    seen: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise NoSuchPath(path=path)
        for file, known in _candidates(path, kind):
            if file.resolve() not in seen:
                seen.add(file.resolve())
                found.append(HandedIn(known, _key(file), str(file), _read(file)))
    if not found:
        raise NothingToApply(paths=", ".join(map(str, paths)))
    return found


def _candidates(path: Path, kind: str | None) -> Iterator[tuple[Path, str]]:
    if not path.is_dir():
        known = kind or _kind(path)
        if known is None:
            raise KindUnknown(path=path, kinds=", ".join(KINDS))
        yield path, known
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.name.startswith((".", "~")):
            known = _kind(file)
            if known is not None:
                yield file, known


def _kind(file: Path) -> str | None:
    """Return what a file is: by its suffix, YAML by the folder it lies in."""
    if file.suffix.lower() in _YAML:
        return _BY_FOLDER.get(file.resolve().parent.name)
    known = kind_of(file)
    return known if known in ("process", "decision") else None


def _key(file: Path) -> str:
    """Return the name without its suffixes: p.bpmn20.xml is p."""
    name = file.name
    for suffix in (".bpmn20.xml", file.suffix):
        if suffix and name.lower().endswith(suffix.lower()):
            return name[: -len(suffix)]
    return name


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_READ)
    except OSError as error:
        raise PathUnreadable(path=file, reason=error.strerror or error) from error

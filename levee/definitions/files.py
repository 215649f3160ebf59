"""Which files are definitions, and of which kind: by their names, and by what they begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lxml import etree

from shared.definitions.limits import MAX_CONTENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Kind = Literal["process", "decision", "form", "unknown"]

_BY_SUFFIX: dict[str, Kind] = {
    ".bpmn": "process",
    ".bpmn20": "process",
    ".dmn": "decision",
    ".form": "form",
}
#: What a JSON Schema that is a form says of itself.
_SCHEMA = b"json-schema.org/draft/2020-12"
#: How much of an XML file is read to see what it is; comments before the root may be long.
_BEGINNING = 65_536
#: No definition that is accepted is larger; of a larger one no more than this is read.
MAX_READ = MAX_CONTENT_BYTES + 1
MAX_NEIGHBOURS = 300


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file to be checked; `size` in bytes as the file system has it."""

    path: Path
    kind: Kind
    size: int

    def content(self) -> bytes:
        """Return what stands in it, at most one byte more than any definition may have."""
        with self.path.open("rb") as opened:
            return opened.read(MAX_READ)


def candidates(paths: Sequence[Path]) -> Iterator[Candidate]:
    """Yield the files named, and the definitions in the folders named, sorted, each once.

    A file that was named is never passed over; in a folder only definitions count.
    """
    seen: set[Path] = set()
    for path in paths:
        found = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in found:
            kind = kind_of(file)
            is_wanted = kind != "unknown" or not path.is_dir()
            if is_wanted and file.resolve() not in seen:
                seen.add(file.resolve())
                yield Candidate(file, kind, file.stat().st_size)


def neighbours(folder: Path) -> list[Candidate]:
    """Return the processes and decisions that lie directly in a folder, as far as they are many."""
    try:
        found = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".bpmn", ".dmn"))
        files = [path for path in found[:MAX_NEIGHBOURS] if path.is_file()]
        return [Candidate(path, kind_of(path), path.stat().st_size) for path in files]
    except OSError:
        return []


def kind_of(path: Path) -> Kind:
    """Return what a file holds: by its suffix, XML and JSON by what stands in it."""
    suffix = path.suffix.lower()
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if suffix == ".xml":
        return _kind_of_xml(path)
    return _kind_of_json(path) if suffix == ".json" else "unknown"


def _kind_of_xml(path: Path) -> Kind:
    with path.open("rb") as opened:
        beginning = opened.read(_BEGINNING)
    if path.name.lower().endswith(".bpmn20.xml"):
        return "process"
    parser = etree.XMLPullParser(
        ("start",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        parser.feed(beginning)
        root = next((element for _, element in parser.read_events()), None)
    except etree.XMLSyntaxError:
        root = None
    space = "" if root is None else str(etree.QName(root).namespace or "")
    if "/BPMN/" in space:
        return "process"
    if "/DMN/" in space and "testcase" not in space.lower():
        return "decision"
    # Too broken to tell: the text itself says what it wanted to be.
    return "process" if root is None and b"/BPMN/" in beginning else "unknown"


def _kind_of_json(path: Path) -> Kind:
    with path.open("rb") as opened:
        beginning = opened.read(_BEGINNING)
    is_form = b'"components"' in beginning or _SCHEMA in beginning
    return "form" if is_form else "unknown"

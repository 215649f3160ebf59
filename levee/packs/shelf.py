"""The packs of a folder of definitions, and what a table of targets with them would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from levee.definitions.verdicts import check_decisions
from levee.embedded import DEFINITIONS
from levee.packs.merging import Merging
from shared.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from shared.errors import Finding

TARGETS = "targets.dmn"


class NoSuchPack(NotFound):
    """There is no pack {pack}; known: {known}."""

    zh: ClassVar[str] = "没有目标包 {pack}；可用：{known}。"


class NoTargetsFile(NotFound):
    """There is no {file}: name the folder of definitions with --definitions."""

    zh: ClassVar[str] = "没有文件 {file}：请用 --definitions 指明定义目录。"


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack: its key, what it is called, its rows (id, words), and which are switched on."""

    key: str
    title: str
    rows: tuple[tuple[str, str], ...]
    switched_on: tuple[str, ...]

    @property
    def state(self) -> str:
        """Whether it is in the table: on, off, partly."""
        if not self.switched_on:
            return "off"
        return "on" if len(self.switched_on) == len(self.rows) else "partly"


@dataclass(frozen=True, slots=True)
class Change:
    """What adding or removing packs comes to."""

    content: bytes
    rules: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def is_ok(self) -> bool:
        """Whether the table could be released."""
        return not any(finding.severity == "error" for finding in self.findings)


class Packs:
    """The packs beside a table of targets: those of the folder, else those that ship."""

    def __init__(self, folder: Path) -> None:
        self._targets = folder / TARGETS
        own = folder / "packs"
        self._folder = own if own.is_dir() else DEFINITIONS / "packs"
        if not self._targets.is_file():
            raise NoTargetsFile(file=str(self._targets))

    @property
    def file(self) -> Path:
        """The table the packs go into."""
        return self._targets

    def all(self) -> list[Pack]:
        """Return every pack."""
        there = set(self._table().rules)
        found = []
        for path in sorted(self._folder.glob("*.dmn")):
            pack = self._pack(path.stem)
            rows = tuple(pack.described())
            on = tuple(rule for rule, _ in rows if rule in there)
            found.append(Pack(path.stem, pack.title, rows, on))
        return found

    def must_have(self, key: str) -> None:
        """Raise `NoSuchPack` for a pack that is not there."""
        self._pack(key)

    def write(self, change: Change) -> None:
        """Put a changed table in the file's place, whole or not at all."""
        beside = self._targets.with_suffix(".dmn.new")
        beside.write_bytes(change.content)
        beside.replace(self._targets)

    def with_packs(self, keys: Sequence[str], at: datetime) -> Change:
        """Return the table with these packs in it; nothing is written. Raises `NoSuchPack`."""
        table = self._table()
        added = [rule for key in keys for rule in table.add(self._pack(key))]
        return self._change(table, added, at)

    def without_packs(self, keys: Sequence[str], at: datetime) -> Change:
        """Return the table without them; nothing is written. Raises `NoSuchPack`."""
        table = self._table()
        gone = [rule for key in keys for rule in table.remove(self._pack(key).rules)]
        return self._change(table, gone, at)

    def _change(self, table: Merging, rules: list[str], at: datetime) -> Change:
        content, file = table.to_bytes(), str(self._targets)
        findings = check_decisions(content, file, at=at)
        return Change(content, tuple(rules), findings)

    def _table(self) -> Merging:
        return Merging(self._targets.read_bytes(), str(self._targets))

    def _pack(self, key: str) -> Merging:
        path = self._folder / f"{key}.dmn"
        known = sorted(found.stem for found in self._folder.glob("*.dmn"))
        if key not in known:
            raise NoSuchPack(pack=key, known=", ".join(known) or "-")
        return Merging(path.read_bytes(), str(path), key)

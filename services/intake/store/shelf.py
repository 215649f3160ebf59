"""The catalogues in force, compiled and in memory, kept level with the table.

One replica hears of a release and stores it; the others see it in the table. A replica that has
just stored one expects it, and looks as soon as somebody asks; the rest look every few seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from services.intake.domain.errors import CatalogueMissing, TypeClosed, UnknownType
from services.intake.store.tables import catalogues
from shared.definitions.models import Catalogue, RequestType
from shared.definitions.parsing import BadDefinition, parse, read_yaml
from shared.forms.schema import SchemaForm, faults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.database.engine import Database
    from shared.errors import Finding


@dataclass(frozen=True, slots=True)
class Entry:
    """A request type with its form, ready to check."""

    type: RequestType
    form: SchemaForm | None

    def findings(self, form: Mapping[str, Any]) -> list[Finding]:
        """Return what is wrong with a filled-in form."""
        return [] if self.form is None else self.form.findings(form, "/form")


@dataclass(frozen=True, slots=True)
class Book:
    """All request types in force."""

    #: catalogue key -> version
    versions: Mapping[str, int]
    entries: Mapping[str, Entry]

    def entry(self, type_key: str) -> Entry:
        """Return a request type, closed or not. Raises `UnknownType`."""
        found = self.entries.get(type_key)
        if found is None:
            raise UnknownType(type=type_key, known=", ".join(sorted(self.entries)))
        return found

    def open_entry(self, type_key: str) -> Entry:
        """Return a request type that takes new requests. Raises `UnknownType`, `TypeClosed`."""
        found = self.entry(type_key)
        if not found.type.is_open:
            raise TypeClosed(type=type_key)
        return found


class Shelf:
    """Keeps the book and looks for newer versions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._book = Book({}, {})
        self._expected: dict[str, int] = {}
        #: content hash -> compiled types: a text is compiled once.
        self._read: dict[str, Mapping[str, Entry]] = {}

    @property
    def versions(self) -> Mapping[str, int]:
        """The versions in memory, by catalogue key."""
        return self._book.versions

    async def current(self) -> Book:
        """Return the catalogues in force. Raises `CatalogueMissing` before the first one."""
        versions = self._book.versions
        if any(versions.get(key, 0) < version for key, version in self._expected.items()):
            await self.refresh()
        if not self._book.entries:
            raise CatalogueMissing
        return self._book

    def expect(self, key: str, version: int) -> None:
        """Hear that this process is about to commit a version; it is read when asked for."""
        self._expected[key] = version

    async def refresh(self) -> None:
        """Look at the table and read what is newer. Raises `DatabaseUnavailable`."""
        heads = select(catalogues.c.key, catalogues.c.version)
        async with self._database.reading() as connection:
            found = {row.key: row.version for row in await connection.execute(heads)}
            if found == self._book.versions:
                return
            rows = (await connection.execute(select(catalogues).order_by(catalogues.c.key))).all()
        entries: dict[str, Entry] = {}
        compiled: dict[str, Mapping[str, Entry]] = {}
        for row in rows:
            compiled[row.content_hash] = self.read(row.content_hash, row.content)
            # A type that stands in two catalogues is the first one's, so that it never flickers.
            entries = {**compiled[row.content_hash], **entries}
        self._read = compiled
        self._book = Book({row.key: row.version for row in rows}, entries)

    def read(self, content_hash: str, content: str) -> Mapping[str, Entry]:
        """Return the compiled types of a catalogue's YAML text. Raises `BadDefinition`."""
        known = self._read.get(content_hash)
        if known is None:
            catalogue = parse(Catalogue, read_yaml(content, "catalogue"), "catalogue")
            known = _compile(catalogue)
            self._read[content_hash] = known
        return known


def _compile(catalogue: Catalogue) -> Mapping[str, Entry]:
    found: list[Finding] = []
    for index, entry in enumerate(catalogue.types):
        if entry.form is not None:
            found += faults(entry.form, f"/types/{index}/form")
    if found:
        raise BadDefinition(found, file=catalogue.key)
    return {
        entry.key: Entry(entry, None if entry.form is None else SchemaForm(entry.form))
        for entry in catalogue.types
    }

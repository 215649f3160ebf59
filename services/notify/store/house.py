"""What one process of notify keeps in mind: its copies, its secret, and who sends.

The tables are the truth; a look asks which versions there are and reads only what is not known.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import select

from services.notify.domain.people import Directory
from services.notify.store import tables
from services.notify.store.rows import directory_of
from shared.database.native import Prepared
from shared.database.statements import insert_missing
from shared.definitions.models import Template, Templates
from shared.definitions.parsing import parse, read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from services.notify.domain.deliveries import Delivery
    from shared.consuming import Glance
    from shared.database.engine import Database, Transaction

_LINK_SECRET = "link"
_DIRECTORY = Prepared(select(tables.directory.c.version))
_TEMPLATES = Prepared(select(tables.templates.c.key, tables.templates.c.version))


def _no_sender(_: Delivery, __: str | None) -> None:
    """Nobody sends here: the durable timer brings the delivery back."""


@dataclass(slots=True)
class Copies:
    """The directory and the templates as last announced."""

    directory: Directory = field(default_factory=Directory)
    versions: dict[str, int] = field(default_factory=dict)
    templates: dict[str, dict[str, Template]] = field(default_factory=dict)

    def template(self, key: str) -> Template | None:
        """Return a template by its key."""
        found = (group.get(key) for group in self.templates.values())
        return next((template for template in found if template is not None), None)

    def take_templates(self, key: str, version: int, content: str) -> None:
        """Put templates in force; raise `BadDefinition` when they are none."""
        read = parse(Templates, read_yaml(content, key), key)
        self.templates[key] = {template.key: template for template in read.templates}
        self.versions[key] = version


@dataclass(slots=True)
class House:
    """One process: how it sends, and what it has read so far."""

    #: Nothing leaves the house: deliveries are marked sent with the code `recorded`.
    is_recording: bool
    public_url: str
    #: Hands a delivery whose time has come to the sender, before the commit: the sender claims
    #: it in a transaction of its own, so a hand-over that is not committed means nothing.
    hand_over: Callable[[Delivery, str | None], None] = _no_sender
    link_secret: bytes = b""
    #: (channel, outcome) -> how many deliveries it was said of, since the start of the process.
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    copies: Copies = field(default_factory=Copies)
    #: Without one every reading looks.
    glance: Glance | None = None

    async def read(self, tx: Transaction, keys: Collection[str] | None = None) -> Copies:
        """Return what is in force, reading again what changed if it is time for a look.

        `keys` are what a transaction is about; without them there is always a look.
        """
        if self.glance is None or keys is None or self.glance.is_due(keys):
            await self._look(tx)
            if self.glance is not None:
                self.glance.looked()
        known = self.copies
        return Copies(known.directory, dict(known.versions), dict(known.templates))

    def changed(self) -> None:
        """Hear that something is being stored: the next transaction looks."""
        if self.glance is not None:
            self.glance.forget()

    async def _look(self, tx: Transaction) -> None:
        known = self.copies
        version = (await tx.execute(_DIRECTORY)).scalar_one_or_none()
        if version is not None and version != known.directory.version:
            row = (await tx.execute(select(tables.directory))).one()
            known.directory = directory_of(row.version, orjson.loads(row.body))
        table = tables.templates
        for row in (await tx.execute(_TEMPLATES)).all():
            if known.versions.get(row.key) != row.version:
                one = select(table.c.content).where(table.c.key == row.key)
                content = (await tx.execute(one)).scalar_one()
                known.take_templates(row.key, row.version, content)

    async def prepare_secret(self, database: Database, given: bytes | None, fresh: bytes) -> None:
        """Use the secret an operator gave, or the one of this database, made at its first start."""
        if given is not None:
            self.link_secret = given
            return
        table = tables.secrets
        async with database.transaction() as tx:
            await insert_missing(tx, table, [{"name": _LINK_SECRET, "value": fresh}])
            wanted = select(table.c.value).where(table.c.name == _LINK_SECRET)
            self.link_secret = (await tx.execute(wanted)).scalar_one()

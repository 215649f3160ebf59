"""What one process of notify keeps in mind: its copies, its secret, and who sends.

The tables are the truth; each transaction asks which versions there are and reads only what it
does not know.
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
from shared.database.statements import insert_missing
from shared.definitions.models import Template, Templates
from shared.definitions.parsing import parse, read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.notify.domain.deliveries import Delivery
    from shared.database.engine import Database, Transaction

_LINK_SECRET = "link"


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

    async def read(self, tx: Transaction) -> Copies:
        """Return what is in force, reading again what changed."""
        known = self.copies
        version = (await tx.execute(select(tables.directory.c.version))).scalar_one_or_none()
        if version is not None and version != known.directory.version:
            row = (await tx.execute(select(tables.directory))).one()
            known.directory = directory_of(row.version, orjson.loads(row.body))
        table = tables.templates
        for row in (await tx.execute(select(table.c.key, table.c.version))).all():
            if known.versions.get(row.key) != row.version:
                one = select(table.c.content).where(table.c.key == row.key)
                content = (await tx.execute(one)).scalar_one()
                known.take_templates(row.key, row.version, content)
        return Copies(known.directory, dict(known.versions), dict(known.templates))

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

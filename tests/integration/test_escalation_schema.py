"""The migrations of escalation and notify make exactly the tables their code uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from services.escalation.store import metadata as escalation
from services.notify.store import metadata as notify
from shared.database import migrations

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData

    from shared.database.engine import Database


@pytest.mark.parametrize(("service", "metadata"), [("escalation", escalation), ("notify", notify)])
async def test_migrated_tables_are_those_of_the_code(
    service: str, metadata: MetaData, database: Database
) -> None:
    await migrations.upgrade(service, database)

    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection)
        return [d for d in compare_metadata(context, metadata) if not _is_version_table(d)]

    async with database.reading() as connection:
        differences = await connection.run_sync(compare)
    assert differences == []


def _is_version_table(difference: Any) -> bool:
    return "alembic_version" in str(difference)

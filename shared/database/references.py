"""Finding a request by its number, also one that a release which kept no numbers stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import JSON, LargeBinary, Text, case, cast, func, null, select, update

if TYPE_CHECKING:
    from sqlalchemy import Column

    from shared.database.engine import Database

#: Rows filled in by one statement.
_PAGE = 5_000


async def request_named(
    database: Database, reference: UUID | str, number: Column[str], request: Column[str]
) -> UUID | None:
    """Return the id a reference means, or None for a number nobody has here.

    `number` and `request` are columns of one table, the first of them indexed. An id means itself,
    whether it is known or not.
    """
    if isinstance(reference, UUID):
        return reference
    if not reference:
        return None
    wanted = select(request).where(number == reference).limit(1)
    async with database.reading() as connection:
        found = (await connection.execute(wanted)).scalar_one_or_none()
    return None if found is None else UUID(found)


async def request_filter(
    database: Database, reference: UUID | str | None, number: Column[str], request: Column[str]
) -> str | None:
    """Return what a list compares request ids with: None for any, "" (no id) for nothing."""
    if reference is None:
        return None
    found = await request_named(database, reference, number, request)
    return "" if found is None else str(found)


async def fill_numbers(
    database: Database, number: Column[str], document: Column[Any], place: tuple[str, ...]
) -> int:
    """Fill in the numbers that are null from the JSON beside them; return how many rows it were.

    The database does it by itself, a page at a time. What has no number gets an empty one; a row a
    handler holds at that moment is passed over: the handler writes its number.
    """
    table, filled = number.table, 0
    left = select(table.c.id).where(number.is_(None)).limit(_PAGE)
    found = (_of_sqlite if database.is_sqlite else _of_postgresql)(document, place)
    # What was forgotten keeps an empty document, which is no JSON.
    is_empty = func.length(document) == 0
    page = (
        update(table)
        .where(table.c.id.in_(left.with_for_update(skip_locked=True)))
        .values({number.name: func.coalesce(case((is_empty, null()), else_=found), "")})
    )
    while True:
        async with database.transaction() as tx:
            done = int((await tx.execute(page)).rowcount)
        filled += done
        if done < _PAGE:
            return filled


def _of_sqlite(document: Column[Any], place: tuple[str, ...]) -> Any:
    return func.json_extract(cast(document, Text), ".".join(("$", *place)))


def _of_postgresql(document: Column[Any], place: tuple[str, ...]) -> Any:
    is_bytes = isinstance(document.type, LargeBinary)
    text = func.convert_from(document, "UTF8") if is_bytes else document
    return func.json_extract_path_text(cast(text, JSON), *place)

"""Statements of the hot path, built once: building one costs more than running it on a few rows.

Lists travel as one bound value, so a statement's text never changes with their length.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from services.intake.store.rows import REQUEST_COLUMNS
from services.intake.store.tables import answers, requests
from shared.database.native import Prepared
from shared.database.statements import listed, one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Row

    from shared.database.engine import Transaction


async def requests_by_id(tx: Transaction, ids: Iterable[str]) -> Sequence[Row[Any]]:
    """Return the rows of requests, with `REQUEST_COLUMNS`."""
    return await _found(tx, _by_id(tx.dialect.name), ids=ids)


async def requests_by_external_id(
    tx: Transaction, pairs: Iterable[tuple[str, str]]
) -> Sequence[Row[Any]]:
    """Return the rows posted under (source, external id), perhaps with others of both lists."""
    sources, externals = zip(*pairs, strict=True)
    statement = _by_external_id(tx.dialect.name)
    return await _found(tx, statement, sources=set(sources), externals=set(externals))


async def answers_by_key(tx: Transaction, pairs: Iterable[tuple[str, str]]) -> Sequence[Row[Any]]:
    """Return the answers to (caller, key), perhaps with others of both lists."""
    callers, keys = zip(*pairs, strict=True)
    return await _found(tx, _by_key(tx.dialect.name), callers=set(callers), keys=set(keys))


async def _found(
    tx: Transaction, statement: Prepared, **values: Iterable[str]
) -> Sequence[Row[Any]]:
    bound = {name: listed(tx.dialect.name, wanted) for name, wanted in values.items()}
    rows: Sequence[Row[Any]] = (await tx.execute(statement, bound)).all()
    return rows


@lru_cache(maxsize=2)
def _by_id(dialect: str) -> Prepared:
    return Prepared(select(*REQUEST_COLUMNS).where(one_of(dialect, requests.c.id, "ids")))


@lru_cache(maxsize=2)
def _by_external_id(dialect: str) -> Prepared:
    return Prepared(
        select(*REQUEST_COLUMNS).where(
            one_of(dialect, requests.c.source, "sources"),
            one_of(dialect, requests.c.external_id, "externals"),
        )
    )


@lru_cache(maxsize=2)
def _by_key(dialect: str) -> Prepared:
    return Prepared(
        select(answers).where(
            one_of(dialect, answers.c.caller_id, "callers"), one_of(dialect, answers.c.key, "keys")
        )
    )

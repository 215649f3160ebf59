"""What insight tells an auditor of its requests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

import orjson

from services.insight.store import tables
from shared.consuming.accounts import Account, Books
from shared.database.engine import Transaction
from shared.database.statements import rows_among

_WARNED, _BREACHED = "clock.warned.v1", "clock.breached.v1"
#: The percentage that stands for the target itself.
_BREACH = 100


async def account(tx: Transaction, keys: Collection[str]) -> Mapping[str, Account]:
    """Return the account of each request: whether it stands in the lists, what it heard fire."""
    found = {key: Account() for key in keys}
    for row in await rows_among(tx, tables.requests, "id", keys):
        found[row.id].facts["request"] = row.is_posted
    fired: dict[str, Counter[str]] = defaultdict(Counter)
    for row in await rows_among(tx, tables.timeline, "request_id", keys):
        if row.type in (_WARNED, _BREACHED):
            told = orjson.loads(row.params)
            percent = told.get("threshold_percent", _BREACH)
            fired[row.request_id][f"{told['metric']}/{percent}"] += 1
    for key, counts in fired.items():
        found[key].facts["thresholds"] = dict(counts)
    return found


BOOKS = Books((tables.requests.c.id, tables.timeline.c.request_id), account)

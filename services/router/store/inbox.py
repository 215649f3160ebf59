"""Reads inboxes: open work items of a team or person, least time left first.

One walk over an index per place where something for a person may lie (in their hands, in each of
their teams, named to them), each ended after a page; what comes out is merged. So a page costs the
same with a hundred open work items and with a hundred thousand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import and_, case, func, literal, or_, select, union_all

from services.router.domain import Record, WorkItem
from services.router.store import tables
from services.router.store.inboxed import Inboxed
from services.router.store.rows import item_of, record_of
from services.router.store.tables import NEVER_US
from shared.database.statements import change_rows, delete_among, insert_missing, rows_among
from shared.vocabulary import WorkItemState

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, Select

    from shared.database.engine import Database, Transaction

#: Rows mended in one transaction.
_PAGE = 500
_ITEMS, _FURTHER = tables.work_items, tables.work_item_candidates
#: How many are counted in one place at most: 15 ms on SQLite, which counts in the loop's thread.
COUNTED = 20_000
#: Where a page goes on: behind this due moment and id.
Cursor = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose inbox it is: a person with those they stand in for, and all their teams."""

    person: str
    own_teams: frozenset[str] = frozenset()
    #: Those they stand in for now, each with their teams.
    teams_of: tuple[tuple[str, frozenset[str]], ...] = ()
    #: mine | open | all
    scope: str = "all"

    @property
    def principals(self) -> tuple[str, ...]:
        """Those they stand in for."""
        return tuple(person for person, _ in self.teams_of)

    @property
    def teams(self) -> tuple[str, ...]:
        """Their own teams, and those of whom they stand in for."""
        return tuple(sorted(self.own_teams.union(*(teams for _, teams in self.teams_of))))


@dataclass(frozen=True, slots=True)
class Filters:
    """What an inbox is narrowed to; absent means everything."""

    whose: Whose | None = None
    teams: tuple[str, ...] = ()
    state: WorkItemState | None = None
    element_id: str | None = None
    process: str | None = None
    priorities: tuple[str, ...] = ()
    text: str | None = None
    due_before_us: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an inbox."""

    item: WorkItem
    record: Record
    #: What it is sorted by; `NEVER_US` and later: nothing is due.
    sorted_us: int | None
    #: Clock → (due, what it measures).
    dues: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)

    @property
    def cursor(self) -> Cursor:
        """Where a page that ends with it goes on."""
        return (self.sorted_us or 0, str(self.item.id))

    @property
    def due_us(self) -> int | None:
        """The first moment at which something about it is due, if anything is."""
        is_due = self.sorted_us is not None and self.sorted_us < NEVER_US
        return self.sorted_us if is_due else None


@dataclass(slots=True)
class Counts:
    """How many there are under the filters, by what people look at first."""

    total: int = 0
    overdue: int = 0
    due_soon: int = 0
    by_state: dict[str, int] = field(default_factory=dict)
    by_priority: dict[str, int] = field(default_factory=dict)
    #: There are more than were counted.
    is_at_least: bool = False


async def read_page(
    tx: Transaction, filters: Filters, limit: int, after: Cursor | None, offset: int = 0
) -> list[Entry]:
    """Return up to `limit` entries behind a cursor or offset, least time left first."""
    parts = [
        _ordered(wanted, after, limit + offset) for wanted in _places(filters, is_counted=False)
    ]
    merged = union_all(*(select(part.subquery()) for part in parts)).subquery()
    # One that lies in two places comes twice, each time with the same due moment.
    wanted = (
        select(merged.c.id, merged.c.due_us)
        .group_by(merged.c.id, merged.c.due_us)
        .order_by(merged.c.due_us, merged.c.id)
        .limit(limit)
        .offset(offset)
    )
    ids = [row.id for row in (await tx.execute(wanted)).all()]
    return await _entries(tx, ids)


async def read_counts(tx: Transaction, filters: Filters, now_us: int, soon_us: int) -> Counts:
    """Count what the filters leave: all, overdue, due before `soon_us`, by state and priority.

    In each place (hands, teams, named) up to `COUNTED` are counted: what a person has or can take
    is counted to the last, what a whole house has is not worth the time.
    """
    counts = Counts()
    for wanted in _places(filters, is_counted=True):
        part, before = wanted.limit(COUNTED + 1).subquery(), counts.total
        grouped = select(
            part.c.state,
            part.c.priority,
            func.count().label("number"),
            func.sum(_one_if(part.c.due_us < now_us)).label("overdue"),
            func.sum(_one_if(and_(part.c.due_us >= now_us, part.c.due_us < soon_us))).label("soon"),
        ).group_by(part.c.state, part.c.priority)
        for row in (await tx.execute(grouped)).all():
            counts.total += row.number
            counts.overdue += row.overdue
            counts.due_soon += row.soon
            _add(counts.by_state, row.state, row.number)
            _add(counts.by_priority, row.priority or "-", row.number)
        counts.is_at_least = counts.is_at_least or counts.total - before > COUNTED
    return counts


async def read_entry(tx: Transaction, item_id: str) -> Entry | None:
    """Return one work item as an inbox shows it, whether it is open or not."""
    found = await _entries(tx, [item_id])
    return found[0] if found else None


async def mend(database: Database) -> int:
    """Fill in what a release that knows no inboxes left empty; return how many it were."""
    mended = 0
    is_open = _ITEMS.c.state.in_([WorkItemState.OPEN.value, WorkItemState.CLAIMED.value])
    left = and_(is_open, _ITEMS.c.priority.is_(None))
    over = and_(~is_open, _ITEMS.c.due_us.is_not(None))
    while True:
        async with database.transaction() as tx:
            wanted = select(_ITEMS).where(or_(left, over)).limit(_PAGE)
            rows = (await tx.execute(wanted)).all()
            await _mend(tx, rows)
        mended += len(rows)
        if len(rows) < _PAGE:
            return mended


async def _mend(tx: Transaction, rows: Sequence[Any]) -> None:
    inboxed, records = Inboxed(), dict[str, Record]()
    for row in await rows_among(tx, tables.requests, "id", {row.request_id for row in rows}):
        records[row.id] = record_of(row)
        inboxed.saw_request(records[row.id].id, row.dues)
    items = [item_of(row) for row in rows]
    changed = [
        {"id": str(item.id), **inboxed.columns(item, records.get(str(item.request_id)))}
        for item in items
    ]
    # What belongs to no request is not looked at again and again.
    changed = [{**each, "priority": each["priority"] or "P3"} for each in changed]
    await change_rows(tx, _ITEMS, sorted(changed, key=lambda each: str(each["id"])))
    await delete_among(tx, _FURTHER, "item_id", [str(item.id) for item in items])
    await insert_missing(tx, _FURTHER, inboxed.further_rows(items))


# ---- where something may lie --------------------------------------------------------------------


def _places(filters: Filters, *, is_counted: bool) -> list[Select[Any]]:
    """Return a SELECT (id, due_us, state, priority) for each place; counted ones are disjoint."""
    whose = filters.whose
    if whose is None:
        teams = filters.teams
        if not teams:
            # SQLite would look at each row; this index has all that is counted.
            hint = (_ITEMS, "INDEXED BY ix_work_items_inbox", "sqlite")
            return [_select(filters).with_hint(*hint) if is_counted else _select(filters)]
        if is_counted:
            return [_select(filters, _ITEMS.c.team.in_(teams)), _further(filters, teams, teams)]
        each = [_select(filters, _ITEMS.c.team == team) for team in teams]
        return [*each, *(_further(filters, [team]) for team in teams)]
    places: list[Select[Any]] = []
    # As good as "nobody has it", and it stands in the index.
    is_free = _ITEMS.c.state == WorkItemState.OPEN.value
    people = (whose.person, *whose.principals)
    if whose.scope != "open":
        hands = [people] if is_counted else [(person,) for person in people]
        places += [_in_teams(filters, _ITEMS.c.assignee.in_(names)) for names in hands]
    if whose.scope != "mine":
        groups = [whose.teams] if is_counted else [(team,) for team in whose.teams]
        places += [_in_teams(filters, _ITEMS.c.team.in_(names), is_free) for names in groups]
        keys = [f"user:{person}" for person in people] + [f"team:{t}" for t in whose.teams]
        if is_counted:
            places.append(_keyed(filters, keys, whose.teams, is_free))
        else:
            places += [_keyed(filters, [key], (), is_free) for key in keys]
    return places


def _in_teams(filters: Filters, *more: ColumnElement[bool]) -> Select[Any]:
    narrowed = (_ITEMS.c.team.in_(filters.teams),) if filters.teams else ()
    return _select(filters, *more, *narrowed)


def _further(
    filters: Filters, teams: Collection[str], but_not: Collection[str] = ()
) -> Select[Any]:
    return _keyed(filters, [f"team:{team}" for team in teams], but_not)


def _keyed(
    filters: Filters,
    keys: Sequence[str],
    but_not: Collection[str],
    *more: ColumnElement[bool],
) -> Select[Any]:
    """Return what is offered to these further candidates, but not what these teams have first."""
    narrowed: list[ColumnElement[bool]] = []
    if filters.whose is not None and filters.teams:
        narrowed.append(_ITEMS.c.team.in_(filters.teams))
    if but_not:
        narrowed.append(or_(_ITEMS.c.team.is_(None), _ITEMS.c.team.not_in(but_not)))
    offered = _FURTHER.c.candidate.in_(keys) if len(keys) > 1 else _FURTHER.c.candidate == keys[0]
    wanted = _select(filters, *more, *narrowed, due=_FURTHER.c.due_us)
    joined = wanted.join(_FURTHER, _FURTHER.c.item_id == _ITEMS.c.id).where(offered)
    return joined.distinct() if len(keys) > 1 else joined


def _select(
    filters: Filters, *more: ColumnElement[bool], due: ColumnElement[int] | None = None
) -> Select[Any]:
    by = _ITEMS.c.due_us if due is None else due
    chosen: list[ColumnElement[bool]] = [_ITEMS.c.due_us.is_not(None), *more]
    if filters.state is not None:
        chosen.append(_ITEMS.c.state == filters.state.value)
    if filters.element_id is not None:
        chosen.append(_ITEMS.c.element_id == filters.element_id)
    if filters.process is not None:
        chosen.append(_ITEMS.c.process == filters.process)
    if filters.priorities:
        chosen.append(_ITEMS.c.priority.in_(filters.priorities))
    if filters.text is not None:
        chosen.append(_ITEMS.c.search.contains(filters.text.casefold(), autoescape=True))
    if filters.due_before_us is not None:
        chosen.append(by < filters.due_before_us)
    columns = (_ITEMS.c.id, by.label("due_us"), _ITEMS.c.state, _ITEMS.c.priority)
    return select(*columns).select_from(_ITEMS).where(*chosen)


def _ordered(wanted: Select[Any], after: Cursor | None, limit: int) -> Select[Any]:
    due, item_id = wanted.selected_columns["due_us"], _ITEMS.c.id
    if after is not None:
        wanted = wanted.where(due >= after[0], or_(due > after[0], item_id > after[1]))
    return wanted.order_by(due, item_id).limit(limit)


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, literal(1)), else_=literal(0))


def _add(counts: dict[str, int], key: str, number: int) -> None:
    counts[key] = counts.get(key, 0) + number


async def _entries(tx: Transaction, ids: Sequence[str]) -> list[Entry]:
    items = {row.id: row for row in await rows_among(tx, _ITEMS, "id", ids)}
    requests = {row.request_id for row in items.values()}
    records = {row.id: row for row in await rows_among(tx, tables.requests, "id", requests)}
    shown = {
        row.item_id: orjson.loads(row.body)
        for row in await rows_among(tx, tables.work_item_inputs, "item_id", ids)
    }
    found = []
    for item_id in ids:
        row = items.get(item_id)
        record = None if row is None else records.get(row.request_id)
        if row is None or record is None:
            continue
        dues = orjson.loads(record.dues) if record.dues else {}
        found.append(
            Entry(item_of(row), record_of(record), row.due_us, dues, shown.get(item_id, {}))
        )
    return found

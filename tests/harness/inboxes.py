"""A router's database with many open work items, written row by row: for inboxes at scale."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import insert

from services.router.domain import Record, WorkItem
from services.router.store import tables
from services.router.store.inboxed import Inboxed
from services.router.store.rows import item_row, record_row
from shared.database.tables import to_us
from shared.events.router import DirectoryChanged, Person, Team
from shared.vocabulary import Lane, Priority, RequestState, WorkItemState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shared.database.engine import Database

TEAMS = tuple(f"team-{n:02}" for n in range(20))
PEOPLE = tuple(f"person-{n:03}" for n in range(200))
_PAGE = 2_000
_TITLES = ("打印机无法连接", "VPN drops every hour", "报销单退回", "New laptop", "邮箱已满")


def directory() -> DirectoryChanged:
    """Twenty teams of thirty people; everybody is in three."""
    people = tuple(Person(id=person, name=person) for person in PEOPLE)
    teams = tuple(
        Team(
            id=team,
            name={"en": team},
            members=tuple(p for n, p in enumerate(PEOPLE) if (n - at) % len(TEAMS) in (0, 3, 7)),
        )
        for at, team in enumerate(TEAMS)
    )
    return DirectoryChanged(version=1, people=people, teams=teams)


async def fill(database: Database, count: int, now: datetime, seed: int = 7) -> None:
    """Write `count` open work items, and a tenth as many that are over.

    A fifth is in somebody's hands, a twentieth is offered to named people and a second team too.
    """
    told = directory().model_dump_json()
    async with database.transaction() as tx:
        house = {"id": 1, "revision": 1, "directory_version": 1, "directory": told}
        await tx.execute(insert(tables.house), [house])
    made = _made(count + count // 10, count, now, random.Random(seed))
    while page := [entry for _, entry in zip(range(_PAGE), made, strict=False)]:
        async with database.transaction() as tx:
            await tx.execute(insert(tables.requests), [request for request, _, _ in page])
            await tx.execute(insert(tables.work_items), [item for _, item, _ in page])
            further = [row for _, _, rows in page for row in rows]
            if further:
                await tx.execute(insert(tables.work_item_candidates), further)


def _made(
    count: int, still_open: int, now: datetime, chance: random.Random
) -> Iterator[tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]]:
    for number in range(count):
        record, item = _one(number, number < still_open, now, chance)
        inboxed = Inboxed()
        due_us = to_us(now + timedelta(minutes=chance.randrange(-600, 20_000)))
        dues = orjson.dumps({str(UUID(int=number)): [due_us, "resolution"]}).decode()
        inboxed.saw_request(record.id, dues)
        row = item_row(item) | inboxed.columns(item, record)
        yield record_row(record) | {"dues": dues}, row, inboxed.further_rows([item])


def _one(
    number: int, is_open: bool, now: datetime, chance: random.Random
) -> tuple[Record, WorkItem]:
    team = chance.choice(TEAMS)
    assignee = chance.choice(PEOPLE) if chance.random() < 0.2 else None
    state = WorkItemState.COMPLETED
    if is_open:
        state = WorkItemState.CLAIMED if assignee else WorkItemState.OPEN
    opened_at = now - timedelta(minutes=chance.randrange(20_000))
    is_shared = chance.random() < 0.05
    record = Record(
        id=UUID(int=chance.getrandbits(128)),
        number=f"R-2026-{number:06}",
        state=RequestState.OPEN if is_open else RequestState.RESOLVED,
        lane=Lane.STANDARD,
        priority=chance.choices(list(Priority), (5, 20, 50, 25))[0],
        team=team,
        submitted_at=opened_at,
        process="standard-path",
        process_version=1,
        instance_id=UUID(int=chance.getrandbits(128)),
        context={
            "number": f"R-2026-{number:06}",
            "request_type": "it-incident",
            "title": f"{chance.choice(_TITLES)} {number}",
            "requester": f"emp-{number % 5000}",
            "form": {"system": "mail", "affected_people": number % 90, "note": "—" * 60},
        },
        assignee=assignee,
    )
    item = WorkItem(
        id=UUID(int=chance.getrandbits(128)),
        request_id=record.id,
        instance_id=record.instance_id,
        task_id=7,
        element_id="handle",
        names={"zh-CN": "处理请求", "en": "Handle request"},
        teams=(team, chance.choice(TEAMS)) if is_shared else (team,),
        users=tuple(chance.sample(PEOPLE, 2)) if is_shared else (),
        opened_at=opened_at,
        form="handle",
        state=state,
        assignee=assignee,
    )
    return record, item

"""What choosing somebody of a team needs to know: what each has in hand, and whose turn it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from services.router.store import tables
from shared.database.statements import insert_missing, upsert
from shared.vocabulary import WorkItemState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from services.router.domain import People, Record
    from shared.database.engine import Transaction


@dataclass(slots=True)
class Hands:
    """Loaded for the teams of requests that wait to be assigned, and for no others."""

    loads: dict[str, int] = field(default_factory=dict)
    #: Team → who was given the last request in turn; "" when nobody was.
    turns: dict[str, str] = field(default_factory=dict)
    #: Number of a related request → its owner.
    owners: dict[str, str] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)

    async def load(self, tx: Transaction, records: Iterable[Record], people: People) -> None:
        """Take the turns of the teams first, so that the loads read after them are settled."""
        waiting = [r for r in records if r.assignment is not None and r.assignee is None]
        if not waiting:
            return
        await self._take_turns(tx, sorted({record.team for record in waiting}))
        members = {
            person
            for record in waiting
            if (team := people.teams.get(record.team)) is not None
            for person in team.members
        }
        await self._count(tx, members)
        told = [record.assignment for record in waiting if record.assignment is not None]
        await self._find_owners(tx, {str(rule["related"]) for rule in told if rule.get("related")})

    async def _take_turns(self, tx: Transaction, teams: list[str]) -> None:
        table = tables.turns
        await insert_missing(tx, table, [{"team": team, "person": ""} for team in teams])
        # Sorted, and behind the locks of the requests: nobody waits for them the other way round.
        wanted = select(table).where(table.c.team.in_(teams)).order_by(table.c.team)
        for row in (await tx.execute(wanted.with_for_update())).all():
            self.turns[row.team] = row.person

    async def _count(self, tx: Transaction, members: Collection[str]) -> None:
        table = tables.work_items
        in_hand = table.c.assignee.in_(sorted(members)) & (
            table.c.state == WorkItemState.CLAIMED.value
        )
        wanted = select(table.c.assignee, func.count()).where(in_hand).group_by(table.c.assignee)
        self.loads = {row[0]: row[1] for row in (await tx.execute(wanted)).all()}

    async def _find_owners(self, tx: Transaction, numbers: Collection[str]) -> None:
        if not numbers:
            return
        table = tables.requests
        wanted = select(table.c.number, table.c.assignee).where(table.c.number.in_(sorted(numbers)))
        self.owners = {row[0]: row[1] for row in (await tx.execute(wanted)).all() if row[1]}

    def load_of(self, person: str) -> int:
        """Return how many work items somebody has in hand."""
        return self.loads.get(person, 0)

    def last_turn(self, team: str) -> str | None:
        """Return who of a team was given the last request in turn."""
        return self.turns.get(team) or None

    def owner_of(self, number: str) -> str | None:
        """Return who owns the related request."""
        return self.owners.get(number)

    def took(self, team: str, person: str) -> None:
        """Note whose turn it was, and that they have one more."""
        self.turns[team] = person
        self.loads[person] = self.loads.get(person, 0) + 1
        self._changed.add(team)

    async def flush(self, tx: Transaction) -> None:
        """Write whose turn it was."""
        rows = [{"team": team, "person": self.turns[team]} for team in sorted(self._changed)]
        await upsert(tx, tables.turns, rows)

"""The released definitions, compiled and in memory; the tables are the truth.

A revision number in the database grows with every release, so that each replica notices within
its next transaction that it must read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from sqlalchemy import select

from services.router.store import tables
from services.router.workflow import CompiledProcess, compile_process
from shared.decisions import DecisionModel, load_decisions
from shared.definitions.models import Catalogue
from shared.definitions.parsing import parse, read_yaml
from shared.errors import NotFound, Unavailable
from shared.events.router import DirectoryChanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from shared.database.engine import Transaction


class NothingReleasedYet(Unavailable):
    """No definition {kind}/{key} has been released yet."""

    zh: ClassVar[str] = "尚未发布定义 {kind}/{key}。"


class NoSuchDecision(NotFound):
    """There is no decision {decision}."""

    zh: ClassVar[str] = "没有决策 {decision}。"


@dataclass(frozen=True, slots=True)
class Released:
    """One released definition."""

    kind: str
    key: str
    version: int
    content: str
    content_hash: str


class Repository:
    """What is in force, and the older process versions instances still run on."""

    def __init__(self) -> None:
        self.revision = -1
        self.directory = DirectoryChanged(version=0)
        self._in_force: dict[tuple[str, str], Released] = {}
        self._decisions: dict[str, tuple[DecisionModel, str, int]] = {}
        self._processes: dict[tuple[str, int], CompiledProcess] = {}
        self._types: dict[str, str] = {}
        self._teams: frozenset[str] = frozenset()
        self._teams_of: dict[str, frozenset[str]] = {}

    # ---- reading ---------------------------------------------------------------------------

    async def refresh(self, tx: Transaction) -> None:
        """Read again what changed since the last look."""
        house = (await tx.execute(select(tables.house))).first()
        if house is None or house.revision == self.revision:
            return
        wanted = select(tables.definitions).where(tables.definitions.c.is_in_force)
        for row in (await tx.execute(wanted)).all():
            known = self._in_force.get((row.kind, row.key))
            if known is None or known.version != row.version:
                self._take(Released(row.kind, row.key, row.version, row.content, row.content_hash))
        if house.directory_version != self.directory.version:
            self._take_directory(DirectoryChanged.model_validate(orjson.loads(house.directory)))
        self.revision = house.revision

    async def ensure(self, tx: Transaction, wanted: Iterable[tuple[str, int]]) -> None:
        """Compile the process versions that running instances are pinned to."""
        table = tables.definitions
        for key, version in set(wanted):
            if (key, version) in self._processes:
                continue
            found = await tx.execute(
                select(table.c.content).where(
                    table.c.kind == "process", table.c.key == key, table.c.version == version
                )
            )
            content = found.scalar_one()
            self._processes[(key, version)] = compile_process(
                content.encode(), key=key, version=version, decisions=self
            )

    def _take(self, released: Released) -> None:
        if released.kind == "decision":
            model = load_decisions(released.content.encode(), file=released.key)
            for name in model.decisions_by_id:
                self._decisions[name] = (model, released.key, released.version)
        elif released.kind == "process":
            self._processes[(released.key, released.version)] = compile_process(
                released.content.encode(),
                key=released.key,
                version=released.version,
                decisions=self,
            )
        elif released.kind == "catalogue":
            catalogue = parse(Catalogue, read_yaml(released.content), released.key)
            self._types = {entry.key: entry.process for entry in catalogue.types}
        self._in_force[(released.kind, released.key)] = released

    def _take_directory(self, directory: DirectoryChanged) -> None:
        self.directory = directory
        self._teams = frozenset(team.id for team in directory.teams)
        members: dict[str, set[str]] = {}
        for team in directory.teams:
            for person in {*team.members, team.lead, team.manager} - {None}:
                members.setdefault(str(person), set()).add(team.id)
        self._teams_of = {person: frozenset(teams) for person, teams in members.items()}

    # ---- asking ----------------------------------------------------------------------------

    def in_force(self, kind: str, key: str) -> Released | None:
        """Return the definition in force, if there is one."""
        return self._in_force.get((kind, key))

    def all_in_force(self) -> list[Released]:
        """Return every definition in force, sorted."""
        return [self._in_force[place] for place in sorted(self._in_force)]

    @property
    def decision_ids(self) -> frozenset[str]:
        """The decisions that exist."""
        return frozenset(self._decisions)

    @property
    def process_keys(self) -> frozenset[str]:
        """The processes that exist."""
        return frozenset(key for kind, key in self._in_force if kind == "process")

    def process_of_type(self, request_type: str) -> str:
        """Return the process a request type takes; the standard path for unknown types."""
        return self._types.get(request_type, "standard-path")

    def process(self, key: str, version: int | None = None) -> CompiledProcess:
        """Return a compiled process: the version in force, or the one asked for."""
        if version is None:
            released = self._in_force.get(("process", key))
            if released is None:
                raise NothingReleasedYet(kind="process", key=key)
            version = released.version
        return self._processes[(key, version)]

    def evaluate(
        self, decision_id: str, inputs: Mapping[str, object], now: datetime
    ) -> tuple[object, dict[str, Any]]:
        """Take a decision; return its result and the explanation events carry."""
        if decision_id not in self._decisions:
            raise NoSuchDecision(decision=decision_id)
        model, key, version = self._decisions[decision_id]
        evaluation = model.evaluate(decision_id, inputs, now=now)
        told: dict[str, Any] = dict(evaluation.explanation[-1]) if evaluation.explanation else {}
        rules = told.get("rule_ids") or told.get("matched_rules") or ()
        return evaluation.result, {
            "decision": key,
            "version": version,
            "matched_rules": [str(rule) for rule in rules],
            "inputs": told.get("inputs", {}),
            "outputs": evaluation.result,
        }

    def has_team(self, team: str) -> bool:
        """Whether the team exists; the triage queue always does."""
        return team in self._teams or team == "triage"

    def has_person(self, person: str) -> bool:
        """Whether the person is in the directory."""
        return any(known.id == person for known in self.directory.people)

    def teams_of(self, person: str) -> frozenset[str]:
        """Return the teams a person belongs to, leads or manages."""
        return self._teams_of.get(person, frozenset())

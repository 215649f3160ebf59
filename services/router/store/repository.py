"""The released definitions, compiled and in memory; the tables are the truth.

A revision number in the database grows with every release, so that each replica notices with its
next look that it must read again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from sqlalchemy import select

from services.router.domain import People
from services.router.store import tables
from services.router.store.in_force import Around, InForce, Released
from services.router.store.peopled import people_of
from services.router.workflow import CompiledProcess, compile_process
from shared.database.native import Prepared
from shared.database.tables import from_us
from shared.decisions import DecisionModel, load_decisions
from shared.definitions.models import Catalogue
from shared.definitions.parsing import parse, read_yaml
from shared.definitions.working_time import Calendars
from shared.errors import NotFound, Unavailable
from shared.events.router import DirectoryChanged, Team

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from services.router.workflow import Pins, Stored
    from shared.consuming import Glance
    from shared.database.engine import Transaction
    from shared.feel import WorkingTime

#: The directory itself may be long and is read when it changed.
_HOUSE = Prepared(select(tables.house.c.revision, tables.house.c.directory_version))


class NothingReleasedYet(Unavailable):
    """No definition {kind}/{key} has been released yet."""

    zh: ClassVar[str] = "尚未发布定义 {kind}/{key}。"


class NoSuchDecision(NotFound):
    """There is no decision {decision}."""

    zh: ClassVar[str] = "没有决策 {decision}。"


#: Compiled versions kept beside those in force; what is dropped is compiled again when needed.
MAX_COMPILED = 300


class Tables:
    """Decisions an instance is pinned to, or those in force: id → (model, file key, version)."""

    def __init__(
        self, models: Mapping[str, tuple[DecisionModel, str, int]], working: WorkingTime
    ) -> None:
        self.models, self.working = models, working

    def evaluate(
        self, decision_id: str, inputs: Mapping[str, object], now: datetime
    ) -> tuple[object, dict[str, Any]]:
        """Take a decision; return its result and the explanation events carry."""
        if decision_id not in self.models:
            raise NoSuchDecision(decision=decision_id)
        model, key, version = self.models[decision_id]
        evaluation = model.evaluate(decision_id, inputs, now=now, working=self.working)
        told: dict[str, Any] = evaluation.explanation[-1] if evaluation.explanation else {}
        rules = told.get("rule_ids") or told.get("matched_rules") or ()
        return evaluation.result, {
            "decision": key,
            "version": version,
            "matched_rules": [str(rule) for rule in rules],
            "inputs": told.get("inputs", {}),
            "outputs": evaluation.result,
        }


class Repository:
    """What is in force, and the older versions instances still run on.

    An instance keeps the versions it started with: of its process, of the processes that calls
    and of the decision tables all of them use (its pins, kept in its state).
    """

    def __init__(self, glance: Glance | None = None) -> None:
        self.revision = -1
        self._glance = glance
        self.directory = DirectoryChanged(version=0)
        #: The directory, as the rules see it.
        self.people = People()
        self.calendars = Calendars()
        self._in_force: dict[tuple[str, str], Released] = {}
        self._decisions: dict[str, tuple[DecisionModel, str, int]] = {}
        self._models: dict[tuple[str, int], DecisionModel] = {}
        #: Of what is in force, compiled with what is in force.
        self._current: dict[str, CompiledProcess] = {}
        #: By process, version and pins.
        self._pinned: dict[tuple[str, int, Pins | None], CompiledProcess] = {}
        self._types: dict[str, str] = {}
        self._teams: frozenset[str] = frozenset()
        self._teams_of: dict[str, frozenset[str]] = {}

    @classmethod
    def of(cls, released: Iterable[Released], directory: DirectoryChanged | None) -> Repository:
        """Return what would be in force if these were, in this order; no database is asked."""
        made = cls()
        for each in released:
            made._take(each)
        if directory is not None:
            made._take_directory(directory)
        return made

    # ---- reading ---------------------------------------------------------------------------

    async def refresh(self, tx: Transaction, keys: Collection[str] | None = None) -> None:
        """Read again what changed since the last look, if it is time for another one.

        `keys` are what a transaction is about; without them there is always a look.
        """
        if self._glance is None or keys is None or self._glance.is_due(keys):
            await self._look(tx)
            if self._glance is not None:
                self._glance.looked()

    def changed(self) -> None:
        """Hear that something is being released: the next transaction looks."""
        if self._glance is not None:
            self._glance.forget()

    async def _look(self, tx: Transaction) -> None:
        house = (await tx.execute(_HOUSE)).first()
        if house is None or house.revision == self.revision:
            return
        wanted = select(tables.definitions).where(tables.definitions.c.is_in_force)
        for row in (await tx.execute(wanted)).all():
            known = self._in_force.get((row.kind, row.key))
            if known is None or known.version != row.version:
                self._take(_released(row))
        if house.directory_version != self.directory.version:
            directory = (await tx.execute(select(tables.house.c.directory))).scalar_one()
            self._take_directory(DirectoryChanged.model_validate(orjson.loads(directory)))
        self.revision = house.revision

    async def ensure(self, tx: Transaction, wanted: Iterable[Stored]) -> None:
        """Compile what stored instances are pinned to."""
        missing = {
            place: stored
            for stored in wanted
            if (place := (stored.key, stored.version, stored.pins)) not in self._pinned
        }
        for place, stored in missing.items():
            while len(self._pinned) >= MAX_COMPILED + len(missing):
                del self._pinned[next(iter(self._pinned))]
            self._pinned[place] = await self._compile_pinned(tx, stored)

    async def _compile_pinned(self, tx: Transaction, stored: Stored) -> CompiledProcess:
        content = await self._content(tx, "process", stored.key, stored.version)
        if stored.pins is None:
            # Stored before there were pins: it takes what is in force, and keeps that from now on.
            return self._compile(stored.key, stored.version, content)
        processes: dict[str, str] = {}
        models: dict[str, tuple[DecisionModel, str, int]] = {}
        for kind, key, version in stored.pins:
            pinned = await self._content(tx, kind, key, version)
            if kind == "process":
                processes[key] = pinned
            else:
                model = self._model(key, version, pinned)
                models |= {name: (model, key, version) for name in model.decisions_by_id}
        compiled = compile_process(
            content.encode(),
            key=stored.key,
            version=stored.version,
            decisions=Tables(models, self.calendars),
            around=Around((), processes),
            working=self.calendars,
            is_released=True,
        )
        return replace(compiled, pins=stored.pins)

    async def _content(self, tx: Transaction, kind: str, key: str, version: int) -> str:
        known, table = self._in_force.get((kind, key)), tables.definitions
        if known is not None and known.version == version:
            return known.content
        is_it = (table.c.kind == kind) & (table.c.key == key) & (table.c.version == version)
        content: str = (await tx.execute(select(table.c.content).where(is_it))).scalar_one()
        return content

    def _model(self, key: str, version: int, content: str) -> DecisionModel:
        if (key, version) not in self._models:
            self._models[(key, version)] = load_decisions(content.encode(), file=key)
        return self._models[(key, version)]

    def _compile(self, key: str, version: int, content: str) -> CompiledProcess:
        """Compile a process with the tables and processes in force, and pin it to them."""
        compiled = compile_process(
            content.encode(),
            key=key,
            version=version,
            decisions=Tables(dict(self._decisions), self.calendars),
            around=self.around(),
            working=self.calendars,
            is_released=True,
        )
        files = {
            self._decisions[name][1:] for name in compiled.decisions if name in self._decisions
        }
        pins = [("decision", *file) for file in files]
        pins += [
            ("process", name, self._in_force["process", name].version) for name in compiled.calls
        ]
        return replace(compiled, pins=tuple(sorted(pins)))

    def _take(self, released: Released) -> None:
        self._in_force[(released.kind, released.key)] = released
        if released.kind == "decision":
            model = self._model(released.key, released.version, released.content)
            # What the file no longer holds is gone; else it would be, after the next start.
            for name in [n for n, (_, key, _) in self._decisions.items() if key == released.key]:
                del self._decisions[name]
            for name in model.decisions_by_id:
                self._decisions[name] = (model, released.key, released.version)
        elif released.kind == "calendar":
            self.calendars.put(released.key, released.content)
        elif released.kind == "catalogue":
            catalogue = parse(Catalogue, read_yaml(released.content), released.key)
            self._types = {entry.key: entry.process for entry in catalogue.types}
        if released.kind in ("decision", "process"):
            self._current.clear()
            for place in [place for place in self._pinned if place[2] is None]:
                del self._pinned[place]

    def _take_directory(self, directory: DirectoryChanged) -> None:
        self.directory, self.people = directory, people_of(directory)
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

    def snapshot(self) -> InForce:
        """Return all that is in force as values that do not change."""
        owners = {name: key for name, (_, key, _) in self._decisions.items()}
        return InForce(self.revision, dict(self._in_force), owners)

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

    def process(self, key: str) -> CompiledProcess:
        """Return the version of a process in force, pinned to what is in force beside it."""
        if key not in self._current:
            released = self._in_force.get(("process", key))
            if released is None:
                raise NothingReleasedYet(kind="process", key=key)
            compiled = self._compile(key, released.version, released.content)
            self._current[key] = self._pinned[(key, released.version, compiled.pins)] = compiled
        return self._current[key]

    def pinned(self, stored: Stored) -> CompiledProcess:
        """Return what a stored instance runs on, after `ensure`."""
        return self._pinned[(stored.key, stored.version, stored.pins)]

    def around(self) -> Around:
        """Return what a diagram may call."""
        known = {key: r.content for (kind, key), r in self._in_force.items() if kind == "process"}
        return Around(self.decision_ids, known)

    def evaluate(
        self, decision_id: str, inputs: Mapping[str, object], now: datetime
    ) -> tuple[object, dict[str, Any]]:
        """Take a decision by the table in force; return its result and its explanation."""
        return Tables(self._decisions, self.calendars).evaluate(decision_id, inputs, now)

    def is_working(self, calendar: str, at: datetime) -> bool:
        """Whether a calendar works at a moment; one nobody knows always does."""
        worked = self.calendars.between(calendar, at, at + timedelta(seconds=1))
        return worked is None or worked > timedelta(0)

    def has_team(self, team: str) -> bool:
        """Whether the team exists; the triage queue always does."""
        return team in self._teams or team == "triage"

    def team(self, team: str) -> Team | None:
        """Return a team of the directory."""
        return next((known for known in self.directory.teams if known.id == team), None)

    def has_person(self, person: str) -> bool:
        """Whether the person is in the directory."""
        return person in self.people.people

    def teams_of(self, person: str) -> frozenset[str]:
        """Return the teams a person belongs to, leads or manages."""
        return self._teams_of.get(person, frozenset())


def _released(row: Any) -> Released:
    return Released(
        kind=row.kind,
        key=row.key,
        version=row.version,
        content=row.content,
        content_hash=row.content_hash,
        released_by=row.released_by,
        released_at=from_us(row.released_us),
        again_of=row.again_of,
    )

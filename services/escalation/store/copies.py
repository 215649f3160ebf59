"""Escalation's own copies of the directory and the policies, in memory; the tables are the truth.

A look asks the tables which versions there are and reads only what is not known; see `Glance`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from sqlalchemy import select

from services.escalation.domain import Directory, Plan, PolicyUnknown, plan_of
from services.escalation.store import tables
from services.escalation.store.rows import directory_of
from shared.database.native import Prepared
from shared.definitions.models import EscalationPolicy
from shared.definitions.parsing import parse, read_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from shared.consuming import Glance
    from shared.database.engine import Transaction

#: Applies where a team names none, or one that was never released.
FALLBACK = "standard"

_DIRECTORY = Prepared(select(tables.directory.c.version))
_POLICIES = Prepared(select(tables.policies.c.key, tables.policies.c.version))


class Copies:
    """What one process has read so far."""

    def __init__(self, glance: Glance | None = None) -> None:
        self._glance = glance
        self._directory = Directory()
        self._policies: dict[tuple[str, int], tuple[EscalationPolicy, Plan]] = {}

    async def read(self, tx: Transaction, keys: Collection[str] | None = None) -> InForce:
        """Return what is in force, reading again what changed if it is time for a look.

        `keys` are what a transaction is about; without them there is always a look.
        """
        if self._glance is None or keys is None or self._glance.is_due(keys):
            await self._look(tx)
            if self._glance is not None:
                self._glance.looked()
        return InForce(self._directory, dict(self._policies))

    def changed(self) -> None:
        """Hear that something is being stored: the next transaction looks."""
        if self._glance is not None:
            self._glance.forget()

    async def _look(self, tx: Transaction) -> None:
        version = (await tx.execute(_DIRECTORY)).scalar_one_or_none()
        if version is not None and version != self._directory.version:
            row = (await tx.execute(select(tables.directory))).one()
            self._directory = directory_of(row.version, orjson.loads(row.body))
        await self._read_policies(tx)

    async def _read_policies(self, tx: Transaction) -> None:
        table = tables.policies
        there = {(row.key, row.version) for row in await tx.execute(_POLICIES)}
        for key, version in sorted(there - self._policies.keys()):
            one = (table.c.key == key) & (table.c.version == version)
            content = (await tx.execute(select(table.c.content).where(one))).scalar_one()
            policy = parse(EscalationPolicy, read_yaml(content), key)
            self._policies[(key, version)] = (policy, plan_of(policy))


class InForce:
    """The directory and the policies one transaction works with."""

    def __init__(
        self,
        directory: Directory,
        policies: Mapping[tuple[str, int], tuple[EscalationPolicy, Plan]],
    ) -> None:
        self.directory = directory
        self._policies = dict(policies)
        self._latest = self._find_latest()

    def _find_latest(self) -> dict[str, int]:
        latest: dict[str, int] = {}
        for key, version in self._policies:
            latest[key] = max(version, latest.get(key, 0))
        return latest

    def add(self, version: int, policy: EscalationPolicy) -> None:
        """Take a policy that was released in this transaction."""
        self._policies[(policy.key, version)] = (policy, plan_of(policy))
        self._latest = self._find_latest()

    def has(self, key: str, version: int) -> bool:
        """Return whether this version of a policy is known."""
        return (key, version) in self._policies

    def latest(self) -> list[tuple[int, EscalationPolicy]]:
        """Return every policy in force with its version, by key."""
        found = sorted(self._latest.items())
        return [(version, self._policies[(key, version)][0]) for key, version in found]

    def version_of(self, key: str) -> int | None:
        """Return the version of a policy that is in force."""
        return self._latest.get(key)

    def of_team(self, team: str | None) -> tuple[str, int]:
        """Return key and version of the policy a team's requests climb.

        Raises `PolicyUnknown` while not even the fallback was released.
        """
        known = self.directory.teams.get(team or "")
        for key in (known.policy if known else FALLBACK, FALLBACK):
            if key in self._latest:
                return key, self._latest[key]
        raise PolicyUnknown

    def policy(self, key: str, version: int) -> EscalationPolicy:
        """Return one version of a policy."""
        return self._policies[(key, version)][0]

    def plan(self, key: str, version: int) -> Plan:
        """Return the plan of one version of a policy."""
        return self._policies[(key, version)][1]

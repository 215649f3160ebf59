"""A file of decisions, ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeGuard

from shared.feel import DEFAULT_BUDGET, Budget, Run

from .errors import DecisionNotFound
from .evaluation import Evaluation, evaluated
from .quick import QuickTable, quick_table
from .table import DecisionTable
from .types import Types

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from shared.errors import Finding
    from shared.feel import WorkingTime

    from .boxed import Function
    from .frame import Logic
    from .types import ItemType


@dataclass(frozen=True, slots=True)
class Requirements:
    """What an element needs, by id, in the order of the file."""

    inputs: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    knowledge: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InputData:
    """An input of the model: the name it is given under, and its type."""

    id: str
    name: str
    kind: ItemType | None = None
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision: its name for people, the variable it sets for others, and its logic."""

    id: str
    name: str
    variable: str
    logic: Logic
    requires: Requirements
    kind: ItemType | None = None
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A business knowledge model: a function by name."""

    id: str
    name: str
    function: Function
    requires: Requirements


@dataclass(frozen=True, slots=True)
class Service:
    """A decision service: the decisions it answers with, from the inputs it takes."""

    id: str
    name: str
    outputs: tuple[str, ...]
    input_decisions: tuple[str, ...]
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecisionSummary:
    """What people need to know to ask a decision: its id, name, and the names of its inputs."""

    id: str
    name: str
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class DecisionModel:
    """The decisions of one file; immutable, and safe to share between threads."""

    name: str
    decisions_by_id: Mapping[str, Decision]
    inputs_by_id: Mapping[str, InputData]
    knowledge_by_id: Mapping[str, Knowledge]
    services_by_id: Mapping[str, Service]
    types: Types = field(default_factory=Types)
    findings: tuple[Finding, ...] = ()
    file: str = ""

    @property
    def decisions(self) -> tuple[DecisionSummary, ...]:
        """All decisions with the inputs they and those they require need."""
        return tuple(
            DecisionSummary(decision.id, decision.name, self.input_names(decision.id))
            for decision in self.decisions_by_id.values()
        )

    def input_names(self, decision_id: str) -> tuple[str, ...]:
        """Return the names a decision takes from outside: drawn inputs, and free variables."""
        names: dict[str, None] = {}
        seen: set[str] = set()
        waiting = [decision_id]
        while waiting:
            current = waiting.pop()
            if current in seen or current not in self.decisions_by_id:
                continue
            seen.add(current)
            decision = self.decisions_by_id[current]
            names.update(dict.fromkeys(self._own_inputs(decision)))
            waiting += decision.requires.decisions
        return tuple(names)

    def _own_inputs(self, decision: Decision) -> list[str]:
        drawn = [
            self.inputs_by_id[i].name for i in decision.requires.inputs if i in self.inputs_by_id
        ]
        supplied = {
            self.decisions_by_id[i].variable
            for i in decision.requires.decisions
            if i in self.decisions_by_id
        } | {
            found.name
            for i in decision.requires.knowledge
            if (found := self.knowledge_by_id.get(i) or self.services_by_id.get(i))
        }
        free = sorted(decision.logic.names() - supplied - set(drawn))
        return [*drawn, *free]

    @cached_property
    def typed_inputs(self) -> tuple[InputData, ...]:
        """The drawn inputs that say of which type they are."""
        return tuple(data for data in self.inputs_by_id.values() if data.kind is not None)

    def is_lone(self, asked: Decision | Service | Knowledge) -> TypeGuard[Decision]:
        """Return whether that is a decision which needs no other element of the model."""
        return isinstance(asked, Decision) and asked.id in self._lone

    @cached_property
    def _lone(self) -> frozenset[str]:
        if self.typed_inputs:
            return frozenset()
        return frozenset(
            decision.id
            for decision in self.decisions_by_id.values()
            if not decision.requires.decisions and not decision.requires.knowledge
        )

    @cached_property
    def _quick(self) -> dict[str, QuickTable]:
        """The quick ways to ask tables that need no other element, by what they are found under."""
        found = {
            name: quick_table(asked, asked.logic)
            for name, asked in self._by_id_or_name.items()
            if self.is_lone(asked) and isinstance(asked.logic, DecisionTable)
        }
        return {name: quick for name, quick in found.items() if quick is not None}

    def names_in(self, decision: Decision) -> Sequence[str]:
        """Return the variables a decision's logic names, in alphabetical order."""
        return self._names[decision.id]

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        return {key: sorted(one.logic.names()) for key, one in self.decisions_by_id.items()}

    @cached_property
    def _by_id_or_name(self) -> dict[str, Decision | Service | Knowledge]:
        """Everything that can be asked; an id goes before a name, the first before the others."""
        everything = self._everything()
        return {
            **{found.name: found for found in reversed(everything)},
            **{found.id: found for found in reversed(everything)},
        }

    def _everything(self) -> list[Decision | Service | Knowledge]:
        return [
            *self.decisions_by_id.values(),
            *self.services_by_id.values(),
            *self.knowledge_by_id.values(),
        ]

    def find(self, decision: str) -> Decision | Service | Knowledge:
        """Return a decision, service or function by id, else by name; raise DecisionNotFound."""
        found = self._by_id_or_name.get(decision)
        if found is None:
            known = ", ".join(one.name for one in self._everything())
            raise DecisionNotFound(decision=decision, known=known)
        return found

    def evaluate(
        self,
        decision: str,
        inputs: Mapping[str, object],
        *,
        now: datetime | None = None,
        budget: Budget = DEFAULT_BUDGET,
        working: WorkingTime | None = None,
    ) -> Evaluation:
        """Evaluate a decision (or service, or function), by id or name, and what it requires.

        `inputs` are JSON (or FEEL) values by name; those nothing asks for are not looked at.
        Raises DecisionNotFound, HitPolicyViolated, FeelBudgetExceeded, and InputUnreadable for
        an input asked for that is no JSON.
        """
        quick = self._quick.get(decision)
        if quick is not None:
            answer = quick.answer(inputs.get)
            if answer is not None:
                return answer
        return evaluated(self, self.find(decision), Run(now, budget, working), inputs)

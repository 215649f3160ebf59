"""A file of decisions, ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.feel import DEFAULT_BUDGET, Budget, Run, to_feel, to_json

from .errors import DecisionNotFound, InputUnreadable
from .evaluation import Session
from .types import Types

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shared.errors import Finding
    from shared.feel import FeelValue, WorkingTime

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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An answer: as JSON (`result`), as a FEEL value (`value`), and why (`explanation`).

    `explanation` has one entry per decision evaluated, in order, each a JSON object: `decision`,
    `name`, `kind`, `hit_policy`, `matched_rules` (counted from 1), `rule_ids`, `inputs`,
    `outputs`, and `notes` where something did not fit its type. Tables inside functions have
    entries of their own, marked `"kind": "function table"`.
    """

    result: object
    value: FeelValue
    explanation: tuple[dict[str, object], ...]


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

    def find(self, decision: str) -> Decision | Service | Knowledge:
        """Return a decision, service or function by id, else by name; raise DecisionNotFound."""
        everything: list[Decision | Service | Knowledge] = [*self.decisions_by_id.values()]
        everything += self.services_by_id.values()
        everything += self.knowledge_by_id.values()
        for found in everything:
            if decision == found.id:
                return found
        for found in everything:
            if decision == found.name:
                return found
        known = ", ".join(found.name for found in everything)
        raise DecisionNotFound(decision=decision, known=known)

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

        `inputs` are JSON (or FEEL) values by name. Raises DecisionNotFound, HitPolicyViolated,
        FeelBudgetExceeded, and InputUnreadable for an input that is no JSON.
        """
        found = self.find(decision)
        session = Session(self, Run(now, budget, working), _read(inputs))
        value = session.answer(found)
        return Evaluation(to_json(value), to_feel(value), session.explanation())


def _read(inputs: Mapping[str, object]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in inputs.items():
        try:
            values[name] = to_feel(value)
        except TypeError as error:
            raise InputUnreadable(name=name, kind=type(value).__name__) from error
    return values

"""A file of decisions, ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

from shared.feel import DEFAULT_BUDGET, Budget, Run, to_json
from shared.feel.scope import JsonScope

from .errors import DecisionNotFound
from .evaluation import Session
from .frame import Variables
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


class Evaluation(NamedTuple):
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

    @cached_property
    def typed_inputs(self) -> tuple[InputData, ...]:
        """The drawn inputs that say of which type they are."""
        return tuple(data for data in self.inputs_by_id.values() if data.kind is not None)

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
        found = self.find(decision)
        session = Session(self, Run(now, budget, working), Variables({}, JsonScope(inputs)))
        value = session.answer(found)
        return Evaluation(to_json(value), cast("FeelValue", value), session.explanation())

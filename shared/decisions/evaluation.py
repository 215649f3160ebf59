"""One evaluation of a model: decisions in the order they need one another, each with its record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.feel import to_json
from shared.feel.operations import call
from shared.feel.values import FeelFunction

from .frame import Frame, Record, Variables
from .types import Unfit

if TYPE_CHECKING:
    from shared.feel import Run

    from .frame import TableTrace
    from .model import Decision, DecisionModel, InputData, Knowledge, Requirements, Service


class Session:
    """Evaluates decisions over one set of inputs, each at most once."""

    def __init__(self, model: DecisionModel, run: Run, variables: Variables) -> None:
        """Start with the inputs; those drawn in the model are fitted to their types."""
        self._model = model
        self._run = run
        self._variables = variables
        self._results: dict[str, object] = {}
        self._busy: set[str] = set()
        self._explanation: list[dict[str, object]] = []
        self._notes: list[str] = []
        fitted = {
            data.name: self._fitted_input(data)
            for data in model.typed_inputs
            if data.name in variables
        }
        if fitted:
            self._variables = self._variables.with_values(fitted)

    def _fitted_input(self, data: InputData) -> object:
        try:
            types = self._model.types
            return types.fitted(self._variables.get(data.name), types.of(data.type_ref))
        except Unfit:
            self._notes.append(f"{data.name}: not of type {data.type_ref}")
            return None

    def explanation(self) -> tuple[dict[str, object], ...]:
        """Return what was evaluated so far."""
        return tuple(self._explanation)

    def answer(self, asked: Decision | Service | Knowledge) -> object:
        """Return the value of a decision or service, or what a function makes of the inputs."""
        if asked.id in self._model.services_by_id:
            return self._service(self._model.services_by_id[asked.id])
        if asked.id in self._model.knowledge_by_id:
            function = self._knowledge(self._model.knowledge_by_id[asked.id], Record())
            arguments = tuple(self._variables.get(name) for name in function.parameters)
            return call(self._run, function, arguments)
        return self._decided(asked.id)

    def _service(self, service: Service) -> object:
        """Evaluate a service; decisions it takes as inputs are given by name, not evaluated."""
        for decision_id in service.input_decisions:
            decision = self._model.decisions_by_id.get(decision_id)
            if decision is not None:
                self._results[decision_id] = self._variables.get(decision.variable)
        results = {
            self._model.decisions_by_id[output].variable: self._decided(output)
            for output in service.outputs
            if output in self._model.decisions_by_id
        }
        return next(iter(results.values())) if len(results) == 1 else results

    def _decided(self, decision_id: str) -> object:
        if decision_id in self._results:
            return self._results[decision_id]
        decision = self._model.decisions_by_id.get(decision_id)
        if decision is None or decision_id in self._busy:
            return None
        self._busy.add(decision_id)
        record = Record()
        frame = Frame(self._run, self._variables_for(decision.requires, record), record)
        value = self._fitted(decision, decision.logic.evaluate(frame), record)
        self._busy.discard(decision_id)
        self._results[decision_id] = value
        self._explain(decision, frame, value)
        return value

    def _fitted(self, decision: Decision, value: object, record: Record) -> object:
        """A result which is not of the declared type is null (DMN 1.3, 10.4)."""
        try:
            return self._model.types.fitted(value, decision.kind)
        except Unfit:
            record.note(f"{decision.name}: the result is not of type {decision.type_ref}")
            return None

    def _variables_for(self, requires: Requirements, record: Record) -> Variables:
        if not requires.decisions and not requires.knowledge:
            return self._variables
        more: dict[str, object] = {}
        for decision_id in requires.decisions:
            decision = self._model.decisions_by_id.get(decision_id)
            if decision is not None:
                more[decision.variable] = self._decided(decision_id)
        more.update(self._functions(requires, record))
        return self._variables.with_values(more)

    def _functions(self, requires: Requirements, record: Record) -> dict[str, object]:
        functions: dict[str, object] = {}
        for required in requires.knowledge:
            knowledge = self._model.knowledge_by_id.get(required)
            service = self._model.services_by_id.get(required)
            if knowledge is not None:
                functions[knowledge.name] = self._knowledge(knowledge, record)
            elif service is not None:
                functions[service.name] = self._service_function(service)
        return functions

    def _knowledge(self, knowledge: Knowledge, record: Record) -> FeelFunction:
        """Return a model's function; what it requires is looked up only when it is called."""

        def invoke(run: Run, arguments: tuple[object, ...]) -> object:
            known = self._functions(knowledge.requires, record)
            made = knowledge.function.evaluate(Frame(run, Variables(known), record))
            return made.invoke(run, arguments)

        names = tuple(parameter.name for parameter in knowledge.function.parameters)
        return FeelFunction(names, invoke, knowledge.name)

    def _service_function(self, service: Service) -> FeelFunction:
        """Return a service as a function of its inputs and input decisions, in this order."""
        model = self._model
        names = [model.inputs_by_id[i].name for i in service.inputs if i in model.inputs_by_id]
        names += [
            model.decisions_by_id[i].variable
            for i in service.input_decisions
            if i in model.decisions_by_id
        ]

        def invoke(run: Run, arguments: tuple[object, ...]) -> object:
            inner = Session(model, run, Variables(dict(zip(names, arguments, strict=True))))
            value = inner._service(service)
            self._explanation += inner._explanation
            return value

        return FeelFunction(tuple(names), invoke, service.name)

    def _explain(self, decision: Decision, frame: Frame, value: object) -> None:
        kind = decision.logic.kind
        entry: dict[str, object] = {
            "decision": decision.id,
            "name": decision.name,
            "kind": kind,
            "inputs": {},
            "outputs": to_json(value),
        }
        tables = frame.record.tables
        if kind == "decisionTable" and tables:
            entry |= _told(tables[-1])
            tables = tables[:-1]
        else:
            entry["inputs"] = {
                name: to_json(frame.scope.get(name))
                for name in sorted(decision.logic.names())
                if name in frame.scope
            }
        if self._notes or frame.record.notes:
            entry["notes"] = [*self._notes, *frame.record.notes]
        for trace in tables:
            self._explanation.append(
                {
                    "decision": decision.id,
                    "name": trace.table,
                    "kind": "function table",
                    "outputs": to_json(trace.outputs),
                    **_told(trace),
                }
            )
        self._explanation.append(entry)


def _told(trace: TableTrace) -> dict[str, object]:
    return {
        "hit_policy": trace.hit_policy,
        "matched_rules": trace.rules,
        "rule_ids": trace.rule_ids,
        "inputs": dict(zip(trace.labels, map(to_json, trace.inputs), strict=True)),
    }

"""One evaluation of a model: decisions in the order they need one another, each with its record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.feel import to_json
from shared.feel.operations import call
from shared.feel.values import FeelFunction

from .frame import Frame, Record
from .types import Unfit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.feel import Run

    from .frame import TableTrace
    from .model import Decision, DecisionModel, Knowledge, Requirements, Service


class Session:
    """Evaluates decisions over one set of inputs, each at most once."""

    def __init__(self, model: DecisionModel, run: Run, inputs: Mapping[str, object]) -> None:
        """Start with inputs as FEEL values; those drawn in the model are fitted to their types."""
        self._model = model
        self._run = run
        self._values: dict[str, object] = dict(inputs)
        self._results: dict[str, object] = {}
        self._busy: set[str] = set()
        self._explanation: list[dict[str, object]] = []
        self._notes: list[str] = []
        for data in model.inputs_by_id.values():
            if data.name in self._values and data.kind is not None:
                self._values[data.name] = self._fitted_input(data.name, data.type_ref)

    def _fitted_input(self, name: str, type_ref: str) -> object:
        types = self._model.types
        try:
            return types.fitted(self._values[name], types.of(type_ref))
        except Unfit:
            self._notes.append(f"{name}: not of type {type_ref}")
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
            arguments = tuple(self._values.get(name) for name in function.parameters)
            return call(self._run, function, arguments)
        return self._decided(asked.id)

    def _service(self, service: Service) -> object:
        """Evaluate a service; decisions it takes as inputs are given by name, not evaluated."""
        for decision_id in service.input_decisions:
            decision = self._model.decisions_by_id.get(decision_id)
            if decision is not None:
                self._results[decision_id] = self._values.get(decision.variable)
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
        frame = Frame(self._run, self._values_for(decision.requires, record), record)
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

    def _values_for(self, requires: Requirements, record: Record) -> dict[str, object]:
        values = dict(self._values)
        for decision_id in requires.decisions:
            decision = self._model.decisions_by_id.get(decision_id)
            if decision is not None:
                values[decision.variable] = self._decided(decision_id)
        values.update(self._functions(requires, record))
        return values

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
            made = knowledge.function.evaluate(Frame(run, known, record))
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
            inner = Session(model, run, dict(zip(names, arguments, strict=True)))
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
                name: to_json(frame.values[name])
                for name in sorted(decision.logic.names())
                if name in frame.values
            }
        notes = [*self._notes, *frame.record.notes]
        if notes:
            entry["notes"] = notes
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
        "matched_rules": list(trace.rules),
        "rule_ids": list(trace.rule_ids),
        "inputs": {label: to_json(value) for label, value in trace.inputs},
    }

"""One evaluation of a model: decisions in the order they need one another, each with its record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from shared.feel import FeelBudgetExceeded, to_json
from shared.feel.operations import call
from shared.feel.scope import JsonScope
from shared.feel.values import FeelFunction

from .frame import Frame, Record, Variables
from .types import Unfit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.feel import FeelValue, Run

    from .frame import TableTrace
    from .model import Decision, DecisionModel, InputData, Knowledge, Requirements, Service


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


def evaluated(
    model: DecisionModel,
    asked: Decision | Service | Knowledge,
    run: Run,
    inputs: Mapping[str, object],
) -> Evaluation:
    """Evaluate what is asked; `inputs` are JSON (or FEEL) values."""
    variables = Variables({}, JsonScope(inputs))
    if model.is_lone(asked):
        frame = Frame(run, variables, Record())
        value = _taken(model, asked, frame)
        told = tuple(_explained(model, asked, frame, value, ()))
        return Evaluation(to_json(value), cast("FeelValue", value), told)
    session = Session(model, run, variables)
    try:
        value = session.answer(asked)
    except RecursionError as error:
        raise FeelBudgetExceeded("depth", "the stack") from error
    return Evaluation(to_json(value), cast("FeelValue", value), session.explanation())


class Session:
    """Evaluates decisions over one set of inputs, each at most once."""

    def __init__(self, model: DecisionModel, run: Run, variables: Variables) -> None:
        """Start with the inputs; those drawn in the model are fitted to their types."""
        self._model = model
        self._run = run
        self._variables = variables
        #: By decision; null while it is being taken, which ends a circle.
        self._results: dict[str, object] = {}
        self._explanation: list[dict[str, object]] = []
        self._notes: list[str] = []
        if model.typed_inputs:
            typed = (data for data in model.typed_inputs if data.name in variables)
            self._variables = variables.with_values({d.name: self._fitted_input(d) for d in typed})

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
        if asked is self._model.decisions_by_id.get(asked.id):
            return self._decided(asked.id)
        if asked.id in self._model.services_by_id:
            return self._service(self._model.services_by_id[asked.id])
        function = self._knowledge(self._model.knowledge_by_id[asked.id], Record())
        arguments = tuple(self._variables.get(name) for name in function.parameters)
        return call(self._run, function, arguments)

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
        if decision is None:
            return None
        self._results[decision_id] = None
        record = Record()
        frame = Frame(self._run, self._variables_for(decision.requires, record), record)
        value = self._results[decision_id] = _taken(self._model, decision, frame)
        self._explanation += _explained(self._model, decision, frame, value, self._notes)
        return value

    def _variables_for(self, requires: Requirements, record: Record) -> Variables:
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


def _taken(model: DecisionModel, decision: Decision, frame: Frame) -> object:
    """Return a decision's value; one which is not of the declared type is null (DMN 1.3, 10.4)."""
    value = decision.logic.evaluate(frame)
    if decision.kind is None:
        return value
    try:
        return model.types.fitted(value, decision.kind)
    except Unfit:
        frame.record.note(f"{decision.name}: the result is not of type {decision.type_ref}")
        return None


def _explained(
    model: DecisionModel, decision: Decision, frame: Frame, value: object, notes: Sequence[str]
) -> list[dict[str, object]]:
    """Return what is told of a decision, after the tables within functions it called."""
    kind, record = decision.logic.kind, frame.record
    own = record.last if kind == "decisionTable" else None
    entry: dict[str, object] = {
        "decision": decision.id,
        "name": decision.name,
        "kind": kind,
        "inputs": _asked_of(model, decision, frame.scope) if own is None else _inputs(own),
        "outputs": to_json(value),
    }
    if own is not None:
        entry["hit_policy"] = own.hit_policy
        entry["matched_rules"] = [rule.number for rule in own.rules]
        entry["rule_ids"] = [rule.id for rule in own.rules]
    if notes or record.notes:
        entry["notes"] = [*notes, *record.notes]
    return [*(_told(decision, trace) for trace in record.tables if trace is not own), entry]


def _asked_of(model: DecisionModel, decision: Decision, scope: Variables) -> dict[str, object]:
    """Return the variables a decision's logic names."""
    names = model.names_in(decision)
    return {name: to_json(scope.get(name)) for name in names if name in scope}


def _inputs(trace: TableTrace) -> dict[str, object]:
    return {label: to_json(trace.inputs[at]) for at, label in enumerate(trace.labels)}


def _told(decision: Decision, trace: TableTrace) -> dict[str, object]:
    """Return what a table did that was evaluated on the way, within a function."""
    return {
        "decision": decision.id,
        "name": trace.table,
        "kind": "function table",
        "outputs": to_json(trace.outputs),
        "hit_policy": trace.hit_policy,
        "matched_rules": [rule.number for rule in trace.rules],
        "rule_ids": [rule.id for rule in trace.rules],
        "inputs": _inputs(trace),
    }

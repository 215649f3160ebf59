"""The same process of 15 nodes on SpiffWorkflow as it is shipped, and on the engine around it.

A request is enriched, a table of six rules chooses the way, a person reviews it under two timers,
it is fulfilled and the requester notified: nine visible steps, stored five times, read four times.
"""

from __future__ import annotations

import copy
import logging
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser.BpmnParser import full_tag
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.spiff.parser import SpiffBpmnParser
from SpiffWorkflow.spiff.parser.task_spec import ServiceTaskParser
from SpiffWorkflow.spiff.serializer.config import SPIFF_CONFIG
from SpiffWorkflow.spiff.serializer.task_spec import ServiceTaskConverter
from SpiffWorkflow.spiff.specs.defaults import ServiceTask

from services.router.workflow import CompiledProcess, compile_process, load, start
from shared.decisions import DecisionModel, load_decisions

if TYPE_CHECKING:
    from collections.abc import Mapping

VISIBLE_STEPS = 9
REQUEST = {
    "id": "R1",
    "customer_id": "C7",
    "category": "printer",
    "amount": 10,
    "description": "x" * 800,
    "tags": ["a", "b", "c"],
    "requester": {"name": "n", "mail": "m@x", "dept": "d"},
}
#: What each step that is waited for answers.
_ANSWERS: dict[str, dict[str, object]] = {
    "enrich": {"tier": "silver", "region": "EU"},
    "review": {"decision": "ok"},
    "fulfil": {"ok": True},
    "notify": {"ok": True},
}
_NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
_ID = UUID(int=1)
_BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
_ZEEBE = "http://camunda.org/schema/zeebe/1.0"


def _service(name: str, *, is_stock: bool) -> str:
    said = f'<z:taskDefinition type="{name}"/>'
    if is_stock:
        said = (
            f'<s:serviceTaskOperator id="do/{name}" resultVariable="{name}"><s:parameters>'
            '<s:parameter id="request" type="any" value="request[&quot;id&quot;]"/>'
            "</s:parameters></s:serviceTaskOperator>"
        )
    extensions = f"<extensionElements>{said}</extensionElements>"
    return f'<serviceTask id="{name}" name="{name}">{extensions}</serviceTask>'


def _decides(*, is_stock: bool) -> str:
    said = '<z:calledDecision decisionId="routing" resultVariable="route"/>'
    if is_stock:
        said = "<s:calledDecisionId>routing</s:calledDecisionId>"
    return (
        f'<businessRuleTask id="route"><extensionElements>{said}</extensionElements>'
        "</businessRuleTask>"
    )


def _timer(name: str, text: str, interrupts: str) -> str:
    return (
        f'<boundaryEvent id="{name}" attachedToRef="review" cancelActivity="{interrupts}">'
        f"<timerEventDefinition><timeDuration>{text}</timeDuration></timerEventDefinition>"
        "</boundaryEvent>"
    )


def _flows(*names: str) -> str:
    pairs = pairwise(names)
    return "".join(
        f'<sequenceFlow id="f_{a}_{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in pairs
    )


def _chosen(target: str, condition: str) -> str:
    return (
        f'<sequenceFlow id="f_which_{target}" sourceRef="which" targetRef="{target}">'
        f"<conditionExpression>{condition}</conditionExpression></sequenceFlow>"
    )


def drawing(*, is_stock: bool) -> bytes:
    """Return the diagram in the stock dialect (Python, quoted times) or in ours (FEEL)."""
    quote = '"' if is_stock else ""
    way = "path == '{}'" if is_stock else '=route.path = "{}"'
    names = ("enrich", "approve", "remind_them", "escalate", "fulfil", "notify")
    parts = [
        '<startEvent id="received"/>',
        *(_service(name, is_stock=is_stock) for name in names),
        _decides(is_stock=is_stock),
        '<exclusiveGateway id="which" default="f_which_review"/><exclusiveGateway id="join"/>',
        '<userTask id="review" name="review"/><userTask id="exception" name="exception"/>',
        _timer("remind", f"{quote}PT4H{quote}", "false"),
        _timer("late", f"{quote}PT8H{quote}", "true"),
        '<endEvent id="reminded"/><endEvent id="done"/>',
        _flows("received", "enrich", "route", "which", "review", "join"),
        _chosen("approve", way.format("green")),
        _chosen("exception", way.format("exception")),
        _flows("remind", "remind_them", "reminded"),
        _flows("late", "escalate", "exception", "join"),
        _flows("approve", "join", "fulfil", "notify", "done"),
    ]
    return (
        f'<definitions xmlns="{_BPMN}" xmlns:s="{_SPIFF}" xmlns:z="{_ZEEBE}" id="d">'
        f'<process id="p" isExecutable="true">{"".join(parts)}</process></definitions>'
    ).encode()


_ROWS = (
    ('"password"', "< 100", "", "green", "bots"),
    ('"access"', "", '"gold"', "green", "bots"),
    ('"purchase"', ">= 5000", "", "exception", "cfo"),
    ('"purchase"', "< 5000", "", "standard", "buyers"),
    ('"access"', "", '"silver"', "standard", "iam"),
    ('"printer"', "", "", "standard", "desk"),
)


def table(*, is_stock: bool) -> bytes:
    """Return the table of six rules that chooses the way."""
    asked = ('request["category"]', 'request["amount"]', 'enrich["tier"]')
    names = asked if is_stock else ("request.category", "request.amount", "enrich.tier")
    kinds = ("string", "number", "string")
    inputs = "".join(
        f'<input id="i{n}" label="{n}"><inputExpression id="e{n}" typeRef="{kind}">'
        f"<text>{name}</text></inputExpression></input>"
        for n, (name, kind) in enumerate(zip(names, kinds, strict=True))
    )
    outputs = "".join(f'<output id="o{n}" name="{n}" typeRef="string"/>' for n in ("path", "group"))
    rules = "".join(
        f'<rule id="r{row}">'
        + "".join(
            f'<inputEntry id="r{row}i{n}"><text>{cell.replace("<", "&lt;")}</text></inputEntry>'
            for n, cell in enumerate(cells)
        )
        + "".join(
            f'<outputEntry id="r{row}o{n}"><text>"{cell}"</text></outputEntry>'
            for n, cell in enumerate(results)
        )
        + "</rule>"
        for row, (*cells, way, group) in enumerate(_ROWS)
        for results in [(way, group)]
    )
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" '
        'namespace="n"><decision id="routing" name="routing"><variable name="routing"/>'
        f'<decisionTable id="t" hitPolicy="UNIQUE">{inputs}{outputs}{rules}</decisionTable>'
        "</decision></definitions>"
    ).encode()


class _Waiting(ServiceTask):  # type: ignore[misc]
    """A service task somebody else works on, as a platform needs it."""

    def _execute(self, task: Any) -> None:
        self.evaluate_params(task)


class _Parser(SpiffBpmnParser):  # type: ignore[misc]
    OVERRIDE_PARSER_CLASSES: ClassVar[dict[str, Any]] = {
        **SpiffBpmnParser.OVERRIDE_PARSER_CLASSES,
        full_tag("serviceTask"): (ServiceTaskParser, _Waiting),
    }


class Stock:
    """SpiffWorkflow with its own parser, expressions, tables and serializer."""

    def __init__(self) -> None:
        for name in ("spiff.task", "spiff.workflow"):
            logging.getLogger(name).setLevel(logging.WARNING)
        parser = _Parser()
        parser.add_dmn_str(table(is_stock=True))
        parser.add_bpmn_str(drawing(is_stock=True))
        self.spec, self.engine = parser.get_spec("p"), PythonScriptEngine()
        known = {**SPIFF_CONFIG, _Waiting: ServiceTaskConverter}
        self.store = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(known))

    def life(self) -> list[int]:
        """Live one request; return what was stored each time, in bytes."""
        flow = BpmnWorkflow(self.spec, {}, script_engine=self.engine)
        flow.task_tree.data["request"] = copy.deepcopy(REQUEST)
        flow.do_engine_steps()
        stored = self.store.serialize_json(flow)
        sizes = [len(stored)]
        for name, answer in _ANSWERS.items():
            flow = self.store.deserialize_json(stored)
            flow.script_engine = self.engine
            task = next(
                t for t in flow.tasks.values() if t.task_spec.name == name and t.state in (16, 32)
            )
            task.data[name] = dict(answer)
            task.run() if name == "review" else task.complete()
            flow.do_engine_steps()
            stored = self.store.serialize_json(flow)
            sizes.append(len(stored))
        assert flow.is_completed()
        return sizes


class Ours:
    """The engine of the router, with FEEL and its own tables."""

    def __init__(self) -> None:
        self.model: DecisionModel = load_decisions(table(is_stock=False), file="routing")
        drawn = drawing(is_stock=False)
        self.process: CompiledProcess = compile_process(drawn, key="p", version=1, decisions=self)

    def evaluate(
        self, decision_id: str, inputs: Mapping[str, object], now: datetime
    ) -> tuple[object, object]:
        """Take the decision."""
        answer = self.model.evaluate(decision_id, inputs, now=now)
        return answer.result, list(answer.explanation)

    def life(self) -> list[int]:
        """Live one request; return what was stored each time, in bytes."""
        instance, step = start(self.process, instance_id=_ID, data={"request": REQUEST}, now=_NOW)
        stored = instance.dump()
        sizes = [len(stored)]
        for name, answer in _ANSWERS.items():
            number = (step.user_tasks if name == "review" else step.jobs)[0].task_id
            instance = load(self.process, stored)
            act = instance.complete_user_task if name == "review" else instance.complete_job
            step = act(number, answer, _NOW)
            stored = instance.dump()
            sizes.append(len(stored))
        assert step.is_ended
        return sizes


def rounds_of(count: int) -> tuple[CompiledProcess, bytes, int]:
    """Return a process that asks a person again and again, after so many answers."""
    process = _asking()
    instance, step = start(process, instance_id=_ID, data={"request": REQUEST}, now=_NOW)
    for _ in range(count):
        step = instance.complete_user_task(step.user_tasks[0].task_id, {"ok": 1}, _NOW)
    return process, instance.dump(), step.user_tasks[0].task_id


@cache
def _asking() -> CompiledProcess:
    drawn = (
        f'<definitions xmlns="{_BPMN}" id="d"><process id="p" isExecutable="true">'
        '<startEvent id="a"/><exclusiveGateway id="g"/><userTask id="u"/>'
        f"{_flows('a', 'g', 'u', 'g')}</process></definitions>"
    )
    return compile_process(drawn.encode(), key="p", version=1, decisions=Ours())


def answer_once(process: CompiledProcess, stored: bytes, task: int) -> bytes:
    """Read an instance, answer its task, store it."""
    instance = load(process, stored)
    instance.complete_user_task(task, {"ok": 1}, _NOW)
    return instance.dump()

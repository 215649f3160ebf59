"""From what elements say to bindings: every text compiled once, every fault reported (no Spiff)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from . import bindings as b
from . import bindings_events as e
from . import bindings_scopes as sc
from . import bindings_work as w
from . import timers
from .cron import is_cron, parse_cron
from .expressions import (
    FeelBudgetExceeded,
    FeelSyntaxError,
    Formula,
    Text,
    compile_formula,
    compile_text,
)
from .model import CATCHING
from .own_work import check_operation
from .surroundings import Known
from .task_words import check_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.errors import LeveeError
    from shared.feel import WorkingTime

    from .findings import Findings
    from .model import Diagram, Flow, Loop, Node, Pairs
    from .surroundings import Surroundings

#: Characters of all expressions of a diagram; each takes some 20 µs to compile.
MAX_FEEL = 100_000
_TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_JUEL = re.compile(r"[$#]\{")
#: Elements whose input mappings mean something, and those beside them whose output mappings do.
_TAKES_IN = frozenset(
    {
        "userTask",
        "businessRuleTask",
        "scriptTask",
        "receiveTask",
        "subProcess",
        "callActivity",
    }
)
_EVENTS = frozenset({"intermediateThrowEvent", "endEvent"})
#: What the router gives a process, or reads in it, and what a round of a multi-instance is given.
_RESERVED = frozenset({"request", "team", "priority", "loopCounter"})
_GIVES_OUT = frozenset({"intermediateCatchEvent", "boundaryEvent"})
_T = TypeVar("_T", Formula, Text)


class Wording:
    """Compiles what the nodes of one diagram say."""

    def __init__(
        self,
        diagram: Diagram,
        findings: Findings,
        around: Surroundings | None = None,
        evaluator: b.DecisionEvaluator | None = None,
        working: WorkingTime | None = None,
    ) -> None:
        self.diagram = diagram
        self.findings = findings
        self.around: Surroundings = around or Known()
        self.evaluator = evaluator
        self.working = working
        self._length = 0

    def bindings(self) -> dict[str, b.Binding]:
        """Return the binding of every node that has one; findings say what is wrong."""
        found: dict[str, b.Binding] = {}
        for node in self.diagram.nodes.values():
            binding = self._binding(node, self.diagram.path(node.id))
            if binding is not None:
                found[node.id] = binding
            if node.loop is not None:
                found[f"rounds:{node.id}"] = self._rounds(
                    node, node.loop, self.diagram.path(node.id)
                )
        for flow in self.diagram.flows:
            self._condition(flow)
        return found

    # -- texts

    def _compile(
        self, text: str, path: str, what: str, how: Callable[[str, WorkingTime | None], _T]
    ) -> _T | None:
        if not text.startswith("=") and _JUEL.search(text):
            self.findings.add(path, "juel-expression", text=text)
            return None
        if self._length > MAX_FEEL:
            self.findings.add(self.diagram.process_id, "feel-too-much", limit=MAX_FEEL)
            return None
        try:
            found = how(text, self.working)
        except (FeelSyntaxError, FeelBudgetExceeded) as error:
            self._feel(path, "feel-invalid", what, error)
            return None
        self._length += len(text) if text.startswith("=") else 0
        for warning in found.warnings:
            self._feel(path, "feel-doubtful", what, warning)
        return found

    def _feel(self, path: str, rule: str, what: str, error: LeveeError) -> None:
        words = {"problem": error.sentence("en"), "problem_zh": error.sentence("zh-CN")}
        self.findings.add(path, rule, what=what, **words)

    def _text(self, text: str, path: str, what: str) -> Text | None:
        return self._compile(text, path, what, compile_text) if text else None

    def _formula(self, text: str, path: str, what: str) -> Formula | None:
        if not text:
            return None
        if not text.startswith("="):
            rule = "juel-expression" if _JUEL.search(text) else "feel-sign-missing"
            self.findings.add(path, rule, what=what, text=text)
            return None
        return self._compile(text, path, what, compile_formula)

    def _condition(self, flow: Flow) -> None:
        if flow.condition:
            path = self.diagram.path(flow.source) + "/" + flow.id
            self._formula(flow.condition, path, "condition")

    def _mapped(self, pairs: Pairs, path: str) -> tuple[b.Mapped, ...]:
        found = []
        for target, source in pairs:
            if not _TARGET.fullmatch(target):
                self.findings.add(path, "mapping-invalid", target=target)
            text = self._text(source, path, target) or Text(source)
            found.append(b.Mapped(tuple(target.split(".")), text))
        return tuple(found)

    # -- nodes

    def _binding(self, node: Node, path: str) -> b.Binding | None:
        self._placed(node, path)
        if node.is_job:
            return self._job(node, path)
        match node.kind:
            case "userTask":
                return self._people(node, path)
            case "businessRuleTask":
                return self._decision(node, path)
            case "scriptTask":
                return self._script(node, path)
            case "subProcess" | "callActivity":
                return self._inside(node, path)
            case "serviceTask" | "sendTask":
                self._missing_job(node, path)
                return None
            case _:
                return self._event(node, path)

    def _placed(self, node: Node, path: str) -> None:
        """Refuse mappings where nothing would become of them."""
        takes_in = node.kind in _TAKES_IN and not node.is_event_scope
        is_event_start = node.kind == "startEvent" and node.event.kind != "none"
        gives_out = takes_in or is_event_start or node.kind in _GIVES_OUT
        if node.says.inputs and not (node.is_job or takes_in):
            self._misplaced(path, node.kind, "Input mappings", "输入映射")
        if node.says.outputs and not (node.is_job or gives_out):
            self._misplaced(path, node.kind, "Output mappings", "输出映射")
        if node.says.headers and not (node.is_job or node.kind == "userTask"):
            self._misplaced(path, node.kind, "Task headers", "任务头")
        answers = node.is_job or node.kind in ("userTask", "boundaryEvent")
        if answers and node.id in _RESERVED and not node.says.outputs:
            self.findings.add(path, "id-reserved", id=node.id)
        if node.kind == "userTask":
            check_words(self.findings, self.diagram, node, path)

    def _misplaced(self, path: str, tag: str, what: str, zh_what: str) -> None:
        self.findings.add(path, "mapping-misplaced", tag=tag, what=what, zh_what=zh_what)

    def _inside(self, node: Node, path: str) -> b.Binding:
        says, is_call = node.says, node.kind == "callActivity"
        gives_all = says.gives_all != "false" and not says.outputs if is_call else False
        return sc.Inside(
            self.diagram.qualified(node.id),
            self._mapped(says.inputs, path),
            self._mapped(says.outputs, path),
            is_call=is_call,
            gives_all=gives_all or says.gives_all == "true",
        )

    def _rounds(self, node: Node, loop: Loop, path: str) -> b.Binding:
        if not loop.collection:
            self.findings.add(path, "loop-collection")
        if bool(loop.into) != bool(loop.result):
            self.findings.add(path, "loop-output")
        for name in (loop.element, loop.into):
            if name and (not _TARGET.fullmatch(name) or "." in name):
                self.findings.add(path, "mapping-invalid", target=name)
        own = {node.id, node.says.result_variable}
        if _TARGET.fullmatch(loop.result.removeprefix("=").strip()):
            own.add(loop.result.removeprefix("=").strip().partition(".")[0])
        return sc.Rounds(
            self.diagram.qualified(node.id),
            collection=self._formula(loop.collection, path, "inputCollection"),
            element=loop.element,
            into=loop.into,
            result=self._formula(loop.result, path, "outputElement"),
            enough=self._formula(loop.enough, path, "completionCondition"),
            own=tuple(sorted(own - {"", loop.element})),
        )

    def _missing_job(self, node: Node, path: str) -> None:
        self.findings.add(
            path,
            "work-missing",
            tag=node.kind,
            remedy="Give it a task definition with a job type, or choose an element template",
            zh_remedy="填写任务定义的作业类型，或选择一个元素模板",
        )

    def _event(self, node: Node, path: str) -> b.Binding | None:
        event, outputs = node.event, self._mapped(node.says.outputs, path)
        name = self.diagram.qualified(node.id)
        if node.kind in CATCHING or (node.kind == "startEvent" and event.kind != "none"):
            return self._caught(node, path, name, outputs)
        if event.kind in ("error", "escalation", "terminate", "signal"):
            return e.Throwing(name, event.kind, event.code, event.name)
        if event.kind == "message":
            self._missing_job(node, path)
        return None

    def _caught(
        self, node: Node, path: str, name: str, outputs: tuple[b.Mapped, ...]
    ) -> b.Binding | None:
        event = node.event
        match event.kind:
            case "timer":
                return e.Clock(name, outputs, "", event.timer_kind, self._time(node, path))
            case "message":
                key = self._formula(event.correlation_key, path, "correlationKey")
                inputs = self._mapped(node.says.inputs, path)
                return e.Message(name, outputs, event.name, event.name, key, inputs)
            case "signal":
                return e.Signal(name, outputs, event.name, event.name)
            case "conditional":
                formula = self._formula(event.condition, path, "condition")
                return e.Condition(name, outputs, "", formula)
            case "link":
                return None
            case _:
                return e.Catching(name, outputs, node.id, event.kind, event.code)

    def _time(self, node: Node, path: str) -> Text | None:
        event = node.event
        text = self._text(event.timer_text, path, "timer")
        if text is not None and text.formula is None:
            try:
                if event.timer_kind == "cycle" and is_cron(text.literal):
                    parse_cron(text.literal)
                else:
                    timers.check(event.timer_kind, text.literal)
            except timers.NotATime as problem:
                self.findings.add(path, "timer-invalid", problem=str(problem))
        return text

    def _people(self, node: Node, path: str) -> b.Binding:
        says = node.says
        return w.People(
            self.diagram.qualified(node.id),
            self._mapped(says.outputs, path),
            node.id,
            name=node.name,
            form=says.form or None,
            headers=dict(says.headers),
            inputs=self._mapped(says.inputs, path),
            assignee=self._text(says.assignee, path, "assignee"),
            candidate_groups=self._text(says.candidate_groups, path, "candidateGroups"),
            candidate_users=self._text(says.candidate_users, path, "candidateUsers"),
            priority=self._priority(says.priority, path),
            due_date=self._date(says.due_date, path, "dueDate"),
            follow_up_date=self._date(says.follow_up_date, path, "followUpDate"),
        )

    def _priority(self, text: str, path: str) -> Text | None:
        found = self._text(text, path, "priority")
        is_literal = found is not None and found.formula is None
        if is_literal and not (text.isdecimal() and int(text) <= 100):
            self.findings.add(path, "priority-invalid", value=text)
        return found

    def _date(self, text: str, path: str, what: str) -> Text | None:
        found = self._text(text, path, what)
        if found is not None and found.formula is None:
            try:
                timers.parse_date(found.literal)
            except timers.NotATime as problem:
                self.findings.add(path, "timer-invalid", problem=str(problem))
        return found

    def _job(self, node: Node, path: str) -> b.Binding:
        says = node.says
        if node.kind in _EVENTS and node.event.kind != "message":
            self.findings.add(path, "job-misplaced", kind=node.event.kind)
        if says.decision_id or says.script:
            self.findings.add(path, "work-twice", what="taskDefinition + calledDecision/script")
        retries = says.job_retries or "3"
        if not retries.startswith("=") and not (retries.isdecimal() and int(retries) <= 100):
            self.findings.add(path, "retries-invalid", value=retries)
        check_operation(self.findings, path, says.job_type, says.inputs)
        return w.Outside(
            self.diagram.qualified(node.id),
            self._mapped(says.outputs, path),
            node.id,
            job_type=self._text(says.job_type, path, "type"),
            retries=self._text(retries, path, "retries"),
            headers=dict(says.headers),
            inputs=self._mapped(says.inputs, path),
        )

    def _decision(self, node: Node, path: str) -> b.Binding:
        says = node.says
        if not says.decision_id:
            self.findings.add(
                path,
                "work-missing",
                tag=node.kind,
                remedy="Name the decision it calls, or a job type",
                zh_remedy="填写要调用的决策，或作业类型",
            )
        elif says.decision_id.startswith("="):
            self.findings.add(path, "event-name-feel", what="decisionId")
        else:
            self._decision_exists(says.decision_id, path)
        self._result_variable(node, path)
        return w.Deciding(
            self.diagram.qualified(node.id),
            self._mapped(says.outputs, path),
            says.result_variable,
            decision_id=says.decision_id,
            inputs=self._mapped(says.inputs, path),
            evaluator=self.evaluator,
        )

    def _decision_exists(self, decision_id: str, path: str) -> None:
        known = frozenset(self.around.decisions())
        if known and decision_id not in known:
            told = ", ".join(sorted(known))
            self.findings.add(path, "decision-unknown", id=decision_id, known=told)

    def _script(self, node: Node, path: str) -> b.Binding:
        says = node.says
        if not says.script:
            self.findings.add(
                path,
                "work-missing",
                tag=node.kind,
                remedy="Write a FEEL expression, or give it a job type",
                zh_remedy="填写 FEEL 表达式，或作业类型",
            )
        self._result_variable(node, path)
        return w.Calculating(
            self.diagram.qualified(node.id),
            self._mapped(says.outputs, path),
            says.result_variable,
            formula=self._formula(says.script, path, "expression"),
            inputs=self._mapped(says.inputs, path),
        )

    def _result_variable(self, node: Node, path: str) -> None:
        name = node.says.result_variable
        if not name:
            self.findings.add(path, "result-variable-missing")
        elif not _TARGET.fullmatch(name) or "." in name:
            self.findings.add(path, "mapping-invalid", target=name)

"""Drawing small diagrams, and walking an instance through them with its state stored each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from services.router.workflow import (
    CompiledProcess,
    Instance,
    Step,
    compile_process,
    load,
    start,
)
from shared.decisions import load_decisions
from shared.definitions.working_time import Calendars
from shared.errors import Refused

if TYPE_CHECKING:
    from shared.feel import WorkingTime

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[4]
#: The standard path as release 0.1 shipped it: a realistic diagram in one file.
STANDARD_PATH = (ROOT / "tests/golden/standard-path-v1/process.bpmn").read_bytes()
INSTANCE = UUID("01900000-0000-7000-8000-000000000001")

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="d">'
)
_ROOTS = (
    '<bpmn:message id="M_ping" name="ping"/><bpmn:message id="M_pong" name="pong"/>'
    '<bpmn:error id="E_stock" name="no stock" errorCode="NO_STOCK"/>'
    '<bpmn:escalation id="X_late" name="late" escalationCode="LATE"/>'
)


class NoSuchDecision(Refused):
    """There is no decision {decision}."""


class Tables:
    """Takes decisions from a dictionary of functions; explains what it saw."""

    def __init__(self, **tables: Callable[[Mapping[str, object]], object]) -> None:
        self.tables = tables
        self.seen: list[Mapping[str, object]] = []

    def evaluate(
        self, decision_id: str, inputs: Mapping[str, object], now: datetime
    ) -> tuple[object, object]:
        self.seen.append(inputs)
        if decision_id not in self.tables:
            raise NoSuchDecision(decision=decision_id)
        return self.tables[decision_id](inputs), {"decision": decision_id, "version": 1}


#: What the shipped tables would say about the request the walks use.
SHIPPED = Tables(priority=lambda i: "P2", team=lambda i: "it-service-desk")


def xml(*parts: str, roots: str = "", process: str = 'id="p" isExecutable="true"') -> bytes:
    """Return a BPMN file with one process."""
    body = "".join(parts)
    text = f"{_HEAD}{_ROOTS}{roots}<bpmn:process {process}>{body}</bpmn:process>"
    return f"{text}</bpmn:definitions>".encode()


def node(kind: str, name: str, inner: str = "", **attributes: str) -> str:
    """Draw one element."""
    told = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f'<bpmn:{kind} id="{name}"{told}>{inner}</bpmn:{kind}>'


def flow(source: str, target: str, condition: str = "", name: str = "") -> str:
    """Draw a sequence flow."""
    inner = (
        f"<bpmn:conditionExpression>{escape(condition)}</bpmn:conditionExpression>"
        if condition
        else ""
    )
    return node(
        "sequenceFlow",
        name or f"f_{source}_{target}",
        inner,
        sourceRef=source,
        targetRef=target,
    )


def path(*names: str) -> str:
    """Draw the flows of a chain."""
    return "".join(flow(a, b) for a, b in pairwise(names))


def zeebe(*parts: str) -> str:
    """Draw extension elements."""
    return f"<bpmn:extensionElements>{''.join(parts)}</bpmn:extensionElements>"


def ends(*names: str) -> str:
    """Draw plain end events."""
    return "".join(node("endEvent", name) for name in names)


BEGIN = node("startEvent", "begin")


def user(name: str, groups: str = "", inner: str = "", extra: str = "") -> str:
    """Draw a user task."""
    assigned = f"<zeebe:assignmentDefinition candidateGroups={quoteattr(groups)}/>"
    return node("userTask", name, zeebe(assigned if groups else "", extra) + inner)


def job(name: str, kind: str = "work", extra: str = "", tag: str = "serviceTask") -> str:
    """Draw a job."""
    told = f'<zeebe:taskDefinition type={quoteattr(kind)} retries="3"/>{extra}'
    return node(tag, name, zeebe(told))


def io(inputs: Mapping[str, str] | None = None, outputs: Mapping[str, str] | None = None) -> str:
    """Draw input and output mappings: target → source."""
    drawn = [
        f"<zeebe:{kind} source={quoteattr(source)} target={quoteattr(target)}/>"
        for kind, pairs in (("input", inputs), ("output", outputs))
        for target, source in (pairs or {}).items()
    ]
    return f"<zeebe:ioMapping>{''.join(drawn)}</zeebe:ioMapping>"


def script(name: str, expression: str, variable: str) -> str:
    """Draw a FEEL script task."""
    said = (
        f"<zeebe:script expression={quoteattr(expression)} resultVariable={quoteattr(variable)}/>"
    )
    return node("scriptTask", name, zeebe(said))


def rule(name: str, decision: str, variable: str, extra: str = "") -> str:
    """Draw a business rule task."""
    called = (
        f"<zeebe:calledDecision decisionId={quoteattr(decision)}"
        f" resultVariable={quoteattr(variable)}/>{extra}"
    )
    return node("businessRuleTask", name, zeebe(called))


def message(ref: str = "M_ping") -> str:
    """Draw a message event definition."""
    return f'<bpmn:messageEventDefinition messageRef="{ref}"/>'


def timer(text: str, kind: str = "timeDuration") -> str:
    """Draw a timer event definition."""
    inner = f"<bpmn:{kind}>{escape(text)}</bpmn:{kind}>"
    return f"<bpmn:timerEventDefinition>{inner}</bpmn:timerEventDefinition>"


ERROR = '<bpmn:errorEventDefinition errorRef="E_stock"/>'
LATE = '<bpmn:escalationEventDefinition escalationRef="X_late"/>'


def boundary(name: str, on: str, event: str, interrupts: bool = True) -> str:
    """Draw a boundary event."""
    cancels = "true" if interrupts else "false"
    return node("boundaryEvent", name, event, attachedToRef=on, cancelActivity=cancels)


def catch(name: str, event: str) -> str:
    """Draw an intermediate catch event."""
    return node("intermediateCatchEvent", name, event)


def compiled(diagram: bytes, tables: Tables = SHIPPED) -> CompiledProcess:
    """Compile a diagram that must be fine."""
    return compile_process(diagram, key="p", version=1, decisions=tables)


class Folder:
    """The shipped definitions around a diagram: its calls and its tables, on the real libraries."""

    def __init__(self, calendar: WorkingTime) -> None:
        self.working = calendar
        self.models = {
            name: model
            for path in sorted((ROOT / "bpmn").glob("*.dmn"))
            for model in [load_decisions(path.read_bytes(), file=path.name)]
            for name in model.decisions_by_id
        }

    def decisions(self) -> list[str]:
        """Return the decisions that ship."""
        return list(self.models)

    def process(self, process_id: str) -> bytes | None:
        """Return a process that ships."""
        path = ROOT / "bpmn" / f"{process_id}.bpmn"
        return path.read_bytes() if path.exists() else None

    def evaluate(
        self, decision_id: str, inputs: Mapping[str, object], now: datetime
    ) -> tuple[object, object]:
        """Take a decision by the table that ships."""
        found = self.models[decision_id].evaluate(
            decision_id, inputs, now=now, working=self.working
        )
        return found.result, {"decision": decision_id, "version": 1}


@cache
def folder() -> Folder:
    """Return the shipped definitions, with the shipped calendars."""
    calendars = Calendars()
    for path in sorted((ROOT / "bpmn" / "calendars").glob("*.yaml")):
        calendars.put(path.stem, path.read_text(encoding="utf-8"))
    return Folder(calendars)


def shipped(name: str) -> CompiledProcess:
    """Compile a process as it ships, with everything it calls and asks."""
    around = folder()
    drawing = around.process(name)
    assert drawing is not None
    return compile_process(
        drawing, key=name, version=1, decisions=around, around=around, working=around.working
    )


def request(**changes: object) -> dict[str, object]:
    """Return process data with a request as the router hands it in."""
    told: dict[str, object] = {
        "number": "R-2026-000123",
        "request_type": "it-incident",
        "domain": "it",
        "organisation_unit": "sales",
        "channel": "portal",
        "customer_tier": "standard",
        "urgency": "high",
        "impact": "medium",
        "language": "zh-CN",
        "title": "无法登录 ERP",
        "form": {"system": "ERP"},
    }
    return {"request": told | changes}


class Walk:
    """Walks an instance; between any two operations only its stored bytes survive."""

    def __init__(
        self,
        process: CompiledProcess | bytes,
        data: Mapping[str, object] | None = None,
        tables: Tables = SHIPPED,
        at: datetime = NOW,
    ) -> None:
        self.process = (
            process if isinstance(process, CompiledProcess) else compiled(process, tables)
        )
        self.now = at
        instance, self.step = start(
            self.process, instance_id=INSTANCE, data=data or {}, now=self.now
        )
        self.first = self.step
        self.stored = instance.dump()

    @property
    def instance(self) -> Instance:
        """Load the instance anew."""
        return load(self.process, self.stored)

    def do(self, act: Callable[[Instance], Step | None]) -> Step | None:
        """Load, act, store."""
        instance = self.instance
        step = act(instance)
        self.stored = instance.dump()
        if step is not None:
            self.step = step
        return step

    def task(self, element_id: str) -> int:
        """Return the id of an open user task."""
        return next(
            t.task_id for t in self.instance.open_user_tasks() if t.element_id == element_id
        )

    def complete(self, element_id: str, **result: object) -> Step:
        """Complete an open user task."""
        number = self.task(element_id)
        step = self.do(lambda i: i.complete_user_task(number, result, self.now))
        assert step is not None
        return step

    def say(self, name: str, **payload: object) -> Step:
        """Correlate a message that must be awaited."""
        step = self.do(lambda i: i.correlate(name, payload, self.now))
        assert step is not None, f"nothing waits for {name}"
        return step

    def ignores(self, name: str) -> bool:
        """Return whether a message finds nobody and changes nothing."""
        before = self.stored
        return self.do(lambda i: i.correlate(name, {}, self.now)) is None and self.stored == before

    def job(self, element_id: str) -> int:
        """Return the id of a job the last step requested."""
        return next(job.task_id for job in self.step.jobs if job.element_id == element_id)

    def done(self, element_id: str, **result: object) -> Step:
        """Complete a job the last step requested."""
        number = self.job(element_id)
        step = self.do(lambda i: i.complete_job(number, result, self.now))
        assert step is not None
        return step

    def fail(self, element_id: str, code: str) -> Step:
        """Throw a BPMN error from a job the last step requested."""
        number = self.job(element_id)
        step = self.do(lambda i: i.fail_job(number, code, self.now))
        assert step is not None
        return step

    def later(self, **time: float) -> Step | None:
        """Move on and fire what is due, earliest first; return the last step."""
        until = self.now + timedelta(**time)
        step = None
        while due := [t for t in self.instance.open_timers() if t.due_at <= until]:
            first = min(due, key=lambda t: (t.due_at, t.task_id))
            self.now, number = first.due_at, first.task_id
            step = self.fire(number)
        self.now = until
        return step

    def fire(self, number: int) -> Step:
        """Fire one timer."""
        step = self.do(lambda i: i.fire_timer(number, self.now))
        assert step is not None
        return step

    @property
    def active(self) -> list[str]:
        """Return the elements that hold a token."""
        return sorted(self.step.active)

"""Levee's own operations as element templates and as a page.

`python -m tools.element_templates export` writes bpmn/element-templates/*.json (for Camunda
Modeler and bpmn-js-element-templates) and docs/bpmn-operations.md; `check` ends with 1 when one of
them is stale. The shape is that of the published JSON schema of Zeebe element templates.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from services.router.domain.operations import OPERATIONS, Given, Operation

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path("bpmn/element-templates")
PAGE = Path("docs/bpmn-operations.md")
_SCHEMA = "https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json"
#: Grows when a template gains or loses a property: Modeler then offers to bring elements along.
_VERSION = 1
_SHAPES: dict[str, tuple[str, str]] = {
    # kind → (input widget, FEEL: optional | required | static)
    "text": ("String", "optional"),
    "long text": ("Text", "optional"),
    "names": ("String", "optional"),
    "yes or no": ("String", "required"),
    "context": ("Text", "required"),
    "number": ("String", "required"),
    "choice": ("Dropdown", ""),
}


def files() -> dict[Path, str]:
    """Return every file that is written, with what must stand in it."""
    made = {
        FOLDER / f"{operation.key}.json": _dumped(template(operation)) for operation in OPERATIONS
    }
    made[FOLDER / "wait-for-event.json"] = _dumped(waiting())
    made[PAGE] = page()
    return made


def template(operation: Operation) -> dict[str, Any]:
    """Return the template of one operation, for service tasks."""
    return {
        "$schema": _SCHEMA,
        "id": f"levee.{operation.key}",
        "name": f"{operation.zh} / {operation.en}",
        "version": _VERSION,
        "description": f"{operation.zh_does} / {operation.en_does}",
        "category": {"id": "levee", "name": "Levee"},
        "appliesTo": ["bpmn:Task", "bpmn:ServiceTask"],
        "elementType": {"value": "bpmn:ServiceTask"},
        "groups": _groups(operation),
        "properties": [
            {
                "type": "Hidden",
                "value": operation.type,
                "binding": {"type": "zeebe:taskDefinition", "property": "type"},
            },
            *(_property(given) for given in operation.takes),
            *(
                {
                    "id": f"answer_{answer.name}",
                    "group": "answers",
                    "label": f"{answer.zh} / {answer.en}",
                    "description": "存入变量（留空则不存） / variable that takes it (else left)",
                    "type": "String",
                    "optional": True,
                    "binding": {"type": "zeebe:output", "source": f"={answer.name}"},
                }
                for answer in operation.answers
            ),
        ],
    }


def _groups(operation: Operation) -> list[dict[str, str]]:
    groups = []
    if operation.takes:
        groups.append({"id": "given", "label": "输入 / What it takes"})
    if operation.answers:
        groups.append({"id": "answers", "label": "结果 / What it answers"})
    return groups


def _property(given: Given) -> dict[str, Any]:
    widget, feel = _SHAPES[given.kind]
    told: dict[str, Any] = {
        "id": given.name,
        "group": "given",
        "label": f"{given.zh} / {given.en}",
        "description": f"{given.zh_hint} / {given.en_hint}",
        "type": widget,
        "binding": {"type": "zeebe:input", "name": given.name},
    }
    if feel:
        told["feel"] = feel
    if given.choices:
        told["choices"] = [{"name": choice, "value": choice} for choice in given.choices]
    if given.default:
        told["value"] = given.default
    if given.is_needed:
        told["constraints"] = {"notEmpty": True}
    else:
        told["optional"] = True
    if widget == "Dropdown":
        # Modeler knows no optional drop-down: its default is always written.
        told.pop("optional", None)
    return told


def waiting() -> dict[str, Any]:
    """Return the template for waiting: a message event, correlated by a key of its own."""
    return {
        "$schema": _SCHEMA,
        "id": "levee.wait-for-event",
        "name": "等待事件 / Wait for event",
        "version": _VERSION,
        "description": (
            "等待外部发来的消息（POST /router/v1/messages）；早到的消息会保留到期限。"
            " / Waits for a message from outside; one that came early is kept for its time."
        ),
        "category": {"id": "levee", "name": "Levee"},
        "appliesTo": ["bpmn:Task", "bpmn:ReceiveTask", "bpmn:IntermediateCatchEvent"],
        "elementType": {
            "value": "bpmn:IntermediateCatchEvent",
            "eventDefinition": "bpmn:MessageEventDefinition",
        },
        "groups": [{"id": "given", "label": "消息 / Message"}],
        "properties": [
            {
                "id": "name",
                "group": "given",
                "label": "名称 / Name",
                "description": "如 parcel.sent / for example parcel.sent",
                "type": "String",
                "constraints": {"notEmpty": True},
                "binding": {"type": "bpmn:Message#property", "name": "name"},
            },
            {
                "id": "correlation_key",
                "group": "given",
                "label": "关联键 / Correlation key",
                "description": "如 =request.number / for example =request.number",
                "type": "String",
                "feel": "required",
                "value": "=request.number",
                "constraints": {"notEmpty": True},
                "binding": {
                    "type": "bpmn:Message#zeebe:subscription#property",
                    "name": "correlationKey",
                },
            },
        ],
    }


def _dumped(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def page() -> str:
    """Return docs/bpmn-operations.md."""
    return "\n".join([_BEGINNING, *(_section(operation) for operation in OPERATIONS), _END])


def _section(operation: Operation) -> str:
    lines = [
        f"## {operation.zh} / {operation.en}",
        f"`{operation.type}`. {operation.zh_does}",
        "",
        operation.en_does,
        "",
    ]
    if operation.takes:
        lines += ["| 输入 / input | | 说明 / meaning |", "|---|---|---|"]
        for given in operation.takes:
            needed = "必填 / needed" if given.is_needed else "–"
            name = f"`{given.name}` {given.zh} / {given.en}"
            lines.append(f"| {name} | {needed} | {given.zh_hint} / {given.en_hint} |")
        lines.append("")
    if operation.answers:
        told = "；".join(f"`{a.name}` {a.zh} / {a.en}" for a in operation.answers)
        lines += [f"结果 / answers: {told}", ""]
    return "\n".join(lines)


_BEGINNING = """# 内置操作 / What diagrams may ask of Levee itself
Written by `make events`; do not edit. 服务任务选择元素模板即可，无需编写程序。
A service task with one of these types needs no worker. In Camunda Modeler put the files of
`bpmn/element-templates/` into `resources/element-templates` of its data folder; then a task offers
them under *Template*. Inputs may be texts or FEEL (`=…`); what the task is to answer goes into
variables by output mappings.

Everything but calling a web service happens in the same moment as the step that leads there:
once, or not at all with an incident that says why (`levee incidents`).
"""
_END = """## 调用网络服务的规则 / Rules of calling web services
- Only public addresses on ports 80 and 443, and what the operator lists in \
`ROUTER_OUTBOUND_ALLOW` (`host:port` or a network, with commas). Redirects are not followed; \
an answer has 64 KiB at most.
- A secret is named, never written in a diagram: the operator sets `ROUTER_WEB_SECRETS` (or \
`ROUTER_WEB_SECRETS_FILE`) to JSON such as `{"crm": {"value": "…", "hosts": \
["crm.example.com"]}}`. It goes to those hosts over https only, as `Authorization: Bearer …` \
unless `header` and `scheme` say otherwise; `http://host:port` in `hosts` allows plain http \
there.
- 2xx completes the task. 408, 425, 429, 5xx and silence are tried again, `retries` times \
(the task's), after 10, 40, 160 … s or the service's `Retry-After`. Any other status throws \
the BPMN error `HTTP_<status>` for a boundary event; without one it is an incident.
- Every try carries the job's id as `Idempotency-Key`: a service that keeps it does the work once.
"""


def main(argv: list[str]) -> int:
    """Write the files, or say which are stale."""
    made = files()
    known = set((ROOT / FOLDER).glob("*.json"))
    stale = [
        path
        for path, told in made.items()
        if not (ROOT / path).exists() or (ROOT / path).read_text(encoding="utf-8") != told
    ]
    gone = sorted(known - {ROOT / path for path in made})
    if argv == ["check"]:
        for path in [*stale, *gone]:
            sys.stderr.write(f"{path} is stale: run `make events`\n")
        return 1 if stale or gone else 0
    if argv == ["export"]:
        (ROOT / FOLDER).mkdir(exist_ok=True)
        for path, told in made.items():
            (ROOT / path).write_text(told, encoding="utf-8")
        for path in gone:
            path.unlink()
        return 0
    sys.stderr.write("usage: python -m tools.element_templates export|check\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

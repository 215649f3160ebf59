"""Checking a diagram, and compiling it once for all instances of a version."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from .errors import ProcessRefused
from .findings import Findings, Report
from .lint import lint
from .net import Net, build
from .reader import read
from .surroundings import Known
from .wording import Wording

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from .bindings import Binding, DecisionEvaluator
    from .surroundings import Surroundings


class ElementInfo(TypedDict):
    """What a board or timeline needs to know about an element."""

    type: str
    name: str


@dataclass(frozen=True, slots=True)
class CompiledProcess:
    """One released version of a process, ready to run; immutable, shared by its instances."""

    key: str
    version: int
    process_id: str
    name: str
    #: id → type (the BPMN element) and name (as drawn), for every node.
    elements: Mapping[str, ElementInfo]
    #: Decisions the diagram calls; a release pins them too.
    decisions: tuple[str, ...]
    #: Messages the diagram can wait for somewhere.
    messages: tuple[str, ...]
    net: Net = field(repr=False)
    bindings: Mapping[str, Binding] = field(repr=False)


def check(
    xml: bytes,
    *,
    file: str = "",
    decisions: Collection[str] = (),
    around: Surroundings | None = None,
) -> Report:
    """Say whether a diagram can be released, and everything that is wrong with it.

    `decisions` are the ids that exist; when empty, called decisions are not looked up. `around`
    answers the same, and knows processes. Reads no file and never raises for what stands in the
    diagram.
    """
    findings = Findings()
    around = around or Known(decisions)
    diagram = read(xml, findings)
    if diagram is None:
        return findings.report(file)
    if lint(diagram, findings):
        Wording(diagram, findings, around).bindings()
    return findings.report(file, diagram.process_id)


def compile_process(
    xml: bytes, *, key: str, version: int, decisions: DecisionEvaluator
) -> CompiledProcess:
    """Compile a diagram. Raises ProcessRefused with the findings when one of them is an error."""
    findings = Findings()
    diagram = read(xml, findings)
    if diagram is None:
        raise ProcessRefused(findings.items, key)
    is_readable = lint(diagram, findings)
    words = Wording(diagram, findings, evaluator=decisions)
    bindings = words.bindings() if is_readable else {}
    if findings.are_fatal:
        raise ProcessRefused(findings.items, key)
    nodes = diagram.nodes.values()
    return CompiledProcess(
        key=key,
        version=version,
        process_id=diagram.process_id,
        name=diagram.name,
        elements={node.id: {"type": node.kind, "name": node.name} for node in nodes},
        decisions=tuple(sorted({n.says.decision_id for n in nodes if n.says.decision_id})),
        messages=tuple(
            sorted({n.event.name for n in nodes if n.event.kind == "message" and n.event.name})
        ),
        net=build(diagram, bindings),
        bindings=bindings,
    )

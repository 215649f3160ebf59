"""Checking a diagram, and compiling it once for all instances of a version."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from .calls import Family
from .errors import ProcessRefused
from .findings import Findings, Report
from .lint import lint
from .net import Net, build
from .reader import read
from .surroundings import Known
from .task_words import guarded_tasks

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from shared.feel import WorkingTime

    from .bindings import DecisionEvaluator
    from .surroundings import Surroundings


#: Definitions an instance is pinned to beside its process: (kind, key, version), sorted.
Pins = tuple[tuple[str, str, int], ...]


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
    #: Processes it calls, and those they call.
    calls: tuple[str, ...]
    net: Net = field(repr=False)
    #: User tasks whose doer may not do another one: it must be known who did them.
    guarded: frozenset[str] = frozenset()
    #: The released versions of what it calls, as the router looked them up; kept in every state.
    pins: Pins = ()


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
    family = _family(xml, findings, around or Known(decisions), None)
    return findings.report(file, "" if family is None else next(iter(family.parts)))


def compile_process(
    xml: bytes,
    *,
    key: str,
    version: int,
    decisions: DecisionEvaluator,
    around: Surroundings | None = None,
    working: WorkingTime | None = None,
    is_released: bool = False,
) -> CompiledProcess:
    """Compile a diagram with all it calls, which `around` is asked for.

    `working` knows the calendars that FEEL asks for working time. A version that `is_released`
    runs on under rules made after it.

    Raises ProcessRefused with the findings when one of them is an error.
    """
    findings = Findings()
    family = _family(xml, findings, around or Known(), decisions, working)
    is_refused = findings.forbid_to_run() if is_released else findings.are_fatal
    if family is None or is_refused:
        raise ProcessRefused(findings.items, key)
    parts = list(family.parts.values())
    diagram = parts[0][0]
    nodes = [(part, node) for part, _ in parts for node in part.nodes.values()]
    events = [node.event for _, node in nodes]
    return CompiledProcess(
        key=key,
        version=version,
        process_id=diagram.process_id,
        name=diagram.name,
        elements={part.qualified(n.id): {"type": n.kind, "name": n.name} for part, n in nodes},
        decisions=tuple(sorted({n.says.decision_id for _, n in nodes if n.says.decision_id})),
        messages=tuple(sorted({e.name for e in events if e.kind == "message" and e.name})),
        calls=tuple(family.parts)[1:],
        net=build(parts, working),
        guarded=frozenset[str]().union(*(guarded_tasks(part) for part, _ in parts)),
    )


def _family(
    xml: bytes,
    findings: Findings,
    around: Surroundings,
    evaluator: DecisionEvaluator | None,
    working: WorkingTime | None = None,
) -> Family | None:
    diagram = read(xml, findings)
    if diagram is None:
        return None
    family = Family(findings, around, evaluator, working)
    if lint(diagram, findings):
        family.add(diagram)
    else:
        family.parts[diagram.process_id] = (diagram, {})
    return family

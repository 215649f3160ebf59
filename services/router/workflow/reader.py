"""From XML to our model of the diagram; whatever it cannot carry over it reports."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import dialect
from .model import Diagram, Event, Flow, Loop, Node
from .reader_camunda7 import translate_camunda7
from .reader_zeebe import Speaker
from .safe_xml import BPMN, children, is_true, local, namespace, parse, text_of

if TYPE_CHECKING:
    from .findings import Findings

#: What events, tables and pages hold of an element's id; in a called process two of them.
MAX_ID = 99
#: An id of XML (NCName): no colon, which divides what stands for several elements.
_NC_NAME = re.compile(r"[^\W\d][\w.·-]*")
_TIMERS = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}


def read(xml: bytes, findings: Findings) -> Diagram | None:
    """Return the one executable process of a BPMN file, or None when there is none to speak of."""
    root = parse(xml, findings)
    if root is None:
        return None
    processes = [p for p in children(root, "process") if is_true(p, "isExecutable")]
    if len(processes) != 1:
        findings.add("", "process-count", count=len(processes))
        return None
    translate_camunda7(root, processes[0], findings)
    return _Reader(root, processes[0], findings).diagram()


class _Reader:
    def __init__(self, root: Any, process: Any, findings: Findings) -> None:
        self.root = root
        self.process = process
        self.process_id = process.get("id") or "process"
        self.findings = findings
        self.nodes: dict[str, Node] = {}
        self.flows: list[Flow] = []
        self.speaker = Speaker(findings)
        self.is_partial = False

    def diagram(self) -> Diagram:
        self.speaker.attributes(self.process, self.process_id)
        self.speaker.extensions(self.process, self.process_id, "process")
        self._scope(self.process, (), is_event_scope=False)
        self._flow_ids()
        self._link()
        return Diagram(
            self.process_id,
            self.process.get("name", ""),
            self.nodes,
            tuple(self.flows),
            is_partial=self.is_partial,
        )

    def _path(self, scopes: tuple[str, ...], element: Any) -> str:
        return "/".join((self.process_id, *scopes, element.get("id") or local(element)))

    def _flow_ids(self) -> None:
        """Refuse flows of one id: a default flow and a condition are known by it."""
        known = set(self.nodes)
        for flow in self.flows:
            if flow.id in known:
                self.findings.add(f"{self.process_id}/{flow.id}", "flow-id-twice", id=flow.id)
            known.add(flow.id)

    def _link(self) -> None:
        """Turn each link into the sequence flow it stands for."""
        links = [node for node in self.nodes.values() if node.event.kind == "link"]
        for node in links:
            if node.kind != "intermediateThrowEvent":
                continue
            path = "/".join((self.process_id, *node.scopes, node.id))
            targets = [
                other
                for other in links
                if other.kind == "intermediateCatchEvent"
                and (other.event.name, other.scope) == (node.event.name, node.scope)
            ]
            if len(targets) != 1:
                self.findings.add(path, "link-target", name=node.event.name, count=len(targets))
                continue
            self.flows.append(Flow(f"{node.id}:link", node.id, targets[0].id, "", node.scope))

    def _scope(self, parent: Any, scopes: tuple[str, ...], *, is_event_scope: bool) -> None:
        for element in parent:
            path = self._path(scopes, element)
            if namespace(element) != BPMN:
                self.speaker.refuse_foreign(element, path)
            elif local(element) in dialect.NODES:
                self._node(element, path, scopes, is_event_scope=is_event_scope)
            elif local(element) == "sequenceFlow":
                self._flow(element, path, scopes)
            else:
                self._other(element, path)

    def _other(self, element: Any, path: str) -> None:
        """Say what becomes of an element that is no node."""
        tag = local(element)
        if tag in dialect.DRAWN:
            self.findings.add(path, "drawn-only", tag=tag)
        elif tag == "laneSet":
            self._lanes(element, path)
        elif tag not in dialect.SILENT:
            self._refuse(path, tag, tag)

    def _refuse(self, path: str, tag: str, key: str) -> None:
        self.is_partial = True
        why = dialect.REFUSED.get(key, dialect.UNKNOWN)
        self.findings.add(path, "unsupported-element", tag=tag, **why._asdict())

    def _flow(self, element: Any, path: str, scopes: tuple[str, ...]) -> None:
        self.speaker.attributes(element, path)
        self._looked_over(element, path, dialect.IN_FLOWS)
        conditions = children(element, "conditionExpression")
        self.speaker.whole(conditions, path)
        source, target = element.get("sourceRef", ""), element.get("targetRef", "")
        self.flows.append(
            Flow(
                # A flow needs no id; what stands for it cannot be an id of anything else.
                id=element.get("id") or f"{source}>{target}>{len(self.flows)}",
                source=source,
                target=target,
                condition=text_of(conditions[0]) if conditions else "",
                scope=scopes[-1] if scopes else "",
            )
        )

    def _looked_over(self, element: Any, path: str, known: frozenset[str]) -> None:
        """Refuse what lies inside a flow, a lane or an event of the file and would be passed over.

        What was released before this was looked at runs on.
        """
        with self.findings.younger():
            self.speaker.attributes(element, path)
            self.speaker.extensions(element, path, local(element))
            for part in element:
                if namespace(part) != BPMN:
                    self.speaker.refuse_foreign(part, path)
                elif local(part) not in known:
                    self._refuse(path, local(part), local(part))

    def _lanes(self, element: Any, path: str) -> None:
        for part in element.iter(f"{{{BPMN}}}laneSet", f"{{{BPMN}}}lane"):
            self._looked_over(part, path, dialect.IN_LANES)

    def _node(
        self, element: Any, path: str, scopes: tuple[str, ...], *, is_event_scope: bool
    ) -> None:
        kind, name = local(element), element.get("id")
        if not name:
            self.findings.add(path, "id-missing", tag=kind)
            return
        if len(name) > MAX_ID:
            self.findings.add(path, "id-too-long", length=len(name), limit=MAX_ID)
        if not _NC_NAME.fullmatch(name):
            self.findings.add(path, "id-invalid", id=name[:MAX_ID])
        if name in self.nodes:
            self.findings.add(path, "id-twice", id=name)
            return
        self._switches(element, path, kind)
        slot = "eventStart" if kind == "startEvent" and is_event_scope else kind
        switch = "isInterrupting" if kind == "startEvent" else "cancelActivity"
        says = self.speaker.extensions(element, path, kind)
        if kind == "callActivity" and not says.called_process:
            says = replace(says, called_process=element.get("calledElement", ""))
        self.nodes[name] = Node(
            id=name,
            kind=kind,
            name=" ".join(element.get("name", "").split()),
            scopes=scopes,
            event=self._event(element, path, slot),
            says=says,
            attached_to=element.get("attachedToRef", ""),
            is_interrupting=is_true(element, switch, unsaid=True),
            default_flow=element.get("default", ""),
            is_event_scope=is_true(element, "triggeredByEvent"),
            loop=self._loop(element, path, kind),
        )
        if kind == "subProcess":
            self._scope_of_sub_process(element, path, (*scopes, name))
        else:
            self._parts(element, path, kind)

    def _scope_of_sub_process(self, element: Any, path: str, scopes: tuple[str, ...]) -> None:
        is_event_scope = is_true(element, "triggeredByEvent")
        self._scope(element, scopes, is_event_scope=is_event_scope)

    def _loop(self, element: Any, path: str, kind: str) -> Loop | None:
        found = self.speaker.loop(element, path)
        if found is None:
            return None
        if not kind.endswith(("Task", "task", "Process", "Activity")):
            self._refuse(path, "multiInstanceLoopCharacteristics", "loopHere")
        told = children(element, "multiInstanceLoopCharacteristics")[0]
        if told.get("behavior", "All") != "All":
            with self.findings.younger():
                self._refuse(path, "multiInstanceLoopCharacteristics", "behavior")
        for part in told:
            if local(part) not in ("extensionElements", "completionCondition"):
                self._refuse(path, local(part), local(part))
        return found

    def _switches(self, element: Any, path: str, kind: str) -> None:
        """Refuse attributes that would change what the element means."""
        self.speaker.attributes(element, path)
        for switch in ("isForCompensation", "instantiate", "parallelMultiple"):
            if is_true(element, switch):
                self._refuse(path, kind, switch)
        if element.get("eventGatewayType", "Exclusive") != "Exclusive":
            self._refuse(path, kind, "parallelMultiple")
        for switch in ("startQuantity", "completionQuantity"):
            if element.get(switch, "1") != "1":
                self._refuse(path, kind, "quantity")

    def _parts(self, element: Any, path: str, kind: str) -> None:
        """Look at what lies inside a node; nothing in there may be overlooked."""
        for part in element:
            if namespace(part) != BPMN:
                self.speaker.refuse_foreign(part, path)
            elif local(part) == "script":
                self.findings.add(path, "script-not-feel")
            elif local(part) not in dialect.EVENT_KINDS:
                self._other(part, path)

    def _event(self, element: Any, path: str, kind: str) -> Event:
        definition = self._definition(element, path)
        if kind == "receiveTask":
            return self._message(element, path, "receiveTask")
        if kind not in dialect.EVENTS_ON:
            return Event()
        what = "none" if definition is None else dialect.EVENT_KINDS[local(definition)]
        if what not in dialect.EVENTS_ON[kind]:
            self.findings.add(path, "unsupported-event", kind=what, tag=kind, **_possible(kind))
            return Event()
        readers = {"message": self._message, "error": self._code, "escalation": self._code}
        if what in readers:
            return readers[what](definition, path, kind)
        return self._other_event(definition, path, what)

    def _definition(self, element: Any, path: str) -> Any | None:
        """Return what an event waits for or throws, None for a plain one."""
        definitions = [p for p in element if local(p) in dialect.EVENT_KINDS]
        if len(definitions) + len(children(element, "eventDefinitionRef")) > 1:
            self.findings.add(path, "event-several")
        for definition in definitions:
            self.speaker.no_extensions(definition, path)
        return definitions[0] if definitions else None

    def _other_event(self, element: Any, path: str, what: str) -> Event:
        if what == "timer":
            return self._timer(element, path)
        if what == "signal":
            signal = self._root_element("signal", element.get("signalRef"), path)
            name = "" if signal is None else signal.get("name", "").strip()
            if not name:
                self.findings.add(path, "event-empty", what="signal")
            self._fixed(path, "signal name", name)
            self.findings.add(path, "signal-inside", name=name)
            return Event(kind="signal", name=name)
        if what == "link":
            name = element.get("name", "").strip()
            if not name:
                self.findings.add(path, "event-empty", what="link name")
            return Event(kind="link", name=name)
        if what == "conditional":
            parts = children(element, "condition")
            self.speaker.whole(parts, path)
            condition = text_of(parts[0]) if parts else ""
            if not condition:
                self.findings.add(path, "event-empty", what="condition")
            return Event(kind="conditional", condition=condition)
        return Event(kind="terminate") if what == "terminate" else Event()

    def _message(self, element: Any, path: str, kind: str) -> Event:
        """Read a message; one that is thrown needs no name, its job says what is sent."""
        if kind in ("endEvent", "intermediateThrowEvent"):
            return Event(kind="message")
        message = self._root_element("message", element.get("messageRef"), path)
        name = "" if message is None else message.get("name", "").strip()
        if message is None or not name:
            self.findings.add(path, "event-empty", what="message")
            return Event(kind="message")
        self._fixed(path, "message name", name)
        key = self.speaker.correlation_key(message, path)
        return Event(kind="message", name=name, correlation_key=key)

    def _timer(self, element: Any, path: str) -> Event:
        told = [part for part in element if local(part) in _TIMERS]
        self.speaker.whole(told, path)
        if len(told) > 1:
            self.findings.add(path, "twice", what=" / ".join(map(local, told)), count=len(told))
        for part in told:
            if text_of(part):
                return Event(
                    kind="timer", timer_kind=_TIMERS[local(part)], timer_text=text_of(part)
                )
        self.findings.add(path, "timer-empty")
        return Event(kind="timer")

    def _code(self, element: Any, path: str, kind: str) -> Event:
        """Read an error or escalation; what catches without a reference catches every one."""
        what = dialect.EVENT_KINDS[local(element)]
        target = self._root_element(what, element.get(f"{what}Ref"), path)
        code = "" if target is None else target.get(f"{what}Code", "").strip()
        is_caught = kind in ("boundaryEvent", "eventStart")
        if not code and (not is_caught or target is not None):
            self.findings.add(path, "event-empty", what=f"{what}Code")
        self._fixed(path, f"{what}Code", code)
        name = "" if target is None else target.get("name", "")
        kinds = {"error": Event(kind="error", code=code, name=name)}
        return kinds.get(what, Event(kind="escalation", code=code, name=name))

    def _fixed(self, path: str, what: str, text: str) -> None:
        if text.startswith("="):
            self.findings.add(path, "event-name-feel", what=what)

    def _root_element(self, tag: str, reference: str | None, path: str) -> Any | None:
        reference = (reference or "").rpartition(":")[2]
        found = [e for e in children(self.root, tag) if reference and e.get("id") == reference]
        self.speaker.once(found, path)
        for element in found[:1]:
            self._looked_over(element, path, dialect.IN_ROOTS)
        return found[0] if found else None


def _possible(kind: str) -> dict[str, str]:
    possible = ", ".join(sorted(dialect.EVENTS_ON[kind]))
    return {"possible": possible, "zh_possible": possible.replace("none", "空 none")}

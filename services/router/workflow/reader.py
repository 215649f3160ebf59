"""From XML to our model of the diagram; whatever it cannot carry over it reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import dialect
from .model import Diagram, Event, Flow, Node
from .reader_zeebe import Speaker
from .safe_xml import BPMN, children, local, namespace, parse, text_of

if TYPE_CHECKING:
    from .findings import Findings

_TIMERS = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}


def read(xml: bytes, findings: Findings) -> Diagram | None:
    """Return the one executable process of a BPMN file, or None when there is none to speak of."""
    root = parse(xml, findings)
    if root is None:
        return None
    processes = [p for p in children(root, "process") if p.get("isExecutable") == "true"]
    if len(processes) != 1:
        findings.add("", "process-count", count=len(processes))
        return None
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
        self._scope(self.process, ())
        return Diagram(
            self.process_id,
            self.process.get("name", ""),
            self.nodes,
            tuple(self.flows),
            is_partial=self.is_partial,
        )

    def _path(self, scopes: tuple[str, ...], element: Any) -> str:
        return "/".join((self.process_id, *scopes, element.get("id") or local(element)))

    def _scope(self, parent: Any, scopes: tuple[str, ...]) -> None:
        for element in parent:
            path = self._path(scopes, element)
            if namespace(element) != BPMN:
                self.speaker.refuse_foreign(element, path)
            elif local(element) in dialect.NODES:
                self._node(element, path, scopes)
            elif local(element) == "sequenceFlow":
                self._flow(element, path, scopes)
            else:
                self._other(element, path)

    def _other(self, element: Any, path: str) -> None:
        """Say what becomes of an element that is no node."""
        tag = local(element)
        if tag in dialect.DRAWN:
            self.findings.add(path, "drawn-only", tag=tag)
        elif tag not in dialect.SILENT:
            self._refuse(path, tag, tag)

    def _refuse(self, path: str, tag: str, key: str) -> None:
        self.is_partial = True
        why = dialect.REFUSED.get(key, dialect.UNKNOWN)
        self.findings.add(path, "unsupported-element", tag=tag, **why._asdict())

    def _flow(self, element: Any, path: str, scopes: tuple[str, ...]) -> None:
        self.speaker.attributes(element, path)
        conditions = children(element, "conditionExpression")
        self.flows.append(
            Flow(
                id=element.get("id", ""),
                source=element.get("sourceRef", ""),
                target=element.get("targetRef", ""),
                condition=text_of(conditions[0]) if conditions else "",
                scope=scopes[-1] if scopes else "",
            )
        )

    def _node(self, element: Any, path: str, scopes: tuple[str, ...]) -> None:
        kind, name = local(element), element.get("id")
        if not name:
            self.findings.add(path, "id-missing", tag=kind)
            return
        if name in self.nodes:
            self.findings.add(path, "id-twice", id=name)
            return
        self._switches(element, path, kind)
        self.nodes[name] = Node(
            id=name,
            kind=kind,
            name=" ".join(element.get("name", "").split()),
            scopes=scopes,
            event=self._event(element, path, kind),
            says=self.speaker.extensions(element, path, kind),
            attached_to=element.get("attachedToRef", ""),
            is_interrupting=element.get("cancelActivity", "true") == "true",
            default_flow=element.get("default", ""),
        )
        if kind == "subProcess":
            self._scope_of_sub_process(element, path, (*scopes, name))
        else:
            self._parts(element, path, kind)

    def _scope_of_sub_process(self, element: Any, path: str, scopes: tuple[str, ...]) -> None:
        if element.get("triggeredByEvent") == "true":
            self._refuse(path, "subProcess", "triggeredByEvent")
        self._scope(element, scopes)

    def _switches(self, element: Any, path: str, kind: str) -> None:
        """Refuse attributes that would change what the element means."""
        self.speaker.attributes(element, path)
        for switch in ("isForCompensation", "instantiate", "parallelMultiple"):
            if element.get(switch) == "true":
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
        definitions = [p for p in element if local(p) in dialect.EVENT_KINDS]
        refs = children(element, "eventDefinitionRef")
        if len(definitions) + len(refs) > 1:
            self.findings.add(path, "event-several")
        if kind == "receiveTask":
            return self._message(element, path, "receiveTask")
        if kind not in dialect.EVENTS_ON:
            return Event()
        what = dialect.EVENT_KINDS[local(definitions[0])] if definitions else "none"
        if what not in dialect.EVENTS_ON[kind]:
            self.findings.add(path, "unsupported-event", kind=what, tag=kind)
            return Event()
        if what == "message":
            return self._message(definitions[0], path, kind)
        if what == "timer":
            return self._timer(definitions[0], path)
        if what in ("error", "escalation"):
            return self._code(definitions[0], path, what, kind)
        return Event(kind="terminate") if what == "terminate" else Event()

    def _message(self, element: Any, path: str, kind: str) -> Event:
        """Read a message; one that is thrown needs no name, its job says what is sent."""
        if kind in ("endEvent", "intermediateThrowEvent"):
            return Event(kind="message")
        message = self._root_element("message", element.get("messageRef"))
        name = "" if message is None else message.get("name", "").strip()
        if message is None or not name:
            self.findings.add(path, "event-empty", what="message")
            return Event(kind="message")
        self._fixed(path, "message name", name)
        key = self.speaker.correlation_key(message, path)
        return Event(kind="message", name=name, correlation_key=key)

    def _timer(self, element: Any, path: str) -> Event:
        for part in element:
            if local(part) in _TIMERS and text_of(part):
                return Event(
                    kind="timer", timer_kind=_TIMERS[local(part)], timer_text=text_of(part)
                )
        self.findings.add(path, "timer-empty")
        return Event(kind="timer")

    def _code(self, element: Any, path: str, what: str, kind: str) -> Event:
        """Read an error or escalation; what catches without a reference catches every one."""
        target = self._root_element(what, element.get(f"{what}Ref"))
        code = "" if target is None else target.get(f"{what}Code", "").strip()
        if not code and (kind != "boundaryEvent" or target is not None):
            self.findings.add(path, "event-empty", what=f"{what}Code")
        self._fixed(path, f"{what}Code", code)
        name = "" if target is None else target.get("name", "")
        kinds = {"error": Event(kind="error", code=code, name=name)}
        return kinds.get(what, Event(kind="escalation", code=code, name=name))

    def _fixed(self, path: str, what: str, text: str) -> None:
        if text.startswith("="):
            self.findings.add(path, "event-name-feel", what=what)

    def _root_element(self, tag: str, reference: str | None) -> Any | None:
        reference = (reference or "").rpartition(":")[2]
        for element in children(self.root, tag):
            if reference and element.get("id") == reference:
                return element
        return None

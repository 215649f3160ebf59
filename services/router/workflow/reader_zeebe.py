"""The zeebe extensions of an element: read, and whatever is unknown refused."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from lxml import etree

from . import dialect
from .model import Extensions, Loop
from .safe_xml import BPMN, ZEEBE, children, is_true, local, namespace, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .findings import Findings


class Speaker:
    """Reads what extensions say."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def attributes(self, element: Any, path: str) -> None:
        """Refuse attributes of other engines; those of element templates are fine."""
        for name, value in element.attrib.items():
            space = etree.QName(name).namespace
            self._truth(name, value, path)
            if space and _foreign(space):
                self.findings.add(
                    path,
                    "foreign-dialect",
                    what=f"{etree.QName(name).localname}={value!r}",
                    dialect=_foreign(space),
                )

    def _truth(self, name: str, value: str, path: str) -> None:
        """Refuse a truth in other words than XML's: nobody knows what it would be taken for."""
        if name in dialect.TRUTHS and value.strip() not in ("true", "false", "1", "0"):
            self.findings.add(path, "not-a-truth", attribute=name, value=value[:100])

    def once(self, parts: Sequence[Any], path: str) -> None:
        """Refuse parts of one name where a single one is read."""
        for name, count in Counter(map(local, parts)).items():
            if count > 1:
                self.findings.add(path, "twice", what=name, count=count)

    def whole(self, parts: Sequence[Any], path: str) -> None:
        """Refuse a text that stands twice, or that an element in it cuts."""
        self.once(parts, path)
        for part in parts:
            if len(part):
                self.findings.add(path, "text-cut", what=local(part))

    def refuse_foreign(self, element: Any, path: str) -> None:
        """Refuse an element that is not BPMN."""
        found = _foreign(namespace(element))
        if found:
            self.findings.add(path, "foreign-dialect", what=local(element), dialect=found)
        else:
            self._unknown(path, local(element), "zeebe:*")

    def extensions(self, element: Any, path: str, kind: str) -> Extensions:
        """Return what the zeebe extensions of an element say."""
        said: dict[str, Any] = {}
        holders = children(element, "extensionElements")
        self.once([part for holder in holders for part in holder], path)
        for holder in holders:
            for part in holder:
                if self._is_known(part, path, kind):
                    said.update(self._read(part, path))
        return Extensions(**said)

    def correlation_key(self, message: Any, path: str) -> str:
        """Return the correlation key of a message's subscription, "" when there is none."""
        for holder in children(message, "extensionElements"):
            for part in holder:
                if self._is_known(part, path, "message") and local(part) == "subscription":
                    return str(part.get("correlationKey", ""))
        return ""

    def loop(self, element: Any, path: str) -> Loop | None:
        """Return the multi-instance of an activity, None when it has none."""
        found = children(element, "multiInstanceLoopCharacteristics")
        if not found:
            return None
        told, said = found[0], {}
        self.attributes(told, path)
        self.once(found, path)
        self.whole(children(told, "completionCondition"), path)
        holders = children(told, "extensionElements")
        self.once([part for holder in holders for part in holder], path)
        for holder in holders:
            for part in holder:
                if self._is_known(part, path, "multiInstanceLoopCharacteristics"):
                    said = {name: value.strip() for name, value in part.attrib.items()}
        enough = children(told, "completionCondition")
        return Loop(
            collection=said.get("inputCollection", ""),
            element=said.get("inputElement", ""),
            into=said.get("outputCollection", ""),
            result=said.get("outputElement", ""),
            enough=text_of(enough[0]) if enough else "",
            is_sequential=is_true(told, "isSequential"),
        )

    def no_extensions(self, element: Any, path: str) -> None:
        """Refuse every extension of an element that may have none (event definitions)."""
        self.attributes(element, path)
        for holder in children(element, "extensionElements"):
            for part in holder:
                if namespace(part) == ZEEBE:
                    self._unknown(path, f"zeebe:{local(part)}", "–")
                else:
                    self.refuse_foreign(part, path)

    def _unknown(self, path: str, what: str, possible: str) -> None:
        self.findings.add(path, "unknown-extension", what=what, possible=possible)

    def _is_known(self, part: Any, path: str, kind: str) -> bool:
        name = local(part)
        if namespace(part) != ZEEBE:
            self.refuse_foreign(part, path)
            return False
        allowed = dialect.ZEEBE_ON.get(kind, frozenset({"properties"}))
        if name not in allowed:
            self._unknown(path, f"zeebe:{name}", ", ".join(sorted(allowed)))
            return False
        return all([self._has_known_attributes(e, path) for e in part.iter()])

    def _has_known_attributes(self, part: Any, path: str) -> bool:
        allowed = dialect.ZEEBE_ATTRIBUTES.get(local(part))
        if allowed is None or namespace(part) not in (ZEEBE, BPMN):
            self._unknown(path, local(part), ", ".join(sorted(dialect.ZEEBE_ATTRIBUTES)))
            return False
        unknown = [(name, value) for name, value in part.attrib.items() if name not in allowed]
        unknown += [
            (name, value)
            for name, value in part.attrib.items()
            if name == "bindingType" and value == "versionTag"
        ]
        for name, value in unknown:
            self.findings.add(
                path, "unknown-attribute", what=f"zeebe:{local(part)}", attribute=name, value=value
            )
        return not unknown

    def _read(self, part: Any, path: str) -> dict[str, Any]:
        said = {name: value.strip() for name, value in part.attrib.items()}
        match local(part):
            case "taskDefinition":
                return {
                    "job_type": said.get("type", ""),
                    "job_retries": said.get("retries", ""),
                }
            case "calledDecision":
                return {
                    "decision_id": said.get("decisionId", ""),
                    "result_variable": said.get("resultVariable", ""),
                }
            case "script":
                return {
                    "script": said.get("expression", ""),
                    "result_variable": said.get("resultVariable", ""),
                }
            case "calledElement":
                return {
                    "called_process": said.get("processId", ""),
                    "sees_all": said.get("propagateAllParentVariables", ""),
                    "gives_all": said.get("propagateAllChildVariables", ""),
                }
            case _:
                return self._read_people(part, said)

    def _read_people(self, part: Any, said: dict[str, str]) -> dict[str, Any]:
        match local(part):
            case "assignmentDefinition":
                return {
                    "assignee": said.get("assignee", ""),
                    "candidate_groups": said.get("candidateGroups", ""),
                    "candidate_users": said.get("candidateUsers", ""),
                }
            case "taskSchedule":
                return {
                    "due_date": said.get("dueDate", ""),
                    "follow_up_date": said.get("followUpDate", ""),
                }
            case "priorityDefinition":
                return {"priority": said.get("priority", "")}
            case "formDefinition":
                forms = (said.get(k) for k in ("formId", "formKey", "externalReference"))
                return {"form": next((form for form in forms if form), "")}
            case _:
                return self._read_lists(part)

    def _read_lists(self, part: Any) -> dict[str, Any]:
        match local(part):
            case "taskHeaders":
                return {"headers": tuple((h.get("key", ""), h.get("value", "")) for h in part)}
            case "ioMapping":
                pairs = [(local(m), m.get("target", ""), m.get("source", "")) for m in part]
                return {
                    "inputs": tuple((t, s) for kind, t, s in pairs if kind == "input"),
                    "outputs": tuple((t, s) for kind, t, s in pairs if kind == "output"),
                }
            case _:
                return {}


def _foreign(space: str) -> str:
    for part, name in dialect.FOREIGN.items():
        if part in space.lower():
            return name
    return ""

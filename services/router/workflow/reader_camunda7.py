"""Camunda 7 said in the words of Camunda 8, before a diagram is read: what means the same.

The XML tree is rewritten in place; every translation is told as a finding. What cannot be
translated is told as an error and left where it is, so that nothing of it is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from .juel import NotTranslatable, is_juel, quoted, translate
from .safe_xml import BPMN, ZEEBE, children, local, namespace, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .findings import Findings

CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
#: Hints for the other engine, without a meaning for what is executed.
_HINTS = frozenset(
    {
        "asyncAfter",
        "asyncBefore",
        "candidateStarterGroups",
        "candidateStarterUsers",
        "diagramRelationId",
        "exclusive",
        "failedJobRetryTimeCycle",
        "historyTimeToLive",
        "isStartableInTasklist",
        "jobPriority",
        "taskPriority",
        "versionTag",
    }
)
#: Program code of another system.
_CODE = frozenset(
    {
        "class",
        "connector",
        "delegateExpression",
        "executionListener",
        "field",
        "script",
        "taskListener",
        "variableMappingClass",
        "variableMappingDelegateExpression",
    }
)
_USER = {
    "assignee": ("assignmentDefinition", "assignee"),
    "candidateGroups": ("assignmentDefinition", "candidateGroups"),
    "candidateUsers": ("assignmentDefinition", "candidateUsers"),
    "dueDate": ("taskSchedule", "dueDate"),
    "followUpDate": ("taskSchedule", "followUpDate"),
    "formKey": ("formDefinition", "formKey"),
    "formRef": ("formDefinition", "formId"),
    "priority": ("priorityDefinition", "priority"),
}
#: Which results of a decision are the same in both: one value, or one row of several.
_RESULTS = ("singleEntry", "singleResult")


def translate_camunda7(root: Any, process: Any, findings: Findings) -> None:
    """Rewrite a process drawn for Camunda 7; nothing happens to any other one."""
    if CAMUNDA not in {space for e in root.iter() for space in e.nsmap.values()}:
        return
    _Translator(process, findings).elements()


class _Translator:
    def __init__(self, process: Any, findings: Findings) -> None:
        self.process = process
        self.findings = findings
        self.told: list[str] = []
        self.path = ""

    def elements(self) -> None:
        """Translate the process and every element in it, one at a time."""
        for element in [self.process, *self.process.iterdescendants()]:
            if namespace(element) != BPMN:
                continue
            owner = self._owner(element)
            self.path = "/".join(self._way(owner))
            self.told = []
            self._element(element)
            if self.told:
                what = "; ".join(self.told)
                self.findings.add(self.path, "translated", what=what[:1_000])

    def _owner(self, element: Any) -> Any:
        """Return the element people know: the nearest one with an id."""
        while element.get("id") is None and element is not self.process:
            element = element.getparent()
        return element

    def _way(self, element: Any) -> list[str]:
        way = [element.get("id") or "process"]
        while element is not self.process:
            element = element.getparent()
            if local(element) in ("subProcess", "process"):
                way.insert(0, element.get("id") or "process")
        return way

    def _element(self, element: Any) -> None:
        tag = local(element)
        if element.text and is_juel(element.text) and tag in _TEXTS:
            self._text(element)
        attributes = {
            etree.QName(name).localname: value
            for name, value in element.attrib.items()
            if etree.QName(name).namespace == CAMUNDA
        }
        for name in [name for name in attributes if name in _HINTS]:
            self._drop(element, name, attributes.pop(name))
        extensions = [
            part
            for holder in children(element, "extensionElements")
            for part in holder
            if namespace(part) == CAMUNDA
        ]
        for part in extensions:
            self._extension(element, part)
        how = _BY_TAG.get(tag)
        if attributes and how is not None:
            how(self, element, attributes)
        for name in attributes:
            if name in _CODE and element.get(f"{{{CAMUNDA}}}{name}") is not None:
                self._code(element, name)

    # -- small steps

    def _say(self, what: str, becomes: str) -> None:
        self.told.append(f"{what} → {becomes}")

    def _drop(self, element: Any, name: str, value: str) -> None:
        del element.attrib[f"{{{CAMUNDA}}}{name}"]
        self._say(f"{name}={value!r}", "–")

    def _code(self, element: Any, name: str) -> None:
        value = element.attrib.pop(f"{{{CAMUNDA}}}{name}")
        self.findings.add(self.path, "camunda7-code", what=f"{name}={value!r}"[:300])

    def _feel(self, text: str) -> str | None:
        """Return a text in FEEL, or None after saying why not."""
        try:
            return translate(text)
        except NotTranslatable as problem:
            self.findings.add(
                self.path, "juel-not-translatable", text=text[:300], problem=str(problem)
            )
            return None

    def _text(self, element: Any) -> None:
        found = self._feel(text_of(element))
        if found is not None:
            self._say(text_of(element), found)
            element.text = found
        else:
            # It was told; what stands there instead keeps the rest from being misread.
            element.text = "=null"

    def _take(self, element: Any, name: str) -> str | None:
        """Take an attribute away and return its text in FEEL; None when there is none."""
        value = element.attrib.pop(f"{{{CAMUNDA}}}{name}", None)
        return None if value is None else self._feel(value)

    def _put(self, element: Any, tag: str, **attributes: str) -> Any:
        """Put attributes on a zeebe extension of an element, made when there is none."""
        holders = children(element, "extensionElements")
        if not holders:
            holders = [etree.Element(f"{{{BPMN}}}extensionElements")]
            element.insert(0, holders[0])
        found = holders[0].find(f"{{{ZEEBE}}}{tag}")
        if found is None:
            found = etree.SubElement(holders[0], f"{{{ZEEBE}}}{tag}")
        for name, value in attributes.items():
            found.set(name, value)
        return found

    def _map(self, element: Any, way: str, target: str, source: str) -> None:
        mapping = self._put(element, "ioMapping")
        etree.SubElement(mapping, f"{{{ZEEBE}}}{way}", source=source, target=target)
        self._say(f"{way} {target}", source)

    # -- elements

    def _start(self, element: Any, attributes: dict[str, str]) -> None:
        for name in ("formKey", "formRef", "formRefBinding"):
            if name in attributes:
                value = element.attrib.pop(f"{{{CAMUNDA}}}{name}")
                self.findings.add(self.path, "start-form", form=value)

    def _user(self, element: Any, attributes: dict[str, str]) -> None:
        for name, (tag, attribute) in _USER.items():
            if name in attributes:
                found = self._take(element, name)
                if found is not None:
                    self._put(element, tag, **{attribute: found})
                    self._say(f"{name}={attributes[name]!r}", f"zeebe:{tag} {found}")
        if attributes.get("formRefBinding", "latest") in ("latest", "deployment"):
            element.attrib.pop(f"{{{CAMUNDA}}}formRefBinding", None)

    def _service(self, element: Any, attributes: dict[str, str]) -> None:
        if attributes.get("type") == "external" and attributes.get("topic"):
            for name in ("type", "topic"):
                del element.attrib[f"{{{CAMUNDA}}}{name}"]
            topic = self._feel(attributes["topic"])
            if topic is not None:
                self._put(element, "taskDefinition", type=topic, retries="3")
                self._say(
                    f"external topic {attributes['topic']!r}", f"zeebe:taskDefinition {topic}"
                )
        elif "expression" in attributes:
            self._expression(element, attributes)

    def _expression(self, element: Any, attributes: dict[str, str]) -> None:
        """A service task that only computes a value is a script task here."""
        text = attributes["expression"]
        for name in ("expression", "resultVariable"):
            element.attrib.pop(f"{{{CAMUNDA}}}{name}", None)
        try:
            found = translate(text) if is_juel(text) else "=" + quoted(text)
        except NotTranslatable:
            self.findings.add(self.path, "camunda7-code", what=f"expression={text!r}"[:300])
            # Told; a job of no type anybody has keeps the shape of the rest readable.
            self._put(element, "taskDefinition", type="camunda7", retries="0")
            return
        variable = attributes.get("resultVariable", "")
        element.tag = f"{{{BPMN}}}scriptTask"
        self._put(element, "script", expression=found, resultVariable=variable)
        self._say(f"expression={text!r}", f"zeebe:script {found}")

    def _rule(self, element: Any, attributes: dict[str, str]) -> None:
        if "decisionRef" not in attributes:
            self._service(element, attributes)
            return
        result = attributes.get("mapDecisionResult", "resultList")
        binding = attributes.get("decisionRefBinding", "latest")
        if result not in _RESULTS or binding not in ("latest", "deployment"):
            return
        for name in ("mapDecisionResult", "decisionRefBinding", "resultVariable", "decisionRef"):
            element.attrib.pop(f"{{{CAMUNDA}}}{name}", None)
        variable = attributes.get("resultVariable", "")
        decision = attributes["decisionRef"]
        self._put(element, "calledDecision", decisionId=decision, resultVariable=variable)
        self._say(f"decisionRef={decision!r}", "zeebe:calledDecision")

    def _call(self, element: Any, attributes: dict[str, str]) -> None:
        if attributes.get("calledElementBinding", "latest") in ("latest", "deployment"):
            element.attrib.pop(f"{{{CAMUNDA}}}calledElementBinding", None)

    def _rounds(self, element: Any, attributes: dict[str, str]) -> None:
        collection = self._take(element, "collection")
        if collection is None:
            return
        collection = collection if collection.startswith("=") else f"={collection}"
        variable = element.attrib.pop(f"{{{CAMUNDA}}}elementVariable", "")
        self._put(element, "loopCharacteristics", inputCollection=collection, inputElement=variable)
        self._say("collection", collection)

    # -- extensions

    def _extension(self, element: Any, part: Any) -> None:
        name = local(part)
        if name in _CODE:
            part.getparent().remove(part)
            self.findings.add(self.path, "camunda7-code", what=f"camunda:{name}")
        elif name in _HINTS:
            part.getparent().remove(part)
            self._say(f"camunda:{name}", "–")
        elif name == "properties":
            part.getparent().remove(part)
            for inner in part:
                told = self._put(element, "properties")
                said = {"name": inner.get("name", ""), "value": inner.get("value", "")}
                etree.SubElement(told, f"{{{ZEEBE}}}property", said)
        elif name == "inputOutput" and all(_is_plain(inner) for inner in part):
            part.getparent().remove(part)
            for inner in part:
                self._parameter(element, inner)
        elif name in ("in", "out") and local(element) == "callActivity":
            self._passed(element, part)

    def _parameter(self, element: Any, inner: Any) -> None:
        way = "input" if local(inner) == "inputParameter" else "output"
        source = self._feel(text_of(inner))
        if source is not None:
            self._map(element, way, inner.get("name", ""), source)

    def _passed(self, element: Any, part: Any) -> None:
        """A variable that goes into a called process, or comes back from it."""
        if part.get("local") == "true":
            return
        part.getparent().remove(part)
        is_in = local(part) == "in"
        called = self._put(element, "calledElement", processId=element.get("calledElement", ""))
        for switch in ("propagateAllParentVariables", "propagateAllChildVariables"):
            called.set(switch, called.get(switch, "false"))
        if part.get("businessKey") is not None:
            self._say("businessKey", "–")
        elif part.get("variables") == "all":
            side = "Parent" if is_in else "Child"
            called.set(f"propagateAll{side}Variables", "true")
            self._say(f"{local(part)} all", f"propagateAll{side}Variables")
        else:
            expression = part.get("sourceExpression")
            source = f"={part.get('source')}" if expression is None else self._feel(expression)
            if source is not None:
                self._map(element, "input" if is_in else "output", part.get("target", ""), source)


def _is_plain(inner: Any) -> bool:
    """Return whether a parameter is a text, not a list, a map or a script."""
    return local(inner) in ("inputParameter", "outputParameter") and len(inner) == 0


#: Elements whose own text may be an expression.
_TEXTS = frozenset(
    {
        "completionCondition",
        "condition",
        "conditionExpression",
        "timeCycle",
        "timeDate",
        "timeDuration",
    }
)
_BY_TAG: dict[str, Callable[[_Translator, Any, dict[str, str]], None]] = {
    "startEvent": _Translator._start,
    "userTask": _Translator._user,
    "serviceTask": _Translator._service,
    "sendTask": _Translator._service,
    "messageEventDefinition": _Translator._service,
    "businessRuleTask": _Translator._rule,
    "callActivity": _Translator._call,
    "multiInstanceLoopCharacteristics": _Translator._rounds,
}

"""Loading a file of decisions: read, compiled, and checked as a whole before any of it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import Finding
from shared.feel.names import canonical

from .boxed import Function, Nothing
from .compiling import Compiler
from .errors import DecisionsRefused
from .findings import MAX_ERRORS, Findings, Place, TooManyFindings
from .model import Decision, DecisionModel, InputData, Knowledge, Requirements, Service
from .naming import input_names, names_in, type_of, variable_name
from .reading import LogicReader
from .requirements import check_requirements
from .types import ItemType, Types
from .xml import (
    UnreadableXml,
    attribute,
    child,
    children,
    is_feel,
    local_name,
    parse,
    reference,
    text_in,
)

if TYPE_CHECKING:
    from lxml import etree

_MAX_TYPE_DEPTH = 30


def load_decisions(xml: bytes, *, file: str = "", is_strict: bool = True) -> DecisionModel:
    """Return the decisions of a DMN file (1.1 to 1.6), every cell compiled.

    Raises DecisionsRefused with one finding per problem. With `is_strict=False` only a file that
    cannot be read is refused: what could not be compiled is null, as the standard has it, and
    stands in the model's `findings`.
    """
    try:
        root = parse(xml)
    except UnreadableXml as error:
        rule, zh, en = error.args
        finding = Finding(file or "xml", rule, {"zh-CN": zh, "en": en})
        raise DecisionsRefused((finding,), file=file or "xml", count=1) from error
    findings = Findings(is_bounded=is_strict)
    try:
        model = _Loader(root, findings, file).model()
    except TooManyFindings:
        raise _too_many(findings, file or root.get("name", "")) from None
    if is_strict and findings.errors:
        raise DecisionsRefused(
            tuple(findings.found), file=file or model.name, count=len(findings.errors)
        )
    return model


def _too_many(findings: Findings, file: str) -> DecisionsRefused:
    more = Finding(
        file,
        "more-findings",
        {
            "zh-CN": f"还有更多问题；只列出前 {MAX_ERRORS} 处。",
            "en": f"There is more; only the first {MAX_ERRORS} errors are listed.",
        },
        {"zh-CN": "改正后再次检查。", "en": "Mend these and check again."},
    )
    return DecisionsRefused((*findings.found, more), file=file, count=MAX_ERRORS)


def decision_ids(xml: bytes) -> frozenset[str]:
    """Return the ids of the decisions in a DMN file; none for what cannot be read."""
    try:
        root = parse(xml)
    except UnreadableXml:
        return frozenset()
    return frozenset(e.get("id", "") for e in children(root, "decision")) - {""}


class _Loader:
    def __init__(self, root: etree._Element, findings: Findings, file: str) -> None:
        self._root = root
        self._findings = findings
        self._file = file
        self._place = Place((file,) if file else ())
        names = set(names_in(root))
        for element in root.iter():
            if isinstance(element.tag, str) and local_name(element) == "decisionTable":
                names |= input_names(element)
        compiler = Compiler(frozenset(names), findings)
        self._types = Types(item_types(root, compiler, self._place))
        self._reader = LogicReader(compiler, self._types)

    def model(self) -> DecisionModel:
        root = self._root
        self._check_whole()
        decisions = [self._decision(e) for e in children(root, "decision")]
        inputs = [self._input(e) for e in children(root, "inputData")]
        knowledge = [self._knowledge(e) for e in children(root, "businessKnowledgeModel")]
        services = [_service(e) for e in children(root, "decisionService")]
        if not decisions:
            self._findings.error(
                self._place, "no-decision", "文件中没有决策。", "The file has no decision."
            )
        known = {e.id for e in decisions} | {e.id for e in inputs}
        known |= {e.id for e in knowledge} | {e.id for e in services}
        check_requirements((*decisions, *knowledge), known, self._place, self._findings)
        return DecisionModel(
            name=root.get("name", ""),
            decisions_by_id={e.id: e for e in decisions},
            inputs_by_id={e.id: e for e in inputs},
            knowledge_by_id={e.id: e for e in knowledge},
            services_by_id={e.id: e for e in services},
            types=self._types,
            findings=tuple(self._findings.found),
            file=self._file,
        )

    def _check_whole(self) -> None:
        if not is_feel(attribute(self._root, "expressionLanguage")):
            self._findings.error(
                self._place,
                "not-feel",
                "整个文件的表达式语言不是 FEEL。",
                "The file's expression language is not FEEL.",
            )
        for element in children(self._root, "import"):
            self._findings.error(
                self._place.at(f"import {element.get('name', '')}"),
                "import",
                "不支持导入其他模型。",
                "Importing other models is not supported.",
                ("请把所需的决策放进同一个文件。", "Put the decisions needed into one file."),
            )

    def _decision(self, element: etree._Element) -> Decision:
        name = canonical(element.get("name") or element.get("id", ""))
        type_ref = type_of(element)
        return Decision(
            element.get("id", name),
            name,
            variable_name(element),
            self._reader.logic_in(element, self._place.at(name)),
            _requirements(element),
            self._types.of(type_ref),
            type_ref,
        )

    def _input(self, element: etree._Element) -> InputData:
        name, type_ref = variable_name(element), type_of(element)
        return InputData(element.get("id", name), name, self._types.of(type_ref), type_ref)

    def _knowledge(self, element: etree._Element) -> Knowledge:
        name = variable_name(element)
        place = self._place.at(name)
        logic = child(element, "encapsulatedLogic")
        function = (
            Function((), Nothing(), self._types, name)
            if logic is None
            else self._reader.function(logic, place, name)
        )
        return Knowledge(element.get("id", name), name, function, _requirements(element))


def _service(element: etree._Element) -> Service:
    name = variable_name(element)
    return Service(
        element.get("id", name),
        name,
        tuple(reference(e) for e in children(element, "outputDecision")),
        tuple(reference(e) for e in children(element, "inputDecision")),
        tuple(reference(e) for e in children(element, "inputData")),
    )


def _requirements(element: etree._Element) -> Requirements:
    found: dict[str, list[str]] = {"requiredInput": [], "requiredDecision": []}
    found["requiredKnowledge"] = []
    for requirement in children(element, "informationRequirement", "knowledgeRequirement"):
        for target in children(requirement, *found):
            found[local_name(target)].append(reference(target))
    return Requirements(*(tuple(ids) for ids in found.values()))


def item_types(root: etree._Element, compiler: Compiler, place: Place) -> dict[str, ItemType]:
    """Return the types a file defines, by name."""
    return {
        name: _item_type(element, compiler, place.at(f"type {name}"), 0)
        for element in children(root, "itemDefinition")
        if (name := element.get("name", "").strip())
    }


def _item_type(element: etree._Element, compiler: Compiler, place: Place, depth: int) -> ItemType:
    base = child(element, "typeRef")
    allowed = child(element, "allowedValues", "typeConstraint")
    components = children(element, "itemComponent") if depth < _MAX_TYPE_DEPTH else iter(())
    return ItemType(
        element.get("name", ""),
        (base.text or "").strip().removeprefix("feel:") if base is not None else "",
        tuple(
            (canonical(c.get("name", "")), _item_type(c, compiler, place, depth + 1))
            for c in components
        ),
        element.get("isCollection") == "true",
        text_in(allowed) if allowed is not None else "",
        compiler.tests(text_in(allowed), place) if allowed is not None else None,
        allowed is not None and local_name(allowed) == "typeConstraint",
    )

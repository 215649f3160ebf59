"""From XML to boxed logic."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from shared.feel.names import canonical

from .boxed import (
    Conditional,
    Context,
    Entry,
    Filter,
    Function,
    Invocation,
    Iteration,
    Listing,
    Literal,
    Nothing,
    Parameter,
    Relation,
)
from .naming import own_names, type_of, variable_name
from .reading_table import TableReader
from .xml import attribute, child, children, is_feel, local_name, text_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml import etree

    from .compiling import Compiler
    from .findings import Place
    from .frame import Logic
    from .types import Types

_LOGIC = (
    "literalExpression",
    "decisionTable",
    "context",
    "invocation",
    "list",
    "relation",
    "functionDefinition",
    "conditional",
    "filter",
    "for",
    "every",
    "some",
)


class LogicReader:
    """Reads boxed logic; problems go to the compiler's findings."""

    def __init__(self, compiler: Compiler, types: Types) -> None:
        """Read with a compiler that knows the model's names, and its types."""
        self._compiler = compiler
        self._findings = compiler.findings
        self._types = types

    def logic_in(self, element: etree._Element, place: Place) -> Logic:
        """Return the logic directly inside an element, Nothing when there is none."""
        found = child(element, *_LOGIC)
        if found is None:
            self._findings.error(
                place,
                "no-logic",
                "没有决策逻辑。",
                "There is no decision logic.",
                ("请添加决策表或 FEEL 表达式。", "Add a decision table or a FEEL expression."),
            )
            return Nothing()
        return self.logic(found, place)

    def logic(self, element: etree._Element, place: Place) -> Logic:
        """Return the logic an element is."""
        readers: dict[str, Callable[[etree._Element, Place], Logic]] = {
            "literalExpression": self._literal,
            "decisionTable": self._table,
            "context": self._context,
            "invocation": self._invocation,
            "list": self._listing,
            "relation": self._relation,
            "functionDefinition": self.function,
            "conditional": self._conditional,
            "filter": self._filter,
            "for": self._iteration,
            "every": self._iteration,
            "some": self._iteration,
        }
        return readers[local_name(element)](element, place)

    def _literal(self, element: etree._Element, place: Place) -> Logic:
        if not self.speaks_feel(element, place):
            return Nothing()
        return Literal(self._compiler.expression(text_in(element), place))

    def speaks_feel(self, element: etree._Element, place: Place) -> bool:
        """Return whether an expression is FEEL; note an error when it is not."""
        language = attribute(element, "expressionLanguage")
        if is_feel(language):
            return True
        self._findings.error(
            place,
            "not-feel",
            f"表达式语言 {language!r} 不受支持。",
            f"The expression language {language!r} is not supported.",
            ("请改写为 FEEL。", "Write it in FEEL."),
        )
        return False

    def _table(self, element: etree._Element, place: Place) -> Logic:
        return TableReader(self._compiler, self._types).read(element, place)

    def _context(self, element: etree._Element, place: Place) -> Logic:
        entries = []
        for entry in children(element, "contextEntry"):
            name = variable_name(entry) if child(entry, "variable") is not None else ""
            inner = place.at(f"context {name or 'result'}")
            kind = self._types.of(type_of(entry))
            entries.append(Entry(name, self.logic_in(entry, inner), kind))
        return Context(tuple(entries), self._types)

    def _invocation(self, element: etree._Element, place: Place) -> Logic:
        bindings = []
        for binding in children(element, "binding"):
            name = canonical(attribute(child(binding, "parameter"), "name"))
            found = child(binding, *_LOGIC)
            logic = self.logic(found, place.at(name)) if found is not None else Nothing()
            bindings.append((name, logic))
        return Invocation(self.logic_in(element, place), tuple(bindings))

    def _listing(self, element: etree._Element, place: Place) -> Logic:
        items = children(element, *_LOGIC)
        return Listing(
            tuple(self.logic(item, place.at(f"item {n}")) for n, item in enumerate(items, start=1))
        )

    def _relation(self, element: etree._Element, place: Place) -> Logic:
        columns = tuple(canonical(c.get("name", "")) for c in children(element, "column"))
        rows = []
        for number, row in enumerate(children(element, "row"), start=1):
            inner = place.at(f"row {number}")
            rows.append(tuple(self.logic(cell, inner) for cell in children(row, *_LOGIC)))
        return Relation(columns, tuple(rows))

    def function(self, element: etree._Element, place: Place, name: str = "function") -> Function:
        """Return the function a functionDefinition or encapsulatedLogic is."""
        compiler = replace(self._compiler, names=self._compiler.names | own_names(element))
        inner = LogicReader(compiler, self._types)
        parameters = tuple(
            Parameter(canonical(p.get("name", "")), self._types.of(p.get("typeRef", "")))
            for p in children(element, "formalParameter")
        )
        body: Logic = Nothing()
        kind = element.get("kind", "FEEL")
        if kind != "FEEL":
            self._findings.error(
                place,
                "external-function",
                f"函数类型 {kind} 会运行外部代码，不受支持。",
                f"A function of kind {kind} would run foreign code and is not supported.",
                ("请用 FEEL 编写函数。", "Write the function in FEEL."),
            )
        else:
            body = inner.logic_in(element, place)
        return Function(parameters, body, self._types, name)

    def _conditional(self, element: etree._Element, place: Place) -> Logic:
        condition, then, otherwise = (
            self._part(element, name, place) for name in ("if", "then", "else")
        )
        return Conditional(condition, then, otherwise)

    def _part(self, element: etree._Element, name: str, place: Place) -> Logic:
        found = child(element, name)
        return Nothing() if found is None else self.logic_in(found, place.at(name))

    def _filter(self, element: etree._Element, place: Place) -> Logic:
        return Filter(self._part(element, "in", place), self._part(element, "match", place))

    def _iteration(self, element: etree._Element, place: Place) -> Logic:
        kind = local_name(element)
        body = "return" if kind == "for" else "satisfies"
        variable = canonical(element.get("iteratorVariable", ""))
        source, inner = self._part(element, "in", place), self._part(element, body, place)
        return Iteration(kind, variable, source, inner)

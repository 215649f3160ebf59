"""All names a file of decisions introduces, so that those with spaces are recognised in FEEL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.feel.names import canonical, declared_names

from .xml import child, children, local_name, text_in

if TYPE_CHECKING:
    from lxml import etree

_NAMED = frozenset(
    {
        "decision",
        "inputData",
        "businessKnowledgeModel",
        "decisionService",
        "variable",
        "itemComponent",
        "output",
        "column",
        "import",
    }
)


def names_in(root: etree._Element) -> frozenset[str]:
    """Return the names of elements, variables, fields, columns, and keys of FEEL contexts.

    Parameters of functions are known within their function only (`own_names`); a name with a dot
    would elsewhere hide a path.
    """
    names: set[str] = set()
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        kind = local_name(element)
        if kind in _NAMED and "." not in element.get("name", "."):
            names.add(canonical(element.get("name", "")))
        elif kind == "for":
            names.add(canonical(element.get("iteratorVariable", "")))
        elif kind == "text":
            names |= declared_names(element.text or "")
    return frozenset(names - {""})


def own_names(function: etree._Element) -> frozenset[str]:
    """Return the names of a function's parameters."""
    found = (canonical(p.get("name", "")) for p in children(function, "formalParameter"))
    return frozenset(found) - {""}


def variable_name(element: etree._Element) -> str:
    """Return the name under which an element's value is known."""
    variable = child(element, "variable")
    name = variable.get("name") if variable is not None else None
    return canonical(name or element.get("name", "") or element.get("id", ""))


def type_of(element: etree._Element | None) -> str:
    """Return the typeRef of an element's variable."""
    variable = child(element, "variable")
    return variable.get("typeRef", "") if variable is not None else ""


def input_names(table: etree._Element) -> frozenset[str]:
    """Return the plain names that a table's columns ask for (Camunda draws no input data)."""
    names = set()
    for column in children(table, "input"):
        text = canonical(text_in(child(column, "inputExpression")))
        if text and all(word.isidentifier() for word in text.split(" ")):
            names.add(text)
    return frozenset(names)

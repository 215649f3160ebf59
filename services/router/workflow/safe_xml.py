"""Reading XML that strangers wrote: bounded, no DTD, no entities, no network, no comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from shared.definitions.limits import MAX_CONTENT_BYTES

if TYPE_CHECKING:
    from .findings import Findings

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
_ENCODINGS = frozenset({"UTF-8", "UTF8", "US-ASCII", "ASCII"})
#: Attributes of one element; BPMN and the extensions know twenty.
MAX_ATTRIBUTES = 100
ZEEBE = "http://camunda.org/schema/zeebe/1.0"


def parse(xml: bytes, findings: Findings) -> Any | None:
    """Return the root element of a BPMN file, or None after saying what is wrong with it."""
    if len(xml) > MAX_CONTENT_BYTES:
        findings.add("", "file-too-big", size=len(xml), limit=MAX_CONTENT_BYTES)
        return None
    try:
        xml.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        findings.add("", "file-not-utf-8", at=problem.start)
        return None
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        findings.add("", "file-not-xml", problem=str(problem))
        return None
    found = root.getroottree().docinfo
    if found.doctype or found.internalDTD is not None:
        findings.add("", "file-has-dtd")
        return None
    if (found.encoding or "UTF-8").upper() not in _ENCODINGS:
        # What was released so runs on, names garbled as they were.
        with findings.younger():
            findings.add("", "file-encoding", encoding=str(found.encoding)[:40])
    crowded = next((e for e in root.iter() if len(e.attrib) > MAX_ATTRIBUTES), None)
    if crowded is not None:
        findings.add("", "too-many-attributes", tag=local(crowded), limit=MAX_ATTRIBUTES)
        return None
    if root.tag != f"{{{BPMN}}}definitions":
        findings.add("", "file-not-bpmn", tag=root.tag)
        return None
    return root


def local(element: Any) -> str:
    """Return an element's tag without its namespace."""
    return str(etree.QName(element).localname)


def namespace(element: Any) -> str:
    """Return an element's namespace."""
    return str(etree.QName(element).namespace or "")


def children(element: Any, name: str) -> list[Any]:
    """Return the BPMN children of that name."""
    return list(element.findall(f"{{{BPMN}}}{name}"))


def is_true(element: Any, name: str, *, unsaid: bool = False) -> bool:
    """Return a truth an attribute states; XML writes it as true or 1 (xsd:boolean)."""
    value = element.get(name)
    return unsaid if value is None else value.strip() in ("true", "1")


def text_of(element: Any | None) -> str:
    """Return an element's text, trimmed; "" when there is none."""
    return "" if element is None else (element.text or "").strip()

"""Reading XML that strangers wrote: no entities, no network, no DTD, bounded size."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The largest public DMN file we know has 160 kB; a table of 10,000 rules has about 6 MB.
MAX_BYTES = 8_000_000
_ENCODINGS = frozenset({"UTF-8", "UTF8", "UTF-16", "US-ASCII", "ASCII"})
_MODEL = re.compile(r"https?://www\.omg\.org/spec/DMN/(\d{8})/(?:MODEL/?|dmn\.xsd)")
_FEEL = re.compile(r"feel|https?://www\.omg\.org/spec/(?:FEEL/\d{8}|DMN/\d{8}/FEEL)/?", re.I)


class UnreadableXml(ValueError):
    """The bytes are no XML we accept; the arguments are a rule and what to say (zh-CN, en)."""


def parse(xml: bytes) -> etree._Element:
    """Return the root of a DMN file without comments and instructions; raise UnreadableXml."""
    if len(xml) > MAX_BYTES:
        raise UnreadableXml(
            "too-large",
            f"文件超过 {MAX_BYTES} 字节。",
            f"The file is larger than {MAX_BYTES} bytes.",
        )
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
    except etree.XMLSyntaxError as error:
        raise UnreadableXml("xml", f"不是合法的 XML：{error}", f"Not XML: {error}") from error
    info = root.getroottree().docinfo
    if info.doctype or info.internalDTD is not None:
        raise UnreadableXml("dtd", "不允许 DTD 或实体声明。", "DTDs and entities are not allowed.")
    if (info.encoding or "UTF-8").upper() not in _ENCODINGS:
        raise UnreadableXml(
            "encoding",
            f"文件声明的编码是 {info.encoding}；请另存为 UTF-8。",
            f"The file says it is {info.encoding}; save it as UTF-8.",
        )
    if local_name(root) != "definitions" or not _MODEL.fullmatch(namespace(root)):
        raise UnreadableXml(
            "not-dmn", "不是 DMN 1.1 至 1.6 的文件。", "This is no DMN file of version 1.1 to 1.6."
        )
    return root


def local_name(element: etree._Element) -> str:
    """Return an element's name without its namespace."""
    return str(etree.QName(element).localname)


def namespace(element: etree._Element) -> str:
    """Return an element's namespace, the empty text for none."""
    return etree.QName(element).namespace or ""


def children(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Yield the DMN elements of these names (all without names) directly inside another."""
    space = namespace(element)
    for child in element:
        is_own = isinstance(child.tag, str) and namespace(child) == space
        if is_own and (not names or local_name(child) in names):
            yield child


def child(element: etree._Element | None, *names: str) -> etree._Element | None:
    """Return the first of them, None for none."""
    return None if element is None else next(children(element, *names), None)


def text_in(element: etree._Element | None) -> str:
    """Return what stands in the `text` of an expression or cell."""
    found = child(element, "text")
    return "" if found is None else (found.text or "")


def attribute(element: etree._Element | None, name: str) -> str:
    """Return an attribute, the empty text for none."""
    return "" if element is None else str(element.get(name, ""))


def is_feel(language: str) -> bool:
    """Return whether an expressionLanguage names FEEL (none at all means FEEL)."""
    return not language or _FEEL.fullmatch(language.strip()) is not None


def reference(element: etree._Element) -> str:
    """Return the id an href points at within the file."""
    return str(element.get("href", "")).rpartition("#")[2]

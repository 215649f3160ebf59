"""Rows of one table of targets put into another, and taken out again; nothing else changes.

A pack is a table with the same headings. Its rows keep their ids, so that they are found again;
headings the other table lacks are added, empty in the rows that are there already.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, ClassVar

from lxml import etree

from shared.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

DECISION = "targets"
_SELF_CLOSING = re.compile(r"<([^<>]*[^<>\s/])/>")
#: What a row says where it says nothing, by the type of the output.
_EMPTY = {"string": '""', "boolean": "null", "number": "null"}


class NotTargets(Invalid):
    """{file} holds no decision table of targets: {reason}."""

    zh: ClassVar[str] = "{file} 中没有时限目标决策表：{reason}。"


class Merging:
    """One DMN file with a table of targets, as XML that keeps what it does not understand."""

    def __init__(self, content: bytes, file: str, decision: str = DECISION) -> None:
        """Raises `NotTargets`."""
        self.file = file
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        try:
            self._root = etree.fromstring(content, parser)
        except etree.XMLSyntaxError as error:
            raise NotTargets(file=file, reason=str(error)) from None
        if self._root.getroottree().docinfo.doctype:
            raise NotTargets(file=file, reason="DTD")
        self._spaced = b" />" in content
        found = [d for d in self._all(self._root, "decision") if d.get("id") == decision]
        tables = self._all(found[0], "decisionTable") if found else []
        if not tables:
            raise NotTargets(file=file, reason=f"decision {decision!r} is no table")
        self._decision, self._table = found[0], tables[0]

    @property
    def title(self) -> str:
        """What people call the table."""
        return str(self._decision.get("name", self._decision.get("id", "")))

    @property
    def rules(self) -> list[str]:
        """The ids of the rows, in their order."""
        return [rule.get("id", "") for rule in self._all(self._table, "rule")]

    def described(self) -> list[tuple[str, str]]:
        """Return each row's id and what people wrote beside it."""
        found = []
        for rule in self._all(self._table, "rule"):
            words = self._all(rule, "description")
            found.append((rule.get("id", ""), (words[0].text or "").strip() if words else ""))
        return found

    def add(self, pack: Merging) -> list[str]:
        """Put the pack's rows behind those that are here; return the ids of new ones."""
        known = set(self.rules)
        self._take_headings(pack, "input")
        self._take_headings(pack, "output")
        added = []
        for rule in self._all(pack._table, "rule"):
            if rule.get("id") not in known:
                self._append(self._in_my_columns(pack, rule))
                added.append(rule.get("id", ""))
        return added

    def remove(self, rules: Sequence[str]) -> list[str]:
        """Take rows out by their ids; return those that were here."""
        gone = []
        for rule in self._all(self._table, "rule"):
            if rule.get("id") in rules:
                before = rule.getprevious()
                # The line break before it goes with it, so that nothing else looks changed.
                if before is not None:
                    before.tail = rule.tail
                self._table.remove(rule)
                gone.append(rule.get("id", ""))
        return gone

    def to_bytes(self) -> bytes:
        """Return the file."""
        body = etree.tostring(self._root, encoding="unicode")
        if self._spaced:
            body = _SELF_CLOSING.sub(r"<\1 />", body)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()

    # ---- columns -------------------------------------------------------------------------------

    def _headings(self, kind: str) -> list[str]:
        """Return what the columns ask or say: an input by its expression, an output by its name."""
        if kind == "output":
            return [column.get("name", "") for column in self._all(self._table, "output")]
        texts = [self._all(column, "text") for column in self._all(self._table, "input")]
        return [(found[0].text or "").strip() if found else "" for found in texts]

    def _take_headings(self, pack: Merging, kind: str) -> None:
        mine, theirs = self._headings(kind), pack._headings(kind)
        for place, heading in enumerate(theirs):
            if heading in mine:
                continue
            column = deepcopy(self._all(pack._table, kind)[place])
            name = f"{self._table.getparent().get('id')}_{kind}_{heading}"
            for number, element in enumerate(column.iter()):
                if element.get("id"):
                    element.set("id", name if number == 0 else f"{name}_{number}")
            _behind(self._all(self._table, kind)[-1], column)
            empty = _empty(kind, column)
            for rule in self._all(self._table, "rule"):
                self._extend(rule, kind, heading, empty)
            mine.append(heading)

    def _extend(self, rule: etree._Element, kind: str, heading: str, text: str) -> None:
        cells = self._all(rule, f"{kind}Entry")
        cell = deepcopy(cells[-1])
        cell.set("id", f"{rule.get('id')}_{kind}_{heading}")
        self._all(cell, "text")[0].text = text
        _behind(cells[-1], cell)

    def _in_my_columns(self, pack: Merging, rule: etree._Element) -> etree._Element:
        made = deepcopy(rule)
        for kind in ("input", "output"):
            theirs = pack._headings(kind)
            cells = self._all(made, f"{kind}Entry")
            by_heading = dict(zip(theirs, cells, strict=True))
            spare, place = cells[0], made.index(cells[0])
            tails = (spare.tail, cells[-1].tail)
            for cell in cells:
                made.remove(cell)
            ordered = []
            for heading, column in zip(
                self._headings(kind), self._all(self._table, kind), strict=True
            ):
                cell = by_heading.get(heading)
                if cell is None:
                    cell = deepcopy(spare)
                    cell.set("id", f"{rule.get('id')}_{kind}_{heading}")
                    empty = _empty(kind, column)
                    self._all(cell, "text")[0].text = empty
                cell.tail = tails[0]
                ordered.append(cell)
            ordered[-1].tail = tails[1]
            for offset, cell in enumerate(ordered):
                made.insert(place + offset, cell)
        return made

    def _append(self, rule: etree._Element) -> None:
        rules = self._all(self._table, "rule")
        anchor = rules[-1] if rules else self._all(self._table, "output")[-1]
        _behind(anchor, rule)

    @staticmethod
    def _all(element: etree._Element, name: str) -> list[etree._Element]:
        """Return the elements of a name: children, or for a whole file and a cell any below."""
        depth = ".//" if name in ("decision", "text") else "./"
        return list(element.iterfind(f"{depth}{{*}}{name}"))


def _empty(kind: str, column: etree._Element) -> str:
    return "-" if kind == "input" else _EMPTY.get(column.get("typeRef", ""), "null")


def _behind(anchor: etree._Element, new: etree._Element) -> None:
    """Put an element behind another, the white space as it is between its neighbours."""
    parent = anchor.getparent()
    assert parent is not None
    before = anchor.getprevious()
    between = before.tail if before is not None and before.tag == anchor.tag else anchor.tail
    new.tail = anchor.tail
    anchor.tail = between
    parent.insert(parent.index(anchor) + 1, new)

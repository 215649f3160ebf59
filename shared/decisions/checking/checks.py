"""Overlaps, gaps, rules that never apply, and cells of the wrong type.

A table is cut into boxes over which every cell answers alike, column by column; each box is
asked which rules match in it. Only cells that compare with constants can be cut this way; a table
with others is said to be unchecked rather than passed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from shared.decisions.cuts import texts_of
from shared.decisions.findings import Findings, Place
from shared.decisions.table import DecisionTable
from shared.feel import Run
from shared.feel.scope import ValueScope
from shared.feel.types import SPELLINGS
from shared.feel.values import equal, kind_of

from .samples import OTHER_TEXT, Sample, constants_in, is_ordering, samples

if TYPE_CHECKING:
    from shared.decisions.model import DecisionModel
    from shared.decisions.table import Column, Rule
    from shared.errors import Finding
    from shared.feel import UnaryTests

#: Boxes looked at before a table is called too large; a few seconds at most.
MAX_BOXES = 20_000
#: Cells asked before a table is called too large: a table of 1,000 numbers in one column asks two
#: million, one of 20,000 would ask for minutes.
MAX_ASKED = 2_200_000
MAX_RULES = 2_000
#: Findings of one kind shown for one table.
MAX_SHOWN = 20


#: An input that is missing: rules may take it, and no rule has to.
MISSING = Sample(None, "null")


class _TooLarge(Exception):
    """The table has more boxes than we look at."""


def check_model(model: DecisionModel) -> tuple[Finding, ...]:
    """Check every decision table of a model."""
    findings: list[Finding] = []
    logics = [decision.logic for decision in model.decisions_by_id.values()]
    logics += [knowledge.function.body for knowledge in model.knowledge_by_id.values()]
    for logic in logics:
        if isinstance(logic, DecisionTable):
            findings += check_table(logic, file=model.file)
    return tuple(findings)


def check_table(table: DecisionTable, *, file: str = "") -> tuple[Finding, ...]:
    """Return what is odd about a table, each with its rules.

    Errors: cells of a type the column cannot have, rules of a UNIQUE table that overlap, rules
    of an ANY table that overlap with other results. Warnings: inputs no rule covers, rules that
    never apply. `info`: gaps between neighbouring whole numbers, and tables that cannot be
    checked.
    """
    findings = Findings()
    place = Place((file, table.name) if file else (table.name,))
    _check_types(table, place, findings)
    open_columns = _open_columns(table)
    if open_columns:
        shown = ", ".join(table.columns[at].label for at in open_columns)
        findings.info(
            place,
            "unchecked",
            f"列 {shown} 与其他变量比较，无法检查重叠和缺口。",
            f"The columns {shown} compare with other variables; overlaps and gaps are unchecked.",
        )
    elif len(table.rules) > MAX_RULES:
        _tell_too_large(place, findings)
    elif not findings.errors:
        _check_boxes(table, place, findings)
    return tuple(findings.found)


def _open_columns(table: DecisionTable) -> list[int]:
    return sorted({at for rule in table.rules for at, test in rule.tests if test.names})


def _check_types(table: DecisionTable, place: Place, findings: Findings) -> None:
    for rule in table.rules:
        where = place.at(f"rule {rule.number}")
        for at, test in rule.tests:
            column = table.columns[at]
            wanted = _simple_type(table, column.type_ref)
            for value in constants_in(test):
                if wanted and kind_of(value) != wanted and not _is_readable(value, wanted):
                    findings.error(
                        where.at(f"input {at + 1} {column.label!r}"),
                        "wrong-type",
                        f"{test.text!r} 是 {kind_of(value)}，而该列是 {column.type_ref}。",
                        f"{test.text!r} is a {kind_of(value)}, the column a {column.type_ref}.",
                    )
        _check_outputs(table, rule, where, findings)
    _check_mixture(table, place, findings)


def _check_mixture(table: DecisionTable, place: Place, findings: Findings) -> None:
    """A column without a type whose cells compare with texts here and numbers there."""
    for at, column in enumerate(table.columns):
        tests = [test for rule in table.rules for n, test in rule.tests if n == at]
        kinds = sorted({kind_of(value) for test in tests for value in constants_in(test)})
        if len(kinds) > 1 and _simple_type(table, column.type_ref) is None:
            shown = ", ".join(kinds)
            findings.warning(
                place.at(f"input {at + 1} {column.label!r}"),
                "mixed-types",
                f"同一列的单元格类型不一：{shown}。",
                f"The cells of this column are of several types: {shown}.",
            )


def _simple_type(table: DecisionTable, type_ref: str) -> str | None:
    """Return the FEEL type a typeRef comes down to, None when that cannot be told."""
    kind = table.types.of(type_ref)
    if kind is None or kind.is_collection or kind.fields:
        return None
    return SPELLINGS.get(kind.base)


def _is_readable(value: object, wanted: str) -> bool:
    """A cell of a boolean column may be a condition of its own; functions are no constants."""
    return kind_of(value) == "boolean" or wanted in ("list", "context")


def _check_outputs(table: DecisionTable, rule: Rule, where: Place, findings: Findings) -> None:
    for at, (cell, output) in enumerate(zip(rule.outputs, table.outputs, strict=True)):
        wanted = _simple_type(table, output.type_ref)
        literal = cell.tree.value if cell.tree.kind == "literal" else None
        if wanted and literal is not None and kind_of(literal) != wanted:
            findings.warning(
                where.at(f"output {at + 1} {output.name!r}"),
                "wrong-type",
                f"{cell.text!r} 是 {kind_of(literal)}，而该列是 {output.type_ref}。",
                f"{cell.text!r} is a {kind_of(literal)}, the column a {output.type_ref}.",
            )


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cell with what is asked of it often: its constants, and its texts if it is only these."""

    test: UnaryTests
    constants: tuple[object, ...]
    texts: frozenset[str] | None
    is_ordering: bool

    def accepts(self, value: object) -> bool:
        """Return whether an input passes."""
        if self.texts is not None:
            return isinstance(value, str) and value in self.texts
        return self.test.run(Run(), ValueScope({}), value) is True


class _Boxes:
    """What the boxes showed: overlapping pairs, gaps, and the rules that apply somewhere."""

    def __init__(self, table: DecisionTable) -> None:
        """Prepare the cells of a table."""
        self._table = table
        self._cells = {
            (rule.number, at): _Cell(
                test, tuple(constants_in(test)), texts_of(test), is_ordering(test)
            )
            for rule in table.rules
            for at, test in rule.tests
        }
        self._listed = [_listed_values(column) for column in table.columns]
        self._seen: set[tuple[int, tuple[int, ...]]] = set()
        self._count = 0
        self._asked = 0
        self.overlaps: dict[tuple[int, int], str] = {}
        self.gaps: dict[str, bool] = {}
        self.applying: set[int] = set()

    def cut(self, column: int, rules: tuple[int, ...], box: tuple[Sample, ...]) -> None:
        """Cut the rest of the columns for the rules (by number) that are still possible."""
        if not rules or column == len(self._table.columns):
            self._note(rules, box)
            return
        if (column, rules) in self._seen:
            return
        self._seen.add((column, rules))
        cells = {number: self._cells.get((number, column)) for number in rules}
        for sample in self._samples(column, cells):
            self._asked += len(cells)
            if self._asked > MAX_ASKED:
                raise _TooLarge
            left = (n for n, cell in cells.items() if cell is None or cell.accepts(sample.value))
            self.cut(column + 1, tuple(left), (*box, sample))

    def _samples(self, column: int, cells: dict[int, _Cell | None]) -> list[Sample]:
        told = [cell for cell in cells.values() if cell]
        constants = (c for cell in told for c in cell.constants)
        is_ordered = any(cell.is_ordering for cell in told)
        found = samples(constants, self._listed[column], is_ordered=is_ordered)
        if not found:
            # Nothing is compared with but null, if that: whatever is given is like any other.
            return [Sample(OTHER_TEXT, ""), MISSING] if told else [Sample(None, "")]
        # A missing input; where no cell takes it, it leads nowhere but to rules that ask nothing.
        is_asked = len(told) < len(cells) and self._table.hit_policy == "FIRST"
        if not self._listed[column] and (is_asked or any(cell.accepts(None) for cell in told)):
            found.append(MISSING)
        return found

    def _note(self, rules: tuple[int, ...], box: tuple[Sample, ...]) -> None:
        self._count += 1 + len(rules)
        if self._count > MAX_BOXES:
            raise _TooLarge
        self.applying.update(rules[:1] if self._table.hit_policy == "FIRST" else rules)
        if not rules and MISSING not in box:
            where = self._shown(box)
            is_minor = any(sample.is_between_integers for sample in box)
            self.gaps[where] = self.gaps.get(where, True) and is_minor
        for pair in combinations(rules[: MAX_SHOWN + 1], 2):
            if pair not in self.overlaps:
                self.overlaps[pair] = self._shown(box)

    def _shown(self, box: tuple[Sample, ...]) -> str:
        columns = zip(self._table.columns, box, strict=False)
        return ", ".join(
            f"{column.label} {sample.label}" for column, sample in columns if sample.label
        )


def _listed_values(column: Column) -> tuple[object, ...]:
    """Return the only values a column may have, when they are listed one by one."""
    if column.allowed is None or not _is_list(column.allowed.tree.parts):
        return ()
    return tuple(constants_in(column.allowed))


def _is_list(parts: object) -> bool:
    """Whether allowed values are listed one by one, not as ranges."""
    waiting = list(parts) if isinstance(parts, tuple) else []
    while waiting:
        part = waiting.pop()
        if part.kind not in ("tests", "literal"):
            return False
        waiting += part.parts
    return True


def _check_boxes(table: DecisionTable, place: Place, findings: Findings) -> None:
    boxes = _Boxes(table)
    try:
        boxes.cut(0, tuple(rule.number for rule in table.rules), ())
    except _TooLarge:
        _tell_too_large(place, findings)
        return
    _tell_overlaps(table, boxes, place, findings)
    _tell_gaps(table, boxes, place, findings)
    for rule in table.rules:
        if rule.number not in boxes.applying:
            findings.warning(
                place.at(f"rule {rule.number}"),
                "unreachable",
                "该规则永远不会生效。",
                "This rule never applies.",
                ("请删除该规则或调整条件与顺序。", "Remove it, or change its conditions or order."),
            )


def _tell_too_large(place: Place, findings: Findings) -> None:
    findings.info(
        place,
        "unchecked",
        "决策表过大，组合过多，未检查重叠和缺口。",
        "The table is too large, its combinations too many; overlaps and gaps unchecked.",
    )


def _tell_overlaps(table: DecisionTable, boxes: _Boxes, place: Place, findings: Findings) -> None:
    if table.hit_policy not in ("UNIQUE", "ANY"):
        return
    by_number = {rule.number: rule for rule in table.rules}
    told = 0
    for (first, second), where in sorted(boxes.overlaps.items()):
        if table.hit_policy == "ANY" and _same_results(by_number[first], by_number[second]):
            continue
        told += 1
        if told > MAX_SHOWN:
            break
        findings.error(
            place.at(f"rules {first} and {second}"),
            "overlap",
            f"规则 {first} 与 {second} 在 {where or '任何输入'} 时同时命中。",
            f"The rules {first} and {second} both match when {where or 'anything is given'}.",
            ("请收窄其中一条，或更改命中策略。", "Narrow one of them, or change the hit policy."),
        )


def _same_results(first: Rule, second: Rule) -> bool:
    """Whether two rules surely give the same: the same text, or equal constants."""
    for a, b in zip(first.outputs, second.outputs, strict=True):
        if a.text == b.text:
            continue
        if a.tree.kind != "literal" or b.tree.kind != "literal":
            return False
        if equal(a.tree.value, b.tree.value, lambda steps: None) is not True:
            return False
    return True


def _tell_gaps(table: DecisionTable, boxes: _Boxes, place: Place, findings: Findings) -> None:
    if any(output.default is not None for output in table.outputs):
        return
    for where, is_minor in list(boxes.gaps.items())[:MAX_SHOWN]:
        tell = findings.info if is_minor else findings.warning
        tell(
            place,
            "gap",
            f"{where or '任何输入'} 时没有规则命中。",
            f"No rule matches when {where or 'anything is given'}.",
            ("请补充规则或默认输出。", "Add a rule, or a default output."),
        )

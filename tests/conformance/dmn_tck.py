"""Runs cases of the DMN TCK: `python -m tests.conformance.dmn_tck DIR`.

A folder of cases holds models (`*.dmn`) and beside each its expectations (`*-test-*.xml`). Every
result node counts once. Numbers compare to 1e-8; an expected error counts as null.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from shared.decisions import DecisionsRefused, load_decisions
from shared.errors import LeveeError
from shared.feel import Run
from shared.feel.builtins import BUILTINS
from shared.feel.temporal_text import (
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from shared.decisions import DecisionModel

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_CLOSE = Decimal("1E-8")


@dataclass(frozen=True)
class Outcome:
    """How one expectation went: passed, failed or skipped, and what was seen."""

    case: str
    node: str
    verdict: str
    seen: str = ""


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [e for e in element if isinstance(e.tag, str) and etree.QName(e).localname == name]


def _value(element: etree._Element) -> object:
    """Return the value that an inputNode, component, item or expected element holds."""
    if element.get(f"{_XSI}nil") == "true":
        return None
    components = _children(element, "component")
    if components:
        return {c.get("name", ""): _value(c) for c in components}
    for listed in _children(element, "list"):
        if listed.get(f"{_XSI}nil") == "true":
            return None
        return [_value(item) for item in _children(listed, "item")]
    for value in _children(element, "value"):
        return _scalar(value)
    return None


_TEMPORAL: dict[str, Callable[[str], object]] = {
    "date": parse_date,
    "time": parse_time,
    "dateTime": parse_date_time,
    "duration": parse_duration,
    "dayTimeDuration": parse_duration,
    "yearMonthDuration": parse_duration,
}
_NUMERIC = frozenset({"double", "decimal", "integer", "int", "long", "float"})


def _scalar(element: etree._Element) -> object:
    if element.get(f"{_XSI}nil") == "true":
        return None
    kind = str(element.get(f"{_XSI}type", "")).rpartition(":")[2]
    text = str(element.text or "")
    if kind in _TEMPORAL:
        return _TEMPORAL[kind](text.strip())
    if kind == "boolean":
        return text.strip() == "true"
    if kind in _NUMERIC:
        number = Decimal(text.strip())
        return number if number.is_finite() else None
    return text


def _same(expected: object, seen: object) -> bool:
    if isinstance(expected, Decimal) and isinstance(seen, Decimal):
        return abs(expected - seen) <= _CLOSE
    if isinstance(expected, list) and isinstance(seen, list):
        return len(expected) == len(seen) and all(map(_same, expected, seen))
    if isinstance(expected, dict) and isinstance(seen, dict):
        return expected.keys() == seen.keys() and all(_same(expected[k], seen[k]) for k in expected)
    return type(expected) is type(seen) and (expected == seen or _is_equal(expected, seen))


def _is_equal(expected: object, seen: object) -> bool:
    return BUILTINS["is"](Run(), (expected, seen)) is True


def _load(path: Path) -> DecisionModel:
    xml = path.read_bytes()
    try:
        return load_decisions(xml, file=path.name)
    except DecisionsRefused:
        # Many cases expect null of an expression that does not compile.
        return load_decisions(xml, file=path.name, is_strict=False)


def run_file(test_file: Path) -> Iterator[Outcome]:
    """Run one file of expectations."""
    root = etree.parse(str(test_file)).getroot()
    model_name = next((e.text or "" for e in _children(root, "modelName")), "")
    try:
        model = _load(test_file.parent / model_name)
    except (DecisionsRefused, OSError) as error:
        for case in _children(root, "testCase"):
            for node in _children(case, "resultNode"):
                yield Outcome(
                    str(case.get("id")), str(node.get("name")), "failed", str(error)[:200]
                )
        return
    for case in _children(root, "testCase"):
        inputs = {node.get("name", ""): _value(node) for node in _children(case, "inputNode")}
        for node in _children(case, "resultNode"):
            yield _judge(model, case, node, inputs)


def _judge(
    model: DecisionModel, case: etree._Element, node: etree._Element, inputs: dict[str, object]
) -> Outcome:
    case_id, name = str(case.get("id", "")), str(node.get("name", ""))
    expected = next(map(_value, _children(node, "expected")), None)
    try:
        seen = _evaluated(model, str(case.get("invocableName") or ""), name, inputs)
    except LeveeError as error:
        is_expected = node.get("errorResult") == "true" or expected is None
        verdict = "passed" if is_expected else "failed"
        return Outcome(case_id, name, verdict, f"expected {expected!r}, got {error}")
    verdict = "passed" if _same(expected, seen) else "failed"
    return Outcome(case_id, name, verdict, f"expected {expected!r}, got {seen!r}")


def _evaluated(
    model: DecisionModel, invocable: str, name: str, inputs: dict[str, object]
) -> object:
    """Evaluate a decision, or the service or function a case names, and pick its result node."""
    if not invocable:
        return model.evaluate(name, inputs).value
    ids = {f.name: f.id for f in model.knowledge_by_id.values()}
    ids |= {f.name: f.id for f in model.services_by_id.values()}
    asked = ids.get(invocable, invocable)
    value = model.evaluate(asked, inputs).value
    has_several = isinstance(value, dict) and name in value and name != invocable
    return value[name] if has_several and isinstance(value, dict) else value


def run_folder(folder: Path) -> Iterator[tuple[Path, Outcome]]:
    """Run all cases below a folder, in the order of their names."""
    for test_file in sorted(folder.rglob("*-test-*.xml")):
        for outcome in run_file(test_file):
            yield test_file, outcome


def main(arguments: list[str]) -> int:
    """Run a folder and print what failed and how many passed."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: python -m tests.conformance.dmn_tck DIR\n")
        return 2
    counts: Counter[str] = Counter()
    for test_file, outcome in run_folder(Path(arguments[0])):
        counts[outcome.verdict] += 1
        if outcome.verdict == "failed":
            sys.stdout.write(
                f"{test_file.parent.name} case {outcome.case} {outcome.node}: {outcome.seen}\n"
            )
    sys.stdout.write(
        f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped\n"
    )
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Element templates: current, and good for a diagram that can be released."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from services.router.domain.operations import OPERATIONS
from services.router.handlers.operations import OWN
from services.router.workflow import check
from tests.unit.router.workflow.builders import BEGIN, ends, io, job, path, xml
from tools.element_templates import ROOT, files, template

if TYPE_CHECKING:
    from services.router.domain.operations import Operation

_GOOD = {"text": '="x"', "long text": '="x"', "names": '="lin"', "context": "={a: 1}"}


def test_what_is_written_is_what_the_operations_are() -> None:
    for path_, told in files().items():
        assert (ROOT / path_).read_text(encoding="utf-8") == told, f"{path_}: run `make events`"


def test_every_operation_that_waits_for_nobody_is_carried_out() -> None:
    assert set(OWN) == {o.type for o in OPERATIONS if not o.is_outside}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.key)
def test_a_task_filled_in_by_its_template_can_be_released_and_one_left_empty_cannot(
    operation: Operation,
) -> None:
    def drawn(given: dict[str, str]) -> Any:
        diagram = xml(
            BEGIN, job("own", operation.type, io(given)), ends("e"), path("begin", "own", "e")
        )
        return check(diagram)

    full = {
        g.name: g.default or (g.choices[0] if g.choices else _GOOD.get(g.kind, "=1"))
        for g in operation.takes
    }
    assert drawn(full).verdict == "ok", drawn(full).findings

    for given in operation.takes:
        if given.is_needed:
            less = {name: told for name, told in full.items() if name != given.name}
            [finding] = drawn(less).findings
            assert (finding.rule, finding.severity) == ("operation-input", "error")
            assert given.name in finding.message["zh-CN"]


def test_an_operation_nobody_knows_is_refused_with_those_there_are() -> None:
    diagram = xml(BEGIN, job("own", "levee:dance"), ends("e"), path("begin", "own", "e"))

    [finding] = check(diagram).findings

    assert finding.rule == "operation-unknown"
    assert "levee:notify" in finding.fix["en"]


def test_templates_say_what_modeler_needs() -> None:
    for operation in OPERATIONS:
        told = orjson.loads(orjson.dumps(template(operation)))
        ids = [p["id"] for p in told["properties"] if "id" in p]
        assert len(ids) == len(set(ids)), operation.type
        assert {p["group"] for p in told["properties"] if "group" in p} == {
            g["id"] for g in told["groups"]
        }
        for prop in told["properties"]:
            # A value that begins with = is FEEL, and the field must be one.
            if str(prop.get("value", "")).startswith("="):
                assert prop.get("feel"), (operation.type, prop["id"])

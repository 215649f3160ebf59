"""`levee process check` and `levee decision check | eval`: verdicts, reasons, remedies, speed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from levee.commands.decision import decision_app
from levee.commands.process import process_app
from levee.entry import main

if TYPE_CHECKING:
    from collections.abc import Callable

BPMN = Path(__file__).resolve().parents[3] / "bpmn"
_MODEL = "http://www.omg.org/spec/BPMN/20100524/MODEL"
HEAD = f'<definitions xmlns="{_MODEL}" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d">'
DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def process(*arguments: object) -> Result:
    return CliRunner().invoke(process_app, [str(argument) for argument in arguments])


def decision(*arguments: object, **more: Any) -> Result:
    return CliRunner().invoke(decision_app, [str(argument) for argument in arguments], **more)


def checked(*paths: Path) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(process("check", *paths, "--json").stdout)
    return told


def drawn(*parts: str) -> str:
    return f'{HEAD}<process id="p" isExecutable="true">{"".join(parts)}</process></definitions>'


def table(*rules: str, policy: str = "UNIQUE") -> str:
    told = "".join(
        f"<rule><inputEntry><text>{rule}</text></inputEntry>"
        f"<outputEntry><text>{n}</text></outputEntry></rule>"
        for n, rule in enumerate(rules)
    )
    return (
        f'<definitions xmlns="{DMN}" name="m" namespace="n"><decision id="d" name="d">'
        '<variable name="d"/>'
        f'<decisionTable hitPolicy="{policy}"><input><inputExpression typeRef="number">'
        f"<text>x</text></inputExpression></input><output/>{told}"
        "</decisionTable></decision></definitions>"
    )


PLAIN = '<startEvent id="a"/><endEvent id="b"/><sequenceFlow id="f" sourceRef="a" targetRef="b"/>'


# ---- process check ------------------------------------------------------------------------------


def test_everything_shipped_is_ok() -> None:
    result = process("check", BPMN)

    assert result.exit_code == 0
    assert "standard-path.bpmn" in result.stdout


def test_each_file_gets_a_verdict_with_element_rule_reason_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "p.bpmn").write_text(drawn(PLAIN))
    (tmp_path / "bad.bpmn").write_text(drawn(PLAIN, '<complexGateway id="g"/>'))
    (tmp_path / "notes.txt").write_text("not a definition")

    result = process("check", tmp_path, "--json")

    bad, good = json.loads(result.stdout)
    assert result.exit_code == 1
    assert good == {"file": str(tmp_path / "p.bpmn"), "verdict": "ok", "findings": []}
    assert bad["verdict"] == "refused"
    finding = bad["findings"][0]
    assert (finding["element"], finding["rule"], finding["severity"]) == (
        "g",
        "unsupported-element",
        "error",
    )
    assert "complexGateway" in finding["message"]
    assert "exclusive" in finding["fix"]


def test_a_name_the_folder_of_definitions_would_not_take_is_told_and_no_reason_to_refuse(
    tmp_path: Path,
) -> None:
    (tmp_path / "good.bpmn").write_text(drawn(PLAIN))

    (told,) = checked(tmp_path / "good.bpmn")

    assert told["verdict"] == "ok"
    assert [(f["rule"], f["severity"]) for f in told["findings"]] == [("file-name", "info")]


def test_what_is_shown_to_people_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "bad.bpmn").write_text(drawn(PLAIN, '<complexGateway id="g"/>'))

    result = process("check", tmp_path)

    assert result.exit_code == 1
    assert "p/g [unsupported-element]" in result.stdout
    assert "1 个拒绝 / refused" in result.stdout


def test_a_decision_is_looked_up_beside_the_diagram(tmp_path: Path) -> None:
    call = '<extensionElements><zeebe:calledDecision decisionId="{}" resultVariable="v"/>'
    task = f'<businessRuleTask id="t">{call}</extensionElements></businessRuleTask>'
    flows = (
        '<startEvent id="a"/><endEvent id="b"/>'
        '<sequenceFlow id="f" sourceRef="a" targetRef="t"/>'
        '<sequenceFlow id="g" sourceRef="t" targetRef="b"/>'
    )
    (tmp_path / "d.dmn").write_text(table("1"))
    (tmp_path / "known.bpmn").write_text(drawn(flows, task.format("d")))
    (tmp_path / "unknown.bpmn").write_text(drawn(flows, task.format("gone")))

    (known,) = checked(tmp_path / "known.bpmn")
    (unknown,) = checked(tmp_path / "unknown.bpmn")

    assert known["verdict"] == "ok"
    assert [f["rule"] for f in unknown["findings"]] == ["decision-unknown"]


FORM = {
    "type": "default",
    "components": [
        {"type": "textfield", "key": "title"},
        {"type": "group", "components": [{"type": "number", "key": "amount"}]},
    ],
}


@pytest.mark.parametrize(
    ("form", "rules"),
    [
        (json.dumps(FORM), []),
        ("{", ["not-json"]),
        ("[]", ["not-a-form"]),
        ('{"components": [1]}', ["component-invalid"]),
        ('{"components": [{"type": "shader", "key": "a"}]}', ["component-unknown"]),
        ('{"components": [{"type": "number"}]}', ["key-missing"]),
        (
            '{"components": [{"type": "number", "key": "a"}, {"type": "radio", "key": "a"}]}',
            ["key-twice"],
        ),
        (
            '{"components": [{"type": "text", "conditional": {"hide": "=1 +"}}]}',
            ["feel-invalid"],
        ),
        ('{"components": [' + ",".join(['{"type":"text"}'] * 1_001) + "]}", ["form-too-large"]),
        (" " * 300_000, ["too-large"]),
    ],
)
def test_forms_are_checked_too(tmp_path: Path, form: str, rules: list[str]) -> None:
    (tmp_path / "a.form").write_text(form)

    (told,) = checked(tmp_path / "a.form")

    assert [f["rule"] for f in told["findings"]] == rules


def test_a_json_schema_is_a_form_too_and_another_json_file_is_none(tmp_path: Path) -> None:
    dialect = "https://json-schema.org/draft/2020-12/schema"
    (tmp_path / "good.json").write_text(f'{{"$schema": "{dialect}", "required": ["a"]}}')
    (tmp_path / "bad.json").write_text(f'{{"$schema": "{dialect}", "$ref": "file:///etc/passwd"}}')
    (tmp_path / "other.json").write_text('{"$schema": "https://unpkg.com/templates.json"}')

    told = {
        Path(each["file"]).name: [f["rule"] for f in each["findings"]] for each in checked(tmp_path)
    }

    assert told == {"good.json": [], "bad.json": ["ref"]}


def test_a_file_that_was_named_is_never_passed_over(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")

    (told,) = checked(tmp_path / "notes.txt")

    assert [f["rule"] for f in told["findings"]] == ["not-a-definition"]


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.xml", drawn(PLAIN), None),
        ("a.bpmn20.xml", drawn(PLAIN), None),
        ("a.xml", table("1"), None),
        ("a.xml", drawn(PLAIN)[:-20], "file-not-xml"),
        ("a.json", json.dumps(FORM), None),
    ],
)
def test_files_are_known_by_what_stands_in_them(
    tmp_path: Path, name: str, content: str, rule: str | None
) -> None:
    (tmp_path / name).write_text(content)

    (told,) = checked(tmp_path)

    assert [f["rule"] for f in told["findings"] if f["severity"] == "error"] == (
        [rule] if rule else []
    )


def test_nothing_to_check_is_said_not_passed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path, tmp_path / "gone.bpmn"):
        with pytest.raises(SystemExit) as ended:
            main(["process", "check", str(path)])
        assert ended.value.code == 1
    told = capsys.readouterr().err
    assert "nothing-to-check" in told
    assert "no-such-path" in told


# ---- files that mean harm -----------------------------------------------------------------------


def _entities() -> str:
    bomb = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(10)
    )
    return f"<!DOCTYPE a [{bomb}]><a>&l9;</a>"


def _foreign() -> str:
    tasks = "".join(f'<userTask id="t{n}" flowable:a="b"/>' for n in range(20_000))
    spoken = "<process xmlns:flowable='flowable'"
    return drawn(PLAIN, tasks).replace("<process", spoken)


def _cycle() -> str:
    needs = '<informationRequirement><requiredDecision href="#d"/></informationRequirement>'
    return table("1").replace('<variable name="d"/>', f'<variable name="d"/>{needs}')


HOSTILE: dict[str, Callable[[], str]] = {
    "entities.bpmn": _entities,
    "entities.dmn": _entities,
    "dtd.bpmn": lambda: f'<!DOCTYPE a SYSTEM "file:///etc/passwd">{drawn(PLAIN)}',
    "ten-megabytes.bpmn": lambda: drawn(PLAIN, f"<!--{'x' * 10_000_000}-->"),
    "ten-megabytes.dmn": lambda: table("1") + " " * 10_000_000,
    "sixty-thousand.bpmn": lambda: drawn(
        PLAIN, "".join(f'<task id="t{n}"/>' for n in range(60_000))
    ),
    "foreign.bpmn": _foreign,
    "nested.bpmn": lambda: drawn(PLAIN, "<subProcess>" * 5_000 + "</subProcess>" * 5_000),
    "nested.form": lambda: '{"components":' + "[" * 100_000 + "]" * 100_000 + "}",
    "cells.dmn": lambda: table(*(f"{n} +" for n in range(12_000))),
    "nested.dmn": lambda: table("(" * 50_000 + "1" + ")" * 50_000),
    "cycle.dmn": _cycle,
    "policy.dmn": lambda: table("1", policy="NONSENSE"),
}


#: Processor time that only something which grows with the square of a file takes: before it was
#: bounded, one of these took 420 s. A quiet machine needs below 1.5 s for each.
EXPLODES_S = 30


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(HOSTILE[name]())
    began = time.process_time()

    (told,) = checked(tmp_path)

    assert told["verdict"] == "refused"
    assert all(f["element"] and f["message"] for f in told["findings"])
    assert time.process_time() - began < EXPLODES_S


# ---- decisions ----------------------------------------------------------------------------------


def test_a_decision_is_asked_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "inputs.json").write_text('{"urgency": "high", "impact": "low"}')
    ask = ("eval", BPMN / "priority.dmn", "--decision", "priority", "--json", "--input")

    answers = [
        decision(*ask, '{"urgency": "high", "impact": "low"}'),
        decision(*ask, f"@{tmp_path / 'inputs.json'}"),
        decision(*ask, "-", input='{"urgency": "high", "impact": "low"}'),
    ]

    for answer in answers:
        told = json.loads(answer.stdout)
        assert told["result"] == "P3"
        assert told["explanation"][-1]["rule_ids"] == ["priority_high_low"]


def test_numbers_are_decimals_from_the_text_on(tmp_path: Path) -> None:
    xml = table("1").replace("decisionTable", "gone")
    literal = "<literalExpression><text>x + 0.2</text></literalExpression>"
    xml = f"{xml[: xml.index('<gone')]}{literal}</decision></definitions>"
    (tmp_path / "a.dmn").write_text(xml)

    told = decision("eval", tmp_path / "a.dmn", "--decision", "d", "--input", '{"x": 0.1}')

    assert told.stdout.splitlines()[0] == "0.3"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--decision", "gone"), "decision-not-found"),
        (("--decision", "priority", "--input", "{"), "input-not-json"),
        (("--decision", "priority", "--input", "[]"), "input-not-json"),
        (("--decision", "priority", "--input", "@gone.json"), "input-not-json"),
    ],
)
def test_what_cannot_be_asked_is_said(
    arguments: tuple[str, ...], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["decision", "eval", str(BPMN / "priority.dmn"), *arguments])

    assert ended.value.code == 1
    assert code in capsys.readouterr().err


def test_a_table_too_large_to_compare_is_said_to_be_unchecked(tmp_path: Path) -> None:
    (tmp_path / "a.dmn").write_text(table(*(str(n) for n in range(2_001))))
    began = time.process_time()

    told = json.loads(decision("check", tmp_path / "a.dmn", "--json").stdout)

    assert told["verdict"] == "ok"
    assert [f["rule"] for f in told["findings"]] == ["unchecked"]
    assert time.process_time() - began < EXPLODES_S


@pytest.mark.parametrize(
    ("rules", "policy", "found"),
    [
        (("&lt; 5", "&gt;= 5"), "UNIQUE", set()),
        (("&lt; 5", "&gt;= 4"), "UNIQUE", {"overlap"}),
        (("&lt; 5", "&gt; 6"), "UNIQUE", {"gap"}),
        (("&lt; 5", "&lt; 4", "-"), "FIRST", {"unreachable"}),
        (('"a"', "-"), "FIRST", {"wrong-type"}),
    ],
)
def test_tables_are_checked(
    tmp_path: Path, rules: tuple[str, ...], policy: str, found: set[str]
) -> None:
    (tmp_path / "a.dmn").write_text(table(*rules, policy=policy))

    result = decision("check", tmp_path / "a.dmn", "--json")

    told = json.loads(result.stdout)
    assert {f["rule"] for f in told["findings"]} >= found
    assert bool(found) == bool(told["findings"])
    assert result.exit_code == (0 if told["verdict"] == "ok" else 1)

"""Every hostile file ends in a clear refusal, within little time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.test_definitions import DMN, HEAD, PLAIN, drawn, table
from tests.unit.router.workflow.builders import BEGIN, ends, flow, node, path, script, user, xml

ROOT = Path(__file__).resolve().parents[3]
#: Two seconds are promised on an idle machine; this one may be busy with other tests.
CPU_S = 6
RSS_MB = 200


def scripted(expression: str) -> bytes:
    return xml(BEGIN, script("s", expression, "v"), ends("e"), path("begin", "s", "e"))


def blocks(merge: str, count: int, kind: str = "parallelGateway") -> bytes:
    parts, at = [BEGIN], "begin"
    for n in range(count):
        parts += [node("parallelGateway", f"s{n}"), node(merge, f"m{n}"), flow(at, f"s{n}")]
        for branch in "abc":
            parts += [user(f"{branch}{n}"), path(f"s{n}", f"{branch}{n}", f"m{n}")]
        at = f"m{n}"
    return xml(*parts, ends("e"), flow(at, "e"))


def nested(depth: int) -> str:
    inner = ""
    for n in range(depth):
        inner = f'<subProcess id="s{n}"><startEvent id="i{n}"/>{inner}</subProcess>'
    return drawn(inner)


ENTITIES = "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(10)
)
CYCLIC = (
    f'<definitions xmlns="{DMN}" name="m" namespace="n">'
    + "".join(
        f'<decision id="{a}" name="{a}"><variable name="{a}"/><informationRequirement>'
        f'<requiredDecision href="#{b}"/></informationRequirement>'
        f"<literalExpression><text>{b}</text></literalExpression></decision>"
        for a, b in (("d", "c"), ("c", "d"))
    )
    + "</definitions>"
)

#: name → content and the rule that refuses it
REFUSED: dict[str, tuple[bytes | str, str]] = {
    "entities.bpmn": (f"<!DOCTYPE a [{ENTITIES}]><a>&l9;</a>", "file"),
    "entities.dmn": (f"<!DOCTYPE a [{ENTITIES}]><a>&l9;</a>", ""),
    "dtd.bpmn": (f'<!DOCTYPE d SYSTEM "file:///etc/passwd">{drawn(PLAIN)}', "file-has-dtd"),
    "ten-megabytes.bpmn": (drawn(PLAIN, "<!--" + "x" * 10_000_000 + "-->"), "file-too-big"),
    "ten-megabytes.dmn": (table("1") + "<!--" + "x" * 10_000_000 + "-->", "file-too-big"),
    "sixty-thousand.bpmn": (
        drawn(PLAIN, "".join(f'<task id="t{n}"/>' for n in range(60_000))),
        "file-too-big",
    ),
    "nine-thousand.bpmn": (
        drawn(PLAIN, "".join(f'<task id="t{n}"/>' for n in range(9_000))),
        "too-many-nodes",
    ),
    "flows.bpmn": (
        drawn(
            PLAIN,
            "".join(f'<sequenceFlow id="f{n}" sourceRef="a" targetRef="b"/>' for n in range(3_500)),
        ),
        "too-many-flows",
    ),
    "deep.bpmn": (nested(2_000), ""),
    "multiplying.bpmn": (blocks("exclusiveGateway", 40), "tokens-multiply"),
    "spinning.bpmn": (
        xml(
            BEGIN,
            node("exclusiveGateway", "g"),
            script("s", "=1", "v"),
            path("begin", "g", "s", "g"),
        ),
        "loop-without-wait",
    ),
    "deep-feel.bpmn": (scripted("=" + "(" * 3_000 + "1" + ")" * 3_000), "feel-invalid"),
    "long-feel.bpmn": (scripted("=" + "1+" * 60_000 + "1"), "feel-invalid"),
    "python.bpmn": (
        scripted("=__import__('os').system('id')"),
        "feel-invalid",
    ),
    "javascript.bpmn": (
        drawn(
            PLAIN,
            '<scriptTask id="s" scriptFormat="javascript"><script>while(1);</script></scriptTask>',
        ),
        "script-not-feel",
    ),
    "juel.bpmn": (
        scripted("${execution.getVariable('x')}"),
        "juel-expression",
    ),
    "cyclic.dmn": (CYCLIC, ""),
    "policy.dmn": (table("1", policy="NONSENSE"), ""),
    "two.bpmn": (
        f'{HEAD}<process id="p" isExecutable="true">{PLAIN}</process>'
        f'<process id="q" isExecutable="true">{PLAIN}</process></definitions>',
        "process-count",
    ),
    "nowhere.bpmn": (drawn(PLAIN, '<sequenceFlow id="g" sourceRef="a" targetRef="x"/>'), "flow"),
    "vendor.bpmn": (
        drawn(
            PLAIN,
            '<userTask id="u"><extensionElements><f:x xmlns:f="http://flowable.org/bpmn"/>'
            "</extensionElements></userTask>",
        ),
        "foreign-dialect",
    ),
    "utf-16.bpmn": (drawn(PLAIN).encode("utf-16"), "file-not-utf-8"),
}

#: Accepted, for what they do shows only when they run: name → content, incident or result.
STOPPED: dict[str, tuple[bytes | str, str]] = {
    "time.run.bpmn": (
        scripted("=count(for a in 1..9999, b in 1..9999, c in 1..9999 return a)"),
        "expression-failed",
    ),
    "memory.run.bpmn": (
        scripted(
            '=string join(for a in 1..9999 return string join(for b in 1..999 return "xxxxx"))'
        ),
        "expression-failed",
    ),
    "power.run.bpmn": (scripted("=9**9**9"), "data-not-json"),
    "regex.run.bpmn": (
        scripted(f'=matches("{"a" * 60}!", "(a+)+$")'),
        "nothing",
    ),
    "blocks.run.bpmn": (blocks("parallelGateway", 60), "nothing"),
    # Names the engine uses for itself are names like any other here.
    "clash.run.bpmn": (
        xml(
            node("startEvent", "Start"),
            user("root"),
            user("End"),
            ends("End.EndJoin"),
            path("Start", "root", "End", "End.EndJoin"),
        ),
        "nothing",
    ),
}


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("hostile")
    files = []
    for name, (content, _) in (REFUSED | STOPPED).items():
        # Each in a folder of its own: what lies beside a diagram is looked at too.
        file = folder / name.replace(".", "-") / name
        file.parent.mkdir()
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        files.append(str(file))
    told = subprocess.run(
        [sys.executable, "-m", "tests.harness.limited", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return {line["file"]: line for line in map(json.loads, told.stdout.splitlines())}


@pytest.mark.parametrize("name", [*REFUSED, *STOPPED])
def test_no_hostile_file_takes_more_than_a_little_time_and_memory(
    examined: dict[str, dict[str, Any]], name: str
) -> None:
    told = examined[name]

    assert "killed_by" not in told
    assert told["cpu_s"] < CPU_S
    assert told["rss_mb"] < RSS_MB


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_with_reason_and_remedy(
    examined: dict[str, dict[str, Any]], name: str
) -> None:
    told = examined[name]

    assert told["ok"] is False
    assert any(rule.startswith(REFUSED[name][1]) for rule in told["rules"]), told
    assert told["has_words"]


@pytest.mark.parametrize("name", STOPPED)
def test_what_explodes_only_when_it_runs_is_stopped_there(
    examined: dict[str, dict[str, Any]], name: str
) -> None:
    told = examined[name]

    assert (told["ok"], told["ends_in"]) == (True, STOPPED[name][1]), told

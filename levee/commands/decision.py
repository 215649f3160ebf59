"""`levee decision check | eval`: tables checked, and asked, without a house."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import orjson
import typer

from levee.definitions.verdicts import FALLS, Verdict, both, check_decisions, fell
from shared.decisions import load_decisions
from shared.errors import Invalid
from shared.feel import to_json
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from shared.decisions import Evaluation

decision_app = typer.Typer(help="决策表 / decisions.", no_args_is_help=True)

FileArgument = Annotated[
    Path, typer.Argument(help="DMN 文件 / DMN file", exists=True, dir_okay=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="供脚本使用 / for scripts")]


class InputNotJson(Invalid):
    """The input is not a JSON object: {problem}"""

    zh: ClassVar[str] = "输入不是 JSON 对象：{problem}"


@decision_app.command()
def check(file: FileArgument, as_json: JsonOption = False) -> None:
    """检查重叠、缺口、类型 / overlaps, gaps, unreachable rules, types; ends with 0 only if ok."""
    try:
        findings = check_decisions(file.read_bytes(), str(file))
    except FALLS as error:
        findings = (fell(error),)
    verdict = Verdict(str(file), findings)
    if as_json:
        typer.echo(orjson.dumps(verdict.as_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        word = "可发布 / ok" if verdict.is_ok else "拒绝 / refused"
        typer.echo(f"{word}  {file}")
        for finding in verdict.findings:
            path = finding.path.removeprefix(f"{file} / ")
            typer.echo(f"  {finding.severity} {path} [{finding.rule}] {both(finding.message)}")
            if finding.fix:
                typer.echo(f"    → {both(finding.fix)}")
    raise typer.Exit(0 if verdict.is_ok else 1)


@decision_app.command(name="eval")
def evaluate(
    file: FileArgument,
    decision: Annotated[str, typer.Option(help="决策的 id 或名称 / id or name of a decision")],
    given: Annotated[
        str, typer.Option("--input", help="JSON、@文件 或 - / JSON text, @file, or - for stdin")
    ] = "{}",
    as_json: JsonOption = False,
) -> None:
    """求值并说明原因 / evaluate a decision and say why."""
    model = load_decisions(file.read_bytes(), file=str(file))
    inputs = _read(given)
    evaluation = model.evaluate(decision, inputs, now=SystemTime().now())
    if as_json:
        told = {
            "decision": decision,
            "result": to_json(evaluation.value),
            "explanation": list(evaluation.explanation),
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, default=str))
    else:
        _show(evaluation)


def _read(given: str) -> dict[str, Any]:
    """Return the inputs; fractions are decimals from the text on, so that 0.1 is 0.1."""
    text = sys.stdin.read() if given == "-" else given
    try:
        if given.startswith("@"):
            text = Path(given[1:]).read_text(encoding="utf-8")
        inputs = json.loads(text, parse_float=Decimal)
        # Half a character (\\ud800 alone) is JSON, but no text.
        json.dumps(inputs, ensure_ascii=False, default=str).encode()
    except (OSError, ValueError, RecursionError) as error:
        raise InputNotJson(problem=error) from error
    if not isinstance(inputs, dict):
        raise InputNotJson(problem=f"{type(inputs).__name__}")
    return inputs


def _show(evaluation: Evaluation) -> None:
    """Print the result, then each decision that led to it."""
    typer.echo(json.dumps(to_json(evaluation.value), ensure_ascii=False, default=str))
    for entry in evaluation.explanation:
        typer.echo(f"\n{entry.get('name') or entry.get('decision')}  {entry.get('kind', '')}")
        for key in ("hit_policy", "matched_rules", "rule_ids", "inputs", "outputs", "notes"):
            if entry.get(key):
                shown = json.dumps(entry[key], ensure_ascii=False, default=str)
                typer.echo(f"  {key}: {shown}")

"""`levee process`: definitions checked without a house, tried, and put in force in one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import orjson
import typer

from levee.commands import process_house, process_try
from levee.definitions.handing_in import NoSuchPath
from levee.definitions.telling import MARKS
from levee.definitions.verdicts import Verdict, both, verdicts
from shared.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

process_app = typer.Typer(help="流程定义 / process definitions.", no_args_is_help=True)
process_app.command()(process_house.apply)
process_app.command(name="list")(process_house.list_definitions)
process_app.command()(process_house.show)
process_app.command()(process_house.activate)
process_app.command()(process_house.dismiss)
process_app.command(name="try")(process_try.try_request)


class NothingToCheck(NotFound):
    """There is no definition under {paths}: no .bpmn, .dmn or .form file."""

    zh: ClassVar[str] = "{paths} 下没有定义文件（.bpmn、.dmn、.form）。"


@process_app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(help="文件或目录 / files or folders")],
    as_json: Annotated[bool, typer.Option("--json", help="供脚本使用 / for scripts")] = False,
) -> None:
    """检查流程、决策表和表单 / check processes, tables, forms; ends with 0 only if all are ok."""
    for path in paths:
        if not path.exists():
            raise NoSuchPath(path=path)
    found = []
    for verdict in verdicts(paths):
        found.append(verdict)
        if not as_json:
            _show(verdict)
    if not found:
        raise NothingToCheck(paths=", ".join(str(path) for path in paths))
    if as_json:
        told = [verdict.as_json() for verdict in found]
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        _sum_up(found)
    raise typer.Exit(0 if all(verdict.is_ok for verdict in found) else 1)


def _show(verdict: Verdict) -> None:
    """Print one verdict, findings indented below it."""
    colour = typer.colors.GREEN if verdict.is_ok else typer.colors.RED
    word = "可发布 / ok" if verdict.is_ok else "拒绝 / refused"
    typer.echo(f"{typer.style(word, fg=colour)}  {verdict.file}")
    for finding in verdict.findings:
        path = finding.path.removeprefix(f"{verdict.file} / ") or verdict.file
        typer.echo(f"  {MARKS[finding.severity]} {path} [{finding.rule}]")
        typer.echo(f"    {both(finding.message)}")
        if finding.fix:
            typer.echo(f"    → {both(finding.fix)}")


def _sum_up(found: Sequence[Verdict]) -> None:
    ok = sum(verdict.is_ok for verdict in found)
    typer.echo(f"{ok} 个可发布 / ok, {len(found) - ok} 个拒绝 / refused")

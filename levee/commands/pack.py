"""`levee pack list | show | add | remove`: packs of targets switched on and off in the table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from levee.definitions.verdicts import Verdict, both
from levee.embedded import DEFINITIONS
from levee.packs.shelf import Packs
from levee.running import JsonOption
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from levee.packs.shelf import Change, Pack

pack_app = typer.Typer(
    help="目标包（行业、渠道、场景阶段）/ packs of targets: sectors, channels, stages.",
    no_args_is_help=True,
)

FolderOption = Annotated[
    Path,
    typer.Option("--definitions", exists=True, help="定义目录 / folder with targets.dmn"),
]
PacksArgument = Annotated[list[str], typer.Argument(help="一个或多个目标包 / one or more packs")]
DryOption = Annotated[
    bool, typer.Option("--dry-run", help="只检查，不写文件 / check it only, write nothing")
]
_STATES = {"on": "已启用 / on", "off": "未启用 / off", "partly": "部分启用 / partly on"}


@pack_app.command(name="list")
def list_packs(definitions: FolderOption = DEFINITIONS, as_json: JsonOption = False) -> None:
    """列出目标包及其是否启用 / list the packs and whether they are in the table."""
    found = Packs(definitions).all()
    if as_json:
        typer.echo(orjson.dumps([_told(pack) for pack in found]).decode())
        return
    for pack in found:
        typer.echo(f"{pack.key:14} {len(pack.rows):3}  {_STATES[pack.state]}  {pack.title}")


@pack_app.command()
def show(
    pack: Annotated[str, typer.Argument(help="目标包 / the pack")],
    definitions: FolderOption = DEFINITIONS,
    as_json: JsonOption = False,
) -> None:
    """显示一个目标包的行 / show the rows of a pack."""
    packs = Packs(definitions)
    packs.must_have(pack)
    found = next(one for one in packs.all() if one.key == pack)
    if as_json:
        typer.echo(orjson.dumps(_told(found)).decode())
        return
    typer.echo(f"{found.title}: {_STATES[found.state]}")
    for rule, words in found.rows:
        typer.echo(f"  {'+' if rule in found.switched_on else ' '} {words}  ({rule})")


@pack_app.command()
def add(
    packs: PacksArgument,
    definitions: FolderOption = DEFINITIONS,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """把目标包的行加入 targets.dmn / put the rows of packs into targets.dmn."""
    shelf = Packs(definitions)
    _apply(shelf, shelf.with_packs(packs, SystemTime().now()), dry_run, as_json, "+")


@pack_app.command()
def remove(
    packs: PacksArgument,
    definitions: FolderOption = DEFINITIONS,
    dry_run: DryOption = False,
    as_json: JsonOption = False,
) -> None:
    """从 targets.dmn 取出目标包的行 / take the rows of packs out of targets.dmn."""
    shelf = Packs(definitions)
    _apply(shelf, shelf.without_packs(packs, SystemTime().now()), dry_run, as_json, "-")


def _apply(shelf: Packs, change: Change, is_dry: bool, as_json: bool, sign: str) -> None:
    """Write the table unless nothing changed, it would be refused, or it is a trial."""
    is_written = change.is_ok and bool(change.rules) and not is_dry
    if is_written:
        shelf.write(change)
    verdict = Verdict(str(shelf.file), change.findings)
    if as_json:
        told = {**verdict.as_json(), "rules": change.rules, "is_written": is_written}
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        for rule in change.rules:
            typer.echo(f"{sign} {rule}")
        for finding in change.findings:
            typer.echo(f"  {finding.severity} {finding.path}: {both(finding.message)}")
            if finding.fix:
                typer.echo(f"    → {both(finding.fix)}")
        typer.echo(_outcome(change, is_written, shelf.file))
    raise typer.Exit(0 if change.is_ok else 1)


def _outcome(change: Change, is_written: bool, file: Path) -> str:
    if not change.is_ok:
        return f"拒绝，未写入 / refused, not written: {file}"
    if not change.rules:
        return "没有变化 / nothing changes"
    if not is_written:
        return f"可发布，未写入 / ok, not written: {file}"
    return f"已写入；运行中的系统会自动生效 / written; a running house takes it over: {file}"


def _told(pack: Pack) -> dict[str, object]:
    return {
        "pack": pack.key,
        "title": pack.title,
        "state": pack.state,
        "rules": [
            {"rule": rule, "description": words, "is_on": rule in pack.switched_on}
            for rule, words in pack.rows
        ],
    }

"""`levee key create`: API keys of a house on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from levee.embedded import Folder
from levee.running import DEFAULT_DATA, DataOption
from shared.http.auth import SCOPES, add_to_file, new_key

key_app = typer.Typer(help="API 密钥 / API keys.", no_args_is_help=True)


@key_app.callback()
def _keys() -> None:
    """Keep `create` a subcommand although it is the only one."""


@key_app.command()
def create(
    name: Annotated[str, typer.Argument(help="用途 / what it is for")],
    scope: Annotated[list[str], typer.Option(help=f"权限 / one or more of: {', '.join(SCOPES)}")],
    data: DataOption = DEFAULT_DATA,
) -> None:
    """创建密钥并只显示一次 / make a key and show it once; it works at once, without a restart."""
    unknown = sorted(set(scope) - set(SCOPES))
    if unknown:
        typer.echo(
            f"未知权限 / unknown scopes: {', '.join(unknown)}; 可用 / known: {', '.join(SCOPES)}",
            err=True,
        )
        raise typer.Exit(2)
    key, kept = new_key(name, scope)
    add_to_file(Folder(data).keys_file, kept)
    typer.echo(key)

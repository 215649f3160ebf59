"""`levee`: run the house, replay a log, look inside, set things right."""

from __future__ import annotations

import sys

import typer

from levee.commands.audit import audit_house
from levee.commands.calendar import calendar_app
from levee.commands.clocks import clocks_app
from levee.commands.decision import decision_app
from levee.commands.demo import demo
from levee.commands.incidents import incidents_app
from levee.commands.keeping import backup, restore
from levee.commands.keys import key_app
from levee.commands.pack import pack_app
from levee.commands.process import process_app
from levee.commands.replay import replay
from levee.commands.setaside import setaside_app
from levee.commands.status import down, status
from levee.commands.up import up
from shared.errors import LeveeError
from shared.service import version

app = typer.Typer(
    help="Levee（堤坝）：让服务响应从救火变成防洪。Service response that prevents floods.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(up)
app.command()(down)
app.command()(status)
app.command()(replay)
app.command(name="audit")(audit_house)
app.command()(backup)
app.command()(restore)
app.command()(demo)
app.add_typer(calendar_app, name="calendar")
app.add_typer(clocks_app, name="clocks")
app.add_typer(pack_app, name="pack")
app.add_typer(process_app, name="process")
app.add_typer(decision_app, name="decision")
app.add_typer(setaside_app, name="setaside")
app.add_typer(incidents_app, name="incidents")
app.add_typer(key_app, name="key")


@app.command(name="version")
def show_version() -> None:
    """Print the version."""
    typer.echo(version())


def main(argv: list[str] | None = None) -> None:
    """Run the command line; errors of ours are a line in each language, not a traceback."""
    try:
        app(args=argv)
    except LeveeError as error:
        typer.echo(f"{error.code}: {error.sentence('zh-CN')}\n{error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

"""Where `levee` begins: commands that need no house start without importing one.

Checking a file is a matter of a moment, in an editor as in a build; the whole command line takes
a few seconds to import.
"""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from shared.errors import LeveeError

_ALONE = {
    "process": ("levee.commands.process", "process_app"),
    "decision": ("levee.commands.decision", "decision_app"),
}


def main(argv: list[str] | None = None) -> None:
    """Run the command line; errors of ours are a line in each language, not a traceback."""
    arguments = sys.argv[1:] if argv is None else argv
    group = arguments[0] if arguments else ""
    if group not in _ALONE:
        import_module("levee.__main__").main(arguments)
        return
    module, name = _ALONE[group]
    app: typer.Typer = getattr(import_module(module), name)
    try:
        app(args=arguments[1:], prog_name=f"levee {group}")
    except LeveeError as error:
        typer.echo(f"{error.code}: {error.sentence('zh-CN')}\n{error}", err=True)
        sys.exit(1)

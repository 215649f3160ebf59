"""Verdicts and findings as people read them on a terminal, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from levee.definitions.verdicts import both

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARKS = {"error": "✗", "warning": "!", "info": "·"}


def show_file_verdict(verdict: Mapping[str, Any]) -> None:
    """Print what the house says of one file: its verdict, findings indented below it."""
    is_ok = verdict["verdict"] == "ok"
    word = "可发布 / ok" if is_ok else "拒绝 / refused"
    colour = typer.colors.GREEN if is_ok else typer.colors.RED
    typer.echo(f"{typer.style(word, fg=colour)}  {verdict['file']}")
    show_findings(verdict["findings"], verdict["file"])


def show_findings(findings: Iterable[Mapping[str, Any]], file: str = "") -> None:
    """Print findings as problem+json and verdicts have them: place, reason, remedy."""
    for finding in findings:
        place = str(finding["path"]).removeprefix(f"{file} / ")
        mark = MARKS.get(str(finding.get("severity")), "✗")
        typer.echo(f"  {mark} {place} [{finding['rule']}]")
        typer.echo(f"    {both(finding['message'])}")
        if finding.get("fix"):
            typer.echo(f"    → {both(finding['fix'])}")

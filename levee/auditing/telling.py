"""A report for people and for scripts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from levee.auditing.words import sentences

if TYPE_CHECKING:
    from rich.console import Console

    from levee.auditing.rules import Finding
    from levee.auditing.walk import Report

#: Findings shown in the terminal; --json has them all.
SHOWN = 50
_SUMS = (
    ("intake", "requests", "收到的请求 / requests in"),
    ("router", "requests", "已存请求 / requests stored"),
    ("router", "processes", "流程 / processes"),
    ("clock", "clock_sets", "计时组 / clock sets"),
    ("clock", "thresholds", "已触发阈值 / thresholds fired"),
    ("escalation", "escalations", "升级 / escalations"),
    ("escalation", "told", "请求的通知 / notifications asked for"),
    ("notify", "notifications", "受理的通知 / notifications accepted"),
)


def as_json(report: Report, *, is_strict: bool) -> dict[str, Any]:
    """Return the report for scripts."""
    return {
        "is_clean": report.is_clean(is_strict=is_strict),
        "began_at": report.began_at,
        "ended_at": report.ended_at,
        "requests": report.requests,
        "looked_at_twice": report.suspects,
        "totals": {name: dict(sorted(t.items())) for name, t in sorted(report.totals.items())},
        "findings": [_finding(finding) for finding in report.findings],
    }


def show(report: Report, console: Console, *, is_strict: bool) -> None:
    """Print the report."""
    table = Table(title=f"Levee {report.ended_at:%Y-%m-%d %H:%M:%S} UTC")
    table.add_column("合计 / sum")
    table.add_column("", justify="right")
    for service, what, heading in _SUMS:
        table.add_row(heading, f"{report.totals.get(service, Counter())[what]:,}")
    for state, count in sorted(report.totals.get("notify", Counter()).items()):
        if state.startswith("deliveries_"):
            table.add_row(f"投递 / {state.replace('_', ' ', 1)}", f"{count:,}")
    console.print(table)
    for finding in report.findings[:SHOWN]:
        words = sentences(finding)
        colour, kind = ("yellow", "late") if finding.is_lag else ("red", "fault")
        place = f"{finding.service} {finding.request_id or ''}".strip()
        console.print(f"[{colour}]{kind}[/] {place} [dim]{finding.code}[/]")
        console.print(f"  {escape(words['zh'])}\n  {escape(words['en'])}")
        console.print(f"  → {escape(words['mend_zh'])}\n  → {escape(words['mend_en'])}")
    if len(report.findings) > SHOWN:
        console.print(f"… {len(report.findings) - SHOWN} (--json)")
    console.print(_verdict(report, is_strict=is_strict))


def _verdict(report: Report, *, is_strict: bool) -> str:
    faults, lags = len(report.faults), len(report.lags)
    late = f"；{lags} 项仍在途中 / {lags} still under way" if lags else ""
    if report.is_clean(is_strict=is_strict):
        return (
            f"[green]{report.requests} 个请求核对无误 / {report.requests} requests add up[/]{late}"
        )
    return f"[red]{faults} 处不符 / {faults} do not add up[/]{late}"


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "service": finding.service,
        "request_id": finding.request_id,
        "is_lag": finding.is_lag,
        "detail": dict(finding.detail),
        **sentences(finding),
    }

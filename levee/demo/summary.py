"""What is left on the terminal when the day is over: figures, the forgotten request, addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from levee.demo.plan import ROLES, ZONE
from levee.demo.words import ROLE_NAMES, metric
from shared.vocabulary import Metric, Priority

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from rich.console import Console

    from levee.demo.run import Figures, Told
    from levee.demo.watcher import Watcher

_TYPES = {
    "it-incident": "IT 故障",
    "it-access": "账号与权限",
    "it-equipment": "设备申领",
    "hr-question": "人事咨询",
    "hr-certificate": "证明开具",
    "customer-complaint": "客户投诉",
    "customer-question": "客户咨询",
    "expense-approval": "费用审批",
    "citizen-message": "市民留言",
}


def show_summary(console: Console, told: Told) -> None:
    """Print the day."""
    watcher, figures = told.scene.watcher, told.figures
    states = figures.by_state
    still = states.get("open", 0) + states.get("waiting", 0)
    console.print(
        f"\n[bold]{told.scene.day.date} 08:00–18:30[/]  {figures.requests} 个请求 / requests，"
        f"下班时未结 / open at closing time {still}，转手 / handovers {figures.handovers}，"
        f"重新打开 / reopened {figures.reopenings}",
        highlight=False,
    )
    console.print(_by_type(figures))
    console.print(_metrics(figures))
    _escalations(console, told)
    _story(console, watcher)


def _by_type(figures: Figures) -> Table:
    table = Table(title="请求 / requests")
    table.add_column("类型 / type")
    for priority in Priority:
        table.add_column(priority.value, justify="right")
    table.add_column("合计 / all", justify="right")
    for kind, counts in figures.by_type.items():
        row = [str(counts.get(priority.value, 0) or "") for priority in Priority]
        table.add_row(f"{_TYPES.get(kind, kind)} {kind}", *row, str(sum(counts.values())))
    return table


def _metrics(figures: Figures) -> Table:
    table = Table(title="时钟（工作时间） / clocks, in working time")
    table.add_column("指标 / metric", no_wrap=True)
    for name in ("时钟\nclocks", "达成\nattained", "p50", "p90", "违约\nbreached"):
        table.add_column(name, justify="right", no_wrap=True)
    for key in (m.value for m in Metric if m.value in figures.metrics):
        told = figures.metrics[key]
        attained = "–" if told["attainment"] is None else f"{told['attainment']:.1%}"
        spans = [_span(told["elapsed_s"][p]) for p in ("p50", "p90")]
        breached = str(told["states"].get("breached", 0))
        table.add_row(" ".join(metric(key)), str(told["clocks"]), attained, *spans, breached)
    return table


def _escalations(console: Console, told: Told) -> None:
    watcher = told.scene.watcher
    roles = "，".join(
        f"{ROLE_NAMES[role][0]} {ROLE_NAMES[role][1]} {watcher.tiers[role]}" for role in ROLES
    )
    console.print(f"升级告知人次 / people told by escalations: {roles}", highlight=False)
    for (deputy, absent), count in sorted(watcher.stand_ins.items()):
        who, away = watcher.names.get(deputy, deputy), watcher.names.get(absent, absent)
        console.print(
            f"休假 / on leave: {away}，由 {who} 代收 {count} 次 / "
            f"{who} was told {count} times instead",
            highlight=False,
        )
    after = told.since.get("escalation.raised", 0), told.since.get("escalation.acknowledged", 0)
    console.print(
        f"下班后至今 / after hours until now: 升级 / escalations {after[0]}，"
        f"值班认领 / acknowledged by duty {after[1]}，仍未结 / still open {watcher.open}",
        highlight=False,
    )
    console.print(
        f"通知 / notifications: {watcher.counts['notification.sent']}"
        "（只记录，未真正发送 / recorded, nothing left this machine）",
        highlight=False,
    )


def _story(console: Console, watcher: Watcher) -> None:
    """Tell line by line what became of the request nobody touched."""
    kept = [line for line in watcher.story if line.kind != "clock.warned"]
    if not kept:
        return
    console.print(
        f"\n[bold]被遗忘的请求 / the forgotten request[/] {kept[0].number}", highlight=False
    )
    for line in kept:
        text = Text(f"  {line.at.astimezone(ZONE):%m-%d %H:%M}  {line.zh}")
        text.append(f"  {line.en}", "dim")
        console.print(text, soft_wrap=True)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def commands(url: str, key_file: Path, number: str) -> tuple[str, ...]:
    """Return three commands that work against the house at `url`."""
    key = f"-H \"Authorization: Bearer $(cat '{key_file}')\""
    post = (
        '{"type":"it-incident","source":"demo","title":"打印机卡纸","requester":{"id":"e0001"},'
        '"urgency":"high","impact":"low"}'
    )
    return (
        f"curl -s {key} '{url}/insight/v1/requests/{number}/timeline?lang=zh-CN'",
        f"curl -s {key} '{url}/clock/v1/clocks?state=breached&limit=5'",
        f"curl -s {key} -H 'Content-Type: application/json' -d '{post}' {url}/v1/requests",
    )


def show_addresses(
    console: Console, url: str, key_file: Path, number: str, took: timedelta
) -> None:
    """Print where everything is, how to try it, and how to stop it."""
    console.print(f"\n[bold green]Levee 正在运行 / is running[/] {url}", highlight=False)
    rows = (
        ("看板 / board", f"{url}/"),
        ("一个请求的时间线 / one timeline", f"{url}/insight/requests/{number}"),
        ("服务目录 / catalogue", f"{url}/v1/catalogue"),
        ("API 密钥 / key", str(key_file)),
    )
    for name, where in rows:
        console.print(f"  {name:<32} {where}", highlight=False, soft_wrap=True)
    console.print("试一试 / try:", highlight=False)
    for command in commands(url, key_file, number):
        console.print(f"  {command}", highlight=False, soft_wrap=True, markup=False)
    console.print(
        f"停止 / stop: make down    用时 / took {took.total_seconds():.0f} s", highlight=False
    )

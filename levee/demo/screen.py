"""The day on the terminal: live where there is one, plain lines where there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from levee.demo.plan import ZONE

if TYPE_CHECKING:
    from rich.console import Console

    from levee.demo.run import Scene
    from levee.demo.watcher import Watcher
    from levee.demo.words import Line
    from shared.time_source import TimeSource

#: Seconds of real time between two pictures: looks alive and costs little.
_PICTURE_EVERY_S = 0.15
_TONES = {"calm": "white", "warning": "yellow", "alarm": "bold red", "good": "green"}


class Screen(Protocol):
    """Where a day is shown."""

    def __enter__(self) -> Screen:
        """Begin to show."""
        ...

    def __exit__(self, *_: object) -> None:
        """Stop showing."""
        ...

    def show(self, scene: Scene, at: datetime) -> None:
        """Show the day as it is at `at` (UTC, simulated)."""
        ...


@dataclass(slots=True)
class LiveScreen:
    """A clock, counts, the latest events and a bar, drawn over one another."""

    console: Console
    time: TimeSource
    _live: Live | None = None
    _drawn_at: float = 0.0

    def __enter__(self) -> LiveScreen:
        """Begin to draw."""
        self._live = Live(console=self.console, auto_refresh=False, transient=True)
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the picture away; the summary takes its place."""
        if self._live is not None:
            self._live.__exit__(None, None, None)

    def show(self, scene: Scene, at: datetime) -> None:
        """Draw, if the last picture is old enough."""
        now = self.time.monotonic()
        if self._live is None or now - self._drawn_at < _PICTURE_EVERY_S:
            return
        self._drawn_at = now
        self._live.update(picture(scene, at), refresh=True)


@dataclass(slots=True)
class PlainScreen:
    """Lines: one per simulated half hour, and those events worth telling."""

    console: Console
    _told: tuple[int, int, int] = field(default=(0, 0, 0))

    def __enter__(self) -> PlainScreen:
        """Nothing to prepare."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to clear."""

    def show(self, scene: Scene, at: datetime) -> None:
        """Print what is new."""
        local = at.astimezone(ZONE)
        half_hour = (local.toordinal(), local.hour, local.minute // 30)
        fresh, scene.watcher.fresh = scene.watcher.fresh, []
        if at > scene.day.ends_at:
            return
        for line in fresh:
            self.console.print(_words(line), soft_wrap=True, highlight=False)
        if half_hour != self._told:
            self._told = half_hour
            counts = "  ".join(f"{zh} {en} {count}" for zh, en, count in _counts(scene.watcher))
            self.console.print(f"── {local:%H:%M}  {counts}", soft_wrap=True, highlight=False)


def picture(scene: Scene, at: datetime) -> Panel:
    """Return the whole picture at `at`."""
    day, watcher = scene.day, scene.watcher
    local = at.astimezone(ZONE)
    is_over = at > day.ends_at
    head = Table.grid(expand=True)
    head.add_column(justify="left")
    head.add_column(justify="right")
    playing = "下班后直到现在 / after hours, on to now" if is_over else "一个工作日 / a working day"
    head.add_row(Text(f"{local:%Y-%m-%d}  {local:%H:%M}", "bold cyan"), Text(playing, "dim"))
    whole = (day.ends_at - day.begins_at).total_seconds()
    done = min(whole, max(0.0, (at - day.begins_at).total_seconds()))
    counts = Table.grid(expand=True, padding=(0, 1))
    told = _counts(watcher)
    for _ in told:
        counts.add_column(justify="center", ratio=1)
    counts.add_row(*(Text(str(count), "bold") for _, _, count in told))
    counts.add_row(*(Text(zh) for zh, _, _ in told))
    counts.add_row(*(Text(en, "dim") for _, en, _ in told))
    lines = [_words(line, cut=True) for line in watcher.lines]
    lines += [Text("")] * (8 - len(lines))
    bar = ProgressBar(total=whole, completed=done)
    title = "Levee 堤坝 · 一家 300 人公司的一天 / a day of a company of 300"
    return Panel(Group(head, bar, Text(""), counts, Text(""), *lines), title=title)


def _counts(watcher: Watcher) -> list[tuple[str, str, int]]:
    counts = watcher.counts
    return [
        ("提交", "submitted", counts["request.submitted"]),
        ("未结", "open", watcher.open),
        ("等待", "waiting", watcher.waiting),
        ("违约", "breached", counts["clock.breached"]),
        ("升级", "escalations", counts["escalation.raised"]),
        ("认领", "acknowledged", counts["escalation.acknowledged"]),
        ("通知", "notifications", counts["notification.sent"]),
    ]


def _words(line: Line, *, cut: bool = False) -> Text:
    text = Text(f"{line.at.astimezone(ZONE):%H:%M}  ", no_wrap=cut, overflow="ellipsis")
    text.append(f"{line.number} {line.priority}  ", "dim")
    text.append(line.zh, _TONES[line.tone])
    text.append(f"  {line.en}", "dim")
    return text

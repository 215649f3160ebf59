"""`levee calendar due | elapsed | show | check | export | import`: working time, explained."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo

import orjson
import typer
import yaml

from levee.calendars import answers
from levee.calendars.files import find_calendar, read_calendar, read_file
from levee.embedded import DEFINITIONS
from levee.running import JsonOption
from shared.business_time import Calendar, Pause, coverage
from shared.business_time.icalendar import read_icalendar, with_special_days, write_icalendar
from shared.definitions.parsing import parse_duration
from shared.errors import Invalid, LeveeError
from shared.time_source import SystemTime

calendar_app = typer.Typer(
    help="工作时间：到期、用时、查看、检查 / working time: due, elapsed, show, check.",
    no_args_is_help=True,
)

CalendarArgument = Annotated[
    str, typer.Argument(help="日历的 key 或文件 / key of a calendar, or its file")
]
FolderOption = Annotated[
    Path,
    typer.Option("--definitions", exists=True, help="定义目录 / folder of definitions"),
]
LanguageOption = Annotated[str, typer.Option("--language", help="zh-CN | en")]
PauseOption = Annotated[
    list[str] | None,
    typer.Option(
        "--pause", help="暂停，可重复 / a pause, repeatable: START/END, START/ if it lasts"
    ),
]
_MOMENT = "时刻；无时区偏移时按日历的时区 / moment; without an offset in the calendar's zone"


class MomentUnreadable(Invalid):
    """{value!r} is no moment: write 2026-02-13T16:00 or 2026-02-13T16:00+08:00."""

    zh: ClassVar[str] = "{value!r} 不是时刻：请写 2026-02-13T16:00 或 2026-02-13T16:00+08:00。"


class TimeUnreadable(Invalid):
    """{value!r} is no working time: write PT8H, PT30M or PT1H30M; a bare day means nothing."""

    zh: ClassVar[str] = "{value!r} 不是时长：请写 PT8H、PT30M 或 PT1H30M；单独的“天”没有确定含义。"


@calendar_app.command()
def due(
    calendar: CalendarArgument,
    start: Annotated[str, typer.Argument(help=_MOMENT)],
    target: Annotated[str, typer.Argument(help="工作时长，如 PT8H / working time such as PT8H")],
    pause: PauseOption = None,
    backward: Annotated[
        bool, typer.Option("--backward", help="向前推算最晚开始 / count back to the latest start")
    ] = False,
    language: LanguageOption = "zh-CN",
    definitions: FolderOption = DEFINITIONS,
    as_json: JsonOption = False,
) -> None:
    """何时到期，并说明每一段时间 / when a target is used up, every span explained."""
    found = find_calendar(calendar, definitions)
    at, time = _moment(start, found), _time(target)
    if backward:
        _show(answers.due_backward(found, at, time, language), as_json)
    else:
        _show(answers.due(found, at, time, _pauses(pause, found), language), as_json)


@calendar_app.command()
def elapsed(
    calendar: CalendarArgument,
    start: Annotated[str, typer.Argument(help=_MOMENT)],
    end: Annotated[str, typer.Argument(help=_MOMENT)],
    pause: PauseOption = None,
    language: LanguageOption = "zh-CN",
    definitions: FolderOption = DEFINITIONS,
    as_json: JsonOption = False,
) -> None:
    """用去多少工作时间 / how much working time passed between two moments, span by span."""
    found = find_calendar(calendar, definitions)
    begun, ended = _moment(start, found), _moment(end, found)
    _show(answers.elapsed(found, begun, ended, _pauses(pause, found), language), as_json)


@calendar_app.command()
def show(
    calendar: CalendarArgument,
    start: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="起始日期 / first date; today if absent"),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=800, help="天数 / how many days")] = 14,
    language: LanguageOption = "zh-CN",
    definitions: FolderOption = DEFINITIONS,
    as_json: JsonOption = False,
) -> None:
    """每一天何时开放、为何休息 / what is open on each day, and why not."""
    found = find_calendar(calendar, definitions)
    first = start.date() if start is not None else _today(found)
    _show(answers.show(found, first, days, language), as_json)
    if not as_json:
        typer.echo(answers.coverage_sentence(coverage(found, _today(found)), language))


@calendar_app.command()
def check(
    files: Annotated[
        list[Path] | None,
        typer.Argument(exists=True, help="日历文件；缺省为全部 / files; all that ship if none"),
    ] = None,
    language: LanguageOption = "zh-CN",
    definitions: FolderOption = DEFINITIONS,
    strict: Annotated[
        bool, typer.Option("--strict", help="节假日即将用尽也算失败 / fail on coverage alarms too")
    ] = False,
) -> None:
    """检查日历文件；有误则以 1 结束 / check calendar files: every fault with its remedy."""
    is_ok = True
    for path in files or sorted((definitions / "calendars").glob("*.yaml")):
        try:
            found = read_calendar(path)
        except LeveeError as error:
            is_ok = False
            _show_faults(path, error, language)
            continue
        known = coverage(found, _today(found))
        is_ok = is_ok and not (strict and known.is_alarming)
        sign = "!" if known.is_alarming else "✓"
        typer.echo(f"{sign} {path.name}: {answers.coverage_sentence(known, language)}")
    raise typer.Exit(0 if is_ok else 1)


@calendar_app.command()
def export(
    calendar: CalendarArgument,
    language: LanguageOption = "zh-CN",
    definitions: FolderOption = DEFINITIONS,
) -> None:
    """把节假日与例外导出为 iCalendar / write holidays and exceptions as iCalendar."""
    found = find_calendar(calendar, definitions)
    typer.echo(write_icalendar(found, SystemTime().now(), language), nl=False)


@calendar_app.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="iCalendar (.ics)")],
    into: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="日历文件 / calendar")],
    covered_until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="节假日已知至 / last date the file covers"),
    ] = None,
) -> None:
    """把 iCalendar 中的日子并入日历并打印 / print a calendar with the days of an .ics in it."""
    special = read_icalendar(file.read_text(encoding="utf-8-sig"))
    until = covered_until.date() if covered_until is not None else None
    merged = with_special_days(read_file(into), special, until)
    Calendar.from_dict(merged)
    typer.echo(yaml.safe_dump(merged, allow_unicode=True, sort_keys=False), nl=False)


def _show(told: answers.Told, as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(told.json, option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo("\n".join(told.sentences))


def _show_faults(path: Path, error: LeveeError, language: str) -> None:
    typer.echo(f"✗ {path.name}: {error.sentence(language)}")
    for fault in getattr(error, "findings", ()):
        tongue = "zh-CN" if language.startswith("zh") else "en"
        mend = fault.fix.get(tongue, "")
        typer.echo(f"    {fault.path}: {fault.message.get(tongue, fault.rule)}. {mend}".rstrip())


def _moment(text: str, calendar: Calendar) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise MomentUnreadable(value=text) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(calendar.zone))


def _time(text: str) -> timedelta:
    try:
        time = parse_duration(text.strip().upper())
    except (ValueError, OverflowError):
        raise TimeUnreadable(value=text) from None
    if "D" in text.upper():
        raise TimeUnreadable(value=text)
    return time


def _pauses(texts: list[str] | None, calendar: Calendar) -> list[Pause]:
    pauses = []
    for text in texts or ():
        start, _, end = text.partition("/")
        ended = _moment(end, calendar) if end.strip() else None
        pauses.append(Pause(_moment(start, calendar), ended))
    return pauses


def _today(calendar: Calendar) -> date:
    return SystemTime().now().astimezone(ZoneInfo(calendar.zone)).date()

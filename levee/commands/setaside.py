"""`levee setaside list | show | replay | dismiss | history`: messages nobody could handle."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
import typer

from levee.running import (
    DEFAULT_DATA,
    SERVICES,
    DataOption,
    HouseRefused,
    JsonOption,
    KeyOption,
    RunningHouse,
    UrlOption,
    find_house,
)
from levee.showing import show_rows
from shared.http.references import NUMBER

setaside_app = typer.Typer(
    help="无法处理而被搁置的消息 / messages nobody could handle.", no_args_is_help=True
)
ServiceOption = Annotated[
    str | None, typer.Option("--service", help="只看一个服务 / one service only")
]
TypeOption = Annotated[
    str | None, typer.Option("--type", help="只看一种事件或定时 / one type of event or timer")
]
CodeOption = Annotated[str | None, typer.Option("--code", help="只看一种原因 / one reason")]
RequestOption = Annotated[
    str | None,
    typer.Option("--request", help="只看一个请求：编号或 id / one request: number or id"),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="不再询问 / do not ask")]
LimitOption = Annotated[int, typer.Option(help="最多显示多少条 / how many at most", min=1)]
OffsetOption = Annotated[int, typer.Option(help="跳过多少条 / how many to leave out", min=0)]
EventArgument = Annotated[str, typer.Argument(help="消息编号 / id of the message, or `all`")]
#: Entries of one page of the API.
_PAGE = 200


@setaside_app.command(name="list")
def list_setaside(
    data: DataOption = DEFAULT_DATA,
    service: ServiceOption = None,
    type_: TypeOption = None,
    code: CodeOption = None,
    request: RequestOption = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="等待前序的消息 / those waiting for a predecessor")
    ] = False,
    limit: LimitOption = 500,
    offset: OffsetOption = 0,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """列出被搁置的消息及原因 / list them, each with its reason."""
    house = find_house(data, url, key)
    chosen = {"type": type_, "code": code, "request_id": request}
    found = _all(house, service, {**chosen, "waiting": "true" if waiting else None})
    shown = found[offset : offset + limit]
    if as_json:
        typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
        return
    headings = ("service", "event_id", "type", "request_id", "code", "detail", "held_at")
    show_rows(f"{len(shown)} / {len(found)} 条 / messages", headings, shown)


@setaside_app.command(name="show")
def show_setaside(
    event_id: Annotated[str, typer.Argument(help="消息编号 / id of the message")],
    data: DataOption = DEFAULT_DATA,
    service: ServiceOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """显示一条消息的全部内容 / show one whole: reason, what it says, what was decided before."""
    house = find_house(data, url, key)
    found = [one for name in _names(service) if (one := _look(house, name, event_id)) is not None]
    if not found:
        _nothing(event_id)
    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


@setaside_app.command(name="history")
def history(
    data: DataOption = DEFAULT_DATA,
    service: ServiceOption = None,
    limit: LimitOption = 100,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """谁在何时因何放弃或重放 / who replayed, dismissed or skipped what, when and why."""
    house = find_house(data, url, key)
    found: list[dict[str, Any]] = []
    for name in _names(service):
        page = house.get(f"/{name}/v1/settled?limit={min(limit, _PAGE)}")
        found += [{"service": name, **item} for item in page["items"]]
    found = sorted(found, key=lambda one: str(one["decided_at"]), reverse=True)[:limit]
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    headings = ("decided_at", "verb", "by", "reason", "service", "event_id", "type", "code")
    show_rows(f"{len(found)} 条 / decisions", headings, found)


@setaside_app.command(name="replay")
def replay_setaside(
    event_id: Annotated[
        str | None, typer.Argument(help="消息编号 / id of the message, or `all`")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    service: ServiceOption = None,
    type_: TypeOption = None,
    code: CodeOption = None,
    request: RequestOption = None,
    yes: YesOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """重新处理 / try again one, or all of a kind; ends with 1 when one failed again."""
    house = find_house(data, url, key)
    chosen = {"type": type_, "code": code, "request_id": request}
    found = _chosen(house, event_id, service, chosen)
    if event_id is None and not yes:
        question = f"重放 {len(found)} 条？/ Replay {len(found)} messages?"
        typer.confirm(question, abort=True)
    failed = 0
    for one in found:
        is_done = _replayed(house, one)
        failed += not is_done
        typer.echo(f"{one['event_id']}: {'完成 / done' if is_done else '再次失败 / failed again'}")
    raise typer.Exit(1 if failed else 0)


@setaside_app.command(name="dismiss")
def dismiss_setaside(
    event_id: EventArgument,
    reason: Annotated[
        str, typer.Option("--reason", help="为什么放弃，长期保存 / why; kept for good")
    ],
    data: DataOption = DEFAULT_DATA,
    service: ServiceOption = None,
    type_: TypeOption = None,
    code: CodeOption = None,
    request: RequestOption = None,
    yes: YesOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """放弃该消息，让后续继续 / give it up and let what waits behind it go on."""
    house = find_house(data, url, key)
    chosen = {"type": type_, "code": code, "request_id": request}
    found = _chosen(house, event_id, service, chosen)
    if event_id == "all" and not yes:
        question = f"放弃 {len(found)} 条？/ Dismiss {len(found)} messages for good?"
        typer.confirm(question, abort=True)
    for one in found:
        path = f"/{one['service']}/v1/setaside/{one['event_id']}/dismiss"
        house.post(path, {"reason": reason})
        typer.echo(f"{one['event_id']}: 完成 / done")


def _chosen(
    house: RunningHouse, event_id: str | None, service: str | None, chosen: dict[str, str | None]
) -> list[dict[str, Any]]:
    if event_id is None and not any(chosen.values()):
        typer.echo(
            "请给出编号、all，或 --code / --type / --request 之一 / "
            "name a message, `all`, or one of --code, --type, --request",
            err=True,
        )
        raise typer.Exit(2)
    found = _all(house, service, chosen)
    if event_id not in (None, "all"):
        found = [one for one in found if one["event_id"] == event_id]
    if not found:
        _nothing(event_id or ", ".join(f"{k}={v}" for k, v in chosen.items() if v))
    return found


def _nothing(what: str) -> None:
    typer.echo(f"没有被搁置的消息 {what} / nothing set aside under {what}", err=True)
    raise typer.Exit(1)


def _replayed(house: RunningHouse, one: dict[str, Any]) -> bool:
    path = f"/{one['service']}/v1/setaside/{one['event_id']}/replay"
    try:
        return bool(house.post(path)["is_done"])
    except HouseRefused as refused:
        # It went through behind one before it (404), or its timer was armed anew (409).
        return refused.params["status"] == 404


def _look(house: RunningHouse, name: str, event_id: str) -> dict[str, Any] | None:
    try:
        return {"service": name, **house.get(f"/{name}/v1/setaside/{event_id}")}
    except HouseRefused as refused:
        if refused.params["status"] == 404:
            return None
        raise


def _names(service: str | None) -> tuple[str, ...]:
    return (service,) if service else SERVICES


def _all(
    house: RunningHouse, service: str | None, chosen: dict[str, str | None]
) -> list[dict[str, Any]]:
    wanted = {name: value for name, value in chosen.items() if value is not None}
    if NUMBER.fullmatch(wanted.get("request_id", "")):
        # Set-aside messages know ids only; intake knows every number.
        number = wanted["request_id"].strip()
        wanted["request_id"] = house.get(f"/intake/v1/requests/{number}")["id"]
    found: list[dict[str, Any]] = []
    for name in _names(service):
        offset: int | None = 0
        while offset is not None:
            asked = urlencode({**wanted, "limit": _PAGE, "offset": offset})
            page = house.get(f"/{name}/v1/setaside?{asked}")
            found += [{"service": name, **item} for item in page["items"]]
            offset = page["next_offset"]
    return found

"""`levee setaside list | replay | dismiss`: messages nobody could handle."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from levee.running import (
    DEFAULT_DATA,
    SERVICES,
    DataOption,
    JsonOption,
    KeyOption,
    RunningHouse,
    UrlOption,
    find_house,
)

setaside_app = typer.Typer(
    help="无法处理而被搁置的消息 / messages nobody could handle.", no_args_is_help=True
)
ServiceOption = Annotated[
    str | None, typer.Option("--service", help="只看一个服务 / one service only")
]
EventArgument = Annotated[str, typer.Argument(help="消息编号 / id of the message, or `all`")]


@setaside_app.command(name="list")
def list_setaside(
    data: DataOption = DEFAULT_DATA,
    service: ServiceOption = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="等待前序的消息 / those waiting for a predecessor")
    ] = False,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """列出被搁置的消息及原因 / list them, each with its reason."""
    house = find_house(data, url, key)
    found = _all(house, service, waiting=waiting)
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    table = Table(title=f"{len(found)} 条 / messages")
    for heading in ("service", "event_id", "type", "request_id", "code", "detail", "held_at"):
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(
            one["service"],
            one["event_id"],
            one["type"],
            one["request_id"] or "–",
            one["code"],
            one["detail"][:200],
            one["held_at"],
        )
    Console().print(table)


@setaside_app.command(name="replay")
def replay_setaside(
    event_id: EventArgument,
    data: DataOption = DEFAULT_DATA,
    service: ServiceOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """重新处理 / try again; ends with 1 when it failed again."""
    _settle(find_house(data, url, key), event_id, service, "replay")


@setaside_app.command(name="dismiss")
def dismiss_setaside(
    event_id: EventArgument,
    data: DataOption = DEFAULT_DATA,
    service: ServiceOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """放弃该消息，让后续继续 / give it up and let what waits behind it go on."""
    _settle(find_house(data, url, key), event_id, service, "dismiss")


def _settle(house: RunningHouse, event_id: str, service: str | None, verb: str) -> None:
    chosen = [m for m in _all(house, service) if event_id in ("all", m["event_id"])]
    if not chosen:
        typer.echo(f"没有被搁置的消息 {event_id} / nothing set aside under {event_id}", err=True)
        raise typer.Exit(1)
    failed = 0
    for one in chosen:
        path = f"/{one['service']}/v1/setaside/{one['event_id']}/{verb}"
        is_done = house.post(path)["is_done"]
        failed += not is_done
        typer.echo(f"{one['event_id']}: {'完成 / done' if is_done else '再次失败 / failed again'}")
    raise typer.Exit(1 if failed else 0)


def _all(
    house: RunningHouse, service: str | None, *, waiting: bool = False
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name in (service,) if service else SERVICES:
        offset: int | None = 0
        while offset is not None:
            page = house.get(
                f"/{name}/v1/setaside?waiting={str(waiting).lower()}&limit=200&offset={offset}"
            )
            found += [{"service": name, **item} for item in page["items"]]
            offset = page["next_offset"]
    return found

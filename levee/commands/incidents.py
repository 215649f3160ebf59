"""`levee incidents groups | list | show | retry | dismiss`: processes that cannot go on."""

from __future__ import annotations

import getpass
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
import typer

from levee.running import (
    DEFAULT_DATA,
    DataOption,
    JsonOption,
    KeyOption,
    RunningHouse,
    UrlOption,
    find_house,
)
from levee.showing import show_rows

incidents_app = typer.Typer(
    help="停住的流程及其原因 / processes that cannot go on, and why.", no_args_is_help=True
)
IdArgument = Annotated[str, typer.Argument(help="故障编号 / id of the incident")]
ProcessOption = Annotated[str | None, typer.Option("--process", help="流程 / the process")]
ElementOption = Annotated[
    str | None, typer.Option("--element", help="图中元素 / the element in the diagram")
]
CodeOption = Annotated[str | None, typer.Option("--code", help="原因代码 / what went wrong")]
ByOption = Annotated[
    str | None, typer.Option("--by", help="由谁处理，默认为当前用户 / who does it; else you")
]
VariablesOption = Annotated[
    str | None,
    typer.Option("--variables", help="改正后的变量 / mended variables: '{\"limit\": 2}'"),
]
_PATH = "/router/v1/incidents"
#: Of one call: what takes longer tells how far it is.
_AT_ONCE = 100


@incidents_app.command(name="groups")
def list_groups(
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """按原因汇总 / what stands still where, the most frequent first."""
    found = find_house(data, url, key).get(f"{_PATH}/groups")["items"]
    headings = ("incidents", "process", "element_id", "code", "first_raised_at", "example")
    _tell(found, headings, "停住的流程 / processes standing still", as_json)


@incidents_app.command(name="list")
def list_incidents(
    data: DataOption = DEFAULT_DATA,
    process: ProcessOption = None,
    element: ElementOption = None,
    code: CodeOption = None,
    request: Annotated[
        str | None, typer.Option("--request", help="只看一个请求 / about one request (its id)")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="包括已处理的 / those that are over, too")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="条数 / how many at most")] = 100,
    offset: Annotated[int, typer.Option(min=0, help="跳过 / how many to leave out")] = 0,
    as_json: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """列出故障 / list incidents, oldest first."""
    asked: dict[str, Any] = {
        "process": process,
        "element_id": element,
        "code": code,
        "request_id": request,
        "state": None if everything else "open",
        "limit": limit,
        "offset": offset,
    }
    told = urlencode({name: value for name, value in asked.items() if value is not None})
    page = find_house(data, url, key).get(f"{_PATH}?{told}")
    headings = ("id", "process", "element_id", "code", "detail", "request_id", "raised_at")
    title = f"{len(page['items'])} / {page['total']} 条 / incidents"
    _tell(page["items"], headings, title, as_json)


@incidents_app.command(name="show")
def show_incident(
    incident_id: IdArgument,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """显示一条故障及当时的数据 / show one whole, with the values that led to it."""
    told = find_house(data, url, key).get(f"{_PATH}/{incident_id}")
    typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())


@incidents_app.command(name="retry")
def retry_incidents(
    incident_id: Annotated[
        str | None, typer.Argument(help="故障编号，省略则按条件批量 / id; else all of a cause")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    process: ProcessOption = None,
    element: ElementOption = None,
    code: CodeOption = None,
    variables: VariablesOption = None,
    by: ByOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """再试一次 / let them try again; ends with 1 when some stand still again."""
    house = find_house(data, url, key)
    body: dict[str, Any] = {"by": by or getpass.getuser(), "variables": _variables(variables)}
    if incident_id is not None:
        told = house.post(f"{_PATH}/{incident_id}/retry", body)
        again = house.get(f"{_PATH}?state=open&request_id={told['request_id']}")["items"]
        typer.echo(f"{told['id']}: 已重试 / tried again")
        for one in again:
            typer.echo(f"{one['id']}: 仍停住 / stands still: {one['code']}: {one['detail']}")
        raise typer.Exit(1 if again else 0)
    chosen = {"process": process, "element_id": element, "code": code}
    if not any(chosen.values()):
        typer.echo(
            "请给出编号，或 --process / --element / --code 之一 / "
            "name an incident, or one of --process, --element, --code",
            err=True,
        )
        raise typer.Exit(2)
    wanted = {name: value for name, value in chosen.items() if value is not None}
    raise typer.Exit(_retry_all(house, {**body, **wanted, "limit": _AT_ONCE}))


def _retry_all(house: RunningHouse, body: dict[str, Any]) -> int:
    """Retry page by page, telling how far it is; return 1 when some stand still again."""
    retried = failed = 0
    while True:
        told = house.post(f"{_PATH}/retry", body)
        retried, failed = retried + told["retried"], failed + len(told["failed"])
        for one in told["failed"]:
            typer.echo(f"{one['incident_id']}: {one['message']['zh-CN']} / {one['message']['en']}")
        typer.echo(
            f"已重试 {retried}，还有 {told['more']}，仍停住 {told['left']} / "
            f"tried {retried}, {told['more']} to go, standing still {told['left']}"
        )
        if not told["more"] or not told["retried"]:
            return 1 if told["left"] or failed else 0
        # Those of before only: what stands still again is not tried for ever.
        body = {**body, "raised_by": told["raised_by"]}


@incidents_app.command(name="dismiss")
def dismiss_incident(
    incident_id: IdArgument,
    data: DataOption = DEFAULT_DATA,
    by: ByOption = None,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """忽略没有流程在等待的故障 / put one away that nothing waits for."""
    house = find_house(data, url, key)
    house.post(f"{_PATH}/{incident_id}/dismiss", {"by": by or getpass.getuser()})
    typer.echo(f"{incident_id}: 完成 / done")


def _variables(told: str | None) -> dict[str, Any]:
    if told is None:
        return {}
    try:
        values = orjson.loads(told)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"不是 JSON / not JSON: {error}") from error
    if not isinstance(values, dict):
        raise typer.BadParameter("应为 JSON 对象 / a JSON object is needed")
    return values


def _tell(
    found: list[dict[str, Any]], headings: tuple[str, ...], title: str, as_json: bool
) -> None:
    if as_json:
        typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
        return
    show_rows(title, headings, found)

"""`levee clocks move | moves`: running clocks put under what is in force, previewed and undone.

Ends with 0 when done, 1 when the house refuses, 2 when asked wrongly.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import orjson
import typer

from levee.options import DEFAULT_DATA, DataOption, JsonOption, KeyOption, UrlOption
from shared.errors import Invalid
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from levee.running import RunningHouse

clocks_app = typer.Typer(
    help="计时：把运行中的时限迁到现行版本 / clocks: move running ones to what is in force.",
    no_args_is_help=True,
)
#: A preview computes every running request.
_PREVIEW_WITHIN_S = 600.0
_LOOK_EVERY_S = 0.5


class OneThing(Invalid):
    """Say one of --preview, --apply and --undo MOVE."""

    zh: ClassVar[str] = "请指明 --preview、--apply 或 --undo 迁移编号 之一。"


class WhoAndWhy(Invalid):
    """Say who moves the clocks and why: --by NAME --reason TEXT; both are kept in the log."""

    zh: ClassVar[str] = "请说明由谁、为何迁移：--by 姓名 --reason 原因；两者都会记入日志。"


class StillWaiting(Invalid):
    """The move {move_id} goes on in the background; {waiting} requests wait. Look again later."""

    zh: ClassVar[str] = "迁移 {move_id} 仍在后台进行，还有 {waiting} 个请求在等待；请稍后查看。"


@clocks_app.command()
def move(
    preview: Annotated[
        bool, typer.Option("--preview", help="只看会改变什么 / what it would change, nothing more")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="迁移所有运行中的时限 / move all running clocks")
    ] = False,
    undo: Annotated[
        str | None, typer.Option("--undo", metavar="MOVE", help="撤销一次迁移 / undo a move")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="由谁 / who")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="为何 / why")] = None,
    wait_s: Annotated[
        float, typer.Option("--wait", help="最多等待多少秒完成 / seconds to wait until it is done")
    ] = 0.0,
    as_json: JsonOption = False,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """预览、执行或撤销迁移 / preview, apply or undo a move to the versions in force."""
    if preview + apply + (undo is not None) != 1:
        raise OneThing
    if not preview and not (by and reason):
        raise WhoAndWhy
    house = _house(data, url, key)
    if preview:
        answer = house.ask("GET", "/clock/v1/moves/preview", within_s=_PREVIEW_WITHIN_S)
        _show(answer.json(), _previewed, as_json)
        return
    path = "/clock/v1/moves" if undo is None else f"/clock/v1/moves/{undo}/undo"
    begun = house.post(path, {"by": by, "reason": reason})
    done = _watched(house, begun["id"], wait_s)
    _show(done, _moved, as_json)
    if wait_s and not done["is_done"]:
        raise StillWaiting(move_id=done["id"], waiting=done["waiting"])


@clocks_app.command(name="moves")
def list_moves(
    limit: Annotated[int, typer.Option(min=1, max=500, help="最多几条 / at most")] = 20,
    as_json: JsonOption = False,
    data: DataOption = DEFAULT_DATA,
    url: UrlOption = None,
    key: KeyOption = None,
) -> None:
    """列出历次迁移，最近的在前 / the log of moves, newest first."""
    found = _house(data, url, key).get(f"/clock/v1/moves?limit={limit}")["items"]
    if as_json:
        typer.echo(orjson.dumps(found).decode())
        return
    for one in found:
        typer.echo(_line(one))
    if not found:
        typer.echo("没有迁移 / no move yet")


def _house(data: Any, url: str | None, key: str | None) -> RunningHouse:
    from levee.running import find_house

    return find_house(data, url, key)


def _watched(house: RunningHouse, move_id: str, wait_s: float) -> Any:
    """Return a move as it stands when it is done, or after so many seconds."""
    time = SystemTime()
    until = time.monotonic() + wait_s
    while True:
        told = house.get(f"/clock/v1/moves/{move_id}")
        if told["is_done"] or time.monotonic() >= until:
            return told
        signal.sigtimedwait((), _LOOK_EVERY_S)


def _show(told: Any, words: Any, as_json: bool) -> None:
    typer.echo(orjson.dumps(told).decode() if as_json else words(told))


def _previewed(told: dict[str, Any]) -> str:
    lines = [
        f"运行中的请求 / running requests: {told['requests']:,}",
        f"时限会改变 / would change: {told['requests_changed']:,}",
        f"因此新超时的时限 / clocks newly late: {told['newly_breached']:,}",
        f"因此不再超时的时限 / clocks no longer late: {told['no_longer_breached']:,}",
    ]
    for one in told["examples"]:
        lines.append(f"  {one['request_id']}: {', '.join(one['newly_breached'])}")
    return "\n".join(lines)


def _moved(told: dict[str, Any]) -> str:
    state = "完成 / done" if told["is_done"] else "进行中 / under way"
    return (
        f"{told['id']}  {state}\n"
        f"请求 / requests: {told['requests']:,}，等待 / waiting: {told['waiting']:,}\n"
        f"撤销 / undo: levee clocks move --undo {told['id']} --by … --reason …"
    )


def _line(told: dict[str, Any]) -> str:
    what = f"撤销 / undoes {told['undoes']}" if told["undoes"] else ""
    if told.get("extends"):
        what = f"节假日公布 / holidays of {told['extends']}"
    parts = [told["created_at"], told["id"], told["moved_by"], f"{told['requests']:,}", what]
    return "  ".join(part for part in (*parts, told["reason"]) if part)

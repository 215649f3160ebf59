"""`levee audit`: prove that the services agree about every request."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import httpx
import orjson
import typer
from rich.console import Console

from levee.auditing.sources import HttpSource
from levee.auditing.stopped import stopped_house
from levee.auditing.telling import as_json, show
from levee.auditing.walk import Report, audit
from levee.embedded import Folder
from levee.running import (
    DEFAULT_DATA,
    SERVICES,
    DataOption,
    JsonOption,
    KeyOption,
    UrlOption,
    find_house,
)
from shared.service import loop_factory

if TYPE_CHECKING:
    from pathlib import Path

    from levee.running import RunningHouse

#: One call may read a page of a busy house's books.
_TIMEOUT_S = 60.0

SinceOption = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
        help="只核对此后提交的请求（UTC）/ only requests made since (UTC)",
    ),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="仍在途中的也算不符 / what is merely late counts too")
]
ToleranceOption = Annotated[
    float, typer.Option(min=1, max=86_400, help="到期多少秒后算过期 / seconds until overdue")
]
GraceOption = Annotated[
    float, typer.Option(min=0, max=3_600, help="等待在途事件的秒数 / seconds to wait for events")
]


def audit_house(
    data: DataOption = DEFAULT_DATA,
    as_json_: JsonOption = False,
    url: UrlOption = None,
    key: KeyOption = None,
    since: SinceOption = None,
    strict: StrictOption = False,
    tolerance: ToleranceOption = 60,
    grace: GraceOption = 30,
) -> None:
    """核对各服务：无丢失、无重复、无滞留 / prove that nothing is lost, doubled or stuck.

    Works on a running house, and on a stopped one in the data folder. Ends with 0 only when
    everything adds up.
    """
    moment = None if since is None else since.replace(tzinfo=UTC)
    late_after, wait = timedelta(seconds=tolerance), timedelta(seconds=grace)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        if url is None and Folder(data).running() is None and data.exists():
            report = runner.run(audit_stopped(data, moment, late_after))
        else:
            house = find_house(data, url, key)
            report = runner.run(audit_running(house, moment, late_after, wait))
    if as_json_:
        told = as_json(report, is_strict=strict)
        options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z
        typer.echo(orjson.dumps(told, option=options).decode())
    else:
        show(report, Console(soft_wrap=True), is_strict=strict)
    raise typer.Exit(0 if report.is_clean(is_strict=strict) else 1)


async def audit_running(
    house: RunningHouse, since: datetime | None, tolerance: timedelta, grace: timedelta
) -> Report:
    """Audit a house through its API."""
    headers = {"Authorization": f"Bearer {house.key}"}
    base = house.url.rstrip("/")
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=_TIMEOUT_S) as http:
        sources = {name: HttpSource(http, name, tolerance) for name in SERVICES}
        return await audit(sources, since=since, grace=grace)


async def audit_stopped(data: Path, since: datetime | None, tolerance: timedelta) -> Report:
    """Audit a house whose files lie here; nothing moves, so nothing is waited for."""
    async with stopped_house(Folder(data), tolerance) as (sources, _):
        return await audit(sources, since=since, grace=timedelta(0))

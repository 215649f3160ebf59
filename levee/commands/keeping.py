"""`levee backup` and `levee restore`: the house as it was at one moment."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from levee.embedded import Folder
from levee.keeping import restoring
from levee.keeping.backing_up import back_up, prune
from levee.keeping.errors import NotEmpty
from levee.keeping.services import settings_of, urls_deployed, urls_in
from levee.running import DEFAULT_DATA, SERVICES, DataOption, JsonOption
from shared.bus import nats
from shared.bus.port import STREAMS, kept_streams, publisher_of
from shared.errors import Unavailable
from shared.events.register import PUBLISHERS
from shared.service import loop_factory
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from levee.keeping.restoring import Restored

#: A small file kept with the databases: the hashes of the API keys.
_KEYS = "keys.json"

DeployedOption = Annotated[
    bool,
    typer.Option(
        "--deployed",
        help="按各服务的环境变量（如 CLOCK_DATABASE_URL）/ databases and NATS as the services'"
        " own variables name them, instead of a data folder",
    ),
]


class BusSilent(Unavailable):
    """NATS does not answer {service}, so nobody can tell whether its stream is empty.

    Start NATS (with an empty store) and restore again.
    """

    zh: ClassVar[str] = (
        "NATS 没有响应 {service}，无法确认其消息流是否为空。请启动 NATS（空存储）后再恢复。"
    )


def backup(
    into: Annotated[Path, typer.Argument(help="备份的上级目录 / folder to put it into")],
    data: DataOption = DEFAULT_DATA,
    deployed: DeployedOption = False,
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="只保留最新的若干个 / afterwards keep only so many"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """备份整个系统，无需停机 / back up the whole house, running or stopped.

    Six databases at one moment; the house works on meanwhile. What was not heard yet stands in
    the outboxes, so the streams need no copy.
    """
    folder = Folder(data)
    urls = urls_deployed() if deployed else urls_in(folder)
    others = {} if deployed or not folder.keys_file.exists() else {_KEYS: folder.keys_file}
    console = Console(stderr=True, soft_wrap=True)
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
    )
    with (
        Progress(*columns, console=console, disable=as_json) as shown,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        bars = {name: shown.add_task(name, total=1.0) for name in urls}
        path, told = runner.run(
            back_up(
                urls,
                into,
                others=others,
                progress=lambda name, share: shown.update(bars[name], completed=share),
            )
        )
    gone = prune(into, keep) if keep is not None else []
    if as_json:
        answer = {"folder": str(path), "removed": [str(one) for one in gone], **told.model_dump()}
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())
        return
    rows = sum(sum(part.rows.values()) for part in told.services.values())
    out = Console(soft_wrap=True)
    out.print(f"[green]{path}[/]")
    out.print(f"  时刻 / moment        {told.cut_at:%Y-%m-%d %H:%M:%S.%f} UTC")
    out.print(f"  写入暂停 / held      {told.held_ms:g} ms")
    out.print(f"  内容 / holds         {rows:,} rows, {told.total_bytes / 1e6:,.1f} MB")
    for one in gone:
        out.print(f"  已删除 / removed     {one}")


def restore(
    backup_folder: Annotated[
        Path, typer.Argument(metavar="BACKUP", help="一个备份目录 / the folder of one backup")
    ],
    data: DataOption = DEFAULT_DATA,
    deployed: DeployedOption = False,
    skip_numbers: Annotated[
        int,
        typer.Option(
            min=0, help="跳过的请求编号数 / request numbers left out, as they may be in use"
        ),
    ] = restoring.NUMBERS_SKIPPED,
    accept_faults: Annotated[
        bool,
        typer.Option("--accept-faults", help="核对不符也恢复 / put it back even if unsound"),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """恢复到空的系统，并核对 / restore into an empty house, audited on the way.

    Either everything is put in place or nothing.
    """
    folder = Folder(data)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        if deployed:
            urls = urls_deployed()
            runner.run(_require_empty_streams())
        else:
            restoring.require_free(folder)
            urls = {
                name: f"sqlite+aiosqlite:///{folder.databases.resolve() / name}.db"
                for name in SERVICES
            }
        console = Console(stderr=True, soft_wrap=True, quiet=as_json)
        told = runner.run(
            restoring.restore(
                backup_folder,
                urls,
                staging=None if deployed else folder.path,
                numbers=skip_numbers,
                accept_faults=accept_faults,
                progress=lambda step: console.print(f"  {step}"),
            )
        )
    if not deployed and _KEYS in told.manifest.others and not folder.keys_file.exists():
        folder.keys_file.touch(mode=0o600)
        folder.keys_file.write_bytes((backup_folder / _KEYS).read_bytes())
    _show(told, as_json=as_json)


async def _require_empty_streams() -> None:
    """Raise `NotEmpty` where a stream holds, or ever held, anything; `BusSilent` if unknown.

    Services that were put back to the backup's moment would hear there what they said after it.
    """
    for name in PUBLISHERS:
        settings = settings_of(name)
        password = settings.nats_password
        bus = await nats.connect(
            settings.nats_url.split(","),
            name="levee-restore",
            time=SystemTime(),
            user=settings.nats_user,
            password=password.get_secret_value() if password else None,
            creds=settings.nats_creds,
            tls=settings.nats_tls(),
            replicas=settings.nats_replicas,
            streams=kept_streams({name: settings.stream_keep}),
            owner=name,
        )
        try:
            for stream in (spec.name for spec in STREAMS if publisher_of(spec.name) == name):
                last = await bus.last_sequence(stream)
                if last is None:
                    raise BusSilent(service=name)
                if last:
                    raise NotEmpty(place=stream, what=f"its last sequence is {last}")
        finally:
            await bus.close()


def _show(told: Restored, *, as_json: bool) -> None:
    if as_json:
        answer: dict[str, Any] = {
            "cut_at": told.manifest.cut_at,
            "written_by": told.manifest.version,
            "requests": told.requests,
            "events_to_publish_again": told.events,
            "deliveries_marked_possibly_repeated": told.doubts,
            "numbers_skipped": told.numbers_skipped,
            "late": told.late,
            "faults": told.faults,
        }
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())
        return
    out = Console(soft_wrap=True)
    colour = "yellow" if told.faults else "green"
    out.print(f"[{colour}]已恢复 / restored[/] {told.manifest.cut_at:%Y-%m-%d %H:%M:%S} UTC")
    out.print(f"  请求 / requests                     {told.requests:,}")
    out.print(f"  将重新发布 / events published again  {told.events:,}")
    out.print(f"  标为可能重复 / deliveries in doubt   {told.doubts:,}")
    out.print(f"  跳过编号 / numbers left out         {told.numbers_skipped:,}")
    if told.faults:
        out.print(f"  核对不符 / do not add up            {told.faults:,}")
    out.print("  启动后再核对一次 / start the house, then run `levee audit` once more")

"""`levee up`: the whole house on this machine."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Annotated, ClassVar

import typer
from rich.console import Console

from levee.embedded import DEFINITIONS, Folder, real_house
from levee.running import DEFAULT_DATA, DataOption, LevelOption, LogLevel
from levee.separate import separate_house
from shared.errors import Refused
from shared.observability import log_to_stderr
from shared.service import loop_factory, serve_app

HostOption = Annotated[str, typer.Option(help="监听地址 / address to listen on")]
PortOption = Annotated[int, typer.Option(help="端口 / port", min=1, max=65535)]
DefinitionsOption = Annotated[
    Path, typer.Option(help="流程与决策表目录 / folder of processes and tables", exists=True)
]


class PortTaken(Refused):
    """Port {port} on {host} is taken: choose another one with --port."""

    zh: ClassVar[str] = "{host} 的端口 {port} 已被占用：请用 --port 指定其他端口。"


class AlreadyRunning(Refused):
    """A house runs on {folder} already: {url} (stop it with `levee down`)."""

    zh: ClassVar[str] = "{folder} 上已有系统在运行：{url}（可用 levee down 停止）。"


def up(
    data: DataOption = DEFAULT_DATA,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8080,
    definitions: DefinitionsOption = DEFINITIONS,
    separate: Annotated[
        bool, typer.Option("--separate", help="每个服务一个进程 / one process per service")
    ] = False,
    log_level: LevelOption = LogLevel.WARNING,
) -> None:
    """启动整个系统 / run the whole house until Ctrl-C."""
    folder = Folder(data)
    check_free(folder, host, port)
    log_to_stderr("levee", log_level)
    run_house = separate_house if separate else _run
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(run_house(folder, host, port, definitions))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def check_free(folder: Folder, host: str, port: int) -> None:
    """Raise `AlreadyRunning` or `PortTaken` before anything is started."""
    told = folder.running()
    if told is not None:
        raise AlreadyRunning(folder=folder.path, url=told["url"])
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(host=host, port=port) from error


def tell_addresses(url: str, folder: Folder) -> None:
    """Print where everything is."""
    console = Console(soft_wrap=True)
    console.print(f"[bold green]Levee[/] {url}")
    console.print(f"  看板 / board          {url}/")
    console.print(f"  目录 / catalogue      {url}/v1/catalogue")
    console.print(f"  提交 / submit         POST {url}/v1/requests")
    console.print(f"  密钥 / operator key   {folder.operator_key_file}")
    console.print("  状态 / status         levee status        停止 / stop   levee down")


async def _run(folder: Folder, host: str, port: int, definitions: Path) -> None:
    url = f"http://{host}:{port}"
    try:
        async with real_house(folder, url, definitions=definitions) as house:
            folder.note_running(url)
            tell_addresses(url, folder)
            await serve_app(house.app(), host, port)
    finally:
        folder.note_stopped()

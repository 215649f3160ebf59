"""The options every command that asks a house has."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


DataOption = Annotated[
    Path,
    typer.Option("--data", envvar="LEVEE_DATA", help="数据目录 / folder of the house's data"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="供脚本使用 / for scripts")]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", envvar="LEVEE_URL", help="房屋地址 / address of a house elsewhere"),
]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", envvar="LEVEE_KEY", help="API 密钥 / API key for a house elsewhere"),
]
LevelOption = Annotated[
    LogLevel,
    typer.Option("--log-level", case_sensitive=False, help="日志级别 / what is logged"),
]

DEFAULT_DATA = Path(".levee")

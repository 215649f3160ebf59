"""Talks to the running house: the command line goes through its API (contracts.md, Storage)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar

import httpx
import typer

from levee.embedded import Folder
from shared.errors import LeveeError


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
SERVICES = ("intake", "router", "clock", "escalation", "notify", "insight")


class NoHouse(LeveeError):
    """No house runs on {folder}: start one with `levee up`, or name one with --url and --key."""

    zh: ClassVar[str] = (
        "{folder} 上没有运行中的系统：请先运行 levee up，或用 --url 与 --key 指定一个。"
    )


class HouseSilent(LeveeError):
    """The house at {url} does not answer: {reason}"""

    zh: ClassVar[str] = "{url} 处的系统没有响应：{reason}"


class HouseRefused(LeveeError):
    """The house refused: {title} ({status})"""

    zh: ClassVar[str] = "系统拒绝：{title}（{status}）"


@dataclass(frozen=True, slots=True)
class RunningHouse:
    """A house that answers HTTP."""

    url: str
    key: str

    def get(self, path: str, accept: tuple[int, ...] = (200,)) -> Any:
        """Return the JSON at a path."""
        return self._call("GET", path, accept).json()

    def text(self, path: str) -> str:
        """Return the text at a path."""
        return self._call("GET", path, (200,)).text

    def post(self, path: str, body: Any = None) -> Any:
        """Post, with a JSON body if there is one, and return the JSON of the answer."""
        return self._call("POST", path, (200, 201, 202), body).json()

    def _call(
        self, method: str, path: str, accept: tuple[int, ...], body: Any = None
    ) -> httpx.Response:
        try:
            answer = httpx.request(
                method,
                self.url.rstrip("/") + path,
                headers={"Authorization": f"Bearer {self.key}"},
                json=body,
                timeout=15,
            )
        except httpx.HTTPError as error:
            raise HouseSilent(url=self.url, reason=str(error)) from error
        if answer.status_code not in accept:
            told = _problem(answer)
            raise HouseRefused(title=told, status=answer.status_code)
        return answer


def find_house(data: Path, url: str | None, key: str | None) -> RunningHouse:
    """Return the house on a data folder, or the one named; raise `NoHouse`."""
    if url is not None:
        return RunningHouse(url, key or "")
    folder = Folder(data)
    told = folder.running()
    if told is None:
        raise NoHouse(folder=data)
    return RunningHouse(told["url"], key or folder.operator_key())


def _problem(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("title", answer.text[:200]))
    except ValueError:
        return answer.text[:200]

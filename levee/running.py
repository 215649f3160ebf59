"""Talks to the running house: the command line goes through its API (contracts.md, Storage)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx

from levee.folder import Folder
from levee.options import (
    DEFAULT_DATA,
    DataOption,
    JsonOption,
    KeyOption,
    LevelOption,
    LogLevel,
    UrlOption,
)
from shared.errors import LeveeError

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

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        accept: tuple[int, ...] = (200,),
        within_s: float = 15,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Return the answer, also one that says no with a status in `accept`."""
        return self._call(method, path, accept, body, within_s, headers)

    def _call(
        self,
        method: str,
        path: str,
        accept: tuple[int, ...],
        body: Any = None,
        within_s: float = 15,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        try:
            answer = httpx.request(
                method,
                self.url.rstrip("/") + path,
                # Without a key the house says that one is needed; an empty one is no header.
                headers={
                    **({"Authorization": f"Bearer {self.key}"} if self.key else {}),
                    **(headers or {}),
                },
                json=body,
                timeout=within_s,
            )
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError) as error:
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
    """Return what the house says of its refusal, in both languages where it does."""
    try:
        told = answer.json()
        sentences = told.get("sentences") or {}
        both = [sentences[language] for language in ("zh-CN", "en") if language in sentences]
        return " / ".join(both) or str(told.get("title", answer.text[:200]))
    except (ValueError, AttributeError, TypeError):
        return answer.text[:200]


__all__ = [
    "DEFAULT_DATA",
    "SERVICES",
    "DataOption",
    "HouseRefused",
    "HouseSilent",
    "JsonOption",
    "KeyOption",
    "LevelOption",
    "LogLevel",
    "NoHouse",
    "RunningHouse",
    "UrlOption",
    "find_house",
]

"""The folder a demo may use: its own, never a real house's."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from levee.running import SERVICES
from shared.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from levee.embedded import Folder

#: Says that everything beside it was made by the demo.
MARK = "demo.json"
#: The log of the house the demo leaves up.
LOG = "up.log"


class NotADemoHouse(Refused):
    """{folder} holds a house the demo did not make: choose another with --data or LEVEE_DATA."""

    zh: ClassVar[str] = (
        "{folder} 中的系统不是演示生成的，不会改动；请用 --data 或 LEVEE_DATA 指定其他目录。"
    )


class DemoRuns(Refused):
    """A house runs on {folder} already: {url} (stop it with `make down` or `levee down`)."""

    zh: ClassVar[str] = "{folder} 上已有系统在运行：{url}（请先执行 make down 或 levee down）。"


def clear(folder: Folder) -> None:
    """Make the folder ready for a new day: wipe what an earlier demo left, and nothing else.

    Raises `DemoRuns` and `NotADemoHouse`; nothing was touched then.
    """
    told = folder.running()
    if told is not None:
        raise DemoRuns(folder=folder.path, url=told["url"])
    mark = folder.path / MARK
    left = [path for path in _made_by_a_house(folder) if path.exists()]
    if left and not mark.is_file():
        raise NotADemoHouse(folder=folder.path)
    for path in left:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    folder.path.mkdir(parents=True, exist_ok=True)
    # Before anything is made, so that an interrupted demo can be cleared away too.
    mark.write_bytes(orjson.dumps({"made_by": "levee demo"}))


def note(folder: Folder, **what: Any) -> None:
    """Write down what the demo made."""
    (folder.path / MARK).write_bytes(orjson.dumps({"made_by": "levee demo", **what}))


def _made_by_a_house(folder: Folder) -> list[Path]:
    names = ("keys.json", "operator.key", "running.json", LOG)
    logs = (f"{name}.log" for name in SERVICES)
    return [folder.databases, folder.store, *(folder.path / name for name in (*names, *logs))]

"""Who may put which definition in force: whoever knows what is in force, and nobody by chance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from shared.errors import Finding, Invalid, NotFound, Refused

#: Nothing under this name is in force yet, as far as the caller knows.
NOTHING = "none"
#: Something under this name is in force, whatever it is.
ANYTHING = "*"
#: Digits of a hash that name a content well enough: what `levee process list` shows.
SHORT_HASH = 12

_VERSION = re.compile(r"v?([1-9][0-9]{0,8})", re.ASCII)
_HASH = re.compile(rf"[0-9a-f]{{{SHORT_HASH},64}}")


class SomebodyWasFaster(Refused):
    """{kind}/{key} is not what you saw: version {version} ({released_by}) is in force.

    Look at it (`levee process show {kind}/{key}`), take over what it says, and apply again.
    """

    zh: ClassVar[str] = (
        "{kind}/{key} 已不是你所看到的：现行版本为 {version}（{released_by} 发布）。"
        "请先查看（levee process show {kind}/{key}），合并后再应用。"
    )
    status: ClassVar[int] = 412


class DefinitionsMoved(Refused):
    """Other definitions came into force while these were being checked; try again."""

    zh: ClassVar[str] = "检查期间其他定义已生效，请重试。"


class NoSuchDefinition(NotFound):
    """Nothing was ever released as {kind}/{key}."""

    zh: ClassVar[str] = "从未发布过 {kind}/{key}。"


class NoSuchVersion(NotFound):
    """There is no version {version} of {kind}/{key}; the newest is {newest}."""

    zh: ClassVar[str] = "{kind}/{key} 没有版本 {version}，最新的是 {newest}。"


class NothingRefused(NotFound):
    """Nothing refused of {kind}/{key} stands open.

    `levee process list` shows what does, `levee process list --refused` what did once.
    """

    zh: ClassVar[str] = (
        "{kind}/{key} 没有未了结的拒绝。levee process list 列出未了结的，"
        "levee process list --refused 列出已了结的。"
    )


class FileIsWrong(Refused):
    """{file} lies in the folder of definitions and is still wrong: mend it or take it away there.

    It is refused as long as it is; what is in force stays in force.
    """

    zh: ClassVar[str] = (
        "{file} 仍在定义目录中且仍有错误：请在目录中修正或移走它。"
        "在此之前它会一直被拒绝，现行版本保持不变。"
    )


class NotReleasable(Invalid):
    """Nothing was put in force: {refused} of {count} definitions cannot be released."""

    zh: ClassVar[str] = "没有发布任何定义：{count} 个中有 {refused} 个不可发布。"

    def __init__(self, verdicts: Iterable[Mapping[str, Any]], findings: Iterable[Finding]) -> None:
        files = [dict(verdict) for verdict in verdicts]
        refused = sum(file["verdict"] != "ok" for file in files)
        super().__init__(findings, files=files, count=len(files), refused=refused)


def version_meant(seen: str) -> int | None:
    """Return the version that was meant, None where it is none."""
    found = _VERSION.fullmatch(seen)
    return None if found is None else int(found.group(1))


def is_readable(seen: str) -> bool:
    """Whether this names a state of a definition: a version, a hash, `*` or `none`."""
    return (
        seen in (NOTHING, ANYTHING)
        or _VERSION.fullmatch(seen) is not None
        or _HASH.fullmatch(seen) is not None
    )


def is_as_seen(seen: Iterable[str], version: int | None, content_hash: str) -> bool:
    """Whether one of what a caller had seen is in force; `version` None: nothing is."""
    if version is None:
        return NOTHING in seen
    return any(
        each == ANYTHING
        or version_meant(each) == version
        or (_HASH.fullmatch(each) is not None and content_hash.startswith(each))
        for each in seen
    )

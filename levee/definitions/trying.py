"""What would become of a request by the definitions of a folder: no house is needed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from pydantic import ValidationError

from services.clock.api.promising import asked
from services.clock.domain.facts import Routed
from services.clock.store import Shelf
from services.clock.store.shelf import Shelved
from services.router.api.released import verdict_json
from services.router.api.trying import TryBody, tried
from services.router.gateways import Folder, check_together, read_directory
from services.router.store import InForce, Released, Repository
from services.router.store.releases import content_hash
from shared.errors import Invalid, LeveeError, NotFound
from shared.http.problems import validation_finding
from shared.targets.rows import DECISION
from shared.vocabulary import Priority

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

#: Answers leave as those of a house do.
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


class NoDefinitions(NotFound):
    """There is no definition in {folder}."""

    zh: ClassVar[str] = "{folder} 中没有定义。"


class FolderRefused(Invalid):
    """The definitions in {folder} could not be released as they are."""

    zh: ClassVar[str] = "{folder} 中的定义目前无法发布。"

    def __init__(self, folder: Path, verdicts: Sequence[Mapping[str, Any]]) -> None:
        self.verdicts = [dict(verdict) for verdict in verdicts]
        super().__init__(folder=folder)


class InputInvalid(Invalid):
    """The request could not be posted like this."""

    zh: ClassVar[str] = "这样的请求无法提交。"


def try_in_folder(folder: Path, request: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return lane, steps, decisions and promises of a request, by what lies in a folder.

    Raises `NoDefinitions`, `FolderRefused` with a verdict per file, `InputInvalid`.
    """
    files = Folder(folder)
    found = files.changed()
    if not found:
        raise NoDefinitions(folder=folder)
    checked = check_together(found, InForce())
    if not all(verdict.is_ok for verdict in checked):
        wrong = zip(found, checked, strict=True)
        raise FolderRefused(folder, [verdict_json(f, c) for f, c in wrong if not c.is_ok])
    released = [
        Released(each.kind, each.key, 1, verdict.text, content_hash(verdict.text))
        for each, verdict in zip(found, checked, strict=True)
    ]
    seed = files.directory_seed()
    directory = read_directory(seed) if seed is not None else None
    try:
        body = TryBody.model_validate(request)
    except ValidationError as error:
        raise InputInvalid([validation_finding(detail) for detail in error.errors()]) from error
    told: dict[str, Any] = _plain(tried(body, Repository.of(released, directory), now))
    return told | promised(released, told["ask_clock"], now)


def promised(
    released: Sequence[Released], question: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Return what the clock would promise by these definitions, or why it cannot."""
    library = Shelved(Shelf(), {})
    routed = Routed(
        at=now,
        submitted_at=datetime.fromisoformat(question["submitted_at"]),
        number="",
        request_type=question["request_type"],
        domain=question["domain"],
        channel=question["channel"],
        customer_tier=question["customer_tier"],
        priority=Priority(question["priority"]),
        team=question["team"],
        organisation_unit=question["organisation_unit"] or "",
    )
    try:
        for each in released:
            if each.kind == "calendar" or (each.kind, each.key) == ("decision", DECISION):
                library.release(each.kind, each.key, each.version, each.content, now)
        return {"promises": _plain(asked(routed, library)), "promises_problem": None}
    except LeveeError as error:
        sentences = {language: error.sentence(language) for language in ("zh-CN", "en")}
        return {"promises": None, "promises_problem": {"code": error.code, "sentences": sentences}}


def _plain(told: Any) -> Any:
    return orjson.loads(orjson.dumps(told, option=_OPTIONS))


__all__ = ["FolderRefused", "InputInvalid", "NoDefinitions", "try_in_folder"]

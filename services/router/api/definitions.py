"""The router's paths under /router/v1 about definitions and the directory."""

from __future__ import annotations

from typing import Annotated, ClassVar

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.router.api.desk import Desk
from services.router.api.released import now_json, version_json
from services.router.api.releasing import FOLDER, Seen
from services.router.domain.definitions import (
    ANYTHING,
    NOTHING,
    SHORT_HASH,
    NoSuchVersion,
    is_readable,
)
from services.router.gateways import Found, read_directory
from shared.errors import Finding, Invalid
from shared.events.router import DefinitionKind
from shared.http.auth import Caller, needs
from shared.http.kit import Limit, Offset, json_answer, page

KEY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
#: As file stems are: what a process, table or calendar is called.
DefinitionKey = Annotated[str, Path(pattern=KEY_PATTERN)]
KeyField = Annotated[str, Field(pattern=KEY_PATTERN)]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
IfMatch = Annotated[
    str | None,
    Header(max_length=2000, description='the hash or version that was seen, quoted: "3"'),
]
IfNoneMatch = Annotated[
    str | None, Header(max_length=10, description="* : only when nothing is in force")
]
#: Files of one release at most, and bytes of all of them; each is bounded by itself, too.
MAX_FILES, MAX_RELEASE_BYTES = 200, 4 * 1024 * 1024
#: Where more comes in than anywhere else.
LARGE_BODIES = {"/v1/definitions/apply": MAX_RELEASE_BYTES}

_TYPES: dict[str, str] = {"process": "application/xml", "decision": "application/xml"}


class NothingToApply(Invalid):
    """No definition was handed in."""

    zh: ClassVar[str] = "没有提交任何定义。"


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileBody(_Body):
    """One definition of a release."""

    kind: DefinitionKind
    key: KeyField
    content: str
    #: What the sender calls it; findings name it.
    file: Annotated[str, Field(max_length=300)] = ""
    #: What the sender saw in force: a hash (or its first 12 digits), a version, `*` for anything,
    #: `none` for nothing. Absent: whatever is in force.
    if_match: Annotated[str, Field(max_length=100)] | None = None

    def found(self) -> Found:
        """Return it as the folder would."""
        named = self.file or f"{self.kind}/{self.key}"
        return Found(self.kind, self.key, named, self.content.encode("utf-8", "replace"))


class ApplyBody(_Body):
    """Definitions that are to come into force together, all or none."""

    files: Annotated[tuple[FileBody, ...], Field(max_length=MAX_FILES)]
    #: Only check, and say what would be in force.
    is_dry_run: bool = False


class ActivateBody(_Body):
    """Which version is to be in force again."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class DismissBody(_Body):
    """Why a refusal is closed without a mended file; kept for good."""

    reason: Annotated[str, Field(min_length=3, max_length=500)]


def add_definitions(api: APIRouter, desk: Desk) -> None:
    """Add the paths of definitions and the directory."""
    _add_reading(api, desk)
    _add_releasing(api, desk)
    _add_directory(api, desk)


def _add_reading(api: APIRouter, desk: Desk) -> None:
    shelf = desk.releasing.shelf

    @api.get("/definitions", tags=["definitions"], summary="What is in force, what was refused")
    async def list_definitions(caller: Annotated[Caller, needs("work:read")]) -> Response:
        return json_answer({"in_force": await shelf.in_force(), "refused": await shelf.faults()})

    @api.get("/definitions/history", tags=["definitions"], summary="Every release, newest first")
    async def history(
        caller: Annotated[Caller, needs("work:read")],
        kind: DefinitionKind | None = None,
        key: Annotated[str | None, Query(max_length=100)] = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Response:
        found, total = await shelf.history(kind, key, limit, offset)
        return json_answer(page(found, total, limit, offset))

    @api.get("/definitions/refusals", tags=["definitions"], summary="What was refused once")
    async def refusals(
        caller: Annotated[Caller, needs("work:read")], limit: Limit = 100, offset: Offset = 0
    ) -> Response:
        found, total = await shelf.refusals(limit, offset)
        return json_answer(page(found, total, limit, offset))

    @api.get("/definitions/{kind}/{key}", tags=["definitions"], summary="Versions of one")
    async def versions(
        kind: DefinitionKind, key: DefinitionKey, caller: Annotated[Caller, needs("work:read")]
    ) -> Response:
        found = await shelf.versions(kind, key)
        return json_answer(page(found, len(found), max(len(found), 1), 0))

    @api.get("/definitions/{kind}/{key}/content", tags=["definitions"], summary="The file in force")
    async def content(
        kind: DefinitionKind, key: DefinitionKey, caller: Annotated[Caller, needs("work:read")]
    ) -> Response:
        row = await shelf.find(kind, key, None)
        assert row is not None, "raised where nothing is in force"
        return _file(kind, key, row.version, row.content, row.content_hash)

    @api.get(
        "/definitions/{kind}/{key}/versions/{version}",
        tags=["definitions"],
        summary="The file of one version",
    )
    async def content_of(
        kind: DefinitionKind,
        key: DefinitionKey,
        version: Version,
        caller: Annotated[Caller, needs("work:read")],
    ) -> Response:
        row = await shelf.find(kind, key, version)
        if row is None:
            known = await shelf.versions(kind, key)
            newest = known[0]["version"] if known else "-"
            raise NoSuchVersion(kind=kind, key=key, version=version, newest=newest)
        return _file(kind, key, row.version, row.content, row.content_hash)


def _add_releasing(api: APIRouter, desk: Desk) -> None:
    releasing = desk.releasing

    @api.put("/definitions/{kind}/{key}", tags=["definitions"], summary="Check and put in force")
    async def put_definition(
        kind: DefinitionKind,
        key: DefinitionKey,
        request: Request,
        caller: Annotated[Caller, needs("process:write")],
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        found = Found(kind, key, f"api/{kind}/{key}", await request.body())
        seen: Seen = {(kind, key): _seen(if_match, if_none_match)}
        [now] = await releasing.apply([found], _who(caller), seen)
        row = await releasing.shelf.find(kind, key, now.version)
        return _told(version_json(row) | {"is_new": now.is_new})

    @api.post("/definitions/apply", tags=["definitions"], summary="Several as one whole")
    async def apply(body: ApplyBody, caller: Annotated[Caller, needs("process:write")]) -> Response:
        _must_be_each_once(body.files)
        seen: Seen = {
            (file.kind, file.key): () if file.if_match is None else (file.if_match,)
            for file in body.files
        }
        done = await releasing.apply(
            [file.found() for file in body.files],
            _who(caller),
            seen,
            is_dry_run=body.is_dry_run,
        )
        return json_answer(
            {"definitions": [now_json(now) for now in done], "is_dry_run": body.is_dry_run}
        )

    @api.post(
        "/definitions/{kind}/{key}/activate",
        tags=["definitions"],
        summary="An older version again",
    )
    async def activate(
        kind: DefinitionKind,
        key: DefinitionKey,
        body: ActivateBody,
        caller: Annotated[Caller, needs("process:write")],
        if_match: IfMatch = None,
    ) -> Response:
        seen = _seen(if_match, None)
        now = await releasing.activate(kind, key, body.version, _who(caller), seen)
        row = await releasing.shelf.find(kind, key, now.version)
        return _told(version_json(row) | {"is_new": now.is_new})

    @api.post(
        "/definitions/{kind}/{key}/dismiss",
        tags=["definitions"],
        summary="Close what was refused of it",
    )
    async def dismiss(
        kind: DefinitionKind,
        key: DefinitionKey,
        body: DismissBody,
        caller: Annotated[Caller, needs("process:write")],
    ) -> Response:
        files = await releasing.dismiss(kind, key, _who(caller), body.reason)
        return json_answer({"dismissed": files})

    @api.post("/definitions/reload", tags=["definitions"], summary="Look at the folder now")
    async def reload(caller: Annotated[Caller, needs("process:write")]) -> Response:
        released = await desk.load_folder()
        return json_answer({"released": released, "refused": await releasing.shelf.faults()})


def _add_directory(api: APIRouter, desk: Desk) -> None:
    @api.get("/directory", tags=["directory"], summary="People and teams")
    async def get_directory(caller: Annotated[Caller, needs("work:read")]) -> Response:
        return json_answer(desk.repository.directory.model_dump(mode="json"))

    @api.put("/directory", tags=["directory"], summary="Put another directory in force")
    async def put_directory(
        request: Request, caller: Annotated[Caller, needs("process:write")]
    ) -> Response:
        text = (await request.body()).decode("utf-8", "replace")
        version = await desk.put_directory(read_directory(text, "directory"))
        return json_answer({"version": version})


def _who(caller: Caller) -> str:
    """Return whose release it is; no key can pass for the folder."""
    name = caller.name.strip()[:100]
    return caller.key_id if name in ("", FOLDER) else name


def _seen(if_match: str | None, if_none_match: str | None) -> tuple[str, ...]:
    """Return what the headers say was seen in force; raise `Invalid` for what says nothing."""
    if if_none_match is not None:
        if if_none_match.strip() != "*":
            raise Invalid([_unreadable("If-None-Match")])
        return (NOTHING,)
    if if_match is None:
        return ()
    seen = tuple(each.strip().removeprefix("W/").strip('"') for each in if_match.split(","))
    if not all(is_readable(each) for each in seen):
        raise Invalid([_unreadable("If-Match")])
    return seen


def _must_be_each_once(files: tuple[FileBody, ...]) -> None:
    if not files:
        raise NothingToApply
    findings, known = [], set()
    for index, file in enumerate(files):
        if file.if_match is not None and not is_readable(file.if_match):
            findings.append(_unreadable(f"/files/{index}/if_match"))
        if (file.kind, file.key) in known:
            told = {
                "zh-CN": f"{file.kind}/{file.key} 出现了多次",
                "en": f"{file.kind}/{file.key} stands twice",
            }
            findings.append(Finding(f"/files/{index}", "twice", told))
        known.add((file.kind, file.key))
    if findings:
        raise Invalid(findings)


def _unreadable(place: str) -> Finding:
    return Finding(
        place,
        "seen-unreadable",
        {
            "zh-CN": f"应为内容哈希（或其前 {SHORT_HASH} 位）、版本号、{ANYTHING} 或 {NOTHING}",
            "en": f"a content hash (or its first {SHORT_HASH} digits), a version, {ANYTHING} or "
            f"{NOTHING} is expected",
        },
        {
            "zh-CN": "用 GET /router/v1/definitions 查看现行版本",
            "en": "GET /router/v1/definitions says what is in force",
        },
    )


def _told(body: dict[str, object]) -> Response:
    return json_answer(body, headers={"ETag": f'"{body["content_hash"]}"'})


def _file(kind: str, key: str, version: int, content: str, content_hash: str) -> Response:
    """Return a definition as a file; a browser is to keep it, never to show it."""
    suffix = {"process": "bpmn", "decision": "dmn"}.get(kind, "yaml")
    headers = {
        "ETag": f'"{content_hash}"',
        "Levee-Version": str(version),
        "Content-Disposition": f'attachment; filename="{key}.{suffix}"',
        "X-Content-Type-Options": "nosniff",
    }
    media_type = _TYPES.get(kind, "application/yaml")
    return Response(content.encode(), 200, headers, media_type=f"{media_type}; charset=utf-8")

"""Reading bodies at the edge: strict JSON, then the model, every fault named in both languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from services.intake.api.bodies import SENTENCES_ZH
from shared.errors import Finding, Forbidden, Invalid
from shared.http.auth import Caller, require
from shared.http.problems import Malformed, validation_finding

# FastAPI looks at the annotations of dependencies when the application starts.
from fastapi import Depends, Request  # isort: skip

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_HEADER = "Idempotency-Key"
#: 1 to 255 visible ASCII characters.
KEY_PATTERN = r"^[\x21-\x7e]{1,255}$"
_KEY = re.compile(KEY_PATTERN)

B = TypeVar("B", bound=BaseModel)


async def read_body(request: Request, model: type[B], *, is_optional: bool = False) -> B:
    """Return the body as `model`; an absent one as `{}` where that is allowed.

    Strict JSON: no NaN, no lone surrogates, which the standard library lets pass. Raises
    `Malformed` and `Invalid` with a finding per field.
    """
    raw = await request.body()
    try:
        value = {} if is_optional and not raw else orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(reason=str(error)) from error
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise Invalid([_finding(detail) for detail in details]) from error


def read_key(request: Request) -> str | None:
    """Return the Idempotency-Key, None without one. Raises `Invalid`."""
    key = request.headers.get(KEY_HEADER)
    if key is not None and not _KEY.fullmatch(key):
        told = {"zh-CN": "应为 1 至 255 个可见 ASCII 字符", "en": "needs 1 to 255 visible ASCII"}
        raise Invalid([Finding(f"/header/{KEY_HEADER}", "string_pattern_mismatch", told)])
    return key


def described(
    model: type[BaseModel], *, is_required: bool = True, has_key: bool = False
) -> dict[str, Any]:
    """Return what OpenAPI is told of a body that `read_body` reads, and a key by `read_key`."""
    schema = model.model_json_schema()
    inner = schema.pop("$defs", {})
    content = {"application/json": {"schema": _inlined(schema, inner)}}
    told: dict[str, Any] = {"requestBody": {"required": is_required, "content": content}}
    if has_key:
        pattern = {"type": "string", "pattern": KEY_PATTERN}
        told["parameters"] = [{"name": KEY_HEADER, "in": "header", "schema": pattern}]
    return told


#: The caller of the hot path, read by hand.
may_write = require("requests:write")


async def _either(request: Request) -> Caller:
    try:
        return await require("requests:write")(request)
    except Forbidden:
        return await require("work:write")(request)


def needs_either() -> Any:
    """Return the dependency of what portals and agents may both do."""
    return Depends(_either)


def _inlined(node: Any, inner: Mapping[str, Any]) -> Any:
    """Put definitions where they are referred to; our bodies refer to none of themselves."""
    if isinstance(node, list):
        return [_inlined(entry, inner) for entry in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(inner[node["$ref"].rsplit("/", 1)[-1]], inner)
    return {key: _inlined(value, inner) for key, value in node.items()}


def _finding(detail: Any) -> Finding:
    found = validation_finding(detail)
    template = SENTENCES_ZH.get(detail["type"])
    if template is None:
        return found
    zh = template.format_map(detail.get("ctx") or {})
    return Finding(found.path, found.rule, {**found.message, "zh-CN": zh})

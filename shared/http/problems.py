"""Errors of our APIs: RFC 9457 problem+json with a stable code and a sentence per language."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import orjson
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException as StarletteHTTPException

from shared.errors import (
    Finding,
    Forbidden,
    Invalid,
    LeveeError,
    NotFound,
    Refused,
    Unauthorized,
    Unavailable,
)
from shared.observability import bound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

_log = logging.getLogger(__name__)

#: The one table from kinds of errors to HTTP.
STATUS: tuple[tuple[type[LeveeError], int], ...] = (
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Refused, 409),
    (Invalid, 422),
    (Unavailable, 503),
)


class TooLarge(Invalid):
    """The body is larger than {limit} bytes; send documents by reference."""

    zh = "请求体超过 {limit} 字节；文档请按引用发送。"


class Malformed(Invalid):
    """The body is not valid JSON: {reason}."""

    zh = "请求体不是有效的 JSON：{reason}。"


class NoSuchPath(NotFound):
    """There is nothing at {path}."""

    zh = "{path} 处没有任何内容。"


class MethodNotAllowed(Refused):
    """{method} is not possible at {path}."""

    zh = "{path} 不支持 {method}。"


class InternalFault(LeveeError):
    """Something went wrong on our side; it was logged under this request id."""

    zh = "我们这边出错了，已按此请求编号记录。"


def language_of(request: Request) -> str:
    """Return zh-CN or en, whichever the caller prefers; zh-CN when it does not say."""
    asked = request.query_params.get("lang") or request.headers.get("accept-language", "")
    best, best_weight = "zh-CN", 0.0
    for part in asked.split(","):
        name, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            continue
        language = {"zh": "zh-CN", "en": "en"}.get(name.strip().lower()[:2])
        if language and weight > best_weight:
            best, best_weight = language, weight
    return best


def problem(
    error: LeveeError,
    request: Request,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the answer that tells `error` in the caller's language."""
    status = status or status_of(error)
    language = language_of(request)
    body: dict[str, Any] = {
        "type": f"urn:levee:problem:{error.code}",
        "title": error.sentence(language),
        "status": status,
        "code": error.code,
        "params": {k: _plain(v) for k, v in error.params.items()},
        "sentences": {"zh-CN": error.sentence("zh-CN"), "en": error.sentence("en")},
        "instance": request.url.path,
        "request_id": getattr(request.state, "request_id", None),
    }
    headers = dict(headers or {})
    if body["request_id"]:
        headers["X-Request-Id"] = body["request_id"]
    if isinstance(error, Invalid) and error.findings:
        body["errors"] = [_finding(finding, language) for finding in error.findings]
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    elif "retry_after_s" in error.params:
        headers["Retry-After"] = str(error.params["retry_after_s"])
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps(body), status, headers, media_type="application/problem+json")


def status_of(error: LeveeError) -> int:
    """Return the HTTP status of an error; an error may state its own as `status`."""
    own = getattr(type(error), "status", None)
    if isinstance(own, int):
        return own
    if isinstance(error, TooLarge):
        return 413
    if isinstance(error, Malformed):
        return 400
    return next((status for kind, status in STATUS if isinstance(error, kind)), 500)


def tell_problems(app: FastAPI) -> None:
    """Let every error of `app` leave it as problem+json."""
    app.add_exception_handler(LeveeError, _levee)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(Exception, _fault)


async def _levee(request: Request, error: Exception) -> Response:
    assert isinstance(error, LeveeError)
    if status_of(error) >= 500 and not isinstance(error, Unavailable):
        _log.error("%s %s: %s", request.method, _place(request), error, exc_info=error)
    return problem(error, request)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = error.errors()
    broken = next((e for e in details if e["type"] == "json_invalid"), None)
    if broken is not None:
        reason = str((broken.get("ctx") or {}).get("error", broken["msg"]))
        return problem(Malformed(reason=reason), request)
    findings = [validation_finding(e) for e in details]
    return problem(Invalid(findings), request)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    if error.status_code == 404:
        return problem(NoSuchPath(path=request.url.path), request)
    if error.status_code == 405:
        told = MethodNotAllowed(method=request.method, path=request.url.path)
        return problem(told, request, 405, error.headers)
    if error.status_code == 400:
        return problem(Malformed(reason=error.detail), request)
    return problem(Refused(detail=error.detail), request, error.status_code, error.headers)


def _place(request: Request) -> str:
    """Return the path as the API names it: what stands in its places may be a secret."""
    known = getattr(request.scope.get("route"), "path", None)
    if known is None:
        return request.url.path
    service = request.url.path.split("/", 2)[1]
    return known if known.startswith(f"/{service}/") else f"/{service}{known}"


async def _fault(request: Request, error: Exception) -> Response:
    # This runs outside of the edge that binds the id to the logs.
    with bound(call_id=getattr(request.state, "request_id", "")):
        _log.error("%s %s failed", request.method, _place(request), exc_info=error)
    return problem(InternalFault(), request)


#: pydantic's error types in Chinese; the rest is told in English.
_ZH = {
    "missing": "缺少该字段",
    "extra_forbidden": "不认识该字段",
    "string_type": "应为字符串",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "float_type": "应为数字",
    "bool_type": "应为布尔值",
    "dict_type": "应为对象",
    "list_type": "应为数组",
    "enum": "取值不在允许范围内：{expected}",
    "literal_error": "取值不在允许范围内：{expected}",
    "string_too_short": "至少需要 {min_length} 个字符",
    "string_too_long": "最多允许 {max_length} 个字符",
    "string_pattern_mismatch": "格式不符：{pattern}",
    "uuid_parsing": "应为 UUID",
    "datetime_parsing": "应为 ISO 8601 时间",
    "datetime_from_date_parsing": "应为 ISO 8601 时间",
    "timezone_aware": "时间必须带时区偏移",
    "greater_than_equal": "不得小于 {ge}",
    "less_than_equal": "不得大于 {le}",
}


class Unfit(ValueError):
    """What a validator of ours has against a value, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh


def validation_finding(detail: Any) -> Finding:
    """Turn one of pydantic's error details into a finding in both languages."""
    place = [str(part) for part in detail["loc"] if part != "body"]
    # What our own validators say comes with pydantic's label before it.
    en = detail["msg"].removeprefix("Value error, ")
    own = (detail.get("ctx") or {}).get("error")
    if isinstance(own, Unfit):
        told = {"zh-CN": own.zh, "en": str(own)}
        return Finding("/" + "/".join(place), detail["type"], told)
    template = _ZH.get(detail["type"])
    try:
        # Only our own templates: a message may quote what a caller wrote, braces included.
        zh = en if template is None else template.format_map(detail.get("ctx") or {})
    except (KeyError, ValueError, IndexError):
        zh = en
    return Finding("/" + "/".join(place), detail["type"], {"zh-CN": zh, "en": en})


def _finding(finding: Finding, language: str) -> dict[str, Any]:
    told = finding.as_json()
    message, fix = finding.message, finding.fix
    told["detail"] = message.get(language) or message.get("en") or finding.rule
    if fix:
        told["remedy"] = fix.get(language) or fix.get("en")
    return told


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    return str(value)

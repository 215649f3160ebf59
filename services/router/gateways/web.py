"""Calls web services for diagrams: guarded, with secrets that only go where they belong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError
from pydantic import field_validator as field_rule

from shared.errors import Invalid, LeveeError, Refused
from shared.http.client import AddressRefused

if TYPE_CHECKING:
    from shared.http.client import Answer, OutboundClient

#: RFC 9110, 5.6.2: what a header's name may be made of.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[\x20-\x7e]{0,4000}")
#: What decides how a message is read belongs to the client that sends it.
_OURS = frozenset(
    ["host", "content-length", "transfer-encoding", "connection", "content-type", "idempotency-key"]
)
#: Try again: the other side says that it is a matter of time (RFC 9110, RFC 6585, RFC 8470).
_FOR_A_WHILE = frozenset({408, 425, 429})
_LONGEST_REST_S = 3600.0


class WebCallInvalid(Invalid):
    """The call cannot be made: {reason}."""

    zh: ClassVar[str] = "无法发起调用：{reason}。"


class SecretRefused(Refused):
    """The secret {secret} may not be sent to {host}."""

    zh: ClassVar[str] = "密钥 {secret} 不允许发送到 {host}。"


class BadWebSecrets(Invalid):
    """ROUTER_WEB_SECRETS is not valid: {reason}."""

    zh: ClassVar[str] = "ROUTER_WEB_SECRETS 无效：{reason}。"


class _Secret(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    value: SecretStr
    #: `crm.example.com` (https only), or `http://10.0.0.5:8080` where the operator says so.
    hosts: Annotated[tuple[str, ...], Field(min_length=1)]
    header: Annotated[str, Field(pattern=_TOKEN.pattern)] = "Authorization"
    scheme: str = "Bearer"


_SECRETS = TypeAdapter(dict[str, _Secret])


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets by name, each with the hosts it may be sent to."""

    known: Mapping[str, _Secret]

    @classmethod
    def parse(cls, text: str | None) -> Secrets:
        """Read the setting: JSON of `{name: {value, hosts, header?, scheme?}}`."""
        if not text:
            return cls({})
        try:
            return cls(_SECRETS.validate_json(text))
        except ValidationError as error:
            # Without the input: it is secret.
            told = "; ".join(
                f"{'.'.join(map(str, e['loc'])) or 'JSON'}: {e['msg']}"
                for e in error.errors(include_url=False, include_input=False)
            )
            raise BadWebSecrets(reason=told) from None

    def header(self, name: str, url: str) -> tuple[str, str]:
        """Return the header that carries a secret to a URL; raise `SecretRefused`."""
        secret, origin = self.known.get(name), _origin(url)
        if secret is None or not origin or origin not in map(_allowed, secret.hosts):
            raise SecretRefused(secret=name, host=origin or url[:200])
        told = secret.value.get_secret_value()
        return secret.header, f"{secret.scheme} {told}" if secret.scheme else told


def _allowed(host: str) -> str:
    return _origin(host if "://" in host else f"https://{host}")


def _origin(url: str) -> str:
    """Return scheme, host and port, as the client that calls reads them."""
    try:
        read = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, ValueError):
        return ""
    port = read.port or {"https": 443, "http": 80}.get(read.scheme)
    return f"{read.scheme}://{read.host.lower()}:{port}" if read.host else ""


class WebCall(BaseModel):
    """What a task's input mappings say of one call."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    body: Any = None
    headers: dict[str, str] = Field(default_factory=dict)
    secret: str | None = None
    timeout_s: Annotated[float, Field(ge=1, le=60)] = 15

    @field_rule("headers", mode="before")
    @classmethod
    def _given(cls, told: object) -> object:
        return {} if told is None else told

    @field_rule("headers")
    @classmethod
    def _plain(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ValueError(f"{name!r} is no header, or its value is not plain ASCII")
            if name.lower() in _OURS:
                raise ValueError(f"{name!r} is set by Levee")
        return headers


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a call: an answer for the diagram, an error for it, or another try."""

    result: Mapping[str, Any] | None = None
    error_code: str | None = None
    failure: str = ""
    #: Seconds to rest before another try, where the other side says so.
    rest_s: float | None = None
    is_hopeless: bool = False


async def call_for(
    client: OutboundClient, secrets: Secrets, job_id: str, variables: Mapping[str, Any]
) -> Came:
    """Make one call. Every try carries the job's id as its Idempotency-Key; raises nothing."""
    try:
        call = _read(variables)
        headers = {"Idempotency-Key": job_id, "Accept": "application/json", **call.headers}
        if call.secret:
            name, value = secrets.header(call.secret, call.url)
            headers = {k: v for k, v in headers.items() if k.lower() != name.lower()}
            headers[name] = value
        content = b""
        if call.body is not None:
            content = orjson.dumps(call.body)
            headers["Content-Type"] = "application/json"
        answer = await client.call(call.method, call.url, content, headers, call.timeout_s)
    except (WebCallInvalid, SecretRefused, AddressRefused) as refusal:
        return Came(failure=str(refusal), is_hopeless=True)
    except LeveeError as error:
        return Came(failure=str(error))
    return _judged(answer)


def _read(variables: Mapping[str, Any]) -> WebCall:
    try:
        # What a mapping leaves empty is not given.
        given = {name: value for name, value in variables.items() if value is not None}
        return WebCall.model_validate(given)
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}"
            for e in error.errors(include_url=False, include_input=False)
        )
        raise WebCallInvalid(reason=told) from None


def _judged(answer: Answer) -> Came:
    status = answer.status
    if 200 <= status < 300:
        if answer.is_cut:
            return Came(failure="the answer is longer than 64 KiB, or broke off", is_hopeless=True)
        return Came(result={"status": status, "body": _body(answer.body)})
    if status >= 500 or status in _FOR_A_WHILE:
        told = answer.headers.get("retry-after", "")
        rest = min(float(told), _LONGEST_REST_S) if told.isdecimal() else None
        return Came(failure=f"the service answered {status}", rest_s=rest)
    return Came(error_code=f"HTTP_{status}", failure=f"the service answered {status}")


def _body(raw: bytes) -> Any:
    try:
        return orjson.loads(raw) if raw else None
    except orjson.JSONDecodeError:
        return raw.decode("utf-8", "replace")

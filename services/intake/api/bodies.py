"""What may come in: every field with its limits; unknown fields are refused by name.

Lengths are in characters. Strings carry no control characters: they would break logs, mails and
PostgreSQL texts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from services.intake.domain.values import Asker, Post, Written
from shared.vocabulary import AuthorKind, Impact, Urgency

#: Values of a form, nested ones counted, and how deep they may be nested. Schemas compare items
#: with one another, which grows with the square of their number.
FORM_VALUES_MAX, FORM_DEPTH_MAX = 2_000, 20

#: Older logs are mistakes, not history.
_FIRST_YEAR = 1990

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _line(value: str) -> str:
    if _CONTROL.search(value):
        raise PydanticCustomError("control_characters", "must not contain control characters")
    if not value.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return value


def _text(value: str) -> str:
    if _CONTROL_IN_TEXT.search(value):
        raise PydanticCustomError("control_characters", "must not contain control characters")
    return value


def _said(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return _text(value)


def _form(value: dict[str, Any]) -> dict[str, Any]:
    count = 0
    waiting: list[tuple[int, dict[str, Any] | list[Any]]] = [(1, value)]
    while waiting:
        depth, node = waiting.pop()
        inner = node.values() if isinstance(node, dict) else node
        count += len(node)
        if count > FORM_VALUES_MAX or depth > FORM_DEPTH_MAX:
            raise PydanticCustomError(
                "form_too_large",
                "may have at most {values} values and {depth} levels",
                {"values": FORM_VALUES_MAX, "depth": FORM_DEPTH_MAX},
            )
        waiting += [(depth + 1, entry) for entry in inner if isinstance(entry, dict | list)]
    return value


def _moment(value: datetime) -> datetime:
    if value.year < _FIRST_YEAR:
        raise PydanticCustomError("too_early", "must not lie before {year}", {"year": _FIRST_YEAR})
    return value.astimezone(UTC)


def _limited(longest: int, check: Any) -> Any:
    return [StringConstraints(max_length=longest), AfterValidator(check)]


Line50 = Annotated[str, *_limited(50, _line)]
Line100 = Annotated[str, *_limited(100, _line)]
Line200 = Annotated[str, *_limited(200, _line)]
Title = Annotated[str, *_limited(300, _line)]
Text = Annotated[str, *_limited(20_000, _text)]
Said = Annotated[str, *_limited(20_000, _said)]
Reason = Annotated[str, *_limited(2_000, _said)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,49}$")]
Endpoint = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,255}$", max_length=320)]
Moment = Annotated[AwareDatetime, AfterValidator(_moment)]
Form = Annotated[dict[str, Any], AfterValidator(_form)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RequesterBody(_Body):
    """Who asks."""

    id: Line200
    name: Line200 | None = None
    tier: Code = "standard"
    email: Email | None = None


class CallbackBody(_Body):
    """Who is told of each change of state: an endpoint registered at notify, by its name."""

    endpoint: Endpoint


class PostBody(_Body):
    """A new request."""

    type: Line100
    source: Line100
    external_id: Line200 | None = None
    channel: Code = "api"
    requester: RequesterBody
    urgency: Urgency = Urgency.MEDIUM
    impact: Impact = Impact.MEDIUM
    title: Title
    description: Text = ""
    form: Form = Field(default_factory=dict)
    organisation_unit: Line200 | None = None
    language: Language = "zh-CN"
    #: A past moment with an offset; only together with `is_import`.
    occurred_at: Moment | None = None
    is_import: StrictBool = False
    callback: CallbackBody | None = None

    def post(self) -> Post:
        """Return the value the desk takes."""
        asker = self.requester
        return Post(
            type=self.type,
            source=self.source,
            requester=Asker(asker.id, asker.name, asker.tier, asker.email),
            title=self.title,
            external_id=self.external_id,
            channel=self.channel,
            urgency=self.urgency,
            impact=self.impact,
            description=self.description,
            form=self.form,
            organisation_unit=self.organisation_unit,
            language=self.language,
            occurred_at=self.occurred_at,
            is_import=self.is_import,
            callback=self.callback.endpoint if self.callback else None,
        )


class MessageBody(_Body):
    """A message from the requester, an agent, or the system."""

    text: Said
    author: Literal["requester", "agent", "system"]
    author_id: Line200
    #: An answer that counts as a response; a requester's message never does.
    is_effective: StrictBool = False
    #: Sent by a machine; never a response.
    is_automatic: StrictBool = False
    #: A past moment with an offset; only on imported requests.
    occurred_at: Moment | None = None

    @model_validator(mode="after")
    def _response(self) -> MessageBody:
        if self.is_effective and (self.is_automatic or self.author == "requester"):
            raise PydanticCustomError(
                "not_effective",
                "only an answer that is neither automatic nor the requester's own is effective",
            )
        return self

    def written(self) -> Written:
        """Return the value the desk takes."""
        author = AuthorKind(self.author)
        return Written(self.text, author, self.author_id, self.is_effective, self.is_automatic)


class WithdrawBody(_Body):
    """The requester no longer wants it."""

    reason: Reason | None = None


class ConfirmBody(_Body):
    """The requester agrees that it is solved."""


class ReopenBody(_Body):
    """The requester says it is not solved, and why."""

    reason: Reason


class RateBody(_Body):
    """The requester rates the result, 1 (bad) to 5 (good)."""

    score: StrictInt = Field(ge=1, le=5)
    comment: Annotated[str, *_limited(2_000, _text)] = ""


class PatchBody(_Body):
    """What is to be corrected; absent fields stay. `form` is replaced as a whole."""

    urgency: Urgency | None = None
    impact: Impact | None = None
    title: Title | None = None
    description: Text | None = None
    form: Form | None = None
    #: Who corrects it; the key's name when absent.
    changed_by: Line200 | None = None

    @model_validator(mode="after")
    def _named(self) -> PatchBody:
        named = self.model_fields_set - {"changed_by"}
        if not named:
            raise PydanticCustomError("nothing_named", "must name at least one field to correct")
        empty = sorted(name for name in named if getattr(self, name) is None)
        if empty:
            raise PydanticCustomError(
                "null_named", "must not be null: {fields}", {"fields": ", ".join(empty)}
            )
        return self

    def changes(self) -> dict[str, Any]:
        """Return the named fields with their new values."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"changed_by"}}


#: Sentences for the rules above, by pydantic's error type; the rest is the kit's.
SENTENCES_ZH = {
    "control_characters": "不得包含控制字符",
    "blank": "不得为空白",
    "form_too_large": "最多允许 {values} 个值、{depth} 层嵌套",
    "not_effective": "只有非自动、且不是请求人自己写的答复才算有效答复",
    "nothing_named": "至少要指明一个需要更正的字段",
    "null_named": "不得为 null：{fields}",
    "too_early": "不得早于 {year} 年",
    "model_type": "应为对象",
    "timezone_aware": "时间必须带时区偏移",
}

__all__ = [
    "SENTENCES_ZH",
    "ConfirmBody",
    "MessageBody",
    "PatchBody",
    "PostBody",
    "RateBody",
    "ReopenBody",
    "WithdrawBody",
]

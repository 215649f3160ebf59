"""What intake refuses, each with a stable code and a sentence per language."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Invalid, NotFound, Refused, Unavailable


class NoSuchRequest(NotFound):
    """There is no request {request}: use its id or its number (R-2026-000123)."""

    zh: ClassVar[str] = "没有请求 {request}：请使用请求 id 或编号（如 R-2026-000123）。"


class UnknownType(Invalid):
    """There is no request type {type}; the catalogue has: {known}."""

    zh: ClassVar[str] = "没有请求类型 {type}；服务目录中有：{known}。"


class TypeClosed(Refused):
    """The request type {type} takes no new requests."""

    zh: ClassVar[str] = "请求类型 {type} 已停止受理。"
    #: What came in names something that cannot be asked: the caller's input is at fault.
    status: ClassVar[int] = 422


class FormNotValid(Invalid):
    """The form of {type} is not filled in correctly: {count} field(s) are wrong."""

    zh: ClassVar[str] = "{type} 的表单填写有误：{count} 处不符合要求。"


class MomentNotAllowed(Invalid):
    """The given moment cannot be used."""

    zh: ClassVar[str] = "给出的时间点不能使用。"


class CatalogueMissing(Unavailable):
    """The service catalogue has not arrived yet; nothing can be asked before it has."""

    zh: ClassVar[str] = "服务目录尚未到达，暂时无法受理请求，请稍后重试。"
    retry_after_s: ClassVar[int] = 5


class CatalogueNotInside(NotFound):
    """Version {version} of the catalogue {key} came without its content (above 256 KiB)."""

    zh: ClassVar[str] = "服务目录 {key} 第 {version} 版未附带内容（超过 256 KiB）。"


class ExternalIdTaken(Refused):
    """{source} has used {external_id} before, for {number}, with other content."""

    zh: ClassVar[str] = "{source} 已用 {external_id} 提交过内容不同的请求 {number}。"


class IdempotencyKeyReused(Refused):
    """This Idempotency-Key was used before with another body; use a new key for a new act."""

    zh: ClassVar[str] = "该 Idempotency-Key 已用于内容不同的请求；新的操作请使用新的键。"
    status: ClassVar[int] = 422


class StillInFlight(Refused):
    """The first call with this Idempotency-Key is not finished yet; ask again in a moment."""

    zh: ClassVar[str] = "使用该 Idempotency-Key 的第一次调用尚未完成，请稍后再试。"


class RequestIsOver(Refused):
    """{number} is {state}: this is no longer possible."""

    zh: ClassVar[str] = "{number} 的状态为 {state}，不能再执行此操作。"


class AlreadyResolved(Refused):
    """{number} is resolved: confirm it or reopen it instead of withdrawing it."""

    zh: ClassVar[str] = "{number} 已解决：请确认或重新打开，而不是撤回。"


class AlreadyWithdrawn(Refused):
    """{number} was withdrawn before."""

    zh: ClassVar[str] = "{number} 此前已撤回。"


class NotResolved(Refused):
    """{number} is {state}, not resolved: there is nothing to confirm or to reopen."""

    zh: ClassVar[str] = "{number} 的状态为 {state}，尚未解决，无法确认或重新打开。"


class AlreadyConfirmed(Refused):
    """{number} was confirmed before."""

    zh: ClassVar[str] = "{number} 此前已确认。"


class AlreadyReopened(Refused):
    """{number} was reopened before; that is being dealt with."""

    zh: ClassVar[str] = "{number} 此前已重新打开，正在处理。"


class NotRatableYet(Refused):
    """{number} is {state}: it can be rated once it is resolved or closed."""

    zh: ClassVar[str] = "{number} 的状态为 {state}：解决或关闭后才能评价。"


class RatingIsFinal(Refused):
    """The rating of {number} was changed before; it can be changed once."""

    zh: ClassVar[str] = "{number} 的评价已修改过一次，不能再修改。"

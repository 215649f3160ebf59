"""What notify says no to, and why."""

from __future__ import annotations

from typing import ClassVar

from shared.errors import Finding, Forbidden, Invalid, NotFound, Refused, Unavailable


class NoSuchDelivery(NotFound):
    """There is no delivery {delivery_id}."""

    zh: ClassVar[str] = "没有投递记录 {delivery_id}。"


class NoSuchEndpoint(NotFound):
    """There is no webhook endpoint {endpoint_id}."""

    zh: ClassVar[str] = "没有 Webhook 端点 {endpoint_id}。"


class EndpointNameTaken(Refused):
    """There is a webhook endpoint called {name} already."""

    zh: ClassVar[str] = "已有名为 {name} 的 Webhook 端点。"


class NotToResend(Refused):
    """This delivery is {state}; only one that was set aside, failed or suppressed is sent again."""

    zh: ClassVar[str] = "该投递的状态为 {state}；只有搁置、失败或被抑制的投递可以重发。"


class MatterIsOver(Refused):
    """The escalation this message called for is over or taken over; nobody needs it any more."""

    zh: ClassVar[str] = "该消息对应的升级已结束或已被认领，无需重发。"


class NotAnAddress(Invalid):
    """{url} cannot be called ({why})."""

    zh: ClassVar[str] = "无法访问 {url}（{why}）。"

    def __init__(self, url: str, why: str) -> None:
        finding = Finding(
            path="/url",
            rule="url-not-callable",
            message={
                "zh-CN": f"该地址不可用（{why}）。",
                "en": f"This address cannot be called ({why}).",
            },
            fix={
                "zh-CN": "请填写公网 https 地址，或请运维人员将其加入 NOTIFY_OUTBOUND_ALLOW。",
                "en": "Give a public https address, or ask an operator for NOTIFY_OUTBOUND_ALLOW.",
            },
        )
        super().__init__([finding], url=url, why=why)


class TemplatesUnknown(Unavailable):
    """No notification templates have been released yet; release them."""

    zh: ClassVar[str] = "尚未发布任何通知模板；请先发布。"


class DirectoryUnknown(Unavailable):
    """The directory of people has not been announced yet."""

    zh: ClassVar[str] = "尚未收到人员通讯录。"


class ContentMissing(Invalid):
    """The released templates {key} came without their content."""

    zh: ClassVar[str] = "已发布的模板 {key} 没有附带内容。"


class LinkForged(Forbidden):
    """This link was not made here."""

    zh: ClassVar[str] = "此链接无效。"


class LinkExpired(Refused):
    """This link has expired."""

    zh: ClassVar[str] = "此链接已过期。"

    status = 410

"""The ways in which things go wrong, by what can be done about them.

* LeveeError
  - Invalid       what came in is not what it should be   API: 422  consumer: set aside
  - Unauthorized  nobody known is asking                  API: 401  consumer: set aside
  - Forbidden     this one may not                        API: 403  consumer: set aside
  - NotFound      there is no such thing                  API: 404  consumer: set aside
  - Refused       the rules say no                        API: 409  consumer: set aside
  - Unavailable   something needed did not answer         API: 503  consumer: try again later

A class is defined by its sentences: the docstring is the English one, `zh` the Chinese one;
both are templates over the parameters the error was raised with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_WORD_EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class LeveeError(Exception):
    """Something went wrong."""

    zh: ClassVar[str] = "出错了。"
    code: ClassVar[str] = "levee-error"

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Give each class its stable code: its name in kebab-case, unless it states one."""
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            cls.code = _WORD_EDGE.sub("-", cls.__name__).lower()

    def __init__(self, **params: object) -> None:
        self.params = params
        super().__init__(self.code)

    def sentence(self, language: str = "en") -> str:
        """Say what happened in `language` (zh-CN or en); codes and parameters are the contract."""
        # A docstring is broken into lines to be read in the code, its message is not.
        in_english = " ".join((type(self).__doc__ or self.code).split())
        template = self.zh.strip() if language.startswith("zh") else in_english
        try:
            return template.format_map(self.params)
        except (KeyError, IndexError, ValueError):
            return template

    def __str__(self) -> str:
        """Say it in English, for logs."""
        return self.sentence("en")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with what came in: where, which rule, in words, and how to mend it."""

    path: str
    rule: str
    message: Mapping[str, str]
    fix: Mapping[str, str] = field(default_factory=dict)
    severity: str = "error"

    def as_json(self) -> dict[str, object]:
        """Return the shape problem+json and `levee process check` show."""
        return {
            "path": self.path,
            "rule": self.rule,
            "severity": self.severity,
            "message": dict(self.message),
            "fix": dict(self.fix),
        }


class Invalid(LeveeError):
    """What came in is not valid."""

    zh = "输入不合规。"

    def __init__(self, findings: Iterable[Finding] = (), **params: object) -> None:
        self.findings = tuple(findings)
        super().__init__(**params)

    def __str__(self) -> str:
        """Say what is wrong, each finding with its place."""
        told = "; ".join(f"{f.path}: {f.message.get('en', f.rule)}" for f in self.findings)
        return f"{self.sentence('en')} {told}".strip()


class Unauthorized(LeveeError):
    """A valid API key is needed: send it as `Authorization: Bearer …`."""

    zh = "需要有效的 API 密钥：请在 Authorization 头中以 Bearer 方式发送。"


class Forbidden(LeveeError):
    """This key may not do that; it lacks the scope {scope}."""

    zh = "此密钥无权执行该操作，缺少权限 {scope}。"


class NotFound(LeveeError):
    """There is no such thing."""

    zh = "未找到。"


class Refused(LeveeError):
    """The rules do not allow this."""

    zh = "规则不允许此操作。"


class Unavailable(LeveeError):
    """Something this service depends on did not answer; try again in a moment."""

    zh = "所依赖的服务暂时没有响应，请稍后重试。"

    #: Seconds after which trying again makes sense; goes into Retry-After.
    retry_after_s: ClassVar[int] = 2

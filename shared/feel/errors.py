"""How FEEL says no: a text that does not parse, or a computation that asks for too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.errors import Finding, Invalid, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping


class FeelSyntaxError(Invalid):
    """The FEEL text cannot be understood at character {position}: {problem}"""

    zh = "FEEL 表达式在第 {position} 个字符处无法理解：{problem_zh}"
    code = "feel-syntax-error"

    def __init__(
        self,
        rule: str,
        position: int,
        message: Mapping[str, str],
        fix: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what is wrong (`rule`, a stable code), where (character from 0), how to mend it.

        `message` and `fix` hold a sentence per language (`zh-CN`, `en`); `fix` may be empty.
        """
        self.rule = rule
        self.position = position
        self.message = dict(message)
        self.fix = dict(fix or {})
        finding = Finding(path=f"@{position}", rule=rule, message=self.message, fix=self.fix)
        super().__init__(
            (finding,),
            rule=rule,
            position=position,
            problem=self.message.get("en", rule),
            problem_zh=self.message.get("zh-CN", rule),
        )


class FeelBudgetExceeded(Refused):
    """The FEEL expression asks for more than it may have: {resource} is limited to {limit}."""

    zh = "FEEL 表达式超出允许的资源：{resource} 上限为 {limit}。"
    code = "feel-budget-exceeded"

    def __init__(self, resource: str, limit: int | str) -> None:
        """Name the resource (steps, size, depth, length, number …) and its limit."""
        self.resource = resource
        self.limit = limit
        super().__init__(resource=resource, limit=limit)

"""What is wrong with a field, in the words people read; one rule, one sentence per language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Findings told at once; more help nobody.
FINDINGS_MAX = 50

_ZH = {
    "required": "缺少该字段",
    "type": "类型应为 {value}",
    "enum": "取值应为其中之一：{value}",
    "const": "取值应为 {value}",
    "minLength": "至少需要 {value} 个字符",
    "maxLength": "最多允许 {value} 个字符",
    "pattern": "格式不符：{value}",
    "format": "不是有效的 {value}",
    "minimum": "不得小于 {value}",
    "maximum": "不得大于 {value}",
    "exclusiveMinimum": "必须大于 {value}",
    "exclusiveMaximum": "必须小于 {value}",
    "multipleOf": "必须是 {value} 的倍数",
    "decimalDigits": "最多允许 {value} 位小数",
    "minItems": "至少需要 {value} 项",
    "maxItems": "最多允许 {value} 项",
    "uniqueItems": "各项不得重复",
    "minProperties": "至少需要 {value} 个字段",
    "maxProperties": "最多允许 {value} 个字段",
    "additionalProperties": "不认识该字段",
    "unevaluatedProperties": "不认识该字段",
    "dependentRequired": "缺少与之关联的字段",
    "too-costly": "填写的内容过多，无法在限定时间内检查",
}
_EN = {
    "required": "is missing",
    "type": "must be of type {value}",
    "enum": "must be one of {value}",
    "const": "must be {value}",
    "minLength": "needs at least {value} characters",
    "maxLength": "may have at most {value} characters",
    "pattern": "does not match {value}",
    "format": "is not a valid {value}",
    "minimum": "must not be below {value}",
    "maximum": "must not be above {value}",
    "exclusiveMinimum": "must be above {value}",
    "exclusiveMaximum": "must be below {value}",
    "multipleOf": "must be a multiple of {value}",
    "decimalDigits": "may have at most {value} decimal places",
    "minItems": "needs at least {value} items",
    "maxItems": "may have at most {value} items",
    "uniqueItems": "has items that stand twice",
    "minProperties": "needs at least {value} fields",
    "maxProperties": "may have at most {value} fields",
    "additionalProperties": "is not known",
    "unevaluatedProperties": "is not known",
    "dependentRequired": "lacks a field that belongs to it",
    "too-costly": "has more in it than can be checked in the time there is",
}


def pointer(root: str, path: Iterable[object]) -> str:
    """Return a JSON pointer (RFC 6901) below `root`."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "/".join((root, *parts))


def wrong(path: str, rule: str, value: Any = None) -> Finding:
    """Return that the field at `path` does not keep a rule whose bound is `value`."""
    shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
    zh = _ZH.get(rule, "不符合规则 {rule}").format(value=shown, rule=rule)
    en = _EN.get(rule, "does not keep the rule {rule}").format(value=shown, rule=rule)
    return Finding(path, rule, {"zh-CN": zh, "en": en})


def fault(path: str, rule: str, zh: str, en: str, fix: tuple[str, str] | None = None) -> Finding:
    """Return what is wrong with a form itself; `fix` says how to mend it, Chinese first."""
    told = {} if fix is None else {"zh-CN": fix[0], "en": fix[1]}
    return Finding(path, rule, {"zh-CN": zh, "en": en}, told)

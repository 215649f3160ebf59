"""Forms: JSON Schema 2020-12, compiled once; every wrong field is named in both languages.

Nothing is fetched (`$ref` stays inside the form), and `pattern` is matched in linear time by our
own engine, so a form can neither call out nor hang a worker. Patterns are therefore those of
XPath 3.1: without look-around and back-references, which are refused when a catalogue is released.
"""

from __future__ import annotations

from datetime import date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable

from shared.errors import Finding
from shared.feel.patterns import Pattern, PatternError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Findings told at once; more help nobody.
FINDINGS_MAX = 50
#: Characters a pattern is matched against; longer values do not fit it.
_PATTERN_TEXT_MAX = 2_000
#: Keywords that would run a foreign regular expression engine or leave the document.
_REFUSED = frozenset({"patternProperties", "$dynamicRef", "$recursiveRef", "$id"})
#: Keywords that map names to schemas, and keywords whose values only look like schemas.
_OF_SCHEMAS = frozenset({"properties", "$defs", "definitions", "dependentSchemas"})
_OF_VALUES = frozenset({"enum", "const", "default", "examples"})

_FORMATS = FormatChecker(["email", "ipv4", "ipv6", "uuid"])
_FORMATS.checks("date", ValueError)(lambda v: not isinstance(v, str) or bool(date.fromisoformat(v)))
_FORMATS.checks("time", ValueError)(lambda v: not isinstance(v, str) or _is_time(v))
_FORMATS.checks("date-time", ValueError)(
    lambda v: not isinstance(v, str) or datetime.fromisoformat(v).tzinfo is not None
)

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
    "minItems": "至少需要 {value} 项",
    "maxItems": "最多允许 {value} 项",
    "uniqueItems": "各项不得重复",
    "minProperties": "至少需要 {value} 个字段",
    "maxProperties": "最多允许 {value} 个字段",
    "additionalProperties": "不认识该字段",
    "unevaluatedProperties": "不认识该字段",
    "dependentRequired": "缺少与之关联的字段",
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
    "minItems": "needs at least {value} items",
    "maxItems": "may have at most {value} items",
    "uniqueItems": "has items that stand twice",
    "minProperties": "needs at least {value} fields",
    "maxProperties": "may have at most {value} fields",
    "additionalProperties": "is not known",
    "unevaluatedProperties": "is not known",
    "dependentRequired": "lacks a field that belongs to it",
}


class Form:
    """What a request of one type must carry."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Compile; `faults` tells beforehand whether that is possible."""
        self._validator = _Validator(schema, registry=Registry(), format_checker=_FORMATS)

    def findings(self, form: Mapping[str, Any]) -> list[Finding]:
        """Return one finding per wrong field, at most `FINDINGS_MAX`; empty when it is valid."""
        found: list[Finding] = []
        try:
            for error in self._validator.iter_errors(form):
                found += _told(error)
                if len(found) >= FINDINGS_MAX:
                    break
        except RecursionError:
            # A schema that refers to itself without end; the value cannot be called right.
            told = "the form's schema refers to itself without end"
            found.append(_fault("/form", "ref", "表单的结构定义循环引用自身", told))
        return sorted(found[:FINDINGS_MAX], key=lambda f: (f.path, f.rule))


def faults(schema: Mapping[str, Any], path: str) -> list[Finding]:
    """Return what keeps a schema from being a form of ours; `path` is where it stands."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = "/".join([path, *map(str, error.absolute_path)])
        return [_fault(place, "schema", f"不是有效的 JSON Schema：{error.message}", error.message)]
    found = list(_walk(schema, path))
    if not found:
        try:
            _Validator(schema, registry=Registry()).is_valid({})
        except (Unresolvable, RecursionError) as error:
            told = f"$ref leads nowhere: {error}"
            found.append(_fault(path, "ref", f"$ref 无法解析：{error}", told))
    return found


def _walk(schema: Any, path: str) -> Iterator[Finding]:
    """Look at every keyword of a schema and of the schemas inside it."""
    if isinstance(schema, list):
        for index, entry in enumerate(schema):
            yield from _walk(entry, f"{path}/{index}")
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        place = f"{path}/{key}"
        yield from _fault_of(key, value, place)
        if key in _OF_SCHEMAS and isinstance(value, dict):
            # The names in here are fields, not keywords.
            for name, inner in value.items():
                yield from _walk(inner, f"{place}/{name}")
        elif key not in _OF_VALUES:
            yield from _walk(value, place)


def _fault_of(key: str, value: Any, place: str) -> Iterator[Finding]:
    if key in _REFUSED:
        yield _fault(place, "keyword", f"表单中不允许使用 {key}", f"{key} is not allowed in forms")
    elif key == "$ref" and not str(value).startswith("#"):
        told = "$ref must stay inside the form (#/…)"
        yield _fault(place, "ref", "$ref 只能指向表单内部（#/…）", told)
    elif key == "pattern" and isinstance(value, str):
        try:
            _compiled(value)
        except PatternError as error:
            told = f"this pattern is not one of XPath 3.1: {error}"
            yield _fault(place, "pattern", f"该正则不受支持（XPath 3.1）：{error}", told)


def _told(error: ValidationError) -> list[Finding]:
    """Return findings for a schema error; missing and unknown fields are named one by one."""
    place = "/".join(["/form", *map(str, error.absolute_path)])
    rule = str(error.validator)
    if rule == "required":
        missing = [n for n in _names(error.validator_value) if n not in _names(error.instance)]
        # jsonschema yields one error per missing field, each knowing all of them.
        named = [name for name in missing if error.message.startswith(repr(name))] or missing
        return [_finding(f"{place}/{name}", rule, None) for name in named]
    if rule == "additionalProperties" and error.validator_value is False:
        return [_finding(f"{place}/{name}", rule, None) for name in _extras(error)]
    if rule in ("anyOf", "oneOf", "not", "if"):
        return [_finding(place, rule, None)]
    return [_finding(place, rule, error.validator_value)]


def _extras(error: ValidationError) -> Sequence[str]:
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    return [name for name in _names(error.instance) if name not in known]


def _names(value: Any) -> list[str]:
    return list(value)


def _finding(path: str, rule: str, value: Any) -> Finding:
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    zh = _ZH.get(rule, "不符合规则 {rule}").format(value=shown, rule=rule)
    en = _EN.get(rule, "does not keep the rule {rule}").format(value=shown, rule=rule)
    return Finding(path, rule, {"zh-CN": zh, "en": en})


def _fault(path: str, rule: str, zh: str, en: str) -> Finding:
    return Finding(path, rule, {"zh-CN": zh, "en": en})


def _is_time(text: str) -> bool:
    time.fromisoformat(text)
    return True


@lru_cache(maxsize=2_048)
def _compiled(source: str) -> Pattern:
    return Pattern(source)


def _pattern(_: Any, source: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Check `pattern` in linear time; what is absurdly long does not match."""
    if not isinstance(instance, str):
        return
    is_fit = len(instance) <= _PATTERN_TEXT_MAX and (
        _compiled(source).first(instance, 0, lambda _: None) is not None
    )
    if not is_fit:
        yield ValidationError("does not match")


# jsonschema leaves this function untyped.
_extend: Any = validators.extend
_Validator = _extend(Draft202012Validator, {"pattern": _pattern})

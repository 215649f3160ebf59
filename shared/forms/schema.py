"""Forms as JSON Schema 2020-12, compiled once; every wrong field is named in both languages.

Nothing is fetched (`$ref` stays inside the form), `pattern` is matched in linear time by our own
engine, and each check has a budget, so a form can neither call out nor hang a worker. What that
leaves out is refused when a catalogue or a form is released.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable

from shared.forms.budget import TooCostly, account, spend
from shared.forms.matching import PatternError, compiled, fits
from shared.forms.words import FINDINGS_MAX, fault, pointer, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shared.errors import Finding

#: The dialect there is; a form that names another one means other rules.
DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: How deep a schema may nest.
_DEPTH_MAX = 40
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


class SchemaForm:
    """What must be filled in, as a JSON Schema says it."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Compile; `faults` tells beforehand whether that is possible."""
        self._validator = _Validator(schema, registry=Registry(), format_checker=_FORMATS)

    def findings(
        self,
        answers: Mapping[str, Any],
        root: str,
        known: Mapping[str, Any] | None = None,
        now: datetime | None = None,
    ) -> list[Finding]:
        """Return one finding per wrong field, at most `FINDINGS_MAX`; empty when it is valid.

        Paths are JSON pointers below `root`. A schema looks at nothing but the answers.
        """
        found: list[Finding] = []
        try:
            with account():
                for error in self._validator.iter_errors(answers):
                    found += _told(error, root)
                    if len(found) >= FINDINGS_MAX:
                        break
        except (RecursionError, Unresolvable):
            # A schema that refers to itself without end; the value cannot be called right.
            told = "the form's schema refers to itself without end"
            found.append(fault(root, "ref", "表单的结构定义循环引用自身", told))
        except TooCostly:
            found.append(wrong(root, "too-costly"))
        return sorted(found[:FINDINGS_MAX], key=lambda f: (f.path, f.rule))


def faults(schema: Mapping[str, Any], path: str) -> list[Finding]:
    """Return what keeps a schema from being a form of ours; `path` is where it stands."""
    if schema.get("$schema", DIALECT) not in (DIALECT, f"{DIALECT}#"):
        told = f"only JSON Schema 2020-12 is known: {DIALECT}"
        fix = ("改为该地址，或删除 $schema", "write that one, or leave $schema out")
        zh = f"只支持 JSON Schema 2020-12：{DIALECT}"
        return [fault(f"{path}/$schema", "schema", zh, told, fix)]
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = pointer(path, error.absolute_path)
        return [fault(place, "schema", f"不是有效的 JSON Schema：{error.message}", error.message)]
    found = list(_walk(schema, path, schema))
    if not found:
        try:
            with account():
                _Validator(schema, registry=Registry()).is_valid({})
        except TooCostly:
            found.append(fault(path, "too-costly", "结构定义过于庞大", "the schema is too large"))
        except (Unresolvable, RecursionError) as error:
            told = f"$ref leads nowhere: {error}"
            found.append(fault(path, "ref", f"$ref 无法解析：{error}", told))
    return found


def _walk(schema: Any, path: str, whole: Any, depth: int = 0) -> Iterator[Finding]:
    """Look at every keyword of a schema and of the schemas inside it."""
    if depth > _DEPTH_MAX:
        told = f"nested deeper than {_DEPTH_MAX} levels"
        yield fault(path, "too-deep", f"嵌套超过 {_DEPTH_MAX} 层", told)
        return
    if isinstance(schema, dict):
        for key, value in schema.items():
            yield from _fault_of(key, value, f"{path}/{key}", whole)
    for step, inner in _inside(schema):
        yield from _walk(inner, f"{path}/{step}", whole, depth + 1)


def _inside(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield what may be a schema inside another, and where."""
    if isinstance(schema, list):
        yield from ((str(index), entry) for index, entry in enumerate(schema))
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key in _OF_SCHEMAS and isinstance(value, dict):
            # The names in here are fields, not keywords.
            yield from ((f"{key}/{name}", inner) for name, inner in value.items())
        elif key not in _OF_VALUES:
            yield key, value


def _fault_of(key: str, value: Any, place: str, whole: Any) -> Iterator[Finding]:
    if key in _REFUSED:
        told = f"{key} is not allowed in forms"
        fix = ("删除该关键字", "remove it")
        yield fault(place, "keyword", f"表单中不允许使用 {key}", told, fix)
    elif key == "$ref":
        yield from _fault_of_ref(str(value), place, whole)
    elif key == "pattern" and isinstance(value, str):
        try:
            compiled(value)
        except PatternError as error:
            told = f"this pattern is not one of XPath 3.1: {error}"
            fix = ("改写为不含前瞻与反向引用的正则", "do without look-around and back-references")
            yield fault(place, "pattern", f"该正则不受支持（XPath 3.1）：{error}", told, fix)


def _fault_of_ref(ref: str, place: str, whole: Any) -> Iterator[Finding]:
    fix = ("把所引用的结构放入 $defs", "put what it refers to into $defs")
    if not ref.startswith("#"):
        told = "$ref must stay inside the form (#/…)"
        yield fault(place, "ref", "$ref 只能指向表单内部（#/…）", told, fix)
    elif not _is_there(ref, whole):
        yield fault(place, "ref", f"$ref 无法解析：{ref}", f"$ref leads nowhere: {ref}", fix)


def _is_there(ref: str, whole: Any) -> bool:
    """Whether a reference inside the document leads to a schema: by its path, or its anchor."""
    steps = unquote(ref[1:]).split("/")
    if steps[0]:
        return len(steps) == 1 and _has_anchor(whole, steps[0])
    found = whole
    for step in steps[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict) and name in found:
            found = found[name]
        else:
            return False
    return isinstance(found, dict | bool)


def _has_anchor(schema: Any, name: str) -> bool:
    if isinstance(schema, dict):
        return schema.get("$anchor") == name or any(_has_anchor(s, name) for s in schema.values())
    return isinstance(schema, list) and any(_has_anchor(each, name) for each in schema)


def _told(error: ValidationError, root: str) -> list[Finding]:
    """Return findings for a schema error; missing and unknown fields are named one by one."""
    place = pointer(root, error.absolute_path)
    rule = str(error.validator)
    if rule == "required":
        missing = [n for n in _names(error.validator_value) if n not in _names(error.instance)]
        # jsonschema yields one error per missing field, each knowing all of them.
        named = [name for name in missing if error.message.startswith(repr(name))] or missing
        return [wrong(pointer(place, [name]), rule) for name in named]
    if rule == "additionalProperties" and error.validator_value is False:
        return [wrong(pointer(place, [name]), rule) for name in _extras(error)]
    if rule in ("anyOf", "oneOf", "not", "if"):
        return [wrong(place, rule)]
    return [wrong(place, rule, error.validator_value)]


def _extras(error: ValidationError) -> Sequence[str]:
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    return [name for name in _names(error.instance) if name not in known]


def _names(value: Any) -> list[str]:
    return list(value)


def _is_time(text: str) -> bool:
    time.fromisoformat(text)
    return True


def _pattern(_: Any, source: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Check `pattern` in linear time."""
    if isinstance(instance, str) and not fits(source, instance):
        yield ValidationError("does not match")


def _unique(_: Any, wanted: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Check `uniqueItems` in linear time; 1 and 1.0 are the same number, true is none."""
    if wanted is not True or not isinstance(instance, list):
        return
    seen: set[bytes] = set()
    for item in instance:
        spend()
        seen.add(orjson.dumps(_canonical(item), option=orjson.OPT_SORT_KEYS))
    if len(seen) < len(instance):
        yield ValidationError("stands twice")


def _canonical(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value) if abs(value) < 2**53 else value
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    return value


#: What looking at a keyword costs: a reference is looked up each time (0.1 ms), and what branches
#: is how a small schema becomes much work.
_COSTS = {"$ref": 10, "anyOf": 5, "oneOf": 5, "allOf": 5, "not": 5, "if": 5, "contains": 5}


def _counted(name: str, check: Any) -> Any:
    """Let a keyword be counted each time it is looked at."""
    cost = _COSTS.get(name, 1)

    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        spend(cost)
        yield from check(validator, value, instance, schema) or ()

    return counted


_OWN = {"pattern": _pattern, "uniqueItems": _unique}
_KEYWORDS = {
    name: _counted(name, _OWN.get(name, check))
    for name, check in Draft202012Validator.VALIDATORS.items()
}
# jsonschema leaves this function untyped.
_extend: Any = validators.extend
_Validator = _extend(Draft202012Validator, _KEYWORDS)

"""Read a definition's YAML into its model, or say what is wrong, where, and how to mend it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from shared.errors import Finding, Invalid

if TYPE_CHECKING:
    from datetime import timedelta

M = TypeVar("M", bound=BaseModel)

#: Larger texts are a mistake, not a definition.
MAX_BYTES = 1_000_000
_DURATION = re.compile(
    r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)


class BadDefinition(Invalid):
    """{file} is not a valid definition."""

    zh: ClassVar[str] = "{file} 不是有效的定义。"


class _NoAliases(yaml.SafeLoader):
    """YAML without aliases, so that a small file cannot grow into a large value."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


def read_yaml(text: str, file: str = "") -> Any:
    """Return the plain value of a YAML text; raise `BadDefinition` with the place of the fault."""
    if len(text.encode()) > MAX_BYTES:
        raise BadDefinition(
            [_told("/", "too-large", "文件过大", "the file is too large")], file=file
        )
    try:
        return yaml.load(text, _NoAliases)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "/"
        told = getattr(error, "problem", None) or str(error)
        finding = _told(place, "yaml", f"YAML 语法错误：{told}", f"YAML: {told}")
        raise BadDefinition([finding], file=file) from error


def parse(model: type[M], value: Any, file: str = "") -> M:
    """Return the model of a plain value; raise `BadDefinition` with one finding per fault."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        findings = []
        for e in error.errors(include_url=False, include_input=False):
            # What our own validators say comes with pydantic's label before it.
            told = e["msg"].removeprefix("Value error, ")
            path = "/" + "/".join(map(str, e["loc"]))
            findings.append(_told(path, e["type"], f"该值无效：{told}", told))
        raise BadDefinition(findings, file=file) from error


def parse_duration(text: str) -> timedelta:
    """Return an ISO 8601 duration of days, hours, minutes, seconds; raise ValueError otherwise."""
    from datetime import timedelta as delta

    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groupdict().values()):
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as PT15M or P1D")
    d, h, m, s = (float(found[k] or 0) for k in "dhms")
    return delta(days=d, hours=h, minutes=m, seconds=s)


def _told(path: str, rule: str, zh: str, en: str) -> Finding:
    return Finding(path, rule, {"zh-CN": zh, "en": en})

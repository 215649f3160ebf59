"""JSON values that cross the engine's border: copied, so nothing is shared, and bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from shared.errors import Finding, Invalid

from .errors import Stuck

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Documents travel by reference; what a process decides on is far smaller than this.
MAX_DATA_BYTES = 64 * 1024


def copied(values: Mapping[str, object]) -> dict[str, object]:
    """Return a deep copy that shares nothing. Raises TypeError for what is not JSON."""
    copy: dict[str, object] = orjson.loads(orjson.dumps(values))
    return copy


def checked(values: Mapping[str, object]) -> dict[str, object]:
    """Copy what comes from outside. Raises Invalid for what is not JSON."""
    try:
        return copied(dict(values))
    except TypeError as problem:
        message = {
            "zh-CN": f"数据不是 JSON：{problem}",
            "en": f"The data is not JSON: {problem}",
        }
        fix = {"zh-CN": "只传递 JSON 值。", "en": "Pass JSON values only."}
        finding = Finding(path="data", rule="data-not-json", message=message, fix=fix)
        raise Invalid([finding]) from None


def bounded(variables: Mapping[str, object]) -> bytes:
    """Return variables as JSON; raise Stuck when they are too large or no JSON."""
    try:
        data = orjson.dumps(variables)
    except TypeError as problem:
        raise Stuck("data-not-json", str(problem)) from None
    if len(data) > MAX_DATA_BYTES:
        detail = f"the variables take {len(data)} bytes; at most {MAX_DATA_BYTES} are allowed"
        largest = sorted(variables, key=lambda name: -len(orjson.dumps(variables[name])))
        raise Stuck("data-too-large", detail, {"largest": largest[:5], "bytes": len(data)})
    return data

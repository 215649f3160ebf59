"""Whether two schemas of one event version may be spoken side by side."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

#: Words for people; they constrain nothing.
_PROSE = {"title", "description", "examples", "default"}


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """List every change that would break a reader of either version.

    A stream holds events of both ages and services are deployed one at a time, so old readers
    meet new events and new readers meet old ones. Within one version an event may therefore only
    gain or lose optional fields, at any depth.
    """
    return _objects("", _bare(old, old), _bare(new, new))


def _objects(place: str, old: Schema, new: Schema) -> list[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
    found = [f"{place}{name}: now required" for name in sorted(needed_after - needed_before)]
    found += [f"{place}{name}: no longer required" for name in sorted(needed_before - needed_after)]
    for name in sorted(before.keys() & after.keys()):
        found += _differences(f"{place}{name}", before[name], after[name])
    return found


def _differences(place: str, old: Any, new: Any) -> list[str]:
    """Compare what constrains two values."""
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        if "properties" in old:
            return _objects(f"{place}.", old, new)
        return [told for key in sorted(old) for told in _differences(place, old[key], new[key])]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [told for a, b in zip(old, new, strict=True) for told in _differences(place, a, b)]
    return [] if old == new else [f"{place}: changed its type or its allowed values"]


def _bare(value: Any, root: Schema, inside: frozenset[str] = frozenset()) -> Any:
    """Return what constrains a value: references resolved, prose removed, enums in one order."""
    if isinstance(value, list):
        return [_bare(item, root, inside) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        # A value that contains its own kind is compared once.
        return name if name in inside else _bare(root["$defs"][name], root, inside | {name})
    bare = {
        key: _bare(item, root, inside)
        for key, item in value.items()
        if key not in _PROSE and key not in ("$defs", "properties", "required", "enum", "$id")
    }
    if "enum" in value:
        bare["enum"] = sorted(value["enum"], key=str)
    if "properties" in value or value.get("type") == "object":
        # Field names are not words of the schema: a field may be called `title`.
        fields = value.get("properties", {})
        if fields or "additionalProperties" not in value:
            bare["properties"] = {n: _bare(f, root, inside) for n, f in fields.items()}
            bare["required"] = sorted(value.get("required", ()))
    return bare

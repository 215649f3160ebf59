"""Event schemas: exported, compared with what is committed, and kept compatible.

`python -m tools.event_contracts export` writes schemas, missing examples, docs/events.md and
docs/asyncapi.json; `check` says what is stale or incompatible and ends with 1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.events.register import ALL_EVENTS
from tools.event_documents import asyncapi, events_page
from tools.event_examples import example

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.events.base import EventData

Schema = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "shared" / "events" / "schemas"
#: Schemas as of the last release: what a neighbour deployed earlier still speaks.
RELEASED = SCHEMAS / "released"
EXAMPLES = ROOT / "shared" / "events" / "examples"

_PROSE = {"title", "description", "examples", "default"}


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """List every change that would break a reader of either version.

    A stream holds events of both ages and services are deployed one at a time, so old readers
    meet new events and new readers meet old ones. Within one version an event may therefore only
    gain or lose optional fields.
    """
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed_after = set(old.get("required", [])), set(new.get("required", []))
    found = [f"{name}: now required" for name in sorted(needed_after - needed_before)]
    found += [f"{name}: no longer required" for name in sorted(needed_before - needed_after)]
    for name in sorted(before.keys() & after.keys()):
        found += _differences(name, _resolved(before[name], old), _resolved(after[name], new))
    return found


def _differences(place: str, old: Any, new: Any) -> list[str]:
    """Compare two shapes; objects inside may gain and lose optional fields too."""
    if isinstance(old, dict) and isinstance(new, dict):
        if "properties" in old and "properties" in new:
            return [f"{place}.{told}" for told in incompatibilities(old, new)]
        if old.keys() == new.keys():
            return [told for key in sorted(old) for told in _differences(place, old[key], new[key])]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [told for a, b in zip(old, new, strict=True) for told in _differences(place, a, b)]
    return [] if old == new else [f"{place}: changed its type or its allowed values"]


def _resolved(value: Any, root: Schema) -> Any:
    """Return what constrains a value, with references resolved and prose removed."""
    if isinstance(value, list):
        return [_resolved(item, root) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _resolved(root["$defs"][value["$ref"].rsplit("/", 1)[-1]], root)
    return {key: _resolved(item, root) for key, item in value.items() if key not in _PROSE}


def schema_of(event: type[EventData]) -> Schema:
    """Return the JSON Schema of an event's data."""
    schema = event.model_json_schema()
    schema["$id"] = f"urn:levee:event:{event.type}"
    return schema


def files() -> Iterator[tuple[Path, str]]:
    """Yield every generated file with what must stand in it."""
    for event in ALL_EVENTS:
        yield SCHEMAS / f"{event.type}.json", _json(schema_of(event))
    yield ROOT / "docs" / "events.md", events_page()
    yield ROOT / "docs" / "asyncapi.json", _json(asyncapi())


def born() -> Iterator[tuple[Path, str]]:
    """Yield the examples that do not exist yet; one that exists is never written again."""
    for event in ALL_EVENTS:
        path = EXAMPLES / f"{event.type}.json"
        if not path.exists():
            yield path, _json(json.loads(example(event)))


def problems() -> list[str]:
    """Say what is stale, missing or incompatible."""
    found = [
        f"{path.relative_to(ROOT)} is stale: run make events"
        for path, text in files()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    found += [f"{path.relative_to(ROOT)} is missing: run make events" for path, _ in born()]
    current = {event.type: schema_of(event) for event in ALL_EVENTS}
    for path in sorted(RELEASED.glob("*.json")):
        name = path.stem
        if name not in current:
            found.append(f"{name} was released and is gone: publish both until readers moved")
            continue
        old = json.loads(path.read_text(encoding="utf-8"))
        found += [f"{name}: {told}" for told in incompatibilities(old, current[name])]
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main(argv: list[str]) -> int:
    """Export or check."""
    if argv == ["export"]:
        for path, text in (*files(), *born()):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return 0
    if argv == ["check"]:
        found = problems()
        sys.stdout.write("".join(f"{told}\n" for told in found))
        return 1 if found else 0
    sys.stderr.write("usage: python -m tools.event_contracts export|check\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Event schemas: exported, compared with what is committed, and kept compatible.

`python -m tools.event_contracts export` writes schemas, missing examples, docs/events.md and
docs/asyncapi.json; `check` says what is stale or incompatible and ends with 1; `release` keeps
the schemas of today as those of the last release, with which later ones are compared.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.events.register import ALL_EVENTS
from tools.event_compatibility import Schema, incompatibilities
from tools.event_documents import asyncapi, events_page
from tools.event_examples import example
from tools.topology import topology

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.events.base import EventData

__all__ = ["born", "export", "files", "incompatibilities", "problems", "release", "schema_of"]

ROOT = Path(__file__).resolve().parents[1]
_SCHEMAS = Path("shared/events/schemas")
#: Schemas as of the last release: what a neighbour deployed earlier still speaks.
_RELEASED = _SCHEMAS / "released"
_EXAMPLES = Path("shared/events/examples")


def schema_of(event: type[EventData]) -> Schema:
    """Return the JSON Schema of an event's data."""
    schema = event.model_json_schema()
    schema["$id"] = f"urn:levee:event:{event.type}"
    return schema


def files(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Yield every generated file with what must stand in it."""
    for event in ALL_EVENTS:
        yield root / _SCHEMAS / f"{event.type}.json", _json(schema_of(event))
    yield root / "docs" / "events.md", events_page()
    yield root / "docs" / "asyncapi.json", _json(asyncapi())


def born(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Yield the examples that do not exist yet; one that exists is never written again."""
    says = topology().says
    for event in ALL_EVENTS:
        path = root / _EXAMPLES / f"{event.type}.json"
        if not path.exists():
            sender = event.publisher or min(says.get(event.type, {"intake"}))
            yield path, _json(json.loads(example(event, sender)))


def problems(root: Path = ROOT) -> list[str]:
    """Say what is stale, missing, left over or incompatible."""
    found = [
        f"{path.relative_to(root)} is stale: run make events"
        for path, text in files(root)
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    found += [f"{path.relative_to(root)} is missing: run make events" for path, _ in born(root)]
    current = {event.type: schema_of(event) for event in ALL_EVENTS}
    for folder in (_SCHEMAS, _EXAMPLES):
        found += [
            f"{folder / path.name} belongs to no event: remove it when retention has passed"
            for path in sorted((root / folder).glob("*.json"))
            if path.stem not in current
        ]
    for path in sorted((root / _RELEASED).glob("*.json")):
        name = path.stem
        if name not in current:
            found.append(f"{name} was released and is gone: publish both until readers moved")
            continue
        old = json.loads(path.read_text(encoding="utf-8"))
        found += [f"{name}: {told}" for told in incompatibilities(old, current[name])]
    return found


def export(root: Path = ROOT) -> None:
    """Write what is generated and the examples of events that have none."""
    for path, text in (*files(root), *born(root)):
        _write(path, text)


def release(root: Path = ROOT) -> None:
    """Keep the schemas of today as those of the last release."""
    for path in (root / _RELEASED).glob("*.json"):
        path.unlink()
    for event in ALL_EVENTS:
        _write(root / _RELEASED / f"{event.type}.json", _json(schema_of(event)))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main(argv: list[str]) -> int:
    """Export, check or release."""
    if argv == ["export"]:
        export()
        return 0
    if argv == ["check"]:
        found = problems()
        sys.stdout.write("".join(f"{told}\n" for told in found))
        return 1 if found else 0
    if argv == ["release"]:
        found = problems()
        if found:
            sys.stderr.write("".join(f"{told}\n" for told in found))
            return 1
        release()
        return 0
    sys.stderr.write("usage: python -m tools.event_contracts export|check|release\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

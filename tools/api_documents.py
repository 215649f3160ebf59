"""Each service's HTTP API as an OpenAPI 3.1 document: docs/api/<service>.json.

`python -m tools.api_documents export` writes them, `check` says which are stale and ends with 1.
Scopes are those of the canvas, which tests/contract/test_scopes.py holds against the code.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.canvas import EVERYWHERE, application, canvas_of
from tools.topology import ROOT, SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARAMETER = re.compile(r"\{[^}]*\}")
_KEY = {"type": "http", "scheme": "bearer", "description": "an API key: levee_…"}
#: RFC 9457 with what ours carry; see shared/http/problems.py.
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "sentences"],
    "properties": {
        "type": {"type": "string", "description": "urn:levee:problem:<code>"},
        "title": {"type": "string", "description": "a sentence in the caller's language"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable; what programs look at"},
        "params": {"type": "object"},
        "sentences": {"type": "object", "description": "the sentence in zh-CN and en"},
        "instance": {"type": "string"},
        "request_id": {"type": ["string", "null"], "description": "under which it was logged"},
        "errors": {
            "type": "array",
            "description": "one entry per fault of the input",
            "items": {
                "type": "object",
                "properties": {
                    "path": {"type": "string"},
                    "rule": {"type": "string"},
                    "detail": {"type": "string"},
                    "remedy": {"type": "string"},
                },
            },
        },
    },
}


def document(service: str) -> dict[str, Any]:
    """Return the OpenAPI document of a service."""
    told = asyncio.run(application(service)).openapi()
    told["info"] |= {
        "version": _version(),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    scopes = scopes_of(service)
    for path, verbs in told["paths"].items():
        for verb, operation in verbs.items():
            _describe(operation, scopes.get(f"{verb.upper()} {_PARAMETER.sub('{}', path)}"))
    components = told.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    components["securitySchemes"] = {"key": _KEY}
    return told


def scopes_of(service: str) -> dict[str, str]:
    """Return the scope of each `VERB /path` that needs one, as the canvas has it."""
    found = {
        f"{verb} /{service}{path}": "operate"
        for verb, path in (name.split(" ") for name in EVERYWHERE)
        if path.startswith("/v1/")
    }
    for row in canvas_of(service).tables.get("Offers", ()):
        for name in row.names:
            verb, _, path = name.partition(" ")
            prefix = "" if path.startswith(f"/{service}/") else f"/{service}/v1"
            if ":" in row.cells[0]:
                found[f"{verb} {prefix}{_PARAMETER.sub('{}', path)}"] = row.cells[0]
            elif row.cells[0] == "operate":
                found[f"{verb} {prefix}{_PARAMETER.sub('{}', path)}"] = "operate"
    return found


def _describe(operation: dict[str, Any], scope: str | None) -> None:
    problem = {
        "description": "what went wrong",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = problem
    if scope is not None:
        operation["security"] = [{"key": []}]
        operation["x-scope"] = scope


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def files(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """Yield every document with what must stand in it."""
    for service in SERVICES:
        text = json.dumps(document(service), ensure_ascii=False, indent=2, sort_keys=True)
        yield root / "docs" / "api" / f"{service}.json", text + "\n"


def problems(root: Path = ROOT) -> list[str]:
    """Say which documents are stale."""
    return [
        f"{path.relative_to(root)} is stale: run make events"
        for path, text in files(root)
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(argv: list[str]) -> int:
    """Export or check."""
    if argv == ["export"]:
        for path, text in files():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return 0
    if argv == ["check"]:
        found = problems()
        sys.stdout.write("".join(f"{told}\n" for told in found))
        return 1 if found else 0
    sys.stderr.write("usage: python -m tools.api_documents export|check\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

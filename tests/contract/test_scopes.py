"""Each path asks for the scope its canvas names: no key 401, every other scope 403."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from shared.http.auth import SCOPES
from tests.harness.services import key_ring
from tests.harness.world import new_world
from tools import api_documents
from tools.canvas import application
from tools.topology import SERVICES

if TYPE_CHECKING:
    from pathlib import Path

_ID = "01978c3e-8a00-7000-8000-000000000001"
#: Paths that say less than a key's holder may know: for probes, and for signed links.
_OPEN = ("/health", "/ready", "/metrics", "/notify/a/")


def test_what_is_generated_is_committed() -> None:
    assert api_documents.problems() == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_path_names_its_scope_or_is_open_on_purpose(service: str) -> None:
    for path, verbs in api_documents.document(service)["paths"].items():
        for verb, operation in verbs.items():
            is_open = any(part in path for part in _OPEN)
            assert is_open == ("x-scope" not in operation), f"{verb} {path}"


@pytest.mark.parametrize("service", SERVICES)
async def test_only_the_scope_of_its_canvas_opens_a_path(service: str, tmp_path: Path) -> None:
    app = await application(service)
    for number, (call, told) in enumerate(sorted(api_documents.scopes_of(service).items())):
        verb, path = call.replace("{}", _ID).split(" ")
        enough = [scope for scope in SCOPES if scope in told]
        folder = tmp_path / str(number)
        ring, key = key_ring(folder, new_world(), tuple(s for s in SCOPES if s not in enough))
        app.state.keys = ring
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)

        async with httpx.AsyncClient(transport=transport, base_url="http://levee.test") as client:
            without = await client.request(verb, path)
            other = await client.request(verb, path, headers={"Authorization": f"Bearer {key}"})

        assert enough, f"{call}: {told!r} names no scope"
        assert (without.status_code, other.status_code) == (401, 403), call

"""A service's README is its canvas: what stands in its tables, and what the code says.

Tables stand under `## Owns`, `## Hears`, `## Says`, `## Offers` and `## Settings`; what counts is
the code in the first column. `## Said to nobody` and `## Not said yet` give a reason for each
event nobody hears, and for each event that is declared and nobody makes.
"""

from __future__ import annotations

import asyncio
import importlib
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.bus.memory import MemoryBus
from shared.http.auth import KeyRing
from shared.id_source import RandomIds
from shared.service import ServiceSettings, Surroundings
from shared.time_source import Activity, SystemTime
from tools.topology import ROOT, declared_by, said_by, subscriptions, topology

if TYPE_CHECKING:
    from fastapi import FastAPI

#: What every service has, described once in docs/howto-operator.md.
EVERYWHERE = frozenset(
    {
        "GET /health",
        "GET /ready",
        "GET /metrics",
        "GET /v1/setaside",
        "GET /v1/setaside/{}",
        "GET /v1/settled",
        "POST /v1/setaside/replay",
        "POST /v1/setaside/{}/replay",
        "POST /v1/setaside/{}/dismiss",
        "POST /v1/parked/skip",
        "GET /v1/audit",
        "GET /v1/audit/requests",
    }
)
_KIT_TABLES = frozenset(
    {
        "subjects",
        "held",
        "outbox",
        "timers",
        "settled",
        "sealed",
        "keeping",
        "alembic_version",
    }
)
_CODE = re.compile(r"`([^`]+)`")
_PARAMETER = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table of the canvas."""

    names: tuple[str, ...]
    #: The other cells, as they stand.
    cells: tuple[str, ...]


@dataclass(slots=True)
class Canvas:
    """The tables of a README by their heading."""

    tables: dict[str, list[Row]] = field(default_factory=dict)

    def names(self, heading: str) -> list[str]:
        """Return what the first column under a heading names, in order."""
        return [name for row in self.tables.get(heading, ()) for name in row.names]


def read_canvas(text: str) -> Canvas:
    """Return the tables of a README."""
    found, heading = Canvas(), ""
    for line in text.splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ").strip()
        elif line.startswith("|"):
            first, *others = (cell.strip() for cell in line.strip("|").split("|"))
            names = tuple(_CODE.findall(first))
            if names and others and not _is_heading(first):
                row = Row(names, tuple(others))
                found.tables.setdefault(heading, []).append(row)
    return found


def _is_heading(cell: str) -> bool:
    """Whether the first cell is a table's heading, such as "path under `/clock/v1`"."""
    return cell.startswith("path under")


def canvas_of(service: str) -> Canvas:
    """Return the canvas of a service."""
    path = ROOT / "services" / service / "README.md"
    return read_canvas(path.read_text(encoding="utf-8"))


# ---- what the code says ------------------------------------------------------------------------


async def application(service: str) -> FastAPI:
    """Return a service's application; nothing is started and nothing is reached."""
    main = importlib.import_module(f"services.{service}.main")
    settings_type = settings_of(service)
    time, activity = SystemTime(), Activity()
    bus, keys = MemoryBus(time, activity), KeyRing(None, time)
    given = Surroundings(time, RandomIds(time), bus, activity, keys)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'unused.db'}"
        built = main.build(settings_type(database_url=url), given)
        app: FastAPI = built.app(keys)
        await built.runtime.database.close()
        await bus.close()
    return app


def settings_of(service: str) -> type[ServiceSettings]:
    """Return a service's settings."""
    module = importlib.import_module(f"services.{service}.settings")
    settings: type[ServiceSettings] = module.Settings
    return settings


def paths_of(service: str, app: FastAPI) -> set[str]:
    """Return `VERB /path` of everything the service alone offers, without its own prefix."""
    found = {
        f"{verb.upper()} {_PARAMETER.sub('{}', path.removeprefix(f'/{service}'))}"
        for path, verbs in app.openapi()["paths"].items()
        for verb in verbs
    }
    return found - EVERYWHERE


def tables_of(service: str) -> tuple[set[str], set[str]]:
    """Return the tables a service made up itself, and all it has."""
    store = importlib.import_module(f"services.{service}.store")
    named = set(store.metadata.tables)
    return named - _KIT_TABLES, named


def settings_rows(service: str) -> dict[str, str]:
    """Return a service's own settings with their defaults as text; its database always."""
    own = {}
    for name, found in settings_of(service).model_fields.items():
        if name == "database_url" or name not in ServiceSettings.model_fields:
            own[name] = _default_text(found.default)
    return own


def _default_text(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}" if value < 1e6 else f"{value:.0f}"
    return str(value)


# ---- compared ----------------------------------------------------------------------------------


def problems(service: str) -> list[str]:
    """Say where a service's canvas differs from its code."""
    canvas = canvas_of(service)
    return [
        *_events(service, canvas),
        *_reasons(service, canvas),
        *_offers(service, canvas),
        *_settings(service, canvas),
        *_owns(service, canvas),
    ]


def _events(service: str, canvas: Canvas) -> list[str]:
    hears = {subscription.event_type.type for subscription in subscriptions(service)}
    says = {event.type for event in said_by(service)}
    return _compared("Hears", canvas, hears) + _compared("Says", canvas, says)


def _reasons(service: str, canvas: Canvas) -> list[str]:
    heard = topology().hears
    said = {event.type for event in said_by(service)}
    unheard = {kind for kind in said if not heard.get(kind)}
    unsaid = {event.type for event in declared_by(service)} - said
    found = _compared("Said to nobody", canvas, unheard)
    found += _compared("Not said yet", canvas, unsaid)
    for heading in ("Said to nobody", "Not said yet"):
        for row in canvas.tables.get(heading, ()):
            if len(row.cells[-1]) < 10:
                found.append(f"{heading}: {row.names[0]} without a reason")
    return found


def _offers(service: str, canvas: Canvas) -> list[str]:
    listed = []
    for name in canvas.names("Offers"):
        verb, _, path = name.partition(" ")
        path = _PARAMETER.sub("{}", path.partition("?")[0])
        if path.startswith(f"/{service}/") or path == f"/{service}":
            listed.append(f"{verb} {path.removeprefix(f'/{service}')}")
        else:
            listed.append(f"{verb} /v1{path}")
    return _differences("Offers", listed, paths_of(service, asyncio.run(application(service))))


def _settings(service: str, canvas: Canvas) -> list[str]:
    expected = settings_rows(service)
    found = _compared("Settings", canvas, set(expected))
    for row in canvas.tables.get("Settings", ()):
        told = row.cells[0].strip("`")
        for name in row.names:
            if name in expected and told != expected[name]:
                found.append(f"Settings: {name} is {expected[name]} by default, not {told}")
    return found


def _owns(service: str, canvas: Canvas) -> list[str]:
    own, every = tables_of(service)
    listed = canvas.names("Owns")
    found = [f"Owns: {name} is not listed" for name in sorted(own - set(listed))]
    return found + [f"Owns: {name} is no table" for name in listed if name not in every]


def _compared(heading: str, canvas: Canvas, real: set[str]) -> list[str]:
    return _differences(heading, canvas.names(heading), real)


def _differences(heading: str, listed: list[str], real: set[str]) -> list[str]:
    found = [f"{heading}: {name} is not listed" for name in sorted(real - set(listed))]
    found += [f"{heading}: {name} is not so" for name in listed if name not in real]
    twice = sorted({name for name in listed if listed.count(name) > 1})
    return found + [f"{heading}: {name} stands twice" for name in twice]

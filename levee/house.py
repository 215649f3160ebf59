"""All six services in one process: how `levee up`, replays, the demo and journeys are built.

The services stay what they are alone: their own database, their own consumers, their own paths.
They share the process, the time, the bus connection and one port.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from services.clock.main import build as build_clock
from services.clock.settings import Settings as ClockSettings
from services.escalation.main import build as build_escalation
from services.escalation.settings import Settings as EscalationSettings
from services.insight.main import build as build_insight
from services.insight.settings import Settings as InsightSettings
from services.intake.main import IntakeService
from services.intake.main import build as build_intake
from services.intake.settings import Settings as IntakeSettings
from services.notify.main import build as build_notify
from services.notify.settings import Settings as NotifySettings
from services.router.main import RouterService
from services.router.main import build as build_router
from services.router.settings import Settings as RouterSettings
from shared.database import migrations
from shared.service import Service, ServiceSettings, Surroundings

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from shared.consuming import Knobs

#: The services in the order they start: who owns definitions first, so that others find them.
NAMES = ("router", "intake", "clock", "escalation", "notify", "insight")

_SETTINGS: dict[str, Any] = {
    "intake": IntakeSettings,
    "router": RouterSettings,
    "clock": ClockSettings,
    "escalation": EscalationSettings,
    "notify": NotifySettings,
    "insight": InsightSettings,
}
_BUILD: dict[str, Any] = {
    "intake": build_intake,
    "router": build_router,
    "clock": build_clock,
    "escalation": build_escalation,
    "notify": build_notify,
    "insight": build_insight,
}


@dataclass(slots=True)
class House:
    """The services of one process."""

    given: Surroundings
    services: dict[str, Service] = field(default_factory=dict)

    @property
    def intake(self) -> IntakeService:
        """The entrance."""
        found = self.services["intake"]
        assert isinstance(found, IntakeService)
        return found

    @property
    def router(self) -> RouterService:
        """Who decides where requests go."""
        found = self.services["router"]
        assert isinstance(found, RouterService)
        return found

    async def start(self) -> None:
        """Migrate every database, then start every service."""
        for name in NAMES:
            service = self.services[name]
            await migrations.upgrade(name, service.runtime.database)
        # Listeners before the router speaks: in simulated time nothing may be left behind.
        for name in (*NAMES[1:], NAMES[0]):
            await self.services[name].start()

    async def stop(self) -> None:
        """Stop every service, the entrance first."""
        for name in ("intake", *(n for n in NAMES if n != "intake")):
            await self.services[name].stop()

    def app(self) -> ASGIApp:
        """Return one application with every service behind its own prefix, intake also at /v1."""
        apps = {name: service.app(self.given.keys) for name, service in self.services.items()}
        return Front(apps)


class Front:
    """Sends each call to the service its path begins with, as an ingress would."""

    def __init__(self, apps: Mapping[str, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on."""
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        first = path.split("/", 2)[1]
        if first == "v1":
            # The paths of portals (contracts.md, Outside).
            scope = {**scope, "path": f"/intake{path}", "raw_path": f"/intake{path}".encode()}
            first = "intake"
        elif first == "":
            scope = {**scope, "path": "/insight/", "raw_path": b"/insight/"}
            first = "insight"
        await self._apps.get(first, self._apps["insight"])(scope, receive, send)


def build_house(
    given: Surroundings,
    folder: Path,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    knobs: Mapping[str, Knobs] | None = None,
) -> House:
    """Return the services over SQLite files in `folder`; `options` are settings per service.

    `knobs` replace the surroundings' own for the services they name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    house = House(given)
    for name, settings in house_settings(folder, options).items():
        own = replace(given, knobs=(knobs or {}).get(name, given.knobs))
        house.services[name] = _BUILD[name](settings, own)
    return house


def house_settings(
    folder: Path, options: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, ServiceSettings]:
    """Return the settings of the services over SQLite files in `folder`; `options` are told ones.

    Raises `KeepTooShort` and pydantic's ValidationError for what the environment says wrongly.
    """
    return {
        name: _SETTINGS[name](
            **{
                "database_url": f"sqlite+aiosqlite:///{folder / name}.db",
                **(options or {}).get(name, {}),
            }
        )
        for name in NAMES
    }

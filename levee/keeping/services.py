"""What keeping must know of each service: its tables, whom it hears, where its database is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from levee.house import NAMES
from levee.keeping.errors import DatabaseUnnamed, NothingToBackUp
from levee.keeping.gaps import publishers_of
from services.clock import events_in as clock_in
from services.clock import store as clock_store
from services.escalation import events_in as escalation_in
from services.escalation import store as escalation_store
from services.insight import events_in as insight_in
from services.insight import store as insight_store
from services.intake import events_in as intake_in
from services.intake import store as intake_store
from services.notify import events_in as notify_in
from services.notify import store as notify_store
from services.router import events_in as router_in
from services.router import store as router_store
from shared.consuming.runtime import consumers_of
from shared.service.settings import ServiceSettings, SettingUnreadable

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from levee.embedded import Folder
    from shared.database.tables import KitTables

METADATA: dict[str, MetaData] = {
    "router": router_store.metadata,
    "intake": intake_store.metadata,
    "clock": clock_store.metadata,
    "escalation": escalation_store.metadata,
    "notify": notify_store.metadata,
    "insight": insight_store.metadata,
}
KIT: dict[str, KitTables] = {
    "router": router_store.kit,
    "intake": intake_store.kit,
    "clock": clock_store.kit,
    "escalation": escalation_store.kit,
    "notify": notify_store.kit,
    "insight": insight_store.kit,
}
_HEARD: dict[str, Any] = {
    "router": router_in.SUBSCRIPTIONS,
    "intake": intake_in.SUBSCRIPTIONS,
    "clock": clock_in.SUBSCRIPTIONS,
    "escalation": escalation_in.SUBSCRIPTIONS,
    "notify": notify_in.SUBSCRIPTIONS,
    "insight": insight_in.SUBSCRIPTIONS,
}


def hears() -> dict[str, tuple[str, ...]]:
    """Return per service the publishers whose events it counts."""
    return {
        name: publishers_of(tuple(spec.stream for spec in consumers_of(name, heard)))
        for name, heard in _HEARD.items()
    }


def urls_in(folder: Folder) -> dict[str, str]:
    """Return the databases of an all-in-one; raise `NothingToBackUp`."""
    for name in NAMES:
        if not (folder.databases / f"{name}.db").is_file():
            raise NothingToBackUp(folder=folder.path, missing=f"{name}.db")
    return {name: f"sqlite+aiosqlite:///{folder.databases.resolve() / name}.db" for name in NAMES}


def settings_of(name: str) -> ServiceSettings:
    """Return what a service's own environment says; raise `DatabaseUnnamed`."""

    class Settings(ServiceSettings):
        """One service's settings, those every service has."""

        model_config = SettingsConfigDict(env_prefix=f"{name.upper()}_", extra="ignore")

    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        place = "_".join(map(str, wrong["loc"])).upper()
        raise DatabaseUnnamed(variable=f"{name.upper()}_{place}", reason=wrong["msg"]) from error
    except SettingUnreadable as error:
        raise DatabaseUnnamed(
            variable=f"{name.upper()}_DATABASE_URL_FILE", reason=str(error)
        ) from error


def urls_deployed() -> dict[str, str]:
    """Return the databases the services' own variables name; raise `DatabaseUnnamed`."""
    return {name: settings_of(name).database_url for name in NAMES}


def sqlite_path(url: str) -> Path:
    """Return the file of a SQLite URL."""
    return Path(url.removeprefix("sqlite+aiosqlite:///"))

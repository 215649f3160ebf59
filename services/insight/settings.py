"""What an operator may set for insight."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from shared.service import DatabaseUrl, ServiceSettings


def _is_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not a time zone such as Asia/Shanghai")
    return name


class Settings(ServiceSettings):
    """Read once, in `main`, from variables named `INSIGHT_…`."""

    model_config = SettingsConfigDict(env_prefix="INSIGHT_", frozen=True, extra="ignore")

    database_url: DatabaseUrl = Field(
        "sqlite+aiosqlite:///insight.db", description="insight's own database"
    )
    zone: Annotated[str, AfterValidator(_is_zone)] = Field(
        "Asia/Shanghai",
        description="time zone of pages until a viewer chooses one, and of `today` in figures",
    )
    open_pages: bool = Field(
        default=False,
        description="pages and read API without a key; only where the port is not reachable "
        "from outside",
    )
    open_hosts: str = Field(
        "localhost,127.0.0.1,[::1]",
        description="host names for which open pages hold, comma separated; others need a key, "
        "so that a foreign page cannot read through a renamed address; * for any",
    )
    due_soon_min: int = Field(
        60, ge=1, le=10_080, description="minutes ahead that count as due soon"
    )

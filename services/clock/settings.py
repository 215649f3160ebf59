"""What an operator may set for the clock."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.service import DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    """Read once, in `main`, from variables named `CLOCK_…`."""

    model_config = SettingsConfigDict(env_prefix="CLOCK_", frozen=True, extra="ignore")

    database_url: DatabaseUrl = Field(
        "sqlite+aiosqlite:///clock.db", description="the clock's own database"
    )
    catch_up_s: float = Field(
        5.0,
        ge=0,
        le=600,
        description="seconds after a start in which what was due before it waits for the bus",
    )

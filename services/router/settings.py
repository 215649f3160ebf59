"""What an operator may set for the router."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.service import DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    """Read once, in `main`, from variables named `ROUTER_…`."""

    model_config = SettingsConfigDict(env_prefix="ROUTER_", frozen=True, extra="ignore")

    database_url: DatabaseUrl = Field(
        "sqlite+aiosqlite:///router.db", description="the router's own database"
    )
    definitions_folder: Path | None = Field(
        None, description="folder of processes, tables, policies; loaded at start and on change"
    )
    watch_every_s: float = Field(
        1.0, gt=0, le=3600, description="seconds between two looks at the folder"
    )

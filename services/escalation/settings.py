"""What an operator may set for escalation."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.service import DatabaseUrl, ServiceSettings


class Settings(ServiceSettings):
    """Read once, in `main`, from variables named `ESCALATION_…`."""

    model_config = SettingsConfigDict(env_prefix="ESCALATION_", frozen=True, extra="ignore")

    database_url: DatabaseUrl = Field(
        "sqlite+aiosqlite:///escalation.db", description="escalation's own database"
    )

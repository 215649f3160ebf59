"""What an operator may set for the router."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.service import DatabaseUrl, Least, ServiceSettings


class Settings(ServiceSettings):
    """Read once, in `main`, from variables named `ROUTER_…`."""

    model_config = SettingsConfigDict(env_prefix="ROUTER_", frozen=True, extra="ignore")

    LEAST: ClassVar[dict[str, Least]] = ServiceSettings.LEAST | {
        "keep_messages_days": Least(
            1,
            "a sender that was cut off for a day repeats its messages, and must not be heard twice",
            "断网一天的发送方会重发消息，不能被听到两次",
        )
    }

    database_url: DatabaseUrl = Field(
        "sqlite+aiosqlite:///router.db", description="the router's own database"
    )
    definitions_folder: Path | None = Field(
        None, description="folder of processes, tables, policies; loaded at start and on change"
    )
    outbound_allow: str = Field(
        "", description="places inside the house diagrams may call: host:port or network, comma"
    )
    web_secrets: SecretStr | None = Field(
        None,
        description="JSON {name: {value, hosts, header?, scheme?}}: what calls may carry, where",
    )
    keep_messages_days: float = Field(
        40,
        le=36_500,
        allow_inf_nan=False,
        description="days a message from outside is known after it expired",
    )
    watch_every_s: float = Field(
        1.0, gt=0, le=3600, description="seconds between two looks at the folder"
    )

"""What an operator may set for notify."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from shared.service import DatabaseUrl, Least, ServiceSettings

_MIN_SECRET = 32


class Settings(ServiceSettings):
    """Read once, in `main`, from variables named `NOTIFY_…`."""

    model_config = SettingsConfigDict(env_prefix="NOTIFY_", frozen=True, extra="ignore")

    LEAST: ClassVar[dict[str, Least]] = ServiceSettings.LEAST | {
        "keep_deliveries_days": Least(
            30,
            "links in messages lead here, and people ask what became of a message",
            "消息中的链接指向这里，也有人会查询某条消息的结果",
        )
    }

    database_url: DatabaseUrl = Field(
        "sqlite+aiosqlite:///notify.db", description="notify's own database"
    )
    delivery: Literal["real", "record"] = Field(
        "real", description="real: messages leave; record: they are only written down"
    )
    public_url: str = Field(
        "http://127.0.0.1:8080", description="where people reach this house, for links"
    )
    link_secret: SecretStr | None = Field(
        None, description="signs links, 32 bytes at least; made and kept in the database if absent"
    )
    outbound_allow: str = Field(
        "", description="places inside the house that may be called: host:port or network, comma"
    )
    smtp_host: str | None = Field(None, description="mail server; without it no mail is sent")
    smtp_port: int = Field(587, ge=1, le=65535, description="its port")
    smtp_security: Literal["tls", "starttls", "none"] = Field(
        "starttls", description="tls (465), starttls (587), none (a relay on this machine)"
    )
    smtp_username: str | None = Field(None, description="log-in at the mail server")
    smtp_password: SecretStr | None = Field(None, description="its password")
    mail_from: str = Field("levee@localhost", description="sender of mails")
    mail_name: str = Field("Levee", description="the sender's name")
    mail_bounces: str | None = Field(None, description="mailbox for mail that comes back")

    keep_deliveries_days: int = Field(
        400, le=36_500, description="how long finished deliveries stay in the delivery log"
    )

    @model_validator(mode="after")
    def _usable(self) -> Settings:
        secret = self.link_secret
        if secret is not None and len(secret.get_secret_value().encode()) < _MIN_SECRET:
            raise ValueError("NOTIFY_LINK_SECRET needs 32 bytes at least")
        if self.smtp_security == "none" and self.smtp_password is not None:
            raise ValueError("NOTIFY_SMTP_PASSWORD needs NOTIFY_SMTP_SECURITY tls or starttls")
        if "@" not in self.mail_from.strip("@"):
            raise ValueError("NOTIFY_MAIL_FROM is not a mail address")
        if not self.public_url.startswith(("http://", "https://")):
            raise ValueError("NOTIFY_PUBLIC_URL begins with http:// or https://")
        return self

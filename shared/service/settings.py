"""What every service may be told."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import ssl
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from shared.consuming.transactor import Knobs
from shared.errors import LeveeError

#: Bytes of the megabytes operators speak of.
_MB = 1024 * 1024
#: A century: what lies beyond is a slip of the hand.
_DAYS_MAX = 36_500


@functools.cache
def version() -> str:
    """Return the installed version of Levee."""
    try:
        return importlib.metadata.version("levee")
    except importlib.metadata.PackageNotFoundError:
        return os.environ.get("LEVEE_VERSION", "0.0.0")


class SettingUnreadable(LeveeError):
    """{variable}: {reason}"""

    zh = "{variable}：{reason}"


class KeepTooShort(LeveeError):
    """{variable} is {given}; it must be {least} at least: {why}"""

    zh = "{variable} 为 {given}，至少应为 {least}：{why_zh}"


@dataclass(frozen=True, slots=True)
class Least:
    """The shortest that something may safely be kept, in the unit of its setting, and why.

    `is_zero_fine` where 0 means that there is no limit.
    """

    least: float
    why: str
    why_zh: str
    is_zero_fine: bool = False


def _known_database(url: str) -> str:
    try:
        driver = make_url(url).drivername
    except ArgumentError as error:
        raise ValueError("not a database URL") from error
    if driver not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise ValueError("begin with sqlite+aiosqlite:/// or postgresql+asyncpg://")
    return url


DatabaseUrl = Annotated[str, AfterValidator(_known_database)]


class ServiceSettings(BaseSettings):
    """What every service may be told; read once, in `main`, with the service's own prefix."""

    #: Setting -> how short it may be. Subclasses add theirs.
    LEAST: ClassVar[dict[str, Least]] = {
        "keep_published_s": Least(
            300,
            "a broker may lose its last two minutes in a power cut, and notices it only when it is "
            "back; what it lost is published again from here",
            "消息服务断电可能丢失最后两分钟的消息，恢复后才会发现；丢失的部分从这里重新发布",
        ),
        "keep_stream_days": Least(
            3,
            "a service that was away over a weekend finds here what it has not heard",
            "停机一个周末的服务要在这里找到尚未听到的消息",
        ),
        "keep_stream_mb": Least(
            256,
            "the oldest messages go first, whether or not everybody has heard them",
            "最早的消息先被丢弃，不论是否所有服务都已听到",
            is_zero_fine=True,
        ),
        "keep_settled_days": Least(
            1_096,
            "who decided what about which message is part of the audit log, kept three years at "
            "least",
            "谁对哪条消息作了什么决定属于审计记录，至少保留三年",
        ),
    }

    database_url: DatabaseUrl = Field(description="sqlite+aiosqlite:///… or postgresql+asyncpg://…")
    is_durable: bool = Field(
        default=True, description="SQLite: wait for the disk at commit; off only for replays"
    )
    nats_url: str = Field("nats://127.0.0.1:4222", description="one or several, comma separated")
    nats_user: str | None = Field(None, description="one NATS user per service")
    nats_password: SecretStr | None = Field(None, description="its password")
    nats_creds: Path | None = Field(
        None, description="credentials file (JWT and seed) instead of user and password"
    )
    nats_ca: Path | None = Field(
        None, description="PEM file of whom to trust at tls:// addresses; else the system's"
    )
    nats_cert: Path | None = Field(
        None, description="PEM file with this service's own certificate, where NATS asks for one"
    )
    nats_key: Path | None = Field(None, description="PEM file with the certificate's key")
    nats_replicas: int = Field(1, ge=1, le=5, description="copies of each stream")
    keep_published_s: float = Field(
        600, le=604_800, allow_inf_nan=False, description="how long published outbox rows stay"
    )
    keep_stream_days: int = Field(
        30, le=_DAYS_MAX, description="how long the stream keeps what this service says"
    )
    keep_stream_mb: int = Field(
        0, description="and up to how many megabytes; 0: no limit but the server's own"
    )
    keep_settled_days: int = Field(
        1_826, le=_DAYS_MAX, description="how long decisions about set-aside messages stay"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on")
    keys_file: Path | None = Field(None, description="JSON file with the API keys' hashes")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG, INFO, WARNING or ERROR"
    )
    replica: str = Field(default="replica-1", description="this replica's own name")
    is_batching: bool = Field(
        default=True, description="off: a transaction per message and call, only to compare speed"
    )

    @model_validator(mode="after")
    def _one_way_to_be_known(self) -> Self:
        if (self.nats_user is None) != (self.nats_password is None):
            raise ValueError("nats_user and nats_password go together")
        if self.nats_creds is not None and self.nats_user is not None:
            raise ValueError("nats_creds or nats_user with nats_password, not both")
        if (self.nats_cert is None) != (self.nats_key is None):
            raise ValueError("nats_cert and nats_key go together")
        return self

    @model_validator(mode="after")
    def _kept_long_enough(self) -> Self:
        prefix = self.model_config.get("env_prefix", "")
        for name, limit in self.LEAST.items():
            given = getattr(self, name)
            if given < limit.least and not (limit.is_zero_fine and given == 0):
                raise KeepTooShort(
                    variable=f"{prefix}{name}".upper(),
                    given=f"{given:g}",
                    least=f"{limit.least:g}",
                    why=limit.why,
                    why_zh=limit.why_zh,
                )
        return self

    @property
    def stream_keep(self) -> tuple[timedelta, int | None]:
        """How long and up to how many bytes the stream keeps what this service says."""
        limit = self.keep_stream_mb * _MB if self.keep_stream_mb else None
        return timedelta(days=self.keep_stream_days), limit

    def keeping(self, knobs: Knobs) -> Knobs:
        """Return `knobs` with what is set about keeping; in moved time nothing is purged."""
        if not knobs.has_housekeeping:
            return knobs
        return replace(
            knobs,
            keep_published=timedelta(seconds=self.keep_published_s),
            keep_settled=timedelta(days=self.keep_settled_days),
            keep_positions=timedelta(days=self.keep_stream_days),
        )

    def nats_tls(self) -> ssl.SSLContext | None:
        """Return how to speak TLS with NATS; None where the server decides and we trust the system.

        Raises SettingUnreadable for a file that is not there or no PEM file.
        """
        if self.nats_ca is None and self.nats_cert is None:
            return None
        try:
            context = ssl.create_default_context(cafile=self.nats_ca)
            if self.nats_cert is not None:
                context.load_cert_chain(self.nats_cert, self.nats_key)
        except OSError as error:  # SSLError is one
            prefix = self.model_config.get("env_prefix", "")
            files = ", ".join(f"{prefix}NATS_{name}" for name in ("CA", "CERT", "KEY"))
            raise SettingUnreadable(variable=files, reason=error) from error
        return context

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let every setting also be read from a file, as secrets are mounted."""
        return init_settings, env_settings, _FromFiles(settings_cls)


class _FromFiles(PydanticBaseSettingsSource):
    """Reads the setting `nats_password` from the file that `CLOCK_NATS_PASSWORD_FILE` names.

    White space around is dropped: editors and `kubectl create secret` leave a line end there.
    Raises SettingUnreadable for a file that cannot be read, and where the variable itself is set
    as well: nobody could say which of the two counts.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the content of the named file; None where no variable names one."""
        plain = f"{self.config.get('env_prefix', '')}{field_name}".upper()
        variable = f"{plain}_FILE"
        path = os.environ.get(variable)
        if not path:
            return None, field_name, False
        if os.environ.get(plain):
            raise SettingUnreadable(variable=variable, reason=f"{plain} is set as well; keep one")
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise SettingUnreadable(variable=variable, reason=error) from error

    def __call__(self) -> dict[str, Any]:
        """Return what files say."""
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}

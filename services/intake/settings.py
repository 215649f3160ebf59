"""What intake may be told; read once, in `main`, from variables named `INTAKE_…`."""

from __future__ import annotations

from typing import Annotated, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from shared.service import DatabaseUrl, Least, ServiceSettings


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is no IANA time zone such as Asia/Shanghai") from error
    return name


class Settings(ServiceSettings):
    """Intake's own settings beside those every service has."""

    model_config = SettingsConfigDict(env_prefix="INTAKE_", frozen=True, extra="ignore")

    LEAST: ClassVar[dict[str, Least]] = ServiceSettings.LEAST | {
        "keep_answers_s": Least(
            86_400,
            "a portal that was cut off for a day repeats its posts, and must not make new requests",
            "断网一天的门户会重发请求，不能因此产生新请求",
        ),
        "keep_positions_days": Least(
            90,
            "until then people may rate it and write about it, and no service may lag so far",
            "在此之前请求人仍可评价、留言，且任何服务都不应落后这么久",
            is_zero_fine=True,
        ),
    }

    database_url: DatabaseUrl = Field(
        "sqlite+aiosqlite:///intake.db", description="this service's own database"
    )
    zone: Annotated[str, AfterValidator(_zone)] = Field(
        "Asia/Shanghai", description="IANA zone in which the year of a number is told"
    )
    route_within_s: float = Field(
        60, gt=0, le=31_622_400, description="a request nobody routed for so long is escalated"
    )
    keep_answers_s: float = Field(
        172_800,
        le=3_153_600_000,
        allow_inf_nan=False,
        description="how long an Idempotency-Key keeps its answer",
    )
    keep_positions_days: int = Field(
        400,
        le=36_500,
        description="how long after its end, and the last word about it, a request is sealed: "
        "nothing is added any more, and positions go; 0: never",
    )

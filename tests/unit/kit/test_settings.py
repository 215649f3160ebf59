"""What a service may be told, and what it refuses at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from services.clock.settings import Settings as ClockSettings
from shared.consuming import MOVED_TIME, Knobs
from shared.service.settings import KeepTooShort, ServiceSettings, SettingUnreadable
from tools.canvas import settings_of
from tools.nats_users import SERVICES

NOWHERE = Path("/dev/null")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"nats_user": "clock"}, "nats_user and nats_password go together"),
        ({"nats_password": SecretStr("x")}, "nats_user and nats_password go together"),
        (
            {"nats_user": "clock", "nats_password": SecretStr("x"), "nats_creds": NOWHERE},
            "not both",
        ),
        ({"nats_cert": NOWHERE}, "nats_cert and nats_key go together"),
    ],
)
def test_half_an_identity_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ClockSettings(**given)


def test_a_certificate_that_is_none_names_its_settings() -> None:
    with pytest.raises(SettingUnreadable, match="CLOCK_NATS_CA"):
        ClockSettings(nats_ca=NOWHERE).nats_tls()


def test_a_password_is_not_shown() -> None:
    told = repr(ClockSettings(nats_user="clock", nats_password=SecretStr("hunter2")))

    assert "hunter2" not in told


@pytest.mark.parametrize("service", SERVICES)
def test_no_setting_hides_where_another_one_is_read_from(service: str) -> None:
    names = {*settings_of(service).model_fields, *ServiceSettings.model_fields}

    assert not {f"{name}_file" for name in names} & names


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_kept_shorter_than_is_safe_is_refused_with_the_reason(service: str) -> None:
    settings: Any = settings_of(service)
    for name, limit in settings.LEAST.items():
        with pytest.raises(KeepTooShort) as refused:
            settings(**{name: type(getattr(settings(), name))(limit.least - 1)})

        variable = f"{service}_{name}".upper()
        assert str(refused.value).startswith(f"{variable} is {limit.least - 1:g}; ")
        assert limit.why in str(refused.value)
        assert limit.why_zh in refused.value.sentence("zh-CN")
        assert settings(**{name: limit.least}).LEAST[name] is limit


@pytest.mark.parametrize("service", SERVICES)
def test_everything_that_is_kept_for_a_time_has_a_shortest_one(service: str) -> None:
    settings = settings_of(service)

    assert {n for n in settings.model_fields if n.startswith("keep_")} == set(settings.LEAST)
    for name, limit in settings.LEAST.items():
        default = getattr(settings(), name)
        assert default >= limit.least or (limit.is_zero_fine and default == 0)


def test_an_endless_keep_is_a_slip_of_the_hand() -> None:
    with pytest.raises(ValidationError):
        ClockSettings(keep_stream_days=10**9)
    with pytest.raises(ValidationError):
        ClockSettings(keep_published_s=float("nan"))


def test_time_that_is_moved_by_hand_keeps_what_it_was_told() -> None:
    told = ClockSettings(keep_published_s=3_600)

    assert told.keeping(Knobs()).keep_published.total_seconds() == 3_600
    assert told.keeping(MOVED_TIME) is MOVED_TIME

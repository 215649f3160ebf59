"""What a service may be told, and what it refuses at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from services.clock.settings import Settings as ClockSettings
from shared.service.settings import ServiceSettings, SettingUnreadable
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

"""Deliveries, people and escalations for tests of notify; the test says what matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.notify.domain.deliveries import Delivery
from services.notify.domain.people import Directory, Endpoint, Person, Team

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOTIFICATION, REQUEST, ESCALATION = UUID(int=1), UUID(int=2), UUID(int=3)


def a_delivery(**changed: Any) -> Delivery:
    given = Delivery(
        id=UUID(int=9),
        notification_id=NOTIFICATION,
        request_id=REQUEST,
        template="escalation.step",
        recipient="ann",
        channel="email",
        lane="email",
        accepted_at=NINE,
        next_at=NINE,
        escalation_id=ESCALATION,
        epoch=1,
    )
    return replace(given, **changed)


def a_directory(**changed: Person) -> Directory:
    people = {
        "ann": Person("ann", "安娜", addresses={"email": "ann@example.com"}),
        "bob": Person(
            "bob",
            "Bob",
            language="en",
            zone="America/New_York",
            addresses={"email": "bob@example.com", "wecom_robot": "https://robot.example/k"},
            channels=("wecom_robot", "email"),
        ),
    }
    team = Team(
        "desk",
        {"zh-CN": "服务台", "en": "Desk"},
        {"dingtalk_robot": "https://ding.example/r?t=1#SECabc"},
    )
    return Directory(1, people | changed, {"desk": team})


def an_endpoint(name: str = "portal", **changed: Any) -> Endpoint:
    endpoint = Endpoint(UUID(int=50), name, "https://portal.example/hook", "whsec_x", NINE)
    return replace(endpoint, **changed)

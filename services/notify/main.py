"""Wires notify: the only place that knows which store, bus, channels and settings are real."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from services.notify import api, store
from services.notify.channels import (
    DingTalkRobot,
    FeishuRobot,
    MailSender,
    MailServer,
    SmtpChannel,
    Webhook,
    WeComRobot,
)
from services.notify.domain.links import MIN_SECRET_BYTES
from services.notify.events_in import SUBSCRIPTIONS, TIMERS
from services.notify.gateways import Sender
from services.notify.handlers import Desk
from shared.consuming import Glance, Runtime
from shared.database.engine import Database
from shared.http.addresses import OutboundPolicy
from shared.http.client import OutboundClient
from shared.service import Service, Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.notify.channels import Channel
    from services.notify.settings import Settings
    from shared.consuming import WorkContext

_log = logging.getLogger(__name__)

#: A delivery that waits longer than this behind its time is a fault an operator must see.
_OVERDUE = timedelta(minutes=5)


@dataclass(slots=True)
class NotifyService(Service):
    """Notify, with its sender."""

    sender: Sender | None = None


def build(settings: Settings, given: Surroundings) -> NotifyService:
    """Return notify, ready to start."""
    database = Database(settings.database_url, is_durable=settings.is_durable)
    policy = OutboundPolicy.parse(e for e in settings.outbound_allow.split(",") if e.strip())
    client = OutboundClient(policy)
    sender = Sender(given.activity)
    house = store.House(
        is_recording=settings.delivery == "record",
        public_url=settings.public_url.rstrip("/"),
        hand_over=sender.offer,
        glance=Glance(given.time.monotonic, given.knobs.look_every),
    )
    reading = store.Reading(database, house)

    def make_work(context: WorkContext) -> store.NotifyWork:
        return store.NotifyWork(context, house)

    runtime: Runtime[Any] = Runtime(
        service="notify",
        database=database,
        tables=store.kit,
        bus=given.bus,
        time=given.time,
        ids=given.ids,
        activity=given.activity,
        work=make_work,
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
        knobs=settings.keeping(given.knobs),
        purges=[store.delivery_purge(timedelta(days=settings.keep_deliveries_days))],
    )
    runtime.stats.measures.notifications = house.outcomes
    sender.carry_with(Desk(runtime, channels_of(settings, client, given)).carry)

    async def prepare() -> None:
        """Say how messages are delivered; have a secret before the first link, and numbers."""
        if house.is_recording:
            _log.warning("NOTIFY_DELIVERY=record: messages are written down, nothing is sent")
        own = settings.link_secret
        own_bytes = own.get_secret_value().encode() if own else None
        await house.prepare_secret(database, own_bytes, secrets.token_bytes(MIN_SECRET_BYTES))
        await store.fill_missing_numbers(database)

    async def send() -> None:
        """Send what is handed over, until the service stops."""
        await sender.run()

    async def checks() -> dict[str, tuple[bool, str]]:
        """Tell what waits, what was given up, and whether anything leaves the house at all."""
        overdue = await reading.overdue(given.time.now(), _OVERDUE)
        given_up = await reading.count("set_aside")
        has_templates = bool((await reading.copies()).versions)
        mode = "record: nothing leaves the house" if house.is_recording else "real"
        has_mail = settings.smtp_host is not None or house.is_recording
        return {
            "delivery": (True, mode),
            "mail": (has_mail, "configured" if has_mail else "no NOTIFY_SMTP_HOST: no mail"),
            "templates": (has_templates, "in force" if has_templates else "none released yet"),
            "queue": (overdue == 0, f"{overdue} overdue, {sender.waiting} in line"),
            "given_up": (given_up == 0, f"{given_up} deliveries wait for a person"),
        }

    async def figures() -> dict[str, dict[tuple[str, ...], float]]:
        """Count what is in force, and what was said of deliveries."""
        versions = (await reading.copies()).versions
        return {"levee_definitions_in_force": {("template",): float(len(versions))}}

    return NotifyService(
        "notify",
        runtime,
        books=store.BOOKS,
        routes=[api.routes(runtime, reading, house, client), api.links(runtime, reading, house)],
        on_start=[prepare],
        loops=[send],
        checks=checks,
        figures=figures,
        sender=sender,
    )


def channels_of(
    settings: Settings, client: OutboundClient, given: Surroundings
) -> Mapping[str, Channel]:
    """Return the channels that are configured; mail only where there is a server."""
    now = given.time.now
    channels: dict[str, Channel] = {
        "wecom_robot": WeComRobot(client, now),
        "dingtalk_robot": DingTalkRobot(client, now),
        "feishu_robot": FeishuRobot(client, now),
        "webhook": Webhook(client, now),
    }
    if settings.smtp_host is not None:
        password = settings.smtp_password
        server = MailServer(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_username,
            password.get_secret_value() if password else None,
        )
        sender = MailSender(settings.mail_from, settings.mail_name, settings.mail_bounces)
        channels["email"] = SmtpChannel(server, sender, now)
    return channels

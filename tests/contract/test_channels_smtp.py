"""Mail against a real SMTP server on this machine."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest

from services.notify.channels import MailSender, MailServer, Outcome, SmtpChannel
from tests.harness.receivers import SmtpFault, SmtpReceiver
from tests.harness.receivers.certificates import Certificate, make_certificate
from tests.unit.notify.channels.builders import DELIVERY, a_message, now

SENDER = MailSender("no-reply@levee.example", "服务台", bounces="bounces@levee.example")
TO = "zhang@corp.example"


@pytest.fixture
async def receiver() -> AsyncIterator[SmtpReceiver]:
    async with SmtpReceiver(now) as listening:
        yield listening


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder: Path = tmp_path_factory.mktemp("certificate")
    return make_certificate(folder, "localhost")


def plain(receiver: SmtpReceiver, timeout_s: float = 5.0) -> SmtpChannel:
    server = MailServer(receiver.host, receiver.port, "none", timeout_s=timeout_s)
    return SmtpChannel(server, SENDER, now)


async def test_a_mail_arrives_as_it_was_written(receiver: SmtpReceiver) -> None:
    message = a_message(
        TO, subject="【P1】工资单打不开", text=".开头是点\n第二行", body={"html": "<p>是</p>"}
    )

    outcome = await plain(receiver).send(message)

    assert (outcome.kind, outcome.provider_code, outcome.provider_id) == ("accepted", "250", "Q1")
    (mail,) = receiver.inbox(TO)
    assert mail.mail["Subject"] == "【P1】工资单打不开"
    assert (mail.text, mail.html) == (".开头是点\n第二行", "<p>是</p>")
    assert mail.message_id == f"<{DELIVERY}@levee.example>"
    assert mail.envelope_from == f"bounces+{DELIVERY.hex}@levee.example"


async def test_a_repetition_after_doubt_carries_the_same_message_id(
    receiver: SmtpReceiver,
) -> None:
    receiver.fail_next(SmtpFault("data"))

    first = await plain(receiver).send(a_message(TO))
    second = await plain(receiver).send(a_message(TO))

    assert (first.kind, second.kind) == ("unknown", "accepted")
    assert len(receiver.messages) == 2
    assert len(receiver.inbox(TO)) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (SmtpFault("rcpt", "550 5.1.1 user unknown"), ("refused", "550", "address")),
        (SmtpFault("rcpt", "450 4.7.1 greylisted"), ("retry", "450", None)),
        (SmtpFault("rcpt", "452 4.2.2 mailbox full"), ("retry", "452", None)),
        (SmtpFault("mail", "553 5.7.1 sender not allowed"), ("retry", "553", "house")),
        (SmtpFault("mail", "421 4.3.2 shutting down"), ("retry", "421", None)),
        (SmtpFault("data", "554 5.7.1 looks like spam"), ("refused", "554", "message")),
        (SmtpFault("data", "451 4.3.0 try again"), ("retry", "451", None)),
        (SmtpFault("mail"), ("retry", "not_reached", None)),
        (SmtpFault("rcpt"), ("retry", "not_reached", None)),
        (SmtpFault("data"), ("unknown", "no_answer", None)),
    ],
)
async def test_what_the_server_says_at_a_step_is_understood(
    receiver: SmtpReceiver, fault: SmtpFault, expected: tuple[str, str, str | None]
) -> None:
    receiver.fail_next(fault)

    outcome = await plain(receiver).send(a_message(TO))

    assert (outcome.kind, outcome.provider_code, outcome.fault) == expected


@pytest.mark.parametrize(("step", "kind"), [("rcpt", "retry"), ("data", "unknown")])
async def test_a_server_that_waits_too_long_leaves_doubt_only_once_it_has_the_mail(
    receiver: SmtpReceiver, step: str, kind: str
) -> None:
    receiver.fail_next(SmtpFault("data" if step == "data" else "rcpt", is_held=True))

    outcome = await plain(receiver, timeout_s=0.6).send(a_message(TO))

    assert outcome.kind == kind


async def test_nobody_listening_can_be_tried_again(receiver: SmtpReceiver) -> None:
    channel = plain(receiver)
    await receiver.stop()

    outcome = await channel.send(a_message(TO))

    assert (outcome.kind, outcome.provider_code, outcome.fault) == ("retry", "not_reached", None)


async def test_an_address_that_is_none_is_refused_without_a_word(receiver: SmtpReceiver) -> None:
    outcome = await plain(receiver).send(a_message("a@b.example, c@d.example"))

    assert outcome == Outcome("refused", "address_invalid", fault="address")
    assert receiver.messages == []


async def test_a_name_in_chinese_needs_a_server_that_takes_it(receiver: SmtpReceiver) -> None:
    async with SmtpReceiver(now, takes_utf8=False) as old:
        refused = await plain(old).send(a_message("张伟@corp.example"))
    accepted = await plain(receiver).send(a_message("张伟@corp.example"))

    assert (refused.kind, refused.provider_code) == ("refused", "smtputf8_missing")
    assert accepted.kind == "accepted"
    assert receiver.messages[0].envelope_to == ("张伟@corp.example",)


async def test_starttls_encrypts_before_the_password_is_said(certificate: Certificate) -> None:
    login = ("levee", "geheim")
    async with SmtpReceiver(now, "starttls", certificate.server(), login) as receiver:
        server = MailServer(
            "localhost", receiver.port, "starttls", *login, tls=certificate.client()
        )
        outcome = await SmtpChannel(server, SENDER, now).send(a_message(TO))

    assert outcome.kind == "accepted"
    assert receiver.messages[0].is_encrypted
    assert receiver.messages[0].username == "levee"


async def test_tls_encrypts_from_the_first_byte(certificate: Certificate) -> None:
    async with SmtpReceiver(now, "tls", certificate.server()) as receiver:
        server = MailServer("localhost", receiver.port, "tls", tls=certificate.client())
        outcome = await SmtpChannel(server, SENDER, now).send(a_message(TO))

    assert outcome.kind == "accepted"
    assert receiver.messages[0].is_encrypted


async def test_a_server_that_cannot_encrypt_gets_no_mail_when_encryption_is_asked_for(
    receiver: SmtpReceiver,
) -> None:
    server = MailServer(receiver.host, receiver.port, "starttls", timeout_s=5)

    outcome = await SmtpChannel(server, SENDER, now).send(a_message(TO))

    assert (outcome.kind, outcome.fault) == ("retry", "house")
    assert receiver.messages == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_nobody_vouches_for_gets_no_mail(
    certificate: Certificate, security: Literal["starttls", "tls"]
) -> None:
    async with SmtpReceiver(now, security, certificate.server()) as receiver:
        trusting_others = ssl.create_default_context()
        server = MailServer("localhost", receiver.port, security, tls=trusting_others, timeout_s=5)
        outcome = await SmtpChannel(server, SENDER, now).send(a_message(TO))

    assert (outcome.kind, outcome.fault) == ("retry", "house")
    assert receiver.messages == []


async def test_a_wrong_password_is_the_houses_matter(certificate: Certificate) -> None:
    async with SmtpReceiver(now, "starttls", certificate.server(), ("levee", "right")) as receiver:
        server = MailServer(
            "localhost", receiver.port, "starttls", "levee", "wrong", tls=certificate.client()
        )
        outcome = await SmtpChannel(server, SENDER, now).send(a_message(TO))

    assert (outcome.kind, outcome.provider_code, outcome.fault) == ("retry", "535", "house")


def test_a_password_is_never_said_in_the_open() -> None:
    with pytest.raises(ValueError, match="tls"):
        MailServer("mail.example", 25, "none", "levee", "geheim")


def test_neither_server_nor_message_shows_its_secret_when_printed() -> None:
    server = MailServer("mail.example", 587, "starttls", "levee", "geheim")

    assert "geheim" not in repr(server)
    assert "whsec" not in repr(a_message(secret="whsec_x"))

from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.channels.mail import Mail, MailSender, compose, delivery_of_bounce
from tests.unit.notify.channels.builders import DELIVERY, NOW, a_message

SENDER = MailSender("no-reply@levee.example", "服务台 Levee")


def read(mail: Mail) -> EmailMessage:
    parsed = message_from_bytes(mail.content, policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def test_every_attempt_of_a_delivery_has_the_same_message_id() -> None:
    message = a_message("zhang@corp.example")

    first = read(compose(message, SENDER, NOW))
    second = read(compose(message, SENDER, NOW + timedelta(hours=1)))

    assert first["Message-ID"] == second["Message-ID"] == f"<{DELIVERY}@levee.example>"


def test_mails_about_one_request_hang_together() -> None:
    first = UUID(int=1)

    mail = read(compose(a_message("z@corp.example", thread=str(first)), SENDER, NOW))

    assert mail["References"] == mail["In-Reply-To"] == f"<{first}@levee.example>"


def test_the_first_mail_of_a_thread_does_not_answer_itself() -> None:
    mail = read(compose(a_message("z@corp.example", thread=str(DELIVERY)), SENDER, NOW))

    assert mail["References"] is None
    assert mail["In-Reply-To"] is None


def test_a_thread_may_be_given_as_a_whole_message_id() -> None:
    mail = read(compose(a_message("z@corp.example", thread="<a.1@old.example>"), SENDER, NOW))

    assert mail["References"] == "<a.1@old.example>"


def test_no_robot_is_to_answer() -> None:
    mail = read(compose(a_message("z@corp.example"), SENDER, NOW))

    assert mail["Auto-Submitted"] == "auto-generated"


def test_chinese_arrives_in_subject_name_text_and_html() -> None:
    message = a_message(
        "z@corp.example",
        subject="【P1】工资单系统无法打开，" * 8,
        text="第一行\n第二行",
        body={"html": "<p>第一行</p>"},
    )

    composed = compose(message, SENDER, NOW)

    mail = read(composed)
    assert composed.content.isascii()
    assert mail["Subject"] == message.subject
    assert "服务台 Levee" in mail["From"]
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert plain.get_content() == "第一行\r\n第二行\r\n"
    assert html is not None
    assert html.get_content() == "<p>第一行</p>\r\n"


def test_a_subject_cannot_add_a_header() -> None:
    message = a_message("z@corp.example", subject="Hi\r\nBcc: everybody@corp.example")

    mail = read(compose(message, SENDER, NOW))

    assert mail["Bcc"] is None


@given(subject=st.text(max_size=200), text=st.text(max_size=400))
def test_any_words_make_a_mail_that_can_be_read_again(subject: str, text: str) -> None:
    mail = read(compose(a_message("z@corp.example", subject=subject, text=text), SENDER, NOW))

    assert mail["Message-ID"] == f"<{DELIVERY}@levee.example>"
    assert {key for key in mail if key in ("Bcc", "Cc", "Reply-To")} == set()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b@c",
        "a@b.example, c@d.example",
        "a@b.example\nBcc: c@d.example",
        "Zhang <a@b.example>",
        "a b@c.example",
        "a@-",
        "a@" + "b" * 300 + ".example",
        "@b.example",
    ],
)
def test_what_is_not_one_plain_address_is_not_written_to(address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        compose(a_message(address), SENDER, NOW)


def test_a_chinese_domain_is_written_in_ascii() -> None:
    mail = compose(a_message("zhang@例子.公司"), SENDER, NOW)

    assert mail.envelope_to == "zhang@xn--fsqu00a.xn--55qx5d"
    assert not mail.needs_utf8


def test_a_chinese_name_before_the_at_needs_a_server_that_takes_utf8() -> None:
    mail = compose(a_message("张伟@例子.公司"), SENDER, NOW)

    assert mail.needs_utf8
    assert "张伟@".encode() in mail.content


def test_a_bounce_tells_which_delivery_it_was() -> None:
    sender = MailSender("no-reply@levee.example", bounces="bounces@levee.example")

    mail = compose(a_message("z@corp.example"), sender, NOW)

    assert delivery_of_bounce(mail.envelope_from) == DELIVERY
    assert delivery_of_bounce("bounces@levee.example") is None

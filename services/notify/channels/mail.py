"""How a message becomes a mail: headers that thread, identify and keep robots from answering."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from uuid import UUID

from services.notify.channels.port import Outgoing
from services.notify.channels.text import one_line, printable

# One address: no blank, bracket, quote, comma or control character, so that nothing typed into a
# profile can add a recipient or a header.
_ADDRESS = re.compile(r"(?P<local>[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,64})@(?P<domain>[^\s@<>]+)")
_DOMAIN = re.compile(r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*")
_MESSAGE_ID = re.compile(r"<?([A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]+(?:@[A-Za-z0-9.\-]+)?)>?")
_BOUNCE = re.compile(r"\+([0-9a-f]{32})@")


@dataclass(frozen=True, slots=True)
class MailSender:
    """In whose name mail goes out.

    `bounces`, if set, is the mailbox for mail that could not be delivered: the envelope then
    carries `bounces+<delivery id>@…`, from which `delivery_of_bounce` reads the delivery.
    """

    address: str
    name: str = ""
    bounces: str | None = None

    @property
    def domain(self) -> str:
        """The domain of the sender, which also makes Message-IDs unique in the world."""
        return _split(self.address)[1]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail ready to be handed over: the envelope, and the content as bytes."""

    envelope_from: str
    envelope_to: str
    content: bytes
    needs_utf8: bool


def message_id(delivery: UUID | str, domain: str) -> str:
    """Return the Message-ID of a delivery, the same on every attempt."""
    return f"<{delivery}@{domain}>"


def delivery_of_bounce(recipient: str) -> UUID | None:
    """Return the delivery that bounced, from the address the bounce was sent to."""
    found = _BOUNCE.search(recipient)
    return UUID(hex=found[1]) if found else None


def compose(message: Outgoing, sender: MailSender, now: datetime) -> Mail:
    """Write the mail; raise ValueError when the address is not one."""
    local, domain = _split(message.address)
    needs_utf8 = not local.isascii()
    mail = EmailMessage(policy=SMTPUTF8 if needs_utf8 else SMTP)
    mail["From"] = _mailbox(sender)
    mail["To"] = Address(username=local, domain=domain)
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id(message.delivery_id, sender.domain)
    first = _first_of_thread(message.thread, sender.domain)
    if first is not None and first != mail["Message-ID"]:
        mail["In-Reply-To"] = first
        mail["References"] = first
    # RFC 3834: no out-of-office answers to us; the second header is Exchange's way to hear it.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    # base64, because 8-bit lines depend on every server on the way.
    mail.set_content(printable(message.text), cte="base64")
    html = message.body.get("html")
    if isinstance(html, str) and html:
        mail.add_alternative(printable(html), subtype="html", cte="base64")
    return Mail(_envelope_from(message, sender), f"{local}@{domain}", mail.as_bytes(), needs_utf8)


def _split(address: str) -> tuple[str, str]:
    """Return local part and ASCII domain of one plain address."""
    found = _ADDRESS.fullmatch(address.strip())
    if found is None:
        raise ValueError("not a mail address")
    domain = found["domain"].encode("idna").decode("ascii")
    if not _DOMAIN.fullmatch(domain):
        raise ValueError("not a mail domain")
    return found["local"], domain.lower()


def _mailbox(sender: MailSender) -> Address:
    local, domain = _split(sender.address)
    return Address(display_name=one_line(sender.name), username=local, domain=domain)


def _envelope_from(message: Outgoing, sender: MailSender) -> str:
    if sender.bounces is None:
        return "@".join(_split(sender.address))
    local, domain = _split(sender.bounces)
    return f"{local}+{message.delivery_id.hex}@{domain}"


def _first_of_thread(thread: str | None, domain: str) -> str | None:
    found = _MESSAGE_ID.fullmatch(thread.strip()) if thread else None
    if found is None:
        return None
    return f"<{found[1]}>" if "@" in found[1] else message_id(found[1], domain)

"""E-mail by SMTP: one mail, one recipient, one conversation with the operator's mail server.

The server is the operator's own setting, so it is not asked whether it is public. Whatever goes
wrong before the mail's content is handed over can be tried again; once handed over without a
reply, the mail is in doubt and a repetition carries the same Message-ID.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

import aiosmtplib

from services.notify.channels.calls import Now, clipped
from services.notify.channels.mail import Mail, MailSender, compose
from services.notify.channels.port import Fault, Outcome, Outgoing

#: tls: encrypted from the first byte (465); starttls: upgraded before anything is said (587), and
#: never without; none: for a relay on the same machine, without a password.
Security = Literal["tls", "starttls", "none"]

# RFC 5321 allows minutes for each step; a page must not wait that long before it is doubted.
_TIMEOUT_S = 60.0
_QUIT_TIMEOUT_S = 2.0
_QUEUE_ID = re.compile(r"queued as (\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MailServer:
    """The operator's mail server; `tls` replaces the trusted certificates, for a house's own CA."""

    host: str
    port: int
    security: Security = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    timeout_s: float = _TIMEOUT_S

    def __post_init__(self) -> None:
        """Refuse to say a password where everybody on the way can hear it."""
        if self.security == "none" and self.password:
            raise ValueError("a mail password needs security tls or starttls")


class SmtpChannel:
    """Sends mail through one server, in the name of one sender."""

    def __init__(self, server: MailServer, sender: MailSender, now: Now) -> None:
        self._server, self._sender, self._now = server, sender, now

    async def send(self, message: Outgoing) -> Outcome:
        """Send the mail; accepted means the server took it on, not that it has arrived."""
        try:
            mail = compose(message, self._sender, self._now())
        except ValueError:
            return Outcome("refused", "address_invalid", fault="address")
        smtp = self._connection()
        attempt = _Attempt(smtp)
        try:
            async with asyncio.timeout(self._server.timeout_s):
                outcome = await attempt.deliver(mail)
        except (TimeoutError, OSError, aiosmtplib.SMTPException) as error:
            return attempt.failed(error)
        finally:
            await _leave(smtp, self._server.timeout_s)
        return outcome

    def _connection(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=None if server.security == "none" else server.tls,
            timeout=server.timeout_s,
            # What the machine calls itself is asked of DNS otherwise, which may take seconds.
            local_hostname=self._sender.domain,
        )


class _Attempt:
    """One conversation, and how far it came: that decides what a failure means."""

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self._smtp = smtp
        self._step: Literal["greeting", "sender", "recipient", "content"] = "greeting"

    async def deliver(self, mail: Mail) -> Outcome:
        """Say everything; return what the server said to the content."""
        await self._smtp.connect()
        if mail.needs_utf8 and self._smtp.is_ehlo_or_helo_needed:
            await self._smtp.ehlo()
        if mail.needs_utf8 and not self._smtp.supports_extension("smtputf8"):
            return Outcome("refused", "smtputf8_missing", fault="address")
        options = ["SMTPUTF8", "BODY=8BITMIME"] if mail.needs_utf8 else []
        encoding = "utf-8" if mail.needs_utf8 else "ascii"
        self._step = "sender"
        await self._smtp.mail(mail.envelope_from, options=options, encoding=encoding)
        self._step = "recipient"
        await self._smtp.rcpt(mail.envelope_to, encoding=encoding)
        self._step = "content"
        reply = await self._smtp.data(mail.content)
        said = clipped(reply.message)
        queue_id = _QUEUE_ID.search(said)
        return Outcome(
            "accepted", str(reply.code), said, provider_id=queue_id[1] if queue_id else None
        )

    def failed(self, error: Exception) -> Outcome:
        """Return what an error means at the step that was reached."""
        if isinstance(error, aiosmtplib.SMTPResponseException):
            return self._answered(error.code, error.message)
        if self._step == "content":
            return Outcome("unknown", "no_answer", clipped(type(error).__name__))
        is_ours = isinstance(error.__cause__ or error, ssl.SSLError) or _is_setting(error)
        fault: Fault | None = "house" if is_ours else None
        return Outcome("retry", "not_reached", clipped(str(error)), fault=fault)

    def _answered(self, code: int, said: str) -> Outcome:
        # 4yz: later; 5yz: never, whosever matter it is (RFC 5321 §4.2.1).
        if code < 500:
            return Outcome("retry", str(code), clipped(said))
        if self._step == "recipient":
            return Outcome("refused", str(code), clipped(said), fault="address")
        if self._step == "content":
            return Outcome("refused", str(code), clipped(said), fault="message")
        # Log-in or sender refused: an operator must mend it, and until then nothing gets through.
        return Outcome("retry", str(code), clipped(said), fault="house")


def _is_setting(error: Exception) -> bool:
    """Return whether the server was reached and cannot do what the settings ask for."""
    return isinstance(error, aiosmtplib.SMTPException) and not isinstance(
        error, aiosmtplib.SMTPConnectError | aiosmtplib.SMTPServerDisconnected | TimeoutError
    )


async def _leave(smtp: aiosmtplib.SMTP, timeout_s: float) -> None:
    # The mail is already taken or not; a server that says no good-bye changes nothing.
    if smtp.is_connected:
        with suppress(OSError, TimeoutError, aiosmtplib.SMTPException):
            await smtp.quit(timeout=min(_QUIT_TIMEOUT_S, timeout_s))
    smtp.close()

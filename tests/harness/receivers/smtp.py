"""A mail server on 127.0.0.1, in the test's own event loop (aiosmtpd)."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default
from typing import Any, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

_WAIT_S = 5.0

Step = Literal["mail", "rcpt", "data"]


@dataclass(frozen=True, slots=True)
class SmtpFault:
    """What the server does at one step.

    `reply` is said instead of 250, as in "451 4.7.1 try again later". Without a reply the server
    is silent: it hangs up, or with `is_held` waits until the test calls `release`. A mail whose
    content step is silent has been taken all the same.
    """

    step: Step
    reply: str | None = None
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One mail the server has taken on."""

    envelope_from: str
    envelope_to: tuple[str, ...]
    mail: EmailMessage
    raw: bytes
    is_encrypted: bool
    username: str | None
    at: datetime

    @property
    def message_id(self) -> str:
        """Its Message-ID, by which mailboxes recognise a repetition."""
        return str(self.mail["Message-ID"])

    @property
    def text(self) -> str:
        """Its plain text."""
        part = self.mail.get_body(("plain",))
        return _words(part) if part is not None else ""

    @property
    def html(self) -> str | None:
        """Its HTML form, if it has one."""
        part = self.mail.get_body(("html",))
        return _words(part) if part is not None else None


def _words(part: MIMEPart) -> str:
    # Texts travel with CRLF and a line end of their own.
    return str(part.get_content()).replace("\r\n", "\n").removesuffix("\n")


class SmtpReceiver:
    """A mail server; what it took is in `messages`.

    `tls` with security "tls" encrypts from the first byte, with "starttls" it demands the
    upgrade; `login` is the user and password it then demands; `takes_utf8` offers SMTPUTF8.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        security: Literal["none", "starttls", "tls"] = "none",
        tls: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        takes_utf8: bool = True,
    ) -> None:
        self._now, self._security, self._tls = now, security, tls
        self._login, self._takes_utf8 = login, takes_utf8
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Transport] = set()
        self._faults: deque[SmtpFault] = deque()
        self._released = asyncio.Event()
        self.messages: list[ReceivedMail] = []

    async def __aenter__(self) -> Self:
        """Start listening on a free port."""
        loop = asyncio.get_running_loop()
        tls = self._tls if self._security == "tls" else None
        self._server = await loop.create_server(self._protocol, "127.0.0.1", 0, ssl=tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and hang up."""
        await self.stop()

    async def stop(self) -> None:
        """Stop listening: further calls find nobody at this port."""
        if self._server is None:
            return
        self._server.close()
        self._released.set()
        for transport in tuple(self._open):
            transport.abort()
        await self._server.wait_closed()

    @property
    def host(self) -> str:
        """The host it listens on."""
        return "127.0.0.1"

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None:
            raise RuntimeError("a receiver has a port once it is entered")
        return int(self._server.sockets[0].getsockname()[1])

    def fail_next(self, fault: SmtpFault, times: int = 1) -> None:
        """Fail the next `times` mails at the fault's step."""
        self._faults.extend([fault] * times)

    def recover(self) -> None:
        """Work again, and answer whoever is still waiting."""
        self._faults.clear()
        self.release()

    def release(self) -> None:
        """Let go on all conversations that are held."""
        self._released.set()
        self._released = asyncio.Event()

    def inbox(self, address: str) -> list[ReceivedMail]:
        """Return what one mailbox shows: a repeated Message-ID only once."""
        own = [mail for mail in self.messages if address in mail.envelope_to]
        return list({mail.message_id: mail for mail in own}.values())

    # What aiosmtpd calls. Its own types are loose, so these are, too.

    async def handle_MAIL(  # noqa: N802
        self, server: Any, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer MAIL FROM."""
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return await self._fault_or("mail", server, "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: Any, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer RCPT TO."""
        reply = await self._fault_or("rcpt", server, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return reply

    async def handle_DATA(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope
    ) -> str:
        """Take the content, then answer."""
        fault = self._faults[0] if self._faults else None
        if fault is None or fault.step != "data" or fault.reply is None:
            self._take(session, envelope)
        queued = f"250 2.0.0 Ok: queued as Q{len(self.messages)}"
        return await self._fault_or("data", server, queued)

    def _take(self, session: Session, envelope: Envelope) -> None:
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        mail = message_from_bytes(raw, policy=default)
        if not isinstance(mail, EmailMessage):
            raise TypeError("the default policy makes an EmailMessage")
        known = session.auth_data if session.authenticated else None
        login = known.login.decode() if isinstance(known, LoginPassword) else None
        self.messages.append(
            ReceivedMail(
                envelope_from=str(envelope.mail_from),
                envelope_to=tuple(envelope.rcpt_tos),
                mail=mail,
                raw=raw,
                is_encrypted=session.ssl is not None or self._security == "tls",
                username=login,
                at=self._now(),
            )
        )

    async def _fault_or(self, step: Step, server: Any, reply: str) -> str:
        if not self._faults or self._faults[0].step != step:
            return reply
        fault = self._faults.popleft()
        if fault.is_held:
            await self._released.wait()
            return reply
        if fault.reply is None:
            server.transport.abort()
            return "421 4.3.0 closing"
        return fault.reply

    def _protocol(self) -> asyncio.BaseProtocol:
        server: asyncio.BaseProtocol = _TrackedSmtp(
            self,
            open_transports=self._open,
            loop=asyncio.get_running_loop(),
            hostname="receiver.test",
            enable_SMTPUTF8=self._takes_utf8,
            tls_context=self._tls if self._security == "starttls" else None,
            require_starttls=self._security == "starttls",
            auth_required=self._login is not None,
            auth_require_tls=self._security == "starttls",
            authenticator=self._authenticate,
        )
        return server

    def _authenticate(
        self, _server: Any, _session: Session, _envelope: Envelope, mechanism: str, data: Any
    ) -> Any:
        is_right = isinstance(data, LoginPassword) and self._login == (
            data.login.decode(),
            data.password.decode(),
        )
        return AuthResult(success=is_right, handled=False, auth_data=data)


class _TrackedSmtp(SMTP):
    """aiosmtpd's protocol, which remembers open connections so that a stop can end them."""

    def __init__(
        self, handler: SmtpReceiver, open_transports: set[asyncio.Transport], **options: Any
    ) -> None:
        super().__init__(handler, **options)
        self._open_transports = open_transports

    def connection_made(self, transport: Any) -> None:
        """Note the connection; after STARTTLS this happens a second time, with the inner one."""
        self._open_transports.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget the connection."""
        self._open_transports.discard(self.transport)
        super().connection_lost(error)

"""Notices for operators by e-mail."""

import asyncio
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from copyplugin.domain.notice import Message
from copyplugin.errors import DeliveryFailed

SECONDS_MAX = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """Where e-mail is handed over; without a user nobody signs in."""

    host: str
    port: int
    starttls: bool
    user: str
    password: str


class MailNotifier:
    """One e-mail for each message; its Message-ID is the message's number."""

    def __init__(self, server: MailServer, *, sender: str, to: Sequence[str]) -> None:
        self._server, self._sender, self._to = server, sender, tuple(to)

    async def send(self, message: Message) -> None:
        await asyncio.to_thread(self._hand_over, self._mail_of(message))

    def _mail_of(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mark = "[urgent] " if message.kind.is_urgent else ""
        mail["Subject"] = f"{mark}Copy trading: {message.kind.value.replace('_', ' ')}"
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._to)
        mail["Message-ID"] = f"<notice-{message.number}@{self._sender.rpartition('@')[2]}>"
        mail.set_content(
            f"{message.sentence}\n\nSince {message.raised_at:%Y-%m-%d %H:%M:%S} UTC.\n"
        )
        return mail

    def _hand_over(self, mail: EmailMessage) -> None:
        server = self._server
        try:
            with smtplib.SMTP(server.host, server.port, timeout=SECONDS_MAX) as line:
                if server.starttls:
                    line.starttls(context=ssl.create_default_context())
                if server.user:
                    line.login(server.user, server.password)
                line.send_message(mail)
        except (smtplib.SMTPException, OSError) as error:
            # The server's own words may repeat who signed in.
            raise DeliveryFailed(
                f"the mail server did not take it ({type(error).__name__})"
            ) from error

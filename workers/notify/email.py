"""One attempt to deliver an e-mail, in English and Korean, through the mail server of the settings."""

from __future__ import annotations

import asyncio
import contextlib
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING

from aiops.errors import DeliveryFailed, DeliveryRefused
from workers.notify.trust import tls_context

if TYPE_CHECKING:
    from aiops.settings import Settings
    from workers.notify.notice import Notice

DEADLINE_SECONDS = 15.0
"""For all of it. Shorter than the grace that a stop gives."""
_STEP_SECONDS = 10.0
"""For each answer of the mail server; this ends the thread that waits for it."""

_ONE_ADDRESS = re.compile(r"[!-~]{1,64}@[A-Za-z0-9.-]{1,253}")
_KOREAN = {"completed": "완료", "failed": "실패", "cancelled": "취소"}
_MOST_WARNINGS = 20

_REFUSED: dict[type[Exception], str] = {
    smtplib.SMTPRecipientsRefused: "the recipient",
    smtplib.SMTPSenderRefused: "the sender",
    smtplib.SMTPDataError: "the message",
}
"""What a mail server may say no to; with a code of 500 or more for good (RFC 5321 4.2.1)."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mail is handed in."""

    host: str
    port: int
    security: str
    """none, starttls or tls."""
    sender: str
    """`address` or `name <address>`."""
    user: str | None = None
    password: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> MailServer | None:
        """The mail server of the settings; None: there is none."""
        if settings.smtp_host is None or settings.smtp_from is None:
            return None
        return cls(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            sender=settings.smtp_from,
            user=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        )


def compose(notice: Notice, recipient: str, sender: str) -> EmailMessage:
    """The message. Its Message-ID is the same in every attempt, so that a mailbox can tell a second one.

    Raises:
        DeliveryRefused: the recipient is not one plain address.
    """
    if not _ONE_ADDRESS.fullmatch(recipient) or any(sign in recipient for sign in '<>,;:"()[]\\'):
        raise DeliveryRefused("the recipient is not one e-mail address")
    status, korean = notice.status, _KOREAN.get(notice.status, notice.status)
    lines = [
        f"Your request has ended: {status}.",
        f"요청하신 작업이 끝났습니다: {korean}.",
        "",
        f"Request / 요청 번호: {notice.batch_id}",
        f"Kind / 종류: {notice.job_type}",
        f"Status / 상태: {status} / {korean} ({notice.progress} %)",
        f"Ended at / 종료 시각: {notice.ended_at} (UTC)",
    ]
    if notice.error_message:
        lines += ["", "What went wrong / 오류:", notice.error_message]
    if notice.warnings:
        lines += ["", "Warnings / 주의:", *(f"- {warning}" for warning in notice.warnings[:_MOST_WARNINGS])]
    if len(notice.warnings) > _MOST_WARNINGS:
        lines.append(f"- … ({len(notice.warnings)})")
    message = EmailMessage(policy=SMTP_POLICY)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = " ".join(f"[aiops] {notice.job_type}: {status} · {korean}".split())
    message["Date"] = format_datetime(notice.completed_at)
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message["Message-ID"] = f"<{notice.batch_id}.{notice.completed_at.timestamp():.0f}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(lines) + "\n", charset="utf-8", cte="base64")
    return message


async def deliver_email(
    recipient: str, notice: Notice, *, server: MailServer | None, deadline: float = DEADLINE_SECONDS
) -> None:
    """Hand an e-mail in; returns when the mail server has taken it.

    Args:
        recipient: one address.
        notice: what is told.
        server: where to hand it in; None: e-mail is not configured.
        deadline: seconds for all of it.

    Raises:
        DeliveryFailed: not this time.
        DeliveryRefused: and not by trying again.
    """
    if server is None:
        raise DeliveryRefused("e-mail is not configured: the setting SMTP_HOST is empty")
    message = compose(notice, recipient, server.sender)
    try:
        async with asyncio.timeout(deadline):
            await asyncio.to_thread(_hand_in, message, recipient, server)
    except TimeoutError:
        raise DeliveryFailed(f"the mail server did not take the message within {deadline:g} s") from None


def _hand_in(message: EmailMessage, recipient: str, server: MailServer) -> None:
    try:
        client = _connect(server)
        try:
            client.send_message(message, from_addr=parseaddr(server.sender)[1], to_addrs=[recipient])
            # Taken is taken, however the farewell goes.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()
        finally:
            client.close()
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        raise _failure(error) from None


def _connect(server: MailServer) -> smtplib.SMTP:
    name = socket.gethostname()
    # smtplib would ask the name server for this host's full name, which can take longer than all the rest.
    greeting = name if "." in name else "[127.0.0.1]"
    if server.security == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, local_hostname=greeting, timeout=_STEP_SECONDS, context=tls_context()
        )
    else:
        client = smtplib.SMTP(server.host, server.port, local_hostname=greeting, timeout=_STEP_SECONDS)
    try:
        if server.security == "starttls":
            client.starttls(context=tls_context())
        if server.user is not None and server.password is not None:
            client.login(server.user, server.password)
    except BaseException:
        client.close()
        raise
    return client


def _failure(error: Exception) -> DeliveryFailed:
    """Why it failed, in our words: a mail server's often repeat the address."""
    what = _REFUSED.get(type(error))
    if what is None:
        return DeliveryFailed(_reason(error))
    code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else _first_code(error)
    kind = DeliveryRefused if code >= 500 else DeliveryFailed
    return kind(f"the mail server refused {what} ({code})")


def _first_code(error: Exception) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((int(code) for code, _ in error.recipients.values()), 0)
    return 0


def _reason(error: Exception) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            reason = f"the mail server refused SMTP_USER and SMTP_PASSWORD ({error.smtp_code})"
        case smtplib.SMTPNotSupportedError():
            reason = "the mail server does not offer what the settings ask for (STARTTLS, login)"
        case smtplib.SMTPResponseException():
            reason = f"the mail server answered {error.smtp_code}"
        case smtplib.SMTPServerDisconnected():
            reason = f"the mail server broke off, or did not answer within {_STEP_SECONDS:g} s"
        case smtplib.SMTPException():
            reason = f"the mail server broke off ({type(error).__name__})"
        case ssl.SSLCertVerificationError():
            reason = f"the mail server's certificate is not trusted ({error.verify_message})"
        case TimeoutError():
            reason = f"the mail server did not answer within {_STEP_SECONDS:g} s"
        case UnicodeError():
            reason = "SMTP_HOST, SMTP_USER or SMTP_PASSWORD holds a sign that SMTP cannot carry"
        case _:
            reason = f"no connection to the mail server ({getattr(error, 'strerror', None) or type(error).__name__})"
    return reason

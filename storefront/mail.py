"""Mails: written into a table first, sent from the outbox afterwards. Without a mail server they stay in the table.

A repeated job gives the same Message-ID, so a receiver can drop the second copy. No header is built from raw text.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import unicodedata
from datetime import datetime
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from uuid import uuid4

from flask import current_app
from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront import jobs
from storefront.clock import now
from storefront.database import Base, UtcDateTime, write
from storefront.settings_tables import MailSettings

SECONDS = 15


class Mail(Base):
    """One mail. `sent_at` is empty while it waits, or for good when no server is configured."""

    __tablename__ = "mails"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(36), unique=True)
    to: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(250))
    body: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(2))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str] = mapped_column(Text, default="")


class BadAddressError(ValueError):
    """The recipient is no mail address."""


def send(
    session: Session, to: str, subject: str, body: str, language: str = "ja", *, event_id: str | None = None
) -> Mail:
    """Put a mail into the caller's transaction; it leaves after the commit. One event id gives one mail.

    Raises BadAddressError. A line break or control character in the subject becomes a blank.
    """
    if not _is_address(to):
        raise BadAddressError(f"{to!r} is no mail address")
    known = session.scalars(select(Mail).where(Mail.event_id == event_id)).first() if event_id else None
    if known is not None:
        return known
    mail = Mail(
        event_id=event_id or str(uuid4()),
        to=to,
        subject=_one_line(subject)[:250],
        body=body,
        language=language,
        created_at=now(),
    )
    session.add(mail)
    jobs.enqueue(session, "mail", {"event_id": mail.event_id})
    return mail


def _is_address(to: str) -> bool:
    return len(to) <= 254 and re.fullmatch(r"[^\s@<>,;:\"\x00-\x1f]+@[^\s@<>,;:\"\x00-\x1f]+", to) is not None


def _one_line(text: str) -> str:
    plain = "".join(" " if unicodedata.category(each) in ("Cc", "Zl", "Zp") else each for each in text)
    return re.sub(" +", " ", plain).strip()


@jobs.handles("mail")
def deliver(job: jobs.Job) -> None:
    """Send one mail over SMTP; without a server it is kept for the desk to show."""
    settings: MailSettings = current_app.extensions["koguchi"].settings.mail
    if not settings.server:
        return
    with write() as session:
        mail = session.scalars(select(Mail).where(Mail.event_id == job.payload["event_id"])).one()
    if mail.sent_at is not None:
        return
    error = ""
    try:
        _over_smtp(settings, message(mail, settings.sender))
    except (OSError, smtplib.SMTPException) as failure:
        error = f"{type(failure).__name__}: {failure}"[:2000]
        raise
    finally:
        with write() as session:
            kept = session.get_one(Mail, mail.id)
            kept.error = error
            kept.sent_at = None if error else now()


def message(mail: Mail, sender: str) -> EmailMessage:
    """The mail as it goes over the wire."""
    built = EmailMessage()
    built["From"] = sender
    user, _, domain = mail.to.rpartition("@")
    built["To"] = MailAddress(username=user, domain=domain)
    built["Subject"] = mail.subject
    built["Date"] = mail.created_at
    built["Message-ID"] = f"<{mail.event_id}@{sender.rpartition('@')[2] or 'localhost'}>"
    built["Auto-Submitted"] = "auto-generated"
    built.set_content(mail.body)
    built["Content-Language"] = mail.language  # set_content drops such headers
    return built


def _over_smtp(settings: MailSettings, built: EmailMessage) -> None:
    host, _, port = str(settings.server).partition(":")
    context = ssl.create_default_context()
    if settings.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, int(port or 465), timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, int(port or 587), timeout=SECONDS)
    with server:
        if settings.tls == "starttls":
            server.starttls(context=context)
        if settings.user and settings.password:
            server.login(settings.user, settings.password.get_secret_value())
        server.send_message(built)

"""Mails: one per event, safe headers, kept without a server, sent over SMTP with one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import select

from storefront.accounts import User
from storefront.database import get_session, write
from storefront.jobs import Outbox, run_due
from storefront.mail import BadAddressError, Mail, send
from storefront.orders.moves import move
from storefront.payments import mark_paid
from storefront.settings_tables import MailSettings
from support.ordering import person, placed
from support.shop import FixedClock


class Box:
    """What an SMTP server received; refuses while `is_busy`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.is_busy = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  (aiosmtpd's name)
        if self.is_busy:
            return "451 try later"
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def box(app: Flask) -> Iterator[Box]:
    """The shop sends to a server of this test."""
    received = Box()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(received, hostname="127.0.0.1", port=port)
    server.start()
    shop = app.extensions["koguchi"]
    mail = MailSettings(sender="shop@aoyagi.example", server=f"127.0.0.1:{port}", tls="none")
    shop.settings = shop.settings.model_copy(update={"mail": mail})
    yield received
    server.stop()


def mails() -> list[Mail]:
    with write() as session:
        return list(session.scalars(select(Mail).order_by(Mail.id)))


def test_without_a_server_mails_stay_where_the_desk_shows_them(app: Flask) -> None:
    with app.app_context():
        with write() as session:
            send(session, "hayashi@example.com", "件名", "本文", "ja")
        run_due()
        mail = mails()[0]
        assert (mail.to, mail.subject, mail.sent_at) == ("hayashi@example.com", "件名", None)


def test_a_mail_goes_over_smtp_in_its_language(app: Flask, box: Box) -> None:
    with app.app_context():
        with write() as session:
            event = send(session, "hayashi@example.com", "ご注文 﨑髙𠮷", "林 さま\n\n本文", "ja").event_id
        run_due()
        got = box.mails[0]
        assert (got["Subject"], got["To"], got["Content-Language"]) == (
            "ご注文 﨑髙𠮷",
            "hayashi@example.com",
            "ja",
        )
        assert got["Message-ID"] == f"<{event}@aoyagi.example>"
        assert "林 さま" in got.get_content()
        assert mails()[0].sent_at is not None


# F84
def test_a_busy_server_delays_a_mail_and_never_loses_it(app: Flask, box: Box, clock: FixedClock) -> None:
    with app.app_context():
        box.is_busy = True
        with write() as session:
            send(session, "hayashi@example.com", "s", "b")
        run_due()
        assert mails()[0].sent_at is None
        assert "451" in mails()[0].error
        box.is_busy = False
        clock.forward(minutes=1)
        run_due()
        assert len(box.mails) == 1
        assert mails()[0].error == ""


def test_the_same_event_gives_one_mail(app: Flask) -> None:
    with app.app_context():
        for _ in range(3):
            with write() as session:
                send(session, "hayashi@example.com", "s", "b", event_id="one-event")
        assert len(mails()) == 1


# F76
@pytest.mark.parametrize(
    "to",
    [
        "a@b\nBcc: evil@x",
        "a@b, evil@x",
        "a",
        "",
        "@",
        "a b@c",
        "a@b>",
        "x" * 250 + "@b.example",
        '"a"@b',
        "a@b;c@d",
    ],
)
def test_a_recipient_that_is_no_address_is_refused(app: Flask, to: str) -> None:
    with app.app_context(), write() as session, pytest.raises(BadAddressError):
        send(session, to, "s", "b")


def test_a_subject_is_one_line_whatever_it_holds(app: Flask, box: Box) -> None:
    with app.app_context():
        with write() as session:
            send(session, "hayashi@example.com", "Hello\r\nBcc: evil@example.com\x00\u2028there", "b")
        run_due()
        assert box.mails[0]["Subject"] == "Hello Bcc: evil@example.com there"
        assert box.mails[0]["Bcc"] is None


def test_an_order_writes_a_mail_with_its_lines_rules_and_how_to_pay(app: Flask) -> None:
    with app.app_context():
        with write() as session:
            session.get_one(User, person("hayashi").id).language = "en"
        order_id = placed("hayashi", {"M4-10": 40, "N4-SUS": 200}).id
        run_due()
        mail = mails()[0]
        assert mail.subject == "We have received your order A-10001"
        for words in (
            "M4-10",
            "40",
            "SC10",
            "¥10,120",
            "Payment: Bank transfer in advance",
            "1234567",
            "https://shop.aoyagi.example/orders/A-10001",
        ):
            assert words in mail.body
        mark_paid(order_id, "owner")
        with write() as session:
            move(session, order_id, "shipped", "owner")
        run_due()
        assert [each.subject for each in mails()[1:]] == [
            "Your order A-10001 is confirmed",
            "Your order A-10001 has been shipped",
        ]


def test_mails_are_in_the_language_of_their_reader(app: Flask) -> None:
    with app.app_context():
        placed("hayashi", {"N4-SUS": 200})
        run_due()
        assert mails()[0].subject == "ご注文 A-10001 を承りました"
        assert "六角ナット" in mails()[0].body


# F43
def test_the_recipient_is_looked_up_when_the_mail_is_written(app: Flask) -> None:
    with app.app_context():
        placed("hayashi", {"N4-SUS": 200})
        placed("kitahama", {"N4-SUS": 200})
        with write() as session:
            session.get_one(User, person("hayashi").id).email = "misaki@hayashi.example"
            session.get_one(User, person("kitahama").id).active = False
        run_due()
        assert [mail.to for mail in mails()] == ["misaki@hayashi.example"]


def test_a_product_name_is_printed_and_never_run(app: Flask) -> None:
    from storefront.catalog import Product

    with app.app_context():
        with write() as session:
            product = session.scalars(select(Product).where(Product.sku == "N4-SUS")).one()
            product.name = {"ja": "{{7*7}} <script> A & B", "en": "x"}
        placed("hayashi", {"N4-SUS": 200})
        run_due()
        assert "{{7*7}} <script> A & B" in mails()[0].body


def test_mail_jobs_are_all_done(app: Flask) -> None:
    with app.app_context():
        placed("hayashi", {"N4-SUS": 200})
        run_due()
        open_ = get_session().scalars(select(Outbox.kind).where(Outbox.done_at.is_(None))).all()
        assert open_ == ["payment.start"]

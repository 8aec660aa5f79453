"""Transfers at the desk: a file read twice books nothing twice, the order goes on, and only the owner decides."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from plugins.contract import Money, Result
from storefront import jobs, payments
from storefront.bank_files import booking
from storefront.bank_files.models import BankName, BankReceipt
from storefront.database import get_session, write
from storefront.orders.models import Order
from storefront.payments.models import Payment
from support.ordering import place
from support.shop import sign_in

HEAD = "取引日,摘要,入金額\n"


def upload(client: FlaskClient, text: str) -> object:
    data = {"file": (io.BytesIO(text.encode()), "bank.csv")}
    return client.post("/admin/bank", data=data, content_type="multipart/form-data", follow_redirects=True)


def paid(app: Flask) -> dict[str, tuple[str, str]]:
    """Order number to the states of order and payment."""
    with app.app_context():
        rows = get_session().execute(
            select(Order.number, Order.state, Payment.state).join(Payment, Payment.order_id == Order.id)
        )
        return {number: (order, payment) for number, order, payment in rows}


def placed(app: Flask, login: str = "hayashi", quantity: int = 100) -> tuple[str, int]:
    """The number and the total of a new order that waits for a transfer."""
    with app.app_context():
        outcome = place(login, {"M4-10": quantity})
        order = get_session().scalars(select(Order).where(Order.number == outcome.number)).one()  # type: ignore[union-attr]
        return order.number, order.total_minor


def receipt_ids(app: Flask, state: str = "open") -> list[int]:
    with app.app_context():
        return list(
            get_session().scalars(
                select(BankReceipt.id).where(BankReceipt.state == state).order_by(BankReceipt.id)
            )
        )


def test_a_certain_transfer_is_booked_with_one_button_and_the_order_is_confirmed(
    app: Flask, client: FlaskClient, database_url: str
) -> None:
    number, total = placed(app)
    other, _ = placed(app, "kitahama")
    sign_in(client, "owner")
    page = upload(client, f"{HEAD}2026-11-20,林工作所 {number},{total}\n").get_data(as_text=True)  # type: ignore[attr-defined]
    assert "確かな1件を消し込む" in page
    assert number in page
    client.post("/admin/bank/book", data={"receipt": receipt_ids(app)})
    assert paid(app) == {number: ("confirmed", "captured"), other: ("awaiting_payment", "pending")}


def test_a_file_read_twice_books_nothing_twice(app: Flask, client: FlaskClient) -> None:
    number, total = placed(app)
    sign_in(client, "owner")
    text = f"{HEAD}2026-11-20,林工作所,{total}\n2026-11-20,林工作所,{total}\n"
    upload(client, text)
    ids = receipt_ids(app)
    assert len(ids) == 2  # two equal transfers are two
    for _ in range(2):
        client.post("/admin/bank/book", data={"receipt": ids})
    assert "2件は読み込みずみです" in upload(client, text).get_data(as_text=True)  # type: ignore[attr-defined]
    assert paid(app)[number] == ("confirmed", "captured")
    assert len(receipt_ids(app, "booked")) == 1
    assert len(receipt_ids(app, "open")) == 1  # the second waits for a person


def test_an_error_in_the_file_keeps_all_of_it_out_and_names_the_line(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    answer = upload(client, f"{HEAD}2026-11-20,林工作所,5000\n2026-11-20,林工作所,many\n")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "3行目" in answer.get_data(as_text=True)  # type: ignore[attr-defined]
    assert receipt_ids(app) == []


def test_a_person_says_whose_it_is_and_the_name_is_known_from_then_on(
    app: Flask, client: FlaskClient
) -> None:
    number, total = placed(app)
    sign_in(client, "owner")
    upload(client, f"{HEAD}2026-11-20,ﾀﾞﾚｶ,{total}\n")
    with app.app_context():
        (proposal,) = booking.proposals(get_session())
        assert proposal.match.how is None
        (candidate,) = proposal.match.candidates
    (receipt,) = receipt_ids(app)
    client.post(f"/admin/bank/{receipt}", data={"payment": candidate.payment_id})
    assert paid(app)[number] == ("confirmed", "captured")
    again, total = placed(app, quantity=120)
    upload(client, f"{HEAD}2026-11-21,ダレカ,{total}\n")
    with app.app_context():
        (proposal,) = booking.proposals(get_session())
        assert (proposal.match.how, proposal.match.items[0].number) == ("name", again)
        assert get_session().scalars(select(BankName.name)).all() == ["タレカ"]


def test_what_was_certain_when_the_page_was_shown_and_is_not_any_more_is_left_alone(
    app: Flask, client: FlaskClient
) -> None:
    _number, total = placed(app)
    sign_in(client, "owner")
    upload(client, f"{HEAD}2026-11-20,林工作所,{total}\n")
    placed(app)  # the same amount again: now it could be either
    client.post("/admin/bank/book", data={"receipt": receipt_ids(app)})
    assert {state for state, _payment in paid(app).values()} == {"awaiting_payment"}
    assert len(receipt_ids(app)) == 1


def test_a_process_that_died_after_booking_leaves_a_job_that_captures(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, total = placed(app)
    sign_in(client, "owner")
    upload(client, f"{HEAD}2026-11-20,林工作所,{total}\n")
    with app.app_context():
        monkeypatch.setattr(booking, "capture_all", lambda ids: None)  # as if it ended here
        booking.book_certain(receipt_ids(app), "owner@example.com")
        monkeypatch.undo()
        assert paid(app)[number] == ("awaiting_payment", "pending")
        jobs.run_due()
    assert paid(app)[number] == ("confirmed", "captured")


def test_what_one_transfer_pays_no_other_does_though_it_is_not_captured_yet(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, total = placed(app)
    sign_in(client, "owner")
    upload(client, f"{HEAD}2026-11-20,林工作所 {number},{total}\n2026-11-21,林工作所 {number},{total}\n")
    first, second = receipt_ids(app)
    with app.app_context():
        (payment,) = get_session().scalars(select(Payment.id).join(Order).where(Order.number == number))
        monkeypatch.setattr(booking, "capture_all", lambda ids: None)  # as if it were about to
        assert booking.book_by_hand(first, [payment], "owner@example.com")
        assert not booking.book_by_hand(second, [payment], "owner@example.com")
        assert booking.book_certain([second], "owner@example.com") == 0
    assert (receipt_ids(app, "booked"), receipt_ids(app)) == ([first], [second])


def test_two_persons_at_once_book_one_payment_once(
    app: Flask, client: FlaskClient, database_url: str
) -> None:
    number, total = placed(app)
    sign_in(client, "owner")
    upload(client, f"{HEAD}2026-11-20,ﾀﾞﾚｶ,{total}\n2026-11-21,ﾀﾞﾚｶ,{total}\n")
    with app.app_context():
        (payment,) = get_session().scalars(select(Payment.id).join(Order).where(Order.number == number))

    def book(receipt: int) -> bool:
        with app.app_context():
            return booking.book_by_hand(receipt, [payment], "owner@example.com")

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(book, receipt_ids(app))) == [False, True]
    assert paid(app)[number] == ("confirmed", "captured")


def test_money_booked_for_an_order_that_was_cancelled_meanwhile_is_reviewed(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, total = placed(app)
    sign_in(client, "owner")
    upload(client, f"{HEAD}2026-11-20,林工作所,{total}\n")
    with app.app_context():
        with monkeypatch.context() as patched:
            patched.setattr(booking, "capture_all", lambda ids: None)  # it ended here
            booking.book_certain(receipt_ids(app), "owner@example.com")
        with write() as session:
            order = session.scalars(select(Order).where(Order.number == number)).one()
            for (payment,) in session.execute(select(Payment.id).where(Payment.order_id == order.id)).all():
                gone = Result("canceled", None, Money(total, "JPY"), "")
                payments.apply(session, payment, gone, actor="owner@example.com")
        jobs.run_due()
    assert paid(app)[number] == ("cancelled", "review")


def test_a_transfer_that_pays_no_order_is_set_aside_with_its_reason(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    upload(client, f"{HEAD}2026-11-20,利息,3\n")
    (receipt,) = receipt_ids(app)
    page = client.post(
        f"/admin/bank/{receipt}", data={"do": "aside", "reason": "利息"}, follow_redirects=True
    )
    assert "対象外" in page.get_data(as_text=True)
    assert receipt_ids(app) == []
    page = client.post(f"/admin/bank/{receipt}", data={"do": "aside"}, follow_redirects=True)
    assert "消し込みませんでした" in page.get_data(as_text=True)


@pytest.mark.parametrize("who", ["clerk", "hayashi"])
def test_only_the_owner_reads_files_and_books(app: Flask, client: FlaskClient, who: str) -> None:
    number, total = placed(app)
    sign_in(client, "owner")
    upload(client, f"{HEAD}2026-11-20,林工作所,{total}\n")
    sign_in(client, who)
    ids = receipt_ids(app)
    answers = [
        client.post("/admin/bank/book", data={"receipt": ids}),
        client.post(f"/admin/bank/{ids[0]}", data={"payment": 1}),
        client.post(
            "/admin/bank", data={"file": (io.BytesIO(b"x"), "x.csv")}, content_type="multipart/form-data"
        ),
    ]
    assert {answer.status_code for answer in answers} <= {403, 404}
    assert client.get("/admin/bank").status_code == (200 if who == "clerk" else 403)
    assert paid(app)[number] == ("awaiting_payment", "pending")

"""Sending orders off at the desk: slips, tracking numbers read back all or nothing, and a shipment taken back."""

from __future__ import annotations

import csv
import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from storefront import jobs
from storefront.database import get_session, write
from storefront.mail import Mail
from storefront.orders.models import Order
from storefront.orders.moves import move
from storefront.settings_tables import SlipSettings
from storefront.shipments import Applied, Shipment, apply
from storefront.slips import CARRIERS, Tracked
from storefront.stock import StockItem, StockMove
from support.ordering import place
from support.shop import sign_in

TRACKING = f"12345678901{12345678901 % 7}"
OTHER = f"12345678902{12345678902 % 7}"
DESK = "/admin/shipments"


@pytest.fixture(autouse=True)
def sender(app: Flask) -> None:
    """The shop says where its parcels come from."""
    shop = app.extensions["koguchi"]
    slips = SlipSettings(address="大阪府東大阪市高井田1-2-3", postcode="577-0000", phone="06-0000-0000")
    shop.settings = shop.settings.model_copy(update={"slips": slips})


def confirmed(app: Flask, login: str = "hayashi") -> str:
    """The number of a new order that may be shipped."""
    with app.app_context():
        number = place(login, {"M4-10": 100}).number  # type: ignore[union-attr]
        with write() as session:
            order = session.scalars(select(Order).where(Order.number == number)).one()
            move(session, order, "confirmed", "test")
        return str(number)


def change(app: Flask, number: str, **values: object) -> None:
    with app.app_context(), write() as session:
        order = session.scalars(select(Order).where(Order.number == number)).one()
        for name, value in values.items():
            setattr(order, name, value)


def issued(rows: list[tuple[str, str]], carrier: str = "yamato") -> bytes:
    names = [column.name for column in CARRIERS[carrier].columns]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, restval="", lineterminator="\r\n")
    writer.writeheader()
    theirs = "伝票番号" if carrier == "yamato" else "お問い合せ送り状No."
    writer.writerows({"お客様管理番号": number, theirs: tracking} for number, tracking in rows)
    return out.getvalue().encode("cp932")


def upload(client: FlaskClient, data: bytes, carrier: str = "yamato") -> tuple[int, str]:
    sent = {"do": "tracking", "carrier": carrier, "file": (io.BytesIO(data), "issued.csv")}
    answer = client.post(DESK, data=sent, content_type="multipart/form-data")
    return answer.status_code, answer.get_data(as_text=True)


def ship(client: FlaskClient, rows: list[tuple[str, str]]) -> tuple[int, str]:
    """Read a file in and press the button of its preview."""
    status, page = upload(client, issued(rows))
    assert status == 200, page
    kept = re.search(r'<textarea name="rows" hidden>(.*?)</textarea>', page, re.DOTALL)
    assert kept is not None
    sent = {"do": "keep", "carrier": "yamato", "rows": kept[1], "shipped_on": "2026-11-24"}
    answer = client.post(DESK, data=sent, follow_redirects=True)
    return answer.status_code, answer.get_data(as_text=True)


def stands(app: Flask, number: str) -> tuple[str, list[str]]:
    """The order's state and its tracking numbers that count."""
    with app.app_context():
        order = get_session().scalars(select(Order).where(Order.number == number)).one()
        query = select(Shipment.tracking_number).where(
            Shipment.order_id == order.id, Shipment.undone_at.is_(None)
        )
        return order.state, list(get_session().scalars(query.order_by(Shipment.id)))


def stocked(app: Flask) -> tuple[int, int]:
    with app.app_context():
        session = get_session()
        return tuple(session.execute(select(func.sum(StockItem.on_hand), func.sum(StockItem.reserved))).one())  # type: ignore[return-value]


def test_the_chosen_orders_become_a_file_of_the_carrier(app: Flask, client: FlaskClient) -> None:
    number, left_out = confirmed(app), confirmed(app, "kitahama")
    sign_in(client, "clerk")
    assert number in client.get(DESK).get_data(as_text=True)
    sent = {
        "carrier": "yamato",
        "order": number,
        "ship_on": "2026-11-24",
        "goods": "ねじ",
        f"parcels-{number}": "3",
        f"slot-{number}": "am",
    }
    answer = client.post(DESK, data={"do": "slips"} | sent)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.headers["Content-Disposition"] == "attachment; filename=yamato-2026-11-24.csv"
    text = answer.get_data().decode("cp932")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["お客様管理番号"], row["発行枚数"], row["配達時間帯"]) == (number, "3", "0812")
    assert left_out not in text
    assert stands(app, number)[0] == "confirmed"  # a slip is no shipment


def test_the_time_the_buyer_wished_for_is_on_the_slip_unless_the_desk_chooses_another(
    app: Flask, client: FlaskClient
) -> None:
    number = confirmed(app)
    change(app, number, delivery_slot="14:00-16:00")
    sign_in(client, "clerk")
    assert '<option value="wished" selected>14:00-16:00' in client.get(DESK).get_data(as_text=True)
    sent = {"do": "slips", "order": number, "ship_on": "2026-11-24", "goods": "ねじ"}

    def code(carrier: str, **more: str) -> str:
        answer = client.post(DESK, data=sent | {"carrier": carrier} | more)
        (row,) = csv.DictReader(io.StringIO(answer.get_data().decode("cp932"), newline=""))
        return str(row["配達時間帯" if carrier == "yamato" else "配達指定時間帯"])

    assert code("yamato") == "1416" and code("sagawa") == "14"
    assert code("yamato", **{f"slot-{number}": "wished"}) == "1416"
    assert code("yamato", **{f"slot-{number}": "19-21"}) == "1921"
    assert code("yamato", **{f"slot-{number}": ""}) == ""  # chosen: any time
    change(app, number, delivery_slot="12:00-14:00")
    answer = client.post(DESK, data=sent | {"carrier": "yamato"})
    assert answer.status_code == 422 and "12:00-14:00" in answer.get_data(as_text=True)


def test_an_order_that_does_not_fit_is_named_with_its_field_and_no_file_is_made(
    app: Flask, client: FlaskClient
) -> None:
    good, bad = confirmed(app), confirmed(app, "kitahama")
    with app.app_context():
        to = dict(get_session().scalars(select(Order.ship_to).where(Order.number == bad)).one())
    change(app, bad, ship_to=to | {"street": "本町" * 40, "recipient": "𠮷田商店"})
    sign_in(client, "owner")
    sent = {"carrier": "sagawa", "order": [good, bad], "ship_on": "2026-11-24", "goods": "ねじ"}
    answer = client.post(DESK, data={"do": "slips"} | sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f"<b>{bad}</b> 住所" in page and "全角48文字まで" in page
    assert f"<b>{bad}</b> お届け先名" in page and "𠮷" in page
    assert f"<b>{good}</b> 住所" not in page


def test_cash_on_delivery_collects_the_total_with_its_tax(app: Flask, client: FlaskClient) -> None:
    number = confirmed(app)
    change(app, number, payment_code="cash_on_delivery")
    sign_in(client, "owner")
    sent = {"carrier": "yamato", "order": number, "ship_on": "2026-11-24", "goods": "ねじ"}
    (row,) = csv.DictReader(
        io.StringIO(client.post(DESK, data={"do": "slips"} | sent).get_data().decode("cp932"), newline="")
    )
    with app.app_context():
        order = get_session().scalars(select(Order).where(Order.number == number)).one()
        assert row["送り状種類"] == "2"
        assert row["ｺﾚｸﾄ代金引換額(税込)"] == str(order.total_minor)
        assert row["内消費税額等"] == str(order.tax_minor)


def test_a_tracking_file_is_shown_first_then_ships_its_orders_and_tells_the_buyer(
    app: Flask, client: FlaskClient, database_url: str
) -> None:
    number = confirmed(app)
    sign_in(client, "clerk")
    status, page = upload(client, issued([(number, TRACKING)]))
    assert status == 200 and "出荷済みになります" in page
    assert stands(app, number) == ("confirmed", [])  # looking writes nothing
    status, page = ship(client, [(number, TRACKING)])
    assert "1件を出荷済みにしました" in page
    assert stands(app, number) == ("shipped", [TRACKING])
    with app.app_context():
        jobs.run_due()
        mail = get_session().scalars(select(Mail.body).order_by(Mail.id.desc()).limit(1)).one()
        assert TRACKING in mail and "https://toi.kuronekoyamato.co.jp/" in mail
    sign_in(client, "hayashi")
    assert f"number01={TRACKING}" in client.get(f"/orders/{number}").get_data(as_text=True)


def test_the_same_file_again_changes_nothing(app: Flask, client: FlaskClient) -> None:
    number = confirmed(app)
    sign_in(client, "owner")
    ship(client, [(number, TRACKING)])
    before = stocked(app)
    _status, page = ship(client, [(number, TRACKING), (number, OTHER)])
    assert "1件は登録済みでした" in page
    assert stands(app, number) == ("shipped", [TRACKING, OTHER])
    assert stocked(app) == before


@pytest.mark.parametrize("wrong", ["nobody", "cancelled", "delivered", "number", "twice"])
def test_one_row_that_cannot_be_keeps_the_whole_file_out(app: Flask, client: FlaskClient, wrong: str) -> None:
    number, other = confirmed(app), confirmed(app, "kitahama")
    sign_in(client, "owner")
    rows = {
        "nobody": [(number, TRACKING), ("99-99999", OTHER)],
        "cancelled": [(number, TRACKING), (other, OTHER)],
        "delivered": [(number, TRACKING), (other, OTHER)],
        "number": [(number, TRACKING), (other, "1.2E+11")],
        "twice": [(number, TRACKING), (other, TRACKING)],
    }[wrong]
    if wrong == "delivered":
        change(app, other, state="delivered")
    if wrong == "cancelled":
        with app.app_context(), write() as session:
            move(
                session,
                session.scalars(select(Order).where(Order.number == other)).one(),
                "cancelled",
                "test",
            )
    status, page = upload(client, issued(rows))
    assert status == 422 and "3行目" in page
    assert stands(app, number) == ("confirmed", [])


def test_what_changed_after_the_preview_keeps_everything_out(
    app: Flask, client: FlaskClient, database_url: str
) -> None:
    number, other = confirmed(app), confirmed(app, "kitahama")
    sign_in(client, "owner")
    with app.app_context(), write() as session:  # fewer pieces than both orders need
        for item in session.scalars(select(StockItem)):
            item.on_hand = min(item.on_hand, 150)
    rows = f"1 {TRACKING} {number}\n1 {OTHER} {other}\n"
    sent = {"do": "keep", "carrier": "yamato", "rows": rows, "shipped_on": "2026-11-24"}
    answer = client.post(DESK, data=sent)
    assert answer.status_code == 422 and "在庫を数えてください" in answer.get_data(as_text=True)
    assert stands(app, number) == ("confirmed", [])
    assert stands(app, other) == ("confirmed", [])


def test_a_shipment_taken_back_brings_the_goods_back_and_is_taken_back_once(
    app: Flask, client: FlaskClient, database_url: str
) -> None:
    number = confirmed(app)
    before = stocked(app)
    sign_in(client, "owner")
    ship(client, [(number, TRACKING), (number, OTHER)])
    assert stocked(app) != before
    with app.app_context():
        first, second = get_session().scalars(select(Shipment.id).order_by(Shipment.id))
    client.post(f"/admin/shipments/{first}/undo")
    assert stands(app, number) == ("shipped", [OTHER])  # the other parcel is still on its way
    for _ in range(2):
        client.post(f"/admin/shipments/{second}/undo")
    assert stands(app, number) == ("confirmed", [])
    assert stocked(app) == before
    ship(client, [(number, TRACKING)])  # and it can be shipped again
    assert stands(app, number) == ("shipped", [TRACKING])
    with app.app_context():
        kinds = select(StockMove.kind).where(StockMove.kind.in_(("ship", "unship"))).order_by(StockMove.id)
        assert list(get_session().scalars(kinds)) == ["ship", "unship", "ship"]


def test_the_same_numbers_kept_by_four_at_once_ship_the_order_once(app: Flask, database_url: str) -> None:
    number = confirmed(app)
    before = stocked(app)
    start = Barrier(4)

    def keep(_one: int) -> object:
        with app.app_context():
            start.wait()
            return apply(
                "yamato", [Tracked(1, number, TRACKING)], shipped_on=date(2026, 11, 24), actor="clerk"
            )

    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(keep, range(4)))
    assert sorted(told, key=str) == [Applied(0, 0, 1)] * 3 + [Applied(1, 1, 0)]
    assert stands(app, number) == ("shipped", [TRACKING])
    assert stocked(app) == (before[0] - 100, before[1] - 100)


def test_an_order_that_moved_on_is_not_taken_back(app: Flask, client: FlaskClient) -> None:
    number = confirmed(app)
    sign_in(client, "owner")
    ship(client, [(number, TRACKING)])
    with app.app_context():
        with write() as session:
            move(
                session,
                session.scalars(select(Order).where(Order.number == number)).one(),
                "delivered",
                "test",
            )
        (only,) = get_session().scalars(select(Shipment.id))
    page = client.post(f"/admin/shipments/{only}/undo", follow_redirects=True).get_data(as_text=True)
    assert "取り消しませんでした" in page
    assert stands(app, number) == ("delivered", [TRACKING])


def test_a_check_digit_that_does_not_fit_warns_before_anything_is_kept(
    app: Flask, client: FlaskClient
) -> None:
    number = confirmed(app)
    sign_in(client, "owner")
    odd = f"12345678901{(12345678901 + 1) % 7}"
    assert "チェックデジットが合いません" in upload(client, issued([(number, odd)]))[1]
    assert "チェックデジットが合いません" not in upload(client, issued([(number, TRACKING)]))[1]


def test_another_company_reads_no_tracking_number(app: Flask, client: FlaskClient) -> None:
    number = confirmed(app)
    sign_in(client, "owner")
    ship(client, [(number, TRACKING)])
    sign_in(client, "kitahama")
    answer = client.get(f"/orders/{number}")
    assert answer.status_code == 404 and TRACKING not in answer.get_data(as_text=True)


@pytest.mark.parametrize("rows", ["", "x", "1 2 3", f"1 {TRACKING} no-such-order", f"0 {TRACKING} \0"])
def test_odd_rows_are_refused_and_never_a_fault_of_ours(
    app: Flask, client: FlaskClient, database_url: str, rows: str
) -> None:
    sign_in(client, "owner")
    sent = {"do": "keep", "carrier": "yamato", "rows": rows, "shipped_on": "2026-11-24"}
    assert client.post(DESK, data=sent).status_code == 422

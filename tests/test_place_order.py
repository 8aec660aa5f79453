"""place_order: one transaction, one key, what the buyer confirmed, and nothing sold twice."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from rules.errors import MatcherDisagreement
from storefront import payments
from storefront.accounts import Company, User
from storefront.catalog import Product
from storefront.clock import set_clock, today
from storefront.database import get_session, write
from storefront.incidents import Incident
from storefront.jobs import Outbox
from storefront.orders import IdempotencyKey, Order, OrderLine, OrderMove, OrderSurcharge, OrderTax
from storefront.orders.placing import (
    Changed,
    CheckoutChoice,
    KeyReused,
    Placed,
    Refused,
    place_order,
)
from storefront.payments import Payment, payment_of
from storefront.shop import current_shop
from storefront.stock import Reservation
from support.ordering import OSAKA, allow_terms, look, person, place, placed, wanted
from support.shop import FixedClock, make_app, make_product, seed, write_shop

CART = {"M4-10": 40, "N4-SUS": 200}


def count(model: type) -> int:
    with write() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_an_order_keeps_everything_it_was_decided_with(app: Flask, database_url: str) -> None:
    with app.app_context():
        seen = look("hayashi", CART).priced
        order = placed("hayashi", CART, purchase_order_number="HK-2611-08", note="表の入口へ")
        assert order.number == "A-10001"
        assert order.state == "awaiting_payment"
        assert (order.goods_minor, order.surcharges_minor, order.subtotal_minor) == (8400, 800, 9200)
        assert (order.tax_minor, order.total_minor) == (920, 10_120)
        assert order.total_minor == seen.decision.total
        assert order.ruleset_hash == seen.decision.ruleset
        assert order.decision["total"] == "10120"
        assert [(line.sku, line.quantity, line.amount_minor) for line in order.lines] == [
            ("M4-10", 40, 4800),
            ("N4-SUS", 200, 3600),
        ]
        assert order.lines[0].steps["ja"][0]["what"] == "定価"
        assert order.lines[0].steps["en"][0]["unit_price"] == "120"
        fee = order.surcharges[0]
        assert (fee.code, fee.amount_minor, fee.lines) == ("SC10", 800, ["M4-10"])
        assert [(row.category, row.base_minor, row.amount_minor) for row in order.taxes] == [
            ("standard", 9200, 920)
        ]
        assert order.ship_to["city"] == "東大阪市"
        assert (order.purchase_order_number, order.note) == ("HK-2611-08", "表の入口へ")
        assert [move.to_state for move in order.moves] == ["awaiting_payment"]


def test_the_order_its_lines_and_its_taxes_add_up(app: Flask) -> None:
    with app.app_context():
        order = placed("hayashi", CART)
        assert order.goods_minor == sum(line.amount_minor for line in order.lines)
        assert order.subtotal_minor == order.goods_minor + sum(each.amount_minor for each in order.surcharges)
        extras = order.shipping_minor + order.payment_fee_minor
        assert order.total_minor == order.subtotal_minor + extras + sum(
            row.amount_minor for row in order.taxes
        )


def test_numbers_follow_one_another_and_a_refusal_takes_none(app: Flask) -> None:
    with app.app_context():
        assert placed("hayashi", CART).number == "A-10001"
        assert isinstance(place("hayashi", {"N4-SUS": 5000}), Refused)
        assert placed("kitahama", CART).number == "A-10002"


def test_bank_transfer_waits_with_account_and_reference(app: Flask) -> None:
    with app.app_context():
        order = placed("hayashi", CART)
        payment = payment_of(get_session(), order.id)
        assert payment is not None
        assert (payment.state, payment.amount_minor, payment.attempt_key) == ("pending", 10_120, "1:start:1")
        assert payment.instructions is not None
        assert payment.instructions["reference"] == "A-10001"


def test_net_terms_confirm_at_once(app: Flask, database_url: str) -> None:
    allow_terms(app, "HAYASHI", 100_000)
    with app.app_context():
        order = placed("hayashi", CART, payment="net_terms")
        assert order.state == "confirmed"
        payment = payment_of(get_session(), order.id)
        assert payment is not None
        assert payment.state == "authorized"
        assert [move.to_state for move in order.moves] == ["awaiting_payment", "confirmed"]


def test_the_same_key_and_body_give_the_same_order(app: Flask, database_url: str) -> None:
    with app.app_context():
        first = place("hayashi", CART, key="double-click")
        again = place("hayashi", CART, key="double-click")
        assert isinstance(first, Placed)
        assert isinstance(again, Placed)
        assert again.is_repeated
        assert again.number == first.number
        assert (count(Order), count(Payment), count(IdempotencyKey)) == (1, 1, 1)


def test_the_same_key_with_another_body_is_refused(app: Flask, database_url: str) -> None:
    with app.app_context():
        placed("hayashi", CART, key="one")
        assert isinstance(place("hayashi", {"N4-SUS": 100}, key="one"), KeyReused)
        assert count(Order) == 1


def test_a_key_belongs_to_its_user(app: Flask) -> None:
    with app.app_context():
        first, second = placed("hayashi", CART, key="same"), placed("kitahama", CART, key="same")
        assert first.number != second.number


def test_a_refusal_is_not_stored_under_its_key(app: Flask) -> None:
    with app.app_context():
        assert isinstance(place("hayashi", {"N4-SUS": 5000}, key="again"), Refused)
        assert isinstance(place("hayashi", {"N4-SUS": 500}, key="again"), Placed)


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_1_to_255_characters(app: Flask, key: str) -> None:
    with app.app_context(), pytest.raises(ValueError, match="1 to 255"):
        place_order(
            current_shop(),
            company_id=1,
            user_id=1,
            wanted=wanted(CART),
            choice=CheckoutChoice(OSAKA, "flat_rate", "bank_transfer"),
            key=key,
            fingerprint="",
            on=today(),
        )


# F18
def test_a_price_that_changed_is_shown_and_asked_again(app: Flask, database_url: str) -> None:
    with app.app_context():
        confirmed = look("hayashi", CART).priced.fingerprint
        with write() as session:
            product = session.scalars(select(Product).where(Product.sku == "N4-SUS")).one()
            product.list_price = product.list_price + 1  # type: ignore[operator]
        outcome = place("hayashi", CART, fingerprint=confirmed)
        assert isinstance(outcome, Changed)
        assert outcome.priced.decision.total == 10_340
        assert (count(Order), count(Outbox), count(Reservation)) == (0, 0, 0)
        again = place("hayashi", CART, fingerprint=outcome.priced.fingerprint)
        assert isinstance(again, Placed)
        assert get_session().get_one(Order, again.order_id).total_minor == 10_340


def test_a_rule_file_changed_between_cart_and_order_is_asked_again(app: Flask, shop_folder: Path) -> None:
    with app.app_context():
        confirmed = look("hayashi", CART).priced.fingerprint
        rule = shop_folder / "rules" / "SC10_small_lot.toml"
        rule.write_text(rule.read_text("utf-8").replace("amount = 800", "amount = 1200"), "utf-8")
        outcome = place("hayashi", CART, fingerprint=confirmed)
        assert isinstance(outcome, Changed)
        assert outcome.priced.decision.subtotal == 9600


def test_what_the_rules_refuse_is_refused_with_the_decision(app: Flask) -> None:
    with app.app_context():
        outcome = place("hayashi", {"M4-10": 30})
        assert isinstance(outcome, Refused)
        assert outcome.code == "rules"
        assert outcome.priced is not None
        assert outcome.priced.decision.issues[0].code == "QT10"


def test_a_line_without_a_price_is_left_to_a_quotation(app: Flask) -> None:
    with app.app_context():
        make_product("UNPRICED", list_price=None, category="fasteners/nuts")
        outcome = place("hayashi", {"UNPRICED": 5})
        assert isinstance(outcome, Refused)
        assert outcome.code == "quotation"


def test_more_than_is_available_is_refused_whole_naming_what_there_is(app: Flask, database_url: str) -> None:
    with app.app_context():
        outcome = place("hayashi", {"M4-10": 100, "N4-SUS": 1001})
        assert isinstance(outcome, Refused)
        assert outcome.code == "shortage"
        assert [(each.sku, each.wanted, each.orderable) for each in outcome.shortages] == [
            ("N4-SUS", 1001, 1000)
        ]
        assert (count(Order), count(Reservation), count(IdempotencyKey)) == (0, 0, 0)


def test_goods_made_to_order_need_no_stock(app: Flask) -> None:
    with app.app_context():
        make_product("MADE", on_hand=0, made_to_order=True, category="fasteners/nuts")
        assert isinstance(place("hayashi", {"MADE": 500}), Placed)
        assert count(Reservation) == 0


def test_a_product_taken_off_the_shelf_is_named(app: Flask) -> None:
    with app.app_context():
        confirmed = look("hayashi", CART).priced.fingerprint
        with write() as session:
            session.scalars(select(Product).where(Product.sku == "N4-SUS")).one().is_active = False
        outcome = place("hayashi", CART, fingerprint=confirmed)
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.skus) == ("gone", ("N4-SUS",))


def test_above_the_credit_limit_an_order_is_held_for_approval(app: Flask) -> None:
    allow_terms(app, "HAYASHI", 15_000)
    with app.app_context():
        assert placed("hayashi", CART, payment="net_terms").state == "confirmed"
        second = placed("hayashi", CART, payment="net_terms")
        assert second.state == "awaiting_approval"
        assert [each["code"] for each in second.held] == ["credit"]
        payment = payment_of(get_session(), second.id)
        assert payment is not None
        assert payment.state == "created"


def test_paying_in_advance_needs_no_credit(app: Flask) -> None:
    allow_terms(app, "HAYASHI", 1)
    with app.app_context():
        assert placed("hayashi", CART, payment="bank_transfer").state == "awaiting_payment"


def test_above_a_persons_order_limit_an_order_is_held(app: Flask) -> None:
    with app.app_context():
        with write() as session:
            session.get_one(User, person("hayashi").id).order_limit_minor = 10_000
        order = placed("hayashi", CART)
        assert order.state == "awaiting_approval"
        assert order.held[0]["code"] == "limit"


def test_a_closed_company_and_a_person_who_left_place_nothing(app: Flask) -> None:
    with app.app_context():
        with write() as session:
            session.get_one(User, person("hayashi").id).active = False
            company = session.scalars(select(Company).where(Company.code == "KITAHAMA")).one()
            company.status = "closed"
        for login in ("hayashi", "kitahama"):
            outcome = place(login, CART)
            assert isinstance(outcome, Refused)
            assert outcome.code == "account"


def test_a_method_that_is_not_offered_is_refused(app: Flask) -> None:
    with app.app_context():
        for options in ({"payment": "net_terms"}, {"payment": "bitcoin"}, {"shipping": "drone"}):
            outcome = place("hayashi", CART, **options)  # type: ignore[arg-type]
            assert isinstance(outcome, Refused), options
            assert outcome.code == "rules"


def test_a_matcher_disagreement_refuses_and_leaves_an_incident(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        confirmed = look("hayashi", CART).priced.fingerprint

        def disagree(*_: object, **options: object) -> None:
            raise MatcherDisagreement("PR20 here, nothing there", {"line": "1"})

        monkeypatch.setattr("storefront.orders.placing.price", disagree)
        outcome = place("hayashi", CART, fingerprint=confirmed)
        assert isinstance(outcome, Refused)
        assert outcome.code == "unavailable"
        assert count(Order) == 0
        with write() as session:
            incident = session.scalars(select(Incident)).one()
            assert (incident.kind, incident.detail) == ("matcher_disagreement", {"line": "1"})


def test_events_are_written_with_the_order(app: Flask) -> None:
    with app.app_context():
        order = placed("hayashi", CART)
        with write() as session:
            jobs = session.execute(select(Outbox.kind, Outbox.payload).order_by(Outbox.id)).all()
        assert [tuple(job) for job in jobs] == [
            ("order.mail", {"order_id": order.id, "event": "received"}),
            ("payment.start", {"order_id": order.id}),
        ]


@pytest.mark.parametrize(
    ("outcome", "state", "payment_state"),
    [
        ("captured", "confirmed", "captured"),
        ("declined", "cancelled", "failed"),
        ("timeout", "awaiting_payment", "pending"),
        ("timeout_after_commit", "awaiting_payment", "pending"),
        ("none", "awaiting_payment", "pending"),
        ("exits", "awaiting_payment", "pending"),
    ],
)
def test_what_the_provider_does_decides_the_order(
    tmp_path: Path, outcome: str, state: str, payment_state: str
) -> None:
    folder = write_shop(tmp_path / "shop")
    with (folder / "shop.toml").open("a") as file:
        file.write(f'\n[plugins.dummy]\nenabled = true\noutcome = "{outcome}"\n')
    app = make_app(folder, database_url=f"sqlite:///{tmp_path / 'shop.db'}")
    seed(app)
    with app.app_context():
        order = placed("hayashi", CART, payment="dummy")
        payment = payment_of(get_session(), order.id)
        assert payment is not None
        assert (order.state, payment.state) == (state, payment_state)
        assert count(Reservation) == (0 if state == "cancelled" else 2)


def test_rolling_back_leaves_no_row_anywhere(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr("storefront.orders.placing.payments.create", fail)
    with app.app_context():
        confirmed = look("hayashi", CART).priced.fingerprint
        with pytest.raises(RuntimeError, match="disk full"):
            place("hayashi", CART, fingerprint=confirmed)
        for model in (
            Order,
            OrderLine,
            OrderSurcharge,
            OrderTax,
            OrderMove,
            Reservation,
            Outbox,
            IdempotencyKey,
        ):
            assert count(model) == 0, model


@pytest.mark.parametrize(
    ("placed_at", "due"),
    [
        (datetime(2026, 11, 20, 14, 59, 59, tzinfo=UTC), "2026-12-31"),  # one second before midnight in Japan
        (datetime(2026, 11, 20, 15, 0, 0, tzinfo=UTC), "2027-01-31"),
    ],
)
def test_the_closing_day_of_an_order_on_account_ends_at_midnight_in_japan(
    app: Flask, placed_at: datetime, due: str
) -> None:
    allow_terms(app, "HAYASHI", 500_000)
    with app.app_context():
        set_clock(app, FixedClock(placed_at))
        order = placed("hayashi", {"M4-10": 100}, payment="net_terms")
        payments.start_for(order.id)
        paid = payment_of(get_session(), order.id)
        assert paid is not None
        assert paid.instructions is not None
        assert paid.instructions["due_on"] == due

"""Payments of a demo shop in every state that has a screen, for tests and people that look at them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from storefront.accounts import Address, User
from storefront.clock import now, today
from storefront.database import get_session, write
from storefront.orders import Order
from storefront.orders.placing import CheckoutChoice, Placed, place_order
from storefront.payments import Payment, ask, payment_of
from storefront.payments.captures import take
from storefront.payments.models import PaymentMove, Refund, WebhookEvent
from storefront.pricing import Wanted
from storefront.shipping.quoting import Destination
from storefront.shop import current_shop

KONBINI = {
    "konbini_until": "2026-11-25",
    "konbini_familymart": "123456 / 1234567890",
    "konbini_lawson": "123456 / 1234567890",
    "voucher": "https://pay.dummy.example/voucher",
}


@dataclass(frozen=True)
class Screens:
    """Numbers of orders by what their payment shows."""

    failed: str  # with another way, and one that is closed
    confirming: str
    konbini: str
    part: str
    many: str  # of attempts, for the desk: each with its form

    @property
    def of_buyer(self) -> tuple[str, ...]:
        return (f"/orders/{self.failed}/payment", f"/orders/{self.konbini}")

    @property
    def of_owner(self) -> tuple[str, ...]:
        return ("/admin/payments", f"/admin/orders/{self.many}")


def payments_in_every_state(app: Flask, folder: Path, who: str) -> Screens:
    """Switches the test provider of this demo on, and places the orders of one buyer."""
    file = folder / "shop.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("[plugins.dummy]\nenabled = false", "[plugins.dummy]\nenabled = true"), encoding="utf-8"
    )
    with app.app_context():
        failed = _paid(who, "requires_action")
        _provider().settle(str(failed.id), "failed")
        ask(failed.id)
        confirming = _paid(who, "requires_action")
        konbini = _paid(who, "pending")
        part = _paid(who, "authorized")
        take(part.id, part.amount_minor - 300, "1袋が欠品", "aoyagi@example.co.jp")
        many = _paid(who, "authorized")
        with write() as session:
            session.get_one(Payment, konbini.id).instructions = KONBINI
            _more(session, many)
        tell(fee_minor=300)  # of the failed order this way is closed now
        return Screens(*(_number(each) for each in (failed, confirming, konbini, part, many)))


def tell(**settings: Any) -> None:
    """What the test provider does from now on."""
    provider = _provider()
    provider.settings = provider.settings.model_copy(update=settings)


def _provider() -> Any:
    return current_shop().plugins.payments["dummy"]


def _number(payment: Payment) -> str:
    return str(get_session().get_one(Order, payment.order_id).number)


def _paid(who: str, outcome: str) -> Payment:
    tell(outcome=outcome)
    session = get_session()
    user = session.scalars(select(User).where(User.email == who)).one()
    address = session.scalars(select(Address).where(Address.company_id == user.company_id)).first()
    assert user.company_id is not None and address is not None
    placed = place_order(
        current_shop(),
        company_id=user.company_id,
        user_id=user.id,
        wanted=[Wanted("M4-10", 100, "1")],
        choice=CheckoutChoice(
            Destination(address.recipient, address.postcode, address.region, address.city, address.street),
            None,
            "dummy",
            "",
        ),
        key=f"screens-{outcome}-{now().isoformat()}-{session.scalar(select(Payment.id).order_by(Payment.id.desc()))}",
        fingerprint=None,
        on=today(),
        actor=who,
    )
    assert isinstance(placed, Placed), placed
    payment = payment_of(get_session(), placed.order_id)
    assert payment is not None
    return payment


def _more(session: Any, first: Payment) -> None:
    """Attempts beside the first: one reviewed, one with a refund that does not fit, one whose plugin is gone."""
    states = {
        "review": "dummy",
        "captured": "dummy",
        "disputed": "a_plugin_that_is_gone",
        "partially_refunded": "gone_too",
    }
    for state, provider in states.items():
        made = Payment(
            order_id=first.order_id, provider=provider, state=state, amount_minor=first.amount_minor,
            currency=first.currency, provider_ref=f"DUMMY-{state}", captured_minor=first.amount_minor - 100,
            attempt_key="x", created_at=now(), updated_at=now(),
        )  # fmt: skip
        session.add(made)
        session.flush()
        session.add(PaymentMove(payment_id=made.id, from_state="pending", to_state=state, actor="dummy", at=now(),
                                note="dummy answered 7820 JPY, asked 7920 JPY"))  # fmt: skip
        if state in ("captured", "partially_refunded"):
            session.add(
                Refund(
                    payment_id=made.id, amount_minor=300, key=f"{made.id}:refund:1",
                    state="requested" if state == "captured" else "failed",
                    code="mismatch" if state == "captured" else "declined",
                    answered_minor=250 if state == "captured" else None, reason="1袋が濡れていた",
                    actor="aoyagi@example.co.jp", at=now(),
                )
            )  # fmt: skip
    session.add(WebhookEvent(provider="dummy", event_id="evt_1", provider_ref="DUMMY-of-nobody", kind="charge.updated",
                             state="unknown", received_at=now()))  # fmt: skip

"""Past orders of the demo, placed through the shop's own door on days gone by, so that no list is empty.

The shop's clock is set back for each order and put right again afterwards. A shop that has orders is left alone.
"""

from __future__ import annotations

import sys
import tomllib
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import select

from storefront import jobs, payments
from storefront.accounts import Address, User
from storefront.clock import today
from storefront.database import get_session, write
from storefront.orders import Order
from storefront.orders.moves import move
from storefront.orders.placing import CheckoutChoice, Placed, place_order
from storefront.pricing import Wanted
from storefront.shipping.quoting import Destination
from storefront.shop import Shop, current_shop

# What is done to an order, in this order, until it stands where the demo wants it.
_OWNER = "aoyagi@example.co.jp"
_PATH = ("in_production", "shipped", "delivered")


def place_past_orders(app: Flask, folder: Path) -> int:
    """Place what stands in orders.toml; how many were placed. One that is refused is told and left out."""
    path = folder / "orders.toml"
    shop: Shop = app.extensions["koguchi"]
    with app.app_context():
        if not path.is_file() or get_session().scalars(select(Order.id).limit(1)).first() is not None:
            return 0
    wanted = tomllib.loads(path.read_text(encoding="utf-8"))["orders"]
    real = shop.clock
    placed = 0
    try:
        for number, entry in enumerate(wanted, start=1):
            moment = _moment(entry, real(), shop.settings.zone)
            shop.clock = lambda moment=moment: moment  # type: ignore[misc]
            placed += _place(app, entry, number, moment)
    finally:
        shop.clock = real
    return placed


def _moment(entry: dict[str, Any], made_at: datetime, zone: ZoneInfo) -> datetime:
    """When an order was placed: so many days before the demo is made, on a weekday, never after the making."""
    local = made_at.astimezone(zone)
    day = local.date() - timedelta(days=entry["days_ago"])
    if entry["days_ago"]:
        day -= timedelta(days=max(day.weekday() - 4, 0))
    return min(datetime.combine(day, time.fromisoformat(entry["at"]), zone), local)


def _place(app: Flask, entry: dict[str, Any], number: int, moment: datetime) -> bool:
    with app.app_context():
        shop, session = current_shop(), get_session()
        user = session.scalars(select(User).where(User.email == entry["by"])).one()
        address = session.scalars(
            select(Address)
            .where(Address.company_id == user.company_id)
            .order_by(Address.is_default.desc(), Address.id)
        ).first()
        if user.company_id is None or address is None:
            print(f"orders.toml: {entry['by']} has no company or no address", file=sys.stderr)
            return False
        outcome = place_order(
            shop,
            company_id=user.company_id,
            user_id=user.id,
            wanted=[
                Wanted(sku, quantity, str(place))
                for place, (sku, quantity) in enumerate(entry["lines"].items(), start=1)
            ],
            choice=CheckoutChoice(
                _destination(address), None, entry["payment"], entry.get("purchase_order_number", "")
            ),
            key=f"demo-{number}",
            fingerprint=None,
            on=today(),
            actor=user.email,
        )
        if not isinstance(outcome, Placed):
            why = getattr(outcome, "code", type(outcome).__name__)
            print(f"orders.toml: order {number} of {entry['by']} was not placed: {why}", file=sys.stderr)
            return False
        _bring_to(shop, outcome.order_id, entry["state"], moment)
    return True


def _destination(address: Address) -> Destination:
    return Destination(
        recipient=address.recipient,
        postcode=address.postcode,
        region=address.region,
        city=address.city,
        street=address.street,
        phone=address.phone,
        label=address.label,
        country=address.country,
    )


def _bring_to(shop: Shop, order_id: int, state: str, moment: datetime) -> None:
    """Paid, made, shipped and delivered, a day or two apart; the mails of each step carry its date."""
    jobs.run_due()
    if state in ("awaiting_approval", "awaiting_payment"):
        return
    _wait(shop, 1, moment)
    with write() as session:
        waits = session.get_one(Order, order_id).state == "awaiting_payment"
    if waits:
        payments.mark_paid(order_id, _OWNER)
    if state != "confirmed":
        for days, step in enumerate(_PATH[: _PATH.index(state) + 1], start=1):
            _wait(shop, days, moment)
            with write() as session:
                move(session, order_id, step, _OWNER)
            jobs.run_due()


def _wait(shop: Shop, days: int, moment: datetime) -> None:
    """Set the shop's clock some days after the order."""
    later = moment + timedelta(days=days)
    shop.clock = lambda: later

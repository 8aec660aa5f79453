"""What a buyer typed at checkout, cleaned and checked. A refused field keeps what was typed; nothing is priced here."""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from storefront.accounts import Address
from storefront.accounts.addresses import FIELDS, AddressForm
from storefront.checkout import carriage
from storefront.forms import clean
from storefront.language import _
from storefront.orders import Order
from storefront.orders.placing import LONGEST_KEY, CheckoutChoice
from storefront.regions import read_postcode
from storefront.shipping.quoting import Destination

NEW = "new"
LONGEST_NUMBER, LONGEST_NOTE = 100, 500
FURTHEST = timedelta(days=366)


@dataclass
class Typed:
    """The form as it was typed, with the faults found in it: (field id, sentence)."""

    address: str = ""
    shipping: str = ""
    payment: str = ""
    lead_time: str = ""
    delivery: str = ""
    slot: str = ""
    purchase_order_number: str = ""
    note: str = ""
    key: str = ""
    fingerprint: str = ""
    seen: Mapping[str, Any] = field(default_factory=dict)
    is_same_number_meant: bool = False
    new_address: AddressForm | None = None
    faults: list[tuple[str, str]] = field(default_factory=list)

    def error(self, name: str) -> str:
        """The sentence about a field, or nothing."""
        return next((sentence for known, sentence in self.faults if known == name), "")


def new_key() -> str:
    """An idempotency key for one checkout page."""
    return secrets.token_urlsafe(24)


def blank(addresses: Sequence[Address]) -> Typed:
    """A page that nobody typed into yet: the first address, which is the default one."""
    first = str(addresses[0].id) if addresses else NEW
    return Typed(address=first, key=new_key(), new_address=AddressForm(formdata=None))


def read(form: Mapping[str, str], addresses: Sequence[Address]) -> Typed:
    """What was posted, without judging it yet. Anything unknown is dropped, anything far too long is cut."""
    key = form.get("key", "")
    if not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        key = new_key()
    known = {str(address.id) for address in addresses} | {NEW}
    address = form.get("address", "")
    return Typed(
        address=address if address in known else "",
        shipping=_code(form.get("shipping", "")),
        payment=_code(form.get("payment", "")),
        lead_time=clean(form.get("lead_time", ""))[:200],
        delivery=clean(form.get("delivery", ""))[:40],
        slot=clean(form.get("slot", ""))[:40],
        purchase_order_number=clean(form.get("purchase_order_number", ""))[:1000],
        note=clean(form.get("note", ""), lines=True)[:5000],
        key=key,
        fingerprint=form.get("fingerprint", "")[:64],
        seen=_seen(form.get("seen", "")),
        is_same_number_meant=form.get("same_number") == "1",
        new_address=AddressForm(formdata=MultiDict(form)),
    )


def _code(typed: str) -> str:
    return typed if re.fullmatch(r"[a-z0-9_]{1,64}", typed) else ""


def _seen(typed: str) -> Mapping[str, Any]:
    """What the page showed before, for telling the difference. It came back from the browser: shown, never trusted."""
    if len(typed) > 100_000:
        return {}
    try:
        seen = json.loads(typed)
    except (ValueError, RecursionError):
        return {}
    return seen if isinstance(seen, dict) else {}


def destination(typed: Typed, addresses: Sequence[Address]) -> Destination | None:
    """Where it goes as far as it is known, for quotes; None while not even the region is."""
    chosen = next((each for each in addresses if str(each.id) == typed.address), None)
    if chosen is not None:
        return Destination(
            recipient=chosen.recipient,
            postcode=chosen.postcode,
            region=chosen.region,
            city=chosen.city,
            street=chosen.street,
            phone=chosen.phone,
            label=chosen.label,
            country=chosen.country,
        )
    if typed.address != NEW or typed.new_address is None:
        return None
    values = {name: str(typed.new_address[name].data or "") for name in FIELDS}
    values["postcode"] = read_postcode(values["postcode"]) or ""
    return Destination(**values) if values["region"] else None


def judge(typed: Typed, session: Session, company_id: int, today: date) -> None:
    """Find every fault at once; `typed.faults` is empty when an order may be placed."""
    faults = typed.faults
    new = typed.new_address
    assert new is not None
    is_begun = any(new[name].data for name in FIELDS)
    if typed.address == NEW:
        if not new.validate():
            faults += new.faults()
    elif not typed.address:
        faults.append(("address", _("Choose where the goods go.")))
    elif is_begun:
        faults.append(
            ("address-new", _("You began to write another address: choose it, or empty its fields."))
        )
    delivery_on(typed, today)
    if len(typed.purchase_order_number) > LONGEST_NUMBER:
        faults.append(("purchase_order_number", _too_long(typed.purchase_order_number, LONGEST_NUMBER)))
    elif typed.purchase_order_number and not typed.is_same_number_meant:
        _look_for_number(typed, session, company_id)
    if len(typed.note) > LONGEST_NOTE:
        faults.append(("note", _too_long(typed.note, LONGEST_NOTE)))


def _too_long(typed: str, most: int) -> str:
    return _("This is %(length)s characters long; %(most)s fit here.", length=len(typed), most=most)


def _look_for_number(typed: Typed, session: Session, company_id: int) -> None:
    from storefront.format import day_text

    statement = (
        select(Order.number, Order.placed_at)
        .where(
            Order.company_id == company_id,
            Order.purchase_order_number == typed.purchase_order_number,
            Order.state != "cancelled",
            Order.key != typed.key,  # the same page sent twice meets its own order
        )
        .order_by(Order.id.desc())
        .limit(1)
    )
    known = session.execute(statement).first()
    if known is not None:
        sentence = _(
            "%(number)s stands on your order %(order)s of %(day)s. Enter another number, or confirm this one below.",
            number=typed.purchase_order_number,
            order=known.number,
            day=day_text(known.placed_at),
        )
        typed.faults.append(("purchase_order_number", sentence))


def delivery_on(typed: Typed, today: date) -> date | None:
    """The delivery date asked for; a fault when it is no date, past, or too far away."""
    if not typed.delivery:
        return None
    plain = unicodedata.normalize("NFKC", typed.delivery)
    parts = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", plain, re.ASCII)
    try:
        asked = date(*(int(part) for part in parts.groups())) if parts else None
    except ValueError:
        asked = None
    if asked is None:
        _once(typed, "delivery", _("Write the date like 2026-12-01, or leave it empty."))
    elif asked <= today:
        _once(typed, "delivery", _("Choose a day after today, or leave it empty."))
        asked = None
    elif asked > today + FURTHEST:
        _once(typed, "delivery", _("Choose a day within a year, or leave it empty."))
        asked = None
    return asked


def _once(typed: Typed, name: str, sentence: str) -> None:
    if not typed.error(name):
        typed.faults.append((name, sentence))


def choice(
    typed: Typed, to: Destination, delivery: date | None, ship: str | None, pay: str | None
) -> CheckoutChoice:
    """The judged form as place_order takes it."""
    number, note, tier = typed.purchase_order_number, typed.note, typed.lead_time or None
    by = carriage.read_day(typed.seen.get("arrives"))
    return CheckoutChoice(to, ship, pay, number, note, delivery, tier, slot=typed.slot, arrives_by=by)

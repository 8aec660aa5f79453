"""An order on the way to being confirmed, whichever door it came through: what a page of it shows and is told.

The same for the cart, an order file, an old order and the desk; nothing is written here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import url_for

from storefront import stock
from storefront.accounts import Address, Company, User
from storefront.checkout import carriage, promised, view
from storefront.checkout import form as forms
from storefront.checkout.form import Typed
from storefront.clock import today
from storefront.database import get_session
from storefront.language import _, text
from storefront.orders.credit import exposure_minor
from storefront.orders.placing import Changed, InProgress, KeyReused, Outcome, Placed, Refused
from storefront.orders.preparing import Prepared, prepare
from storefront.payments import payment_of
from storefront.pricing import Wanted
from storefront.regions import region_options
from storefront.shop import current_shop


@dataclass
class Confirming:
    """What a request works with: the lines, whose order it is, the addresses, and what was typed.

    `person` is the buyer whose order limit counts; None where nobody of the company orders.
    """

    wanted: list[Wanted]
    company: Company
    person: User | None
    addresses: list[Address]
    typed: Typed
    channel: str = "web"
    cart_id: int | None = None  # where the lines come from a cart
    prepared: Prepared | None = field(default=None, repr=False)

    def prepare(self) -> Prepared | None:
        """Price everything with what is chosen so far; None when there is nothing to price."""
        typed, on = self.typed, today()
        self.prepared = prepare(
            get_session(),
            current_shop(),
            self.company,
            self.wanted,
            to=forms.destination(typed, self.addresses),
            shipping_code=typed.shipping or None,
            payment_code=typed.payment or None,
            lead_time_code=typed.lead_time or None,
            delivery=forms.delivery_on(typed, on),
            on=on,
            channel=self.channel,
            fixes=False,
            is_strict=False,
        )
        return self.prepared


@dataclass(frozen=True, slots=True)
class Told:
    """What a page says about an order that was not placed: status, a sentence, and whether prices changed."""

    status: int
    notice: str = ""
    is_changed: bool = False


def told(desk: Confirming, outcome: Outcome) -> Told:
    """The answer to a confirmation that did not end in a standing order. A used-up key is replaced by a new one."""
    if isinstance(outcome, Changed):
        return Told(409, is_changed=True)
    if isinstance(outcome, InProgress):
        return Told(409, _("This order is being placed. Look into your orders in a moment."))
    if isinstance(outcome, Refused):
        return _refused(outcome)
    desk.typed.key = forms.new_key()
    if isinstance(outcome, KeyReused):
        return Told(422, _("This page was used for another order. Check it and confirm again."))
    desk.typed.payment = ""
    return Told(422, _declined(outcome))


def _refused(refused: Refused) -> Told:
    if refused.code == "unavailable":
        return Told(
            503,
            _(
                "Your order could not be checked just now. Nothing was ordered; please call us, or try again later."
            ),
        )
    if refused.code == "lead_time":
        return Told(422, _("This lead time has no day left for so many pieces. Choose another one."))
    if refused.code == "gone" and refused.skus:
        return Told(422, _("%(skus)s can no longer be ordered.", skus=", ".join(refused.skus)))
    return Told(422, _why(refused))


def _why(refused: Refused) -> str:
    """What speaks against the whole order, such as a method that is not offered; lines are shown by themselves."""
    if refused.priced is None:
        return ""
    issues = refused.priced.issues_of_order()
    return " ".join(text(issue.message) for issue in issues if issue.outcome == "block")


def _declined(placed: Placed) -> str:
    payment = payment_of(get_session(), placed.order_id)
    reason = text(payment.buyer_message) if payment is not None else ""
    return reason or _("The payment was declined.")


def shown(desk: Confirming, prepared: Prepared, *, changed: bool = False, notice: str = "") -> dict[str, Any]:
    """Everything that checkout/_form.html prints. The page adds where it posts to and where its lines are mended."""
    ruleset = current_shop().rulebook.current()
    priced = prepared.priced
    short = shortages(prepared)
    limit = desk.person.order_limit_minor if desk.person is not None else None
    held = [issue for issue in priced.decision.issues if issue.outcome == "approval"]
    return {
        "typed": desk.typed,
        "addresses": desk.addresses,
        "tier_rows": promised.tier_rows(priced),
        "shipping_rows": view.shipping_rows(prepared, ruleset),
        "slot_choices": view.slot_choices(prepared),
        "payment_rows": view.payment_rows(prepared, ruleset, _credit_left(desk, prepared)),
        "line_rows": view.line_rows(priced),
        "charge_rows": view.charge_rows(priced),
        "sum_rows": view.sum_rows(prepared),
        "stops": view.stops(prepared, short),
        "stopped_lines": view.stopped_lines(prepared, short),
        "warnings": [one for one in priced.decision.issues if one.outcome == "warn"],
        "held": held,
        "limit": limit,
        "is_above_limit": limit is not None and priced.decision.total > limit,
        "difference": view.difference(desk.typed.seen, desk.typed.slot, prepared) if changed else None,
        "notice": notice,
        "total": priced.decision.total,
        "fingerprint": priced.fingerprint,
        "snapshot": view.snapshot(prepared),
        "earliest": today() + timedelta(days=1),
        "region_options": region_options(),
        "swapped": _swapped(desk.typed, prepared),
        "form_action": url_for("checkout.act"),
        "mend_at": url_for("cart.show"),
    }  # fmt: skip


def shown_empty(desk: Confirming, *, notice: str = "") -> dict[str, Any]:
    """The same page while there is nothing to price: the fields, and no choice, sum or button yet."""
    return {
        "typed": desk.typed,
        "addresses": desk.addresses,
        **dict.fromkeys(
            ("shipping_rows", "slot_choices", "payment_rows", "line_rows", "charge_rows", "sum_rows"), ()
        ),
        **dict.fromkeys(("stops", "warnings", "held", "swapped"), ()),
        **dict.fromkeys(("limit", "difference", "total"), None),
        "is_above_limit": False,
        "stopped_lines": 0,
        "notice": notice,
        "fingerprint": "",
        "snapshot": "{}",
        "earliest": today() + timedelta(days=1),
        "region_options": region_options(),
        "form_action": url_for("checkout.act"),
        "mend_at": url_for("cart.show"),
    }


def _swapped(typed: Typed, prepared: Prepared) -> list[str]:
    """A chosen method that is not offered any more, and what stands in its place."""
    names = {each.code: text(each.label) for each in prepared.shipping_options}
    names |= {each.code: text(each.label) for each in prepared.payment_options}
    pairs = ((typed.shipping, prepared.shipping), (typed.payment, prepared.payment))
    sentences = [
        _("%(old)s is not offered for this order; %(new)s is chosen instead.", old=names[old], new=names[new])
        for old, new in pairs
        if old in names and new is not None and new != old
    ]
    if typed.shipping and typed.shipping not in names and prepared.shipping is not None:
        new = names[prepared.shipping]
        sentences.append(
            _("The way to ship that you chose is not offered any more; %(new)s is chosen instead.", new=new)
        )
    sentences.append(carriage.too_early(prepared, forms.delivery_on(typed, today())))
    return [each for each in (promised.swapped(typed.lead_time, prepared.priced), *sentences) if each]


def _credit_left(desk: Confirming, prepared: Prepared) -> int | None:
    if desk.company.credit_limit_minor is None or prepared.payment_offer("net_terms") is None:
        return None
    return desk.company.credit_limit_minor - exposure_minor(get_session(), desk.company.id)


def shortages(prepared: Prepared) -> list[stock.Shortage]:
    """What stock cannot give as far as one can see without a lock; placing looks again."""
    wanted: dict[int, tuple[str, int]] = {}
    for each in prepared.priced.lines:
        if not each.product.made_to_order:
            _sku, pieces = wanted.get(each.product.id, ("", 0))
            wanted[each.product.id] = (each.line.sku, pieces + each.line.quantity)
    levels = stock.availability(get_session(), list(wanted))
    return [
        stock.Shortage(sku, pieces, levels[product_id].orderable)
        for product_id, (sku, pieces) in wanted.items()
        if product_id in levels and pieces > levels[product_id].orderable
    ]

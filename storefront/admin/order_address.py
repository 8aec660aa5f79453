"""A delivery address corrected at the desk before the order ships: a typing error, never another price."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as Redirect

from storefront import format
from storefront.access import current_person, staff
from storefront.accounts.addresses import AddressForm
from storefront.admin.desk import bp
from storefront.database import get_session
from storefront.forms import clean
from storefront.language import N_, _
from storefront.orders import Order, address
from storefront.regions import region_options, show_postcode
from storefront.shop import current_shop

WHYS = {
    "state": N_("The order has left or is over; its address stays as it was."),
    "changed": N_("Somebody else corrected this address a moment ago. Look at it again."),
    "same": N_("Nothing is different from the address that the order has."),
    "region": N_("Another prefecture may have other prices. Cancel this order and write a new one."),
    "rules": N_(
        "Rules of this shop look at the postcode, so prices may change. Cancel this order and write a new one."
    ),
    "price": N_(
        "Shipping there costs %(after)s instead of %(before)s (before tax). Cancel this order and write a new one."
    ),
    "payment": N_("The way to pay is not the same there. Cancel this order and write a new one."),
    "unanswered": N_(
        "It cannot be said just now what shipping there costs. Try again later, or write a new order."
    ),
}
REASON = 1000


@bp.get("/orders/<number>/address")
@staff
def order_address(number: str) -> str | Redirect:
    """The address in a form; an order that has left says so on its own page."""
    order = _order(number)
    if not address.may_correct(order):
        flash(_said(order, address.NotCorrected(number, "state")), "warn")
        return redirect(url_for("admin.order", number=number), 303)
    form = AddressForm(formdata=None, data=dict(order.ship_to))
    return _page(order, form, back=request.args.get("back", ""))


@bp.post("/orders/<number>/address")
@staff
def order_address_correct(number: str) -> str | Redirect | tuple[str, int]:
    """Write the corrected address, or say why not; nothing is written then."""
    order, actor = _order(number), current_person()
    assert actor is not None
    form = AddressForm(formdata=MultiDict(request.form))
    reason, back = clean(request.form.get("reason", "")), request.form.get("back", "")
    missing = _("Write why: the customer reads it, and it is kept with the order.") if not reason else ""
    if len(reason) > REASON:
        missing = _("This is %(length)s characters long; %(most)s fit here.", length=len(reason), most=REASON)
    if not form.validate() or missing:
        return _page(order, form, reason=reason, missing=missing, back=back), 422
    done = address.correct(
        current_shop(),
        order,
        {name: form[name].data for name in address.FIELDS},
        seal=request.form.get("seal", ""),
        actor=actor,
        reason=reason,
    )
    if isinstance(done, address.NotCorrected):
        status = 409 if done.why in ("changed", "state") else 422
        get_session().expire_all()  # what somebody else wrote meanwhile is shown
        return _page(_order(number), form, reason=reason, refused=_said(order, done), back=back), status
    sentence = _("The address of %(number)s is corrected. Slips made before have the old one.", number=number)
    flash(sentence, "ok")
    there = url_for("admin.shipments") if back == "shipments" else url_for("admin.order", number=number)
    return redirect(there, 303)


def _said(order: Order, refused: address.NotCorrected) -> str:
    amounts = {
        "before": format.money(refused.before_minor or 0, order.currency),
        "after": format.money(refused.after_minor or 0, order.currency),
    }
    return _(WHYS[refused.why], **(amounts if refused.why == "price" else {}))


def _order(number: str) -> Order:
    found = address.of_number(get_session(), number) if number.isprintable() else None
    if found is None:
        abort(404)
    return found


def _page(
    order: Order, form: AddressForm, *, reason: str = "", missing: str = "", refused: str = "", back: str = ""
) -> str:
    form.postcode.data = show_postcode(form.postcode.data or "")
    return render_template(
        "admin/order_address.html",
        order=order,
        form=form,
        seal=address.seal_of(order),
        is_open=address.may_correct(order),
        corrections=address.corrections_of(get_session(), order.id),
        regions=region_options(),
        reason=reason,
        missing=missing,
        refused=refused,
        back=back if back == "shipments" else "",
    )

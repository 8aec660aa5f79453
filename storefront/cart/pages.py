"""The cart's page and everything a button on it may do. Each post is one short write and a redirect back.

Refused input is answered with 422 on the same page: what was typed stays in its field beside the reason.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Flask, abort, flash, g, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from storefront import explained, format, pricing
from storefront.access import buyer, current_company, public
from storefront.attempts import noting
from storefront.cart import owners, store
from storefront.cart.basket import Basket, read_basket
from storefront.catalog import product_page, shelf
from storefront.catalog.entries import product_href
from storefront.clock import today
from storefront.database import get_session, write
from storefront.language import _, ngettext
from storefront.page import lead_to
from storefront.quantity import MAX_QUANTITY, QuantityRefused, parse_quantity
from storefront.shop import current_shop

bp = Blueprint("cart", __name__)


def init_app(app: Flask) -> None:
    """Carts are merged at sign-in."""
    owners.init_app(app)


@bp.get("/cart")
@public
def show() -> Any:
    """The cart, every line explained."""
    return _page(read_basket(get_session(), owners.owner()))


def _page(basket: Basket, status: int = 200) -> Any:
    g.koguchi_cart_lines = len(basket.lines) + len(basket.held) + len(basket.gone)
    template = "cart/_live.html" if "HX-Request" in request.headers else "cart/cart.html"
    return render_template(template, basket=basket), status


@bp.post("/cart")
@public
def change() -> Any:
    """Quantities typed, a step more or less, a way out taken, a line removed, set aside or taken back."""
    form, mine = request.form, owners.owner()
    session = get_session()
    lines = {line.sku: line for line in store.lines_of(session, mine)}
    if not lines:
        return redirect(url_for("cart.show"), 303)
    rows = shelf.rows_of(session, lines)
    wanted: dict[str, int] = {}
    refused: dict[str, QuantityRefused] = {}
    for sku, line in lines.items():
        typed = form.get(f"q-{sku}")
        if typed is None or sku not in rows or typed == str(line.quantity):
            continue
        answer = parse_quantity(typed, rows[sku])
        if isinstance(answer, QuantityRefused):
            refused[sku] = answer
        else:
            wanted[sku] = answer.quantity
    done = _pressed(session, lines, rows, wanted, refused)
    with write() as session:
        cart_id = store.obtain(session, mine)
        store.set_quantities(session, cart_id, wanted)
        for act, skus in done:
            if act == "remove":
                for sku in skus:
                    store.remove(session, cart_id, sku)
            else:
                store.hold(session, cart_id, skus, held=act == "hold")
    removed = [sku for act, skus in done if act == "remove" for sku in skus]
    if not refused and form.get("do") == "without":
        noting.cart_changed(removed)
        return _without_blocked(mine)
    if not refused and "HX-Request" not in request.headers:
        noting.cart_changed(removed)
        return redirect(url_for("cart.show"), 303)
    basket = read_basket(get_session(), mine, refused, rows=rows)
    noting.cart_changed(removed, priced=basket.whole)
    return _page(basket, 422 if refused else 200)


def _pressed(
    session: Session,
    lines: dict[str, store.CartLine],
    rows: dict[str, Any],
    wanted: dict[str, int],
    refused: dict[str, QuantityRefused],
) -> list[tuple[str, list[str]]]:
    """What the pressed button means: new quantities go into `wanted`, the rest comes back as acts on lines."""
    form = request.form
    for name in ("less", "more"):
        sku = form.get(name, "")
        if sku in rows and sku not in refused:
            wanted[sku] = stepped(session, rows[sku], wanted.get(sku, lines[sku].quantity), up=name == "more")
    sku, _colon, number = form.get("set", "").rpartition(":")
    if sku in rows:
        answer = parse_quantity(number, rows[sku])
        if isinstance(answer, QuantityRefused):
            refused[sku] = answer
        else:
            wanted[sku] = answer.quantity
            refused.pop(sku, None)
    done = []
    for act in ("remove", "hold", "take_back"):
        if (sku := form.get(act, "")) in lines:
            done.append((act, [sku]))
            wanted.pop(sku, None)
            refused.pop(sku, None)
    return done


def stepped(session: Session, row: Any, quantity: int, *, up: bool) -> int:
    """One lot more or less, landing on a multiple, never below the smallest order nor above the largest number."""
    offer = pricing.briefs_for(session, current_company(), [row], shop=current_shop(), on=today())[row.sku]
    step = max(offer.step, 1)
    if up:
        return min(max((quantity // step + 1) * step, offer.first), MAX_QUANTITY)
    return max(-(-quantity // step) * step - step, min(offer.first, quantity), 1)


def _without_blocked(mine: store.CartOwner) -> Response:
    """Set aside what cannot be ordered now, and go on with the rest."""
    basket = read_basket(get_session(), mine)
    blocked = [line.sku for line in basket.lines if line.is_blocked]
    with write() as session:
        store.hold(session, store.obtain(session, mine), blocked)
    if len(blocked) == len(basket.lines):
        return lead_to(url_for("cart.show"))
    return lead_to(f"{request.script_root}/checkout")


@bp.post("/cart/add")
@public
def add() -> Any:
    """Put a product into the cart from a list or its page; or step its quantity where there is no script."""
    form, session = request.form, get_session()
    sku = form.get("sku", "")[:64]
    row = shelf.rows_of(session, [sku]).get(sku) if sku.isprintable() else None
    if row is None or _is_hidden(session, row):
        abort(404)
    typed = form.get("choose") or form.get("quantity", "")
    answer = parse_quantity(typed, row)
    if isinstance(answer, QuantityRefused):
        if "HX-Request" in request.headers:
            return render_template("cart/_said.html", refusal=answer.sentence), 422
        return product_page.page(sku, typed)
    if "choose" in form or form.get("do") == "price":
        return redirect(_product_at(sku, typed), 303)
    if "less" in form or "more" in form:
        quantity = stepped(session, row, answer.quantity, up="more" in form)
        return redirect(_product_at(sku, str(quantity)), 303)
    level = shelf.level_of(row)
    refusal = explained.stock_refusal(answer.quantity, level, row)
    if refusal is not None and level is not None:
        noting.stock_refused(sku, answer.quantity, level.orderable)
    if refusal is None and not _put_in(sku, answer.quantity):
        refusal = _("The cart holds %(most)s lines at most. Order these first.", most=store.MOST_LINES)
    if refusal is not None:
        if "HX-Request" in request.headers:
            return render_template("cart/_said.html", refusal=refusal), 422
        flash(refusal, "block")
        return redirect(_product_at(sku, typed), 303)
    return _added(row, answer.quantity)


def _put_in(sku: str, quantity: int) -> bool:
    """Add to the cart and note its number of lines for the page's head; False when the cart is full."""
    mine = owners.owner_for_writing()
    with write() as session:
        store.add(session, store.obtain(session, mine), sku, quantity)
        lines = store.count(session, mine)
        if lines > store.MOST_LINES:
            session.rollback()
            return False
    g.koguchi_cart_lines = lines
    noting.cart_changed()
    return True


def _added(row: Any, quantity: int) -> Any:
    sentence = _(
        "%(quantity)s of %(sku)s put into the cart.",
        quantity=format.quantity(quantity, row.sales_unit),
        sku=row.sku,
    )
    if "HX-Request" in request.headers:
        return render_template("cart/_said.html", sentence=sentence)
    back = _back()
    if back is None:
        return redirect(url_for("cart.show"), 303)
    flash(sentence, "ok")
    return redirect(back, 303)


def _product_at(sku: str, typed: str) -> str:
    return f"{product_href(sku)}?{urlencode({'quantity': typed[:40]})}"


def _back() -> str | None:
    """Where the list was that the form stood on: only one of our own lists, never another site."""
    back = request.form.get("back", "")
    parts = urlsplit(back) if back.isprintable() and "\\" not in back and len(back) < 1_000 else None
    if parts is None or parts.scheme or parts.netloc or not back.startswith("/") or back.startswith("//"):
        return None
    if parts.path.rstrip("/") not in ("", "/products"):
        return None
    return f"{request.script_root}{parts.path}{'?' + parts.query if parts.query.strip('?') else ''}"


def _is_hidden(session: Session, row: Any) -> bool:
    offers = pricing.briefs_for(session, current_company(), [row], shop=current_shop(), on=today())
    return offers[row.sku].is_hidden


@bp.post("/cart/again")
@buyer
def again() -> Response:
    """Put the lines of an earlier order of this company into the cart; their prices are asked anew."""
    from storefront.orders import Order, OrderLine

    company, session = current_company(), get_session()
    query = (
        select(OrderLine.sku, OrderLine.quantity)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.number == request.form.get("number", "")[:32], Order.company_id == (company and company.id)
        )
        .order_by(OrderLine.position)
    )
    ordered = session.execute(query).all()
    if not ordered:
        abort(404)
    hidden = pricing.hidden_skus(session, company, shop=current_shop(), on=today())
    rows = shelf.rows_of(session, [line.sku for line in ordered])
    here = [line for line in ordered if line.sku in rows and line.sku not in hidden]
    mine = owners.owner_for_writing()
    with write() as writing:
        cart_id = store.obtain(writing, mine)
        for line in here[: store.MOST_LINES]:
            store.add(writing, cart_id, line.sku, line.quantity)
    noting.cart_changed()
    gone = len(ordered) - len(here)
    if gone:
        flash(ngettext("%(num)s line is no longer sold and was left out.", "%(num)s lines are no longer sold and were "
                       "left out.", gone), "warn")  # fmt: skip
    return redirect(url_for("cart.show"), 303)

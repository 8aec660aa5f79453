"""Orders by phone, FAX and at the counter, written down at the desk: found customer, lines, the checkout's own form.

Staff are held to the same rules as buyers; what a rule refuses becomes an exception with a reason, never a click.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, or_, select
from sqlalchemy.orm import selectinload

from storefront.access import current_person, staff
from storefront.accounts import Address, Company, User
from storefront.admin.desk import bp, contains
from storefront.admin.orders import channels
from storefront.checkout.confirming import told
from storefront.database import get_session, write
from storefront.entry import DESK_CHANNELS, Entry, store, work
from storefront.entry.work import Work
from storefront.forms import clean
from storefront.language import _
from storefront.orders import Order
from storefront.orders.placing import Placed
from storefront.quick_order.answers import AnswerRow

MOST_FOUND = 20
_DIGITS = re.compile(r"[0-9][0-9()\- ]{3,}")


@bp.get("/entries")
@staff
def entries() -> str:
    """Where an order begins: the customer; and what was parked."""
    return _list()


def _list(asked: str = "", fault: str = "", found: Sequence[Company] = ()) -> str:
    return render_template(
        "admin/entries.html",
        asked=asked,
        fault=fault,
        found=found[:MOST_FOUND],
        is_cut=len(found) > MOST_FOUND,
        channel=_channel("phone"),
        channel_words=_channel_words(),
        channels=channels(),
        parked=[
            (entry, sum(1 for line in entry.text.splitlines() if line.strip()))
            for entry in store.parked(get_session())
        ],
    )


def _channel_words() -> list[tuple[str, str]]:
    words = channels()
    return [(name, words[name]) for name in DESK_CHANNELS]


def _channel(otherwise: str) -> str:
    wanted = request.form.get("channel", "")
    return wanted if wanted in DESK_CHANNELS else otherwise


@bp.post("/entries")
@staff
def entry_begin() -> ResponseReturnValue:
    """Begin with the customer that is meant; several are offered, none is said."""
    asked, code = clean(request.form.get("q", ""))[:100], request.form.get("code", "")
    found = _companies(asked, code)
    if len(found) == 1:
        person = current_person()
        assert person is not None
        with write() as session:
            entry = store.begin(
                session, company_id=found[0].id, person=person, channel=_channel("phone"),
                contact_id=_usual_contact(found[0]),
            )  # fmt: skip
        return redirect(url_for("admin.entry", number=entry.id), 303)
    if not asked:
        return _list(fault=_("Type a code, a name or a phone number.")), 422
    fault = "" if found else _("No customer has “%(asked)s” in its code, name or phone number.", asked=asked)
    return _list(asked, fault, found), 200 if found else 422


def _companies(asked: str, code: str) -> list[Company]:
    """Active customers meant by a search; a code typed whole means that one alone."""
    query = select(Company).where(Company.status == "active").options(
        selectinload(Company.addresses), selectinload(Company.users)
    )  # fmt: skip
    session = get_session()
    for exact in (code, asked.upper()):
        if exact and exact.isprintable():
            found = session.scalars(query.where(func.upper(Company.code) == exact.upper())).all()
            if len(found) == 1:
                return list(found)
    if not asked or code:
        return []
    conditions = [contains(asked, Company.code, Company.name, Company.name_kana)]
    plain = unicodedata.normalize("NFKC", asked)
    if _DIGITS.fullmatch(plain):
        digits = "".join(char for char in plain if char.isdigit())
        phone: Any = Address.phone
        for mark in "-() ":
            phone = func.replace(phone, mark, "")
        conditions.append(Company.id.in_(select(Address.company_id).where(phone.contains(digits))))
    ordered = query.where(or_(*conditions)).order_by(Company.name_kana, Company.code)
    return list(session.scalars(ordered.limit(MOST_FOUND + 1)))


def _usual_contact(company: Company) -> int | None:
    """Who of the company ordered last, else the first of its people."""
    here = [user.id for user in company.users if user.active]
    who = func.coalesce(Order.contact_id, Order.user_id)
    last = select(who).where(Order.company_id == company.id, who.in_(here)).order_by(Order.id.desc()).limit(1)
    return get_session().scalar(last) or next(iter(here), None)


@bp.get("/entries/<int:number>")
@staff
def entry(number: int) -> ResponseReturnValue:
    """One order as far as it is written down."""
    found = _entry(number)
    if found.state != "open":
        return _closed(found)
    return _page(_work(found))


def _entry(number: int) -> Entry:
    found = store.of_the_desk(get_session(), number)
    if found is None:
        abort(404)
    return found


def _closed(found: Entry) -> ResponseReturnValue:
    """To the order, or back to the list when it was given up."""
    if found.order is not None:
        return redirect(url_for("admin.order", number=found.order.number), 303)
    flash(_("This order was discarded."), "warn")
    return redirect(url_for("admin.entries"), 303)


def _work(found: Entry) -> Work:
    is_posted = request.method == "POST"
    contact = _contact(found) if is_posted else found.contact
    return work.begin(found, channel=_channel(found.channel), contact=contact)


def _contact(found: Entry) -> User | None:
    """Who ordered: somebody of this very company, or nobody."""
    wanted = request.form.get("contact", "")
    people = [user for user in found.company.users if user.active]
    return next((user for user in people if str(user.id) == wanted), None)


@bp.post("/entries/<int:number>")
@staff
def entry_act(number: int) -> ResponseReturnValue:
    """Add or change lines, look again, park, discard, or confirm. Whatever was typed is kept first."""
    found = _entry(number)
    if found.state != "open":
        return _closed(found)
    if request.form.get("do") == "discard":
        with write() as session:
            store.discard(session, found.id)
        flash(_("The order of %(name)s is discarded.", name=found.company.name), "ok")
        return redirect(url_for("admin.entries"), 303)
    at_work = _work(found)
    work.keep(at_work)
    if request.form.get("do") == "park":
        flash(_("The order of %(name)s is parked.", name=found.company.name), "ok")
        return redirect(url_for("admin.entries"), 303)
    if request.form.get("do") != "place":
        return _page(at_work)
    return _placed(at_work)


def _placed(at_work: Work) -> ResponseReturnValue:
    person = current_person()
    assert person is not None
    outcome = work.place(at_work, person)
    if outcome is None:
        return _page(at_work, status=422)
    if isinstance(outcome, Placed) and outcome.state != "cancelled":
        if outcome.state == "awaiting_approval":
            flash(_("Order %(number)s waits for approval.", number=outcome.number), "warn")
        else:
            flash(_("Order %(number)s is placed.", number=outcome.number), "ok")
        return redirect(url_for("admin.order", number=outcome.number), 303)
    answer = told(at_work.desk, outcome)
    return _page(at_work, answer=answer, status=answer.status)


def _page(at_work: Work, *, status: int = 200, answer: Any = None) -> ResponseReturnValue:
    found, contact = at_work.entry, at_work.contact
    template = "checkout/_form.html" if "HX-Request" in request.headers else "admin/entry.html"
    people = [(str(user.id), user.name or user.email) for user in found.company.users if user.active]
    mailed = contact.email if contact is not None else None
    values = {
        **work.shown(at_work, answer),
        "form_action": url_for("admin.entry_act", number=found.id),
        "is_desk": True,
        "channel_words": _channel_words(),
        "contacts": [*people, ("", _("Somebody else"))],
        "contact_id": str(contact.id) if contact is not None else "",
        "mail_goes_to": _("The confirmation goes to %(email)s.", email=mailed)
        if mailed
        else _("The confirmation goes to whoever manages the customer's account."),
        "exception_at": partial(_exception_at, found),
    }
    return render_template(template, **values), status


def _exception_at(found: Entry, row: AnswerRow) -> str:
    """Where an exception from the rule that refuses this line is made, with a reason and an end."""
    return url_for("admin.exception_form", rule=row.code, customer=found.company.code, sku=row.sku)

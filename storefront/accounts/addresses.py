"""A company's delivery addresses. Every look-up carries the company: a foreign address is a 404."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from wtforms import BooleanField

from storefront import audit
from storefront.access import buyer, current_company, current_person
from storefront.accounts.models import Address
from storefront.database import get_session, locked, write
from storefront.forms import ShopForm, Text, is_phone, is_postcode, is_region
from storefront.language import N_, _
from storefront.regions import region_options, show_postcode

bp = Blueprint("addresses", __name__, url_prefix="/account/addresses")
MOST_ADDRESSES = 100  # of one company
FIELDS = ("label", "recipient", "postcode", "region", "city", "street", "phone")


class AddressForm(ShopForm):
    """Where goods are sent."""

    label = Text(100)
    recipient = Text(100, needed=N_("Enter who receives the goods."))
    postcode = Text(16, needed=N_("Enter seven digits, like 577-0011."), validators=[is_postcode])
    region = Text(6, needed=N_("Choose a prefecture."), validators=[is_region])
    city = Text(100, needed=N_("Enter the city, ward or town."))
    street = Text(200, needed=N_("Enter street, number and building."))
    phone = Text(32, needed=N_("Enter a phone number in digits, like 06-0000-0000."), validators=[is_phone])
    is_default = BooleanField()

    def store(self, address: Address) -> None:
        """Put what was typed into a row; a missing label becomes the recipient."""
        for name in FIELDS:
            setattr(address, name, self[name].data)
        address.label = address.label or address.recipient


@bp.get("")
@buyer
def show() -> str:
    """All addresses, with an empty form for a new one."""
    return _page(AddressForm(formdata=None))


@bp.post("")
@buyer
def add() -> ResponseReturnValue:
    """A new address; the first one is the default."""
    company, form = current_company(), AddressForm()
    assert company is not None
    if not form.validate():
        return _page(form), 422
    with write() as session:
        others = session.scalars(locked(select(Address).where(Address.company_id == company.id))).all()
        if len(others) >= MOST_ADDRESSES:
            abort(409)
        address = Address(company_id=company.id, is_default=not others)
        form.store(address)
        session.add(address)
        session.flush()
        _settle_default(session, address, wanted=form.is_default.data)
        audit.record(session, current_person(), "add", f"address:{address.id}", after=_facts(address))
    flash(_("The address is saved."), "ok")
    return redirect(url_for("addresses.show"))


@bp.get("/<int:number>")
@buyer
def edit(number: int) -> str:
    """One address in the form."""
    address = _own(get_session(), number)
    form = AddressForm(formdata=None, obj=address)
    form.postcode.data = show_postcode(address.postcode)
    return _page(form, address)


@bp.post("/<int:number>")
@buyer
def change(number: int) -> ResponseReturnValue:
    """Change one address. Orders keep the address they were placed with."""
    form = AddressForm()
    if not form.validate():
        return _page(form, _own(get_session(), number)), 422
    with write() as session:
        address = _own(session, number)
        before = _facts(address)
        form.store(address)
        _settle_default(session, address, wanted=form.is_default.data)
        audit.record(session, current_person(), "change", f"address:{address.id}", before, _facts(address))
    flash(_("The address is saved."), "ok")
    return redirect(url_for("addresses.show"))


@bp.post("/<int:number>/delete")
@buyer
def delete(number: int) -> ResponseReturnValue:
    """Remove one address; if it was the default, the oldest left becomes it."""
    with write() as session:
        address = _own(session, number)
        audit.record(session, current_person(), "delete", f"address:{address.id}", before=_facts(address))
        session.delete(address)
        session.flush()
        if address.is_default:
            left = (
                select(Address).where(Address.company_id == address.company_id).order_by(Address.id).limit(1)
            )
            if (heir := session.scalars(left).one_or_none()) is not None:
                heir.is_default = True
    flash(_("The address is removed."), "ok")
    return redirect(url_for("addresses.show"))


def addresses_of(session: Session, company_id: int) -> list[Address]:
    """A company's addresses, the default first."""
    query = select(Address).where(Address.company_id == company_id)
    return list(session.scalars(query.order_by(Address.is_default.desc(), Address.id)))


def _own(session: Session, number: int) -> Address:
    company = current_company()
    assert company is not None
    address = session.scalars(
        select(Address).where(Address.id == number, Address.company_id == company.id)
    ).one_or_none()
    if address is None:
        abort(404)
    return address


def _settle_default(session: Session, address: Address, *, wanted: bool) -> None:
    """One default per company: the newest wish wins, and unticking it changes nothing."""
    if wanted:
        others = update(Address).where(Address.company_id == address.company_id, Address.id != address.id)
        session.execute(others.values(is_default=False))
        address.is_default = True


def _facts(address: Address) -> dict[str, object]:
    return {name: getattr(address, name) for name in (*FIELDS, "is_default")}


def _page(form: AddressForm, address: Address | None = None) -> str:
    company = current_company()
    assert company is not None
    return render_template(
        "accounts/addresses.html",
        form=form,
        address=address,
        addresses=addresses_of(get_session(), company.id),
        regions=region_options(),
    )

"""A company's people: its administrator invites, limits, switches off and on. Never touches another company's."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from wtforms import StringField, ValidationError

from rules.money import CURRENCIES
from storefront import audit
from storefront.access import company_admin, current_company, current_person
from storefront.accounts.models import BUYER_ROLES, User
from storefront.accounts.passwords import send_welcome
from storefront.accounts.users import end_all_sign_ins
from storefront.database import get_session, locked, write
from storefront.forms import ShopForm, Text, is_mail_address
from storefront.language import N_, _, ngettext
from storefront.shop import current_shop

bp = Blueprint("team", __name__, url_prefix="/account/team")
MOST_PEOPLE = 200  # in one company


class InviteForm(ShopForm):
    """A new buyer."""

    name = Text(100, needed=N_("Enter the name."))
    email = Text(254, needed=N_("Enter a mail address, like name@example.com."), validators=[is_mail_address])
    role = StringField(default="buyer")
    order_limit = Text(20)

    def validate_role(self, field: StringField) -> None:
        if field.data not in BUYER_ROLES:
            raise ValidationError(_("Choose one of the roles."))

    def validate_order_limit(self, field: Text) -> None:
        self.order_limit_minor = read_limit(field.data or "")


def read_limit(typed: str) -> int | None:
    """An amount in whole currency units as minor units, None for no limit. Raises ValidationError."""
    plain = typed.replace(",", "").replace(" ", "").removeprefix("¥").removeprefix("\uffe5")
    if not plain:
        return None
    if not plain.isascii() or not plain.isdigit() or len(plain) > 12:
        raise ValidationError(_("Enter a whole amount, like 50000, or leave it empty for no limit."))
    return int(int(plain) * 10 ** CURRENCIES[current_shop().settings.currency])


@bp.get("")
@company_admin
def show() -> str:
    """The people of the company."""
    return _page(InviteForm(formdata=None))


@bp.post("")
@company_admin
def invite() -> ResponseReturnValue:
    """Invite a buyer by mail. An address that already has an account anywhere gets the same answer and no mail."""
    company, person = current_company(), current_person()
    assert company is not None and person is not None
    form = InviteForm()
    if not form.validate():
        return _page(form), 422
    if len(_people(company.id)) >= MOST_PEOPLE:
        form.email.errors = [
            ngettext(
                "A company has at most %(num)s person.", "A company has at most %(num)s people.", MOST_PEOPLE
            )
        ]
        return _page(form), 422
    try:
        with write() as session:
            user = User(
                email=form.email.data,
                name=form.name.data,
                role=form.role.data,
                language=person.language,
                company_id=company.id,
                order_limit_minor=form.order_limit_minor,
            )
            session.add(user)
            session.flush()
            send_welcome(session, user, by=company.name)
            audit.record(
                session,
                person,
                "invite",
                f"user:{user.email}",
                after={"role": user.role, "company": company.code},
            )
    except IntegrityError:
        if any(one.email == form.email.data for one in _people(company.id)):
            form.email.errors = [_("This person is in your team already.")]
            return _page(form), 422
        # The address belongs to another company or to the shop: saying so would tell who is a customer here.
    flash(_("%(email)s gets a mail with a link to choose a password.", email=form.email.data), "ok")
    return redirect(url_for("team.show"))


@bp.post("/<int:number>/active")
@company_admin
def switch(number: int) -> ResponseReturnValue:
    """Switch one of the company's people off, or on again; off signs them out everywhere at once."""
    company, person = current_company(), current_person()
    assert company is not None and person is not None
    if number == person.id:
        flash(_("You cannot switch off yourself; another administrator can."), "block")
        return redirect(url_for("team.show"))
    with write() as session:
        user = session.scalars(
            locked(select(User).where(User.id == number, User.company_id == company.id))
        ).one_or_none()
        if user is None:
            abort(404)
        user.active = not user.active
        if not user.active:
            end_all_sign_ins(session, user.id)
        audit.record(
            session,
            person,
            "switch on" if user.active else "switch off",
            f"user:{user.email}",
            after={"active": user.active},
        )
        name, active = user.name, user.active
    flash(
        _("%(name)s can sign in again.", name=name)
        if active
        else _("%(name)s is switched off and signed out.", name=name),
        "ok",
    )
    return redirect(url_for("team.show"))


@bp.post("/<int:number>/mail")
@company_admin
def mail_again(number: int) -> ResponseReturnValue:
    """Send the invitation again to someone who has not chosen a password yet."""
    company = current_company()
    assert company is not None
    with write() as session:
        user = session.scalars(
            select(User).where(User.id == number, User.company_id == company.id)
        ).one_or_none()
        if user is None:
            abort(404)
        if user.password is None and user.active:
            send_welcome(session, user, by=company.name)
        email = user.email
    flash(_("%(email)s gets a mail with a link to choose a password.", email=email), "ok")
    return redirect(url_for("team.show"))


def _people(company_id: int) -> list[User]:
    people = (
        select(User).where(User.company_id == company_id).order_by(User.active.desc(), User.name, User.id)
    )
    return list(get_session().scalars(people))


def _page(form: InviteForm) -> str:
    company = current_company()
    assert company is not None
    return render_template("accounts/team.html", form=form, people=_people(company.id))

"""Applications for an account: the public form, and what the desk does with one. Tells nobody who has an account."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storefront import audit, language
from storefront.access import public
from storefront.accounts.models import Address, Application, Company, User
from storefront.accounts.passwords import send_welcome
from storefront.clock import now
from storefront.database import write
from storefront.forms import Lines, ShopForm, Text, is_mail_address, is_phone, is_postcode, is_region
from storefront.language import N_, _
from storefront.page import at
from storefront.regions import region_options
from storefront.security import limiter
from storefront.shop import current_shop

bp = Blueprint("applications", __name__, url_prefix="/apply")


class DecisionError(Exception):
    """An application cannot be decided like this; the text is a sentence for the desk."""


class ApplicationForm(ShopForm):
    """What the owner needs to know about a new customer."""

    company_name = Text(200, needed=N_("Enter the company's name."))
    name_kana = Text(200)
    contact_name = Text(100, needed=N_("Enter your name."))
    email = Text(254, needed=N_("Enter a mail address, like name@example.com."), validators=[is_mail_address])
    phone = Text(32, needed=N_("Enter a phone number in digits, like 06-0000-0000."), validators=[is_phone])
    postcode = Text(16, needed=N_("Enter seven digits, like 577-0011."), validators=[is_postcode])
    region = Text(6, needed=N_("Choose a prefecture."), validators=[is_region])
    address = Text(300, needed=N_("Enter city, street, number and building."))
    message = Lines(2000)


@bp.get("")
@public
def show() -> str:
    """The form."""
    return _page(ApplicationForm(formdata=None))


@bp.post("")
@public
@limiter.limit(lambda: current_shop().settings.rate_limits.apply)
def apply() -> ResponseReturnValue:
    """Store an application and tell the owner. The answer is the same for a known and an unknown address."""
    form = ApplicationForm()
    # A field no person sees: whoever fills it in is a machine, and is thanked like everybody.
    if request.form.get("website"):
        return redirect(url_for("applications.thanks"))
    if not form.validate():
        return _page(form), 422
    from storefront import mail

    owner = current_shop().settings
    reader = language.language()
    with write() as session:
        pending = select(Application).where(Application.email == form.email.data, Application.state == "new")
        application = session.scalars(pending.limit(1)).one_or_none() or Application(
            state="new", created_at=now()
        )
        form.populate_obj(application)
        application.language = reader
        session.add(application)
        session.flush()
        language.speak(owner.default_language)
        link = shop_link_of(application)
        body = render_template("accounts/mail/application.txt", application=application, link=link)
        mail.send(
            session,
            owner.email,
            _("%(company)s asks for an account", company=application.company_name),
            body,
            owner.default_language,
        )
        language.speak(reader)
    return redirect(url_for("applications.thanks"))


@bp.get("/thanks")
@public
def thanks() -> str:
    """What happens next."""
    return render_template("accounts/applied.html")


def shop_link_of(application: Application) -> str:
    """Where the desk decides about it."""
    from storefront.accounts.sign_in import shop_link

    return shop_link(at(f"/admin/applications/{application.id}"))


def approve(
    session: Session, application: Application, *, code: str, group: str | None, actor: User
) -> tuple[Company, User]:
    """Make company, first address and administrator, and mail the link to choose a password.

    Raises DecisionError when it was decided before, or when the code or the mail address is taken.
    """
    _must_be_new(application)
    if not code or session.scalars(select(Company.id).where(Company.code == code)).first() is not None:
        raise DecisionError(_("The customer code %(code)s is taken or empty. Choose another.", code=code))
    if (
        session.scalars(select(User.id).where(func.lower(User.email) == application.email.lower())).first()
        is not None
    ):
        raise DecisionError(
            _(
                "%(email)s has an account already. Ask the applicant for another address.",
                email=application.email,
            )
        )
    company = Company(
        code=code,
        name=application.company_name,
        name_kana=application.name_kana,
        group=group or None,
        region=application.region,
        language=application.language,
    )
    session.add(company)
    session.flush()
    user = User(
        email=application.email,
        name=application.contact_name,
        role="company_admin",
        language=application.language,
        company_id=company.id,
    )
    session.add(user)
    session.add(_first_address(application, company))
    application.state, application.decided_by, application.decided_at = "approved", actor.id, now()
    application.company_id = company.id
    send_welcome(session, user, by=current_shop().settings.name[application.language])
    audit.record(
        session, actor, "approve", f"application:{application.id}", after={"company": code, "group": group}
    )
    return company, user


def decline(session: Session, application: Application, *, reason: str, actor: User) -> None:
    """Decline, and mail the applicant with the owner's words. Raises DecisionError when it was decided before."""
    from storefront import mail

    _must_be_new(application)
    application.state, application.decided_by, application.decided_at = "declined", actor.id, now()
    reader = language.language()
    language.speak(application.language)
    try:
        body = render_template("accounts/mail/declined.txt", application=application, reason=reason)
        mail.send(
            session, application.email, _("About your application for an account"), body, application.language
        )
    finally:
        language.speak(reader)
    audit.record(session, actor, "decline", f"application:{application.id}", after={"reason": reason})


def _must_be_new(application: Application) -> None:
    if application.state != "new":
        raise DecisionError(_("This application was decided before."))


def _first_address(application: Application, company: Company) -> Address:
    return Address(
        company_id=company.id,
        label=application.company_name[:100],
        recipient=application.contact_name,
        postcode=application.postcode,
        region=application.region,
        city="",
        street=application.address[:200],
        phone=application.phone,
        is_default=True,
    )


def _page(form: ApplicationForm) -> str:
    return render_template("accounts/apply.html", form=form, regions=region_options())

"""The signed-in person's own account: where sign-in leads, name and language, and the ways to everything else."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField, ValidationError

from storefront.access import current_person, public, signed_in
from storefront.accounts.models import User
from storefront.database import write
from storefront.forms import ShopForm, Text
from storefront.language import COOKIE, N_, _, speak
from storefront.page import LANGUAGE_NAMES, at
from storefront.shop import current_shop

bp = Blueprint("accounts", __name__)


class ProfileForm(ShopForm):
    """Name and language of a person."""

    name = Text(100, needed=N_("Enter your name."))
    language = StringField()

    def validate_language(self, field: StringField) -> None:
        if field.data not in current_shop().settings.languages:
            raise ValidationError(_("Choose one of the languages."))


@bp.get("/start")
@public
def start() -> ResponseReturnValue:
    """Where signing in leads: staff to the desk, buyers to the shop."""
    person = current_person()
    return redirect(at("/admin/") if person is not None and person.is_staff else at("/"))


@bp.get("/account")
@signed_in
def show() -> str:
    """The account's page."""
    return _page(ProfileForm(formdata=None, obj=current_person()))


@bp.post("/account")
@signed_in
def change() -> ResponseReturnValue:
    """Change name and language."""
    form = ProfileForm()
    if not form.validate():
        return _page(form), 422
    person = current_person()
    assert person is not None
    with write() as session:
        user = session.get_one(User, person.id)
        user.name, user.language = str(form.name.data), str(form.language.data)
    speak(str(form.language.data))
    flash(_("Your details are saved."), "ok")
    answer = make_response(redirect(url_for("accounts.show")))
    # An earlier choice in the foot of the page would otherwise win over this one.
    answer.delete_cookie(COOKIE, path=current_app.config["SESSION_COOKIE_PATH"])
    return answer


def _page(form: ProfileForm) -> str:
    languages = [(code, LANGUAGE_NAMES[code]) for code in current_shop().settings.languages]
    return render_template("accounts/account.html", form=form, languages_offered=languages)

"""Links with which a person chooses a password: for the invited, the approved, and those who forgot.

A link works once, for 24 hours, and stands at the shop's configured address.
"""

from __future__ import annotations

from flask import render_template
from flask_security.recoverable import generate_reset_password_token
from sqlalchemy.orm import Session

from storefront import language
from storefront.accounts.models import User
from storefront.accounts.sign_in import shop_url
from storefront.language import _


def password_link(user: User) -> str:
    """An address where `user` sets a new password. It ends with the next change of password."""
    return shop_url("security.reset_password", token=generate_reset_password_token(user))


def send_welcome(session: Session, user: User, *, by: str) -> None:
    """Mail a new person how to sign in, in their language. `by` says who gave the account."""
    from storefront import mail

    session.flush()
    reader = language.language()
    language.speak(user.language)
    try:
        body = render_template("accounts/mail/welcome.txt", user=user, link=password_link(user), by=by)
        mail.send(session, user.email, _("Your account is ready"), body, user.language)
    finally:
        language.speak(reader)

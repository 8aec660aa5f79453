"""Sign-in by Flask-Security: password, reset, TOTP, in our look; rights and sessions are ours.

Its role system, tokens and JSON answers are off. See docs/decisions.md for what is changed and why.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, request, session, url_for
from flask_login import user_logged_in, user_logged_out
from flask_security import MailUtil, Security
from flask_security.babel import FsDomain
from flask_security.forms import TwoFactorRescueForm, TwoFactorSetupForm
from flask_security.totp import Totp
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined, unused-ignore]

from storefront import access
from storefront.accounts import throttle
from storefront.accounts.models import User
from storefront.accounts.users import SESSION_KEY, Users, begin_sign_in, end_sign_in, load_user
from storefront.language import N_, _
from storefront.settings import Settings
from storefront.shop import current_shop

FOR_THE_SIGNED_IN = {
    f"security.{name}"
    for name in (
        "verify",
        "change_password",
        "two_factor_setup",
        "two_factor_setup_validate",
        "mf_recovery_codes",
    )
}
SUBJECTS = {
    "EMAIL_SUBJECT_PASSWORD_RESET": N_("Choose a new password"),
    "EMAIL_SUBJECT_PASSWORD_NOTICE": N_("Your password was changed"),
    "EMAIL_SUBJECT_PASSWORD_CHANGE_NOTICE": N_("Your password was changed"),
    "EMAIL_SUBJECT_TWO_FACTOR_RESCUE": N_("A buyer cannot use their authenticator"),
}
# What Flask-Security says, in our words. Nothing tells whether an address has an account.
MESSAGES = {
    "GENERIC_AUTHN_FAILED": (N_("The mail address or the password is not right."), "error"),
    "PASSWORD_RESET_REQUEST": (
        N_("If this address has an account, a mail is on its way. Its link works for 24 hours."),
        "info",
    ),
    "INVALID_RESET_PASSWORD_TOKEN": (
        N_("This link has been used or is not complete. Ask for a new one."),
        "error",
    ),
    "PASSWORD_RESET_EXPIRED": (N_("This link is older than 24 hours. Ask for a new one."), "error"),
    "PASSWORD_RESET_NO_LOGIN": (N_("Your new password is set. Sign in with it."), "success"),
    "PASSWORD_CHANGE": (N_("Your password is changed. Other devices are signed out."), "success"),
    "PASSWORD_INVALID_LENGTH": (N_("Use at least %(length)s characters."), "error"),
    "PASSWORD_NOT_PROVIDED": (N_("Enter a password."), "error"),
    "RETYPE_PASSWORD_MISMATCH": (N_("The two passwords differ. Type the same one twice."), "error"),
    "INVALID_PASSWORD": (N_("This is not your current password."), "error"),
    "PASSWORD_IS_THE_SAME": (N_("The new password must differ from the old one."), "error"),
    "TWO_FACTOR_INVALID_TOKEN": (
        N_("This code is not right or was used before. Enter the newest six digits."),
        "error",
    ),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": (N_("You are signed in."), "success"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": (
        N_("Signing in now asks for a code from your authenticator."),
        "success",
    ),
    "TWO_FACTOR_DISABLED": (N_("Signing in no longer asks for a code."), "success"),
    "TWO_FACTOR_SETUP_EXPIRED": (N_("This took longer than 30 minutes. Begin again."), "error"),
    "TWO_FACTOR_PERMISSION_DENIED": (N_("Sign in again with mail address and password."), "error"),
    "TWO_FACTOR_METHOD_NOT_AVAILABLE": (N_("Choose one of the offered methods."), "error"),
    "INVALID_RECOVERY_CODE": (N_("This recovery code is not right or was used before."), "error"),
    "NO_RECOVERY_CODES_SETUP": (N_("There are no recovery codes yet."), "info"),
    "ANONYMOUS_USER_REQUIRED": (N_("You are signed in already."), "info"),
    "REAUTHENTICATION_REQUIRED": (N_("Enter your password once more."), "warning"),
    "REAUTHENTICATION_SUCCESSFUL": (N_("Thank you. Please go on."), "info"),
    "INVALID_EMAIL_ADDRESS": (N_("Enter a mail address, like name@example.com."), "error"),
    "EMAIL_NOT_PROVIDED": (N_("Enter a mail address, like name@example.com."), "error"),
    "API_ERROR": (N_("This could not be read. Begin again."), "error"),
}


def settings_for_flask_security(settings: Settings) -> dict[str, Any]:
    """Flask-Security's configuration."""
    return {
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
        # OWASP's second choice for argon2id: 19 MiB, two passes, one lane
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
            "argon2__rounds": 2,
            "argon2__memory_cost": 19_456,
            "argon2__parallelism": 1,
        },
        "SECURITY_PASSWORD_LENGTH_MIN": 10,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_RECOVERABLE": True,
        "SECURITY_CHANGEABLE": True,
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,
        "SECURITY_TWO_FACTOR_ALWAYS_VALIDATE": True,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES": True,
        "SECURITY_TOTP_SECRETS": {"1": settings.secret_key.get_secret_value()},
        "SECURITY_TOTP_ISSUER": settings.name["en"],
        "SECURITY_RESET_PASSWORD_WITHIN": timedelta(hours=24),
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_FRESHNESS": timedelta(hours=12),
        "SECURITY_EMAIL_HTML": False,
        # an address is looked up among our users, never in the DNS
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False, "globally_deliverable": False},
        "SECURITY_TWO_FACTOR_RESCUE_MAIL": settings.email,
        "SECURITY_POST_LOGIN_VIEW": "accounts.start",
        "SECURITY_POST_LOGOUT_VIEW": "security.login",
        "SECURITY_POST_CHANGE_VIEW": "accounts.show",
        "SECURITY_POST_VERIFY_VIEW": "accounts.show",
        "SECURITY_TWO_FACTOR_POST_SETUP_VIEW": "accounts.show",
        "SECURITY_STATIC_FOLDER": None,
        "SECURITY_CACHE_CONTROL": None,  # storefront/security.py says it for every page
        "SECURITY_CLI_USERS_NAME": False,
        "SECURITY_CLI_ROLES_NAME": False,
        "SECURITY_CHANGE_URL": "/account/password",
        "SECURITY_TWO_FACTOR_SETUP_URL": "/account/two-factor",
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_URL": "/account/recovery-codes",
        "SECURITY_LOGIN_USER_TEMPLATE": "accounts/sign_in.html",
        "SECURITY_VERIFY_TEMPLATE": "accounts/verify.html",
        "SECURITY_FORGOT_PASSWORD_TEMPLATE": "accounts/forgot_password.html",
        "SECURITY_RESET_PASSWORD_TEMPLATE": "accounts/reset_password.html",
        "SECURITY_CHANGE_PASSWORD_TEMPLATE": "accounts/change_password.html",
        "SECURITY_TWO_FACTOR_SETUP_TEMPLATE": "accounts/two_factor_setup.html",
        "SECURITY_TWO_FACTOR_VERIFY_CODE_TEMPLATE": "accounts/two_factor_code.html",
        "SECURITY_TWO_FACTOR_SELECT_TEMPLATE": "accounts/two_factor_code.html",
        "SECURITY_MULTI_FACTOR_RECOVERY_TEMPLATE": "accounts/recovery.html",
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_TEMPLATE": "accounts/recovery_codes.html",
        "SECURITY_EMAIL_TEMPLATE_PASSWORD_RESET": "accounts/mail/reset",
        "SECURITY_EMAIL_TEMPLATE_PASSWORD_RESET_NOTICE": "accounts/mail/password_changed",
        "SECURITY_EMAIL_TEMPLATE_PASSWORD_CHANGE_NOTICE": "accounts/mail/password_changed",
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL_TEMPLATE": "accounts/mail/two_factor_rescue",
        **{f"SECURITY_{name}": sentence for name, sentence in SUBJECTS.items()},
        **{f"SECURITY_MSG_{name}": sentence for name, sentence in MESSAGES.items()},
    }


class ShopMail(MailUtil):  # type: ignore[misc, unused-ignore]
    """Hands Flask-Security's mails to the shop's outbox, in the reader's language."""

    def send_mail(
        self,
        template: str,
        subject: str,
        recipient: Any,
        sender: Any,
        body: str | None,
        html: str | None,
        **kwargs: Any,
    ) -> None:
        from storefront import mail
        from storefront.database import write
        from storefront.language import language

        with write() as writing:
            mail.send(writing, str(recipient), str(subject), body or "", language())


class OneTimeCodes(Totp):  # type: ignore[misc, unused-ignore]
    """Refuses a code that was used before: the counter of the last good one is kept with the user."""

    def get_last_counter(self, user: Any) -> int | None:
        counter: int | None = user.tf_last_counter
        return counter

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        user.tf_last_counter = tmatch.counter
        current_app.extensions["security"].datastore.put(user)


class SetupForm(TwoFactorSetupForm):  # type: ignore[misc, unused-ignore]
    """Authenticator on or off; the original spells its choices in a way WTForms no longer likes."""

    setup = RadioField(
        choices=[SelectChoice("disable"), SelectChoice("authenticator")], validate_choice=False
    )


class RescueForm(TwoFactorRescueForm):  # type: ignore[misc, unused-ignore]
    """Asks the shop for help."""

    help_setup = RadioField(choices=[SelectChoice("help"), SelectChoice("recovery_code")])


class Words(FsDomain):  # type: ignore[misc, unused-ignore]
    """Flask-Security's sentences through our own catalogues."""

    def gettext(self, string: str, **variables: Any) -> str:
        return _(string, **variables)


def is_own_page(target: str) -> bool:
    """Whether a `next` address stays on this site, read as the worst browser would."""
    if not target.startswith("/") or target.startswith(("//", "/\\")):
        return False
    return "\\" not in target and target.isprintable() and not urlsplit(target).netloc


def _refuse_foreign_next() -> None:
    if request.endpoint and request.endpoint.startswith("security."):
        for target in (*request.args.getlist("next"), *request.form.getlist("next")):
            if target and not is_own_page(target):
                abort(400)


def shop_link(link: str) -> str:
    """`link` at the shop's configured address: a host forged in the request must not reach a mail."""
    parts = urlsplit(link)
    path = parts.path.removeprefix(request.script_root) if request else parts.path
    return current_shop().settings.base_url + path + (f"?{parts.query}" if parts.query else "")


def shop_url(endpoint: str, **values: Any) -> str:
    """An absolute address of a page of this shop, for mails."""
    return shop_link(url_for(endpoint, **values))


def _remember_sign_in(_app: Flask, user: User, **_: Any) -> None:
    if old := session.pop(SESSION_KEY, None):
        end_sign_in(old)
    session[SESSION_KEY] = begin_sign_in(user)
    session.permanent = True
    # a token made before sign-in must not work after it
    session.pop("csrf_token", None)
    g.pop("csrf_token", None)


def _forget_sign_in(_app: Flask, **_: Any) -> None:
    if key := session.pop(SESSION_KEY, None):
        end_sign_in(key)


def init_app(app: Flask) -> None:
    """Add the sign-in pages and load each request's person."""
    settings: Settings = app.extensions["koguchi"].settings
    app.config.update(settings_for_flask_security(settings))
    security = Security(
        app,
        Users(),
        mail_util_cls=ShopMail,
        totp_cls=OneTimeCodes,
        two_factor_setup_form=SetupForm,
        two_factor_rescue_form=RescueForm,
    )
    security.i18n_domain = Words(app)  # type: ignore[no-untyped-call, unused-ignore]
    app.before_request(_refuse_foreign_next)
    security.want_json(lambda _request: False)
    security.unauthn_handler(lambda *_args, **_kwargs: access.sign_in_first())
    security.login_manager.user_loader(load_user)
    # Tokens in headers and addresses are not offered, so nothing looks for them.
    security.login_manager._request_callback = None
    # Flask-Principal would load the user even for pages that need none; its roles are not used.
    app.before_request_funcs[None].remove(security.principal._on_before_request)
    user_logged_in.connect(_remember_sign_in, app)
    user_logged_out.connect(_forget_sign_in, app)
    app.jinja_env.globals.update(shop_link=shop_link, shop_url=shop_url)
    throttle.init_app(app)
    for endpoint in app.view_functions:
        if endpoint.startswith("security."):
            access.LIBRARY_VIEWS[endpoint] = (
                access.SIGNED_IN if endpoint in FOR_THE_SIGNED_IN else access.PUBLIC
            )

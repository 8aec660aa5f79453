"""Slows down guessing: failed sign-ins are counted per account and per address, codes and reset mails too.

The real user is never locked out: a browser that has signed in before keeps its own, separate count.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, cast

from flask import Flask, Response, after_this_request, current_app, request, session
from flask_limiter.util import get_remote_address
from flask_login import user_logged_in
from itsdangerous import BadSignature, URLSafeSerializer

from storefront.accounts.models import User
from storefront.security import limiter
from storefront.settings_tables import RateLimits
from storefront.shop import current_shop

COOKIE = "koguchi_device"
MOST_ACCOUNTS = 8  # that one browser may be known for


def _limits() -> RateLimits:
    return current_shop().settings.rate_limits


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="known device")


def _known_device() -> tuple[str, list[str]]:
    """This browser's number and the accounts that signed in from it; a new number for a new or forged cookie."""
    try:
        number, accounts = _signer().loads(request.cookies.get(COOKIE, ""))
        return str(number), [str(account) for account in accounts]
    except (BadSignature, ValueError, TypeError):
        return secrets.token_hex(8), []


def _digest(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:24]


def account_key() -> str:
    """Whose count a sign-in attempt goes to: the account's, or this known browser's own for that account."""
    account = _digest(request.form.get("email", ""))
    number, accounts = _known_device()
    return f"device:{number}:{account}" if account in accounts else f"account:{account}"


def code_key() -> str:
    """One-time codes are counted for the person who has given the password."""
    return f"code:{session.get('tf_user_id') or session.get('_user_id') or get_remote_address()}"


def is_refused(response: Response) -> bool:
    """Only failures count: success answers with a redirect."""
    return response.status_code not in {302, 303}


def _remember_device(app: Flask, user: User, **_: Any) -> None:
    """Make this browser known for the account that has just signed in."""
    number, accounts = _known_device()
    account = _digest(user.email)
    kept = [account, *(other for other in accounts if other != account)][:MOST_ACCOUNTS]

    @after_this_request
    def remember(response: Response) -> Response:
        response.set_cookie(
            COOKIE,
            str(_signer().dumps([number, kept])),
            max_age=365 * 86_400,
            path=app.config["SESSION_COOKIE_PATH"],
            secure=app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
        return response


def init_app(app: Flask) -> None:
    """Put limits on Flask-Security's views."""
    views = app.view_functions

    def limit(endpoint: str, words: Any, key: Any, *, failures_only: bool) -> None:
        counted = limiter.limit(
            words, key_func=key, methods=["POST"], deduct_when=is_refused if failures_only else None
        )
        views[endpoint] = cast(Any, counted(views[endpoint]))

    limit("security.login", lambda: _limits().sign_in_account, account_key, failures_only=True)
    limit("security.login", lambda: _limits().sign_in_address, get_remote_address, failures_only=True)
    for endpoint in ("two_factor_token_validation", "two_factor_setup_validate", "mf_recovery", "verify"):
        limit(f"security.{endpoint}", lambda: _limits().sign_in_account, code_key, failures_only=True)
    limit("security.forgot_password", lambda: _limits().reset, get_remote_address, failures_only=False)
    limit(
        "security.forgot_password",
        lambda: _limits().reset,
        lambda: "reset:" + _digest(request.form.get("email", "")),
        failures_only=False,
    )
    limit("security.change_password", lambda: _limits().sign_in_account, code_key, failures_only=True)
    user_logged_in.connect(_remember_device, app)

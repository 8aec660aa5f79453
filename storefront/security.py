"""Headers, CSRF, rate limits and error pages: what every answer of the shop has in common.

No inline script or style exists, so the policy needs no nonce. An error page tells an id and nothing internal.
"""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

from flask import Flask, Response, current_app, g, render_template, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFError, CSRFProtect
from sqlalchemy.exc import OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable
from werkzeug.routing import IntegerConverter, Map

from storefront import problems
from storefront.language import _

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
TWO_YEARS = "max-age=63072000; includeSubDomains"

csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address, default_limits=[], headers_enabled=False)


class RowNumber(IntegerConverter):
    """A row's number in an address. One that no database can hold is not found, instead of a fault of ours."""

    def __init__(self, map: Map, *args: Any, **options: Any) -> None:  # noqa: A002  (werkzeug's name)
        super().__init__(map, *args, **{"max": 2**31 - 1, **options})


def secure_headers(response: Response) -> Response:
    """Add what every answer carries; pages are private to their reader and never stored."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers.setdefault("Strict-Transport-Security", TWO_YEARS)
    if request.endpoint == "static":
        if request.args.get("v"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        else:
            response.headers["Cache-Control"] = "public, max-age=3600"
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-store"
    return response


class ErrorWords(NamedTuple):
    """An error page's sentences: what happened, and the way on."""

    title: str
    what: str
    exit: str


def error_words(code: int) -> ErrorWords:
    """The sentences for an HTTP code; 419 stands for a form that was open too long."""
    known = {
        400: (
            _("This request could not be read"),
            _("Something in the address or the form is not as expected."),
            _("Go back, reload the page and try again."),
        ),
        401: (_("Please sign in"), _("This page needs you to be signed in."), _("Sign in and try again.")),
        403: (
            _("This page is not for you"),
            _("Your account may not open this page."),
            _("Ask your company's administrator or the shop if you need it."),
        ),
        404: (
            _("There is no such page"),
            _("The address may be mistyped, or what it named is gone."),
            _("Search for a product above, or start from the first page."),
        ),
        405: (
            _("That does not work this way"),
            _("This address cannot be used like that."),
            _("Go back and use the buttons of the page."),
        ),
        413: (
            _("Too large"),
            _("What you sent is larger than this shop takes."),
            _("Send a smaller file or a shorter text."),
        ),
        419: (
            _("This form was open too long"),
            _("It could not be checked that the form came from this shop, so nothing was done."),
            _("Go back, reload the page and send it again."),
        ),
        429: (
            _("Too many attempts"),
            _("For safety this is paused for a while."),
            _("Wait some minutes and try again."),
        ),
        503: (
            _("The shop is busy"),
            _("Nothing was ordered or changed just now."),
            _("Try again in half a minute."),
        ),
    }
    if code in known:
        return ErrorWords(*known[code])
    if code >= 500:
        return ErrorWords(
            _("Something went wrong on our side"),
            _("Nothing was ordered or changed just now. The fault has been noted."),
            _("Try again; if it happens again, please call us."),
        )
    return ErrorWords(*known[400])


def error_page(error: HTTPException) -> tuple[str, int, dict[str, str]]:
    """A page of ours for an HTTP error: what happened, what to do, an id; no path, query or version.

    Below /api/ it is a problem in JSON.
    """
    code = error.code or 500
    number = g.setdefault("koguchi_error_id", secrets.token_hex(4))
    current_app.logger.info("error page %s: %s %s", number, code, error.name)
    if problems.is_for_the_api():
        return problems.problem(error, number)
    headers = {name: str(value) for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    if code in {429, 503}:
        headers.setdefault("Retry-After", "30")
    headers["Content-Type"] = "text/html; charset=utf-8"
    words = error_words(419 if isinstance(error, CSRFError) else code)
    return render_template("errors/error.html", code=code, number=number, words=words), code, headers


def broken(error: Exception) -> Any:
    """A fault of ours: logged with its id, told without its insides. A busy or absent database is 503."""
    g.koguchi_error_id = secrets.token_hex(4)
    current_app.logger.error("error page %s", g.koguchi_error_id, exc_info=error)
    if isinstance(error, OperationalError | TimeoutError):
        return error_page(ServiceUnavailable())
    return error_page(InternalServerError())


def init_app(app: Flask) -> None:
    """Protect `app`: CSRF on every state-changing view, limits, headers, error pages."""
    app.config.update(
        WTF_I18N_ENABLED=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=True,
        WTF_CSRF_HEADERS=["X-CSRFToken"],
    )
    app.url_map.converters["int"] = RowNumber
    csrf.init_app(app)
    limiter.init_app(app)
    app.after_request(secure_headers)
    app.register_error_handler(HTTPException, error_page)
    app.register_error_handler(Exception, broken)

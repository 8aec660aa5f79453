"""Who may call a view. Each view carries exactly one mark; a view without one is refused.

Rights are read from the database on every request. A foreign object answers 404, never 403: see `own`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask_login import current_user

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from storefront.accounts.models import Company, User

View = TypeVar("View", bound=Callable[..., object])

PUBLIC, SIGNED_IN, BUYER, COMPANY_ADMIN, STAFF, OWNER, API = (
    "public",
    "signed_in",
    "buyer",
    "company_admin",
    "staff",
    "owner",
    "api",
)

_ROLES = {
    SIGNED_IN: {"buyer", "company_admin", "clerk", "owner"},
    BUYER: {"buyer", "company_admin"},
    COMPANY_ADMIN: {"company_admin"},
    STAFF: {"clerk", "owner"},
    OWNER: {"owner"},
}
# Views of libraries, which cannot carry a decorator: endpoint -> mark. Flask-Security guards its own views.
LIBRARY_VIEWS: dict[str, str] = {"static": PUBLIC}


def _marker(access: str) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.__access__ = access  # type: ignore[attr-defined]
        return view

    return mark


public = _marker(PUBLIC)  #: everyone, signed in or not
signed_in = _marker(SIGNED_IN)  #: everyone with an account: their own password, name and language
buyer = _marker(BUYER)  #: a person of an active company
company_admin = _marker(COMPANY_ADMIN)  #: who manages their company's team and addresses
staff = _marker(STAFF)  #: the shop's own people: clerks and the owner
owner = _marker(OWNER)  #: the owner alone


def api(*scopes: str) -> Callable[[View], View]:
    """An integration with an API key that has one of these scopes; a signed-in person without one is refused."""

    def mark(view: View) -> View:
        view.__access__ = API  # type: ignore[attr-defined]
        view.__scopes__ = scopes  # type: ignore[attr-defined]
        return view

    return mark


def access_of(app: Flask, endpoint: str) -> str | None:
    """The mark of an endpoint, None when it has none."""
    if endpoint in LIBRARY_VIEWS:
        return LIBRARY_VIEWS[endpoint]
    view = app.view_functions.get(endpoint)
    mark = getattr(view, "__access__", None) or getattr(getattr(view, "view_class", None), "__access__", None)
    return cast("str | None", mark)


def current_person() -> User | None:
    """Who is signed in: a buyer or staff; None for a visitor."""
    return cast("User", current_user._get_current_object()) if current_user.is_authenticated else None


def current_buyer() -> User | None:
    """The signed-in buyer, None for visitors and staff."""
    person = current_person()
    return person if person is not None and person.company_id is not None else None


def current_company() -> Company | None:
    """The signed-in buyer's company; loaded together with the user, without a query of its own."""
    person = current_buyer()
    return person.company if person is not None else None


def own(company_id: int | None) -> None:
    """404 unless `company_id` is the signed-in buyer's company."""
    company = current_company()
    if company is None or company_id != company.id:
        abort(404)


def wants_page() -> bool:
    """Whether a sign-in page helps the caller: a browser's GET does, a post, JSON or an htmx fragment does not."""
    return request.method in {"GET", "HEAD"} and "HX-Request" not in request.headers and not request.is_json


def sign_in_first() -> Response:
    """Send a browser to the sign-in page and back afterwards; answer 401 to everything else."""
    if not wants_page():
        abort(401)
    target = request.full_path.rstrip("?")
    return redirect(url_for("security.login", next=request.script_root + target))


def check() -> Response | None:
    """Refuse the request unless its view's mark allows the caller. Runs before every view."""
    endpoint = request.endpoint
    if endpoint is None:
        return None  # no such page; Flask answers 404 or 405
    access = access_of(current_app, endpoint)
    if access == PUBLIC:
        return None
    if access is None:
        abort(403)
    if access == API:
        from storefront.api.gate import admit  # late: most requests come without a key

        admit(getattr(current_app.view_functions[endpoint], "__scopes__", ()))
        return None
    person = current_person()
    if person is None:
        return sign_in_first()
    if person.role not in _ROLES[access]:
        abort(403)
    g.koguchi_private = True
    return None


def init_app(app: Flask) -> None:
    """Guard every view of `app`, and offer the current person to templates."""
    app.before_request(check)

    @app.context_processor
    def people() -> dict[str, object]:
        return {"person": current_person(), "company": current_company()}


__all__ = [
    "access_of",
    "api",
    "buyer",
    "company_admin",
    "current_buyer",
    "current_company",
    "current_person",
    "own",
    "owner",
    "public",
    "signed_in",
    "staff",
]

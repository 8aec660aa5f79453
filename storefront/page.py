"""What every template may use: addresses below the shop's prefix, hashed static files, tabs, errors in words.

It offers words and addresses only; prices and rules come from the views.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Flask, Response, current_app, g, redirect, request
from werkzeug.wrappers import Response as WerkzeugResponse

from storefront import clock
from storefront.access import current_buyer, current_person, public
from storefront.language import _
from storefront.regions import region_name, show_postcode
from storefront.shop import current_shop

bp = Blueprint("page", __name__)
LANGUAGE_NAMES = {"ja": "日本語", "en": "English"}


@bp.get("/theme.css")
@public
def theme() -> Response:
    """The shop's own values for the tokens of tokens.css, from [theme] in shop.toml."""
    tokens = "".join(f"  {name}: {value};\n" for name, value in current_shop().settings.theme.items())
    answer = Response(f"@layer tokens {{ :root {{\n{tokens}}} }}\n", mimetype="text/css")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


def at(path: str) -> str:
    """An address of this shop, below the prefix it is mounted at."""
    return request.script_root + path


def here(**changes: Any) -> str:
    """This page's address with parts of its query changed; a posted page's address alone."""
    query = request.args.to_dict(flat=False) if request.method in {"GET", "HEAD"} else {}
    query.update({name: [str(value)] for name, value in changes.items() if value is not None})
    for name in [name for name, value in changes.items() if value is None]:
        query.pop(name, None)
    return f"{request.script_root}{request.path}?{urlencode(query, doseq=True)}"


def lead_to(address: str) -> WerkzeugResponse:
    """On to another page after a post: by 303 for a browser, and for htmx by telling it to load that page whole."""
    if "HX-Request" in request.headers:
        return Response("", headers={"HX-Redirect": address})
    return redirect(address, 303)


def is_here(path: str) -> bool:
    """Whether the page at work is `path` or below it."""
    if path in {"/", "/admin/"}:
        return request.path == path
    return request.path == path or request.path.startswith(f"{path}/")


@lru_cache(maxsize=64)
def _digest(folder: str, name: str) -> str:
    return hashlib.sha256((Path(folder) / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """A static file's address, changing with its content so that it may be kept for a year."""
    return f"{request.script_root}/static/{name}?v={_digest(str(current_app.static_folder), name)}"


def tabs() -> list[tuple[str, str, str]]:
    """(path, word, "" | "wide" | "narrow") of the shop's pages."""
    if current_buyer() is None:
        first = [("/", _("Home"), ""), ("/products", _("Products"), "")]
        if current_person() is not None:
            return [*first, ("/admin/", _("Shop desk"), "")]
        return [*first, ("/login", _("Sign in"), "narrow"), ("/apply", _("Open an account"), "")]
    return [
        ("/", _("Home"), ""),
        ("/products", _("Products"), ""),
        ("/quick-order", _("Quick order"), ""),
        ("/orders", _("Orders"), ""),
        ("/quotations", _("Quotation requests"), "wide"),
        ("/account", _("Company and addresses"), "wide"),
        ("/account", _("More"), "narrow"),
    ]


def is_more_here() -> bool:
    """Whether the page at work is one of those that the desk lists on its page More."""
    from storefront.admin.desk import MORE

    return any(is_here(path) for path, _word in MORE)


def desk_tabs() -> list[tuple[str, str, str]]:
    """(path, word, width) of the desk's pages; storefront/admin brings its own as TABS."""
    from storefront import admin

    return [(path, _(word), width) for path, word, width in admin.TABS]


def cart_line_count() -> int:
    """Lines in the reader's cart: one small query, and none for a page that knows the number already."""
    known: int | None = g.get("koguchi_cart_lines")
    if known is not None:
        return known
    try:
        from storefront.cart import line_count
    except ImportError:
        return 0
    g.koguchi_cart_lines = counted = line_count()
    return int(counted)


def leave_page(answer: Response) -> Response:
    """A redirect to another page, asked for by htmx: let the browser go there, address and all.

    Followed by script it would land in a part of the old page, below the old page's address.
    """
    if "HX-Request" not in request.headers or answer.status_code not in (301, 302, 303):
        return answer
    target = urlsplit(answer.location or "")
    if target.path == urlsplit(request.headers.get("HX-Current-URL", "")).path:
        return answer
    answer.headers["HX-Redirect"] = answer.location or at("/")
    del answer.headers["Location"]
    answer.status_code = 200
    answer.set_data(b"")
    return answer


def init_app(app: Flask) -> None:
    """Offer these to every template."""
    settings = current_settings(app)
    app.after_request(leave_page)
    app.jinja_env.filters.update(region=region_name, postcode=show_postcode)
    app.jinja_env.globals.update(
        shop=settings,
        at=at,
        here=here,
        is_here=is_here,
        asset=asset,
        tabs=tabs,
        desk_tabs=desk_tabs,
        is_more_here=is_more_here,
        cart_line_count=cart_line_count,
        now=clock.now,
        languages=lambda: [(code, LANGUAGE_NAMES[code]) for code in settings.languages],
    )


def current_settings(app: Flask) -> Any:
    """The settings of an application outside any request."""
    return app.extensions["koguchi"].settings

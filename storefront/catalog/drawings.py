"""Drawings from <shop>/drawings, served as pictures that cannot run anything.

A drawing may be a customer's own part: it is shown only to those who may see a product it belongs to.
"""

from __future__ import annotations

import hashlib
import re

from flask import Blueprint, Response, abort, request
from sqlalchemy import select

from storefront import pricing
from storefront.access import current_company, public
from storefront.catalog.models import Product
from storefront.clock import today
from storefront.database import get_session
from storefront.shop import current_shop

bp = Blueprint("drawings", __name__)

_NAME = re.compile(r"[\w-][\w.-]{0,100}\.svg")
_STROKE = re.compile(
    rb'stroke-width="([0-9]{0,3}(?:\.[0-9]{1,3})?(?<=[0-9]))"'
)  # thin lines vanish in a small picture
BIGGEST = 500_000  # bytes
# A picture: no script, no frame, nothing fetched. Sandboxed when somebody opens it as a page.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
INKS = {"light": "#1f3b73", "dark": "#a9c0f2"}  # --indigo of static/tokens.css


@bp.get("/drawings/<name>")
@public
def show(name: str) -> Response:
    """One drawing in indigo; ?ink=dark for dark ground, ?size=small with lines that stay visible in a list."""
    path = current_shop().settings.folder / "drawings" / name
    if not _NAME.fullmatch(name) or not _may_see(name) or path.is_symlink() or not path.is_file():
        abort(404)
    if path.stat().st_size > BIGGEST:
        abort(404)
    ink = INKS["dark" if request.args.get("ink") == "dark" else "light"]
    body = path.read_bytes().replace(b"currentColor", ink.encode())
    if request.args.get("size") == "small":
        body = _STROKE.sub(lambda width: b'stroke-width="%.2f"' % (float(width[1]) * 3), body)
    answer = Response(body, mimetype="image/svg+xml")
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["Cache-Control"] = "private, max-age=3600"
    answer.set_etag(hashlib.sha256(body).hexdigest()[:32])
    return answer.make_conditional(request)  # type: ignore[return-value]


def _may_see(name: str) -> bool:
    session = get_session()
    hidden = pricing.hidden_skus(session, current_company(), shop=current_shop(), on=today())
    skus = session.scalars(select(Product.sku).where(Product.drawing == name, Product.is_active))
    return any(sku not in hidden for sku in skus)

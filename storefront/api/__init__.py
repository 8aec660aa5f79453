"""The REST API below /api/v1, one file per resource: JSON in and out, API keys, problems instead of pages.

No cookie is read and no session made here; prices come from storefront.pricing as everywhere.
"""

from __future__ import annotations

from flask import Blueprint, Flask

from storefront.security import csrf

bp = Blueprint("api", __name__, url_prefix="/api/v1")

from storefront.api import carrier, evaluate, openapi  # noqa: E402, F401  (each registers its views)


def init_app(app: Flask) -> None:
    """Form tokens guard cookies, which are not read here."""
    csrf.exempt(bp)


__all__ = ["bp", "init_app"]

"""The storefront: a Flask application of its own, or mounted under a prefix in someone else's.

Importing this package stays cheap: `koguchi rules ...` starts through it and must never load Flask.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["create_app", "init_app"]


def create_app(shop: str | Path | None = None, **overrides: Any) -> Flask:
    """The shop in folder `shop` (else KOGUCHI_SHOP, else the working directory) as a Flask application.

    `overrides` replace settings of shop.toml by their names in storefront.settings.Settings, such as
    `database_url=`. Raises SettingsError with every fault of shop.toml when it cannot be read.
    """
    from storefront.app import assemble

    return assemble(shop, overrides)


def init_app(
    app: Flask, url_prefix: str = "/shop", shop: str | Path | None = None, **overrides: Any
) -> Flask:
    """Mount the shop under `url_prefix` of another Flask application and return the shop's application.

    The shop keeps its own session cookie, sign-in, CSRF and error pages below the prefix; the host's
    extensions, routes and error pages are not touched. See docs/embedding.md.
    """
    from storefront.embedding import mount

    return mount(app, url_prefix, shop, overrides)

"""Puts a shop together: settings, database, rooms, and the features in FEATURES, each with its blueprint `bp`.

Nothing is decided here, and no view lives here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from jinja2 import ChoiceLoader, FileSystemLoader
from werkzeug.middleware.proxy_fix import ProxyFix

from storefront import access, database, format, language, logs, misses, security
from storefront.accounts import sign_in
from storefront.own_packages import check_own_packages, static_folder
from storefront.plugins import blocks, failures
from storefront.settings import Settings, load_settings
from storefront.shop import Shop

# Every feature: a module with a blueprint `bp`, and, when it needs more than routes, an `init_app(app)`.
FEATURES = (
    "storefront.page",
    "storefront.health",
    "storefront.catalog.pages",
    "storefront.catalog.product_page",
    "storefront.quick_order.pages",
    "storefront.cart.pages",
    "storefront.card",
    "storefront.checkout.pages",
    "storefront.order_files.pages",
    "storefront.entry.pages",
    "storefront.orders.pages",
    "storefront.payments.pages",
    "storefront.quotations.pages",
    "storefront.accounts.pages",
    "storefront.accounts.team",
    "storefront.accounts.addresses",
    "storefront.accounts.applications",
    "storefront.admin",
    "storefront.api",
)
# Modules whose tables must be known before a schema is made, whether or not they bring pages.
TABLES = (
    "storefront.audit",
    "storefront.accounts",
    "storefront.catalog",
    "storefront.stock",
    "storefront.cart",
    "storefront.orders",
    "storefront.lead_times",
    "storefront.entry",
    "storefront.payments",
    "storefront.bank_files.booking",
    "storefront.shipments",
    "storefront.jobs",
    "storefront.mail",
    "storefront.incidents",
    "storefront.transfer.uploads",
    "storefront.api.keys",
    "storefront.shop_folder.versions",
    "storefront.plugins.failures",
    "storefront.shop_folder.drafts",
    "storefront.replays.asked",
    "storefront.quotations",
    "storefront.exceptions.uses",
    "storefront.attempts",
)


def assemble(shop: str | Path | None, overrides: Mapping[str, Any]) -> Flask:
    """Build the application; raises SettingsError when shop.toml cannot be used."""
    check_own_packages()
    settings = load_settings(shop, overrides=overrides)
    app = Flask("storefront", static_folder=str(static_folder()), static_url_path="/static")
    app.config.update(flask_config(settings))
    app.extensions["koguchi"] = Shop(settings, has_own_plugins="plugins" in overrides)
    app.url_map.strict_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    # A shop folder may replace any template by one of the same name in its templates/.
    app.jinja_loader = ChoiceLoader(
        [
            FileSystemLoader(settings.folder / "templates"),
            FileSystemLoader(Path(__file__).parent / "templates"),
        ]
    )
    if settings.proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, *[settings.proxies] * 4)  # type: ignore[method-assign]
    import_tables()
    logs.init_app(app)
    failures.init_app(app)  # before the database's: what ends a request runs in the other order
    database.init_app(app)
    security.init_app(app)
    misses.init_app(app)
    language.init_app(app)
    format.init_app(app)
    access.init_app(app)
    blocks.init_app(app)
    sign_in.init_app(app)
    for name in FEATURES:
        feature = import_module(name)
        app.register_blueprint(feature.bp)
        if hasattr(feature, "init_app"):
            feature.init_app(app)
    return app


def import_tables() -> None:
    """Make every table known to Base.metadata."""
    for name in TABLES:
        import_module(name)


def trusted_hosts(settings: Settings) -> list[str] | None:
    """The host names a request may carry: those of shop.toml, in production at least the shop's own."""
    own = [str(urlsplit(settings.base_url).hostname)] if settings.production else []
    return [*settings.trusted_hosts, *own] or None


def flask_config(settings: Settings) -> dict[str, Any]:
    """Flask's own configuration, from settings only."""
    return {
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "SESSION_COOKIE_NAME": "koguchi_session",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.base_url.startswith("https://"),
        "PERMANENT_SESSION_LIFETIME": settings.session_lifetime,
        "SESSION_REFRESH_EACH_REQUEST": False,
        "MAX_CONTENT_LENGTH": settings.upload_limit,
        "MAX_FORM_MEMORY_SIZE": 2_000_000,
        "MAX_FORM_PARTS": 1_000,
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=365),
        "TRUSTED_HOSTS": trusted_hosts(settings),
        "TEMPLATES_AUTO_RELOAD": False,
        "RATELIMIT_STORAGE_URI": settings.rate_limits.storage,
        "RATELIMIT_ENABLED": settings.rate_limits.enabled,
    }

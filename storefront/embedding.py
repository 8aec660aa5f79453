"""Mounts the shop inside someone else's Flask application, as a WSGI application of its own below a prefix.

The host's extensions, sessions and error pages are never touched. See docs/embedding.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware


def mount(host: Flask, url_prefix: str, shop: str | Path | None, overrides: Mapping[str, Any]) -> Flask:
    """The shop's application, reachable through `host` below `url_prefix`. Raises ValueError for a bad prefix."""
    from storefront.app import assemble

    prefix = "/" + url_prefix.strip("/")
    if prefix == "/":
        raise ValueError("url_prefix must name a path such as /shop; the host keeps /")
    inner = assemble(shop, overrides)
    # Cookies of the shop stay below its prefix, so that host and shop never read each other's.
    inner.config.update(APPLICATION_ROOT=prefix, SESSION_COOKIE_PATH=prefix)
    host.wsgi_app = DispatcherMiddleware(host.wsgi_app, {prefix: inner.wsgi_app})  # type: ignore[method-assign]
    host.extensions["koguchi"] = inner.extensions["koguchi"]
    return inner

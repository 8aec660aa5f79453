"""Plugins: which are installed, active or failed, and why. What is enabled stands in shop.toml, not here."""

from __future__ import annotations

from flask import render_template

from storefront.access import staff
from storefront.admin.desk import bp
from storefront.language import _
from storefront.shop import current_shop


@bp.get("/plugins")
@staff
def plugins() -> str:
    """Every installed plugin with version, state and the last failure."""
    shop = current_shop()
    looks = {"active": "full", "off": "none", "failed": "block"}
    words = {"active": _("Active"), "off": _("Not enabled"), "failed": _("Failed")}
    return render_template("admin/plugins.html", plugins=shop.plugins.installed, looks=looks, words=words)

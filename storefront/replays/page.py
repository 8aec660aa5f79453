"""A comparison as one HTML file that needs nothing else: no shop, no server, no script, no request.

The body is the desk's own partial; style and icons stand in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask, render_template
from markupsafe import Markup

from rules.comparison import Comparison
from storefront import format, regions
from storefront.language import _, language, ngettext, speak, text
from storefront.own_packages import static_folder
from storefront.replays.shown import offer_to


def comparison_page(
    found: Comparison | Mapping[str, Any],
    *,
    title: str,
    lang: str,
    names: Mapping[str, str] | None = None,
    source: str = "",
) -> str:
    """The page in one language. `source` is what the shop says about the origin of its data."""
    app = Flask("storefront", template_folder=str(Path(__file__).parent.parent / "templates"))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(_=_, gettext=_, ngettext=ngettext, language=language)
    app.jinja_env.filters.update(text=text, region=regions.region_name)
    format.init_app(app)
    offer_to(app.jinja_env)
    styles = (static_folder() / name for name in ("tokens.css", "koguchi.css"))
    with app.app_context():
        speak(lang)
        return render_template(
            "admin/comparison_page.html",
            found=found,
            names=names or {},
            title=title,
            source=source,
            style=Markup("\n".join(path.read_text(encoding="utf-8") for path in styles)),  # noqa: S704  (our own css)
        )

"""Plugins: which are active, failed or resting and why, in every process; how they say they are; pages of their own.

For all staff. Settings are the owner's and stand in plugin_settings.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, render_template

from plugins.contract import Health
from plugins.guard import Answer, Failure
from plugins.loader import Plugin
from storefront.access import current_person, staff
from storefront.admin.desk import bp
from storefront.admin.plugin_form import confirmation, settings_part, use_words
from storefront.admin.plugin_words import about
from storefront.database import get_session
from storefront.language import N_, _, text
from storefront.plugins.failures import failures_of, newest_failures
from storefront.shop import current_shop

LOOKS = {"active": "full", "off": "none", "failed": "block", "resting": "half"}
WORDS = {
    "active": N_("Active"),
    "off": N_("Not enabled"),
    "failed": N_("Failed"),
    "resting": N_("Resting"),
}
FAULTS = {
    "raised": N_("raised an error"),
    "timeout": N_("did not answer in time"),
    "nonsense": N_("answered what it may not"),
    "resting": N_("is resting after repeated failures"),
}
KINDS = {
    "payments": N_("Payments"),
    "shipping": N_("Shipping"),
    "events": N_("Events"),
    "blocks": N_("Texts on pages"),
    "pages": N_("Pages at the desk"),
}


@dataclass(frozen=True)
class Asked:
    """What a plugin said when it was asked how it is."""

    mark: str
    word: str
    said: str


@bp.get("/plugins")
@staff
def plugins() -> str:
    """Every installed plugin with version, state and what failed last in any process."""
    running = current_shop().running_plugins
    found = running.current()
    pages = found.pages()
    _write_failures()
    return render_template(
        "admin/plugins.html",
        plugins=found.installed,
        about=about,
        state=state_of,
        looks=LOOKS,
        words=WORDS,
        faults=FAULTS,
        kinds=kinds_of,
        last=newest_failures(get_session()),
        pages=pages,
        running=running,
    )


def _write_failures() -> None:
    """Those of this process too, and read the table as it is then."""
    current_shop().plugin_failures.flush(at_once=True)
    get_session().commit()


def state_of(plugin: Plugin) -> str:
    """The state of loading; an active plugin may be resting."""
    resting = plugin.state == "active" and plugin.guard is not None and plugin.guard.resting > 0
    return "resting" if resting else plugin.state


def kinds_of(plugin: Plugin) -> str:
    """What the plugin does, in words."""
    return ", ".join(_(KINDS[kind]) if kind in KINDS else kind for kind in plugin.kinds)


def installed(name: str) -> Plugin:
    """The plugin of that id: installed, or named in shop.toml only; 404 for any other."""
    found = [each for each in current_shop().plugins.installed if each.id == name]
    if not found:
        abort(404)
    return min(found, key=lambda each: each.state == "failed" and bool(each.target))


@bp.get("/plugins/<name>")
@staff
def plugin(name: str) -> str:
    """One plugin: state, failures, pages; its settings as a form for the owner."""
    return page_of(name)


@bp.post("/plugins/<name>/health")
@staff
def plugin_health(name: str) -> str:
    """Ask the plugin how it is. It may go over the network, so no page does it by itself."""
    installed(name)
    answer = current_shop().plugins.health(name)
    return page_of(name, health=_asked(answer))


def _asked(answer: Answer[Health] | Failure | None) -> Asked | None:
    if answer is None:
        return None
    if isinstance(answer, Failure):
        return Asked("block", _(FAULTS[answer.kind]), answer.detail)
    said = text(answer.value.said) if answer.value.said else ""
    return Asked("ok", _("All is well"), said) if answer.value.is_well else Asked("warn", _("Not well"), said)


def page_of(name: str, *, health: Asked | None = None, **settings: Any) -> str:
    """The page of a plugin; `settings` is what the form has to tell after a post."""
    found = installed(name)
    person = current_person()
    is_owner = person is not None and person.role == "owner"
    shop = current_shop()
    _write_failures()
    provider = shop.plugins.payments.get(name) or shop.plugins.shipping.get(name)
    return render_template(
        "admin/plugin.html",
        plugin=found,
        about=about(name),
        label=text(provider.label) if provider is not None else "",
        state=state_of(found),
        looks=LOOKS,
        words=WORDS,
        faults=FAULTS,
        kinds=kinds_of(found),
        failures=failures_of(get_session(), name),
        pages=[page for whose, page in shop.plugins.pages() if whose == name],
        has_health=found.state == "active" and "health" in found.hooks,
        health=health,
        running=shop.running_plugins,
        form=settings_part(found, **settings) if is_owner else None,
        use_words=use_words,
        confirmation=confirmation,
    )

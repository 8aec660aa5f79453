"""The owner's doors of a plugin's page: save to shop.toml, switch, go back. What a switch costs is told before.

What the page shows stands in plugin_form.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response as Redirect

from plugins.loader import settings_model
from storefront.access import current_person, owner
from storefront.admin.desk import bp
from storefront.admin.plugin_form import confirmation
from storefront.admin.plugins import installed, page_of
from storefront.database import get_session
from storefront.language import _
from storefront.plugins.forms import draft_of
from storefront.plugins.settings import (
    Conflict,
    Invalid,
    Saved,
    look,
    save,
    table_of,
    version_of,
    way_back,
)
from storefront.plugins.uses import uses_of
from storefront.settings import environment
from storefront.shop import current_shop

Answer = str | tuple[str, int] | Redirect
ETAG = 64
# Fields of our own begin with an underscore, which no setting of a model can.


@bp.post("/plugins/<name>")
@owner
def plugin_save(name: str) -> Answer:
    """Check the form and write [plugins.NAME] of shop.toml."""
    installed(name)
    model, _why = settings_model(name)
    held = look(current_shop(), name)
    if model is None or held.problem:
        return page_of(name), 422
    folder = current_shop().settings.folder
    draft = draft_of(model, held.table, request.form, folder=folder, known=environment)
    if draft.errors:
        return page_of(name, errors=draft.errors, is_sent=True), 422
    changes = draft.changes
    if request.form.get("_do") == "on":
        changes = {**changes, "enabled": "true"}
    elif not held.etag:
        changes = {"enabled": "false", **changes}
    return _done(name, _save(name, changes), changes)


def _save(
    name: str, changes: Mapping[str, str | None], restores: int | None = None
) -> Saved | Conflict | Invalid:
    reason = "".join(one for one in request.form.get("_reason", "") if one.isprintable()).strip()
    expected = request.form.get("_base", "")[:ETAG]
    return save(
        current_shop(), name, changes, expected=expected, actor=_actor(), reason=reason, restores=restores
    )


def _done(
    name: str, result: Saved | Conflict | Invalid, changes: Mapping[str, str | None], *, is_sent: bool = True
) -> Answer:
    if isinstance(result, Conflict):
        return page_of(name, conflict=result, is_sent=is_sent), 409
    if isinstance(result, Invalid):
        lines = "".join(f"{key} = {value}\n" for key, value in changes.items() if value is not None)
        shown = lines if result.is_read_only else ""
        return page_of(name, errors=result.faults, is_sent=is_sent, lines=shown), 422
    flash(_("Saved, and at work from the next page on. Each version before can be brought back."), "ok")
    if result.others:
        flash(_("Something else in shop.toml is wrong: %(why)s", why="; ".join(result.others[:3])), "warn")
    return redirect(url_for("admin.plugin", name=name))


@bp.post("/plugins/<name>/switch")
@owner
def plugin_switch(name: str) -> Answer:
    """Switch on or off. What switching off costs must be confirmed as it stands at this moment."""
    installed(name)
    wanted = request.form.get("to", "")
    if wanted not in ("on", "off"):
        abort(400)
    uses = uses_of(current_shop(), name) if wanted == "off" else []
    if uses and request.form.get("confirm", "") != confirmation(uses):
        return page_of(name, uses=uses)
    changes = {"enabled": "true" if wanted == "on" else "false"}
    result = _save(name, changes)
    if isinstance(result, Saved):
        flash(_("It is enabled.") if wanted == "on" else _("It is disabled."), "ok")
        return redirect(url_for("admin.plugin", name=name))
    return _done(name, result, changes, is_sent=False)


@bp.post("/plugins/<name>/versions/<int:version_id>")
@owner
def plugin_restore(name: str, version_id: int) -> Answer:
    """Bring the settings of a version back, as a new one. Whether it is enabled and secrets in the file stay."""
    installed(name)
    version = version_of(get_session(), name, version_id)
    if version is None:
        abort(404)
    changes = way_back(name, look(current_shop(), name).table, table_of(version))
    return _done(name, _save(name, changes, restores=version_id), changes, is_sent=False)


def _actor() -> str:
    person = current_person()
    if person is None:
        abort(403)
    return person.email

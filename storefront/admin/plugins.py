"""Plugins: which are active, failed or resting and why; their settings as a form; a shipping quote tried out.

What is enabled stands in shop.toml, which the desk never writes: it holds secrets. The form gives the lines to paste.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, cast

import tomlkit
from flask import abort, render_template, request
from tomlkit.exceptions import TOMLKitError

from plugins.contract import (
    Money,
    NeedsQuotation,
    Parcel,
    Rate,
    RateRequest,
    Temperature,
    Unavailable,
)
from plugins.guard import Failure
from plugins.loader import Plugin, settings_model
from storefront import shipping
from storefront.access import owner, staff
from storefront.admin.desk import asked, bp
from storefront.clock import today
from storefront.language import N_, _, text
from storefront.origin import origin_place
from storefront.plugin_forms import ENV, LONGEST, Draft, Field, draft_of, form_of
from storefront.regions import REGIONS, read_postcode, region_options
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
UNFIT = {
    "secret": N_(
        "Write env: and the name of an environment variable, like env:API_KEY. The secret itself has no place here."
    ),
    "toml": N_("This cannot be read as TOML."),
}
TEMPERATURES = {"normal": N_("Not cooled"), "chilled": N_("Chilled"), "frozen": N_("Frozen")}
MOST_GRAMS, MOST_CM = 1_000_000, 2_000


@dataclass(frozen=True)
class Tried:
    """What one shipping plugin answered, and how long it took."""

    name: str
    label: str
    milliseconds: int
    rates: list[Rate]
    said: str = ""  # why there are no rates
    failure: Failure | None = None


@bp.get("/plugins")
@staff
def plugins() -> str:
    """Every installed plugin with version, state and its last failures; and a quote, when one is asked for."""
    wanted, problem = _wanted()
    return render_template(
        "admin/plugins.html",
        plugins=current_shop().plugins.installed,
        state=state_of,
        looks=LOOKS,
        words=WORDS,
        faults=FAULTS,
        tried=_try(wanted) if wanted is not None else [],
        problem=problem,
        regions=[("", "—"), *region_options()],
        temperatures=[(key, _(word)) for key, word in TEMPERATURES.items()],
        form=request.args,
    )


def state_of(plugin: Plugin) -> str:
    """The state of loading; an active plugin may be resting."""
    resting = plugin.state == "active" and plugin.guard is not None and plugin.guard.resting > 0
    return "resting" if resting else plugin.state


def _wanted() -> tuple[RateRequest | None, str]:
    """The parcel that the form describes, or what is wrong with it; neither before anything was asked."""
    if "weight_g" not in request.args:
        return None, ""
    region, postcode = asked("region", 8), read_postcode(asked("postcode", 16))
    weight, size, longest = (_number(name) for name in ("weight_g", "sum_cm", "longest_cm"))
    temperature = asked("temperature", 8) or "normal"
    if region not in REGIONS or temperature not in TEMPERATURES:
        return None, _("Choose a prefecture.")
    if not weight or weight > MOST_GRAMS:
        return None, _("Enter a weight from 1 to %(most)s g.", most=f"{MOST_GRAMS:,}")
    if max(size or 0, longest or 0) > MOST_CM:
        return None, _("Enter sides of at most %(most)s cm.", most=f"{MOST_CM:,}")
    currency = current_shop().rulebook.current().policy.currency
    parcel = Parcel(weight, size, longest, cast(Temperature, temperature))
    shop = current_shop()
    place = shipping.place_of(shop, "JP", region, postcode, asked("city"))
    wanted = RateRequest(
        origin_place(shop.settings), place, (parcel,), (), Money(0, currency), today(), currency
    )
    return shipping.leaving(shop, wanted), ""


def _number(name: str) -> int | None:
    written = asked(name, 9)
    return int(written) if written.isascii() and written.isdigit() else None


def _try(wanted: RateRequest) -> list[Tried]:
    """Ask every active shipping plugin, each by itself; nothing is remembered."""
    found, plugins = [], current_shop().plugins
    for name, provider in plugins.shipping.items():
        began = time.perf_counter()
        answer = plugins.quote(name, wanted)
        took, label = round((time.perf_counter() - began) * 1000), text(provider.label)
        if isinstance(answer, Failure):
            found.append(Tried(name, label, took, [], failure=answer))
        elif isinstance(answer.value, NeedsQuotation | Unavailable):
            found.append(Tried(name, label, took, [], said=text(answer.value.reason)))
        else:
            found.append(Tried(name, label, took, answer.value))
    return found


@bp.get("/plugins/<name>")
@owner
def plugin(name: str) -> str:
    """One plugin: its settings as a form, and what failed last."""
    return _page(name)


@bp.post("/plugins/<name>")
@owner
def plugin_settings(name: str) -> str | tuple[str, int]:
    """Check the form and show the lines for shop.toml; nothing is written."""
    model, _why = settings_model(_installed(name).id)
    document, problem = _document()
    if model is None or problem:
        return _page(name), 422
    enabled = request.form.get("enabled") == "true"
    folder = current_shop().settings.folder
    draft = draft_of(name, model, document, request.form, enabled=enabled, folder=folder)
    page = _page(name, draft)
    return (page, 422) if draft.errors else page


def _installed(name: str) -> Plugin:
    found = [each for each in current_shop().plugins.installed if each.id == name and each.target]
    if not found:
        abort(404)
    return cast(Plugin, found[0])


def _document() -> tuple[Any, str]:
    """shop.toml as it stands, comments and all."""
    path = current_shop().settings.folder / "shop.toml"
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8-sig")), ""
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        return None, type(error).__name__


def _page(name: str, draft: Draft | None = None) -> str:
    found = _installed(name)
    model, why = settings_model(name)
    document, problem = _document()
    held = (document or {}).get("plugins", {}).get(name) or {}
    said = {
        field: _(UNFIT[what]) if what in UNFIT else what
        for field, what in (draft.errors if draft else {}).items()
    }
    fields = form_of(model, held) if model is not None else []
    return render_template(
        "admin/plugin.html",
        plugin=found,
        state=state_of(found),
        looks=LOOKS,
        words=WORDS,
        faults=FAULTS,
        fields=fields,
        values={each.name: _kept(each, draft is not None) for each in fields},
        errors=said,
        others=[
            f"{field}: {what}" for field, what in said.items() if field not in {each.name for each in fields}
        ],
        why=why,
        problem=problem,
        enabled=request.form.get("enabled") == "true" if draft is not None else held.get("enabled") is True,
        toml=draft.toml if draft is not None else "",
    )


def _kept(each: Field, is_sent: bool) -> str:
    """What the field shows: what was sent, but a secret only as the name of its variable."""
    if not is_sent or each.name not in request.form:
        return each.value
    sent = request.form[each.name][:LONGEST]
    is_shown = each.kind != "secret" or all(ENV.fullmatch(one.strip()) for one in sent.split())
    return sent if is_shown else each.value

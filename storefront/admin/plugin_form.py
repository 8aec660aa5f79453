"""What the owner's part of a plugin's page shows: the form, its faults in words, what a switch costs, the versions.

A secret is neither shown nor taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import request

from plugins.loader import Plugin, settings_model
from storefront.admin.rule_files import names_of
from storefront.database import get_session
from storefront.language import N_, _, ngettext
from storefront.plugins.forms import ENV, LONGEST, Fault, Field, as_toml, form_of
from storefront.plugins.settings import Conflict, Held, folder_is_writable, history, look, table_of
from storefront.plugins.uses import Use
from storefront.shop import current_shop

FAULTS = {
    "secret": N_(
        "Write env: and the name of an environment variable, like env:API_KEY. The secret itself has no place here."
    ),
    "unset": N_(
        "The environment variable %(name)s is not set for the shop. Set it where the shop and its worker are started, "
        "start both again, then save."
    ),
    "toml": N_("This cannot be read as TOML: %(why)s."),
    "number": N_("Enter a number, such as 10 or 0.10."),
    "int_parsing": N_("Enter a whole number."),
    "int_type": N_("Enter a whole number."),
    "int_from_float": N_("Enter a whole number."),
    "decimal_parsing": N_("Enter a number, such as 10 or 0.10."),
    "decimal_type": N_("Enter a number, such as 10 or 0.10."),
    "float_parsing": N_("Enter a number, such as 10 or 0.10."),
    "finite_number": N_("Enter a number, such as 10 or 0.10."),
    "missing": N_("This must be filled in."),
    "extra_forbidden": N_("This plugin has no such setting."),
    "greater_than_equal": N_("Enter %(ge)s or more."),
    "less_than_equal": N_("Enter %(le)s or less."),
    "greater_than": N_("Enter more than %(gt)s."),
    "less_than": N_("Enter less than %(lt)s."),
    "literal_error": N_("Choose one of these: %(expected)s."),
    "string_too_short": N_("Enter at least %(min_length)s characters."),
    "string_too_long": N_("Enter at most %(max_length)s characters."),
    "string_type": N_("Enter a text."),
    "bool_type": N_("Choose yes or no."),
    "bool_parsing": N_("Choose yes or no."),
    "too_short": N_("Enter at least %(min_length)s."),
    "too_long": N_("Enter at most %(max_length)s."),
    "tuple_type": N_("Write a list, like [1, 2]."),
    "list_type": N_("Write a list, like [1, 2]."),
    "dict_type": N_("Write a table, like {en = \"Shipping\"}."),
    "mapping_type": N_("Write a table, like {en = \"Shipping\"}."),
    "model_type": N_("Write a table, like {en = \"Shipping\"}."),
    "string_pattern_mismatch": N_("This is not in the form asked for: see the hint."),
    "date_from_datetime_parsing": N_("Enter a date, like 2027-01-04."),
    "date_type": N_("Enter a date, like 2027-01-04."),
    "url_form": N_("Write an address like %(example)s."),
    "url_secret": N_("An address without user, password and #: a secret has a setting of its own."),
    "url_https": N_("The address must begin with https://."),
    "url_own": N_("%(host)s is this machine or its own network."),
    "url_private": N_("%(host)s is a private address."),
    "secret_short": N_("It must have %(shortest)s characters or more."),
    "fees_rise": N_("up_to_minor must rise from row to row; %(value)s does not."),
    "texts": N_("Write {ja = \"...\", en = \"...\"}, or one of the two."),
    "link": N_("It begins with https:// or is a path of the shop, such as /products."),
    "until": N_("until is before since."),
    "outside": N_("%(name)s lies outside the shop folder."),
    "no_file": N_("There is no file %(name)s in the shop folder."),
    "outside_folder": N_("%(name)s lies outside the shop folder: write a folder in it, or an absolute path."),
    "shop": N_("shop.toml as a whole would not be accepted: %(why)s"),
    "file": N_("shop.toml cannot be read: %(why)s."),
    "load": N_("The plugin does not start with these settings: %(why)s"),
    "read-only": N_("shop.toml cannot be written here: %(why)s. Nothing was changed."),
    "given": N_("The application around this shop gives it its plugins; shop.toml has no say, so nothing was written."),
}  # fmt: skip


@dataclass(frozen=True)
class Version:
    """One version in the history: who, when, which settings it changed, its text, and whether it stands now."""

    id: int
    who: str
    at: Any
    reason: str
    restores: int | None
    keys: tuple[str, ...]
    text: str
    is_now: bool


@dataclass
class SettingsPart:
    """What the owner's part of the page shows."""

    fields: Sequence[Field]
    values: Mapping[str, str]
    etag: str
    enabled: bool
    errors: Mapping[str, str] = field(default_factory=dict)
    others: Sequence[str] = ()  # what is wrong with no field of the form
    why: str = ""  # there is no form
    problem: str = ""  # shop.toml cannot be read
    reason: str = ""
    conflict: tuple[str, str] | None = None  # mine and theirs as TOML
    lines: str = ""  # to be put into the file by hand
    uses: Sequence[Use] = ()  # to be confirmed
    versions: Sequence[Version] = ()
    is_writable: bool = True
    is_given: bool = False
    kept: Sequence[str] = ()  # keys that no field of the form knows


def settings_part(
    found: Plugin,
    *,
    errors: Mapping[str, Fault] | None = None,
    conflict: Conflict | None = None,
    uses: Sequence[Use] = (),
    is_sent: bool = False,
    lines: str = "",
) -> SettingsPart:
    """The form as it stands in shop.toml, or as it was sent."""
    shop, name = current_shop(), found.id
    held = look(shop, name)
    model, why = settings_model(name) if found.target else (None, "")
    fields = form_of(model, held.table) if model is not None else []
    known = {each.name for each in fields}
    said = {key: said_of(fault) for key, fault in (errors or {}).items()}
    return SettingsPart(
        fields=fields,
        values={each.name: _kept(each, is_sent) for each in fields},
        etag=held.etag,
        enabled=held.table.get("enabled") is True,
        errors=said,
        others=[f"{key}: {what}" if key else what for key, what in said.items() if key not in known],
        why=why,
        problem=held.problem,
        reason=request.form.get("_reason", "")[:500] if is_sent else "",
        conflict=(as_toml(name, conflict.mine), as_toml(name, conflict.theirs)) if conflict else None,
        lines=lines,
        uses=uses,
        versions=_versions(name, held),
        is_writable=folder_is_writable(shop),
        is_given=shop.has_own_plugins,
        kept=[key for key in held.table if key not in known and key != "enabled"],
    )


def said_of(fault: Fault) -> str:
    """A fault in the reader's language; what only the plugin knows, in its own words."""
    sentence = FAULTS.get(fault.code)
    if sentence is None:
        return fault.said
    values = {"why": fault.said, **fault.values}
    if fault.code == "literal_error":  # 'this' or 'that', in English
        values["expected"] = ", ".join(re.findall(r"'([^']*)'", str(values["expected"])))
    told = _(sentence) % values if "%(" in sentence else _(sentence)
    parts = (_("no. %(row)s", row=int(one) + 1) if one.isdigit() else one for one in fault.at.split("."))
    return f"{', '.join(parts)}: {told}" if fault.at else told


def use_words(use: Use) -> str:
    """What switching off costs, as a sentence."""
    if use.what == "last-payment":
        return _("It is the only way to pay. Without one, orders are taken without any payment.")
    if use.what == "last-shipping":
        return _("It is the only way to ship. Without one, orders are taken without shipping and its price.")
    if use.what == "payments":
        return ngettext(
            "%(num)s payment made with it is open. Nobody asks about it any more; it cannot be paid back here.",
            "%(num)s payments made with it are open. Nobody asks about them any more; they cannot be paid back here.",
            use.count,
        )  # fmt: skip
    return _("Rules name it: %(codes)s. They stay in force without it.", codes=", ".join(use.codes))


def _kept(each: Field, is_sent: bool) -> str:
    """What the field shows: what was sent, but a secret only as the name of its variable."""
    if not is_sent or each.name not in request.form:
        return each.value
    sent = request.form[each.name][:LONGEST]
    is_shown = each.kind != "secret" or all(ENV.fullmatch(one.strip()) for one in sent.split())
    return sent if is_shown else each.value


def _versions(name: str, held: Held) -> list[Version]:
    known = history(get_session(), name)
    names = names_of(each.actor for each in known)
    tables = [table_of(each) for each in known]
    found = []
    for place, each in enumerate(known):
        older = tables[place + 1] if place + 1 < len(tables) else {}
        new = tables[place]
        keys = tuple(key for key in {**older, **new} if older.get(key) != new.get(key))
        who, text = names[each.actor], each.text or ""
        found.append(Version(each.id, who, each.at, each.reason, each.restores_id, keys, text, place == 0))
    return found


def confirmation(uses: Sequence[Use]) -> str:
    """Names exactly what was told, so that nobody confirms what came up meanwhile."""
    return " ".join(f"{use.what}:{use.count}:{','.join(use.codes)}" for use in uses)

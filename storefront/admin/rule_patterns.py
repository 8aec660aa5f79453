"""Rules by form: a new rule from a pattern, and an existing file as a form. What comes out is a draft of the file.

The form writes text and nothing else; the editor's page puts the draft in force.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from rules import Catalog, Ruleset
from rules.ruleset import Policy
from storefront.access import current_person, staff
from storefront.admin.desk import bp
from storefront.admin.rule_check import Checked, look_at
from storefront.admin.rule_files import path_of
from storefront.admin.rules import KINDS
from storefront.clock import today
from storefront.database import get_session, write
from storefront.language import N_, _, language
from storefront.patterns import (
    PATTERNS,
    Fault,
    Field,
    Pattern,
    PatternError,
    Said,
    Setting,
    apply_form,
    next_code,
    read_form,
    with_new_cases,
    write_rule,
)
from storefront.rulebook import NoRulesError, installed_methods
from storefront.shop import current_shop
from storefront.shop_folder.drafts import create_draft, open_drafts
from storefront.shop_folder.files import remember

Answer = str | tuple[str, int] | Response
_CODE = re.compile(r"([A-Z]{2})[0-9]{1,6}", re.ASCII)
_ROW = re.compile(r"([a-z_]+)-([0-9]{1,3})-([a-z_]+)", re.ASCII)
MOST_NAMES, MOST_ROWS, SPARE_ROWS, LONGEST = 500, 40, 3, 2_000
# The lists behind fields: kind of field, id of the datalist.
LISTS = {
    "sku": "skus",
    "category": "categories",
    "customer": "customers",
    "group": "groups",
    "method": "methods",
    "rule": "codes",
    "tag": "tags",
}

# The headings under which patterns are offered, with the groups of their rules.
SHELVES = (
    (N_("Quantities"), ("QT",)),
    (N_("Fees"), ("SC",)),
    (N_("Prices and discounts"), ("PR", "DC")),
    (N_("Orders, shipping and payment"), ("OR", "LT", "SH", "PM")),
    (N_("Catalog"), ("CA",)),
)


@dataclass
class Filled:
    """A form as it is shown: what was typed, and a sentence for each field that was refused."""

    typed: dict[str, Any]
    faults: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, faults: Iterable[Fault]) -> None:
        self.faults += [(_place(one.field), one.said.in_(language())) for one in faults]

    @property
    def errors(self) -> dict[str, str]:
        """The first sentence of each field."""
        return dict(reversed(self.faults))


def _place(name: str) -> str:
    """The id of a field of the page: breaks.0.unit stands at breaks-0-unit."""
    return name.replace(".", "-")


@dataclass(frozen=True)
class Preview:
    """What would be written: the text, and what the check says of it; nothing while a field is wrong."""

    text: str = ""
    checked: Checked | None = None


@bp.get("/rules/new")
@staff
def rule_patterns() -> str:
    """Every pattern by kind, each with a sentence that shows what it is for."""
    shelves = [
        (_(title), [one for one in PATTERNS.values() if one.group in groups]) for title, groups in SHELVES
    ]
    return render_template("admin/rule_patterns.html", groups=shelves)


# ---- a new rule


@bp.get("/rules/new/<pattern>")
@staff
def rule_pattern(pattern: str) -> str:
    """The empty form; an address may fill fields in, as a page that proposes a rule does."""
    kind = _pattern(pattern)
    named = {one.name for one in kind.fields}
    typed = _defaults(kind) | {word: value[:LONGEST] for word, value in request.args.items() if word in named}
    return _new_page(kind, Filled(typed), _free_code(kind.group), Preview())


@bp.post("/rules/new/<pattern>")
@staff
def rule_pattern_write(pattern: str) -> Answer:
    """Show what would be written, or keep it as a draft and go to the draft's page."""
    kind = _pattern(pattern)
    filled, code = Filled(_posted(kind)), request.form.get("code", "").strip()[:8]
    text = ""
    try:
        _check_code(kind, code)
        text = write_rule(kind.id, filled.typed, code=code, setting=_setting(), language=language())
    except PatternError as refused:
        filled.refuse(refused.faults)
    path = f"rules/{code}_{kind.id}.toml"
    if request.form.get("do") == "save" and text:
        return _keep(path, text, "", _("From the pattern: %(pattern)s", pattern=kind.title.in_(language())))
    answer = _new_page(kind, filled, code, _preview(path, text))
    return (answer, 422) if request.form.get("do") == "save" else answer


def _pattern(name: str) -> Pattern:
    if name not in PATTERNS:
        abort(404)
    return PATTERNS[name]


def _check_code(kind: Pattern, code: str) -> None:
    """A code of the group that no rule and no draft has. Raises PatternError."""
    match = _CODE.fullmatch(code)
    if match is None or match[1] != kind.group:
        said = Said(
            f"コードは {kind.group} と1〜6桁の数字です。例: {kind.group}10",
            f"A code is {kind.group} and one to six digits, such as {kind.group}10.",
        )
        raise PatternError([Fault("code", said)])
    if code in _codes():
        free = _free_code(kind.group)
        said = Said(
            f"{code} はもう使われています。{free} は空いています。", f"{code} is taken; {free} is free."
        )
        raise PatternError([Fault("code", said)])


def _codes() -> set[str]:
    """Codes of rules in force, of files in the folder, and of drafts that wait."""
    folder = current_shop().settings.folder / "rules"
    names = [
        *(file.name for file in folder.glob("*.toml")),
        *(one.name for one in open_drafts(get_session())),
    ]
    found = {name.partition(".")[0].partition("_")[0] for name in names}
    ruleset = _in_force()
    return found | {rule.code for rule in ruleset.rules} if ruleset is not None else found


def _free_code(group: str) -> str:
    return next_code(_codes(), group)


# ---- an existing rule


@bp.get("/rules/<code>/form")
@staff
def rule_form(code: str) -> Answer:
    """The file as a form; one that no pattern can show goes to the editor."""
    path = path_of(code)
    file = remember(current_shop(), path)
    form = read_form(file.text, _currency())
    if form is None:
        flash(_("No form can show this rule; here is its text."), "warn")
        return redirect(url_for("admin.rule_edit", code=code))
    typed = _shown(form.pattern, form.values)
    return _edit_page(code, path, form.pattern, form.untouched, Filled(typed), file.etag, Preview())


@bp.post("/rules/<code>/form")
@staff
def rule_form_write(code: str) -> Answer:
    """Write the values into the file's text, everything else as it stands, and keep that as a draft."""
    path = path_of(code)
    file = remember(current_shop(), path)
    form = read_form(file.text, _currency())
    if form is None:
        return redirect(url_for("admin.rule_edit", code=code))
    filled, text, wants = Filled(_posted(form.pattern)), "", request.form.get("do")
    is_moved = request.form.get("base", "") != file.etag
    try:
        text = apply_form(file.text, filled.typed, _currency())
    except PatternError as refused:
        filled.refuse(refused.faults)
    if text and request.form.get("cases"):
        text = with_new_cases(text, _setting(), language())
    if wants == "save" and text and not is_moved:
        return _keep(path, text, file.etag, _("Changed by form"))
    if is_moved:
        flash(_("The file was changed meanwhile. Your values are kept; look at them and save again."), "warn")
    preview = _preview(path, text, file.text)
    answer = _edit_page(code, path, form.pattern, form.untouched, filled, file.etag, preview)
    return (answer, 409 if is_moved else 422) if wants == "save" else answer


# ---- what both share


def _keep(path: str, text: str, etag: str, reason: str) -> Response:
    person = current_person()
    if person is None:
        abort(403)
    with write() as session:
        number = create_draft(
            session, path=path, text=text, actor=person.email, base_etag=etag, reason=reason
        )
    return redirect(url_for("admin.rule_draft", draft_id=number))


def _in_force() -> Ruleset | None:
    try:
        found: Ruleset = current_shop().rulebook.current()
    except NoRulesError:
        return None
    return found


def _currency() -> str:
    return str(current_shop().settings.currency)


def _setting() -> Setting:
    """The shop as a rule meets it."""
    shop = current_shop()
    ruleset = _in_force() or Ruleset((), (), Policy(currency=_currency()), "")
    return Setting(ruleset, shop.rulebook.catalog(), installed_methods(), today())


def _preview(path: str, text: str, old: str = "") -> Preview:
    return Preview(text, look_at(current_shop(), path, text, old)) if text else Preview()


def _posted(kind: Pattern) -> dict[str, Any]:
    """What was typed, by field; rows as lists."""
    typed: dict[str, Any] = {}
    for one in kind.fields:
        if one.kind != "rows":
            typed[one.name] = request.form.get(one.name, "")[:LONGEST]
            continue
        rows: dict[int, dict[str, str]] = {}
        for name, value in request.form.items():
            match = _ROW.fullmatch(name)
            if match is not None and match[1] == one.name and int(match[2]) < MOST_ROWS:
                rows.setdefault(int(match[2]), {})[match[3]] = value[:LONGEST]
        typed[one.name] = [rows.get(place, {}) for place in range(max(rows, default=-1) + 1)]
    return typed


def _defaults(kind: Pattern) -> dict[str, Any]:
    return {one.name: one.default for one in kind.fields if one.default is not None}


def _shown(kind: Pattern, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a file as they are typed."""
    typed: dict[str, Any] = {}
    for one in kind.fields:
        value = values.get(one.name)
        if one.kind == "rows":
            typed[one.name] = [{word: _text(cell) for word, cell in row.items()} for row in value or ()]
        else:
            typed[one.name] = _text(value)
    return typed


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value.isoformat() if isinstance(value, date) else "" if value is None else str(value)


def _new_page(kind: Pattern, filled: Filled, code: str, preview: Preview) -> str:
    return _page(
        kind,
        filled,
        preview,
        action=url_for("admin.rule_pattern_write", pattern=kind.id),
        code=code,
        is_new=True,
    )


def _edit_page(
    code: str,
    path: str,
    kind: Pattern,
    untouched: tuple[str, ...],
    filled: Filled,
    base: str,
    preview: Preview,
) -> str:
    return _page(
        kind,
        filled,
        preview,
        action=url_for("admin.rule_form_write", code=code),
        code=code,
        path=path,
        untouched=untouched,
        base=base,
        is_new=False,
    )


def _page(kind: Pattern, filled: Filled, preview: Preview, **more: Any) -> str:
    """The whole page, or while somebody types the part that answers."""
    is_part = "HX-Request" in request.headers
    template = "admin/_rule_pattern_preview.html" if is_part else "admin/rule_pattern.html"
    shop = current_shop()
    return render_template(
        template,
        pattern=kind,
        sections=list(_sections(kind)),
        filled=filled,
        preview=preview,
        is_part=is_part,
        lists={} if is_part else _lists(shop.rulebook.catalog(), kind.group),
        list_of=LISTS,
        choices_of=_choices,
        spare=SPARE_ROWS,
        most_rows=MOST_ROWS,
        is_live=not shop.rulebook.is_slow,
        group=_(KINDS[kind.group]),
        currency=_currency(),
        **more,
    )


def _sections(kind: Pattern) -> Iterator[tuple[str, list[Field]]]:
    """The fields under headings: whom it concerns, the rule itself, its name and days."""
    about = [one for one in kind.fields if one.kind in LISTS and one.at[0] == "when"]
    texts = [one for one in kind.fields if one.at[0] in ("name", "because", "from", "until", "beats")]
    rest = [one for one in kind.fields if one not in about and one not in texts]
    for title, fields in (
        (_("The rule"), rest),
        (_("For what and whom"), about),
        (_("Name, reason and days"), texts),
    ):
        if fields:
            yield title, fields


def _choices(one: Field) -> list[tuple[str, str]]:
    return [(value, said.in_(language())) for value, said in one.choices]


def _lists(catalog: Catalog, group: str) -> dict[str, list[str]]:
    """What the fields propose, at most as many as a browser shows well."""
    products, customers = catalog.products or {}, catalog.customers or {}
    categories: set[str] = set()
    for one in products.values():
        parts = (one.category or "").split("/")
        categories.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    groups = {one.group for one in customers.values() if one.group}
    found: dict[str, Iterable[str]] = {
        "skus": products,
        "categories": sorted(categories - {""}),
        "customers": customers,
        "groups": sorted(groups),
        "tags": sorted({tag for one in products.values() for tag in one.tags or ()}),
        "methods": sorted(installed_methods()),
        "codes": sorted(code for code in _codes() if code[:2] == group),
    }
    return {name: list(words)[:MOST_NAMES] for name, words in found.items()}

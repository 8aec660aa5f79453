"""What the shop refused: by rule and SKU with the median asked, what a fee would have earned, and a draft of that rule.

Figures are read in bulk and only told here; a draft changes nothing until somebody puts it in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as Redirect

from rules import Ruleset
from rules.money import amount_text, to_major, to_minor
from storefront import format
from storefront.access import current_person, staff
from storefront.admin.desk import asked, bp
from storefront.admin.rules import health
from storefront.attempts import figures, reading
from storefront.attempts.drafting import with_fee
from storefront.attempts.figures import Refusals, WhatIf
from storefront.catalog import Product
from storefront.clock import now, today
from storefront.database import get_session, write
from storefront.language import N_, _, language, ngettext, text
from storefront.patterns import PatternError, next_code, write_rule
from storefront.patterns.scenes import Setting
from storefront.shop import current_shop
from storefront.shop_folder.drafts import create_draft
from storefront.shop_folder.files import check_draft
from storefront.shop_folder.files import read as read_file
from storefront.transfer import sheet

PERIODS = {
    "7": N_("7 days"),
    "30": N_("30 days"),
    "90": N_("90 days"),
    "396": N_("13 months"),
}
SHOWN = {
    "refused": N_("Refused or sent to a quotation"),
    "approval": N_("Held for approval"),
    "surcharge": N_("Only with a fee"),
}
MOST_SHOWN = 200
ENDINGS = (
    ("raised", N_("Raised to what was needed and bought")),
    ("paid_fee", N_("Paid the fee")),
    ("ordered", N_("Bought otherwise")),
    ("removed", N_("Taken out of the cart")),
    ("abandoned", N_("Left and not come back for")),
    ("", N_("Still in a cart")),
)


@dataclass(frozen=True)
class Asked:
    """The filters as they were understood."""

    period: str
    shown: str

    @classmethod
    def of_request(cls) -> Asked:
        period, shown = asked("period", 3), asked("shown", 10)
        return cls(period if period in PERIODS else "30", shown if shown in SHOWN else "refused")

    def read(self, **which: str) -> list[Refusals]:
        since = now() - timedelta(days=int(self.period))
        return reading.refusals(get_session(), since, kind=self.shown, **which)


@bp.get("/refusals")
@staff
def refusals() -> str:
    """The list by rule and SKU, the most refused first; of one rule where the address names it."""
    filters = Asked.of_request()
    code = asked("code", 32)
    found = filters.read(code=code) if code else filters.read()
    return render_template(
        "admin/refusals.html",
        found=found[:MOST_SHOWN],
        total=len(found),
        carts=sum(one.carts for one in found),
        lost=sum(one.lost_minor for one in found),
        filters=filters,
        code=code,
        sentence=sentence,
        amount=amount,
        units=_units(found),
        guess_of=_what_if,
        is_kept=current_shop().settings.history.refusals,
        periods=[(days, _(word)) for days, word in PERIODS.items()],
        kinds=[(kind, _(word)) for kind, word in SHOWN.items()],
        health=health(),
    )


@bp.get("/refusals.csv")
@staff
def refusals_csv() -> Response:
    """The same list as CSV; amounts are plain numbers."""
    currency = current_shop().settings.currency
    header = (
        "code", "sku", "kind", "field", "unit", "need", "carts", "companies", "median_asked", *figures.ENDED, "open",
        "goods_lost", "currency",
    )  # fmt: skip

    def plain(one: Refusals, value: int | None) -> str:
        if value is None:
            return ""
        return amount_text(value, currency) if one.unit == "money" else str(value)

    rows = [
        [
            one.code, one.sku, one.kind, one.field, one.unit, plain(one, one.need), str(one.carts), str(one.companies),
            plain(one, one.median), *(str(one.ended(name)) for name in (*figures.ENDED, "")),
            amount_text(one.lost_minor, currency), currency,
        ]
        for one in Asked.of_request().read()
    ]  # fmt: skip
    return Response(
        sheet.write(header, rows),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename=refusals-{today().isoformat()}.csv"},
    )


@bp.get("/refusals/<code>")
@staff
def refusal(code: str) -> str:
    """One rule and SKU: who asked for how many, how it ended, and what a fee would have earned."""
    filters = Asked.of_request()
    one = _one(filters, code)
    bins = figures.histogram(one.asked())
    return render_template(
        "admin/refusal.html",
        one=one,
        filters=filters,
        said=sentence(one, _units([one])),
        bins=bins,
        plot=_plot(one, bins, _units([one])),
        amount=amount,
        unit=_units([one]).get(one.sku),
        guess=_what_if(one, request.args),
        draftable=_draftable(one),
        endings=[(_(word), one.ended(ending)) for ending, word in ENDINGS],
        percent=_percent,
        health=health(),
    )


def _one(filters: Asked, code: str) -> Refusals:
    if len(code) > 32 or not code.isprintable():
        abort(404)
    found = filters.read(code=code, sku=asked("sku", 64))
    if not found:
        abort(404)
    return found[0]


def _units(found: list[Refusals]) -> dict[str, Any]:
    """Sales units by SKU, one statement."""
    query = select(Product.sku, Product.sales_unit).where(Product.sku.in_([one.sku for one in found]))
    return {row.sku: row.sales_unit for row in get_session().execute(query)}


def amount(one: Refusals, value: int | None, unit: Any = None) -> str:
    """A figure of the entry in its unit: pieces, or money."""
    return format.money(value) if one.unit == "money" else format.quantity(value, unit)


def _percent(part: int, whole: int) -> str:
    return format.percent(Decimal(round(100 * part / whole)) / 100) if whole else "—"


def sentence(one: Refusals, units: Mapping[str, Any]) -> str:
    """MOQ 50 on P-12 refused 37 carts, median asked 30."""
    unit = units.get(one.sku)
    words = {
        "need": amount(one, one.need, unit),
        "sku": one.sku,
        "carts": ngettext("%(num)s cart", "%(num)s carts", one.carts),
        "median": amount(one, one.median, unit),
        "code": one.code,
    }
    if one.field == "minimum" and one.sku:
        return _("MOQ %(need)s on %(sku)s stopped %(carts)s, median asked %(median)s.", **words)
    if one.field == "minimum":
        return _("The order minimum of %(need)s stopped %(carts)s, median %(median)s.", **words)
    if one.field in ("multiple", "allowed"):
        return _("The lot of %(sku)s stopped %(carts)s, median asked %(median)s.", **words)
    if one.field == "maximum" and one.sku:
        return _("The maximum of %(need)s on %(sku)s stopped %(carts)s, median asked %(median)s.", **words)
    if one.field == "maximum":
        return _("The order maximum of %(need)s stopped %(carts)s, median %(median)s.", **words)
    if one.kind == "stock":
        return _("The stock of %(sku)s was short for %(carts)s, median asked %(median)s.", **words)
    return _("%(sku)s could not be ordered by %(code)s in %(carts)s, median asked %(median)s.", **words)


def _what_if(one: Refusals, args: Mapping[str, str] | None = None) -> WhatIf | None:
    """A fee below the minimum; what it would have earned under the owner's assumptions. None for other fields."""
    if one.field != "minimum" or one.need is None:
        return None
    args, settings = args or {}, current_shop().settings
    at, fee = one.median, settings.handling_minor("phone")
    typed = _number(args.get("at", ""))
    if typed is not None and typed > 0:
        at = min(_minor(typed) if one.unit == "money" else int(typed), one.need)
    if (typed := _number(args.get("fee", ""))) is not None:
        fee = _minor(typed)
    typed = _number(args.get("share", ""))
    share = min(int(typed), 100) if typed is not None else 100
    return figures.what_if(one.counts, at=at, fee_minor=fee, share=share)


def _number(typed: str) -> Decimal | None:
    """A number of a form, not negative and not absurd; None for anything else."""
    try:
        value = Decimal(typed.replace(",", "").strip()[:20])
    except InvalidOperation:
        return None
    return value if value.is_finite() and 0 <= value < 10**9 else None


def _minor(value: Decimal) -> int:
    return to_minor(value, current_shop().settings.currency)


def _plot(one: Refusals, bins: list[figures.Bin], units: Mapping[str, Any]) -> dict[str, Any]:
    """Bars for admin/_comparison.html; the same figures stand in the table below."""
    most = max(each.carts for each in bins)
    bars = [
        {
            "y": place * 40,
            "label": _between(one, each, units),
            "shown": format.number(each.carts),
            "x": 0,
            "draft": each.carts * 360 // most,
            "is_loss": False,
        }
        for place, each in enumerate(bins)
    ]
    title = _("How many were asked for")
    return {"title": title, "pairs": False, "bars": bars, "height": 40 * len(bars), "axis": 0}


def _between(one: Refusals, each: figures.Bin, units: Mapping[str, Any]) -> str:
    unit = units.get(one.sku)
    if each.first == each.last:
        return amount(one, each.first, unit)
    first = amount(one, each.first) if one.unit == "money" else format.number(each.first)
    return _("%(first)s to %(last)s", first=first, last=amount(one, each.last, unit))


# --- the draft ---------------------------------------------------------------------------------------------------


def _draftable(one: Refusals) -> list[str]:
    """Which drafts can be made: of the rule itself, and of a rule for this product alone."""
    ruleset = health().ruleset
    rule = _rule(ruleset, one.code)
    if one.field != "minimum" or rule is None:
        return []
    return ["edit", *(["own"] if one.sku else [])]


def _rule(ruleset: Ruleset | None, code: str) -> Any:
    return next((rule for rule in ruleset.rules if rule.code == code), None) if ruleset is not None else None


@bp.post("/refusals/<code>/draft")
@staff
def refusal_draft(code: str) -> Redirect:
    """Draft the fee that was asked about: into the rule itself, or as a rule of its own for the product."""
    form, person = request.form, current_person()
    sku, ruleset = form.get("sku", "")[:64], health().ruleset
    rule = _rule(ruleset, code)
    at, fee = _number(form.get("at", "")), _number(form.get("fee", ""))
    if rule is None or ruleset is None or "\0" in sku:
        abort(404)
    back = redirect(url_for("admin.refusal", code=code, sku=sku), 303)
    if at is None or not fee:
        flash(_("From how many, and which fee? Both are needed for a draft."), "block")
        return back
    made = _own_rule(ruleset, rule, sku, at, fee) if form.get("do") == "own" else _edited(rule, sku, at, fee)
    if made is None:
        flash(_("No draft could be made of it: the fee must begin below the minimum of %(code)s, and on its lot.",
                code=code), "block")  # fmt: skip
        return back
    path, written, etag = made
    assert person is not None
    with write() as session:
        reason = _("After refusals of %(code)s on %(sku)s", code=code, sku=sku or _("whole orders"))
        draft_id = create_draft(
            session, path=path, text=written, actor=person.email, base_etag=etag, reason=reason
        )
    return redirect(url_for("admin.rule_draft", draft_id=draft_id), 303)


def _edited(rule: Any, sku: str, at: Decimal | int, fee: Decimal) -> tuple[str, str, str] | None:
    """The rule's file with the fee, and a case for it unless that case would not hold."""
    shop = current_shop()
    file = read_file(shop, rule.path)
    at = at if rule.group == "OR" else int(at)
    written = with_fee(file.text, at=at, fee=fee, sku=sku)
    if written is None:
        return None
    before = len([one for one in check_draft(shop, {}).errors if one.file == rule.path])
    errors = [one for one in check_draft(shop, {rule.path: written}).errors if one.file == rule.path]
    if len(errors) > before and any(one.line >= written.count("\n") - 6 for one in errors):
        written = with_fee(file.text, at=at, fee=fee, is_proven=False) or written
    return rule.path, written, file.etag


def _own_rule(
    ruleset: Ruleset, rule: Any, sku: str, at: Decimal, fee: Decimal
) -> tuple[str, str, str] | None:
    """A rule for this product alone, from the pattern of a minimum with a fee; it outranks the one for more."""
    if not sku or rule.group != "QT" or rule.effect.minimum is None:
        return None
    shop = current_shop()
    effect = rule.effect
    code = next_code((one.code for one in ruleset.rules), "QT")
    values = {
        "sku": [sku],
        "minimum": effect.minimum,
        "fee_from": int(at),
        "amount": fee,
        "label_ja": "小ロット手数料",
        "label_en": "Small-lot fee",
        "because_ja": text(rule.because) if rule.because else "",
        "because_en": (rule.because or {}).get("en", ""),
    }
    if effect.multiple:
        values["multiple"] = effect.multiple
    setting = Setting(ruleset, shop.rulebook.catalog(), None, today())
    try:
        written = write_rule("minimum", values, code=code, setting=setting, language=language())
    except PatternError:
        return None
    name = "".join(char if char.isascii() and char.isalnum() else "_" for char in sku.lower())[:40]
    return f"rules/{code}_{name or 'minimum'}.toml", written, ""


def fee_words(guess: WhatIf, one: Refusals, unit: Any = None) -> dict[str, str]:
    """The figures of a what-if in words."""
    return {
        "fee": format.money(guess.fee_minor),
        "at": amount(one, guess.at, unit),
        "earned": format.money(guess.earned_minor),
        "share": str(guess.share),
        "reached": ngettext("%(num)s cart", "%(num)s carts", guess.reached),
    }


@bp.app_template_filter("fee_sentence")
def fee_sentence(guess: WhatIf, one: Refusals, unit: Any = None) -> str:
    """A fee of 600 at 30 would have earned 13,200: 22 carts asked for as much, if all had paid."""
    words = fee_words(guess, one, unit)
    if guess.share == 100:
        return _(
            "A fee of %(fee)s at %(at)s would have earned %(earned)s: %(reached)s asked for as much, if all had paid.",
            **words,
        )
    return _(
        "A fee of %(fee)s at %(at)s would have earned %(earned)s: %(reached)s asked for as much, if "
        "%(share)s%% had paid.",
        **words,
    )


@bp.app_template_filter("fee_typed")
def fee_typed(minor: int) -> str:
    """Minor units as a form shows them."""
    return f"{to_major(minor, current_shop().settings.currency):f}"

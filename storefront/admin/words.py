"""Words of the desk for codes that are kept in tables: stock moves, payment states, verbs of the audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storefront.accounts.terms import is_over_sixty_days, longest_wait
from storefront.admin.desk import bp
from storefront.language import N_, _, ngettext

WORDS = {
    # stock moves
    "receive": N_("arrival"),
    "adjust": N_("count"),
    "reserve": N_("reserved"),
    "release": N_("released"),
    "unship": N_("taken back"),
    # payments
    "created": N_("not begun"),
    "requires_action": N_("waiting for the customer"),
    "pending": N_("waiting for the money"),
    "authorized": N_("promised"),
    "captured": N_("paid"),
    "voided": N_("given up"),
    "partially_refunded": N_("partly paid back"),
    "refunded": N_("paid back"),
    "disputed": N_("disputed"),
    "review": N_("in review"),
    "failed": N_("failed"),
    "canceled": N_("given up"),
    # the audit
    "add": N_("added"),
    "change": N_("changed"),
    "remove": N_("taken away"),
    "stock": N_("stock changed"),
    "import": N_("file taken in"),
    "approve": N_("approved"),
    "decline": N_("declined"),
    "revoke": N_("revoked"),
    "see": N_("looked at"),
    "paid": N_("payment noted"),
    "produce": N_("production begun"),
    "ship": N_("shipped"),
    "deliver": N_("delivered"),
    "close": N_("closed"),
    "cancel": N_("cancelled"),
}


@bp.app_template_filter("desk_word")
def desk_word(code: str) -> str:
    """The word for a code, or the code itself when nobody has thought of one."""
    return _(WORDS[code]) if code in WORDS else code


@bp.app_template_filter("long_terms")
def long_terms(terms: Mapping[str, Any] | None) -> str:
    """A warning where these terms let a delivery wait for more than sixty days; else nothing."""
    if terms is None or not is_over_sixty_days(terms):
        return ""
    return _(
        "A delivery may wait %(days)s days for its payment. For goods made to a buyer's order the law on fair "
        "subcontracting allows 60, the day of receipt counted.",
        days=longest_wait(terms),
    )


@bp.app_template_filter("terms_words")
def terms_words(terms: Mapping[str, Any] | None) -> str:
    """Payment terms as people say them: closed on the 20th, paid at the end of the next month."""
    if not terms:
        return "—"
    if "net_days" in terms:
        days = ngettext(
            "%(num)s day after the invoice", "%(num)s days after the invoice", int(terms["net_days"])
        )
        counted = _("counted from the end of the month")
        return f"{days} ({counted})" if terms.get("end_of_month") else days
    closing, pay = (_day(terms.get(name, 31)) for name in ("closing_day", "pay_day"))
    months = int(terms.get("pay_month", 1))
    when = {0: _("the same month"), 1: _("the next month")}.get(months) or _(
        "%(months)s months later", months=months
    )
    return _("closed on %(closing)s, paid on %(pay)s of %(when)s", closing=closing, pay=pay, when=when)


def _day(day: int) -> str:
    return _("the last day") if int(day) >= 29 else _("day %(day)s", day=day)

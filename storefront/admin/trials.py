"""Rules on trial and pilots: what shadow rules would have done to the orders since, and who is in a pilot.

Counted by storefront.attempts.trials; nothing here evaluates an order or changes a rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, render_template

from rules import Catalog, Rule
from rules.in_force import is_in_scope
from storefront import format
from storefront.access import staff
from storefront.admin.desk import bp
from storefront.admin.rules import health
from storefront.attempts.trials import STOPS, Sums, Trial, read_trials, shadow_rules
from storefront.database import get_session
from storefront.language import _, language, ngettext
from storefront.regions import region_options
from storefront.shop import current_shop

MOST_WEEKS = 12  # in the plot; the table has all


@dataclass(frozen=True)
class Pilot:
    """For whom a rule with a [scope] is switched on, in words and counted over the known customers."""

    rule: Rule
    words: str
    inside: int
    customers: int


@bp.get("/trials")
@staff
def trials() -> str:
    """Each shadow rule with what it would have done, and each rule with a scope."""
    now = health()
    rules = now.ruleset.rules if now.ruleset is not None else ()
    return render_template(
        "admin/trials.html",
        trials=read_trials(get_session(), shadow_rules(rules)),
        pilots=_pilots(rules),
        sentence=sentence,
        health=now,
    )


@bp.get("/trials/<code>")
@staff
def trial(code: str) -> str:
    """One trial: by week with a plot, and by customer."""
    now = health()
    rules = [one for one in (now.ruleset.rules if now.ruleset is not None else ()) if one.code == code]
    if not shadow_rules(rules):
        abort(404)
    (found,) = read_trials(get_session(), rules)
    return render_template(
        "admin/trial.html",
        trial=found,
        rule=rules[0],
        pilots=_pilots(rules),
        said=sentence(found),
        plot=_plot(found),
        stops=STOPS,
        health=now,
    )


def sentence(found: Trial) -> str:
    """Would have: 12 of 500 orders, fees 8,400, 2 refused."""
    if found.since is None:
        return _("Nothing yet: no order has met the rule, and its file names no first day.")
    sums = found.sums
    parts = [
        _("%(touched)s of %(orders)s changed", touched=format.number(sums.touched),
          orders=ngettext("%(num)s order", "%(num)s orders", found.orders)),
        _("fees %(amount)s", amount=format.money(sums.fees_minor)),
    ]  # fmt: skip
    if sums.less_minor:
        parts.append(_("%(amount)s less", amount=format.money(sums.less_minor)))
    parts.append(_("%(count)s refused", count=format.number(sums.refused)))
    if sums.held:
        parts.append(_("%(count)s waiting for approval", count=format.number(sums.held)))
    listed = ("、" if language() == "ja" else ", ").join(parts)
    return _(
        "Since %(day)s it would have: %(listed)s.", day=format.day_text(found.since, year=True), listed=listed
    )


def _plot(found: Trial) -> dict[str, Any] | None:
    """Orders touched a week, the last MOST_WEEKS, for admin/_comparison.html."""
    weeks: Sequence[tuple[Any, Sums]] = found.weeks[-MOST_WEEKS:]
    most = max((sums.touched for _week, sums in weeks), default=0)
    if not most:
        return None
    bars = [
        {
            "y": place * 40,
            "label": format.day_text(week),
            "shown": format.number(sums.touched),
            "x": 0,
            "draft": sums.touched * 360 // most,
            "is_loss": False,
        }
        for place, (week, sums) in enumerate(weeks)
    ]
    return {
        "title": _("Orders changed, by week"),
        "pairs": False,
        "bars": bars,
        "height": 40 * len(bars),
        "axis": 0,
    }


def _pilots(rules: Sequence[Rule]) -> list[Pilot]:
    """The catalog is only read where some rule has a scope."""
    scoped = [rule for rule in rules if rule.scope is not None and rule.mode != "off"]
    if not scoped:
        return []
    catalog: Catalog = current_shop().rulebook.catalog()
    known = list((catalog.customers or {}).values())
    return [
        Pilot(rule, scope_words(rule), sum(is_in_scope(rule.scope, one) for one in known), len(known))
        for rule in scoped
        if rule.scope is not None
    ]


def scope_words(rule: Rule) -> str:
    """A [scope] as a sentence: 20% of the customers in Osaka, and always ACME."""
    scope = rule.scope
    if scope is None:
        return _("every customer")
    names = dict(region_options())
    comma = "、" if language() == "ja" else ", "
    places = comma.join(names.get(region, region) for region in scope.regions or ())
    parts = []
    if scope.percent is not None and scope.regions is not None:
        parts.append(
            _(
                "%(percent)s%% of the customers in %(places)s",
                percent=format.number(scope.percent),
                places=places,
            )
        )
    elif scope.percent is not None:
        parts.append(_("%(percent)s%% of all customers", percent=format.number(scope.percent)))
    elif scope.regions is not None:
        parts.append(_("the customers in %(places)s", places=places))
    if scope.customers:
        parts.append(_("always %(codes)s", codes=comma.join(scope.customers)))
    return comma.join(parts) or _("nobody")

"""koguchi rules trials SHOP: what the rules on trial would have done to the orders placed since each trial began.

Reads the shop's database. --rebuild first makes the counts again from what every order was decided with.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storefront.commands.shop_argument import add_shop

if TYPE_CHECKING:
    from storefront.attempts.trials import Trial

NOT_THERE = 2


def register(subparsers: Any) -> None:
    """Add `trials`."""
    parser = subparsers.add_parser("trials", help="what rules on trial would have done to the orders since")
    add_shop(parser, Path(), Path)
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument(
        "--rebuild", action="store_true", help="count again from what every order was decided with"
    )


def run(args: argparse.Namespace) -> int:
    """Print the report; 1 when no rules serve, 2 when there is no database to read."""
    from sqlalchemy.exc import SQLAlchemyError

    from storefront import create_app
    from storefront.attempts.endings import rebuild_trials
    from storefront.attempts.trials import read_trials, shadow_rules
    from storefront.database import get_session
    from storefront.rulebook import NoRulesError
    from storefront.settings import SettingsError
    from storefront.shop import current_shop

    try:
        app = create_app(args.shop)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return NOT_THERE
    with app.app_context():
        try:
            ruleset = current_shop().rulebook.current()
            if args.rebuild:
                print(f"{rebuild_trials()} orders with results of trials.", file=sys.stderr)
            found = read_trials(get_session(), shadow_rules(ruleset.rules))
        except NoRulesError as error:
            print(error, file=sys.stderr)
            return 1
        except SQLAlchemyError as error:
            print(f"the shop's database cannot be read: {error.__class__.__name__}. "
                  "`koguchi db upgrade` makes or brings up to date its tables.", file=sys.stderr)  # fmt: skip
            return NOT_THERE
    currency = ruleset.policy.currency
    if args.json:
        print(json.dumps([trial.as_json(currency) for trial in found], ensure_ascii=False, indent=2))
    else:
        print("\n".join(report(trial, currency) for trial in found) or 'No rule says mode = "shadow".')
    return 0


def report(trial: Trial, currency: str) -> str:
    """One trial as lines: would have: 12 of 500 orders, fees 8,400, 2 refused."""
    from rules.money import amount_text

    name = trial.name.get("en") or next(iter(trial.name.values()), "")
    if trial.since is None:
        return f"{trial.code} {name}: nothing yet; the file names no first day."
    sums = trial.sums
    parts = [f"{sums.touched:,} of {trial.orders:,} orders", f"fees {_amount(sums.fees_minor, currency)}"]
    if sums.less_minor:
        parts.append(f"{_amount(sums.less_minor, currency)} less")
    parts.append(f"{sums.refused:,} refused")
    if sums.held:
        parts.append(f"{sums.held:,} waiting for approval")
    lines = [f"{trial.code} {name}: since {trial.since} would have: {', '.join(parts)}."]
    if trial.carts:
        lines.append(
            f"     of {trial.carts:,} refused carts it met, {trial.carts_through:,} would have gone through"
        )
    for one in trial.companies[:10]:
        lines.append(f"     {one.code or 'unknown'}: {one.sums.touched:,} of its {one.sums.matched:,} matching orders, "
                     f"fees {amount_text(one.sums.fees_minor, currency)}, {one.sums.refused:,} refused")  # fmt: skip
    return "\n".join(lines)


def _amount(minor: int, currency: str) -> str:
    from rules.explain import grouped
    from rules.money import amount_text

    return str(grouped(amount_text(minor, currency)))

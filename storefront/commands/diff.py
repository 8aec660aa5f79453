"""koguchi rules diff A B: what a draft changes for which customer, in sentences, or as a notice to one of them.

A is a shop folder; B another one, or rule files laid over A. Changes nothing and sends nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rules import Loaded, Ruleset
    from rules.diff import CustomerDiff
    from storefront.replays.diffs import Purchases


MOST = 12  # sentences about one customer, unless that customer was asked for


def register(subparsers: Any) -> None:
    """Add `diff`."""
    parser = subparsers.add_parser("diff", help="what another set of rules changes for whom, in sentences")
    parser.add_argument("shop", type=Path, metavar="A", help="the shop folder with the rules in force")
    parser.add_argument(
        "draft", type=Path, metavar="B", help="another shop folder, or rule files laid over A"
    )
    parser.add_argument("--lang", choices=("ja", "en", "both"), default="both", help="default: both")
    parser.add_argument("--customer", metavar="CODE", help="only this customer")
    parser.add_argument(
        "--notice", metavar="CODE", help="a notice to send to this customer: subject and text"
    )
    parser.add_argument(
        "--orders",
        metavar="SOURCE",
        default="last:12m",
        help="what counts as bought: last:12m (default), last:30d, all, two dates or a CSV file",
    )
    parser.add_argument(
        "--on", type=_day, metavar="DATE", help="the day the draft begins (default: as its rules say)"
    )
    parser.add_argument("--json", action="store_true", help="the changes as JSON")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no date such as 2026-12-01") from None


def run(args: argparse.Namespace) -> int:
    """Print; 1 when rules have errors, 2 when something named is not there."""
    from rules.report import nearest
    from storefront.commands.comparing import watched
    from storefront.commands.rule_folder import InstalledMethods, load
    from storefront.past.orders import OrdersError
    from storefront.past.periods import PeriodError
    from storefront.replays.diffs import diffs, gaps, starts_on
    from storefront.replays.drafts import DraftError, load_draft, read_draft

    loaded, today = load(args.shop, run_cases=False)
    for finding in loaded.errors:
        print(finding, file=sys.stderr)
    if loaded.ruleset is None:
        return 1
    only, customers = args.notice or args.customer, loaded.catalog.customers or {}
    if only is not None and only not in customers:
        print(f'there is no customer "{only}". {nearest(only, customers)}'.strip(), file=sys.stderr)
        return 2
    try:
        draft, errors = load_draft(
            read_draft(args.shop, args.draft), loaded.catalog, InstalledMethods(), today
        )
        purchases = _purchases(args, loaded, today)
    except (DraftError, OrdersError, PeriodError) as error:
        print(error, file=sys.stderr)
        return 2
    for finding in errors:
        print(f"{'note' if draft else 'draft'}: {finding}", file=sys.stderr)
    if draft is None:
        return 1
    for code in gaps(loaded.ruleset, draft, today):
        print(
            f"note: {code} begins later in the draft; from now until then it would not hold at all",
            file=sys.stderr,
        )
    on = args.on or starts_on(loaded.ruleset, draft, today)
    when = "year" if args.orders in ("last:12m", "last:365d") else "any"
    every = diffs(loaded.ruleset, draft, loaded.catalog, purchases, on, only, when)
    found = list(watched(every, len(customers) + 1, "customers"))
    _print(args, found, loaded.ruleset, draft)
    return 0


def _purchases(args: argparse.Namespace, loaded: Loaded, today: date) -> Purchases:
    """What each customer bought; nothing where the shop has no orders of that time and none were asked for by name."""
    from storefront.commands.comparing import watched
    from storefront.commands.order_source import find_orders
    from storefront.past.orders import OrdersError
    from storefront.replays.diffs import Purchases

    assert loaded.ruleset is not None
    try:
        source = find_orders(args.shop, args.orders, loaded.catalog, loaded.ruleset.policy.currency, today)
        return Purchases.of(watched(source.orders(), len(source)))
    except OrdersError as error:
        if args.orders != "last:12m":
            raise
        print(f"note: {error}; all products are compared", file=sys.stderr)
        return Purchases()


def _print(args: argparse.Namespace, found: Sequence[CustomerDiff], live: Ruleset, draft: Ruleset) -> None:
    from rules.diff_words import diff_json, notice

    languages = ("ja", "en") if args.lang == "both" else (args.lang,)
    if args.notice:
        own = found[0]
        for language in languages:
            shop, name, contact = sender(args.shop, language, own.customer.code)
            subject, body = notice(own, language, shop=shop, name=name, contact=contact)
            if args.json:
                print(
                    json.dumps({"language": language, "subject": subject, "body": body}, ensure_ascii=False)
                )
            else:
                print(f"{'件名' if language == 'ja' else 'Subject'}: {subject}\n\n{body}")
        return
    changed = [one for one in found if one.changes]
    if args.json:
        told = {"live": live.hash, "draft": draft.hash, "customers": [diff_json(one) for one in changed]}
        print(json.dumps(told | {"unchanged": len(found) - len(changed)}, ensure_ascii=False, indent=2))
        return
    for one in changed:
        print(_customer(one, languages, 10_000 if args.customer else MOST))
    print(
        f"{len(changed):,} of {len(found):,} customers see a change from {found[0].on} on; visitors count as one"
    )


def _customer(one: CustomerDiff, languages: Sequence[str], most: int) -> str:
    from rules.diff_words import sentences

    items = f"{one.items} items bought" if one.bought else f"{one.items} products, none bought"
    lines = [f"{one.customer.code or 'visitors'} ({items}), from {one.on} on"]
    for language in languages:
        told = sentences(one, language)
        lines += [f"  {sentence}" for sentence in told[:most]]
        if len(told) > most:
            lines.append(f"  ... and {len(told) - most:,} more; --customer {one.customer.code} tells all")
    return "\n".join(lines) + "\n"


def sender(shop: Path, language: str, code: str | None) -> tuple[str, str, str]:
    """Who writes, to whom, and how the shop is reached, as far as shop.toml and the database tell."""
    from storefront.commands.comparing import company_names
    from storefront.settings import SettingsError, load_settings

    name = company_names(shop).get(code or "", "")
    try:
        settings = load_settings(shop, overrides={"secret_key": "of no use here"})
    except SettingsError:
        return shop.resolve().name, name, ""
    own = settings.legal_name or settings.name
    contact = " ".join(part for part in (settings.phone, settings.email) if part)
    return own[language], name, contact

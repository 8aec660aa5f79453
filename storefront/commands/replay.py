"""koguchi rules replay SHOP: the shop's past orders under its rules of today, added up by rule.

Reads orders from the database, or from SHOP/orders.csv when there is none. Writes nothing to either.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storefront.commands.shop_argument import add_shop

if TYPE_CHECKING:
    from rules import Ruleset
    from rules.replay import Replay


def register(subparsers: Any) -> None:
    """Add `replay`."""
    parser = subparsers.add_parser(
        "replay", help="past orders under the rules of today, or under a draft of them"
    )
    add_shop(parser, Path(), Path)
    parser.add_argument(
        "--orders",
        metavar="SOURCE",
        help="all (default), last:12m, last:30d, 2025-01-01..2025-12-31 or a CSV file",
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="DRAFT",
        help="compare with another shop folder, or with rule files laid over this",
    )
    parser.add_argument("--json", action="store_true", help="the sums as JSON")
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="with --against: rows by customer, region and rule"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="with --against: one page with plots and tables"
    )
    parser.add_argument("--lang", choices=("ja", "en"), help="the language of that page (default: ja)")
    parser.add_argument(
        "--jobs", type=_jobs, metavar="N", help="with --against: processes (default: all cores)"
    )


def _jobs(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"{text} is no number of processes from 1 to 64")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Replay and print; 1 when the rules have errors (rule-semantics 13), 2 when there are no orders to read."""
    from rules.replay import Replay, replay_one
    from storefront.commands.comparing import run_against, watched
    from storefront.commands.order_source import find_orders
    from storefront.commands.rule_folder import load
    from storefront.past.orders import OrdersError
    from storefront.past.periods import PeriodError
    from storefront.replays.parallel import rare_collection

    if args.against is None and (args.csv or args.html):
        print("--csv and --html show two sets of rules side by side: add --against DRAFT", file=sys.stderr)
        return 2
    loaded, today = load(args.shop, run_cases=True)
    for finding in loaded.errors:
        print(finding, file=sys.stderr)
    if loaded.ruleset is None:
        return 1
    if args.against is not None:
        return run_against(args, loaded, loaded.ruleset, today)
    found = Replay(loaded.ruleset.hash, loaded.ruleset.policy.currency)
    try:
        source = find_orders(args.shop, args.orders, loaded.catalog, found.currency, today)
    except (OrdersError, PeriodError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    started = time.monotonic()
    with rare_collection():
        for order in watched(source.orders(), len(source)):
            replay_one(loaded.ruleset, order, found)
    seconds = time.monotonic() - started
    if args.json:
        print(json.dumps({**found.as_json(), "seconds": round(seconds, 2)}, ensure_ascii=False, indent=2))
    else:
        print(report(found, loaded.ruleset, args.shop, seconds))
    return 0


def report(found: Replay, ruleset: Ruleset, folder: Path, seconds: float) -> str:
    """The sums as a table that a person reads."""
    data = found.as_json()
    now, then = data["now"], data["then"]
    rate = f"{found.orders / seconds:,.0f} a second" if seconds > 0 else "at once"
    text = []
    source = folder / "SOURCE.txt"
    if source.is_file():
        text.append(f"Data: {source.read_text(encoding='utf-8').strip()}\n")
    span = f" from {data['from']} to {data['until']}" if data["from"] else ""
    text.append(f"{found.orders:,} orders with {found.lines:,} lines{span}, in {seconds:.1f} s ({rate})")
    text.append(f"amounts in {found.currency} without tax and shipping, rules {found.ruleset[:15]}\n")
    rows = [
        ("", "as placed", "these rules"),
        ("goods", then["goods"], now["goods"]),
        ("  of refused orders", "", now["refused_goods"]),
        ("surcharges", then["surcharges"], now["surcharges"]),
        ("revenue", _sum(found, found.goods_then + found.surcharges_then), now["revenue"]),
    ]
    text += [f"{name:<24}{_grouped(a):>18}{_grouped(b):>18}" for name, a, b in rows]
    outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in found.outcomes.items() if count)
    text += ["", f"outcomes: {outcomes or 'none'}", ""]
    text += _rule_table(data["rules"], ruleset)
    for entry in data["not_evaluated"]:
        text.append(
            f"{entry['orders']:,} orders could not be evaluated, such as {entry['example']}: {entry['reason']}"
        )
    return "\n".join(text)


def _sum(found: Replay, minor: int) -> str:
    from rules.money import amount_text

    return amount_text(minor, found.currency)


def _grouped(amount: str) -> str:
    """ "1234.50" as "1,234.50"; other words as they are."""
    whole, point, rest = amount.partition(".")
    return f"{int(whole):,}{point}{rest}" if whole.lstrip("-").isdigit() else amount


def _rule_table(rules: list[dict[str, Any]], ruleset: Ruleset) -> list[str]:
    if not rules:
        return ["no rule charged, refused or held any order"]
    names = {rule.code: rule.name.get("en") or next(iter(rule.name.values())) for rule in ruleset.rules}
    lines = [f"{'rule':<9}{'refused':>9}{'held':>8}{'charges':>9}{'charged':>14}{'refused goods':>16}  name"]
    for rule in rules:
        found = rule["findings"]
        held = found.get("quotation", 0) + found.get("approval", 0)
        lines.append(
            f"{rule['code']:<9}{found.get('block', 0):>9,}{held:>8,}{rule['charges']:>9,}"
            f"{_grouped(rule['charged']):>14}{_grouped(rule['refused_goods']):>16}  {names.get(rule['code'], '')}"
        )
    return lines

"""koguchi rules replay SHOP: the shop's past orders under its rules of today, added up by rule.

Reads orders from the database, or from SHOP/orders.csv when there is none. Writes nothing.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storefront.commands.shop_argument import add_shop

if TYPE_CHECKING:
    from rules import Ruleset
    from rules.files import Loaded
    from rules.replay import PastOrder, Replay

TOLD_EVERY = 1.0  # seconds between two lines of progress


def register(subparsers: Any) -> None:
    """Add `replay`."""
    parser = subparsers.add_parser("replay", help="past orders under the rules of today")
    add_shop(parser, Path(), Path)
    parser.add_argument("--orders", type=Path, help="a CSV file of orders instead of the database")
    parser.add_argument("--json", action="store_true", help="the sums as JSON")


def run(args: argparse.Namespace) -> int:
    """Replay and print; 1 when the rules have errors (rule-semantics 13), 2 when there are no orders to read."""
    from rules.replay import Replay, replay_one
    from storefront.commands.rules import load
    from storefront.past_orders import OrdersError

    loaded, _today = load(args.shop, run_cases=True)
    for finding in loaded.errors:
        print(finding, file=sys.stderr)
    if loaded.ruleset is None:
        return 1
    found = Replay(loaded.ruleset.hash, loaded.ruleset.policy.currency)
    with ExitStack() as stack:
        try:
            orders, total = _orders(args, loaded, stack)
        except (OrdersError, OSError) as error:
            print(error, file=sys.stderr)
            return 2
        started = time.monotonic()
        with _rare_collection():
            for order in _told(orders, total):
                replay_one(loaded.ruleset, order, found)
        seconds = time.monotonic() - started
    if args.json:
        print(json.dumps({**found.as_json(), "seconds": round(seconds, 2)}, ensure_ascii=False, indent=2))
    else:
        print(report(found, loaded.ruleset, args.shop, seconds))
    return 0


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Millions of small records without a circle among them: looking for circles as often as usual costs a third."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _orders(args: argparse.Namespace, loaded: Loaded, stack: ExitStack) -> tuple[Iterable[PastOrder], int]:
    """The orders and how many they are; from the database when it has been made, else from orders.csv."""
    from storefront import past_orders

    assert loaded.ruleset is not None
    currency = loaded.ruleset.policy.currency
    path = args.orders or args.shop / "orders.csv"
    if args.orders is None:
        from sqlalchemy.exc import DBAPIError

        from storefront.database import open_databases
        from storefront.settings import SettingsError, load_settings

        try:
            url = load_settings(args.shop, overrides={"secret_key": "of no use here"}).database_url
            if not url.startswith("sqlite:///") or Path(url.removeprefix("sqlite:///")).is_file():
                connection = stack.enter_context(open_databases(url).reading.connect())
                total = past_orders.count_orders(connection)
                if total or not path.is_file():
                    return past_orders.from_database(connection, currency), total
        except SettingsError as error:
            raise past_orders.OrdersError(str(error)) from None
        except DBAPIError as error:
            raise past_orders.OrdersError(f"the database has no orders table: {error.orig}") from None
    if not path.is_file():
        raise past_orders.OrdersError(f"no orders: {args.shop} has no database yet and there is no {path}")
    orders = past_orders.from_file(path, loaded.catalog, currency)
    return orders, len(orders)


def _told(orders: Iterable[PastOrder], total: int) -> Iterator[PastOrder]:
    """The same orders, with progress and rate on standard error."""
    started = last = time.monotonic()
    live = sys.stderr.isatty()
    for done, order in enumerate(orders, start=1):
        yield order
        if not done % 100:
            moment = time.monotonic()
            if moment - last >= TOLD_EVERY:
                last = moment
                text = f"{done:,} of {total:,} orders, {done / (moment - started):,.0f} a second"
                print(f"\r{text} " if live else text, end="" if live else "\n", file=sys.stderr, flush=True)
    if live and last != started:
        print(file=sys.stderr)


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

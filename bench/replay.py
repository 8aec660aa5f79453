"""What comparing a draft with the rules in force takes: orders a second, in one process and in several.

    ./run bench replay [--quick] [--seed N] [--jobs N] [--shop FOLDER]

Wall-clock seconds, the shares merged; each figure stands beside that of one process in the same run. Without --shop the
orders are random ones with 20 lines under 100 rules; with it those of a shop's database, reading included.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from _rule_shop import DAY, carts, customer, rules_of, ruleset_of  # noqa: E402

from rules.comparison import Comparison  # noqa: E402
from rules.facts import Customer  # noqa: E402
from rules.past_order import PastOrder  # noqa: E402
from rules.replay import replay  # noqa: E402
from rules.ruleset import PriceEffect, Rule, Ruleset, Scope, SurchargeEffect  # noqa: E402
from storefront.replays.parallel import FromMemory, Source, compare_orders, cores  # noqa: E402

NAME = {"ja": "下書き", "en": "draft"}


def drafts(live: Ruleset) -> dict[str, Ruleset]:
    """Changes of three kinds: what nobody's orders meet, what every order meets, and every price."""
    nobody = Rule(
        "PR9001", NAME, PriceEffect("rate", "agreed", Decimal("0.9")), "", scope=Scope(customers=("X",))
    )
    changes = {
        "a fee for all": Rule("SC9002", NAME, SurchargeEffect("amount", Decimal(500), per="order"), ""),
        "a price for all": Rule("PR9003", NAME, PriceEffect("off_percent", "promotion", Decimal(3)), ""),
    }
    found = {name: with_rule(live, rule) for name, rule in changes.items()}
    found["nothing that is met"] = with_rule(live, nobody)
    return dict(sorted(found.items()))


def with_rule(live: Ruleset, rule: Rule) -> Ruleset:
    rules = tuple(sorted((*live.rules, rule), key=lambda one: one.code))
    return replace(live, rules=rules, hash=f"draft {rule.code}", compiled={})


def random_orders(count: int, seed: int) -> Source:
    """Orders of 20 lines each by 200 customers."""
    random = Random(seed)
    made = carts(20, seed, count=min(count, 500))
    customers: list[Customer] = [customer(number) for number in range(200)]
    return FromMemory(
        [
            PastOrder(str(number), DAY, replace(random.choice(made), customer=random.choice(customers)), 0, 0)
            for number in range(count)
        ]
    )


def shop_orders(folder: Path) -> tuple[Ruleset, Source]:
    """A shop's own rules and the orders of its database."""
    from storefront.commands.order_source import find_orders
    from storefront.commands.rule_folder import load

    loaded, today = load(folder)
    if loaded.ruleset is None:
        sys.exit("\n".join(map(str, loaded.errors)))
    return loaded.ruleset, find_orders(folder, "all", loaded.catalog, loaded.ruleset.policy.currency, today)


def timed(work: Callable[[], Comparison]) -> tuple[float, Comparison]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the orders")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=max(cores(), 2))
    parser.add_argument("--shop", type=Path)
    args = parser.parse_args()
    if args.shop is not None:
        live, source = shop_orders(args.shop)
    else:
        live, source = ruleset_of(rules_of(100)), random_orders(600 if args.quick else 6_000, args.seed)
    print(f"{len(source):,} orders, {len(live.rules)} rules, {cores()} cores, seed {args.seed}\n")
    started = time.perf_counter()
    replay(live, source.orders())
    alone = time.perf_counter() - started
    print(f"  {'':<28}{'seconds':>9}{'orders/s':>10}{'':>10}")
    print(f"  {'one set alone, 1 process':<28}{alone:>9.2f}{len(source) / alone:>10,.0f}")
    for name, draft in drafts(live).items():
        one, whole = timed(lambda draft=draft: compare_orders(live, draft, source, 1))
        many, shared = timed(lambda draft=draft: compare_orders(live, draft, source, args.jobs))
        if whole.to_bytes() != shared.to_bytes():
            sys.exit(f"{name}: the merged shares are not the whole")
        print(f"\n  {name}: {whole.total.changed:,} orders change, {whole.lines:,} lines")
        print(
            f"  {'  1 process':<28}{one:>9.2f}{len(source) / one:>10,.0f}{one / alone:>9.2f}x of one set alone"
        )
        print(
            f"  {f'  {args.jobs} processes':<28}{many:>9.2f}{len(source) / many:>10,.0f}{one / many:>9.2f}x as fast"
        )


if __name__ == "__main__":
    main()

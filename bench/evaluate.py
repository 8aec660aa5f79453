"""What a decision costs: which rules match, the whole decision, many rules for others, and a table of a million rows.

    ./run bench evaluate [--quick] [--seed N]

Medians of CPU time on one thread, in milliseconds. The same run times a hand-written loop and zen-engine, so that
figures of two machines can be compared as ratios; before any timing all must name the same rules.
"""

import argparse
import gc
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from _engines import ByHand, Zen  # noqa: E402
from _rule_shop import DAY, carts, products, rules_of, ruleset_of, stranger  # noqa: E402

from rules.catalog import Catalog  # noqa: E402
from rules.durable import checkout_matcher, durable_is_available  # noqa: E402
from rules.evaluate import evaluate  # noqa: E402
from rules.facts import Cart, Customer, Line, Product  # noqa: E402
from rules.files import load_ruleset  # noqa: E402
from rules.in_force import rules_in_force  # noqa: E402
from rules.matching import INDEXED, Matcher  # noqa: E402
from rules.prices import best_row  # noqa: E402
from rules.reading import CartFacts  # noqa: E402
from rules.ruleset import PriceEffect, Ruleset  # noqa: E402

LINES = (1, 20, 200)
RULES = (10, 100, 1_000, 10_000)
CHECKED = checkout_matcher("durable")


def timed(work: Callable[[Any], object], inputs: Sequence[Any], seconds: float) -> float:
    """Median CPU milliseconds of one call, over the inputs in turn; at least five calls."""
    for one in inputs:
        work(one)  # what is built once, such as a network, is not part of it
    taken: list[float] = []
    gc.collect()
    end = time.process_time() + seconds
    while len(taken) < 5 or time.process_time() < end:
        one = inputs[len(taken) % len(inputs)]
        start = time.process_time()
        work(one)
        taken.append(time.process_time() - start)
    return median(taken) * 1000


def resident() -> int:
    """Bytes of memory in use now; 0 where /proc does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    print(f"\n{title}\n")
    for row in (heads, ["-" * width for width in widths], *rows):
        print("  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))


def ms(value: float) -> str:
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def times(value: float, base: float) -> str:
    return f"{value / base:.1f}x"


def codes(matcher: Matcher, ruleset: Ruleset, cart: Cart) -> list[list[str]]:
    facts = CartFacts(cart, DAY, "JPY")
    answer = matcher.match(rules_in_force(ruleset, DAY), facts, late=False)
    return [sorted(compiled.code for compiled in rules) for rules in answer]


def compare(seconds: float, seed: int) -> None:
    """Matching alone by four means, and the whole decision with both matchers."""
    matching, whole = [], []
    for size in RULES:
        rules = rules_of(size)
        ruleset, by_hand, zen = ruleset_of(rules), ByHand(rules), Zen(rules)
        in_force = rules_in_force(ruleset, DAY)
        for lines in LINES:
            some = carts(lines, seed)
            expected = by_hand.match(some[0])
            for answer in (
                zen.match(some[0]),
                codes(INDEXED, ruleset, some[0]),
                codes(CHECKED, ruleset, some[0]),
            ):
                assert answer == expected, "the engines name different rules"

            def ask(matcher: Matcher, cart: Cart, rules: Any = in_force) -> object:
                return matcher.match(rules, CartFacts(cart, DAY, "JPY"), late=False)

            hand = timed(by_hand.match, some, seconds)
            indexed = timed(lambda cart: ask(INDEXED, cart), some, seconds)
            durable = timed(lambda cart: ask(CHECKED, cart), some, seconds)
            rust = timed(zen.match, some, seconds)
            ratios = [times(one, hand) for one in (indexed, durable, rust)]
            matching.append(
                [
                    f"{size:,}",
                    str(lines),
                    ms(hand),
                    ms(indexed),
                    ratios[0],
                    ms(durable),
                    ratios[1],
                    ms(rust),
                    ratios[2],
                ]
            )
            decided = timed(lambda cart, of=ruleset: evaluate(of, cart, DAY), some, seconds)
            checked = timed(lambda cart, of=ruleset: evaluate(of, cart, DAY, matcher=CHECKED), some, seconds)
            whole.append([f"{size:,}", str(lines), ms(decided), ms(checked), times(checked, decided)])
    heads = ["rules", "lines", "by hand", "indexed", "", "durable, checked", "", "zen-engine", ""]
    table("Which rules match each line: ms a cart, and how many times the hand-written loop", heads, matching)
    heads = ["rules", "lines", "indexed", "durable, checked", ""]
    table("The whole decision, evaluate(): ms a cart", heads, whole)


def findings(seconds: float, seed: int) -> None:
    """Carts that break rules: every finding's fixes are found by evaluating them."""
    ruleset = ruleset_of(rules_of(100))
    rows = []
    catalog = products()
    for broken in (0, 1, 5):
        some = [
            replace(
                cart,
                lines=tuple(
                    replace(line, quantity=5, product=replace(catalog[2], sku=f"N{n}"))
                    if n < broken
                    else line
                    for n, line in enumerate(cart.lines)
                ),
            )
            for cart in carts(20, seed)
        ]
        found = sum(issue.code == "QT1" for issue in evaluate(ruleset, some[0], DAY).issues)
        assert found == broken
        without = timed(lambda cart: evaluate(ruleset, cart, DAY, fixes=False), some, seconds)
        rows.append(
            [str(broken), ms(without), ms(timed(lambda cart: evaluate(ruleset, cart, DAY), some, seconds))]
        )
    heads = ["lines below a minimum", "without fixes", "with fixes"]
    table("20 lines, 100 rules, indexed: what fixes cost", heads, rows)


def flatness(seconds: float, seed: int) -> None:
    """The same hundred rules, then more and more that no cart meets."""
    some, rows = carts(20, seed), []
    first: tuple[float, float] | None = None
    for size in (100, 1_000, 10_000):
        ruleset = ruleset_of([*rules_of(100), *map(stranger, range(size - 100))])
        both = (
            timed(lambda cart, of=ruleset: evaluate(of, cart, DAY), some, seconds),
            timed(lambda cart, of=ruleset: evaluate(of, cart, DAY, matcher=CHECKED), some, seconds),
        )
        first = first or both
        cells = [cell for now, then in zip(both, first, strict=True) for cell in (ms(now), times(now, then))]
        rows.append([f"{size:,}", *cells])
    heads = ["rules", "indexed", "", "durable, checked", ""]
    table("20 lines, 100 rules that concern them and the rest for others: ms a decision", heads, rows)


def price_table(rows: int, seed: int) -> None:
    """A price table of a million rows: loading with every check, one answer, and a line's decision."""
    pick = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        shop = Path(folder)
        (shop / "rules").mkdir()
        (shop / "prices").mkdir()
        rule = 'code = "PR40"\nname = "Agreed prices"\n[price]\ntable = "prices/agreed.csv"\n'
        (shop / "rules" / "PR40_agreed.toml").write_text(rule, encoding="utf-8")
        with (shop / "prices" / "agreed.csv").open("w", encoding="utf-8") as file:
            file.write("customer,sku,from,unit\n")
            for n in range(rows):
                customer, sku = n // 2 % 1000, n // 2000
                file.write(f"C{customer:04},P{sku:05},{1 + n % 2 * 99},{pick.randrange(100, 99999) / 100}\n")
        gc.collect()
        memory = resident()
        start = time.perf_counter()
        loaded = load_ruleset(shop, Catalog(None, None), today=DAY)
        taken = time.perf_counter() - start
        memory = resident() - memory
    ruleset = loaded.ruleset
    assert ruleset is not None, loaded.findings
    effect = ruleset.rules[0].effect
    assert isinstance(effect, PriceEffect)
    prices = effect.table
    assert prices is not None
    some = [
        Cart(
            (Line("1", Product(f"P{pick.randrange(rows // 2000):05}"), pick.choice((5, 500))),),
            customer=Customer(f"C{pick.randrange(1000):04}"),
        )
        for _ in range(1000)
    ]
    lines = [CartFacts(cart, DAY, "JPY").lines[0] for cart in some]
    assert all(best_row(prices, line, DAY, line.quantity) for line in lines)
    answer = timed(lambda line: best_row(prices, line, DAY, line.quantity), lines, 0.5)
    decision = timed(lambda cart: evaluate(ruleset, cart, DAY), some, 0.5)
    table(
        f"A price table of {rows:,} rows",
        ["loaded, s", "rows a second", "memory, MB", "one answer, us", "decision of one line, us"],
        [
            [f"{taken:.1f}", f"{rows / taken:,.0f}", f"{memory / 1e6:,.0f}", f"{answer * 1000:.1f}",
             f"{decision * 1000:.0f}"]
        ],
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="./run bench evaluate", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the time, a tenth of the price table"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not durable_is_available():
        print("durable-rules has no wheel for this machine: its columns show the indexed matcher.")
    seconds = 0.05 if options.quick else 0.5
    print(f"Python {sys.version.split()[0]}, seed {options.seed}, {seconds:g} s a figure")
    compare(seconds, options.seed)
    findings(seconds, options.seed)
    flatness(seconds, options.seed)
    price_table(100_000 if options.quick else 1_000_000, options.seed)


if __name__ == "__main__":
    main()

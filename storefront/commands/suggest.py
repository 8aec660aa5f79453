"""koguchi rules suggest SHOP: rule files drafted from past orders, with cases and evidence, in a folder of their own.

Writes nothing into rules/: what is suggested is tried with `koguchi rules replay --against`, and copied by a person.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storefront.commands.shop_argument import add_shop

if TYPE_CHECKING:
    from rules.suggest import OrderMinimum, PaidLine, Prices
    from storefront.suggestions import Shop

SHOWN = 8


def register(subparsers: Any) -> None:
    """Add `suggest`."""
    parser = subparsers.add_parser("suggest", help="draft rules from past orders, with their evidence")
    add_shop(parser, Path(), Path)
    parser.add_argument(
        "--orders", metavar="SOURCE", help="all (default), last:12m, two dates, or a CSV file"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="where the files go (default: SHOP/suggested)"
    )
    parser.add_argument("--handling", type=_amount, metavar="AMOUNT", help="what handling an order costs")
    parser.add_argument(
        "--margin",
        type=_amount,
        default=Decimal(30),
        metavar="PERCENT",
        help="what stays of the goods (default: 30)",
    )
    parser.add_argument(
        "--lang", choices=("ja", "en"), default="ja", help="language of comments (default: ja)"
    )
    parser.add_argument("--json", action="store_true", help="what was found as JSON")


def _amount(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or not 0 < value < 10**9:
        raise argparse.ArgumentTypeError(f"{text} is no amount above 0")
    return value


def run(args: argparse.Namespace) -> int:
    """Learn, write, print; 1 when the rules have errors, 2 when there are no orders or the folder cannot be written."""
    from rules.suggest import learn_prices
    from storefront.commands.rule_folder import InstalledMethods, load, refused
    from storefront.past.orders import OrdersError
    from storefront.past.paid_lines import read_paid_lines
    from storefront.past.periods import PeriodError
    from storefront.suggestions import Shop

    loaded, today = load(args.shop, run_cases=True)
    if loaded.ruleset is None:
        return refused(loaded)
    try:
        lines, goods = read_paid_lines(args.shop, args.orders, today)
    except (OrdersError, PeriodError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    shop = Shop(args.shop, loaded.ruleset, loaded.catalog, InstalledMethods(), today, args.lang)
    prices = learn_prices(lines)
    minimum = _minimum(args, shop, goods)
    target = args.out or args.shop / "suggested"
    try:
        written = _write(target, args, shop, prices, minimum)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    told = _findings(prices, minimum, lines, written)
    print(json.dumps(told, ensure_ascii=False, indent=2) if args.json else _report(told, args, target))
    return 0


def _minimum(args: argparse.Namespace, shop: Shop, goods: list[Decimal]) -> OrderMinimum | None:
    from rules.money import unit
    from rules.suggest import suggest_minimum

    args.handling = args.handling or _handling(args.shop)
    return suggest_minimum(goods, args.handling, args.margin / 100, unit(shop.ruleset.policy.currency))


def _handling(folder: Path) -> Decimal:
    """[handling] phone of shop.toml; 0 where nothing is known, and then no minimum is suggested."""
    from rules.money import to_major
    from storefront.settings import SettingsError, load_settings

    try:
        settings = load_settings(folder, overrides={"secret_key": "of no use here"})
    except SettingsError:
        return Decimal(0)
    return to_major(settings.handling_minor("phone"), settings.currency)


def _write(
    target: Path, args: argparse.Namespace, shop: Shop, prices: Prices, minimum: OrderMinimum | None
) -> list[str]:
    from storefront.suggestions import evidence, minimum_file, price_files

    rows = prices.rows()
    files = price_files(shop, rows)
    if files:
        files["evidence.csv"] = evidence(rows, {sku: one.base for sku, one in prices.products.items()})
    if minimum is not None:
        files |= minimum_file(shop, minimum, args.handling, args.margin / 100)
    for name, text in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return sorted(files)


def _findings(
    prices: Prices, minimum: OrderMinimum | None, lines: list[PaidLine], written: list[str]
) -> dict[str, Any]:
    """What was found, with how well it tells lines that were not learnt from."""
    from rules.money import plain
    from rules.suggest import learn_prices
    from storefront.past.paid_lines import held_out

    before, after = held_out(lines)
    known, usual, told = learn_prices(before).agreeing(after)
    rows = prices.rows()
    best = sorted(rows, key=lambda row: (-row.agree, row.sku))
    shown = [row for row in best if row.customer is None][:SHOWN] + [row for row in best if row.customer][
        :SHOWN
    ]
    return {
        "lines": len(lines),
        "breaks": sum(row.customer is None for row in rows),
        "own_prices": sum(row.customer is not None for row in rows),
        "customers": len({row.customer for row in rows} - {None}),
        "held_out": {"lines": known, "at_the_usual_price": usual, "at_the_price_of_the_rows": told},
        "best": [
            {"sku": row.sku, "customer": row.customer, "from": row.start, "unit": plain(row.unit),
             "usual": plain(prices.products[row.sku].base), "lines": row.lines, "agree": row.agree,
             "customers": row.customers}
            for row in shown
        ],
        "minimum": None if minimum is None else {
            name: plain(value) if isinstance(value, Decimal) else value for name, value in minimum._asdict().items()
        },
        "files": written,
    }  # fmt: skip


SAID: Mapping[str, Mapping[str, str]] = {
    "found": {
        "ja": "{lines:,}行から、数量の段 {breaks:,}、お客さまだけの価格 {own_prices:,}({customers:,}社)。",
        "en": "{lines:,} lines: {breaks:,} quantity breaks, {own_prices:,} prices of {customers:,} customers' own.",
    },
    "held_out": {
        "ja": "終わりの1割の日を除いて読み取ると、その日々の{count:,}行の {told} が表の価格でした。"
        "ふだんの価格だけでは {usual}。",
        "en": "Learnt without the last tenth of the days, the rows tell {told} of its {count:,} lines; "
        "the usual price alone tells {usual}.",
    },
    "break": {
        "ja": "  {sku:<10} {from:,}個から {unit} (ふだん {usual}): {lines}行のうち{agree}行、{customers}社",
        "en": "  {sku:<10} from {from:,} pieces {unit} instead of {usual}: {agree} of {lines} lines, "
        "{customers} customers",
    },
    "own": {
        "ja": "  {sku:<10} {customer} は {unit} (ふだん {usual}): {lines}行のうち{agree}行",
        "en": "  {sku:<10} {customer} pays {unit} instead of {usual}: {agree} of {lines} lines",
    },
    "minimum": {
        "ja": "最低注文額 {minimum}、{fee_from} からは手数料 {fee}。{orders:,}件のうち{below:,}件がそれより少なく、"
        "手間に {lost} 足りませんでした"
        "(手間 {handling}、粗利 {margin}%)。",
        "en": "Minimum {minimum}, below it a fee of {fee} from {fee_from} on: {below:,} of {orders:,} orders were "
        "below, and earned {lost} less than handling cost (handling {handling}, margin {margin} %).",
    },
    "no_handling": {
        "ja": "最低注文額は案にしていません。注文1件の手間がいくらか、--handling で教えてください。",
        "en": "No minimum is suggested: say what handling an order costs, with --handling.",
    },
    "nothing": {
        "ja": "十分な行とお客さまで確かめられるものはありませんでした。",
        "en": "Nothing was found that enough lines and customers agree on.",
    },
}


def _report(told: dict[str, Any], args: argparse.Namespace, target: Path) -> str:
    def say(sentence: str, **values: Any) -> str:
        return SAID[sentence][args.lang].format(**values)

    held, least = told["held_out"], told["minimum"]
    share = {name: f"{held[name] / held['lines']:.1%}" if held["lines"] else "-" for name in held}
    text = [
        say("found", **told),
        say(
            "held_out",
            count=held["lines"],
            told=share["at_the_price_of_the_rows"],
            usual=share["at_the_usual_price"],
        ),
        "",
        *(say("own" if one["customer"] else "break", **one) for one in told["best"]),
        "",
    ]
    if least is not None:
        amounts = {**least, "lost": f"{Decimal(least['lost']):,.0f}"}
        text.append(say("minimum", **amounts, handling=args.handling, margin=args.margin))
    elif not args.handling:
        text.append(say("no_handling"))
    if not told["files"]:
        return "\n".join([*text, say("nothing")])
    text += [f"written: {target / name}" for name in told["files"]]
    return "\n".join([*text, f"try it: koguchi rules replay {args.shop} --against {target}"])

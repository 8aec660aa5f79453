"""koguchi rules replay SHOP --against DRAFT: the past orders under the rules in force and under a draft, side by side.

Prints sums and bars, and writes them as JSON, CSV or one HTML page. Changes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from datetime import date

    from rules import Loaded, Ruleset
    from rules.comparison import Comparison, Pair

T = TypeVar("T")
TOLD_EVERY = 1.0  # seconds between two lines of progress
BAR = 24  # characters of the longest bar
MOST = 10  # customers and regions that the text names
STATES = {"added": "new", "removed": "gone", "changed": "changed", "same": ""}


def run_against(args: argparse.Namespace, loaded: Loaded, live: Ruleset, today: date) -> int:
    """Compare and print. 1 when the draft has errors, 2 when it or the orders cannot be read."""
    from storefront.commands.order_source import find_orders
    from storefront.commands.rule_folder import InstalledMethods
    from storefront.past.orders import OrdersError
    from storefront.past.periods import PeriodError
    from storefront.replays.drafts import DraftError, as_if_begun, load_draft, read_draft
    from storefront.replays.parallel import ShareFailedError, compare_orders, cores

    try:
        draft, errors = load_draft(
            read_draft(args.shop, args.against), loaded.catalog, InstalledMethods(), today
        )
        for finding in errors:
            print(f"{'note' if draft else 'draft'}: {finding}", file=sys.stderr)
        if draft is None:
            return 1
        draft, later = as_if_begun(live, draft, today)
        for code in later:
            print(
                f"note: {code} begins later; it is tried as if it had been in force all along",
                file=sys.stderr,
            )
        source = find_orders(args.shop, args.orders, loaded.catalog, live.policy.currency, today)
        jobs = args.jobs or cores()
        started = time.monotonic()
        with Progress() as progress:
            found = compare_orders(live, draft, source, jobs, progress)
        seconds = time.monotonic() - started
    except (DraftError, OrdersError, PeriodError, ShareFailedError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    names = company_names(args.shop) if args.csv or args.html else {}
    try:
        _write(args, found, names)
    except OSError as error:
        print(f"{error.filename} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps({**found.as_json(), "seconds": round(seconds, 2)}, ensure_ascii=False, indent=2))
    else:
        print("\n".join(report(found, args.shop, seconds)))
    return 0


class Progress:
    """How far the counting is, once a second on standard error; nothing for what takes less."""

    def __init__(self, noun: str = "orders") -> None:
        self._noun = noun
        self._started = self._last = time.monotonic()
        self._live = sys.stderr.isatty()
        self._has_told = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live and self._has_told:
            print(file=sys.stderr)

    def __call__(self, done: int, total: int) -> None:
        moment = time.monotonic()
        if moment - self._last < TOLD_EVERY:
            return
        self._last, self._has_told = moment, True
        text = f"{done:,} of {total:,} {self._noun}, {done / (moment - self._started):,.0f} a second"
        print(
            f"\r{text} " if self._live else text, end="" if self._live else "\n", file=sys.stderr, flush=True
        )


def watched(things: Iterable[T], total: int, noun: str = "orders") -> Iterator[T]:
    """The same things, with progress on standard error."""
    with Progress(noun) as progress:
        for done, thing in enumerate(things, start=1):
            yield thing
            progress(done, total)


def company_names(shop: Path) -> dict[str, str]:
    """Customer codes to names, where there is a database that knows them."""
    from sqlalchemy import select
    from sqlalchemy.exc import DBAPIError

    from storefront.accounts.models import Company
    from storefront.commands.order_source import database_url
    from storefront.database import open_databases
    from storefront.past.orders import OrdersError

    try:
        url = database_url(shop)
    except OrdersError:
        return {}
    if url is None:
        return {}
    engine = open_databases(url).reading
    try:
        with engine.connect() as connection:
            return {row.code: row.name for row in connection.execute(select(Company.code, Company.name))}
    except DBAPIError:
        return {}
    finally:
        engine.dispose()


def source_note(shop: Path) -> str:
    """What the shop says about the origin of its data; empty for its own."""
    source = shop / "SOURCE.txt"
    return source.read_text(encoding="utf-8").strip() if source.is_file() else ""


def _write(args: argparse.Namespace, found: Comparison, names: Mapping[str, str]) -> None:
    if args.csv:
        from storefront.replays.shown import csv_text

        args.csv.write_text(csv_text(found, names), encoding="utf-8-sig", newline="")
        print(f"written: {args.csv}", file=sys.stderr)
    if args.html:
        from storefront.replays.page import comparison_page

        title = f"{args.shop.resolve().name} ← {args.against.name}"
        page = comparison_page(
            found, title=title, lang=args.lang or "ja", names=names, source=source_note(args.shop)
        )
        args.html.write_text(page, encoding="utf-8")
        print(f"written: {args.html}", file=sys.stderr)


# --- the text -------------------------------------------------------------------------------------------------


def report(found: Comparison, shop: Path, seconds: float) -> Iterator[str]:
    """What a person reads: sums, then a bar for each rule and region, then who is hit."""
    if note := source_note(shop):
        yield f"Data: {note}\n"
    total = found.total
    rate = f"{total.orders / seconds:,.0f} a second" if seconds > 0 else "at once"
    span = f" from {found.first_on} to {found.last_on}" if found.first_on else ""
    yield f"{total.orders:,} orders with {found.lines:,} lines{span}, in {seconds:.1f} s ({rate})"
    yield f"amounts in {found.currency} without tax and shipping, rules {found.live[:15]}, draft {found.draft[:15]}\n"
    yield from _sums(found)
    yield (
        f"\n{total.changed:,} orders change: {total.newly_refused:,} newly refused, "
        f"{total.newly_accepted:,} newly accepted; {len(found.hit):,} customers hit\n"
    )
    yield from _rules(found)
    yield from _regions(found)
    yield from _customers(found)
    for (side, reason), count in sorted(found.faults.items()):
        example = found.examples[side, reason]
        yield f"{count:,} orders could not be evaluated with the {side} rules, such as {example}: {reason}"


def _sums(found: Comparison) -> Iterator[str]:
    live, draft = found.total.live, found.total.draft
    rows: list[tuple[str, ...]] = [("", "in force", "draft", "difference")]
    names = ["revenue", "goods", "surcharges", "discounts", "margin", "refused_goods"]
    if found.unknown_cost == found.total.orders:
        names.remove("margin")
    for name in names:
        values = getattr(live, name), getattr(draft, name)
        rows.append(
            (
                name.replace("_", " "),
                *(_money(value, found) for value in values),
                _money(values[1] - values[0], found, True),
            )
        )
    for name in ("refused", "approval", "quotation"):
        one, other = getattr(live, name), getattr(draft, name)
        rows.append((f"orders: {name}", f"{one:,}", f"{other:,}", f"{other - one:+,}"))
    for name, *cells in rows:
        yield f"{name:<20}" + "".join(f"{cell:>18}" for cell in cells)
    if found.unknown_cost:
        yield f"{found.unknown_cost:,} orders are in no margin: some product of them has no cost"


def _rules(found: Comparison) -> Iterator[str]:
    from rules.comparison import RulePair

    told: dict[str, tuple[int, int]] = {}  # code to what it charged or took off on either side
    for code in sorted(found.rules.keys() | found.states.keys()):
        sides = found.rules.get(code, RulePair())
        amounts = tuple(side.charged + side.discounted for side in (sides.live, sides.draft))
        if any(amounts) or sides.live.refusals or sides.draft.refusals or code in found.states:
            told[code] = amounts[0], amounts[1]
    if not told:
        yield "no rule charged or refused any order\n"
        return
    yield f"{'rule':<9}{'':<9}{'refused':>17}{'charges':>17}{'charged':>27}  ░ in force  █ draft"
    longest = max(max(pair) for pair in told.values())
    for code, (before, after) in told.items():
        sides = found.rules.get(code, RulePair())
        refused = _both(f"{sides.live.refusals:,}", f"{sides.draft.refusals:,}")
        charges = _both(f"{sides.live.charges:,}", f"{sides.draft.charges:,}")
        money = _both(_money(before, found), _money(after, found))
        state = STATES[found.states.get(code, "same")]
        yield f"{code:<9}{state:<9}{refused:>17}{charges:>17}{money:>27}  {_bar(before, longest, '░')}".rstrip()
        if after:
            yield f"{'':<81}{_bar(after, longest, '█')}"
    yield ""


def _regions(found: Comparison) -> Iterator[str]:
    rows = _largest(found.regions)
    if not rows:
        return
    yield f"{'region':<18}{'orders':>10}{'newly refused':>16}{'revenue':>18}{'difference':>18}"
    longest = max(abs(pair.change) for _region, pair in rows)
    for region, pair in rows:
        yield (
            f"{region or 'not known':<18}{pair.orders:>10,}{pair.newly_refused:>16,}"
            f"{_money(pair.draft.revenue, found):>18}{_money(pair.change, found, True):>18}  "
            f"{_bar(abs(pair.change), longest, '░' if pair.change < 0 else '█')}"
        ).rstrip()
    yield ""


def _customers(found: Comparison) -> Iterator[str]:
    hit = found.hit
    if not hit:
        return
    yield f"{'customer':<18}{'changed':>10}{'newly refused':>16}{'surcharges':>18}{'revenue':>18}"
    for code, pair in hit[:MOST]:
        fees = pair.draft.surcharges - pair.live.surcharges
        yield (
            f"{code or 'visitors':<18}{pair.changed:>10,}{pair.newly_refused:>16,}"
            f"{_money(fees, found, True):>18}{_money(pair.change, found, True):>18}"
        )
    if len(hit) > MOST:
        yield f"and {len(hit) - MOST:,} more (--csv writes all of them)"


def _largest(groups: Mapping[str, Pair]) -> Sequence[tuple[str, Pair]]:
    changed = [entry for entry in groups.items() if entry[1].change]
    return sorted(changed, key=lambda entry: (-abs(entry[1].change), entry[0]))[:MOST]


def _bar(value: int, longest: int, sign: str) -> str:
    return sign * max(round(BAR * value / longest), 1) if value and longest else ""


def _both(live: str, draft: str) -> str:
    return live if live == draft else f"{live} → {draft}"


def _money(minor: int, found: Comparison, sign: bool = False) -> str:
    """With thousands, and with its sign where a difference is meant."""
    from rules.money import CURRENCIES

    digits = CURRENCIES[found.currency]
    whole, rest = divmod(abs(minor), 10**digits)
    front = "-" if minor < 0 else "+" if sign and minor else ""
    return f"{front}{whole:,}.{rest:0{digits}d}" if digits else f"{front}{whole:,}"

"""koguchi import online-retail FILE [--shop NEWFOLDER]: a shop of a real wholesaler's lines (UCI, CC BY 4.0).

Says what became of every line of the file; the lines not taken stand in NEWFOLDER/not_taken.csv with their reason.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storefront.online_retail.lines import Retail


def register_import(kind: str, subparsers: Any) -> None:
    """Add `koguchi import online-retail`."""
    parser = subparsers.add_parser(kind, help="make a shop of the Online Retail lines (csv or csv.xz)")
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--shop",
        type=Path,
        default=Path("online-retail"),
        help="a new or empty folder (default: online-retail)",
    )


def run_import(kind: str, args: argparse.Namespace) -> int:
    """Read, write the folder and the database, tell what was done; 1 with a sentence when it cannot be."""
    from storefront.online_retail import lines
    from storefront.online_retail.shop import NotEmptyError
    from storefront.settings import SettingsError

    started = time.monotonic()
    try:
        if args.shop.exists() and (not args.shop.is_dir() or any(args.shop.iterdir())):
            raise NotEmptyError(f"{args.shop} is not empty: name a folder that does not exist yet")
        told = _progress()
        retail = lines.read(args.file, lambda count: told("lines read", count, 0))
        if not retail.lines:
            raise ValueError(f"{args.file.name}: no line of {retail.total} can be taken")
        orders = _make(args.shop, retail, told)
    except OSError as error:
        print(f"{error.filename or args.file}: {error.strerror or error}", file=sys.stderr)
        return 1
    except (ValueError, SettingsError, NotEmptyError) as error:
        print(error, file=sys.stderr)
        return 1
    print(report(retail, orders, args.shop, time.monotonic() - started))
    return 0


def _make(folder: Path, retail: Retail, told: Callable[[str, int, int], None]) -> int:
    """Folder and database, both or neither; the number of orders."""
    from storefront import create_app
    from storefront.online_retail import shop
    from storefront.seed import make_tables

    try:
        shop.write_folder(folder, retail)
        app = create_app(folder)
        try:
            make_tables(app)
            return shop.write_database(app, retail, told)
        finally:
            app.extensions["koguchi"].close()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def report(retail: Retail, orders: int, folder: Path, seconds: float) -> str:
    """What became of the file, line by line; the counts add up to its lines."""
    from storefront.online_retail.lines import CASH, REASONS, SOURCE

    cash = sum(line.customer == CASH for line in retail.lines)
    rows = [(len(retail.lines), "taken")]
    rows += [(count, f"{reason}: {REASONS[reason]}") for reason, count in retail.reasons().items()]
    text = [f"Data: {SOURCE}", ""]
    text += [f"{count:>9,}  {what}" for count, what in rows]
    text += [
        f"{retail.total:>9,}  lines in the file",
        "",
        f"{len(retail.items):,} products, {len(retail.buyers):,} customers, {orders:,} orders, in {seconds:.1f} s.",
        f"{cash:,} of the taken lines name no customer: they are orders of the one customer {CASH}.",
        f"{retail.merged_codes:,} codes differed from another in case only and were merged.",
        f"{retail.changed_names:,} products changed their description: the latest one counts.",
        "Invented: the stock (pieces sold in the last 28 days of the file, at least 10), the shelves (from words of",
        "the descriptions) and the groups (the first 5 % of customers by revenue are large, the next 25 % medium).",
        "The list price is the one most lines were sold at. The file tells no tax: past orders carry none.",
        f"Every line not taken: {folder / 'not_taken.csv'}. Next: koguchi rules replay {folder}",
    ]
    return "\n".join(text)


def _progress() -> Callable[[str, int, int], None]:
    """Progress on standard error: one line that renews itself on a terminal, else a line now and then."""
    live = sys.stderr.isatty()
    last = [time.monotonic()]

    def tell(what: str, done: int, of: int) -> None:
        moment = time.monotonic()
        if moment - last[0] < (0.2 if live else 3) and done != of:
            return
        last[0] = moment
        share = f" of {of:,}" if of else ""
        print(f"\r{done:,}{share} {what} " if live else f"{done:,}{share} {what}", end="" if live else "\n",
              file=sys.stderr, flush=True)  # fmt: skip
        if live and done == of:
            print(file=sys.stderr)

    return tell

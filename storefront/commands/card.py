"""koguchi rules card SHOP --customer C: the price and lot sheet this customer gets, as text and as a one-page PDF.

Works on a bare folder; where the shop has a database, what the customer orders most comes first.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storefront.commands.shop_argument import add_shop

if TYPE_CHECKING:
    from rules import Loaded
    from storefront.card.sheet import CardPaper, Names


def register(subparsers: Any) -> None:
    """Add `card`."""
    parser = subparsers.add_parser("card", help="the price and lot sheet a customer gets, as text and PDF")
    add_shop(parser, Path(), Path)
    parser.add_argument("--customer", required=True, metavar="CODE")
    parser.add_argument(
        "--lang", choices=("ja", "en"), default="ja", help="language of the sheet (default: ja)"
    )
    parser.add_argument(
        "--on", type=date.fromisoformat, metavar="DATE", help="as of this day, such as 2026-12-01"
    )
    parser.add_argument(
        "--skus", default="", metavar="A,B", help="these products instead of those ordered most"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the PDF (default: card-CODE.pdf in this folder)"
    )


def run(args: argparse.Namespace) -> int:
    """Print the card and write its PDF; 1 when the rules have errors, 2 when a name is not known."""
    from rules.report import nearest
    from storefront.commands.rule_folder import load, refused

    loaded, today = load(args.shop, run_cases=True)
    if loaded.ruleset is None:
        return refused(loaded)
    skus = [sku.strip() for sku in args.skus.split(",") if sku.strip()]
    customers, products = loaded.catalog.customers or {}, loaded.catalog.products or {}
    asked = [("customer", args.customer, customers), *(("product", sku, products) for sku in skus)]
    for kind, code, known in asked:
        if code not in known:
            print(f'there is no {kind} "{code}". {nearest(code, known)}'.strip(), file=sys.stderr)
            return 2
    paper = _paper(args, loaded, skus, args.on or today)
    target = args.out or Path(f"card-{''.join(one if one.isalnum() else '-' for one in args.customer)}.pdf")
    target.write_bytes(paper.pdf(args.lang))
    print(paper.text(args.lang))
    print(f"written: {target}", file=sys.stderr)
    return 0


def _paper(args: argparse.Namespace, loaded: Loaded, skus: list[str], on: date) -> CardPaper:
    """From the database when the customer is there, with its order history; else from the folder's own files."""
    from storefront.commands.rule_folder import has_database

    if has_database(args.shop):
        from sqlalchemy import select

        from storefront import create_app
        from storefront.accounts.models import Company
        from storefront.card.of_company import company_card
        from storefront.database import get_session

        app = create_app(args.shop)
        with app.app_context():
            company = get_session().scalar(select(Company).where(Company.code == args.customer))
            if company is not None:
                return company_card(company, on, skus)
    return _of_files(args, loaded, skus, on)


def _of_files(args: argparse.Namespace, loaded: Loaded, skus: list[str], on: date) -> CardPaper:
    from rules.card import card
    from storefront.card.sheet import MOST_ROWS, CardPaper

    assert loaded.ruleset is not None
    products, customers = loaded.catalog.products or {}, loaded.catalog.customers or {}
    chosen = [products[sku] for sku in skus or list(products)[: MOST_ROWS + 1]]
    made = card(loaded.ruleset, customers[args.customer], chosen, on)
    rows = _rows(args.shop / "customers.csv", "code")
    name = rows.get(args.customer, {}).get("name") or args.customer
    return CardPaper(made, _names(args.shop), customer=name, shop={"ja": args.shop.resolve().name})


def _names(folder: Path) -> Names:
    """What the folder's files call products and categories; what they do not name is printed as its code."""
    from storefront.card.sheet import Names

    products = _rows(folder / "products.csv", "sku")
    return Names(
        {sku: texts for sku, row in products.items() if (texts := _texts(row, "name"))},
        {sku: _texts(row, "sales_unit") or None for sku, row in products.items()},
        {
            path: texts
            for path, row in _rows(folder / "categories.csv", "path").items()
            if (texts := _texts(row, "name"))
        },
    )


def _rows(path: Path, key: str) -> dict[str, dict[str, str]]:
    """The rows of a CSV file by their key; none when there is no such file. The rules have checked it before."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row[key].strip(): row for row in csv.DictReader(file) if row.get(key)}


def _texts(row: Mapping[str, str], name: str) -> dict[str, str]:
    """NAME_ja and NAME_en, or NAME alone for both."""
    plain = (row.get(name) or "").strip()
    found = {language: (row.get(f"{name}_{language}") or "").strip() or plain for language in ("ja", "en")}
    return {language: text for language, text in found.items() if text}

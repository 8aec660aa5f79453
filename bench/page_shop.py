"""The shop that bench/pages.py measures: 1,000 products, 100 companies with agreed prices for each, a dozen rules.

Made from a fixed seed, so that two runs measure the same shop.
"""

from __future__ import annotations

import csv
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

PASSWORD = "bench-password-not-for-use"
PRODUCTS = 1_000
COMPANIES = 100

SHOP = """
[shop]
name = { ja = "計測の店", en = "Bench shop" }
base_url = "http://127.0.0.1"
email = "owner@bench.example"

[policy]
currency = "JPY"
timezone = "Asia/Tokyo"

[rules]
matcher = "durable"

[rate_limits]
enabled = false

[plugins.flat_rate]
enabled = true
price_minor = 700

[plugins.bank_transfer]
enabled = true
bank = "Bench Bank"
branch = "001"
account = "0000000"
holder = "BENCH"

[plugins.net_terms]
enabled = true
"""
RULES = {
    "PR20": '[when]\n"customer.group" = ["standard", "gold"]\n[price]\ntable = "prices/agreed.csv"\n',
    "PR30": '[when]\n"product.category" = "c0"\n[price]\nbreaks = [{from = 100, off_percent = 5}, '
    "{from = 500, off_percent = 10}]\n",
    "PR40": '[when]\n"product.category" = "c1"\n[price]\noff_percent = 3\n',
    "QT10": '[when]\n"product.category" = "c0"\n[quantity]\nminimum = 50\nmultiple = 10\n[[quantity.below]]\n'
    'at_least = 20\noutcome = "surcharge"\namount = 400\n[[quantity.below]]\noutcome = "block"\n',
    "QT11": '[when]\n"product.category" = "c1"\n[quantity]\nmultiple = 5\n',
    "QT12": '[when]\n"product.category" = "c2"\n[quantity]\nmaximum = 5000\nabove = "approval"\n',
    "SC10": '[when]\n"product.category" = "c1"\n"line.quantity" = {lt = 20}\n[surcharge]\namount = 300\n',
    "SC20": '[when]\n"order.subtotal" = {lt = 2000}\n[surcharge]\namount = 500\nper = "order"\n',
    "OR10": "[order]\nminimum = 500\n",
    "SH10": "[shipping]\nfree_from = 30000\n",
    "PM10": '[when]\n"customer.region" = "JP-13"\n[payment]\nhide = ["net_terms"]\n',
}


def sku(number: int) -> str:
    return f"P{number:04d}"


def write_folder(folder: Path) -> None:
    """shop.toml, the rules, and a table of 100,000 agreed prices."""
    (folder / "rules").mkdir(parents=True)
    (folder / "prices").mkdir()
    (folder / "shop.toml").write_text(SHOP, encoding="utf-8")
    for code, text in RULES.items():
        head = f'code = "{code}"\nname = {{ja = "決まり{code}", en = "Rule {code}"}}\n'
        (folder / "rules" / f"{code}.toml").write_text(head + text, encoding="utf-8")
    dice = random.Random(1)
    with (folder / "prices" / "agreed.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["customer", "sku", "unit"])
        for company in range(COMPANIES):
            for product in range(PRODUCTS):
                writer.writerow([f"C{company:03d}", sku(product), dice.randint(50, 900)])


def fill(app: Any) -> None:
    """Products, stock, companies with one buyer each and an address."""
    from flask_security import hash_password
    from sqlalchemy import insert

    from storefront.accounts import Address, Company, User
    from storefront.catalog.models import Category, Product, search_columns
    from storefront.clock import now
    from storefront.database import write
    from storefront.stock import StockItem

    with app.app_context():
        hashed = hash_password(PASSWORD)
        products = []
        for number in range(PRODUCTS):
            row = {
                "id": number + 1,
                "sku": sku(number),
                "name": {"ja": f"六角穴付ボルト {number}", "en": f"Socket head screw {number}"},
                "spec": {"ja": "ステンレス SUS304", "en": "Stainless steel A2-70"},
                "category": f"c{number % 8}/s{number % 40}",
                "list_price": Decimal(100 + number % 700),
                "weight_g": Decimal("1.6"),
                "sales_unit": {"ja": "個", "en": "pcs"},
                "made_to_order": False,
                "is_active": True,
                "created_at": now(),
                "updated_at": now(),
            }
            products.append(row | search_columns(row))
        with write() as session:
            for number in range(8):
                session.add(Category(path=f"c{number}", name={"ja": f"種類{number}", "en": f"Kind {number}"}))
            session.execute(insert(Product), products)
            session.execute(
                insert(StockItem),
                [
                    {"product_id": n + 1, "on_hand": 50_000_000, "reserved": 0, "buffer": 0}
                    for n in range(PRODUCTS)
                ],
            )
            for number in range(COMPANIES):
                company = Company(
                    code=f"C{number:03d}", name=f"会社{number}", group=("standard", "gold")[number % 2], region="JP-27",
                    terms={"net_days": 30}, credit_limit_minor=10**12,
                )  # fmt: skip
                company.users.append(
                    User(email=f"buyer{number}@bench.example", password=hashed, name=f"買う人{number}")
                )
                company.addresses.append(
                    Address(
                        label="本社",
                        recipient="受付",
                        postcode="5770011",
                        region="JP-27",
                        city="東大阪市",
                        street="1-1",
                        phone="0600000000",
                        is_default=True,
                    )
                )
                session.add(company)

"""Random shops: what the check of ties lets through never ties on a known product and customer.

KOGUCHI_LONG_RUN=1000 tries that many shops; the default is small and always the same.
"""

import os
import re
from datetime import date
from itertools import product
from pathlib import Path
from random import Random

import pytest

from rules import evaluate, load_ruleset, read_cart
from support.random_shop import CATALOG, CUSTOMERS, METHODS, PRODUCTS, Shop
from support.rule_folders import write

SHOPS = int(os.environ.get("KOGUCHI_LONG_RUN", "25"))
DAYS = tuple(date(2026, 12, day) for day in (1, 2, 3))


def shop_files(seed: int) -> dict[str, str]:
    """A shop in which most ties are left to be found: beats and exceptions are taken out."""
    files = Shop(Random(seed)).files
    return {
        name: re.sub(r"(?m)^beats = .*\n", "", text)
        for name, text in files.items()
        if not name.startswith("exceptions")
    }


def cart(sku: str, customer: str | None, quantity: int, channel: str) -> dict[str, object]:
    found: dict[str, object] = {
        "lines": [{"sku": sku, "quantity": quantity}],
        "channel": channel,
        "shipping_quotes": [{"code": "flat_rate", "amount": 100}],
        "payment_methods": ["net_terms"],
    }
    return found if customer is None else {**found, "customer": {"code": customer}}


@pytest.mark.parametrize("seed", range(SHOPS))
def test_a_set_without_ties_prices_every_known_product_for_every_known_customer(
    seed: int, tmp_path: Path
) -> None:
    loaded = load_ruleset(write(tmp_path, shop_files(seed)), CATALOG, METHODS, run_cases=False)
    if loaded.ruleset is None:
        return
    for sku, customer, quantity, on in product(PRODUCTS, (*CUSTOMERS, None), (1, 12, 30), DAYS):
        one, _ = read_cart(cart(sku, customer, quantity, "web"), loaded.ruleset, CATALOG)
        evaluate(loaded.ruleset, one, on, fixes=False)

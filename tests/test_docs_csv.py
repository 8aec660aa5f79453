"""docs/csv.md names every column that the files may have, and no other."""

import re
from pathlib import Path

from storefront.transfer import customers, price_tables, products

PAGE = (Path(__file__).parent.parent / "docs" / "csv.md").read_text("utf-8")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def first_cells(title: str) -> set[str]:
    rows = [line.split("|")[1] for line in section(title).splitlines() if line.startswith("| `")]
    return set(re.findall(r"`([^`]+)`", " ".join(rows)))


def test_every_column_of_products_is_described() -> None:
    assert first_cells("products.csv") == {*products.KIND.columns, "attributes.NAME"}


def test_every_column_of_customers_is_described() -> None:
    assert first_cells("customers.csv") == set(customers.KIND.columns)
    assert all(f"`{name}`" in section("customers.csv") for name in customers.COMPUTED)


def test_every_column_of_price_tables_is_described() -> None:
    assert all(f"`{name}`" in section("Price tables") for name in price_tables.COLUMNS)

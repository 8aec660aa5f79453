"""products.csv and customers.csv: facts are typed as in the vocabulary, wrong cells are named with their line."""

from decimal import Decimal
from pathlib import Path

import pytest

from rules import Customer, Product, read_catalog
from support.rule_folders import errors, write


def test_facts_are_typed_and_display_columns_ignored(tmp_path: Path) -> None:
    text = (
        "sku,name_ja,category,brand,tags,batch,list_price,cost,weight_g,tax,cadence,setup_key,pieces_per_case,unit,"
        "pieces_per_unit,attributes.size,attributes.coated,attributes.material,on_hand\n"
        "M4,ねじ,screws/pan,K,steel  zinc steel,b1,120,78.5,2.25,reduced,weekly,s1,100,m,10,4.0,true,SUS304,5\n"
        "N4,,,,,,,,,,,,,,,,,,\n"
    )
    products = read_catalog(write(tmp_path, {"products.csv": text})).products
    assert products == {
        "M4": Product(
            "M4", "screws/pan", "K", ("steel", "zinc"), "b1", Decimal(120), Decimal("78.5"), Decimal("2.25"), "reduced",
            "weekly", "s1", {"size": Decimal("4.0"), "coated": True, "material": "SUS304"}, 100, "m", 10,
        ),
        "N4": Product("N4"),
    }  # fmt: skip


def test_customers_have_groups_tags_and_terms(tmp_path: Path) -> None:
    text = (
        "code,name,group,tags,country,region,credit_limit,closing_day,pay_month,pay_day,net_days\n"
        "ACME,Acme,standard,old abroad,JP,JP-27,500000,20,1,31,\nBETA,,,,,,,,,,30\n"
    )
    customers = read_catalog(write(tmp_path, {"customers.csv": text})).customers
    terms = {"closing_day": 20, "pay_month": 1, "pay_day": 31}
    assert customers == {
        "ACME": Customer(
            "ACME", "standard", ("old", "abroad"), "JP", "JP-27", credit_limit=Decimal(500000), terms=terms
        ),
        "BETA": Customer("BETA", terms={"net_days": 30}),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_utf_8_with_or_without_mark_and_cp932_are_read(tmp_path: Path, encoding: str) -> None:
    text = 'sku,category\r\nねじM4,"締結,部品"\r\n'
    catalog = read_catalog(write(tmp_path, {"products.csv": text.encode(encoding)}))
    assert catalog.findings == ()
    assert catalog.products == {"ねじM4": Product("ねじM4", "締結,部品")}


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("M4,1e3,", 3),
        ("M4,NaN,", 3),
        ("M4,0.1234567,", 3),
        ("M4,,1.5", 3),
        ("M4,,-1", 3),
        ("N4,,", 3),
        (",5,", 3),
    ],
)
def test_a_wrong_cell_is_an_error_of_the_folder(tmp_path: Path, row: str, line: int) -> None:
    found = errors(tmp_path, {"products.csv": f"sku,list_price,pieces_per_case\nN4,1,\n{row}\n"})
    assert [(one.file, one.line) for one in found] == [("products.csv", line)]


def test_without_files_there_is_no_source_and_with_an_empty_file_there_is_one(tmp_path: Path) -> None:
    assert (read_catalog(tmp_path).products, read_catalog(tmp_path).customers) == (None, None)
    write(tmp_path, {"products.csv": "sku\n", "customers.csv": "name\n"})
    catalog = read_catalog(tmp_path)
    assert (catalog.products, catalog.customers) == ({}, {})
    assert [one.message for one in catalog.findings] == ['the column "code" is missing.']

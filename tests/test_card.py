"""The rule card: one A4 page with a customer's own prices, minima, lots and fees, the same from every door."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import typst
from flask import Flask
from flask.testing import FlaskClient

from rules import load_ruleset, read_catalog
from rules.card import card
from storefront import cli
from storefront.card.sheet import CardPaper, Names, qr_svg
from storefront.database import get_session
from storefront.documents import MissingGlyphs, as_pdf, without_missing_glyphs
from support.rule_folders import rule, write
from support.shop import sign_in

ON = date(2026, 12, 1)


def paper(tmp_path: Path, rules: dict[str, str], products: str, customer: str = "ACME") -> CardPaper:
    files = {
        "products.csv": products,
        "customers.csv": "code,group\nACME,partner\nOTHER,standard\n",
        **{code: rule(code, body) for code, body in rules.items()},
    }
    shop = write(tmp_path, files)
    loaded = load_ruleset(shop, today=ON)
    assert loaded.ruleset is not None, loaded.errors
    catalog = read_catalog(shop)
    assert catalog.products is not None
    assert catalog.customers is not None
    made = card(loaded.ruleset, catalog.customers[customer], catalog.products.values(), ON)
    return CardPaper(
        made, Names(), customer, {"ja": "店", "en": "Shop"}, url="https://shop.example/quick-order?card=1"
    )


PRODUCTS = "sku,category,list_price\nM4,screws,120\n"
MINIMUM = """[when]
"product.category" = "screws"
[quantity]
minimum = 100
multiple = 20
[[quantity.below]]
at_least = 60
outcome = "surcharge"
amount = 800
"""


def test_a_row_shows_minimum_lot_price_steps_and_the_fee_of_the_small_lot(tmp_path: Path) -> None:
    rules = {
        "QT10": MINIMUM,
        "PR20": '[when]\n"customer.group" = "partner"\n[price]\nrate = 0.65\n',
        "PR30": "[price]\nbreaks = [{from = 500, off_percent = 10}]\n",
    }
    (row,) = paper(tmp_path, rules, PRODUCTS).sheet(1, "en")["rows"]
    assert row["lot"] == "from 60 pcs, in lots of 20 pcs"
    assert [(one["start"], one["price"], one["fee"]) for one in row["steps"]] == [
        ("60+", "¥78.00", "+¥800"),
        ("100+", "¥78.00", ""),
        ("500+", "¥70.20", ""),
    ]


def test_another_customers_price_is_not_on_the_card(tmp_path: Path) -> None:
    rules = {"PR20": '[when]\n"customer.group" = "partner"\n[price]\nunit = 55\n'}
    assert "55" in paper(tmp_path / "a", rules, PRODUCTS, "ACME").text("ja")
    assert "55" not in paper(tmp_path / "b", rules, PRODUCTS, "OTHER").text("ja")


def test_a_fee_of_the_whole_order_is_a_term_and_stands_beside_no_price(tmp_path: Path) -> None:
    fee = '[surcharge]\namount = 500\nper = "order"\nlabel = {ja = "包装料", en = "Packing"}\n'
    made = paper(tmp_path, {"SC10": fee}, PRODUCTS)
    sheet = made.sheet(1, "ja")
    assert [one["fee"] for one in sheet["rows"][0]["steps"]] == [""]
    assert [(one["code"], one["text"]) for one in sheet["terms"]] == [
        ("SC10", "ご注文ごとに包装料 500 をいただきます。")
    ]


def test_an_order_minimum_that_another_rule_outranks_is_no_term(tmp_path: Path) -> None:
    rules = {
        "OR10": "[order]\nminimum = 3000\n",
        "OR20": '[when]\n"customer.group" = "partner"\n[order]\nminimum = 1000\n',
    }
    assert [rule.code for rule in paper(tmp_path / "a", rules, PRODUCTS, "ACME").card.terms] == ["OR20"]
    assert [rule.code for rule in paper(tmp_path / "b", rules, PRODUCTS, "OTHER").card.terms] == ["OR10"]


def test_a_term_says_nothing_of_the_group_it_is_for(tmp_path: Path) -> None:
    rules = {
        "OR20": '[when]\n"customer.group" = "partner"\n"order.channel" = "fax"\n[order]\nminimum = 1000\n'
    }
    (term,) = paper(tmp_path, rules, PRODUCTS).sheet(1, "en")["terms"]
    assert term["text"] == "When the channel is fax: orders start at 1,000. Less is refused."


def test_hidden_goods_are_left_out_and_quotation_goods_say_so(tmp_path: Path) -> None:
    rules = {
        "CA10": '[when]\n"product.category" = "secret"\n[catalog]\nhide = true\n',
        "CA20": '[when]\n"product.category" = "special"\n[catalog]\nprice = "quotation"\n',
    }
    products = "sku,category,list_price\nA,secret,1\nB,special,2\nC,plain,3\n"
    rows = paper(tmp_path, rules, products).sheet(9, "ja")["rows"]
    assert [(row["sku"], row["note"]) for row in rows] == [("B", "お見積りします"), ("C", "")]


def test_it_is_one_page_however_many_products_there_are_and_says_that_there_are_more(tmp_path: Path) -> None:
    products = "sku,category,list_price\n" + "".join(f"P{n:03},screws,{n + 1}\n" for n in range(60))
    made = paper(tmp_path, {"QT10": MINIMUM}, products)
    assert as_pdf("card", made.sheet(60, "ja"), most_pages=1) is None
    assert made.pdf("ja").startswith(b"%PDF")
    assert made.sheet(24, "ja")["more"] != ""
    assert made.sheet(60, "ja")["more"] == ""


def test_the_same_card_is_the_same_bytes(tmp_path: Path) -> None:
    made = paper(tmp_path, {"QT10": MINIMUM}, PRODUCTS)
    assert made.pdf("ja") == made.pdf("ja")
    assert made.pdf("ja") != made.pdf("en")


def test_a_character_without_a_glyph_is_refused_and_a_card_prints_the_printers_mark(tmp_path: Path) -> None:
    with pytest.raises(MissingGlyphs, match="𠮷"):
        as_pdf("card", {"title": "𠮷田"})
    assert without_missing_glyphs({"a": ["𠮷田", 1]}) == {"a": ["〓田", 1]}
    made = paper(tmp_path, {}, PRODUCTS)
    assert CardPaper(made.card, Names(), "𠮷田製作所", made.shop).pdf("ja").startswith(b"%PDF")


def test_a_name_is_data_and_never_markup_of_the_template(tmp_path: Path) -> None:
    made = paper(tmp_path, {}, PRODUCTS)
    nasty = '#panic("no") = $x$ \\ *bold* @ref <label> "quote'
    assert CardPaper(made.card, Names({"M4": {"ja": nasty}}), nasty, {"ja": nasty}, nasty).pdf("ja")
    with pytest.raises(typst.TypstError):  # the control: as markup the same text stops the compiler
        typst.compile(nasty.encode())


def test_the_code_is_the_address_of_an_order_with_the_items_of_the_sheet() -> None:
    assert qr_svg("https://shop.example/quick-order?card=1").count("<path") == 1


# --- through the shop -------------------------------------------------------------------------------------------


def test_a_buyer_gets_the_own_companys_card_and_a_visitor_none(app: Flask, client: FlaskClient) -> None:
    assert client.get("/card.pdf").status_code in (302, 401)
    sign_in(client, "hayashi")
    answer = client.get("/card.pdf")
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "card-HAYASHI.pdf" in answer.headers["Content-Disposition"]


def test_staff_get_anybodys_card_and_a_buyer_not_even_the_own_one_at_the_desk(client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    assert client.get("/admin/customers/HAYASHI/card.pdf").status_code in (403, 404)
    sign_in(client, "clerk")
    assert client.get("/admin/customers/KITAHAMA/card.pdf").mimetype == "application/pdf"
    foreign = client.get("/admin/customers/KITAHAMA/card.pdf?lang=en")
    assert "koguchi_language" not in str(foreign.headers.getlist("Set-Cookie"))  # the desk keeps its language
    assert client.get("/admin/customers/NOBODY/card.pdf").status_code == 404


def test_the_code_opens_a_quick_order_filled_with_what_the_sheet_shows(
    app: Flask, client: FlaskClient
) -> None:
    from sqlalchemy import select

    from storefront.accounts import Company
    from storefront.card import company_card

    sign_in(client, "hayashi")
    with app.app_context():
        company = get_session().scalars(select(Company).where(Company.code == "HAYASHI")).one()
        url = company_card(company, ON).url
    assert url is not None
    page = client.get(urlsplit(url).path + "?" + urlsplit(url).query).get_data(as_text=True)
    assert "M4-10" in page
    assert "card=1" not in client.get("/quick-order").get_data(as_text=True)


# --- on the command line ----------------------------------------------------------------------------------------


def test_the_command_prints_the_sheet_and_writes_the_pdf(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "products.csv": PRODUCTS,
        "customers.csv": "code,group\nACME,partner\n",
        "QT10": rule("QT10", MINIMUM),
    }
    shop = write(tmp_path, files)
    target = tmp_path / "sheet.pdf"
    assert (
        cli.main(["rules", "card", str(shop), "--customer", "ACME", "--lang", "en", "--out", str(target)])
        == 0
    )
    assert target.read_bytes().startswith(b"%PDF")
    assert capsys.readouterr().out == "M4\tfrom 60 pcs, in lots of 20 pcs\t60+ ¥120.00 +¥800\t100+ ¥120.00\n"


def test_the_command_names_the_nearest_customer_and_refuses_a_broken_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "products.csv": PRODUCTS,
        "customers.csv": "code,group\nACME,partner\n",
        "QT10": rule("QT10", MINIMUM),
    }
    shop = write(tmp_path / "good", files)
    assert cli.main(["rules", "card", str(shop), "--customer", "ACNE"]) == 2
    assert capsys.readouterr().err == 'there is no customer "ACNE". Did you mean "ACME"?\n'
    assert cli.main(["rules", "card", str(shop), "--customer", "ACME", "--skus", "M5"]) == 2
    assert 'there is no product "M5"' in capsys.readouterr().err
    broken = write(tmp_path / "broken", {**files, "QT11": rule("QT11", "[quantity]\nminumum = 1\n")})
    assert cli.main(["rules", "card", str(broken), "--customer", "ACME"]) == 1

"""The doorway to the rules: the same cart gets the same answer, each customer their own."""

from datetime import date

import pytest
from sqlalchemy import event, select

from storefront.accounts import Company
from storefront.catalog import Product
from storefront.database import get_session, write
from storefront.pricing import Wanted, briefs_for, hidden_skus, offer_for, price, products_by_sku
from support.shop import RULES, make_app, seed, write_shop

ON = date(2026, 11, 20)
MORE = {
    "PR20_hayashi.toml": 'code = "PR20"\nname = "Agreed"\n[when]\n"customer.code" = "HAYASHI"\n[price]\nrate = 0.65\n',
    "CA10_hidden.toml": 'code = "CA10"\nname = "Hidden"\n[when]\n"product.sku" = "P-12"\n'
    '"customer.group" = "gold"\n[catalog]\nhide = true\n',
}


@pytest.fixture
def shop(tmp_path):
    app = make_app(write_shop(tmp_path, rules=RULES | MORE))
    seed(app)
    with app.app_context():
        yield app.extensions["koguchi"]


def company(code):
    return get_session().scalars(select(Company).where(Company.code == code)).one()


def priced(shop, code, *wanted, **more):
    lines = [Wanted(sku, quantity, str(place)) for place, (sku, quantity) in enumerate(wanted, 1)]
    who = company(code) if code else None
    return price(get_session(), who, lines, shop=shop, on=ON, **more)


def row(sku):
    return products_by_sku(get_session(), [sku])[sku]


def test_a_company_gets_its_own_price_and_nobody_else_does(shop):
    assert priced(shop, "HAYASHI", ("M4-10", 100)).decision.goods == 7800
    assert priced(shop, "KITAHAMA", ("M4-10", 100)).decision.goods == 12000
    assert priced(shop, None, ("M4-10", 100)).decision.goods == 12000


def test_each_line_carries_its_issues_and_its_ways_out(shop):
    cart = priced(shop, "KITAHAMA", ("M4-10", 90), ("N4-SUS", 5))
    first, second = cart.lines
    assert [issue.code for issue in first.issues] == ["QT10"]
    assert [fix.quantity for fix in first.fixes] == [80, 100]
    assert (second.issues, second.fixes) == ((), ())


def test_a_product_that_is_gone_is_named_and_the_rest_is_priced(shop):
    cart = priced(shop, "HAYASHI", ("GONE", 1), ("N4-SUS", 5))
    assert [wanted.sku for wanted in cart.missing] == ["GONE"]
    assert len(cart.lines) == 1
    assert priced(shop, "HAYASHI", ("GONE", 1)) is None


def test_the_fingerprint_changes_with_anything_the_buyer_sees_and_with_nothing_else(shop):
    seen = priced(shop, "HAYASHI", ("M4-10", 100)).fingerprint
    assert priced(shop, "HAYASHI", ("M4-10", 100)).fingerprint == seen
    assert priced(shop, "HAYASHI", ("M4-10", 120)).fingerprint != seen
    assert priced(shop, "KITAHAMA", ("M4-10", 100)).fingerprint != seen
    rule = shop.settings.folder / "rules" / "PR20_hayashi.toml"
    rule.write_text(MORE["PR20_hayashi.toml"].replace("Agreed", "Another name"))
    assert priced(shop, "HAYASHI", ("M4-10", 100)).fingerprint == seen
    rule.write_text(MORE["PR20_hayashi.toml"].replace("0.65", "0.66"))
    assert priced(shop, "HAYASHI", ("M4-10", 100)).fingerprint != seen


def test_remembered_offers_are_never_another_customers(shop):
    rows = [row("M4-10"), row("N4-SUS")]
    for _ in range(2):
        mine = briefs_for(get_session(), company("HAYASHI"), rows, shop=shop, on=ON)
        others = briefs_for(get_session(), company("KITAHAMA"), rows, shop=shop, on=ON)
        visitors = briefs_for(get_session(), None, rows, shop=shop, on=ON)
        assert [str(one["M4-10"].rows[0].unit_price) for one in (mine, others, visitors)] == [
            "78.00",
            "120",
            "120",
        ]


def test_a_remembered_offer_follows_the_product(shop):
    briefs_for(get_session(), None, [row("M4-10")], shop=shop, on=ON)
    with write() as session:
        session.scalars(select(Product).where(Product.sku == "M4-10")).one().list_price = 130
    fresh = briefs_for(get_session(), None, [row("M4-10")], shop=shop, on=ON)
    assert fresh["M4-10"].rows[0].unit_price == 130


def test_the_price_table_names_lot_fee_and_first_quantity(shop):
    offer = offer_for(get_session(), company("HAYASHI"), row("M4-10"), shop=shop, on=ON)
    assert (offer.first, offer.step, offer.codes) == (20, 20, {"multiple": "QT10"})
    assert [(one.start, one.end, one.surcharge) for one in offer.rows] == [(20, 99, 800), (100, None, 0)]


def test_hidden_products_are_hidden_from_the_customers_the_rule_names(shop):
    assert hidden_skus(get_session(), company("KITAHAMA"), shop=shop, on=ON) == {"P-12"}
    assert hidden_skus(get_session(), company("HAYASHI"), shop=shop, on=ON) == frozenset()


def test_pricing_asks_for_products_once_whatever_the_number_of_lines(shop):
    who = company("HAYASHI")
    shop.rulebook.current()
    statements: list[str] = []
    event.listen(shop.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    lines = [Wanted("M4-10", 100 + n, str(n)) for n in range(40)]
    price(get_session(), who, lines, shop=shop, on=ON)
    assert len([one for one in statements if one.startswith("SELECT")]) == 1

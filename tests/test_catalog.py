"""The catalog: lists, filters, sorting, stock, hidden products, and no more queries for 24 products than for one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.catalog import Category
from storefront.database import write
from support.shelf import SHELF_RULES, get, words
from support.shop import make_product, sign_in, write_shop


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop", rules=SHELF_RULES)


@pytest.fixture
def shelf(app: Flask) -> Flask:
    with app.app_context():
        with write() as session:
            session.add(Category(path="fasteners/screws", name={"ja": "ねじ", "en": "Screws"}, position=1))
            session.add(Category(path="fasteners/nuts", name={"ja": "ナット", "en": "Nuts"}, position=2))
        make_product("SECRET-1", name={"ja": "専用ノズル", "en": "Secret nozzle"}, category="turned")
        make_product(
            "LB4-Z", name={"ja": "低頭ボルト", "en": "Low head bolt"}, category="turned", on_hand=None
        )
        make_product("M4-8", name={"ja": "六角穴付ボルト M4×8", "en": "Screw M4×8"}, on_hand=0)
        make_product("GONE-1", name={"ja": "廃番", "en": "Discontinued"}, is_active=False)
    return app


def skus(body: str) -> list[str]:
    import re

    return re.findall(r'id="row-([^"]+)"', body)


def test_skus_come_in_the_order_a_person_expects(shelf: Flask, client: FlaskClient) -> None:
    assert skus(get(client, "/products")) == ["LB4-Z", "M4-8", "M4-10", "N4-SUS", "P-12"]


def test_a_row_shows_price_lot_rule_and_stock(shelf: Flask, client: FlaskClient) -> None:
    told = words(get(client, "/products?q=M4-10"))
    assert "¥120.00 per pc" in told
    assert "in lots of 20 pcs QT10" in told or "from 20 pcs, in lots of 20 pcs QT10" in told
    assert "In stock 1,000 pcs" in told


def test_two_character_words_and_half_width_kana_find(shelf: Flask, client: FlaskClient) -> None:
    assert skus(get(client, "/products?q=低頭")) == ["LB4-Z"]
    assert skus(get(client, "/products?q=ﾅｯﾄ")) == ["N4-SUS"]


def test_an_exact_sku_comes_first(shelf: Flask, client: FlaskClient) -> None:
    assert skus(get(client, "/products?q=m4"))[:2] == ["M4-8", "M4-10"]
    assert skus(get(client, "/products?q=ｍ４－１０"))[0] == "M4-10"


def test_what_is_called_so_comes_before_what_only_mentions_it(shelf: Flask, client: FlaskClient) -> None:
    with shelf.app_context():
        make_product(
            "A-1", name={"ja": "止め輪", "en": "Collar"}, description={"ja": "低頭ボルト用", "en": ""}
        )
    assert skus(get(client, "/products?q=低頭")) == ["LB4-Z", "A-1"]
    assert skus(get(client, "/products?q=ﾎﾞﾙﾄ%20低頭")) == ["LB4-Z", "A-1"]
    assert skus(get(client, "/products?q=100%25")) == []


def test_categories_are_counted_and_filter(shelf: Flask, client: FlaskClient) -> None:
    body = get(client, "/products")
    assert "Screws 2" in words(body) and "Nuts 1" in words(body)
    assert skus(get(client, "/products?category=fasteners/nuts")) == ["N4-SUS"]
    assert skus(get(client, "/products?category=fasteners")) == ["M4-8", "M4-10", "N4-SUS"]
    assert skus(get(client, "/products?category=fasteners/nut")) == []


def test_only_what_is_in_stock_when_asked(shelf: Flask, client: FlaskClient) -> None:
    assert "M4-8" not in skus(get(client, "/products?stock=1"))
    assert "M4-10" in skus(get(client, "/products?stock=1"))


def test_hidden_products_are_in_no_list_count_search_or_page(shelf: Flask, client: FlaskClient) -> None:
    """The control: the customer whose part it is sees it in each of these places."""
    sign_in(client, "kitahama")
    assert "SECRET-1" not in skus(get(client, "/products"))
    assert "SECRET-1" not in get(client, "/products?q=ノズル")
    assert "SECRET-1" not in get(client, "/products?q=SECRET-2")
    get(client, "/products/SECRET-1", 404)
    assert client.post("/cart/add", data={"sku": "SECRET-1", "quantity": "50"}).status_code == 404
    others = words(get(client, "/products?category=turned")).split("item")[0]
    sign_in(client, "hayashi")
    assert "SECRET-1" in skus(get(client, "/products"))
    assert skus(get(client, "/products?q=ノズル")) == ["SECRET-1"]
    assert "SECRET-1" in get(client, "/products?q=SECRET-2")
    get(client, "/products/SECRET-1")
    assert words(get(client, "/products?category=turned")).split("item")[0] != others


def test_products_no_longer_sold_are_nowhere(shelf: Flask, client: FlaskClient) -> None:
    assert "GONE-1" not in get(client, "/products")
    get(client, "/products/GONE-1", 404)


def test_visitors_are_asked_to_sign_in_where_a_rule_says_so(shelf: Flask, client: FlaskClient) -> None:
    body = get(client, "/products?q=N4-SUS")
    assert "Sign in to see prices" in body
    assert "¥18" not in body
    sign_in(client, "hayashi")
    assert "¥18.00" in get(client, "/products?q=N4-SUS")


def test_a_quotation_item_has_the_mark_and_no_price(shelf: Flask, client: FlaskClient) -> None:
    told = words(get(client, "/products?q=LB4-Z"))
    assert "Quotation" in told and "CA10" in told
    assert "¥100" not in told


def test_nothing_found_offers_the_nearest_skus(shelf: Flask, client: FlaskClient) -> None:
    body = get(client, "/products?q=M4-01")
    assert "/products/M4-10" in body
    assert skus(body) == []


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=999999", "page=٣", "page=1e3", "sort=cost", "sort=company.secret", "q=%00", "q=%25",
     "q=%5C", "q=';--", "category=%27", "category=" + "x" * 900, "stock=2", "q=" + "あ" * 300, "lang=xx",
     "&".join(f"category={n}" for n in range(60)), "q=%F0%9F%94%A9", "q=%FF%FE"],
)  # fmt: skip
def test_odd_questions_are_answered_with_a_page(shelf: Flask, client: FlaskClient, query: str) -> None:
    get(client, f"/products?{query}")


def test_wildcards_do_not_widen_a_search(shelf: Flask, client: FlaskClient) -> None:
    for sign in ("%25", "_", "*", "%22", "?"):
        assert skus(get(client, f"/products?q={sign}")) == []


def test_pages_hold_24_and_the_last_one_the_rest(shelf: Flask, client: FlaskClient) -> None:
    with shelf.app_context():
        for number in range(30):
            make_product(f"QQ-{number}", category="turned")
    assert len(skus(get(client, "/products?q=QQ-"))) == 24
    assert len(skus(get(client, "/products?q=QQ-&page=2"))) == 6
    assert skus(get(client, "/products?q=QQ-&page=77")) == skus(get(client, "/products?q=QQ-&page=2"))


def test_24_products_take_as_many_queries_as_one(
    shelf: Flask, client: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    with shelf.app_context():
        for number in range(30):
            make_product(f"QQ-{number}", category="turned")
    sign_in(client, "hayashi")
    get(client, "/products")
    counts = []
    for query in ("q=M4-10", "q=QQ-"):
        queries()
        get(client, f"/products?{query}")
        counts.append(len(queries()))
    assert counts[0] == counts[1] <= 6, counts


def test_drawings_are_pictures_that_cannot_run(shelf: Flask, client: FlaskClient, shop_folder: Path) -> None:
    folder = shop_folder / "drawings"
    folder.mkdir()
    (folder / "bolt.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" stroke="currentColor" stroke-width="1"/>'
    )
    (folder / "own.svg").write_text("<svg/>")
    (folder / "page.html").write_text("<script>")
    with shelf.app_context():
        make_product("D-1", drawing="bolt.svg")
        make_product("D-2", drawing="page.html")
    answer = client.get("/drawings/bolt.svg")
    assert answer.status_code == 200
    assert answer.mimetype == "image/svg+xml"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"].startswith("private")
    assert b"currentColor" not in answer.data
    assert (
        client.get("/drawings/bolt.svg", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    )
    for path in (
        "own.svg",
        "page.html",
        "..%2Fshop.toml",
        "%2e%2e/shop.toml",
        "bolt.svg%00",
        ".svg",
        "nothing.svg",
    ):
        assert client.get(f"/drawings/{path}").status_code == 404, path


def test_a_hidden_products_drawing_is_hidden_too(
    shelf: Flask, client: FlaskClient, shop_folder: Path
) -> None:
    (shop_folder / "drawings").mkdir()
    (shop_folder / "drawings" / "nozzle.svg").write_text("<svg/>")
    with shelf.app_context(), write() as session:
        from sqlalchemy import update

        from storefront.catalog import Product

        session.execute(update(Product).where(Product.sku == "SECRET-1").values(drawing="nozzle.svg"))
    sign_in(client, "kitahama")
    assert client.get("/drawings/nozzle.svg").status_code == 404
    sign_in(client, "hayashi")
    assert client.get("/drawings/nozzle.svg").status_code == 200


def test_the_home_page_of_a_visitor_names_the_shelves(shelf: Flask, client: FlaskClient) -> None:
    told = words(get(client, "/"))
    assert "fasteners 3 items" in told
    assert "Sign in" in told


def test_the_home_page_of_a_buyer_offers_a_line_to_order(shelf: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    assert 'name="scan"' in get(client, "/")


def test_without_any_good_rule_set_nothing_is_priced_and_the_page_says_so(
    app: Flask, client: FlaskClient
) -> None:
    """The rule files name products that this shop does not have, so there is no set to serve with."""
    told = words(get(client, "/products", 503))
    assert "¥" not in told
    assert words(get(client, "/products/M4-10", 503))


def test_the_pages_work_on_both_databases(
    shop_folder: Path, database_url: str, shelf: Flask, client: FlaskClient
) -> None:
    sign_in(client, "hayashi")
    for sort in ("", "sku", "name", "price"):
        found = skus(get(client, f"/products?q=ボルト&sort={sort}&stock=1&category=fasteners"))
        assert found == ["M4-10"], sort
    assert skus(get(client, "/products?category=fasteners")) == ["M4-8", "M4-10", "N4-SUS"]
    assert "/products/M4-10" in get(client, "/products?q=M4-01")
    get(client, "/products/M4-10?quantity=80")
    get(client, "/")
    body = client.post("/quick-order", data={"paste": "M4-10 100\nナット 3\nM4-01"}).get_data(as_text=True)
    assert body.count("<tr") == 4 + 1

"""The frame of every page: addresses, tabs, the language switch, and how little it asks of the database."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.page import asset, at, here, is_here
from support.shop import SHOP_TOML, make_app, sign_in, write_shop


def test_addresses_carry_the_prefix_and_keep_the_query(app: Flask) -> None:
    with app.test_request_context("/products?q=M4&page=3&q=b", base_url="https://x.example/shop/"):
        assert at("/cart") == "/shop/cart"
        assert here(page=4) == "/shop/products?q=M4&q=b&page=4"
        assert here(page=None, lang="en") == "/shop/products?q=M4&q=b&lang=en"


def test_a_posted_pages_address_has_no_query(app: Flask) -> None:
    with app.test_request_context("/cart?token=secret", method="POST"):
        assert here(lang="en") == "/cart?lang=en"


def test_what_is_typed_into_an_address_is_escaped_in_links(client: FlaskClient) -> None:
    page = client.get('/login?x="><script>alert(1)</script>').get_data(as_text=True)
    assert "<script>alert" not in page


def test_a_tab_is_current_on_its_page_and_below(app: Flask) -> None:
    with app.test_request_context("/orders/A-10432"):
        assert is_here("/orders")
        assert not is_here("/")
        assert not is_here("/order")


def test_a_static_files_address_changes_with_its_content(app: Flask) -> None:
    with app.test_request_context():
        assert asset("koguchi.css") != asset("tokens.css")
        assert asset("koguchi.css").startswith("/static/koguchi.css?v=")


@pytest.mark.parametrize(
    ("login", "seen", "hidden"),
    [
        (None, ["サインイン", "お取引を申し込む"], ["注文履歴", "サインアウト", "帳場"]),
        (
            "hayashi",
            ["林工作所", "林 美咲 さま", "まとめて注文", "注文履歴", "サインアウト"],
            ["帳場", "お取引を申し込む"],
        ),
        ("owner", ["帳場", "サインアウト"], ["まとめて注文", "お取引を申し込む"]),
    ],
)
def test_the_head_shows_who_is_here_and_where_they_may_go(
    client: FlaskClient, login: str | None, seen: list[str], hidden: list[str]
) -> None:
    if login:
        sign_in(client, login)
    page = client.get("/account" if login else "/login").get_data(as_text=True)
    assert [word for word in seen if word not in page] == []
    assert [word for word in hidden if word in page] == []


def test_the_frame_of_a_signed_in_page_costs_two_queries(
    client: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    sign_in(client, "hayashi")
    client.get("/account")
    queries()
    client.get("/account")
    sent = queries()
    assert len(sent) == 2, sent
    assert "companies" in sent[0]
    assert "cart_lines" in sent[1]


def test_a_visitors_sign_in_page_costs_none(client: FlaskClient, queries: Callable[[], list[str]]) -> None:
    client.get("/login")
    queries()
    client.get("/login")
    assert queries() == []


def test_a_theme_is_a_stylesheet_of_tokens(tmp_path: object) -> None:
    from pathlib import Path

    folder = write_shop(Path(str(tmp_path)) / "themed", SHOP_TOML + '[theme]\n"--indigo" = "#0a5"\n')
    app = make_app(folder)
    client = app.test_client()
    page, sheet = client.get("/login").get_data(as_text=True), client.get("/theme.css")
    app.extensions["koguchi"].close()
    assert 'href="/theme.css"' in page
    assert sheet.mimetype == "text/css"
    assert "--indigo: #0a5;" in sheet.get_data(as_text=True)


def test_a_template_in_the_shop_folder_replaces_ours(tmp_path: object) -> None:
    from pathlib import Path

    folder = write_shop(Path(str(tmp_path)) / "own")
    (folder / "templates" / "accounts").mkdir(parents=True)
    (folder / "templates" / "accounts" / "sign_in.html").write_text(
        "ours: {{ shop.name.ja }}", encoding="utf-8"
    )
    app = make_app(folder)
    page = app.test_client().get("/login").get_data(as_text=True)
    app.extensions["koguchi"].close()
    assert page == "ours: 青柳螺子製作所"

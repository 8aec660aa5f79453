"""Quick order: every pasted line is answered, nothing typed is lost, what can go goes into the cart."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.datastructures import MultiDict

from storefront.cart import CartLine
from storefront.database import write
from storefront.stock import StockItem
from support.shelf import SHELF_RULES, get, words
from support.shop import make_product, sign_in, write_shop


@pytest.fixture
def shop_folder(tmp_path: Path) -> Path:
    return write_shop(tmp_path / "shop", rules=SHELF_RULES)


@pytest.fixture
def buyer(app: Flask, client: FlaskClient) -> FlaskClient:
    with app.app_context():
        make_product("SECRET-1", name={"ja": "専用ノズル", "en": "Secret nozzle"}, category="turned")
        make_product(
            "LB4-Z", name={"ja": "低頭ボルト", "en": "Low head bolt"}, category="turned", on_hand=None
        )
        make_product("N5-SUS", name={"ja": "六角ナット M5", "en": "Hex nut M5"}, category="fasteners/nuts")
    sign_in(client, "hayashi")
    return client


def paste(client: FlaskClient, text: str, status: int = 200) -> str:
    answer = client.post("/quick-order?lang=en", data={"paste": text})
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def fields(body: str) -> MultiDict[str, str]:
    """The answers' form as a browser would send it."""
    form = re.search(r'<form class="stack" id="answers".*?</form>', body, re.DOTALL)
    assert form is not None
    found: MultiDict[str, str] = MultiDict()
    for tag in re.findall(r"<input[^>]*>", form[0]):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name is not None:
            found[name[1]] = value[1] if value is not None else ""
    return found


def pasted_text(body: str) -> list[str]:
    area = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", body, re.DOTALL)
    assert area is not None
    return area[1].split("\n")


def kept(app: Flask) -> list[tuple[str, int]]:
    with app.app_context(), write() as session:
        return [
            (line.sku, line.quantity)
            for line in session.scalars(select(CartLine).order_by(CartLine.position))
        ]


def test_every_line_gets_its_own_answer(buyer: FlaskClient) -> None:
    told = words(paste(buyer, "M4-10 100\nP-12 30\nM4-01 100\nN4-SUS 1.5\nLB4-Z 50\nM4-10\t1e3"))
    assert "Can be ordered" in told
    assert "The minimum is 50; you have 30." in told and "QT12" in told and "Make it 50 pcs" in told
    assert "Which one is meant?" in told and "M4-10" in told
    assert "counted in whole pieces" in told
    assert "not a plain whole number" in told
    assert "CA10" in told


def test_case_width_and_separators_do_not_matter(buyer: FlaskClient) -> None:
    body = paste(buyer, "ｍ４－１０　１００\nP-12；60\nn4-sus、40個")
    assert words(body).count("Can be ordered") == 3


def test_a_name_is_read_as_the_only_item_it_fits(buyer: FlaskClient) -> None:
    told = words(paste(buyer, "M5 ナット 40"))
    assert "“M5 ナット” was read as N5-SUS." in told
    told = words(paste(buyer, "六角ナット 40"))
    assert "Which one is meant?" in told and "N4-SUS" in told and "N5-SUS" in told


def test_a_line_without_quantity_becomes_the_smallest_order(buyer: FlaskClient) -> None:
    assert "the smallest order, 50 pcs" in words(paste(buyer, "P-12"))


def test_lines_of_one_sku_are_added_up(app: Flask, buyer: FlaskClient) -> None:
    body = paste(buyer, "P-12 30\nM4-10 100\np-12 30")
    assert "Lines 1, 3 were added up." in words(body)
    buyer.post("/quick-order", data={**fields(body).to_dict(), "do": "add"})
    assert kept(app) == [("P-12", 60), ("M4-10", 100)]


def test_hidden_items_are_unknown_to_others(app: Flask, buyer: FlaskClient) -> None:
    """The control: the customer whose part it is can order it."""
    other = app.test_client()
    sign_in(other, "kitahama")
    for typed in ("SECRET-1 10", "専用ノズル 10", "SECRET-2 10"):
        body = paste(other, typed)
        assert 'href="/products/SECRET-1"' not in body and "SECRET-1</button>" not in body
    assert 'href="/products/SECRET-1"' in paste(buyer, "SECRET-1 10")
    assert 'href="/products/SECRET-1"' in paste(buyer, "専用ノズル 10")
    assert "SECRET-1</button>" in paste(buyer, "SECRET-2 10")


def test_what_can_go_goes_into_the_cart_and_the_rest_stays(app: Flask, buyer: FlaskClient) -> None:
    body = paste(buyer, "M4-10 100\nP-12 30\nNOPE-99 3")
    answer = buyer.post("/quick-order", data={**fields(body).to_dict(), "do": "add"})
    assert (answer.status_code, answer.location) == (303, "/quick-order")
    assert kept(app) == [("M4-10", 100)]
    body = get(buyer, "/quick-order")
    assert pasted_text(body) == ["P-12 30", "NOPE-99 3"]
    assert "2 lines still need a look" in words(body)
    buyer.post("/quick-order", data={**fields(body).to_dict(), "set": "0:50"})
    body = buyer.post("/quick-order", data={**fields(body).to_dict(), "set": "0:50"}).get_data(as_text=True)
    assert pasted_text(body) == ["P-12\t50", "NOPE-99 3"]


def test_all_good_lines_lead_to_the_cart(app: Flask, buyer: FlaskClient) -> None:
    body = paste(buyer, "M4-10 100\nP-12 60")
    answer = buyer.post("/quick-order", data={**fields(body).to_dict(), "do": "add"})
    assert answer.location == "/cart"
    assert kept(app) == [("M4-10", 100), ("P-12", 60)]
    assert pasted_text(get(buyer, "/quick-order")) == [""]


def test_lines_are_mended_in_place(buyer: FlaskClient) -> None:
    body = paste(buyer, "M4-01 100\nP-12 30\nN4-SUS 7")
    form = fields(body).to_dict()
    picked = buyer.post("/quick-order", data={**form, "pick": "0:M4-10"}).get_data(as_text=True)
    assert pasted_text(picked) == ["M4-10\t100", "P-12 30", "N4-SUS 7"]
    typed = buyer.post("/quick-order", data={**form, "q-1": "abc", "sku-0": "M4-8x"}).get_data(as_text=True)
    assert pasted_text(typed) == ["M4-8x\t100", "P-12\tabc", "N4-SUS 7"]
    dropped = buyer.post("/quick-order", data={**form, "drop": "1"}).get_data(as_text=True)
    assert pasted_text(dropped) == ["M4-01 100", "N4-SUS 7"]


def test_a_scanned_line_joins_the_others_and_empties_its_field(buyer: FlaskClient) -> None:
    answer = buyer.post("/quick-order", data={"paste": "M4-10 100", "scan": "P-12 60", "do": "scan"})
    body = answer.get_data(as_text=True)
    assert pasted_text(body) == ["M4-10 100", "P-12 60"]
    scan = re.search(r'<input[^>]*id="scan"[^>]*>', body)
    assert scan is not None and "value=" not in scan[0] and "autofocus" in scan[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_file_is_read_beside_what_was_typed(buyer: FlaskClient, encoding: str) -> None:
    data = {
        "paste": "M4-10 100",
        "csv": (io.BytesIO("品番,数量\r\nP-12,60\r\n".encode(encoding)), "注文.csv"),
    }
    body = buyer.post("/quick-order?lang=en", data=data).get_data(as_text=True)
    assert pasted_text(body) == ["M4-10 100", "P-12\t60"]
    assert words(body).count("Can be ordered") == 2


@pytest.mark.parametrize("content", [b"\x00\x01", b"PK\x03\x04\x00\x00", b"a" * 505_000, b"\xff\xfe\x00"])
def test_a_file_that_is_no_sheet_is_refused_and_the_paste_kept(buyer: FlaskClient, content: bytes) -> None:
    answer = buyer.post("/quick-order", data={"paste": "M4-10 100", "csv": (io.BytesIO(content), "../x.exe")})
    assert answer.status_code == 422
    assert pasted_text(answer.get_data(as_text=True)) == ["M4-10 100"]


def test_too_many_lines_are_refused_with_a_sentence_and_kept(buyer: FlaskClient) -> None:
    body = paste(buyer, "M4-10 20\n" * 501, 422)
    assert "501 lines are too many at once. Paste up to 500 lines" in words(body)
    assert len(pasted_text(body)) >= 501


def test_more_than_is_in_stock_is_refused_whole(app: Flask, buyer: FlaskClient) -> None:
    with app.app_context(), write() as session:
        session.execute(update(StockItem).values(on_hand=70))
    body = paste(buyer, "P-12 100")
    assert "100 pcs cannot be ordered: 70 pcs are in stock." in words(body)
    assert 'value="0:70"' in body


@pytest.mark.parametrize(
    "form",
    [
        {"rows": "x"},
        {"rows": "-1"},
        {"rows": "9" * 50},
        {"rows": "1", "set": "9:5"},
        {"rows": "1", "set": "::"},
        {"rows": "٣"},
        {"rows": "2", "drop": "abc"},
        {"rows": "1", "pick": "0:'; --", "text-0": "\x00"},
        {"paste": "\x00\x01\u202e"},
        {},
    ],
)
def test_odd_posts_are_answered_with_a_page(buyer: FlaskClient, form: dict[str, str]) -> None:
    assert buyer.post("/quick-order", data=form).status_code == 200


def test_pasted_markup_is_shown_and_never_run(buyer: FlaskClient) -> None:
    body = paste(buyer, '<script>alert(1)</script> 5\n"><img src=x> 3')
    assert "<script>alert" not in body and "<img src=x" not in body


def test_a_long_sheet_takes_as_many_queries_as_a_short_one(
    app: Flask, buyer: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    with app.app_context():
        for number in range(30):
            make_product(f"Q-{number}")
    short = "Q-1 100\nM4ナット 3\nNOPE-1 2"
    long = "\n".join(f"Q-{n} 100\n六角 {n} ナット 3\nNOPE-{n} 2" for n in range(30))
    paste(buyer, short)
    counts = []
    for text in (short, long):
        queries()
        paste(buyer, text)
        counts.append(len(queries()))
    assert counts[1] <= counts[0] + 1 <= 10, counts


def test_the_sample_sheet_can_be_read_back(buyer: FlaskClient) -> None:
    sample = buyer.get("/quick-order/sample.csv").data
    body = buyer.post("/quick-order?lang=en", data={"csv": (io.BytesIO(sample), "sample.csv")}).get_data(
        as_text=True
    )
    assert words(body).count("Can be ordered") == 1


def test_a_full_cart_is_told_and_nothing_typed_is_lost(
    app: Flask, buyer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storefront.cart.store.MOST_LINES", 1)
    body = paste(buyer, "M4-10 100\nP-12 60")
    answer = buyer.post("/quick-order?lang=en", data={**fields(body).to_dict(), "do": "add"})
    assert answer.status_code == 422
    assert "room for 1 more lines" in words(answer.data)
    assert pasted_text(answer.get_data(as_text=True)) == ["M4-10 100", "P-12 60"]
    assert kept(app) == []


def test_under_htmx_the_next_page_is_loaded_whole(buyer: FlaskClient) -> None:
    body = paste(buyer, "M4-10 100")
    form = {**fields(body).to_dict(), "do": "add"}
    answer = buyer.post("/quick-order", data=form, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/cart"


def test_the_greetings_of_a_pasted_mail_are_left_out_and_not_to_fix(app: Flask, buyer: FlaskClient) -> None:
    body = paste(buyer, "お世話になっております。\nM4-10 100\nBest regards\nNOPE")
    told = words(body)
    assert told.count("No item: left out of the order") == 2
    assert "1 line to fix" in told
    buyer.post("/quick-order", data={**fields(body), "do": "add"})
    assert kept(app) == [("M4-10", 100)]
    assert pasted_text(get(buyer, "/quick-order")) == ["NOPE"]


def test_two_refused_lines_each_tell_what_they_alone_would_add(buyer: FlaskClient) -> None:
    alone = words(paste(buyer, "P-12 30"))
    assert "Make it 50 pcs total +¥" in alone
    change = re.search(r"Make it 50 pcs total (\+¥[\d,]+)", alone)
    told = words(paste(buyer, "P-12 30\nM4-10 30"))
    assert change is not None and f"Make it 50 pcs total {change[1]}" in told

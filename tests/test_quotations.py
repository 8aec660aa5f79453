"""Quotation requests: asking from every page, the answer, the exceptions it makes, and the way into the cart."""

import re
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from rules import load_ruleset
from storefront import jobs
from storefront.database import get_session
from storefront.mail import Mail
from storefront.quotations import QuotationLine, QuotationRequest, pages
from support.ordering import place, placed
from support.shop import FixedClock, make_product, sign_in

GRADED = """
code = "QT12"
name = { ja = "旋盤加工品は50個から", en = "Turned parts from 50" }
because = { ja = "旋盤の段取り替えに40分かかるため", en = "Setting up the lathe takes 40 minutes" }
[when]
"product.category" = "turned"
[quantity]
minimum = 50
multiple = 10
[[quantity.below]]
at_least = 10
outcome = "quotation"
[[quantity.below]]
outcome = "block"
"""
ON_REQUEST = """
code = "CA10"
name = { ja = "特注品", en = "Specials" }
because = { ja = "図面で決まるため", en = "It depends on the drawing" }
[when]
"product.category" = "special"
[catalog]
price = "quotation"
"""
ASK = {"key": "page-1", "sku": "P-12", "quantity": "30", "per_year": "200", "purpose": "prototype",
       "wanted_on": "2026-12-10", "message": "図面 A-7 の試作です"}  # fmt: skip


@pytest.fixture
def shop_folder(shop_folder: Path) -> Path:
    (shop_folder / "rules" / "QT12_turned.toml").write_text(GRADED, encoding="utf-8")
    (shop_folder / "rules" / "CA10_specials.toml").write_text(ON_REQUEST, encoding="utf-8")
    return shop_folder


@pytest.fixture
def app(app: Flask) -> Flask:
    with app.app_context():
        make_product(
            "SP-1", name={"ja": "特注カラー", "en": "Special collar"}, category="special", list_price=None
        )
    return app


@pytest.fixture
def number(client: FlaskClient) -> str:
    """A request of 林工作所 for 30 turned parts."""
    return asked(client)


def asked(client: FlaskClient, **changed: Any) -> str:
    sign_in(client, "hayashi")
    answer = client.post("/quotations", data=ASK | changed)
    assert answer.status_code == 303, re.findall(r'class="err".*', answer.get_data(as_text=True))
    return answer.headers["Location"].split("/")[-1].split("?")[0]


def page(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, path
    return answer.get_data(as_text=True)


def line_of(app: Flask, number: str) -> int:
    with app.app_context():
        query = select(QuotationLine.id).join(
            QuotationRequest, QuotationRequest.id == QuotationLine.request_id
        )
        return get_session().scalars(query.where(QuotationRequest.number == number)).first() or 0


def answered(
    app: Flask, client: FlaskClient, number: str, price: str = "180", do: str = "open", **more: str
) -> Any:
    sign_in(client, "clerk")
    data = {
        "do": do,
        f"price-{line_of(app, number)}": price,
        "text": "12月8日に出荷できます",
        "until": "2026-12-20",
    }
    return client.post(f"/admin/quotations/{number}", data=data | more)


def mails_to(app: Flask, address: str) -> list[Mail]:
    with app.app_context():
        jobs.run_due()
        return list(get_session().scalars(select(Mail).where(Mail.to == address).order_by(Mail.id)))


# --- asking


def test_the_product_page_the_cart_and_the_quick_order_lead_to_a_form_that_is_filled_in(
    client: FlaskClient,
) -> None:
    sign_in(client, "hayashi")
    link = "/quotations/new?sku=P-12&amp;quantity=30"
    assert link in page(client, "/products/P-12?quantity=30")
    client.post("/cart/add", data={"sku": "P-12", "quantity": "30", "do": "add"})
    assert link in page(client, "/cart")
    assert "/quotations/new" in page(client, "/checkout")
    pasted = client.post("/quick-order", data={"paste": "P-12 30", "do": "read"}).get_data(as_text=True)
    assert link in pasted
    for path in (link.replace("&amp;", "&"), "/quotations/new"):
        form = page(client, path)
        assert 'name="sku" value="P-12"' in form
        assert 'name="quantity" value="30"' in form
        assert "QT12" in form
        assert "旋盤の段取り替え" in form


def test_from_the_cart_only_the_lines_that_need_a_quotation_are_asked_for(client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    for sku, quantity in (("P-12", "30"), ("N4-SUS", "100")):
        client.post("/cart/add", data={"sku": sku, "quantity": quantity, "do": "add"})
    form = page(client, "/quotations/new")
    assert 'value="P-12"' in form
    assert 'value="N4-SUS"' not in form


def test_goods_without_a_price_can_be_asked_for_from_their_page(client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    assert "/quotations/new?sku=SP-1&amp;quantity=" in page(client, "/products/SP-1")
    assert "図面で決まるため" in page(client, "/quotations/new?sku=SP-1&quantity=5")


def test_a_visitor_signs_in_first_and_comes_back(client: FlaskClient) -> None:
    answer = client.get("/quotations/new?sku=P-12&quantity=30")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login?next=/quotations/new")


def test_a_request_keeps_what_was_asked_and_why(app: Flask, client: FlaskClient, number: str) -> None:
    shown = page(client, f"/quotations/{number}?sent=1")
    for told in (
        "P-12",
        "30個",
        "200個",
        "試作",
        "12月10日(木)",
        "図面 A-7 の試作です",
        "QT12",
        "依頼を承りました",
    ):
        assert told in shown, told
    with app.app_context():
        line = get_session().scalars(select(QuotationLine)).one()
        assert [(one["code"], one["outcome"]) for one in line.reasons] == [("QT12", "quotation")]
    assert number in page(client, "/quotations")


def test_reasons_and_rules_are_the_servers_not_the_forms(app: Flask, client: FlaskClient) -> None:
    asked(client, reasons="none", code="XX1", state="answered", unit_price="1", company_id="2")
    with app.app_context():
        kept = get_session().scalars(select(QuotationRequest)).one()
        assert (kept.state, kept.company_id, kept.lines[0].unit_price) == ("received", 1, None)
        assert kept.lines[0].reasons[0]["code"] == "QT12"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"quantity": "abc"}, "数量"),
        ({"quantity": ""}, "商品を一つ以上"),
        ({"per_year": "-3"}, "数量"),
        ({"wanted_on": "2026-11-19"}, "もう過ぎています"),
        ({"wanted_on": "soon"}, "日付を入れてください"),
        ({"message": "x" * 2001}, "2000文字まで"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    app: Flask, client: FlaskClient, changed: dict[str, str], sentence: str
) -> None:
    sign_in(client, "hayashi")
    answer = client.post("/quotations", data=ASK | changed)
    assert answer.status_code == 422
    told = answer.get_data(as_text=True)
    assert sentence in told
    assert 'value="P-12"' in told
    with app.app_context():
        assert get_session().scalar(select(func.count()).select_from(QuotationRequest)) == 0


def test_a_double_click_is_one_request(app: Flask, database_url: str, client: FlaskClient) -> None:
    assert asked(client) == asked(client)
    assert asked(client, key="another-page") != asked(client)
    with app.app_context():
        assert get_session().scalar(select(func.count()).select_from(QuotationRequest)) == 2


def test_eight_posts_at_once_are_one_request(app: Flask, database_url: str, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    cookie = client.get_cookie("koguchi_session")
    assert cookie is not None
    answers: list[str] = []
    start = threading.Barrier(8)

    def click() -> None:
        mine = app.test_client()
        mine.set_cookie("koguchi_session", cookie.value)
        start.wait()
        answers.append(mine.post("/quotations", data=ASK).headers.get("Location", ""))

    clicks = [threading.Thread(target=click) for _ in range(8)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert len(set(answers)) == 1
    assert answers[0].startswith("/quotations/Q-10001")
    with app.app_context():
        assert get_session().scalar(select(func.count()).select_from(QuotationRequest)) == 1


def test_the_shop_and_the_buyer_are_told_by_mail(app: Flask, client: FlaskClient, number: str) -> None:
    to_buyer, to_shop = mails_to(app, "hayashi@example.com"), mails_to(app, "owner@aoyagi.example")
    assert [one.subject for one in to_buyer] == [f"見積依頼 {number} を承りました"]
    assert [one.subject for one in to_shop] == [f"林工作所から見積依頼 ({number})"]
    assert f"https://shop.aoyagi.example/admin/quotations/{number}" in to_shop[0].body
    assert f"https://shop.aoyagi.example/quotations/{number}" in to_buyer[0].body
    assert "QT12" in to_shop[0].body


# --- other companies


def test_another_companys_request_is_not_found(app: Flask, client: FlaskClient, number: str) -> None:
    answered(app, client, number)
    sign_in(client, "kitahama")
    assert client.get(f"/quotations/{number}").status_code == 404
    for act in ("cart", "withdraw"):
        assert client.post(f"/quotations/{number}/{act}").status_code == 404
    assert number not in page(client, "/quotations")
    assert client.get("/quotations/Q-99999").status_code == 404
    sign_in(client, "hayashi-admin")
    assert number in page(client, f"/quotations/{number}")


def test_control_without_the_companys_filter_the_foreign_request_is_shown(
    client: FlaskClient, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "is_own", lambda: QuotationRequest.company_id > 0)
    sign_in(client, "kitahama")
    assert "図面 A-7" in page(client, f"/quotations/{number}")
    assert number in page(client, "/quotations")


def test_two_clerks_who_answer_at_once_write_the_files_of_one(
    app: Flask, database_url: str, client: FlaskClient, number: str, shop_folder: Path
) -> None:
    sign_in(client, "clerk")
    cookie = client.get_cookie("koguchi_session")
    assert cookie is not None
    line, start, seen = line_of(app, number), threading.Barrier(2), []

    def press() -> None:
        mine = app.test_client()
        mine.set_cookie("koguchi_session", cookie.value)
        start.wait()
        data = {"do": "open", f"price-{line}": "180", "text": "ok", "until": "2026-12-20"}
        seen.append(mine.post(f"/admin/quotations/{number}", data=data).status_code)

    clerks = [threading.Thread(target=press) for _one in range(2)]
    for one in clerks:
        one.start()
    for one in clerks:
        one.join()
    assert set(seen) <= {303, 409, 422}
    assert 303 in seen
    assert len(list((shop_folder / "exceptions").iterdir())) == 1
    assert len([path for path in (shop_folder / "rules").iterdir() if path.name.startswith("PR9")]) == 1
    assert load_ruleset(shop_folder).ruleset is not None


def test_a_product_hidden_from_a_company_cannot_be_asked_for(client: FlaskClient, shop_folder: Path) -> None:
    rule = 'code = "CA20"\nname = "hidden"\n[when]\n"customer.code" = "HAYASHI"\n"product.sku" = "N4-SUS"\n'
    (shop_folder / "rules" / "CA20.toml").write_text(rule + "[catalog]\nhide = true\n")
    sign_in(client, "hayashi")
    assert 'value="N4-SUS"' not in page(client, "/quotations/new?sku=N4-SUS&quantity=100")
    assert client.post("/quotations", data=ASK | {"sku": "N4-SUS"}).status_code == 422


def test_buyers_see_no_cost_and_no_margin_of_their_request(
    app: Flask, client: FlaskClient, number: str
) -> None:
    with app.app_context():
        from storefront.catalog import Product
        from storefront.database import write

        with write() as session:
            session.scalars(select(Product).where(Product.sku == "P-12")).one().cost = Decimal("61.23")
    sign_in(client, "clerk")
    assert "¥61.23" in page(client, f"/admin/quotations/{number}")
    answered(app, client, number)
    sign_in(client, "hayashi")
    shown = page(client, f"/quotations/{number}")
    assert not [one for one in ("61.23", "粗利", "原価") if one in shown]


# --- answering


def test_one_button_makes_the_exception_for_exactly_this_customer_and_product(
    app: Flask, client: FlaskClient, number: str, shop_folder: Path
) -> None:
    assert answered(app, client, number).status_code == 303
    loaded = load_ruleset(shop_folder)
    assert loaded.ruleset is not None, loaded.findings
    (one,) = loaded.ruleset.exceptions
    assert (one.customer, one.sku, one.rule, one.until_on.isoformat()) == (
        "HAYASHI",
        "P-12",
        "QT12",
        "2026-12-20",
    )  # type: ignore[union-attr]
    price = next(rule for rule in loaded.ruleset.rules if rule.code == "PR9000")
    assert (price.until_on, price.path) == (one.until_on, f"rules/PR9000_{number}.toml")
    with app.app_context():
        assert type(place("kitahama", {"P-12": 30})).__name__ == "Refused"
        ours = placed("hayashi", {"P-12": 30})
        assert (ours.goods_minor, ours.outcome) == (30 * 180, "ok")
        assert type(place("hayashi", {"P-12": 20})).__name__ == "Refused"


def test_the_offered_price_gives_way_to_a_lower_usual_one_for_more_pieces(
    app: Flask, client: FlaskClient, number: str
) -> None:
    answered(app, client, number, "180")
    with app.app_context():  # list price 150 from 50 pieces on, as for everybody
        assert placed("hayashi", {"P-12": 50}).goods_minor == 50 * 150
        assert placed("hayashi", {"P-12": 40}).goods_minor == 40 * 180


def test_the_answer_is_shown_mailed_and_goes_into_the_cart_with_one_button(
    app: Flask, client: FlaskClient, number: str
) -> None:
    answered(app, client, number)
    last = mails_to(app, "hayashi@example.com")[-1]
    assert last.subject == f"見積依頼 {number} への回答"
    for told in ("12月8日に出荷できます", "¥180.00/個", "2026年12月20日"):
        assert told in last.body, told
    sign_in(client, "hayashi")
    shown = page(client, f"/quotations/{number}")
    assert "回答のとおりにかごに入れる" in shown
    assert "青柳 亮" in shown
    answer = client.post(f"/quotations/{number}/cart")
    assert answer.headers["Location"].endswith("/cart")
    cart = page(client, "/cart")
    assert "¥5,400" in cart
    assert "/checkout" in cart


def test_goods_sold_by_quotation_only_can_be_ordered_after_the_answer(
    app: Flask, client: FlaskClient
) -> None:
    number = asked(client, sku="SP-1", quantity="5", per_year="")
    refused = answered(app, client, number, "")
    assert refused.status_code == 422
    assert "ルールに価格がありません" in refused.get_data(as_text=True)
    assert answered(app, client, number, "1,200.50").status_code == 303
    with app.app_context():
        assert placed("hayashi", {"SP-1": 5}).goods_minor == 6003
        assert type(place("kitahama", {"SP-1": 5})).__name__ == "Refused"


def test_a_new_answer_takes_the_place_of_an_earlier_one(
    app: Flask, client: FlaskClient, number: str, shop_folder: Path
) -> None:
    answered(app, client, number, "180")
    again = asked(client, key="page-2", quantity="20", per_year="")
    assert answered(app, client, again, "200").status_code == 303
    loaded = load_ruleset(shop_folder)
    assert loaded.ruleset is not None, loaded.findings
    assert [one.effect.minimum for one in loaded.ruleset.exceptions] == [20]  # type: ignore[union-attr]
    assert [rule.code for rule in loaded.ruleset.rules if rule.code.startswith("PR9")] == ["PR9001"]
    with app.app_context():
        assert placed("hayashi", {"P-12": 20}).goods_minor == 4000
        assert placed("hayashi", {"P-12": 50}).goods_minor == 7500


def test_what_the_owner_agreed_for_longer_comes_back_after_the_answer_ends(
    app: Flask, client: FlaskClient, shop_folder: Path
) -> None:
    (shop_folder / "exceptions").mkdir()
    longer = shop_folder / "exceptions" / "longer.toml"
    longer.write_text(
        'rule = "QT12"\ncustomer = "HAYASHI"\nsku = "P-12"\nreason = "r"\napproved_by = "a"\nfrom = 2026-11-01\n'
        "until = 2027-03-31\n[change]\nminimum = 30\nmultiple = 5\n"
    )
    number = asked(client, quantity="20", per_year="")
    assert answered(app, client, number, "").status_code == 303
    loaded = load_ruleset(shop_folder)
    assert loaded.ruleset is not None, loaded.findings
    told = sorted((str(one.from_on), str(one.until_on), one.effect.minimum, one.effect.multiple)  # type: ignore[union-attr]
                  for one in loaded.ruleset.exceptions)  # fmt: skip
    assert told == [
        ("2026-11-01", "2026-11-19", 30, 5),
        ("2026-11-20", "2026-12-20", 20, 5),
        ("2026-12-21", "2027-03-31", 30, 5),
    ]


def test_an_order_below_the_order_minimum_is_opened_for_this_product_alone(
    app: Flask, client: FlaskClient, shop_folder: Path
) -> None:
    rule = 'code = "OR10"\nname = "minimum"\n[order]\nminimum = 30000\n'
    (shop_folder / "rules" / "OR10.toml").write_text(rule)
    number = asked(client, sku="SP-1", quantity="5", per_year="")
    assert answered(app, client, number, "1200").status_code == 303
    names = sorted(path.name for path in (shop_folder / "exceptions").iterdir())
    assert names == ["CA10_HAYASHI_2026-11-20.toml", "OR10_HAYASHI_2026-11-20.toml"]
    with app.app_context():
        assert placed("hayashi", {"SP-1": 5}).goods_minor == 6000
        assert type(place("hayashi", {"N4-SUS": 100})).__name__ == "Refused"


def test_an_answer_by_mail_only_opens_nothing(
    app: Flask, client: FlaskClient, number: str, shop_folder: Path
) -> None:
    assert answered(app, client, number, do="answer").status_code == 303
    assert not (shop_folder / "exceptions").exists()
    sign_in(client, "hayashi")
    assert "かごに入れる" not in page(client, f"/quotations/{number}").split("<main")[1]
    client.post(f"/quotations/{number}/cart")
    assert "P-12" not in page(client, "/cart").split("<main")[1]


def test_after_its_last_day_an_answer_can_no_longer_be_ordered(
    app: Flask, client: FlaskClient, number: str, clock: FixedClock
) -> None:
    answered(app, client, number)
    clock.forward(days=40)
    sign_in(client, "hayashi")
    shown = page(client, f"/quotations/{number}")
    assert "回答の期限切れ" in shown
    assert "同じ内容でもう一度依頼する" in shown
    assert client.post(f"/quotations/{number}/cart").headers["Location"].endswith(number)
    with app.app_context():
        assert type(place("hayashi", {"P-12": 30})).__name__ == "Refused"


def test_what_no_exception_can_open_is_said_and_nothing_is_written_or_sent(
    app: Flask, client: FlaskClient, number: str, shop_folder: Path
) -> None:
    rule = 'code = "CA30"\nname = "closed"\n[when]\n"product.sku" = "P-12"\n[catalog]\nbuy = false\n'
    (shop_folder / "rules" / "CA30.toml").write_text(rule)
    before = sorted(path.name for path in (shop_folder / "rules").iterdir())
    answer = answered(app, client, number)
    assert answer.status_code == 422
    assert "CA30" in answer.get_data(as_text=True)
    assert sorted(path.name for path in (shop_folder / "rules").iterdir()) == before
    assert not (shop_folder / "exceptions").exists()
    assert len(mails_to(app, "hayashi@example.com")) == 1


def test_where_exceptions_are_the_owners_a_clerk_answers_and_opens_nothing(
    app: Flask, client: FlaskClient, number: str, shop_folder: Path
) -> None:
    shop = app.extensions["koguchi"]
    shop.settings = shop.settings.model_copy(update={"exceptions_by": "owner"})
    assert answered(app, client, number).status_code == 403
    assert "オーナーが注文できるようにします" in page(client, f"/admin/quotations/{number}")
    assert answered(app, client, number, do="answer").status_code == 303
    assert not (shop_folder / "exceptions").exists()


def test_a_refusal_needs_a_reason_and_is_told(app: Flask, client: FlaskClient, number: str) -> None:
    assert answered(app, client, number, do="decline", text=" ").status_code == 422
    answered(app, client, number, do="decline", text="この材料は扱いがありません")
    last = mails_to(app, "hayashi@example.com")[-1]
    assert "この材料は扱いがありません" in last.body
    sign_in(client, "hayashi")
    shown = page(client, f"/quotations/{number}")
    assert "お出しできません" in shown
    assert "この材料は扱いがありません" in shown


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"until": "2026-11-19"}, "終了日"),
        ({"until": "2029-01-01"}, "オーナー"),
        ({"until": ""}, "日付を入れてください"),
        ({"text": "x" * 2001}, "2000文字まで"),
    ],
)
def test_an_answer_with_a_fault_is_kept_in_the_form(
    app: Flask, client: FlaskClient, number: str, changed: dict[str, str], sentence: str
) -> None:
    answer = answered(app, client, number, **changed)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    wrong = answered(app, client, number, "nothing")
    assert "価格を入れてください" in wrong.get_data(as_text=True)


def test_a_withdrawn_request_is_not_answered(app: Flask, client: FlaskClient, number: str) -> None:
    client.post(f"/quotations/{number}/withdraw")
    assert "完了" in page(client, f"/quotations/{number}")
    done = answered(app, client, number)
    assert done.status_code == 303
    assert "ほかの人がこの依頼を決めました" in page(client, f"/admin/quotations/{number}")
    assert len(mails_to(app, "hayashi@example.com")) == 1


def test_answering_twice_writes_its_files_once(
    app: Flask, client: FlaskClient, number: str, shop_folder: Path
) -> None:
    answered(app, client, number)
    answered(app, client, number)
    assert len(list((shop_folder / "exceptions").iterdir())) == 1
    assert len(mails_to(app, "hayashi@example.com")) == 2


def test_the_desk_lists_what_waits_first_and_filters(app: Flask, client: FlaskClient, number: str) -> None:
    done = asked(client, key="page-2")
    answered(app, client, done)
    listed = page(client, "/admin/quotations")
    assert listed.index(number) < listed.index(done)
    only = page(client, "/admin/quotations?state=answered")
    assert done in only
    assert number not in only
    assert number in page(client, "/admin/quotations?q=林")


def test_the_pages_are_in_both_navigations(client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    assert 'href="/quotations"' in page(client, "/account")
    sign_in(client, "clerk")
    assert 'href="/admin/quotations"' in page(client, "/admin/")
    assert 'href="/admin/exceptions"' in page(client, "/admin/more")


def test_names_and_messages_with_markup_stay_plain_text(app: Flask, client: FlaskClient) -> None:
    number = asked(client, message="<script>alert(1)</script> {{7*7}}\n2行目")
    for who, path in (("hayashi", f"/quotations/{number}"), ("clerk", f"/admin/quotations/{number}")):
        sign_in(client, who)
        shown = page(client, path)
        assert "<script>alert" not in shown
        assert "{{7*7}}" in shown
    assert "2行目" in mails_to(app, "owner@aoyagi.example")[0].body


def test_queries_of_the_list_do_not_grow_with_its_requests(
    client: FlaskClient, queries: Callable[[], list[str]]
) -> None:
    counts = []
    for more in range(2):
        for place_in_list in range(3):
            asked(client, key=f"page-{more}-{place_in_list}")
        queries()
        page(client, "/quotations")
        counts.append(len(queries()))
    assert counts[0] == counts[1]

"""Rules by form at the desk: an owner fills in a pattern, a draft comes out, and a buyer meets the rule in the cart."""

from __future__ import annotations

import re
from itertools import cycle
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.database import get_session
from storefront.patterns import PATTERNS
from storefront.shop_folder.drafts import RuleDraft
from support.shop import sign_in

MINIMUM = {
    "code": "QT20",
    "category": "fasteners/nuts",
    "minimum": "100",
    "multiple": "10",
    "fee_from": "60",
    "amount": "650",
    "because_ja": "袋詰めを手で数えます",
    "because_en": "Bags are counted by hand",
}


@pytest.fixture
def rules(app: Flask) -> Path:
    folder: Path = app.extensions["koguchi"].settings.folder / "rules"
    return folder


def drafts(app: Flask) -> list[tuple[str, str, str]]:
    with app.app_context():
        found = get_session().scalars(select(RuleDraft).order_by(RuleDraft.id)).all()
        return [(one.path, one.text, one.base_etag) for one in found]


def test_every_pattern_has_its_form_and_its_example(client: FlaskClient) -> None:
    sign_in(client, "clerk")
    page = client.get("/admin/rules/new").get_data(as_text=True)
    for pattern in PATTERNS.values():
        assert pattern.example.ja in page
        form = client.get(f"/admin/rules/new/{pattern.id}")
        assert form.status_code == 200
        assert f'value="{pattern.group}' in form.get_data(as_text=True)  # a free code


def test_an_owner_makes_a_minimum_with_a_fee_and_a_buyer_meets_it_in_the_cart(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, "owner")
    answer = client.post("/admin/rules/new/minimum", data={**MINIMUM, "do": "save"})
    assert answer.status_code == 302
    draft = answer.headers["Location"]
    shown = client.get(draft).get_data(as_text=True)
    assert "60個は手数料で通る" in shown
    revision = re.search(r'name="revision" value="(\d+)"', shown)
    assert revision is not None
    (_path, text, _etag), *_ = drafts(app)
    done = client.post(
        f"{draft}/activate", data={"file": text, "revision": revision[1], "reason": "手間がかかる"}
    )
    assert done.status_code == 302
    buyer = app.test_client()
    sign_in(buyer, "hayashi")
    buyer.post("/cart/add", data={"sku": "N4-SUS", "quantity": "60"})
    cart = buyer.get("/cart").get_data(as_text=True)
    assert "QT20" in cart
    assert "小ロット手数料" in cart
    assert "650" in cart


def test_the_preview_shows_sentence_cases_and_text_and_keeps_nothing(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "clerk")
    page = client.post("/admin/rules/new/minimum", data=MINIMUM).get_data(as_text=True)
    assert "100から10単位で承ります" in page.replace("、", "")
    assert "60個は手数料で通る" in page
    assert "minimum = 100" in page
    part = client.post("/admin/rules/new/minimum", data=MINIMUM, headers={"HX-Request": "true"})
    assert part.get_data(as_text=True).lstrip().startswith('<div class="stack loose" id="preview"')
    assert drafts(app) == []


def test_a_wrong_value_stands_beside_its_field_and_what_was_typed_is_kept(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, "clerk")
    answer = client.post(
        "/admin/rules/new/minimum", data={**MINIMUM, "minimum": "-5", "amount": "たくさん", "do": "save"}
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'id="minimum-err"' in page
    assert 'value="-5"' in page
    assert 'value="たくさん"' in page
    assert "2以上の整数" in page
    assert drafts(app) == []


def test_a_row_may_stay_empty_in_the_browser_too(client: FlaskClient) -> None:
    sign_in(client, "clerk")
    page = client.get("/admin/rules/new/volume_breaks").get_data(as_text=True)
    fields = re.findall(r"<input[^>]*>", page)
    assert not [one for one in fields if 'id="breaks-' in one and " required" in one]
    assert [one for one in fields if 'id="code"' in one and " required" in one]


def test_a_taken_code_is_refused_with_a_free_one(client: FlaskClient) -> None:
    sign_in(client, "clerk")
    for code in ("QT10", "SC90", "../QT1", ""):
        answer = client.post("/admin/rules/new/minimum", data={**MINIMUM, "code": code, "do": "save"})
        assert answer.status_code == 422
        assert "QT20 は空いています" in answer.get_data(as_text=True) or code != "QT10"


def test_a_rule_of_the_shop_is_changed_by_form_and_the_rest_of_its_file_stays(
    app: Flask, client: FlaskClient, rules: Path
) -> None:
    file = rules / "QT12_turned.toml"
    before = "# 旋盤の決まり\n" + file.read_text("utf-8").lstrip().replace(
        "minimum = 50", "minimum = 50   # 現場と相談"
    )
    file.write_text(before, "utf-8")
    sign_in(client, "clerk")
    page = client.get("/admin/rules/QT12/form").get_data(as_text=True)
    base = re.search(r'name="base" value="(\w+)"', page)
    assert base is not None
    typed = {"category": "turned", "minimum": "40", "multiple": "10", "base": base[1], "do": "save"}
    names = re.findall(r'<input class="input" id="(name_\w+|because_\w+)"[^>]* value="([^"]*)"', page)
    answer = client.post("/admin/rules/QT12/form", data={**typed, **dict(names)})
    assert answer.status_code == 302
    ((path, text, etag),) = drafts(app)
    assert (path, etag) == ("rules/QT12_turned.toml", base[1])
    assert text == before.replace("minimum = 50 ", "minimum = 40 ")


def test_a_file_changed_meanwhile_is_not_covered(app: Flask, client: FlaskClient, rules: Path) -> None:
    sign_in(client, "clerk")
    answer = client.post(
        "/admin/rules/QT12/form", data={"category": "turned", "minimum": "40", "base": "old", "do": "save"}
    )
    assert answer.status_code == 409
    assert drafts(app) == []


def test_a_rule_that_no_form_can_show_goes_to_the_editor(client: FlaskClient, rules: Path) -> None:
    (rules / "QT30.toml").write_text('code = "QT30"\nname = "x"\n[quantity]\nallowed = [1, 2]\n', "utf-8")
    sign_in(client, "clerk")
    answer = client.get("/admin/rules/QT30/form")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/admin/rules/QT30/edit")


def test_the_cases_can_be_written_anew_with_the_new_numbers(client: FlaskClient, app: Flask) -> None:
    sign_in(client, "clerk")
    client.post("/admin/rules/new/minimum", data={**MINIMUM, "do": "save"})
    ((path, text, _etag),) = drafts(app)
    folder = app.extensions["koguchi"].settings.folder
    (folder / path).write_text(text, "utf-8")
    page = client.get("/admin/rules/QT20/form").get_data(as_text=True)
    base = re.search(r'name="base" value="(\w+)"', page)
    assert base is not None
    typed = {**MINIMUM, "minimum": "200", "base": base[1], "do": "preview"}
    kept = client.post("/admin/rules/QT20/form", data=typed).get_data(as_text=True)
    assert "合っていません" in kept
    anew = client.post("/admin/rules/QT20/form", data={**typed, "cases": "1"}).get_data(as_text=True)
    assert "200個はそのまま通る" in anew


@pytest.mark.parametrize("path", ["/admin/rules/new", "/admin/rules/new/minimum", "/admin/rules/QT10/form"])
def test_a_buyer_does_not_get_in(client: FlaskClient, path: str) -> None:
    sign_in(client, "hayashi")
    assert client.get(path).status_code == 403
    assert client.post(path).status_code in (403, 405)


ODD = (
    "\0",
    "{{7*7}}",
    "'; DROP TABLE rule_drafts",
    "９９９",
    "1e9",
    "𠮷" * 400,
    '"""\n[x]\n',
    "-0",
    "2026-02-30",
)


def test_odd_values_never_break_the_form_or_the_file(client: FlaskClient) -> None:
    sign_in(client, "clerk")
    odd = cycle(ODD)
    for pattern in [*PATTERNS.values(), *PATTERNS.values()]:
        data = {one.name: next(odd) for one in pattern.fields} | {
            "code": f"{pattern.group}77",
            "do": "preview",
        }
        data |= {f"{one.name}-0-{c.name}": next(odd) for one in pattern.fields for c in one.columns}
        assert client.post(f"/admin/rules/new/{pattern.id}", data=data).status_code == 200, data

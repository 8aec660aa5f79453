"""Rules at the desk: each as a sentence, a broken file with its line while buyers notice nothing, one rule's page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from support.shop import make_app, seed, sign_in, write_shop

QT10 = """
code = "QT10"
name = {ja = "ねじの最低注文数", en = "Minimum order for screws"}
because = {ja = "段取り替えに30分かかります", en = "Each run needs a 30 minute set-up"}
note = "agreed with the shop floor"

[when]
"product.category" = "fasteners/screws"
"customer.group" = "standard"

[quantity]
minimum = 100
multiple = 20

[[case]]
name = "30 are refused"
customer = {group = "standard"}
cart = [{sku = "M4-10", quantity = 30}]
expect = {outcome = "block"}
"""


@pytest.fixture
def file(app: Flask) -> Path:
    """One good rule in the shop folder, loaded."""
    folder: Path = app.extensions["koguchi"].settings.folder / "rules"
    for old in folder.glob("*.toml"):
        old.unlink()
    (folder / "QT10_screws.toml").write_text(QT10)
    return folder / "QT10_screws.toml"


def page(client: FlaskClient, path: str = "/admin/rules") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def minimum_shown(app: Flask) -> str:
    """What a buyer reads on the product page."""
    buyer = app.test_client()
    sign_in(buyer, "hayashi")
    return page(buyer, "/products/M4-10")


def test_each_rule_is_a_sentence_with_file_mode_and_cases(client: FlaskClient, file: Path) -> None:
    sign_in(client, "clerk")
    told = page(client)
    for text in (
        "QT10", "ねじの最低注文数", "100から、20単位で", "段取り替えに30分かかります",
        "rules/QT10_screws.toml", "1 / 1", "有効",
    ):  # fmt: skip
        assert text in told
    english = page(client, "/admin/rules?lang=en")
    assert "Minimum order for screws" in english
    assert "in multiples of 20" in english


def test_a_broken_file_is_named_with_its_line_and_buyers_notice_nothing(
    app: Flask, client: FlaskClient, file: Path
) -> None:
    sign_in(client, "clerk")
    page(client)
    before = minimum_shown(app)
    file.write_text(QT10.replace("minimum = 100", "minimun = 500"))
    told = page(client)
    line = QT10.splitlines().index("minimum = 100") + 1
    assert f"rules/QT10_screws.toml:{line}" in told
    assert "minimun" in told
    assert "minimum" in told
    assert "お客さまへの影響はありません" in told
    assert f"rules/QT10_screws.toml:{line}" in page(client, "/admin/")
    assert "500" not in minimum_shown(app)
    assert ("100" in minimum_shown(app)) is ("100" in before)


@pytest.mark.parametrize("path", ["/admin/rules", "/admin/rules/QT10"])
def test_what_is_wrong_is_told_in_the_language_of_whoever_reads_it(
    client: FlaskClient, file: Path, path: str
) -> None:
    sign_in(client, "clerk")
    page(client)
    file.write_text(QT10.replace("minimum = 100", "minimum = 100個"))
    told = page(client, path)
    assert "数 100個 を読めません。" in told
    assert "単位などを付けず、100 とだけ書いてください。" in told
    english = page(client, f"{path}?lang=en")
    assert "the number 100個 cannot be read." in english
    assert "Write the number alone: 100." in english


def test_the_rules_page_marks_the_faulty_line_and_names_the_nearest_word(
    client: FlaskClient, file: Path
) -> None:
    sign_in(client, "clerk")
    page(client)
    file.write_text(QT10.replace("multiple = 20", "multipel = 20"))
    told = page(client, "/admin/rules/QT10")
    line = QT10.splitlines().index("multiple = 20") + 1
    assert f'<span id="L{line}">' in told
    assert "<mark>multipel = 20</mark>" in told
    assert f"rules/QT10_screws.toml:{line}" in told
    assert "前に読み込んだ版で動き続けています" in told
    assert "multiple" in told


def test_a_mended_file_is_on_the_next_page(app: Flask, client: FlaskClient, file: Path) -> None:
    sign_in(client, "clerk")
    page(client)
    file.write_text("nonsense")
    assert "rules/QT10_screws.toml:1" in page(client)
    file.write_text(QT10.replace("minimum = 100", "minimum = 140").replace("quantity = 30", "quantity = 40"))
    told = page(client)
    assert "140から" in told
    assert "rules/QT10_screws.toml:1" not in told
    assert "140" in minimum_shown(app)


def test_a_failing_case_keeps_the_old_rule_and_is_told(client: FlaskClient, file: Path) -> None:
    sign_in(client, "clerk")
    page(client)
    file.write_text(QT10.replace("minimum = 100", "minimum = 10").replace("multiple = 20", "multiple = 10"))
    told = page(client)
    assert "30 are refused" in told
    assert "100から、20単位で" in told


def test_one_rule_shows_both_languages_its_file_cases_and_reach(client: FlaskClient, file: Path) -> None:
    sign_in(client, "clerk")
    told = page(client, "/admin/rules/QT10")
    for text in (
        "100から、20単位で", "in multiples of 20", "30 are refused", "合っています", "agreed with the shop floor",
        "3のうち 1", "2のうち 1", "rules/QT10_screws.toml", "M4-10 × 30",
    ):  # fmt: skip
        assert text in told, text
    assert client.get("/admin/rules/QT99").status_code == 404
    assert client.get("/admin/rules/..%2Fshop").status_code == 404


def test_a_removed_file_takes_its_rule_away(client: FlaskClient, file: Path) -> None:
    sign_in(client, "clerk")
    assert "QT10" in page(client)
    file.unlink()
    assert "ねじの最低注文数" not in page(client)


def test_a_new_broken_file_has_a_page_of_its_own(client: FlaskClient, file: Path) -> None:
    sign_in(client, "clerk")
    page(client)
    (file.parent / "SC30_fee.toml").write_text('code = "SC30"\nname = "Fee"\n[surcharge]\namuont = 300\n')
    told = page(client, "/admin/rules/SC30")
    assert "rules/SC30_fee.toml:4" in told
    assert "このルールはまだ効いていません" in told
    assert "100から、20単位で" in page(client)


def test_what_stands_in_a_rule_file_is_shown_and_never_run(client: FlaskClient, file: Path) -> None:
    sign_in(client, "clerk")
    file.write_text(QT10.replace("ねじの最低注文数", "<script>alert(1)</script>{{7*7}}"))
    for path in ("/admin/rules", "/admin/rules/QT10"):
        told = page(client, path)
        assert "<script>alert" not in told
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in told


def test_rules_are_found_by_kind_state_and_words(client: FlaskClient, file: Path) -> None:
    fee = 'code = "SC10"\nname = "Trial fee"\nmode = "shadow"\n[surcharge]\namount = 300\n'
    (file.parent / "SC10_fee.toml").write_text(fee)
    sign_in(client, "clerk")
    for query, codes in (
        ("kind=QT", {"QT10"}),
        ("state=shadow", {"SC10"}),
        ("q=trial+FEE", {"SC10"}),
        ("q=%25", set()),
        ("kind=XX", set()),
        ("", {"QT10", "SC10"}),
    ):
        told = page(client, f"/admin/rules?{query}")
        assert {code for code in ("QT10", "SC10") if f'/admin/rules/{code}"' in told} == codes, query


def test_an_unreadable_file_is_told_and_the_page_still_opens(client: FlaskClient, file: Path) -> None:
    sign_in(client, "clerk")
    page(client)
    file.write_bytes(b"\xff\xfe\x00[" * 100)
    os.utime(file, ns=(1, 1))
    told = page(client, "/admin/rules/QT10")
    assert "QT10_screws.toml" in told


def test_the_desk_opens_when_no_good_rules_were_ever_known(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop", rules={"QT10_broken.toml": "nonsense"})
    app = make_app(folder, database_url=f"sqlite:///{folder}/shop.sqlite")
    seed(app)
    client = app.test_client()
    sign_in(client, "owner")
    assert "rules/QT10_broken.toml:1" in page(client)
    assert "店は注文を受けられません" in page(client)
    for path in (
        "",
        "orders",
        "customers/HAYASHI",
        "products/M4-10",
        "products/M4-10/edit",
        "products/M4-10/stock",
        "files",
    ):
        page(client, f"/admin/{path}")
    app.extensions["koguchi"].close()

"""A number that an owner wrote as a text, with its unit or its commas, is told as it should be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.report import written_factor, written_number
from storefront import cli

SHOP = {
    "shop.toml": '[shop]\nname = "X"\n[policy]\ncurrency = "JPY"\ntimezone = "Asia/Tokyo"\n',
    "products.csv": "sku,name_ja,category,list_price\nT-01,煎茶,tea,600\n",
    "customers.csv": "code,name,group\nKISSA,喫茶こだま,regular\n",
}
RULE = 'code = "{code}"\nname = "規則"\n[when]\n"product.category" = "tea"\n{body}\n'


def said(
    folder: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], language: str = "en"
) -> str:
    for name, text in {**SHOP, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    cli.main(["rules", "check", str(folder), "--lang", language])
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("written", "number"),
    [("10%", "10"), ("1,000", "1000"), ("￥800", "800"), ("５２０円", "520"), ("+2.5 %", "2.5"), ("ten", None)],
)  # fmt: skip
def test_the_digits_of_a_number_written_as_text_are_found(written: str, number: str | None) -> None:
    assert written_number(written) == number


@pytest.mark.parametrize(
    ("written", "factor"),
    [("65%", "0.65"), ("６５％", "0.65"), ("65", "0.65"), ("6.5掛", "0.65"), ("65掛け", "0.65"), ("x", None)],
)  # fmt: skip
def test_a_share_of_the_list_price_is_told_as_a_factor(written: str, factor: str | None) -> None:
    assert written_factor(written) == factor


@pytest.mark.parametrize(
    ("value", "hint", "japanese"),
    [
        ('"65%"', "without quotes or units: 0.65.", "0.65 とだけ書いてください。"),
        ("65", "65 percent of the list price is 0.65.", "定価の 65 % なら 0.65 と書いてください。"),
    ],
)
def test_a_rate_of_65_is_led_to_the_factor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str, hint: str, japanese: str
) -> None:
    files = {"rules/PR10.toml": RULE.format(code="PR10", body=f"[price]\nrate = {value}")}
    assert hint in said(tmp_path, capsys, files)
    assert japanese in said(tmp_path, capsys, files, "ja")


@pytest.mark.parametrize("value", ['percent = "10%"', "amount = 500.5"])
def test_a_fee_with_a_wrong_amount_is_not_also_told_as_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    body = f'[quantity]\nminimum = 24\n[[quantity.below]]\noutcome = "surcharge"\n{value}'
    told = said(tmp_path, capsys, {"rules/QT10.toml": RULE.format(code="QT10", body=body)})
    assert "rules/QT10.toml:9: error" in told
    assert "missing-key" not in told


def test_a_break_with_a_wrong_price_is_not_also_told_as_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = '[price]\nbreaks = [{from = 1, unit = "1,000"}]'
    told = said(tmp_path, capsys, {"rules/PR10.toml": RULE.format(code="PR10", body=body)})
    assert "units: 1000." in told
    assert "missing-key" not in told


@pytest.mark.parametrize(("sign", "name"), [(";", '";"'), ("\t", "a tab")])
def test_a_price_table_with_another_separator_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sign: str, name: str
) -> None:
    files = {
        "rules/PR10.toml": RULE.format(code="PR10", body='[price]\ntable = "prices/list.csv"'),
        "prices/list.csv": "sku,from,unit\nT-01,1,550\n".replace(",", sign),
    }
    told = said(tmp_path, capsys, files)
    assert f"prices/list.csv:1: error table-row: the columns are separated by {name}, not by a comma." in told
    assert "1 error," in told


def test_an_unknown_category_names_those_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = RULE.format(code="QT10", body="[quantity]\nminimum = 2").replace('"tea"', '"お茶"')
    assert '分類 "お茶" はありません。 書けるもの: tea。' in said(
        tmp_path, capsys, {"rules/QT10.toml": rule}, "ja"
    )


def test_a_case_whose_cart_cannot_be_read_blames_the_case_and_not_the_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = '[quantity]\nminimum = 2\n[[case]]\ncart = [{sku = "T01", quantity = 1}]\nexpect = {outcome = "block"}'
    told = said(tmp_path, capsys, {"rules/QT10.toml": RULE.format(code="QT10", body=body)})
    assert 'there is no product "T01". Did you mean "T-01"? Mend this case.' in told

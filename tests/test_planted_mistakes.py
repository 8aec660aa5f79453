"""Mistakes that owners make, planted together in a copy of the demo shop: each is found at its line, with a way out."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from rules import Finding, Loaded, load_ruleset
from storefront.commands import rules as command

NEJI = Path(__file__).parents[1] / "examples" / "neji"
METHODS = ("bank_transfer", "cash_on_delivery", "dummy", "flat_rate", "net_terms", "pickup", "table_rate")


@dataclass(frozen=True)
class Mistake:
    """`wrong` instead of `right` in a file, and what is said of it; `right` is empty for a file of its own."""

    file: str
    right: str
    wrong: str
    check: str
    at: str  # stands on the line that is named
    message: str
    hint: str
    japanese: str
    way_out: str


MISTAKES = {
    "a full-width digit": Mistake(
        "rules/QT11_nuts_washers.toml", "multiple = 100", "multiple = １００", "toml-syntax", "multiple",
        "１００ is full-width", "Type 100 in half width.", "全角の １００ があります", "半角の 100 に直してください。",
    ),
    "a quotation mark that is not closed": Mistake(
        "rules/SC30_shared_setup.toml", '"}\n', '}\n', "toml-syntax", "name",
        "the quotation mark is not closed", 'Put " behind the text',
        "引用符が閉じていません", '" を付けてください',
    ),
    "a key with a letter wrong": Mistake(
        "rules/QT10_screws.toml", "maximum = 5000", "maximun = 5000", "unknown-key", "maximun",
        '"maximun" is not a key of [quantity]', 'Did you mean "maximum"?',
        '[quantity] に "maximun" というキーはありません', "もしかして「maximum」ですか。",
    ),
    "a category that does not exist": Mistake(
        "rules/SC10_small_lot.toml", '"screws/machine"', '"screws/machines"', "unknown-category", "screws/machines",
        'there is no category "screws/machines".', 'Did you mean "screws/machine"?',
        '分類 "screws/machines" はありません', "もしかして「screws/machine」ですか。",
    ),
    "a text where a number belongs": Mistake(
        "rules/DC10_large_orders.toml", "percent = 2", 'percent = "2%"', "wrong-type", "percent",
        'discount.percent must be a number, not "2%".', "Write the bare number", "discount.percent: 数で書いてください",
        "2 とだけ書いてください。",
    ),
    "dates the wrong way round": Mistake(
        "rules/OR10_order_minimum.toml", "from = 2026-04-01", "from = 2026-04-01\nuntil = 2026-03-31", "reversed-dates",
        "until", "until 2026-03-31 is before from 2026-04-01.", "Write the earlier day first.",
        "終了日 until 2026-03-31 が開始日 from 2026-04-01 より前です", "早いほうの日を先にしてください。",
    ),
    "a code that another file has": Mistake(
        "rules/QT14_knobs.toml", "", 'code = "QT14"\nname = "つまみの最低数"\n\n[quantity]\nminimum = 30\n',
        "repeated-code", "code", "QT14 is also the code of rules/QT14_boxes.toml.", "a code of its own",
        "QT14 は rules/QT14_boxes.toml のコードでもあります", "別のコードを付けてください。",
    ),
    "a customer of the price table that nobody knows": Mistake(
        "prices/agreed.csv", "KITAHAMA,M4-10,,500,55", "KITAHANA,M4-10,,500,55", "unknown-customer", "KITAHANA",
        'there is no customer "KITAHANA".', 'Did you mean "KITAHAMA"?', '得意先 "KITAHANA" はありません',
        "もしかして「KITAHAMA」ですか。",
    ),
    "a date with a slash": Mistake(
        "rules/SH20_islands.toml", "[when]", "until = 2027/03/31\n\n[when]", "toml-syntax", "until",
        "the date 2027/03/31 cannot be read.", "Write 2027-03-31.", "日付 2027/03/31 を読めません",
        "2027-03-31 と書いてください。",
    ),
    "a break below the minimum": Mistake(
        "rules/PR90_materials.toml", "",
        'code = "PR90"\nname = "素材の数量価格"\n\n[when]\n"product.category" = "materials"\n\n'
        '[price]\ncounts = "product"\nbreaks = [\n  {from = 1, rate = 1},\n  {from = 50, rate = 0.9},\n]\n',
        "break-off-quantity", "from = 50", "the break from 50 is below the minimum 100",
        "a quantity that can be ordered", "50 からの段は、", "注文できる数量から始めてください。",
    ),
    "two rules that disagree": Mistake(
        "rules/PR91_partners.toml", "", 'code = "PR91"\nname = "取引先の掛率"\n\n[when]\n'
        '"customer.group" = "partner"\n"product.category" = "knobs"\n\n[price]\nrate = 0.7\n'
        '[[case]]\ncart = [{sku = "P-12", quantity = 1}]\nexpect = {currency = "JPY"}\n',
        "tie", "", "have the same rank", "Say which one wins", "同じ強さで",
        "勝つほうを決めてください",
    ),
    "a condition that is no fact": Mistake(
        "rules/SC50_alloy.toml", '"product.', '"products.', "unknown-fact", "products.",
        "there is no fact", "Did you mean", "という項目はありません", "もしかして",
    ),
}  # fmt: skip


def planted(folder: Path) -> Path:
    """A copy of the demo shop with every mistake in it."""
    shutil.copytree(NEJI, folder, ignore=shutil.ignore_patterns("var"))
    for mistake in MISTAKES.values():
        path = folder / mistake.file
        text = path.read_text() if mistake.right else ""
        assert mistake.right in text, mistake
        path.write_text(text.replace(mistake.right, mistake.wrong, 1) if mistake.right else mistake.wrong)
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted(tmp_path_factory.mktemp("planted") / "shop")


@pytest.fixture(scope="module")
def loaded(shop: Path) -> Loaded:
    return load_ruleset(shop, methods=METHODS, today=date(2026, 12, 1))


def of(loaded: Loaded, mistake: Mistake) -> Finding:
    found = [one for one in loaded.findings if one.file == mistake.file and one.check == mistake.check]
    assert found, [str(one) for one in loaded.findings]
    return found[0]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_found_at_its_line_with_a_way_out(loaded: Loaded, shop: Path, name: str) -> None:
    mistake = MISTAKES[name]
    found = of(loaded, mistake)
    assert mistake.at in (shop / found.file).read_text().splitlines()[found.line - 1]
    assert mistake.message in found.message
    assert mistake.hint in found.hint


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_told_in_japanese_too(loaded: Loaded, name: str) -> None:
    mistake = MISTAKES[name]
    message, hint = of(loaded, mistake).said("ja")
    assert mistake.japanese in message
    assert mistake.way_out in hint


def test_the_command_tells_every_planted_mistake_in_the_language_asked_for(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    for language, word in (("en", "error"), ("ja", "誤り")):
        args = parser.parse_args(["rules", "check", str(shop), "--lang", language])
        assert command.run(args) == 1
        printed = capsys.readouterr().out
        for mistake in MISTAKES.values():
            told = mistake.message if language == "en" else mistake.japanese
            assert any(
                line.startswith(f"{mistake.file}:") and told in line for line in printed.splitlines()
            ), mistake
        assert f" {word} toml-syntax: " in printed


def test_a_misspelt_key_is_told_once_and_not_again_as_missing(loaded: Loaded) -> None:
    assert [one.check for one in loaded.findings if one.file == "rules/QT10_screws.toml"] == ["unknown-key"]


def test_nothing_else_is_found_than_what_was_planted(loaded: Loaded) -> None:
    assert len(loaded.findings) == len(MISTAKES)

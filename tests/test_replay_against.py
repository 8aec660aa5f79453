"""`rules replay --against`: drafts from files, periods, processes, and what is written."""

import csv
import json
import multiprocessing
import pickle
import shutil
from dataclasses import replace
from datetime import date

import pytest

from rules import Ruleset, load_ruleset
from rules.replay import compare
from storefront import cli
from storefront.own_packages import examples_folder
from storefront.past.orders import from_file, ids_of_orders
from storefront.past.periods import ALL, Period, PeriodError, read_source
from storefront.replays.drafts import DraftError, overlay_of, read_draft
from storefront.replays.parallel import FromDatabase, FromMemory, ShareFailedError, compare_orders
from support.past_shop import open_past_shop, with_past_orders

ORDERS = """\
order,on,customer,sku,quantity,unit_price
1,2026-10-01,SAKURA,BOX-S,50,80
1,2026-10-01,SAKURA,TAPE,2,120
2,2026-10-02,MIDORI,BOX-L,10,150
3,2026-11-03,,TAPE,1,120
"""
BOXES_BY_20 = """\
code = "QT10"
name = {ja = "箱の最低数", en = "Minimum order for boxes"}
because = {ja = "箱", en = "boxes"}
[when]
"product.category" = "boxes"
[quantity]
minimum = 10
"""


@pytest.fixture
def bare(tmp_path):
    """The starter with an orders.csv and no database."""
    folder = tmp_path / "shop"
    shutil.copytree(examples_folder() / "starter", folder, ignore=shutil.ignore_patterns("var"))
    (folder / "orders.csv").write_text(ORDERS, encoding="utf-8")
    return folder


@pytest.fixture
def draft(tmp_path):
    """A file of another name that takes the place of the shop's QT10."""
    path = tmp_path / "softer.toml"
    path.write_text(BOXES_BY_20, encoding="utf-8")
    return path


def told(capsys, *words):
    assert cli.main(["rules", "replay", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_one_rule_file_takes_the_place_of_the_rule_with_its_code(bare, draft, capsys):
    found = told(capsys, bare, "--against", draft)
    assert found["total"]["newly_accepted"] == 1
    assert [(one["customer"], one["change"]["revenue"]) for one in found["customers"]] == [
        ("MIDORI", "+1800")
    ]
    (rule,) = [one for one in found["rules"] if one["code"] == "QT10"]
    assert (rule["state"], rule["live"]["refusals"], rule["draft"]["refusals"]) == ("changed", 1, 0)
    assert [one["month"] for one in found["months"]] == ["2026-10", "2026-11"]


def test_a_folder_of_rule_files_and_a_whole_shop_are_drafts_too(bare, draft, tmp_path, capsys):
    (tmp_path / "files").mkdir()
    shutil.copy(draft, tmp_path / "files" / "QT10_softer.toml")
    by_folder = told(capsys, bare, "--against", tmp_path / "files")
    other = tmp_path / "other"
    shutil.copytree(bare, other)
    (other / "rules" / "QT10_boxes.toml").unlink(missing_ok=True)
    for path in (other / "rules").glob("QT10*"):
        path.unlink()
    shutil.copy(draft, other / "rules" / "QT10.toml")
    by_shop = told(capsys, bare, "--against", other)
    for found in (by_folder, by_shop):
        del found["seconds"]
        assert found["total"]["newly_accepted"] == 1
    assert {**by_folder, "draft": ""} == {**by_shop, "draft": ""}


def test_the_shop_itself_as_its_draft_changes_nothing(bare, capsys):
    found = told(capsys, bare, "--against", bare)
    assert found["customers"] == found["refused"] == []
    assert found["total"]["change"]["revenue"] == "0"


def test_a_draft_whose_case_fails_is_compared_and_the_case_is_told(bare, draft, capsys):
    draft.write_text(
        BOXES_BY_20
        + '[[case]]\nname = "5"\ncart = [{sku = "BOX-S", quantity = 5}]\nexpect = {outcome = "ok"}\n',
        encoding="utf-8",
    )
    assert cli.main(["rules", "replay", str(bare), "--against", str(draft)]) == 0
    assert "note: rules/QT10.toml:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--against", "nowhere"], "there is no draft nowhere. Allowed: a shop folder"),
        (
            ["--against", "{bare}/orders.csv", "--orders", "last:3w"],
            "--orders last:3w: there is no such file",
        ),
        (["--orders", "last:3w"], "Allowed: all, last:12m (months), last:30d (days), 2025-01-01..2025-12-31"),
        (["--orders", "2026-01-01..tomorrow"], "not two dates"),
        (["--orders", "2026-02-01..2026-01-01"], "the first day is after the last one"),
        (
            ["--orders", "2020-01-01..2020-02-01"],
            "no order from 2020-01-01 to 2020-02-01; they stand from 2026-10-01",
        ),
        (["--csv", "x.csv"], "add --against DRAFT"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_is_allowed(bare, capsys, words, sentence):
    assert cli.main(["rules", "replay", str(bare), *(word.format(bare=bare) for word in words)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_draft_that_begins_later_is_tried_as_if_it_had_begun(bare, draft, capsys):
    now = told(capsys, bare, "--against", draft)
    text = BOXES_BY_20.replace("[when]", "from = 2100-01-01\n[when]")
    draft.write_text(text, encoding="utf-8")
    assert cli.main(["rules", "replay", str(bare), "--against", str(draft), "--json"]) == 0
    printed = capsys.readouterr()
    assert "note: QT10 begins later; it is tried as if it had been in force all along" in printed.err
    assert json.loads(printed.out)["total"] == now["total"]


def test_a_draft_with_an_error_is_refused_with_file_and_line(bare, draft, capsys):
    draft.write_text(BOXES_BY_20.replace("minimum", "minimun"), encoding="utf-8")
    assert cli.main(["rules", "replay", str(bare), "--against", str(draft)]) == 1
    assert "draft: rules/QT10.toml:7: error unknown-key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.txt", b"", "is no rule file"),
        ("x.toml", b"a = [", "x.toml: "),
        ("x.toml", b"a = 1", 'has no code = "..."'),
        ("x.toml", b"\xff", "x.toml: "),
    ],
)
def test_a_file_that_is_no_rule_is_no_draft(tmp_path, name, content, sentence):
    with pytest.raises(DraftError, match=sentence):
        overlay_of(tmp_path, name, content)


def test_exceptions_and_price_tables_are_laid_over_their_own_folders(tmp_path):
    (tmp_path / "draft" / "prices").mkdir(parents=True)
    (tmp_path / "draft" / "prices" / "a.csv").write_bytes(b"sku,from,unit\n")
    (tmp_path / "draft" / "2026-11-A.toml").write_bytes(b'rule = "QT10"\n')
    (tmp_path / "draft" / "b.csv").write_bytes(b"sku,from,unit\n")
    assert read_draft(tmp_path, tmp_path / "draft").overlay.keys() == {
        "prices/a.csv",
        "prices/b.csv",
        "exceptions/2026-11-A.toml",
    }
    (tmp_path / "empty").mkdir()
    with pytest.raises(DraftError, match="holds no rule file"):
        read_draft(tmp_path, tmp_path / "empty")


def test_periods_end_today_and_hold_both_their_days(tmp_path):
    today = date(2026, 3, 31)
    assert read_source("all", today) == ALL
    assert read_source("last:1d", today) == Period(today, today)
    assert read_source("last:30d", today) == Period(date(2026, 3, 2), today)
    assert read_source("last:1m", today) == Period(date(2026, 3, 1), today)
    assert read_source("last:12m", today) == Period(date(2025, 4, 1), today)
    assert read_source("last:9999m", date(26, 1, 1)).first == date.min
    assert read_source("2025-01-01..2025-12-31", today) == Period(date(2025, 1, 1), date(2025, 12, 31))
    (tmp_path / "o.csv").write_text("")
    assert read_source("o.csv", today, tmp_path) == tmp_path / "o.csv"
    for words in ("last:0m", "last:12", "", "yesterday", "2025..2026"):
        with pytest.raises(PeriodError, match="Allowed"):
            read_source(words, today, tmp_path / "nowhere")


def test_only_orders_of_the_period_are_counted_and_the_history_is_that_of_all(bare, capsys):
    found = told(capsys, bare, "--against", bare, "--orders", "2026-11-01..2026-11-30")
    assert (found["total"]["orders"], found["from"]) == (1, "2026-11-03")
    found = told(capsys, bare, "--orders", "2026-11-01..2026-11-30")
    assert found["orders"] == 1


def test_csv_has_a_row_for_the_whole_each_customer_region_month_and_rule(bare, draft, tmp_path, capsys):
    target = tmp_path / "out.csv"
    assert cli.main(["rules", "replay", str(bare), "--against", str(draft), "--csv", str(target)]) == 0
    capsys.readouterr()
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["what"] for row in rows if row["what"] != "region"] == [
        "total", "customer", "month", "month", "rule", "rule", "rule",
    ]  # fmt: skip
    customer = next(row for row in rows if row["what"] == "customer")
    assert (customer["code"], customer["revenue_change"], customer["refused_live"]) == ("MIDORI", "1800", "1")
    (rule,) = [row for row in rows if row["code"] == "QT10"]
    assert (rule["state"], rule["rule_refusals_live"], rule["rule_refusals_draft"]) == ("changed", "1", "0")


@pytest.mark.parametrize(("lang", "word"), [("ja", "新たに受ける"), ("en", "Newly accepted")])
def test_html_is_one_page_that_asks_for_nothing(bare, draft, tmp_path, capsys, lang, word):
    target = tmp_path / "out.html"
    call = ["rules", "replay", str(bare), "--against", str(draft), "--html", str(target), "--lang", lang]
    assert cli.main(call) == 0
    capsys.readouterr()
    page = target.read_text(encoding="utf-8")
    assert f'<html lang="{lang}">' in page and word in page
    assert "<svg" in page and "MIDORI" in page
    assert "src=" not in page and "http" not in page.replace("http://www.w3.org", "")
    assert 'href="#' in page and 'href="/' not in page


def test_the_text_has_a_bar_for_each_rule_that_did_something(bare, draft, capsys):
    assert cli.main(["rules", "replay", str(bare), "--against", str(draft)]) == 0
    printed = capsys.readouterr().out
    assert "0 newly refused, 1 newly accepted; 1 customers hit" in printed
    assert "QT10     changed" in printed and "░" in printed and "█" in printed


# --- processes ------------------------------------------------------------------------------------------------


def many_orders(bare, count=450):
    loaded = load_ruleset(bare)
    (one, two, three) = from_file(bare / "orders.csv", loaded.catalog, "JPY")
    orders = [(one, two, three)[place % 3]._replace(number=f"{place}") for place in range(count)]
    return loaded, orders


def test_any_number_of_processes_gives_the_bytes_of_one(bare, draft):
    loaded, orders = many_orders(bare)
    changed = load_ruleset(bare, overlay=overlay_of(bare, draft.name, draft.read_bytes())).parsed
    heard = []
    whole = compare_orders(loaded.ruleset, changed, FromMemory(orders))
    shared = compare_orders(
        loaded.ruleset, changed, FromMemory(orders), 3, lambda done, total: heard.append((done, total))
    )
    assert shared.to_bytes() == whole.to_bytes() == compare(loaded.ruleset, changed, orders).to_bytes()
    assert whole.total.newly_accepted == 150
    assert heard and all(0 < done <= total == 450 for done, total in heard)
    assert multiprocessing.active_children() == []


def test_rules_can_be_sent_to_a_fresh_interpreter(bare, draft):
    loaded, orders = many_orders(bare, 30)
    sent = pickle.loads(pickle.dumps(replace(loaded.ruleset, compiled={})))
    assert isinstance(sent, Ruleset)
    assert compare(sent, sent, orders).total == compare(loaded.ruleset, loaded.ruleset, orders).total


def test_a_share_that_fails_is_told_and_no_process_is_left(bare):
    loaded, orders = many_orders(bare)
    broken = [*orders, None]
    with pytest.raises(ShareFailedError, match="AttributeError"):
        compare_orders(loaded.ruleset, loaded.ruleset, FromMemory(broken), 2)
    assert multiprocessing.active_children() == []


@pytest.fixture
def shop(tmp_path, prepared_database):
    app = open_past_shop(tmp_path / "neji", prepared_database(with_past_orders))
    yield app
    app.extensions["koguchi"].close()


def test_orders_of_a_database_are_those_of_placing_and_can_be_shared(shop):
    """The same cart gives the same figures in replay as in placing: live against live has what the orders say."""
    koguchi = shop.extensions["koguchi"]
    ruleset = koguchi.rulebook.current()
    with koguchi.engine.connect() as connection:
        ids = ids_of_orders(connection)
        placed = connection.exec_driver_sql(
            "SELECT sum(goods_minor), sum(surcharges_minor) FROM orders"
        ).one()
    source = FromDatabase(koguchi.settings.database_url, ids, "JPY")
    found = compare(ruleset, ruleset, source.orders())
    assert (found.orders, found.total.live.refused) == (len(ids), 0)
    assert (found.total.live.goods, found.total.live.surcharges) == tuple(placed)
    shares = [compare(ruleset, ruleset, source.share(place, 2).orders()) for place in range(2)]
    assert sum(one.orders for one in shares) == len(ids)

"""The Online Retail importer: every line is taken or told with its reason, and the shop it makes can be used.

A small slice stands here; the whole file is read once where the data folder is.
"""

import csv
import json
from collections import Counter
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from rules import load_ruleset
from storefront import cli, create_app
from storefront.accounts import Company
from storefront.catalog import Product
from storefront.commands.rule_folder import InstalledMethods
from storefront.database import get_session
from storefront.online_retail import lines as online_retail
from storefront.orders import Order, OrderLine
from storefront.stock import StockItem

SLICE = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1001,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
1001,85123a,WHITE HANGING HEART T-LIGHT HOLDER,32,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
1002,22423,REGENCY CAKESTAND 3 TIER,2,2011-06-15 09:00:00,12.75,12583.0,France
1003,85123A,CREAM HANGING HEART T-LIGHT HOLDER,120,2011-07-01 10:30:00,2.10,12583.0,EIRE
1004,85123A,CREAM HANGING HEART T-LIGHT HOLDER,1,2011-07-10 12:00:00,5.79,,United Kingdom
1005,20725,LUNCH BAG RED RETROSPOT,10,2011-07-10 12:01:00,0.42,13047.0,Unspecified
C1006,85123A,CREAM HANGING HEART T-LIGHT HOLDER,-6,2011-07-11 12:00:00,2.55,17850.0,United Kingdom
A1007,B,Adjust bad debt,1,2011-07-11 12:00:00,11062.06,,United Kingdom
1008,POST,POSTAGE,1,2011-07-11 12:00:00,18.00,12583.0,France
1008,m,Manual,1,2011-07-11 12:00:00,18.00,12583.0,France
1009,gift_0001_20,Dotcomgiftshop Gift Voucher,1,2011-07-11 12:00:00,16.67,,United Kingdom
1010,22423,damages,-4,2011-07-11 12:00:00,0.00,,United Kingdom
1011,22423,,1,2011-07-11 12:00:00,0.00,,United Kingdom
1012,22423,REGENCY CAKESTAND 3 TIER,two,2011-07-11 12:00:00,12.75,,United Kingdom
1012,22423,REGENCY CAKESTAND 3 TIER,1,2011-07-11 12:00:00,NaN,,United Kingdom
1012,22423
"""
REASONS = {
    "unreadable": 3,
    "cancellation": 1,
    "adjustment": 1,
    "service": 2,
    "voucher": 1,
    "write_off": 1,
    "no_price": 1,
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The slice as a shop, made by the command."""
    folder = tmp_path_factory.mktemp("retail")
    (folder / "lines.csv").write_text(SLICE, encoding="utf-8")
    assert (
        cli.main(["import", "online-retail", str(folder / "lines.csv"), "--shop", str(folder / "shop")]) == 0
    )
    return folder / "shop"


@pytest.fixture
def session(shop):
    app = create_app(shop)
    with app.app_context():
        yield get_session()
    app.extensions["koguchi"].close()


def read(text):
    return online_retail.clean(list(csv.reader(text.splitlines()[1:])))


def test_every_line_is_taken_or_told():
    retail = read(SLICE)
    assert retail.reasons() == REASONS
    assert retail.total == 16 == len(retail.lines) + len(retail.not_taken)
    assert [one.line for one in retail.not_taken] == [8, 9, 10, 11, 12, 13, 14, 15, 16, 17]


def test_codes_in_both_cases_are_one_product_with_its_latest_description_and_commonest_price():
    retail = read(SLICE)
    (heart,) = [item for item in retail.items if item.sku == "85123A"]
    assert (heart.name, heart.category, heart.list_price) == (
        "CREAM HANGING HEART T-LIGHT HOLDER",
        "lights",
        Decimal("2.55"),
    )
    assert (retail.merged_codes, retail.changed_names) == (1, 1)


def test_stock_is_what_was_sold_in_the_last_four_weeks_at_least_ten():
    stock = {item.sku: item.on_hand for item in read(SLICE).items}
    assert stock == {"85123A": 121, "22423": 10, "20725": 10}


def test_lines_without_a_customer_are_one_cash_customer_and_the_latest_country_counts():
    buyers = {buyer.code: (buyer.country, buyer.group) for buyer in read(SLICE).buyers}
    assert buyers["CASH"] == (None, "cash")
    assert buyers["12583"][0] == "IE"
    assert buyers["13047"][0] is None
    assert {group for _country, group in buyers.values()} == {"cash", "large", "small"}


def test_the_command_says_what_it_did_and_the_counts_add_up(tmp_path, capsys):
    (tmp_path / "lines.csv").write_text(SLICE, encoding="utf-8")
    assert (
        cli.main(["import", "online-retail", str(tmp_path / "lines.csv"), "--shop", str(tmp_path / "shop")])
        == 0
    )
    printed = capsys.readouterr().out
    numbers = [line.split()[0] for line in printed.splitlines() if line[:9].strip().isdigit()]
    assert sum(map(int, numbers[:-1])) == int(numbers[-1]) == 16
    assert online_retail.SOURCE in printed
    assert "1 of the taken lines name no customer" in printed
    with (tmp_path / "shop" / "not_taken.csv").open(encoding="utf-8") as file:
        told = list(csv.DictReader(file))
    assert Counter(row["reason"] for row in told) == {key: count for key, count in REASONS.items() if count}
    assert told[0] == {
        "line": "8",
        "reason": "cancellation",
        "invoice": "C1006",
        "code": "85123A",
        "description": "CREAM HANGING HEART T-LIGHT HOLDER",
        "quantity": "-6",
        "price": "2.55",
        "customer": "17850.0",
    }


def test_past_orders_stand_with_the_prices_and_days_of_the_file(session):
    orders = {order.number: order for order in session.scalars(select(Order))}
    assert orders.keys() == {"1001", "1002", "1003", "1004", "1005"}
    first = orders["1001"]
    assert (first.state, first.on.isoformat(), first.currency, first.goods_minor) == (
        "delivered",
        "2010-12-01",
        "GBP",
        9690,
    )
    assert first.placed_at.isoformat() == "2010-12-01T08:26:00+00:00"
    assert orders["1002"].placed_at.isoformat() == "2011-06-15T08:00:00+00:00"  # summer time in London
    assert [(line.sku, line.quantity, line.unit_price) for line in first.lines] == [
        ("85123A", 6, Decimal("2.55")),
        ("85123A", 32, Decimal("2.55")),
    ]
    assert [(move.to_state, move.at) for move in first.moves] == [("delivered", first.placed_at)]
    assert orders["1004"].company.code == "CASH"


def test_products_can_be_searched_and_have_stock(session):
    from storefront import search

    heart = session.scalars(select(Product).where(Product.sku_key == search.sku_key("85123a"))).one()
    assert session.get(StockItem, heart.id).on_hand == 121
    assert session.scalar(select(func.count()).select_from(Company)) == 4


def test_the_rules_of_the_new_shop_have_no_finding_with_its_own_names(shop):
    loaded = load_ruleset(shop, methods=InstalledMethods())
    assert loaded.findings == ()


def test_a_folder_with_something_in_it_is_refused(shop, tmp_path, capsys):
    (tmp_path / "lines.csv").write_text(SLICE, encoding="utf-8")
    before = sorted(path.name for path in shop.iterdir())
    assert cli.main(["import", "online-retail", str(tmp_path / "lines.csv"), "--shop", str(shop)]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert sorted(path.name for path in shop.iterdir()) == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a,b\n1,2\n", "the first line must be InvoiceNo"),
        (SLICE.splitlines()[0] + "\n", "no line of 0 can be taken"),
        (SLICE.splitlines()[0] + "\nC1,A,x,-1,2011-01-01 10:00:00,1,,\n", "no line of 1 can be taken"),
    ],
)
def test_a_file_that_is_none_of_these_is_refused_in_a_sentence(tmp_path, capsys, content, sentence):
    (tmp_path / "lines.csv").write_text(content, encoding="utf-8")
    assert (
        cli.main(["import", "online-retail", str(tmp_path / "lines.csv"), "--shop", str(tmp_path / "shop")])
        == 1
    )
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "shop").exists()


def test_the_shop_can_stand_on_either_database_and_never_on_one_in_use(
    tmp_path, capsys, monkeypatch, database_url
):
    monkeypatch.setenv("DATABASE_URL", database_url)
    (tmp_path / "lines.csv").write_text(SLICE, encoding="utf-8")
    call = ["import", "online-retail", str(tmp_path / "lines.csv"), "--shop"]
    assert cli.main([*call, str(tmp_path / "shop")]) == 0
    app = create_app(tmp_path / "shop")
    with app.app_context():
        assert (
            get_session().scalar(select(func.sum(OrderLine.amount_minor))) == 9690 + 2550 + 25200 + 579 + 420
        )
    app.extensions["koguchi"].close()
    assert cli.main([*call, str(tmp_path / "other")]) == 1
    assert "the database already holds products" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_file_that_is_not_there_is_refused_in_a_sentence(tmp_path, capsys):
    assert (
        cli.main(["import", "online-retail", str(tmp_path / "no.csv"), "--shop", str(tmp_path / "shop")]) == 1
    )
    assert "no.csv: No such file" in capsys.readouterr().err


def test_the_source_is_named_on_every_page_of_the_shop(shop):
    app = create_app(shop)
    page = app.test_client().get("/login?lang=en", follow_redirects=True).get_data(as_text=True)
    app.extensions["koguchi"].close()
    assert "Daqing Chen" in page and "CC BY 4.0" in page


@pytest.fixture(scope="module")
def whole(data_folder, tmp_path_factory):
    shop = tmp_path_factory.mktemp("whole") / "shop"
    (file,) = data_folder.glob("online-retail-*.csv*")
    assert cli.main(["import", "online-retail", str(file), "--shop", str(shop)]) == 0
    return shop


def test_the_whole_file_becomes_a_shop(whole):
    with (whole / "not_taken.csv").open(encoding="utf-8") as file:
        reasons = Counter(row["reason"] for row in csv.DictReader(file))
    assert reasons == {
        "cancellation": 6652,
        "adjustment": 3,
        "service": 1731,
        "voucher": 32,
        "write_off": 1023,
        "no_price": 923,
    }
    app = create_app(whole)
    with app.app_context():
        session = get_session()
        lines = session.scalar(select(func.count()).select_from(OrderLine))
        assert lines + reasons.total() == 370_931
        assert session.scalar(select(func.count()).select_from(Order)) == 14_201
        assert session.scalar(select(func.sum(Order.goods_minor))) == 709_152_444
    app.extensions["koguchi"].close()


def test_a_year_of_real_orders_is_replayed(whole, capsys):
    assert cli.main(["rules", "replay", str(whole), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["orders"], told["lines"], told["then"]["goods"]) == (14_201, 360_567, "7091524.44")
    assert told["not_evaluated"] == []
    assert 0 < told["refused"] < 3_000


def test_a_month_of_real_orders_is_compared_with_a_draft_by_any_number_of_processes(whole, tmp_path, capsys):
    text = (whole / "rules" / "OR10_minimum.toml").read_text(encoding="utf-8")
    (tmp_path / "OR10.toml").write_text(text.replace("minimum = 100", "minimum = 150"), encoding="utf-8")
    call = ["rules", "replay", str(whole), "--against", str(tmp_path / "OR10.toml"), "--json"]
    told = []
    for jobs in ("1", "3"):
        assert cli.main([*call, "--orders", "2011-09-01..2011-09-30", "--jobs", jobs]) == 0
        told.append(json.loads(capsys.readouterr().out))
        del told[-1]["seconds"]
    assert told[0] == told[1]
    total = told[0]["total"]
    assert (total["orders"], total["newly_refused"], total["newly_accepted"]) == (1_818, 0, 0)
    (rule,) = [one for one in told[0]["rules"] if one["state"] != "same"]
    assert (rule["code"], rule["state"]) == ("OR10", "changed")
    charged = Decimal(rule["draft"]["charged"]) - Decimal(rule["live"]["charged"])
    assert charged == Decimal(total["change"]["surcharges"]) == Decimal(total["change"]["revenue"]) > 0


def test_prices_that_a_year_of_real_orders_hides_are_found(whole, tmp_path, capsys):
    assert (
        cli.main(["rules", "suggest", str(whole), "--handling", "3", "--out", str(tmp_path), "--json"]) == 0
    )
    told = json.loads(capsys.readouterr().out)
    best = {(one["sku"], one["customer"], one["from"], one["unit"]): one for one in told["best"]}
    found = best["85123A", None, 32, "2.55"]
    assert (found["usual"], found["lines"], found["agree"], found["customers"]) == ("2.95", 264, 258, 116)
    assert told["own_prices"] > 1_000
    held = told["held_out"]
    assert held["at_the_price_of_the_rows"] - held["at_the_usual_price"] > held["lines"] * 0.1
    assert cli.main(["rules", "check", str(whole)]) == 0  # nothing was written into the shop's own rules

"""Rules of equal rank that meet and disagree are refused, with a product and a customer where they meet."""

from pathlib import Path

import pytest

from rules.facts import CHANNELS
from support.rule_folders import errors, only_error, rule, rules, warnings

PRODUCTS = "sku,category,brand,tags,batch\nM4,screws/pan,K,steel zinc,b1\nN4,nuts,K,brass,b2\n"
CUSTOMERS = "code,group,region,country,tags\nACME,standard,JP-27,JP,new\nBETA,trial,JP-13,JP,\n"
KNOWN = {"products.csv": PRODUCTS, "customers.csv": CUSTOMERS}


def price(when: str, rate: str, head: str = "") -> str:
    return f"{head}[when]\n{when}\n[price]\nrate = {rate}\n"


def codes(folder: Path, files: dict[str, str]) -> list[str]:
    return [finding.check for finding in errors(folder, dict(files))]


def test_a_tie_names_both_files_a_product_and_a_customer(tmp_path: Path) -> None:
    files = rules(
        PR10=price('"product.brand" = "K"', "0.6"), PR20=price('"product.brand" = ["K", "L"]', "0.7")
    )
    finding = only_error(tmp_path, {**files, **KNOWN})
    assert (finding.check, finding.file, finding.rule) == ("tie", "rules/PR20.toml", "PR20")
    assert "rules/PR10.toml and rules/PR20.toml" in finding.message
    assert "product M4 and customer ACME" in finding.message
    assert 'beats = ["PR10"]' in finding.hint


@pytest.mark.parametrize(
    ("first", "second", "is_tie"),
    [
        ('"customer.group" = "standard"', '"customer.group" = ["standard", "trial"]', True),
        ('"customer.group" = "standard"', '"customer.group" = "trial"', False),
        ('"customer.code" = "ACME"', '"customer.group" = "standard"', False),
        (
            '"customer.group" = "standard"\n"customer.region" = "JP-27"',
            '"customer.group" = "standard"',
            False,
        ),
        ('"customer.region" = "JP-27"', '"customer.country" = "JP"', True),
        ('"product.category" = "screws"', '"product.category" = "screws/pan"', False),
        ('"product.category" = ["screws/pan", "nuts"]', '"product.category" = "screws"', True),
        ('"product.category" = "screws/pan"', '"product.category" = "screws/hex"', False),
        ('"product.tags" = "steel"', '"product.tags" = {has = "zinc"}', True),
        ('"product.tags" = "steel"', '"product.tags" = "brass"', True),
        ('"product.tags" = "steel"', '"product.tags" = {not = "steel"}', False),
        ('"product.sku" = "M4"', '"product.batch" = "b1"', False),
        ('"line.quantity" = {lt = 10}', '"line.quantity" = {ge = 10}', False),
        ('"line.quantity" = {le = 10}', '"line.quantity" = {ge = 10}', True),
        ('"order.channel" = "web"', '"order.channel" = {not = "web"}', False),
        ('"order.channel" = "web"', '"order.channel" = {not_in = ["fax", "api"]}', True),
        ('"product.sku" = {starts_with = "M"}', '"product.sku" = {starts_with = "N"}', False),
        ('"product.sku" = {starts_with = "M"}', '"product.sku" = {starts_with = "M4"}', True),
        ('"customer.known" = true', '"customer.known" = false', False),
        ('"customer.orders" = {lt = 3}', '"customer.orders" = {known = false}', False),
        ('"customer.orders" = {lt = 3}', '"customer.orders" = 2', True),
        ('any = [{"order.channel" = "fax"}, {"order.channel" = "api"}]', '"order.channel" = "api"', True),
        ('any = [{"order.channel" = "fax"}, {"order.channel" = "api"}]', '"order.channel" = "web"', False),
        ('"order.on" = {lt = 2026-12-01}', '"order.on" = 2026-12-01', False),
        ('"product.attributes.size" = 4', '"product.attributes.size" = "4"', False),
    ],
)
def test_rules_meet_when_fact_by_fact_some_value_satisfies_both(
    tmp_path: Path, first: str, second: str, is_tie: bool
) -> None:
    files = rules(PR10=price(first, "0.6"), PR20=price(second, "0.7"))
    assert codes(tmp_path, files) == (["tie"] if is_tie else [])


def test_where_products_and_customers_are_known_one_of_each_must_satisfy_both(tmp_path: Path) -> None:
    apart = rules(
        PR10=price('"product.tags" = "steel"', "0.6"), PR20=price('"product.tags" = "brass"', "0.7")
    )
    assert codes(tmp_path / "tags", {**apart, **KNOWN}) == []
    together = rules(
        PR10=price('"product.tags" = "steel"', "0.6"), PR20=price('"product.tags" = "zinc"', "0.7")
    )
    assert codes(tmp_path / "unknown", together) == ["tie"]
    crossed = rules(
        PR10=price('any = [{"customer.group" = "standard"}, {"product.brand" = "K"}]', "0.6"),
        PR20=price('"customer.code" = {starts_with = "Z"}', "0.7"),
    )
    assert codes(tmp_path / "nobody", {**crossed, **KNOWN}) == []


def test_beats_settles_a_tie_and_reaches_through(tmp_path: Path) -> None:
    bodies = {
        "PR10": price('"product.brand" = "K"', "0.5", 'beats = ["PR20"]\n'),
        "PR20": price('"product.brand" = "K"', "0.6", 'beats = ["PR30"]\n'),
        "PR30": price('"product.brand" = "K"', "0.7"),
    }
    assert codes(tmp_path / "a", rules(**bodies)) == []
    bodies["PR20"] = price('"product.brand" = "K"', "0.6")
    assert codes(tmp_path / "b", rules(**bodies)) == ["tie", "tie"]


def test_beats_of_another_group_or_of_rules_that_add_up_is_refused_and_of_other_fields_is_not(
    tmp_path: Path,
) -> None:
    head = "beats = ['{}']\n"
    quantities = rules(
        QT10=head.format("QT20") + "[quantity]\nminimum = 5\n", QT20="[quantity]\nmultiple = 5\n"
    )
    assert codes(tmp_path / "a", quantities) == []
    adding = rules(
        SH10=head.format("SH20") + "[shipping]\nadd = 5\n", SH20="[shipping]\nhide = ['flat_rate']\n"
    )
    assert codes(tmp_path / "b", adding) == ["beats-needless"]
    free = rules(SH10=head.format("SH20") + "[shipping]\nfree_from = 5\n", SH20="[shipping]\nfree_from = 9\n")
    assert codes(tmp_path / "c", free) == []
    other = rules(QT10=head.format("OR10") + "[quantity]\nminimum = 5\n", OR10="[order]\nminimum = 5\n")
    assert codes(tmp_path / "d", other) == ["beats-needless"]
    assert codes(tmp_path / "e", rules(QT10=head.format("QT10") + "[quantity]\nminimum = 5\n")) == [
        "beats-circle"
    ]


def test_two_lines_of_one_order_may_bring_order_rules_to_a_tie(tmp_path: Path) -> None:
    files = rules(
        OR10='[when]\n"product.category" = "screws"\n[order]\nminimum = 3000\n',
        OR20='[when]\n"product.category" = "nuts"\n[order]\nminimum = 5000\n',
    )
    assert warnings(tmp_path / "a", {**files, **KNOWN}) == ["order-tie"]
    groups = rules(
        OR10='[when]\n"customer.group" = "standard"\n[order]\nminimum = 3000\n',
        OR20='[when]\n"customer.group" = "trial"\n[order]\nminimum = 5000\n',
    )
    assert warnings(tmp_path / "b", {**groups, **KNOWN}) == []


def test_a_row_that_a_more_specific_row_always_overrules_ties_with_nothing(tmp_path: Path) -> None:
    files = {
        **rules(
            PR10='[price]\ntable = "prices/a.csv"\n',
            PR20='[when]\n"product.category" = "nuts"\n[price]\nunit = 5\n',
        ),
        "prices/a.csv": "sku,category,unit\n,nuts,4\nN4,,3\n",
        **KNOWN,
    }
    assert codes(tmp_path / "a", files) == []
    files["prices/a.csv"] = "sku,category,from,unit\n,nuts,1,4\nN4,,100,3\n"
    assert codes(tmp_path / "b", files) == ["tie"]


def test_dates_modes_and_scopes_keep_rules_apart(tmp_path: Path) -> None:
    def both(first: str, second: str) -> dict[str, str]:
        return {
            **rules(
                PR10=price('"product.brand" = "K"', "0.6", first),
                PR20=price('"product.brand" = "K"', "0.7", second),
            ),
            **KNOWN,
        }

    assert codes(tmp_path / "a", both("until = 2026-12-31\n", "from = 2027-01-01\n")) == []
    assert codes(tmp_path / "b", both("until = 2027-01-01\n", "from = 2027-01-01\n")) == ["tie"]
    assert codes(tmp_path / "c", both("", 'mode = "shadow"\n')) == ["tie"]
    assert codes(tmp_path / "d", both("", 'mode = "off"\n')) == []
    assert (
        codes(tmp_path / "e", both('[scope]\ncustomers = ["ACME"]\n', '[scope]\nregions = ["JP-13"]\n')) == []
    )
    assert codes(
        tmp_path / "f", both('[scope]\ncustomers = ["ACME"]\n', '[scope]\nregions = ["JP-27"]\n')
    ) == ["tie"]


def test_only_what_sets_the_same_lane_or_field_and_differs_ties(tmp_path: Path) -> None:
    same = rules(PR10="[price]\nrate = 0.6\n", PR20="[price]\nrate = 0.6\n")
    lanes = rules(PR10="[price]\nrate = 0.6\n", PR20="[price]\noff_percent = 5\n")
    fields = rules(QT10="[quantity]\nminimum = 10\n", QT20="[quantity]\nmultiple = 5\n")
    adding = rules(SC10="[surcharge]\namount = 100\n", SC20="[surcharge]\namount = 200\n")
    for place, files in enumerate((same, lanes, fields, adding)):
        assert codes(tmp_path / str(place), files) == []
    assert codes(
        tmp_path / "min", rules(QT10="[quantity]\nminimum = 10\n", QT20="[quantity]\nminimum = 5\n")
    ) == ["tie"]
    graded = rules(
        QT10="[quantity]\nminimum = 10\n", QT20="[quantity]\nminimum = 10\nbelow = [{outcome = 'warn'}]\n"
    )
    assert codes(tmp_path / "graded", graded) == ["tie"]
    assert codes(
        tmp_path / "order", rules(OR10="[order]\nminimum = 10\n", OR20="[order]\nminimum = 5\n")
    ) == ["tie"]
    assert codes(
        tmp_path / "free", rules(SH10="[shipping]\nfree_from = 9\n", SH20="[shipping]\nfree_from = 5\n")
    ) == ["tie"]
    apart = rules(
        SH10="[shipping]\nfree_from = 9\nmethods = ['flat_rate']\n",
        SH20="[shipping]\nfree_from = 5\nmethods = ['table_rate']\n",
    )
    assert codes(tmp_path / "apart", apart) == []


def test_with_lowest_the_agreed_lane_has_no_ties(tmp_path: Path) -> None:
    files = rules(PR10="[price]\nrate = 0.6\n", PR20="[price]\nrate = 0.7\n")
    assert codes(tmp_path / "a", {**files, "shop.toml": '[policy]\nprice_choice = "lowest"\n'}) == []
    volume = rules(
        PR10="[price]\nrate = 0.6\nlane = 'volume'\n", PR20="[price]\nrate = 0.7\nlane = 'volume'\n"
    )
    assert codes(tmp_path / "b", {**volume, "shop.toml": '[policy]\nprice_choice = "lowest"\n'}) == ["tie"]


def test_a_table_row_ties_with_a_rule_of_its_rank(tmp_path: Path) -> None:
    table = rule("PR10", '[price]\ntable = "prices/a.csv"\n')
    tied = rule("PR20", '[when]\n"customer.code" = "ACME"\n"product.sku" = ["N4", "M4"]\n[price]\nunit = 5\n')
    files = {
        "PR10": table,
        "PR20": tied,
        "prices/a.csv": "customer,sku,unit\nACME,M4,4\nBETA,N4,4\n",
        **KNOWN,
    }
    finding = only_error(tmp_path / "a", files)
    assert "product M4 and customer ACME" in finding.message
    files["prices/a.csv"] = "customer,sku,unit\nBETA,M4,4\nBETA,N4,4\n"
    assert codes(tmp_path / "b", files) == []
    files["prices/a.csv"] = "sku,unit\nM4,4\n"
    assert codes(tmp_path / "c", files) == []
    files["prices/a.csv"] = "customer,sku,unit,valid_until\nACME,M4,4,2026-12-31\n"
    files["PR20"] = tied.replace("[when]", "from = 2027-01-01\n[when]")
    assert codes(tmp_path / "d", files) == []


def test_rows_of_two_tables_tie_when_a_line_fits_both(tmp_path: Path) -> None:
    files = {
        **rules(PR10='[price]\ntable = "prices/a.csv"\n', PR20='[price]\ntable = "prices/b.csv"\n'),
        "prices/a.csv": "customer,category,unit\nACME,screws/pan,4\nBETA,nuts,4\n",
        "prices/b.csv": "customer,category,unit\nACME,nuts,4\nBETA,nuts,4\n",
    }
    assert codes(tmp_path / "a", files) == ["tie"]
    files["prices/b.csv"] = "customer,category,unit\nACME,nuts,4\nBETA,screws,4\n"
    assert codes(tmp_path / "b", files) == []


def test_a_minimum_of_one_rule_over_the_maximum_of_another_leaves_nothing(tmp_path: Path) -> None:
    files = rules(
        QT10='[when]\n"product.category" = "screws"\n[quantity]\nminimum = 10\n',
        QT20='[when]\n"product.sku" = "M4"\n[quantity]\nmaximum = 5\n',
    )
    finding = only_error(tmp_path / "a", {**files, **KNOWN})
    assert finding.check == "no-quantity"
    assert "QT10" in finding.message and "QT20" in finding.message and "M4" in finding.message
    saved = rules(QT30='[when]\n"product.sku" = "M4"\n[quantity]\nminimum = 1\n')
    assert codes(tmp_path / "b", {**files, **saved, **KNOWN}) == []
    graded = {
        **files,
        **rules(QT20='[when]\n"product.sku" = "M4"\n[quantity]\nmaximum = 5\nabove = "approval"\n'),
    }
    assert codes(tmp_path / "c", {**graded, **KNOWN}) == []


def test_breaks_are_compared_with_quantity_rules_that_surely_apply(tmp_path: Path) -> None:
    breaks = "[price]\nbreaks = [{from = 5, unit = 9}, {from = 25, unit = 8}, {from = 5000, unit = 7}]\n"
    price_rule = f'[when]\n"product.category" = "screws/pan"\n"customer.group" = "standard"\n{breaks}'
    quantity = '[when]\n"product.category" = "screws"\n[quantity]\nminimum = 30\nmaximum = 1000\n'
    assert warnings(tmp_path / "a", rules(PR10=price_rule, QT10=quantity)) == ["break-off-quantity"] * 2
    other = '[when]\n"product.category" = "screws"\n"order.channel" = "web"\n[quantity]\nminimum = 30\n'
    assert warnings(tmp_path / "b", rules(PR10=price_rule, QT10=other)) == []


def test_a_rule_that_can_never_apply_is_a_warning(tmp_path: Path) -> None:
    channels = ", ".join(f'"{channel}"' for channel in CHANNELS)
    never = f'[when]\n"order.channel" = {{not_in = [{channels}]}}\n'
    assert warnings(tmp_path / "a", rules(QT10=never + "[quantity]\nminimum = 1\n")) == ["never-applies"]
    both = '[when]\n"product.sku" = "M4"\n"product.category" = "nuts"\n[quantity]\nminimum = 1\n'
    assert warnings(tmp_path / "b", {**rules(QT10=both), **KNOWN}) == ["never-applies"]
    assert warnings(tmp_path / "c", rules(QT10=both)) == []
    visitor = '[when]\n"customer.known" = false\n[quantity]\nminimum = 1\n'
    assert warnings(tmp_path / "d", {**rules(QT10=visitor), **KNOWN}) == []
    changing = '[when]\n"customer.orders" = {lt = 3}\n[quantity]\nminimum = 1\n'
    assert warnings(tmp_path / "e", {**rules(QT10=changing), **KNOWN}) == []


def test_names_are_checked_inside_any_and_in_not(tmp_path: Path) -> None:
    body = '[when]\nany = [{"product.sku" = {not = "M5"}}, {"customer.group" = ["trial", "standart"]}]\n'
    body += "[quantity]\nminimum = 1\n"
    assert sorted(codes(tmp_path, {**rules(QT10=body), **KNOWN})) == ["unknown-group", "unknown-sku"]


def test_a_thousand_rules_that_might_meet_are_compared(tmp_path: Path) -> None:
    files = {
        f"PR{place}": rule(
            f"PR{place}",
            price(
                f'"customer.group" = "g{place % 5}"\n"line.quantity" = {{between = [{place * 10}, {place * 10 + 9}]}}',
                f"0.{place:04d}",
            ),
        )
        for place in range(1, 1000)
    }
    assert codes(tmp_path, files) == []

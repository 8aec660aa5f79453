"""Rule files are read to the letter, and every mistake is a finding with file, line and the right word."""

import json
import os
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import load_ruleset
from rules.ruleset import (
    AnyOf,
    Below,
    Condition,
    MethodEffect,
    PriceEffect,
    QuantityEffect,
    SurchargeEffect,
    WhenLine,
)
from support.rule_folders import TODAY, errors, load, loaded, only_error, rule, rules, write

BOOK = Path(__file__).parent / "support" / "book_shop"
QUANTITY = "[quantity]\nminimum = 100\n"


def test_the_whole_file_of_the_book_loads_and_its_cases_pass() -> None:
    found = load_ruleset(BOOK, today=TODAY)
    # Its small-lot fee ends at 100 pieces, and 90 with the fee cost more: right, and only a warning.
    assert [finding.check for finding in found.findings if finding.rule == "QT10"] == ["price-cliff"]
    assert found.ruleset is not None
    assert [case.passed for case in found.cases if case.rule == "QT10"] == [True, True]
    book = found.ruleset.rule("QT10")
    assert book.name == {"ja": "ねじの最低注文数", "en": "Minimum order for screws"}
    assert (book.from_on, book.until_on, book.mode, book.beats) == (
        date(2026, 12, 1), date(2027, 11, 30), "live", ("QT01",)
    )  # fmt: skip
    assert book.scope is not None
    assert (book.scope.regions, book.scope.customers, book.scope.percent) == (
        ("JP-27",),
        ("ACME",),
        Decimal(20),
    )
    assert book.when == (
        WhenLine("product.category", (Condition("product.category", "eq", "screws"),)),
        WhenLine("customer.group", (Condition("customer.group", "one_of", ("standard", "trial")),)),
        WhenLine("order.channel", (Condition("order.channel", "not", "quotation"),)),
    )
    effect = book.effect
    assert isinstance(effect, QuantityEffect)
    assert effect.below == (
        Below("surcharge", Decimal(60), Decimal(800), label={"ja": "小ロット手数料", "en": "Small-lot fee"}),
        Below("quotation", Decimal(10)),
        Below("block"),
    )
    assert book.lines["quantity.below.1.outcome"] == book.lines["quantity.below.1"] + 2


def test_a_folder_without_rules_and_without_shop_toml_is_an_empty_rule_set_in_yen(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path, {})
    assert ruleset.rules == ()
    assert ruleset.policy.currency == "JPY"
    assert ruleset.policy.rates_on(TODAY) == {
        "standard": Decimal("0.10"), "reduced": Decimal("0.08"), "exempt": Decimal(0)
    }  # fmt: skip


def test_a_missing_shop_folder_is_a_finding(tmp_path: Path) -> None:
    found = load_ruleset(tmp_path / "nowhere")
    assert found.ruleset is None
    assert [finding.check for finding in found.findings] == ["unreadable"]


def test_the_hash_covers_rules_tables_exceptions_and_policy_as_the_semantics_say(tmp_path: Path) -> None:
    files = {
        **rules(PR10='[price]\ntable = "prices/a.csv"\n'),
        "prices/a.csv": "sku,unit\nM4,100\n",
        "exceptions/x.toml": 'rule = "PR10"\ncustomer = "ACME"\nreason = "r"\napproved_by = "b"\nuntil = 2027-01-01\n'
        "[change]\nunit = 90\n",
        "shop.toml": '[policy]\ncurrency = "JPY"\n[tax]\nrates = [{category = "standard", rate = 0.10, '
        "from = 2019-10-01}]\n[shop]\nname = 'not part of it'\n",
        "products.csv": "sku\nM4\n",
    }
    ruleset = loaded(tmp_path, files)
    policy = '{"policy":{"currency":"JPY"},"tax":{"rates":[{"category":"standard","from":"2019-10-01","rate":"0.10"}]}}'
    lines = "".join(
        f"{path}\0{sha256((tmp_path / path).read_bytes()).hexdigest()}\n"
        for path in ("exceptions/x.toml", "prices/a.csv", "rules/PR10.toml")
    )
    lines += f"shop.toml\0{sha256(policy.encode()).hexdigest()}\n"
    assert ruleset.hash == "sha256:" + sha256(lines.encode()).hexdigest()
    assert json.loads(policy)


def test_names_with_a_dot_or_underscore_in_front_and_sub_folders_are_not_read(tmp_path: Path) -> None:
    broken = "this is no rule"
    files = {"rules/.QT10.toml": broken, "rules/_QT11.toml": broken, "rules/old/QT12.toml": broken}
    assert loaded(tmp_path, {**files, **rules(QT13=QUANTITY)}).rules[0].code == "QT13"


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    text = rule("QT10", QUANTITY + "multiple = 0\n").replace("\n", "\r\n")
    finding = only_error(tmp_path, {"QT10": b"\xef\xbb\xbf" + text.encode()})
    assert (finding.check, finding.line) == ("wrong-value", 5)


def test_a_code_needs_its_group_and_the_file_its_code(tmp_path: Path) -> None:
    for name, code in (
        ("XX10", "XX10"),
        ("QT1234567", "QT1234567"),
        ("qt10", "qt10"),
        ("QT10screws", "QT10"),
    ):
        folder = tmp_path / name
        found = errors(folder, {f"rules/{name}.toml": rule(code, QUANTITY)})
        assert "file-name" in [finding.check for finding in found], name
    assert loaded(tmp_path / "good", {"rules/QT1_screws and nuts.toml": rule("QT1", QUANTITY)})


def test_a_misspelled_key_is_named_with_its_line_and_the_nearest_right_word(tmp_path: Path) -> None:
    finding = only_error(tmp_path, rules(QT10="[quantity]\n\nminumum = 100\n"))
    assert str(finding).startswith(
        'rules/QT10.toml:5: error unknown-key: "minumum" is not a key of [quantity].'
    )
    assert finding.hint.startswith('Did you mean "minimum"?')
    assert finding.rule == "QT10"


def test_ten_mistakes_in_one_file_are_ten_findings(tmp_path: Path) -> None:
    body = """until = 2026-01-01T10:00:00
mood = "live"
because = "{customer.nam}"
[when]
"product.catgory" = "screws"
"line.amount" = {gt = 1}
"line.quantity" = {lt = 5.5, between = [9, 3]}
"order.channel" = "wbe"
"customer.tags" = {starts_with = "x"}
[quantity]
maximum = true
minimum = 0
"""
    found = errors(tmp_path, rules(QT10=body))
    assert [finding.line for finding in found] == [3, 4, 5, 7, 8, 9, 9, 10, 11, 13, 14]
    assert all(finding.message.strip() for finding in found)


@pytest.mark.parametrize(
    ("value", "check"),
    [
        ("nan", "wrong-value"),
        ("inf", "wrong-value"),
        ("1e1000000", "too-many-decimals"),
        ("1e99999999999999999999", "toml-syntax"),
        ("true", "wrong-type"),
        ("12:30:00", "wrong-type"),
        ("2026-12-01", "wrong-type"),
        ('"0.65"', "wrong-type"),
        ("-0.5", "wrong-value"),
        ("10.5", "wrong-value"),
        ("0.1234567", "too-many-decimals"),
        ("00.5", "toml-syntax"),
        ("9" * 5000, "toml-syntax"),
        ("0x" + "f" * 5000, "too-many-decimals"),
    ],
)
def test_a_rate_that_is_no_usable_number_is_refused(tmp_path: Path, value: str, check: str) -> None:
    assert only_error(tmp_path, rules(PR10=f"[price]\nrate = {value}\n")).check == check


def test_integers_and_decimals_are_interchangeable_except_for_pieces(tmp_path: Path) -> None:
    ruleset = loaded(tmp_path / "a", rules(PR10="[price]\nrate = 1\n", SC10="[surcharge]\namount = 300.00\n"))
    assert ruleset.rule("PR10").effect == PriceEffect("rate", "agreed", Decimal(1))
    assert ruleset.rule("SC10").effect == SurchargeEffect("amount", Decimal(300))
    assert only_error(tmp_path / "b", rules(QT10="[quantity]\nminimum = 100.0\n")).check == "wrong-type"


def test_amounts_follow_the_currency_of_the_shop(tmp_path: Path) -> None:
    body = rules(SC10="[surcharge]\namount = 1.50\n", OR10="[order]\nminimum = 99.99\n")
    assert loaded(tmp_path / "a", {**body, "shop.toml": '[policy]\ncurrency = "GBP"\n'}).rules
    found = errors(tmp_path / "b", body)
    assert [finding.check for finding in found] == ["too-many-decimals", "too-many-decimals"]
    assert [
        finding.check
        for finding in errors(tmp_path / "c", {**body, "shop.toml": '[policy]\ncurrency = "GBX"\n'})
    ] == ["wrong-value"]


def test_unit_prices_have_six_decimals_and_twelve_digits(tmp_path: Path) -> None:
    for place, (value, is_good) in enumerate(
        [
            ("0.000001", True),
            ("999999999999", True),
            ("1000000000000", False),
            ("0.0000001", False),
            ("1.2000000", True),
        ]
    ):
        found = errors(tmp_path / str(place), rules(PR10=f"[price]\nunit = {value}\n"))
        assert [finding.check for finding in found] == ([] if is_good else ["too-many-decimals"]), value


def test_dates_with_a_time_are_refused_with_what_to_write(tmp_path: Path) -> None:
    finding = only_error(tmp_path, {"QT10": rule("QT10", "from = 2026-12-01T00:00:00Z\n" + QUANTITY)})
    assert finding.check == "wrong-type"
    assert "2026-12-01" in finding.hint


def test_conditions_are_normalised_to_the_type_of_their_fact(tmp_path: Path) -> None:
    body = """[when]
"product.brand" = "e\u0301"
"customer.tags" = {has = "new"}
"order.on" = {between = [2026-12-01, 2026-12-31]}
"product.weight_g" = {le = 10}
"product.attributes.material" = ["SUS304", 304, true]
any = [{"customer.known" = false}, {"order.weekday" = "sat", "customer.orders" = {lt = 3.0}}]
[quantity]
minimum = 1
"""
    when = loaded(tmp_path, rules(QT10=body)).rule("QT10").when
    assert when[0] == WhenLine("product.brand", (Condition("product.brand", "eq", "\u00e9"),))
    assert when[1] == WhenLine("customer.tags", (Condition("customer.tags", "has", ("new",)),))
    assert when[2].conditions[0].value == (date(2026, 12, 1), date(2026, 12, 31))  # type: ignore[union-attr]
    assert when[3].conditions[0].value == Decimal(10)  # type: ignore[union-attr]
    assert when[4].conditions[0].value == ("SUS304", 304, True)  # type: ignore[union-attr]
    assert isinstance(when[5], AnyOf)
    assert when[5].tables[1][1].conditions == (Condition("customer.orders", "lt", 3),)


@pytest.mark.parametrize(
    ("line", "check"),
    [
        ('"product.sku" = ""', "empty-value"),
        ('"product.sku" = {}', "empty-value"),
        ('"product.sku" = {not = ["a"]}', "wrong-type"),
        ('"product.sku" = {not_in = "a"}', "wrong-type"),
        ('"product.sku" = {lt = "a"}', "unknown-operator"),
        ('"product.sku" = {known = "yes"}', "wrong-type"),
        ('"product.sku" = 5', "wrong-type"),
        ('"customer.known" = "true"', "wrong-type"),
        ('"customer.orders" = {between = [1]}', "wrong-type"),
        ('"customer.orders" = {between = [3, 1]}', "wrong-value"),
        ('"customer.region" = "Osaka"', "wrong-value"),
        ('"customer.country" = "Japan"', "wrong-value"),
        ('"order.currency" = "YEN"', "wrong-value"),
        ('"order.ship_to.postcode" = "540-0001"', "wrong-value"),
        ('"order.on" = "2026-12-01"', "wrong-type"),
        ('"product.tags" = {has = []}', "empty-value"),
        ('"product.attributes.size" = {has = "a"}', "unknown-operator"),
        ('"product.attributes." = "a"', "unknown-fact"),
        ("product.sku = 'a'", "unknown-fact"),
        ("any = []", "wrong-type"),
        ("any = {}", "wrong-type"),
        ('any = [{any = [{"product.sku" = "a"}]}]', "unknown-key"),
        ('"order.subtotal" = {gt = 1}', "fact-too-early"),
        ('any = [{"matching.amount" = {gt = 1}}]', "fact-too-early"),
    ],
)
def test_a_condition_that_means_nothing_is_a_load_error(tmp_path: Path, line: str, check: str) -> None:
    found = errors(tmp_path, rules(QT10=f"[when]\n{line}\n[quantity]\nminimum = 1\n"))
    assert [finding.check for finding in found] == [check]
    assert found[0].line == 4


def test_amounts_are_known_from_the_surcharge_stage(tmp_path: Path) -> None:
    body = '[when]\n"line.amount" = {lt = 1000}\n[surcharge]\namount = 300\n'
    assert loaded(tmp_path, rules(SC10=body)).rules


@pytest.mark.parametrize(
    "body",
    [
        "[price]\n",
        "[price]\nrate = 1\nunit = 2\n",
        "[price]\nbreaks = []\n",
        "[price]\nbreaks = [{from = 1}]\n",
        "[price]\nbreaks = [{unit = 1}]\n",
        "[price]\nbreaks = [{from = 0, unit = 1}]\n",
        '[price]\nbreaks = [{from = 1, unit = 1}]\ntiers = "graduated"\ncounts = "order"\n',
        "[price]\nrate = 1\nround = {to = 0}\n",
        "[price]\nrate = 1\nround = {mode = 'floor'}\n",
        "[price]\nrate = 1\nlane = 'sale'\n",
        "[price]\noff_percent = 101\n",
        "[price]\nunit = -1\n",
        "[price]\nunit = 1\nper = 0\n",
    ],
)
def test_a_price_that_cannot_be_computed_is_a_load_error(tmp_path: Path, body: str) -> None:
    assert errors(tmp_path, rules(PR10=body)), body


@pytest.mark.parametrize(
    "body",
    [
        "[quantity]\n",
        "[quantity]\nallowed = [10, 10]\n",
        "[quantity]\nallowed = []\n",
        "[quantity]\nallowed = [0]\n",
        "[quantity]\nmultiple = 5\nmultiple_from = 'minimum'\n",
        "[quantity]\nminimum = 5\nabove = 'surcharge'\n",
        "[quantity]\nminimum = 5\nbelow = [{outcome = 'surcharge'}]\n",
        "[quantity]\nminimum = 5\nbelow = [{outcome = 'surcharge', amount = 1, percent = 2}]\n",
        "[quantity]\nminimum = 5\nbelow = [{outcome = 'block', amount = 1}]\n",
        "[quantity]\nminimum = 5\nbelow = [{at_least = 2, outcome = 'warn'}, {at_least = 2, outcome = 'block'}]\n",
        "[quantity]\nminimum = 5\nbelow = [{outcome = 'warn'}, {at_least = 2, outcome = 'block'}]\n",
        "[quantity]\nminimum = 5\nmaximum = 4\n",
        "[quantity]\nminimum = 11\nmultiple = 10\nmaximum = 19\n",
        "[quantity]\nmultiple = 10\nallowed = [5, 25]\n",
    ],
)
def test_a_quantity_rule_that_contradicts_itself_is_a_load_error(tmp_path: Path, body: str) -> None:
    assert errors(tmp_path, rules(QT10=body)), body


@pytest.mark.parametrize(
    "body",
    [
        "[quantity]\nmultiple = 10\nallowed = [5, 25]\noff_multiple = 'approval'\n",
        "[quantity]\nminimum = 11\nmultiple = 10\nmaximum = 19\nabove = 'approval'\n",
        "[quantity]\nminimum = 5\nmultiple = 3\nmultiple_from = 'minimum'\nmaximum = 5\n",
        "[quantity]\nminimum = 20\nmaximum = 20\n",
    ],
)
def test_one_quantity_that_can_be_ordered_is_enough(tmp_path: Path, body: str) -> None:
    assert errors(tmp_path, rules(QT10=body)) == []


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("CA10", "[catalog]\nhide = false\n"),
        ("CA10", "[catalog]\nbuy = true\n"),
        ("CA10", "[catalog]\nprice = 'open'\n"),
        ("SC10", "[surcharge]\namount = 1\npercent = 2\n"),
        ("SC10", "[surcharge]\namount = -1\n"),
        ("SC10", "[surcharge]\namount = 1\ncounts = 'line'\n"),
        ("SC10", "[surcharge]\nper_lot = {lot = 0, amount = 5}\n"),
        ("SC10", "[surcharge]\npercent = 5\nat_least = 500\nat_most = 300\n"),
        ("OR10", "[order]\nminimum = 0\n"),
        ("OR10", "[order]\ncredit = 'warn'\n"),
        ("SH10", "[shipping]\nterms = {net_days = 30}\n"),
        ("SH10", "[shipping]\nonly = []\n"),
        ("PM10", "[payment]\nterms = {closing_day = 29, pay_month = 1, pay_day = 31}\n"),
        ("PM10", "[payment]\nterms = {closing_day = 20}\n"),
        ("PM10", "[payment]\nterms = {net_days = 30, closing_day = 20}\n"),
        ("LT10", "[lead_time]\ntiers = [{code = 'a', days = 1}, {code = 'a', days = 2}]\n"),
        ("LT10", "[lead_time]\ntiers = [{code = 'a', days = 1, cutoff = '25:00'}]\n"),
        ("DC10", "[discount]\npercent = 101\n"),
    ],
)
def test_an_effect_outside_what_is_allowed_is_a_load_error(tmp_path: Path, code: str, body: str) -> None:
    assert errors(tmp_path, {code: rule(code, body)}), body


def test_methods_and_terms_are_read_whole(tmp_path: Path) -> None:
    body = "[payment]\nhide = ['dummy']\nadd = -100\nmethods = ['net_terms']\n"
    body += "terms = {net_days = 30, end_of_month = true}\n"
    effect = loaded(tmp_path, rules(PM10=body)).rule("PM10").effect
    assert effect == MethodEffect(
        hide=("dummy",),
        add=Decimal(-100),
        methods=("net_terms",),
        terms={"net_days": 30, "end_of_month": True},
    )


def test_default_lanes_are_filled_in(tmp_path: Path) -> None:
    bodies = {
        "PR1": ("rate = 1\nlane = 'promotion'", "promotion"),
        "PR2": ("unit = 1", "agreed"),
        "PR3": ("breaks = [{from = 5, unit = 1}, {from = 1, unit = 2}]", "volume"),
        "PR5": ("off_amount = 5\nlane = 'list'", "list"),
    }
    ruleset = loaded(tmp_path, {code: rule(code, f"[price]\n{body}\n") for code, (body, _) in bodies.items()})
    for one in ruleset.rules:
        assert isinstance(one.effect, PriceEffect)
        assert one.effect.lane == bodies[one.code][1]
    assert [entry.start for entry in ruleset.rule("PR3").effect.breaks] == [1, 5]  # type: ignore[union-attr]


def test_a_text_in_one_language_stays_in_that_language(tmp_path: Path) -> None:
    files = {"QT10": 'code = "QT10"\nname = {ja = "最低数量"}\nbecause = "{line.quantity}"\n' + QUANTITY}
    one = loaded(tmp_path, files).rule("QT10")
    assert one.name == {"ja": "最低数量"}
    assert one.because == {"ja": "{line.quantity}", "en": "{line.quantity}"}


def test_code_in_a_text_is_a_text(tmp_path: Path) -> None:
    text = "{{7*7}} ${} __import__('os') !!python/object {{config}} { } {7*7}"
    files = {"QT10": f'code = "QT10"\nname = "{text}"\n' + QUANTITY}
    assert loaded(tmp_path, files).rule("QT10").name["en"] == text


def test_nesting_is_counted_before_the_parser_sees_it(tmp_path: Path) -> None:
    for place, text in enumerate(
        (
            "x = " + "[" * 200_000,
            "x = " + "{a=" * 60_000,
            "x" + ".x" * 100_000 + " = 1",
            "[" + "a." * 100_000 + "a]\n",
        )
    ):
        found = errors(tmp_path / str(place), {"rules/QT10.toml": text})
        assert [finding.check for finding in found] == ["too-deep"]


def test_six_levels_are_allowed_and_brackets_in_texts_are_no_levels(tmp_path: Path) -> None:
    body = """note = "[[[[[[[[[[{{{{{{{{"
[when]
any = [{"product.sku" = {not_in = ["a", "b"]}}]
[quantity]
minimum = 1
[[case]]
cart = [{sku = "A", quantity = 1, attributes = {size = 1.5}}]
products = {A = {attributes = {list = "]]]"}}}
expect = {discounts = []}
"""
    assert errors(tmp_path, rules(QT10=body)) == []


def test_a_table_path_may_not_leave_the_folder_by_dots_roots_or_links(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("sku,unit\nM4,1\n")
    for place, path in enumerate(("../secret.csv", "prices/../../secret.csv", "/etc/passwd", "C:/x.csv")):
        folder = tmp_path / str(place)
        assert only_error(folder, rules(PR10=f"[price]\ntable = '{path}'\n")).check == "outside-folder"
    folder = write(tmp_path / "linked", rules(PR10="[price]\ntable = 'prices/a.csv'\n"))
    (folder / "prices").mkdir()
    os.symlink(tmp_path / "secret.csv", folder / "prices" / "a.csv")
    assert only_error(folder, {}).check == "outside-folder"


def test_a_rule_file_that_is_a_link_out_of_the_folder_a_pipe_or_unreadable_is_a_finding(
    tmp_path: Path,
) -> None:
    outside = write(tmp_path / "outside", rules(QT10=QUANTITY))
    folder = write(tmp_path / "shop", rules(QT20=QUANTITY.replace("100", "5")))
    os.symlink(outside / "rules" / "QT10.toml", folder / "rules" / "QT10.toml")
    os.symlink("nowhere.toml", folder / "rules" / "QT30.toml")
    os.mkfifo(folder / "rules" / "QT40.toml")
    assert sorted(finding.check for finding in errors(folder, {})) == [
        "outside-folder",
        "unreadable",
        "unreadable",
    ]


def test_half_a_file_is_a_finding_wherever_it_was_cut(tmp_path: Path) -> None:
    whole = (BOOK / "rules" / "QT10_screws.toml").read_bytes()
    for place in range(0, len(whole), 97):
        found = load(tmp_path / str(place), {"rules/QT10.toml": whole[:place]})
        assert found.ruleset is None or found.findings


def test_nul_bytes_are_findings(tmp_path: Path) -> None:
    assert errors(tmp_path / "a", {"rules/QT10.toml": b"code = 'QT10'\n\0\0\0\0"})[0].check == "toml-syntax"
    found = errors(tmp_path / "b", {"QT10": rule("QT10", '[when]\n"product.sku" = "a\\u0000b"\n' + QUANTITY)})
    assert found[0].check == "wrong-value"


TOML_WORDS = st.sampled_from(
    ["code", "name", "when", "quantity", "price", "[", "]", "{", "}", "=", ",", ".", '"', "'", "\n", " ", "#", "1", "-",
     "nan", "inf", "true", "2026-12-01", "1e999", '"product.sku"', "[[case]]", "[when]", "[price]", "rate", "QT10",
     '"""', "'''", "\\", "\\u0041", "\x00", "\r\n", "any", "expect", "cart", "scope", "beats", "from", "breaks"]
)  # fmt: skip


@settings(max_examples=150, deadline=1000)
@given(
    st.one_of(
        st.binary(max_size=300), st.lists(TOML_WORDS, max_size=60).map(lambda words: "".join(words).encode())
    )
)
def test_whatever_stands_in_a_file_loading_never_raises(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("shop")
    for path in ("rules/QT10.toml", "exceptions/a.toml", "shop.toml", "products.csv", "prices/a.csv"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    (folder / "rules/PR10.toml").write_text(rule("PR10", "[price]\ntable = 'prices/a.csv'\n"))
    load_ruleset(folder, today=TODAY)


def test_an_exception_replaces_single_keys_and_keeps_rank_and_lane(tmp_path: Path) -> None:
    head = 'rule = "{}"\ncustomer = "ACME"\nreason = "Trial"\napproved_by = "Sato"\nuntil = 2027-12-31\n[change]\n'
    files = {
        **rules(
            QT10="[quantity]\nminimum = 100\nmultiple = 10\nbelow = [{outcome = 'approval'}]\n",
            PR10="[price]\nbreaks = [{from = 1, unit = 120}]\ntiers = 'graduated'\nper = 100\n",
            SC10="[surcharge]\nper_lot = {lot = 50, amount = 300}\nat_most = 900\n",
        ),
        "exceptions/a.toml": head.format("QT10") + "minimum = 20\n",
        "exceptions/b.toml": head.format("PR10") + "unit = 95\n",
        "exceptions/c.toml": head.format("SC10") + "amount = 100\n",
    }
    changed = {one.id: one.effect for one in loaded(tmp_path, files).exceptions}
    assert changed["a"] == QuantityEffect(minimum=20, multiple=10, below=(Below("approval"),))
    assert changed["b"] == PriceEffect("unit", "volume", Decimal(95), per=100)
    assert changed["c"] == SurchargeEffect("amount", Decimal(100), at_most=Decimal(900))


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ('rule = "QT99"\nsku = "A"', "unknown-rule"),
        ('rule = "QT10"', "missing-key"),
        ('rule = "QT10"\nsku = "A"\nfrom = 2028-01-01', "reversed-dates"),
        ('rule = "QT10"\nsku = "A"\npriority = 1', "unknown-key"),
    ],
)
def test_an_exception_that_cannot_hold_is_a_load_error(tmp_path: Path, text: str, check: str) -> None:
    text += '\nreason = "r"\napproved_by = "b"\nuntil = 2027-01-01\n[change]\nminimum = 5\n'
    assert only_error(tmp_path, {**rules(QT10=QUANTITY), "exceptions/a.toml": text}).check == check


def test_a_change_is_checked_like_the_rule_and_told_at_its_own_line(tmp_path: Path) -> None:
    text = 'rule = "QT10"\nsku = "A"\nreason = "r"\napproved_by = "b"\nuntil = 2027-01-01\n[change]\n'
    for place, (change, check, line) in enumerate(
        [
            ("maximum = 50\n", "maximum-below-minimum", 7),
            ("minumum = 5\n", "unknown-key", 7),
            ("", "empty-value", 6),
        ]
    ):
        finding = only_error(
            tmp_path / str(place), {**rules(QT10=QUANTITY), "exceptions/a.toml": text + change}
        )
        assert (finding.check, finding.file, finding.line) == (check, "exceptions/a.toml", line)
    lane = {
        **rules(PR10="[price]\nrate = 1\n"),
        "exceptions/a.toml": text.replace("QT10", "PR10") + 'lane = "list"\n',
    }
    assert only_error(tmp_path / "lane", lane).line == 7


def test_long_lists_are_checked(tmp_path: Path) -> None:
    odd = ", ".join(str(number) for number in range(1, 100_000, 2))
    falling = ", ".join(f"{{at_least = {20_000 - place}, outcome = 'block'}}" for place in range(15_000))
    found = errors(tmp_path / "a", rules(QT10=f"[quantity]\nmultiple = 2\nallowed = [{odd}]\n"))
    assert [one.check for one in found] == ["no-quantity"]
    body = f"[quantity]\nminimum = 999999999\nmultiple = 1000000\nbelow = [{falling}]\n"
    assert [one.check for one in errors(tmp_path / "b", rules(QT10=body))] == ["no-quantity"]


def test_an_overlay_is_read_like_the_folder_that_it_would_make(tmp_path: Path) -> None:
    table = "customer,sku,unit\n,M4-10,90\n"
    shop = {**rules(QT10=QUANTITY, QT11=QUANTITY), "exceptions/old.toml": "nonsense"}
    laid = {
        "rules/QT10.toml": rule("QT10", "[quantity]\nminimum = 60\n").encode(),
        "rules/QT11.toml": None,
        "rules/PR10.toml": rule("PR10", '[price]\ntable = "prices/new.csv"\n').encode(),
        "exceptions/old.toml": None,
        "prices/new.csv": table.encode(),
        "rules/.hidden.toml": b"nonsense",
    }
    over = load_ruleset(write(tmp_path / "before", shop), today=TODAY, overlay=laid)
    after = {path: content.decode() for path, content in laid.items() if content is not None}
    there = load_ruleset(write(tmp_path / "after", after), today=TODAY)
    assert over.errors == there.errors == ()
    assert over.ruleset is not None and there.ruleset is not None
    assert over.ruleset.hash == there.ruleset.hash
    assert sorted(path.name for path in (tmp_path / "before").rglob("*.toml")) == [
        "QT10.toml", "QT11.toml", "old.toml",
    ]  # fmt: skip


def test_an_overlay_too_large_for_a_rule_file_is_refused_like_a_file(tmp_path: Path) -> None:
    found = load_ruleset(
        write(tmp_path, rules(QT10=QUANTITY)), overlay={"rules/QT10.toml": b"#" * 1_000_001}
    ).errors
    assert [(one.check, one.file) for one in found] == [("too-large", "rules/QT10.toml")]

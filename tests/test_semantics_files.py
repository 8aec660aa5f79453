"""Rule-semantics 1 to 13, 121, 122, 125 to 137 and 143, one by one: files, carts, cases, commands."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from rules import CartError, load_ruleset
from support.rulesets import CATALOG, METHODS, ON, decide, folder, load_files
from support.semantics import checks, evaluated, koguchi, warnings

RULE = 'code = "QT1"\nname = "n"\n[quantity]\nminimum = 5\n'


@pytest.mark.parametrize(
    ("path", "text", "check"),
    [
        ("rules/QT2.toml", RULE, "file-name"), ("rules/QT1screws.toml", RULE, "file-name"),
        ("rules/QT1.toml", RULE.replace("QT1", "XX1"), "file-name"),
        ("rules/QT1.toml", RULE.replace("QT1", "QT1234567"), "file-name"),
        ("rules/QT1.toml", RULE.replace("QT1", "qt1"), "file-name"),
        ("rules/QT1.toml", RULE + "[price]\nunit = 1\n", "wrong-effect"),
        ("rules/QT1.toml", 'code = "QT1"\nname = "n"\n[price]\nunit = 1\n', "wrong-effect"),
        ("rules/QT1.toml", 'code = "QT1"\nname = "n"\n', "wrong-effect"),
        ("rules/QT1.toml", RULE.replace('name = "n"\n', ""), "missing-key"),
        ("rules/QT1.toml", RULE.replace('name = "n"', "name = {de = 'x'}"), "unknown-key"),
        ("rules/QT1.toml", RULE.replace('name = "n"', "name = {}"), "empty-value"),
        ("rules/QT1.toml", RULE.replace('name = "n"', 'name = "n"\nfrom = 2026-12-01T00:00:00'), "wrong-type"),
        ("rules/QT1.toml", RULE.replace('name = "n"', 'name = "n"\nfrom = "2026-12-01"'), "wrong-type"),
        ("rules/QT1.toml", RULE.replace("[q", "from = 2026-12-02\nuntil = 2026-12-01\n[q"), "reversed-dates"),
        ("rules/QT1.toml", RULE.replace('name = "n"', 'name = "n"\nmode = "on"'), "wrong-value"),
        ("rules/QT1.toml", RULE + "x = {a = {b = {c = {d = {e = {f = 1}}}}}}\n", "too-deep"),
        ("rules/QT1.toml", RULE + "# " + "x" * 1_000_000 + "\n", "too-large"),
    ],
)  # fmt: skip
def test_a_rule_file_is_called_after_its_code_and_holds_one_effect(
    tmp_path: Path, path: str, text: str, check: str
) -> None:
    """1, 4, 7, 129"""
    assert check in checks(tmp_path, {path: text})


def test_a_code_is_unique_and_may_have_a_tail(tmp_path: Path) -> None:
    """1"""
    assert checks(tmp_path, {"rules/QT1_screws.toml": RULE}) == []
    assert checks(tmp_path, {"rules/QT1.toml": RULE}) == ["repeated-code"]


def test_names_are_checked_only_where_their_source_exists(tmp_path: Path) -> None:
    """2"""
    when = '[when]\n"product.category" = "screws"\n"customer.group" = "nobody"\n[quantity]\nminimum = 5\n'
    files = {"QT1": when, "products.csv": "sku,category,tags\nA,fasteners/screws,steel long\n"}
    loaded = load_ruleset(folder(tmp_path, files))
    assert [one.check for one in loaded.errors] == ["unknown-category"]
    assert "fasteners/screws" in loaded.errors[0].hint or "screws" in loaded.errors[0].message
    assert any("group" in sentence for sentence in loaded.skipped)
    files["QT1"] = when.replace('"screws"', '"fasteners"')
    assert load_ruleset(folder(tmp_path, files)).errors == ()
    files["customers.csv"] = "code,group,region\nACME,standard,JP-27\n"
    assert [one.check for one in load_ruleset(folder(tmp_path, files)).errors] == ["unknown-group"]
    hide = {"SH1": '[shipping]\nhide = ["pidgeon"]\n'}
    assert checks(tmp_path / "m", hide) == ["unknown-method"]
    assert load_ruleset(folder(tmp_path / "m", hide), CATALOG, None).errors == ()


def test_policy_and_tax_have_defaults(tmp_path: Path) -> None:
    """3"""
    policy = load_files(tmp_path, {"QT1": "[quantity]\nminimum = 5\n"}).policy
    assert (policy.currency, policy.price_choice, policy.amount_rounding, policy.tax_default) == (
        "JPY", "specific", "half_up", "standard",
    )  # fmt: skip
    assert {name: str(rate) for name, rate in policy.rates_on(ON).items()} == {
        "standard": "0.10", "reduced": "0.08", "exempt": "0",
    }  # fmt: skip
    for wrong in (
        '[policy]\ncurrency = "YEN"\n',
        '[policy]\nprice_choice = "best"\n',
        '[tax]\nrounding = "up"\n',
    ):
        assert checks(tmp_path / "w", {"shop.toml": wrong})


@pytest.mark.parametrize(
    ("code", "effect", "wrong"),
    [
        ("SC1", "[surcharge]\namount = 1.5\n", True), ("SC1", "[surcharge]\namount = 1.0\n", False),
        ("OR1", "[order]\nminimum = 0.5\n", True), ("OR1", "[order]\nminimum = 0\n", True),
        ("PR1", "[price]\nunit = 0.123456\n", False), ("PR1", "[price]\nunit = 0.1234567\n", True),
        ("PR1", "[price]\nunit = 999999999999\n", False), ("PR1", "[price]\nunit = 1000000000000\n", True),
        ("PR1", "[price]\nunit = 1_000\n", False), ("PR1", "[price]\nunit = inf\n", True),
        ("PR1", "[price]\nunit = nan\n", True), ("PR1", "[price]\nrate = 10\n", False),
        ("PR1", "[price]\nrate = 10.1\n", True), ("PR1", '[price]\nunit = "5"\n', True),
        ("PR1", "[price]\nunit = true\n", True), ("PR1", "[price]\nunit = 5\nrate = 0.5\n", True),
        ("PR1", "[price]\nunit = 5\nround = {to = 0}\n", True), ("PR1", "[price]\nbreaks = []\n", True),
        ("PR1", "[price]\nbreaks = [{from = 1, unit = 5}, {from = 1, unit = 4}]\n", True),
        ("PR1", "[price]\nbreaks = [{from = 0, unit = 5}]\n", True), ("PR1", '[price]\nunit = 5\nlane = "x"\n', True),
        ("SC1", "[surcharge]\nper_lot = {lot = 0, amount = 5}\n", True),
    ],
)  # fmt: skip
def test_numbers_are_read_exactly_or_refused(tmp_path: Path, code: str, effect: str, wrong: bool) -> None:
    """5, 128"""
    assert bool(checks(tmp_path, {code: effect})) is wrong


def test_only_rules_and_exceptions_of_the_folder_are_read(tmp_path: Path) -> None:
    """6"""
    bad = "this is no TOML"
    files = {
        "rules/.hidden.toml": bad, "rules/_draft.toml": bad, "rules/old/QT2.toml": bad, "rules/notes.txt": bad,
        "rules/QT1.toml": RULE,
    }  # fmt: skip
    assert checks(tmp_path, files) == []
    for path in ("../t.csv", "/etc/passwd", "prices/../../t.csv"):
        assert "outside-folder" in checks(tmp_path, {"PR1": f'[price]\ntable = "{path}"\n'})


def test_from_and_until_are_both_included(tmp_path: Path) -> None:
    """7"""
    rules = load_files(tmp_path, {"SC1": "from = 2026-12-02\nuntil = 2026-12-04\n[surcharge]\namount = 1\n"})
    days = [bool(decide(rules, ("N4", 1), on=f"2026-12-0{day}").surcharges) for day in (1, 2, 4, 5)]
    assert days == [False, True, True, False]


def test_the_hash_is_over_paths_and_bytes(tmp_path: Path) -> None:
    """9"""
    files = {
        "shop.toml": '[policy]\ncurrency = "GBP"\n[tax]\nrates = [{category = "standard", rate = 0.20}]\n',
        "PR1": '[price]\ntable = "prices/t.csv"\n',
        "prices/t.csv": "sku,unit\nN4,5\n",
        "exceptions/e.toml": 'rule = "PR1"\ncustomer = "ACME"\nreason = "r"\napproved_by = "a"\nuntil = 2027-01-01\n'
        "[change]\nunit = 4\n",
    }
    rules = load_files(tmp_path, files)
    paths = ["exceptions/e.toml", "prices/t.csv", "rules/PR1.toml"]
    lines = [f"{path}\0{hashlib.sha256((tmp_path / path).read_bytes()).hexdigest()}\n" for path in paths]
    policy = b'{"policy":{"currency":"GBP"},"tax":{"rates":[{"category":"standard","rate":"0.20"}]}}'
    lines.append(f"shop.toml\0{hashlib.sha256(policy).hexdigest()}\n")
    assert rules.hash == "sha256:" + hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    (tmp_path / "products.csv").write_text("sku\nN4\n")
    assert load_files(tmp_path, {}).hash == rules.hash
    (tmp_path / "shop.toml").write_text(files["shop.toml"] + '[name]\nja = "店"\n')
    assert load_files(tmp_path, {}).hash == rules.hash
    (tmp_path / "rules" / "PR1.toml").write_bytes((tmp_path / "rules" / "PR1.toml").read_bytes() + b"\n")
    assert load_files(tmp_path, {}).hash != rules.hash


def test_a_break_that_no_quantity_reaches_is_a_warning(tmp_path: Path) -> None:
    """12"""
    files = {
        "PR1": "[price]\nbreaks = [{from = 1, unit = 5}, {from = 15, unit = 4}, {from = 200, unit = 3}]\n",
        "QT1": "[quantity]\nminimum = 10\nmultiple = 10\nmaximum = 100\n",
    }
    assert warnings(tmp_path, files).count("break-off-quantity") == 2


def shop(tmp_path: Path, **files: str) -> Path:
    """A folder on disk as an outsider has it."""
    plain = {
        "products.csv": "sku,category,list_price,batch\nM4-10,screws/pan,120,m4\n"
        "M4-20,screws/pan,150,m4\nN4,nuts,11.7,\n",
        "customers.csv": "code,group,tags,country,region\nACME,standard,loyal vip,JP,JP-27\n",
    }
    return folder(tmp_path, plain | files)


def test_commands_refuse_a_folder_with_errors_and_warnings_stop_nothing(tmp_path: Path) -> None:
    """13, 143"""
    good = shop(tmp_path / "good", QT1="[quantity]\nminimum = 5\n")  # a warning: it has no case
    assert koguchi("check", str(good))[0] == 0
    assert evaluated(good, {"lines": [{"sku": "N4", "quantity": 1}]})["outcome"] == "block"
    bad = shop(tmp_path / "bad", QT1="[quantity]\nminimun = 5\n")
    code, out, _ = koguchi("check", str(bad), "--json")
    (finding,) = json.loads(out)
    assert code == 1
    assert set(finding) == {"file", "line", "check", "rule", "severity", "message", "hint"}
    assert (finding["file"], finding["line"], finding["rule"], finding["severity"]) == (
        "rules/QT1.toml", 4, "QT1", "error",
    )  # fmt: skip
    assert "minimum" in finding["hint"]
    for command in (("evaluate", "--cart", "-"), ("test",), ("why", "--cart", "-", "--rule", "QT1")):
        code, _, err = koguchi(command[0], str(bad), *command[1:], given='{"lines": []}')
        assert (code, "rules/QT1.toml:4" in err) == (1, True), command


def test_evaluate_exits_2_with_one_message_per_fault(tmp_path: Path) -> None:
    """121, 143"""
    good = shop(tmp_path, QT1="[quantity]\nminimum = 5\n")
    cart = {
        "currency": "EUR",
        "lines": [
            {"id": "a", "sku": "N4", "quantity": 0}, {"id": "a", "sku": "N4", "quantity": 1},
            {"sku": "NOPE", "quantity": 1}, {"sku": "TAX", "quantity": 1},
        ],
        "products": {"TAX": {"list_price": "1", "tax": "luxury"}},
    }  # fmt: skip
    code, out, err = koguchi("evaluate", str(good), "--cart", "-", given=json.dumps(cart))
    assert (code, out) == (2, "")
    for field in ("currency", "lines[0].quantity", "lines[1].id", "lines[2].sku", "lines[3]"):
        assert any(line.startswith(field) for line in err.splitlines()), field
    for wrong in (
        "",
        "{",
        "[1",
        '{"lines": []}',
        '{"lines": [{"sku": "N4", "quantity": 1}], "colour": 1}',
        "7",
        '"x"',
    ):
        assert koguchi("evaluate", str(good), "--cart", "-", given=wrong)[0] == 2, wrong
    assert koguchi("evaluate", str(good), "--cart", str(tmp_path / "none.json"))[0] == 2
    assert koguchi("evaluate", str(good), "--cart", "-", given=b"\xff\xfe")[0] == 2


def test_an_array_of_carts_gives_an_array_of_decisions_in_order(tmp_path: Path) -> None:
    """122, 120"""
    good = shop(tmp_path, QT1="[quantity]\nminimum = 5\n")
    carts = [{"lines": [{"sku": "N4", "quantity": n}], "on": "2026-12-01"} for n in (5, 0, 1)] + [7, {}]
    found = evaluated(good, carts, "--explain")
    assert [one.get("outcome") for one in found] == ["ok", None, "block", None, None]
    assert [set(one) for one in found if "error" in one] == [{"error", "detail"}] * 3
    assert found[0]["considered"][0]["status"] == "applied"
    assert evaluated(good, []) == []
    _, out, _ = koguchi("evaluate", str(good), "--cart", "-", given=json.dumps(carts[0]))
    assert out.startswith('{\n  "ruleset"')


def test_line_ids_default_to_their_place(tmp_path: Path) -> None:
    """121"""
    found = decide(load_files(tmp_path, {"QT1": "[quantity]\nminimum = 5\n"}), ("N4", 5), ("N4", 6))
    assert [line.id for line in found.lines] == ["1", "2"]


def test_a_customer_and_products_inline_need_no_shop_data(tmp_path: Path) -> None:
    """32, 121"""
    bare = folder(tmp_path, {"PR1": '[when]\n"customer.group" = "gold"\n[price]\nrate = 0.5\n'})
    cart = {
        "customer": {"group": "gold", "tags": ["x"], "since_days": 3, "credit_left": "100.00"},
        "products": {"X": {"list_price": "9.90", "category": "a/b", "attributes": {"size": 4}}},
        "lines": [{"sku": "X", "quantity": 10}],
        "on": "2026-12-01",
    }
    found = evaluated(bare, cart)
    assert (found["lines"][0]["unit_price"], found["total"], found["on"]) == ("4.95", "55", "2026-12-01")


CASE = """
[quantity]
minimum = 10
below = [{at_least = 5, outcome = "surcharge", amount = 800}]

[[case]]
name = "six pay the fee"
on = 2026-12-01
customer = {code = "ACME"}
cart = [{sku = "N4", quantity = 6}]
expect = %s
"""


@pytest.mark.parametrize(
    ("expect", "passes"),
    [
        ('{outcome = "ok", surcharges = [{code = "QT1", amount = 800}]}', True),
        ('{surcharges = [{code = "QT1", amount = 800.0}], total = "957"}', True),
        ('{surcharges = [{code = "QT1", amount = 900}]}', False), ("{surcharges = []}", False),
        ("{discounts = [], shadow = []}", True), ('{issues = [{code = "QT1", fixes = [10]}]}', True),
        ('{issues = [{code = "QT1", fixes = [{quantity = 10, change = "-753"}]}]}', True),
        ('{issues = [{code = "QT1", fixes = []}]}', False), ('{issues = [{code = "QT1", fixes = [10, 20]}]}', False),
        ('{lines = [{unit_price = 11.7, sku = "N4"}]}', True), ('{lines = [{sku = "M4-10"}]}', False),
        ('{outcome = "block"}', False), ('{colour = "red"}', None),
    ],
)  # fmt: skip
def test_expect_names_what_must_hold(tmp_path: Path, expect: str, passes: bool | None) -> None:
    """126"""
    found = [one for one in checks(tmp_path, {"QT1": CASE % expect}) if one != "repeated-code"]
    assert found == ([] if passes else ["unknown-key"] if passes is None else ["case-fails"])


def test_a_case_runs_with_its_rule_live_its_scope_ignored_on_its_day(tmp_path: Path) -> None:
    """125, 127, 133"""
    scoped = 'from = 2027-01-01\nmode = "shadow"\n[scope]\ncustomers = ["BETA"]\n[surcharge]\namount = 5\n'
    case = (
        '[[case]]\nname = "on its first day"\nlines = [{sku = "N4", quantity = 1}]\nchannel = "fax"\n'
        'expect = {on = 2027-01-01, surcharges = [{code = "SC1", amount = 5}]}\n'
    )
    assert checks(tmp_path, {"SC1": scoped + case}) == []
    assert "rule-not-covered" not in warnings(tmp_path, {"SC1": scoped + case})
    today = scoped.replace("from = 2027-01-01\n", "") + case.replace("2027-01-01", "2026-12-01")
    assert checks(tmp_path, {"SC1": today}) == []


def test_a_rule_is_covered_by_a_case_of_its_own_file_that_ends_with_it_applied(tmp_path: Path) -> None:
    """133"""
    other = '[[case]]\nname = "x"\ncart = [{sku = "M4-10", quantity = 1}]\nexpect = {surcharges = []}\n'
    rule = '[when]\n"product.sku" = "N4"\n[surcharge]\namount = 5\n'
    assert warnings(tmp_path, {"SC1": rule + other}) == ["rule-not-covered"]
    assert warnings(tmp_path, {"SC1": rule}) == ["rule-without-case"]


def test_postcodes_are_compared_as_digits(tmp_path: Path) -> None:
    """130"""
    rule = '[when]\n"order.ship_to.postcode" = {starts_with = "90"}\n[surcharge]\namount = 5\nper = "order"\n'
    rules = load_files(tmp_path, {"SC1": rule})
    assert decide(rules, ("N4", 1), ship_to={"postcode": "9040001"}).surcharges
    assert checks(tmp_path / "w", {"SC1": rule.replace('{starts_with = "90"}', '"904-0001"')}) == [
        "wrong-value"
    ]


def test_follow_up_rules_take_no_part_in_evaluate(tmp_path: Path) -> None:
    """132"""
    rule = '[when]\n"customer.orders" = 0\n[follow_up]\nafter_days = 3\n'
    rules = load_files(tmp_path, {"FU1": rule})
    assert decide(rules, ("N4", 1), explain=True).considered == ()


@pytest.mark.parametrize(
    "when",
    ['"line.quantity" = {ge = 10, lt = 10}', '"product.sku" = "N4"\n"product.category" = "screws"',
     '"product.sku" = "N4"\n"product.brand" = {not = "Aoyagi"}'],
)  # fmt: skip
def test_a_rule_that_nothing_satisfies_is_a_warning(tmp_path: Path, when: str) -> None:
    """134"""
    assert "never-applies" in warnings(tmp_path, {"SC1": f"[when]\n{when}\n[surcharge]\namount = 1\n"})


def test_batch_groups_by_batch_alone_and_setup_key_and_cadence_are_plain_texts(tmp_path: Path) -> None:
    """136, 28"""
    rule = '[when]\n"product.setup_key" = "s"\n"product.cadence" = "weekly"\n[surcharge]\namount = 5\nper = "batch"\n'
    rules = load_files(tmp_path, {"SC1": rule})
    plan = {"setup_key": "s", "cadence": "weekly"}
    found = decide(
        rules, ("M4-10", 1), ("M4-20", 1), ("N4", 1), products=dict.fromkeys(("M4-10", "M4-20", "N4"), plan)
    )
    assert [one.lines for one in found.surcharges] == [("1", "2"), ("3",)]


def test_why_says_in_words_why_a_rule_applied_or_not(tmp_path: Path) -> None:
    """13, 143"""
    good = shop(tmp_path, QT1='[when]\n"product.sku" = "M4-10"\n[quantity]\nminimum = 5\n')
    cart = json.dumps({"lines": [{"sku": "N4", "quantity": 1}]})
    code, out, _ = koguchi("why", str(good), "--cart", "-", "--rule", "QT1", given=cart)
    assert code == 0
    assert "product.sku" in out
    code, _, err = koguchi("why", str(good), "--cart", "-", "--rule", "QT2", given=cart)
    assert code != 0
    assert "QT2" in err


def test_attributes_products_and_exceptions_may_stand_in_a_cart(tmp_path: Path) -> None:
    """11, 32, 121"""
    rules = load_files(tmp_path, {"QT1": "[quantity]\nminimum = 5\n"})
    own: dict[str, Any] = {
        "rule": "QT1", "sku": "N4", "change": {"minimum": 2}, "reason": "r", "approved_by": "a",
    }  # fmt: skip
    with pytest.raises(CartError):
        decide(rules, ("N4", 2), exceptions=[own])
    assert decide(rules, ("N4", 2), exceptions=[own | {"until": "2026-12-31"}]).outcome == "ok"


def test_known_methods_are_the_ids_of_all_installed_plugins() -> None:
    """2"""
    from plugins.loader import installed_ids

    assert {"flat_rate", "table_rate", "bank_transfer", "net_terms"} <= set(installed_ids())
    assert "pickup" in METHODS

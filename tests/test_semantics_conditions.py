"""Rule-semantics 14 to 36, one by one: conditions, facts and scope. The number stands in each docstring."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from rules import CartError
from support.rulesets import decide, load_files
from support.semantics import checks, codes_of

FEE = "\n[surcharge]\namount = 7\n"


def matches(tmp_path: Path, when: str, sku: str = "M4-10", quantity: int = 10, **cart: Any) -> bool:
    """Whether a surcharge with this [when] is charged."""
    rules = load_files(tmp_path, {"SC1": f'[when]\n{when}\n[surcharge]\namount = 7\nper = "line"\n'})
    return bool(decide(rules, (sku, quantity), **cart).surcharges)


ACME = {"code": "ACME"}
NOBODY: dict[str, Any] = {"group": "", "tags": [], "region": "JP-01"}


def test_not_on_an_absent_fact_is_false(tmp_path: Path) -> None:
    """14"""
    assert matches(tmp_path, '"customer.group" = {not = "trial"}', customer=ACME)
    assert not matches(tmp_path, '"customer.group" = {not = "trial"}', customer={"region": "JP-01"})
    assert not matches(tmp_path, '"customer.group" = {not_in = ["trial"]}', customer={"region": "JP-01"})
    either = 'any = [{"customer.group" = {not = "trial"}}, {"customer.group" = {known = false}}]'
    assert matches(tmp_path, either, customer={"region": "JP-01"})
    assert not matches(tmp_path, either, customer={"code": "BETA"})


def test_a_cart_says_web_and_normal_when_it_says_nothing(tmp_path: Path) -> None:
    """15"""
    assert matches(tmp_path, '"order.channel" = "web"\n"order.purpose" = "normal"\n"order.currency" = "JPY"')
    assert not matches(tmp_path, '"order.delivery" = {known = true}')
    rules = load_files(tmp_path, {})
    for wrong in ({"channel": "pigeon"}, {"purpose": "fun"}):
        with pytest.raises(CartError):
            decide(rules, ("N4", 1), **wrong)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ('"customer.tags" = "loyal"', True),
        ('"customer.tags" = ["vip", "loyal"]', True),
        ('"customer.tags" = {not = "loyal"}', False),
        ('"customer.tags" = {not = "vip"}', True),
        ('"customer.tags" = {not_in = ["vip", "new"]}', True),
        ('"customer.tags" = {not_in = ["vip", "loyal"]}', False),
        ('"customer.tags" = {has = "loyal"}', True),
        ('"customer.tags" = {has = ["vip", "loyal"]}', True),
        ('"customer.tags" = {has = "vip"}', False),
    ],
)
def test_on_a_list_a_bare_value_means_has(tmp_path: Path, when: str, expected: bool) -> None:
    """16"""
    assert matches(tmp_path, when, customer=ACME) is expected


def test_an_empty_list_is_present_and_has_nothing(tmp_path: Path) -> None:
    """16, 23"""
    empty = {"code": "NEW", "tags": []}
    assert matches(tmp_path, '"customer.tags" = {known = true}', customer=empty)
    assert matches(tmp_path, '"customer.tags" = {not = "vip"}', customer=empty)
    assert not matches(tmp_path, '"customer.tags" = "vip"', customer=empty)


def test_a_category_includes_its_sub_categories_and_no_namesake(tmp_path: Path) -> None:
    """17"""
    products = {"X": {"category": "screws/pan/long"}, "Y": {"category": "screwsets"}}
    assert matches(tmp_path, '"product.category" = "screws"', "X", products=products)
    assert matches(tmp_path, '"product.category" = "screws/pan"', "X", products=products)
    assert not matches(tmp_path, '"product.category" = "screws"', "Y", products=products)
    assert not matches(tmp_path, '"product.category" = {not = "screws"}', "X", products=products)
    assert matches(tmp_path, '"product.category" = {not = "screws"}', "Y", products=products)


def test_texts_are_equal_after_nfc_and_case_and_width_count(tmp_path: Path) -> None:
    """18"""
    composed, decomposed = "ガ", "カ\u3099"
    assert matches(tmp_path, f'"product.attributes.name" = "{decomposed}"', "X",
                   products={"X": {"attributes": {"name": composed}}})  # fmt: skip
    assert matches(tmp_path, f'"product.attributes.name" = "{composed}"', "X",
                   products={"X": {"attributes": {"name": decomposed}}})  # fmt: skip
    for other in ("ｶﾞ", "が"):
        assert not matches(tmp_path, f'"product.attributes.name" = "{composed}"', "X",
                           products={"X": {"attributes": {"name": other}}})  # fmt: skip


@pytest.mark.parametrize(
    ("when", "value", "expected"),
    [
        ("4", 4, True), ("4", "4", False), ("4.0", 4, True), ('"4"', "4", True), ('"4"', 4, False),
        ("{not = 5}", 4, True), ("{not = 5}", "4", False), ("{not_in = [5, 6]}", "4", False),
        ("true", True, True), ("1", True, False), ("{ge = 1}", True, False), ("{ge = 4}", 4, True),
        ("{ge = 4}", "5", False), ('{starts_with = "M"}', "M4", True), ('{starts_with = "M"}', 4, False),
        ("false", False, True), ("0", 0, True), ("{known = true}", 0, True), ("{known = true}", False, True),
    ],
)  # fmt: skip
def test_attributes_are_typed_by_their_value(tmp_path: Path, when: str, value: Any, expected: bool) -> None:
    """19, 23"""
    rule = f'"line.attributes.size" = {when}'
    rules = load_files(tmp_path, {"SC1": f"[when]\n{rule}\n{FEE}"})
    from rules import evaluate, read_cart
    from support.rulesets import CATALOG, ON

    line = {"sku": "N4", "quantity": 1, "attributes": {"size": value}}
    cart, _ = read_cart({"lines": [line]}, rules, CATALOG)
    assert bool(evaluate(rules, cart, ON).surcharges) is expected


@pytest.mark.parametrize(
    "when",
    ['"customer.orders" = "3"', '"customer.group" = 3', '"order.on" = "2026-12-01"', '"customer.known" = "yes"',
     '"line.quantity" = {ge = 1.5}', '"order.weekday" = "monday"', '"customer.region" = "Osaka"'],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_a_load_error(tmp_path: Path, when: str) -> None:
    """19"""
    assert set(checks(tmp_path, {"QT1": f"[when]\n{when}\n[quantity]\nminimum = 2\n"})) & {
        "wrong-type",
        "wrong-value",
    }


def test_several_operators_in_one_table_must_all_hold(tmp_path: Path) -> None:
    """20"""
    between = '"line.quantity" = {ge = 10, lt = 20, not = 15}'
    assert [matches(tmp_path, between, quantity=n) for n in (9, 10, 15, 19, 20)] == [
        False, True, False, True, False,
    ]  # fmt: skip


def test_any_needs_one_complete_table_beside_all_other_lines(tmp_path: Path) -> None:
    """21"""
    when = (
        '"line.quantity" = {ge = 5}\n'
        'any = [{"customer.group" = "standard", "customer.region" = "JP-27"}, {"customer.code" = "BETA"}]'
    )
    assert matches(tmp_path, when, customer=ACME)
    assert matches(tmp_path, when, customer={"code": "BETA"})
    assert not matches(tmp_path, when, customer={"code": "ACME", "region": "JP-13"})
    assert not matches(tmp_path, when, quantity=4, customer=ACME)


@pytest.mark.parametrize(
    ("when", "check"),
    [
        ("any = []", "wrong-type"), ("any = [{}]", "empty-value"), ('any = [{any = [{"line.quantity" = 1}]}]', None),
        ('"line.quantity" = {not = [1, 2]}', "wrong-type"), ('"line.quantity" = {not_in = 1}', "wrong-type"),
        ('"line.quantity" = {between = [9, 1]}', "wrong-value"), ('"line.quantity" = {between = [1]}', "wrong-type"),
        ('"line.quantity" = {}', "empty-value"), ('"product.sku" = []', "empty-value"),
        ('"product.sku" = ""', "empty-value"), ('"product.sku" = {lt = "M"}', "unknown-operator"),
        ('"customer.known" = {ge = 1}', "unknown-operator"), ('"line.quantity" = {has = 1}', "unknown-operator"),
        ('"product.sku" = {starts_with = ["M"]}', "wrong-type"),
        ('"line.quantity" = {atleast = 1}', "unknown-operator"),
    ],
)  # fmt: skip
def test_operators_take_what_they_take(tmp_path: Path, when: str, check: str | None) -> None:
    """21, 22"""
    found = checks(tmp_path, {"QT1": f"[when]\n{when}\n[quantity]\nminimum = 2\n"})
    assert found
    assert check is None or check in found


def test_a_visitor_is_unknown_and_any_fact_makes_a_customer_known(tmp_path: Path) -> None:
    """24"""
    assert matches(tmp_path, '"customer.known" = false')
    assert matches(tmp_path, '"customer.known" = true', customer={"group": "trial"})
    assert matches(tmp_path, '"customer.known" = true', customer={"code": "NEW"})
    assert matches(tmp_path, '"customer.since_days" = {known = false}', customer={"code": "NEW"})


def test_order_level_rules_apply_when_one_line_satisfies_every_condition(tmp_path: Path) -> None:
    """25"""
    when = '[when]\n"product.category" = "nuts"\n"line.quantity" = {ge = 10}\n'
    rules = load_files(tmp_path, {"OR1": f"{when}[order]\nminimum = 100000\n"})
    assert codes_of(decide(rules, ("N4", 10), ("M4-10", 1)).issues) == ["OR1"]
    assert not decide(rules, ("N4", 9), ("M4-10", 10)).issues  # no single line satisfies both


def test_matching_sums_the_lines_that_satisfy_every_other_line(tmp_path: Path) -> None:
    """26"""
    when = (
        '"product.category" = "screws"\n'
        'any = [{"matching.quantity" = {ge = 100}}, {"line.quantity" = {ge = 60}}]\n'
    )
    rules = load_files(tmp_path, {"SC1": f"[when]\n{when}{FEE}"})
    assert codes_of(decide(rules, ("M4-10", 50), ("M4-20", 50)).surcharges) == ["SC1", "SC1"]
    assert codes_of(decide(rules, ("M4-10", 60), ("M4-20", 39)).surcharges) == ["SC1"]
    assert not decide(rules, ("M4-10", 50), ("N4", 500)).surcharges


def test_product_batch_and_order_sums_count_lines_the_rule_does_not_match(tmp_path: Path) -> None:
    """27, 28"""
    for fact, expected in (("product", 1), ("batch", 3), ("order", 6)):
        when = f'"line.quantity" = 1\n"{fact}.quantity" = {expected}'
        rules = load_files(tmp_path, {"SC1": f"[when]\n{when}\n{FEE}"})
        assert len(decide(rules, ("M4-10", 1), ("M4-20", 2), ("N4", 3)).surcharges) == 1, fact
    rules = load_files(tmp_path, {"SC1": f'[when]\n"batch.lines" = 2\n{FEE}'})
    assert (
        len(decide(rules, ("N4", 1), ("N4", 1), ("ODD", 1)).surcharges) == 2
    )  # without batch: a batch of its own


def test_the_weight_is_absent_as_soon_as_one_weight_is(tmp_path: Path) -> None:
    """29"""
    when = '"order.weight_g" = {le = 36}'
    rules = load_files(tmp_path, {"SC1": f'[when]\n{when}\n[surcharge]\namount = 1\nper = "order"\n'})
    assert decide(rules, ("M4-10", 10), ("M4-20", 10)).surcharges
    assert not decide(rules, ("M4-10", 11), ("M4-20", 10)).surcharges
    assert not decide(rules, ("M4-10", 1), ("N4", 1)).surcharges


def test_weekday_and_delivery_are_facts_of_the_order(tmp_path: Path) -> None:
    """30, 7"""
    assert matches(tmp_path, '"order.weekday" = "tue"', on="2026-12-01")
    assert matches(tmp_path, '"order.delivery" = {le = 2026-12-03}', on="2026-12-01", delivery="2026-12-03")


@pytest.mark.parametrize(
    "fact", ["line.amount", "product.amount", "batch.amount", "matching.amount", "order.subtotal"]
)
def test_amounts_are_known_from_the_surcharge_stage(tmp_path: Path, fact: str) -> None:
    """31"""
    when = f'[when]\n"{fact}" = {{ge = 1}}\n'
    for code, effect in (
        ("CA1", "[catalog]\nbuy = false\n"),
        ("PR1", "[price]\nunit = 1\n"),
        ("QT1", "[quantity]\nminimum = 2\n"),
    ):
        assert "fact-too-early" in checks(tmp_path / code, {code: when + effect})
    assert not checks(tmp_path / "SC", {"SC1": f'{when}[surcharge]\namount = 1\nper = "line"\n'})


def test_inline_facts_override_one_by_one(tmp_path: Path) -> None:
    """32"""
    rules = load_files(tmp_path, {"PR1": '[when]\n"customer.group" = "gold"\n[price]\nrate = 0.5\n'})
    decision = decide(rules, ("M4-10", 1), customer={"code": "ACME", "group": "gold"})
    assert str(decision.lines[0].unit_price) in ("60", "60.0")
    decision = decide(rules, ("M4-10", 1), products={"M4-10": {"list_price": "99.5"}})
    assert str(decision.lines[0].unit_price) == "99.5"
    assert decision.lines[0].tax == "standard"


def in_scope(tmp_path: Path, scope: str, **customer: str) -> bool:
    rules = load_files(tmp_path, {"SC1": f"[scope]\n{scope}\n{FEE}"})
    return bool(decide(rules, ("N4", 1), customer=customer or None).surcharges)


def test_named_customers_are_in_and_others_need_region_and_percent(tmp_path: Path) -> None:
    """33, 34"""
    assert in_scope(tmp_path, 'customers = ["BETA"]', code="BETA")
    assert not in_scope(tmp_path, 'customers = ["BETA"]', code="ACME")
    both = 'regions = ["JP-27"]\ncustomers = ["BETA"]\npercent = 100'
    assert in_scope(tmp_path, both, code="BETA")  # another region, but named
    assert in_scope(tmp_path, both, code="ACME")
    assert not in_scope(tmp_path, both, code="BETA2", region="JP-13")
    assert not in_scope(tmp_path, 'regions = ["JP-27"]\npercent = 0', code="ACME")
    assert in_scope(tmp_path, 'regions = ["JP-27"]', region="JP-27")  # without a code, no percentage asked


def test_a_scope_does_not_make_a_rule_more_specific(tmp_path: Path) -> None:
    """33"""
    files = {
        "PR1": '[scope]\ncustomers = ["ACME"]\n[price]\nunit = 1\n',
        "PR2": '[when]\n"product.tags" = "steel"\n[price]\nunit = 2\n',
    }
    rules = load_files(tmp_path, files)
    assert decide(rules, ("N4", 1), customer=ACME).lines[0].unit_price == 2


@pytest.mark.parametrize("percent", ["12.5", "50", "99.99"])
def test_a_percentage_is_stable_by_code(tmp_path: Path, percent: str) -> None:
    """35"""
    for code in ("ACME", "BETA", "株式会社", "c-17"):
        place = int.from_bytes(sha256(code.encode()).digest()[:8], "big") % 10000
        assert in_scope(tmp_path, f"percent = {percent}", code=code) is (place < float(percent) * 100)
    assert not in_scope(tmp_path, f"percent = {percent}", region="JP-27")
    assert not in_scope(tmp_path, "percent = 100")


def test_a_rule_out_of_scope_does_not_exist(tmp_path: Path) -> None:
    """36"""
    files = {
        "PR1": '[when]\n"product.sku" = "N4"\n[scope]\ncustomers = ["BETA"]\n[price]\nunit = 1\n',
        "exceptions/e.toml": 'rule = "PR1"\nsku = "N4"\nreason = "r"\napproved_by = "a"\nuntil = 2027-01-01\n'
        "[change]\nunit = 2\n",
    }
    rules = load_files(tmp_path, files)
    decision = decide(rules, ("N4", 1), customer=ACME)
    assert (str(decision.lines[0].unit_price), decision.exceptions) == ("11.7", ())
    assert decide(rules, ("N4", 1), customer={"code": "BETA"}).exceptions == ("e",)


def test_a_sku_is_the_same_composed_or_not(tmp_path: Path) -> None:
    """18, 32"""
    rules = load_files(
        tmp_path, {"SC1": f'[when]\n"product.sku" = "ガ"\n{FEE}'.replace('"ガ"', '{starts_with = "ガ"}')}
    )
    for product in ("ガ1", "カ\u30991"):
        for line in ("ガ1", "カ\u30991"):
            found = decide(rules, (line, 1), products={product: {"list_price": "5"}})
            assert (found.goods, codes_of(found.surcharges)) == (5, ["SC1"])

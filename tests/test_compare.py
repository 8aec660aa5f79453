"""Two rule sets over the same orders: hand-computed sums, and shares that merge into the bytes of the whole."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import Cart, Customer, Line, Policy, Product, Rule, RuleException, Ruleset, ShipTo, load_ruleset
from rules.differences import rule_differences
from rules.replay import PastOrder, compare, merged, replay
from rules.ruleset import (
    Below,
    CatalogEffect,
    Condition,
    DiscountEffect,
    MethodEffect,
    OrderEffect,
    PriceEffect,
    QuantityEffect,
    SurchargeEffect,
    WhenLine,
)

TEXT = {"ja": "x", "en": "x"}
BOLT = Product("M4", list_price=Decimal(10), cost=Decimal(6))
NUT = Product("N4", list_price=Decimal(5))  # nobody knows what it costs


def rule(code, effect, *when, **more):
    conditions = tuple(WhenLine(fact, (Condition(fact, op, value),)) for fact, op, value in when)
    return Rule(code, TEXT, effect, f"rules/{code}.toml", when=conditions, **more)


def order(number, *lines, customer="A", region=None, on=date(2026, 10, 1), to=None, payment=None):
    return PastOrder(
        number,
        on,
        Cart(
            tuple(Line(str(place), product, quantity) for place, (product, quantity) in enumerate(lines)),
            Customer(customer, region=region),
            ship_to=ShipTo(region=to),
            payment=payment,
        ),
        0,
        0,
    )


MINIMUM = rule("QT10", QuantityEffect(minimum=10, below=(Below("block"),)), ("product.sku", "eq", "M4"))
WITH_FEE = replace(
    MINIMUM, effect=QuantityEffect(minimum=10, below=(Below("surcharge", amount=Decimal(80)),))
)
ORDERS = (
    order("1", (BOLT, 5), customer="A", region="JP-27"),
    order("2", (BOLT, 20), customer="A", region="JP-27"),
    order("3", (BOLT, 3), (NUT, 2), customer="B", region="JP-13", on=date(2026, 11, 2)),
    order("4", (NUT, 1), customer="C", to="JP-01", on=date(2026, 11, 3)),
)


def test_a_rule_that_goes_makes_its_refused_orders_newly_accepted():
    found = compare(Ruleset((MINIMUM,), hash="live"), Ruleset((), hash="draft"), ORDERS)
    total = found.total
    assert (total.orders, total.changed, total.newly_refused, total.newly_accepted) == (4, 2, 0, 2)
    assert (total.live.revenue, total.live.refused, total.live.refused_goods) == (205, 2, 90)
    assert (total.draft.revenue, total.draft.refused, total.draft.refused_goods) == (295, 0, 0)
    assert total.change == 90
    assert {code: (rule.live.refusals, rule.draft.refusals) for code, rule in found.rules.items()} == {
        "QT10": (2, 0)
    }
    assert [(code, pair.change, pair.newly_accepted) for code, pair in found.hit] == [
        ("A", 50, 1),
        ("B", 40, 1),
    ]


def test_a_rule_that_comes_is_told_with_the_orders_it_would_refuse():
    found = compare(Ruleset(()), Ruleset((MINIMUM,)), ORDERS)
    assert found.total.newly_refused == 2
    assert [(one.number, one.customer, one.goods, one.codes) for one in sorted(found.refused)] == [
        ("1", "A", 50, ("QT10",)),
        ("3", "B", 40, ("QT10",)),
    ]
    assert [(code, pair.change) for code, pair in found.hit] == [("A", -50), ("B", -40)]


def test_a_changed_rule_moves_its_orders_from_refused_to_charged():
    found = compare(Ruleset((MINIMUM,)), Ruleset((WITH_FEE,)), ORDERS)
    assert (found.total.live.surcharges, found.total.draft.surcharges) == (0, 160)
    assert (found.total.live.charged, found.total.draft.charged) == (0, 2)
    assert found.total.change == 90 + 160
    effect = found.rules["QT10"]
    assert (effect.live.orders, effect.live.refusals, effect.live.charges) == (2, 2, 0)
    assert (effect.draft.orders, effect.draft.refusals) == (2, 0)
    assert (effect.draft.charges, effect.draft.charged) == (2, 160)


def test_an_order_that_both_refuse_does_not_change_whatever_they_would_have_charged():
    fee = rule("SC10", SurchargeEffect("amount", Decimal(7)), ("product.sku", "eq", "M4"))
    found = compare(Ruleset((MINIMUM,)), Ruleset((MINIMUM, fee)), ORDERS)
    assert (found.total.changed, found.total.change) == (1, 7)
    assert [code for code, _pair in found.hit] == ["A"]


def test_the_margin_counts_orders_whose_every_cost_is_known():
    off = rule("DC10", DiscountEffect("amount", Decimal(10)), ("product.sku", "eq", "M4"))
    found = compare(Ruleset(()), Ruleset((off,)), ORDERS)
    assert found.unknown_cost == 2
    assert found.total.live.margin == 5 * 4 + 20 * 4
    assert found.total.draft.margin == 5 * 4 + 20 * 4 - 20
    assert found.total.draft.discounts == 30
    assert found.rules["DC10"].draft.discounted == 30
    assert found.total.change == -30


def test_a_price_rule_is_told_with_the_goods_it_priced():
    half = rule("PR10", PriceEffect("rate", "agreed", Decimal("0.5")), ("product.sku", "eq", "M4"))
    found = compare(Ruleset(()), Ruleset((half,)), ORDERS)
    assert (found.rules["PR10"].live.goods, found.rules["PR10"].draft.goods) == (0, 140)
    assert found.rules["PR10"].draft.orders == 3
    assert (found.total.live.goods, found.total.draft.goods) == (295, 155)


def test_orders_that_wait_for_a_person_are_accepted_and_counted_apart():
    approval = replace(MINIMUM, effect=QuantityEffect(maximum=10, above="approval"))
    asks = rule("CA10", CatalogEffect(price="quotation"), ("product.sku", "eq", "N4"))
    found = compare(Ruleset(()), Ruleset((approval, asks)), ORDERS)
    assert (found.total.draft.approval, found.total.draft.quotation) == (1, 2)
    assert (found.total.draft.accepted, found.total.draft.refused) == (4, 0)
    assert (found.rules["QT10"].draft.held, found.rules["CA10"].draft.held) == (1, 2)


def test_regions_are_where_the_goods_went_and_months_are_of_the_order():
    found = compare(Ruleset(()), Ruleset((MINIMUM,)), ORDERS)
    assert {region: pair.newly_refused for region, pair in found.regions.items()} == {
        "JP-27": 1,
        "JP-13": 1,
        "JP-01": 0,
    }
    assert {month: pair.orders for month, pair in found.months.items()} == {"2026-10": 2, "2026-11": 2}


def test_a_draft_like_the_live_rules_changes_nothing():
    live = Ruleset((MINIMUM, rule("SC10", SurchargeEffect("percent", Decimal(3), per="order"))))
    found = compare(live, replace(live, compiled={}), ORDERS)
    assert found.hit == [] and found.refused == []
    assert found.total.changed == found.total.change == 0
    assert found.total.live == found.total.draft
    assert all(rule.live == rule.draft for rule in found.rules.values())


def test_an_order_that_one_side_cannot_evaluate_is_told_and_counted_on_neither():
    prices = [
        rule(code, PriceEffect("unit", "agreed", Decimal(price)))
        for code, price in (("PR10", 1), ("PR11", 2))
    ]
    found = compare(Ruleset(()), Ruleset(tuple(prices)), ORDERS)
    assert found.orders == 0
    (told,) = found.as_json()["not_evaluated"]
    assert (told["side"], told["orders"], told["example"]) == ("draft", 4, "1")
    assert "PR10" in told["reason"] and "PR11" in told["reason"]


def test_rule_sets_of_two_currencies_are_not_compared():
    with pytest.raises(ValueError, match="JPY and GBP"):
        compare(Ruleset(()), Ruleset((), policy=Policy(currency="GBP")), ORDERS)


def test_rules_that_only_watch_change_nothing():
    watched = replace(MINIMUM, mode="shadow")
    assert compare(Ruleset(()), Ruleset((watched,)), ORDERS).total.changed == 0


def test_no_order_at_all_is_no_error():
    told = compare(Ruleset(()), Ruleset((MINIMUM,)), []).as_json()
    assert (told["from"], told["total"]["orders"], told["customers"]) == (None, 0, [])


def test_each_side_counts_as_a_replay_of_its_own_does():
    rulesets = Ruleset((MINIMUM,)), Ruleset((WITH_FEE, rule("SC10", SurchargeEffect("amount", Decimal(7)))))
    found = compare(*rulesets, ORDERS)
    for ruleset, side in zip(rulesets, (found.total.live, found.total.draft), strict=True):
        alone = replay(ruleset, ORDERS)
        assert (side.goods, side.surcharges) == (alone.accepted_goods, alone.surcharges)
        assert side.refused == alone.outcomes["block"]


RULES = (
    MINIMUM,
    rule("SC20", SurchargeEffect("percent", Decimal("2.5"), per="order"), ("customer.region", "eq", "JP-27")),
    rule("SC30", SurchargeEffect("amount", Decimal(9)), ("line.amount", "lt", Decimal(60))),
    rule("PR20", PriceEffect("rate", "agreed", Decimal("0.9")), ("customer.code", "eq", "B")),
    rule("DC10", DiscountEffect("percent", Decimal(5)), ("customer.code", "one_of", ("A", "C"))),
    rule("OR10", OrderEffect(minimum=Decimal(100), below=(Below("approval", Decimal(50)), Below("block")))),
    rule("SC40", SurchargeEffect("amount", Decimal(4)), ("product.sku", "eq", "N4"), mode="shadow"),
    rule(
        "SC50", SurchargeEffect("amount", Decimal(3)), from_on=date(2026, 10, 1), until_on=date(2026, 10, 20)
    ),
    rule("PR30", PriceEffect("off_percent", "promotion", Decimal(10)), ("matching.quantity", "ge", 20)),
    rule("PM10", MethodEffect(hide=("net_terms",)), ("customer.code", "eq", "A")),
    rule("SC60", SurchargeEffect("amount", Decimal(2)), ("order.payment", "eq", "net_terms")),
    rule("CA10", CatalogEffect(buy=False), ("product.sku", "eq", "N4"), ("customer.region", "eq", "JP-01")),
)
OTHERS = (
    WITH_FEE,
    rule("SC20", SurchargeEffect("percent", Decimal(4), per="order"), ("customer.region", "eq", "JP-01")),
    rule("PR20", PriceEffect("rate", "agreed", Decimal("0.8")), ("customer.code", "eq", "B")),
)
rulesets = st.lists(st.sampled_from(RULES + OTHERS), unique_by=lambda one: one.code).map(
    lambda chosen: Ruleset(
        tuple(sorted(chosen, key=lambda one: one.code)),
        hash="-".join(sorted(f"{one.code}{one in OTHERS}" for one in chosen)),
    )
)
one_order = st.builds(
    lambda number, lines, customer, region, days, payment: order(
        number,
        *lines,
        customer=customer,
        region=region,
        on=date(2026, 9 + days % 3, 1 + days % 28),
        payment=payment,
    ),
    st.integers(1, 99).map(str),
    st.lists(st.tuples(st.sampled_from((BOLT, NUT)), st.integers(1, 30)), max_size=3),
    st.sampled_from((None, "A", "B", "C")),
    st.sampled_from((None, "JP-27", "JP-01")),
    st.integers(0, 60),
    st.sampled_from((None, "net_terms")),
)


@settings(max_examples=60, deadline=None)
@given(
    rulesets,
    rulesets,
    st.lists(one_order, max_size=12),
    st.lists(st.integers(0, 2), min_size=12, max_size=12),
)
def test_shares_counted_apart_merge_into_the_bytes_of_the_whole(live, draft, orders, deal):
    shares = [[one for one, place in zip(orders, deal, strict=False) if place == share] for share in range(3)]
    whole = compare(live, draft, orders).to_bytes()
    assert merged(compare(live, draft, share) for share in shares).to_bytes() == whole
    assert compare(live, draft, reversed(orders)).to_bytes() == whole


@settings(max_examples=150, deadline=None)
@given(rulesets, rulesets, st.lists(one_order, max_size=6))
def test_the_short_ways_decide_what_two_full_evaluations_decide(live, draft, orders):
    found = compare(live, draft, orders)
    whole = compare(_told_apart(live), _told_apart(draft), orders)
    assert found.total == whole.total
    assert (found.rules, found.regions, found.refused) == (whole.rules, whole.regions, whole.refused)
    for ruleset, side in ((live, found.total.live), (draft, found.total.draft)):
        alone = replay(ruleset, orders)
        assert (side.goods, side.surcharges, side.refused) == (
            alone.accepted_goods,
            alone.surcharges,
            alone.outcomes["block"],
        )
        assert (side.approval, side.quotation) == (alone.outcomes["approval"], alone.outcomes["quotation"])


def _told_apart(ruleset):
    """The same rules with a tie settled that never comes up, so that nothing is taken over from the other side."""
    spare = rule("FU99", None, beats=(ruleset.hash,), mode="off")
    return replace(ruleset, rules=(*ruleset.rules, spare), compiled={})


def test_shares_of_other_comparisons_are_not_merged():
    one, two = Ruleset((), hash="one"), Ruleset((), hash="two")
    with pytest.raises(ValueError, match="one comparison"):
        merged([compare(one, one, []), compare(one, two, [])])
    with pytest.raises(ValueError, match="nothing"):
        merged([])


def test_what_only_one_side_decides_with_is_named_and_words_alone_are_not():
    exception = RuleException("E1", "QT10", WITH_FEE.effect, customer="A")
    live = Ruleset((MINIMUM, RULES[1], RULES[3], replace(RULES[2], mode="shadow")))
    draft = Ruleset(
        (
            replace(MINIMUM, because=TEXT, name={"ja": "y", "en": "y"}),
            OTHERS[1],
            replace(RULES[3], mode="off"),
            RULES[2],
        )
    )
    assert rule_differences(live, draft) == {"PR20": "removed", "SC20": "changed", "SC30": "added"}
    assert rule_differences(live, replace(live, exceptions=(exception,))) == {"QT10": "changed"}
    told = compare(live, draft, []).as_json()["rules"]
    assert [(one["code"], one["state"]) for one in told] == [
        ("PR20", "removed"),
        ("SC20", "changed"),
        ("SC30", "added"),
    ]


def test_price_tables_are_compared_by_their_rows_and_not_by_when_they_were_read(tmp_path):
    def loaded(price, before=""):
        folder = tmp_path / f"{price}{len(before)}"
        (folder / "rules").mkdir(parents=True, exist_ok=True)
        (folder / "p.csv").write_text(f"sku,from,unit\n{before}M4,1,{price}\n")
        (folder / "rules" / "PR10.toml").write_text(
            'code = "PR10"\nname = {ja = "x", en = "x"}\n[price]\ntable = "p.csv"\n'
        )
        return load_ruleset(folder, run_cases=False).ruleset

    assert rule_differences(loaded("5"), loaded("5", "\n")) == {}
    assert rule_differences(loaded("5"), loaded("6")) == {"PR10": "changed"}

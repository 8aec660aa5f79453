"""durable-rules names the same rules as the indexed matcher, or says that it could not: it never keeps silent."""

import json
from dataclasses import replace
from decimal import Decimal
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import durable
from rules.compiled import CompiledRule
from rules.durable import CheckedMatcher, DurableMatcher, checkout_matcher, durable_is_available
from rules.errors import MatcherDisagreement, MatcherError, MatcherFailed
from rules.evaluate import evaluate
from rules.facts import Cart, Customer, Line, Product
from rules.in_force import RulesInForce, is_in_scope, rules_in_force
from rules.matching import INDEXED
from rules.networks import MOST_ALTERNATIVES, MOST_RULES, exact_number
from rules.reading import CartFacts
from rules.ruleset import AnyOf, Condition, Rule, Ruleset, SurchargeEffect, WhenLine
from rules.shards import Plan
from support.random_rules import DAY, DECIMALS, facts_of, random_cart, random_line, random_ruleset

pytestmark = pytest.mark.usefixtures("durable_engine")

PATIENT = DurableMatcher(deadline=60)


def rule(code: int, *when: WhenLine | AnyOf) -> Rule:
    name = f"SC{code}"
    return Rule(name, {"en": name}, SurchargeEffect("amount", Decimal(1)), f"rules/{name}.toml", when=when)


def when(fact: str, op: str, value: Any) -> WhenLine:
    return WhenLine(fact, (Condition(fact, op, value),))


def cart(*products: Product, quantity: int = 5) -> Cart:
    return Cart(tuple(Line(str(n), product, quantity) for n, product in enumerate(products, 1)))


def codes(answer: list[list[CompiledRule]]) -> list[list[str]]:
    return [[compiled.code for compiled in rules] for rules in answer]


def matched(rules: RulesInForce, facts: CartFacts, late: bool = False) -> list[list[str]]:
    """What durable-rules says, after comparing it with the indexed matcher."""
    return codes(CheckedMatcher(PATIENT, INDEXED).match(rules, facts, late))


def of(rules: list[Rule], wanted: Cart) -> list[list[str]]:
    return matched(rules_in_force(Ruleset(tuple(rules)), DAY), CartFacts(wanted, DAY, "JPY"))


def by_hand(rules: RulesInForce, facts: CartFacts, late: bool) -> list[list[str]]:
    """Every rule tried on every line: no index, no network."""
    return [
        [
            one.code
            for one in rules.rules
            if one.is_late == late
            and (one.rule.scope is None or is_in_scope(one.rule.scope, facts.customer))
            and all(test(line) for test in one.cart_tests + one.line_tests)
        ]
        for line in facts.lines
    ]


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 40), st.integers(1, 5))
def test_random_rules_match_the_same_lines_by_both_matchers_and_by_hand(
    random: Random, size: int, lines: int
) -> None:
    rules = rules_in_force(random_ruleset(random, size), DAY)
    wanted = random_cart(random, lines)
    for late in (False, True):
        facts = facts_of(wanted, random, late)
        assert matched(rules, facts, late) == by_hand(rules, facts, late)


def test_many_seeded_rule_sets_match_alike_and_do_match_something() -> None:
    pairs = 0
    for seed in range(250):
        random = Random(seed)
        rules = rules_in_force(random_ruleset(random, random.choice((1, 20, 61, 130))), DAY)
        for late in (False, True):
            facts = facts_of(random_cart(random, 4), random, late)
            pairs += sum(map(len, matched(rules, facts, late)))
    assert pairs > 5000


def test_ten_thousand_rules_match_alike() -> None:
    random = Random(7)
    rules = rules_in_force(random_ruleset(random, 10_000), DAY)
    for late in (False, True):
        facts = facts_of(random_cart(random, 20), random, late)
        assert sum(map(len, matched(rules, facts, late))) > 1000


def test_the_random_conditions_reach_the_engine_and_are_not_all_asked_in_python() -> None:
    random = Random(3)
    lines = [random_line(random, late=True) for _ in range(2000)]
    rules = [rule(n, line) for n, line in enumerate(lines) if not line.fact.startswith("matching.")]
    translator = Plan(rules_in_force(Ruleset(tuple(rules)), DAY), late=False).translator
    compiled = rules_in_force(Ruleset(tuple(rules)), DAY).rules
    asked = [key for one in compiled for clause in translator.clauses(one) for key in clause]
    flags = [
        one for one in asked if one.op == "eq" and one.number == 1 and "_flag" in one.fact.read.__qualname__
    ]
    assert len(flags) < len(asked) * 0.3


# The traps of durable-rules 2.0.28: each hangs, crashes or forgets when a network is built as its README shows -------


def test_six_hundred_rules_for_different_products_do_not_hang_the_engine() -> None:
    rules = [rule(1000 + n, when("product.sku", "eq", f"S{n}")) for n in range(600)]
    found = of(rules, cart(Product("S0"), Product("S599"), Product("other")))
    assert found == [["SC1000"], ["SC1599"], []]


def test_six_hundred_alternatives_that_file_no_rule_do_not_hang_the_engine() -> None:
    rules = [rule(1000 + n, when("product.setup_key", "eq", f"K{n}")) for n in range(600)]
    assert of(rules, cart(Product("A", setup_key="K512"))) == [["SC1512"]]


def test_a_list_of_six_hundred_values_matches_each_of_them() -> None:
    rules = [rule(1, when("product.setup_key", "one_of", tuple(f"K{n}" for n in range(600))))]
    assert of(rules, cart(Product("A", setup_key="K599"), Product("B", setup_key="no"))) == [["SC1"], []]


def test_many_lists_of_values_in_one_rule_set_match() -> None:
    facts = ("product.setup_key", "product.cadence", "product.brand", "product.tax", "customer.group")
    rules = [
        rule(100 + n, *(when(fact, "one_of", tuple(f"{n}-{i}" for i in range(15))) for fact in facts))
        for n in range(40)
    ]
    product = Product("A", setup_key="7-3", cadence="7-0", brand="7-14", tax="7-1")
    wanted = replace(cart(product), customer=Customer("ACME", group="7-2"))
    assert of(rules, wanted) == [["SC107"]]


def test_three_hundred_rules_with_the_same_condition_all_match() -> None:
    rules = [rule(1000 + n, when("product.brand", "eq", "B")) for n in range(300)]
    assert list(map(len, of(rules, cart(Product("A", brand="B"), Product("C"))))) == [300, 0]


def test_one_line_may_match_more_rules_than_one_fact_may_in_the_engine() -> None:
    rules = [rule(1000 + n, when("line.quantity", "ge", 1 + n % 5)) for n in range(300)]
    assert list(map(len, of(rules, cart(Product("A"))))) == [300]


def test_more_conditions_than_the_engine_takes_in_one_rule_still_decide() -> None:
    many = [when(f"line.attributes.a{n}", "one_of", ("x", "y")) for n in range(70)]
    line = Line("1", Product("A"), 1, {f"a{n}": "y" for n in range(70)})
    other = replace(line, id="2", attributes={**line.attributes, "a69": "z"})
    assert of([rule(1, *many)], Cart((line, other))) == [["SC1"], []]


def test_two_equal_lines_both_match_and_more_lines_than_are_posted_at_once() -> None:
    found = of([rule(1, when("line.quantity", "eq", 5))], cart(*[Product("A")] * 3))
    assert found == [["SC1"]] * 3
    many = cart(*(Product(f"S{n}", list_price=Decimal(n)) for n in range(1500)))
    found = of([rule(1, when("product.list_price", "ge", Decimal(700)))], many)
    assert found == [[]] * 700 + [["SC1"]] * 800


def test_a_line_that_no_rule_matches_does_not_lose_the_matches_of_the_others() -> None:
    wanted = cart(Product("none"), Product("A"), Product("none"))
    assert of([rule(1, when("product.sku", "eq", "A"))], wanted) == [[], ["SC1"], []]


def test_thousands_of_carts_do_not_use_up_the_engine_places_for_state() -> None:
    rules = rules_in_force(Ruleset((rule(1, when("line.quantity", "ge", 1)),)), DAY)
    facts = CartFacts(cart(Product("A")), DAY, "JPY")
    assert all(PATIENT.match(rules, facts, late=False) for _ in range(2500))


def test_the_engine_does_have_these_traps_so_the_tests_above_say_something() -> None:
    """Two that raise instead of hanging or crashing: 65 conditions met by one fact, and a fact that meets none."""
    alone = {f"r{n}": {"all": [{"m": {"$gte": {"p": n}}}]} for n in range(65)}
    handle = durable.engine.create_ruleset("trap-stack", json.dumps(alone))
    with pytest.raises(durable.engine.error, match="303"):
        durable.engine.assert_facts(handle, '[{"id":"0","sid":"1","p":99}]')
    durable.engine.delete_ruleset(handle)
    handle = durable.engine.create_ruleset("trap-unmet", json.dumps({"r1": {"all": [{"m": {"p": 1}}]}}))
    code, _ = durable.engine.assert_facts(handle, '[{"id":"0","sid":"1","p":1},{"id":"1","sid":"1","p":2}]')
    durable.engine.delete_ruleset(handle)
    assert code == 1


def test_no_network_holds_more_than_the_engine_bears() -> None:
    for seed in range(20):
        plan = Plan(rules_in_force(random_ruleset(Random(seed), 500), DAY), late=False)
        for shard in plan.shards:
            assert len(shard.rules) <= MOST_RULES
            widths = [max(map(len, plan.translator.clauses(one)), default=1) for one in shard.rules]
            assert sum(widths) <= MOST_ALTERNATIVES
            shard.define(plan.translator)
            assert len(shard.of_cart) + len(shard.of_line) < 250


# Values the engine would get wrong -----------------------------------------------------------------------------------


def test_decimals_are_compared_exactly_and_ten_is_ten_point_zero() -> None:
    rules = [
        rule(1, when("product.list_price", "eq", Decimal("10.0"))),
        rule(2, when("product.list_price", "gt", Decimal("9.999999"))),
        rule(3, when("product.list_price", "le", Decimal("10"))),
        rule(4, when("product.list_price", "between", (Decimal("9.999999"), Decimal("10.000001")))),
    ]
    prices = ("10", "10.000000", "10.0000001", "9.9999995", "9.999999")
    wanted = cart(*(Product(f"S{n}", list_price=Decimal(price)) for n, price in enumerate(prices)))
    assert of(rules, wanted) == [
        ["SC1", "SC2", "SC3", "SC4"],
        ["SC1", "SC2", "SC3", "SC4"],
        ["SC2", "SC4"],
        ["SC2", "SC3", "SC4"],
        ["SC3", "SC4"],
    ]


def test_numbers_beyond_what_the_engine_holds_keep_their_order() -> None:
    huge = (Decimal(2**53), Decimal(2**63), Decimal(2**64) + 1, Decimal("1E+30"))
    rules = [rule(n, when("product.cost", "ge", value)) for n, value in enumerate(huge)]
    wanted = cart(*(Product(f"S{n}", cost=value) for n, value in enumerate(huge)))
    assert list(map(len, of(rules, wanted))) == [1, 2, 3, 4]


@given(
    st.decimals(-(10**10), 10**10, places=9, allow_nan=False), st.sampled_from(DECIMALS), st.integers(0, 6)
)
def test_a_number_keeps_its_order_to_every_threshold(value: Decimal, threshold: Decimal, places: int) -> None:
    if threshold != round(threshold, places) or threshold > 10**8:
        return
    number, other = exact_number(value, places), exact_number(threshold, places)
    assert (number < other, number == other) == (value < threshold, value == threshold)


def test_texts_are_equal_by_code_points_whatever_they_hold() -> None:
    texts = ["é", "e\u0301", "É", 'say "5"', "back\\slash", "nul\0l", "nul", "{}[],:", "x" * 5000, "5", ""]
    rules = [rule(10 + n, when("product.brand", "eq", text)) for n, text in enumerate(texts)]
    wanted = cart(*(Product(f"S{n}", brand=text) for n, text in enumerate(texts)))
    assert of(rules, wanted) == [[f"SC{10 + n}"] for n in range(len(texts))]


def test_an_attribute_of_another_type_is_compared_with_nothing() -> None:
    fact = "product.attributes.grade"
    rules = [
        rule(1, when(fact, "eq", 5)), rule(2, when(fact, "eq", "5")), rule(3, when(fact, "eq", True)),
        rule(4, when(fact, "not", 4)), rule(5, when(fact, "lt", Decimal("5.5"))), rule(6, when(fact, "known", True)),
    ]  # fmt: skip
    values: list[Any] = [5, "5", True, Decimal("5.0"), 1]
    wanted = cart(*(Product(f"S{n}", attributes={"grade": value}) for n, value in enumerate(values)))
    assert of(rules, wanted) == [
        ["SC1", "SC4", "SC5", "SC6"],
        ["SC2", "SC6"],
        ["SC3", "SC6"],
        ["SC1", "SC4", "SC5", "SC6"],
        ["SC4", "SC5", "SC6"],
    ]


def test_a_category_matches_itself_and_what_is_below_it_only() -> None:
    rules = [
        rule(1, when("product.category", "eq", "a/b")),
        rule(2, when("product.category", "not", "a/b")),
        rule(3, when("product.category", "one_of", ("a", "a/b", "c"))),
    ]
    paths = ("a/b", "a/b/c", "a/bc", "a", "c/d", None)
    wanted = cart(*(Product(f"S{n}", category=path) for n, path in enumerate(paths)))
    assert of(rules, wanted) == [
        ["SC1", "SC3"], ["SC1", "SC3"], ["SC2", "SC3"], ["SC2", "SC3"], ["SC2", "SC3"], [],
    ]  # fmt: skip


def test_conditions_on_matching_sums_are_left_to_be_settled_for_both_matchers() -> None:
    ruleset = Ruleset((rule(1, when("product.brand", "eq", "B"), when("matching.quantity", "ge", 10)),))
    wanted = cart(Product("A", brand="B", list_price=Decimal(1)), Product("C", list_price=Decimal(1)))
    more = replace(wanted, lines=(replace(wanted.lines[0], quantity=10), wanted.lines[1]))
    for one, charges in ((wanted, 0), (more, 1)):
        decision = evaluate(ruleset, one, DAY, matcher=checkout_matcher("durable"))
        assert len(decision.surcharges) == charges
        assert decision.to_bytes() == evaluate(ruleset, one, DAY).to_bytes()


# When it cannot answer -----------------------------------------------------------------------------------------------


class Dropping:
    """A matcher that forgets the last rule of one line."""

    def match(self, rules: RulesInForce, facts: CartFacts, late: bool) -> list[list[CompiledRule]]:
        answer = PATIENT.match(rules, facts, late)
        return [answer[0][:-1], *answer[1:]]


@pytest.fixture
def simple() -> tuple[Ruleset, Cart]:
    return (
        Ruleset((rule(1, when("line.quantity", "ge", 5)), rule(2, when("product.sku", "eq", "A")))),
        cart(Product("A", list_price=Decimal(10)), Product("B", list_price=Decimal(10))),
    )


def test_a_dropped_match_is_refused_with_both_answers(simple: tuple[Ruleset, Cart]) -> None:
    ruleset, wanted = simple
    with pytest.raises(MatcherDisagreement, match="line 1") as refused:
        evaluate(ruleset, wanted, DAY, matcher=CheckedMatcher(Dropping(), INDEXED))
    assert refused.value.detail == {
        "on": "2026-12-01",
        "lines": [
            {"id": "1", "sku": "A", "quantity": 5, "decides": ["SC1"], "checks": ["SC1", "SC2"]},
        ],
    }
    evaluate(
        ruleset, wanted, DAY, matcher=CheckedMatcher(PATIENT, INDEXED)
    )  # the control: undropped, it decides


def test_an_answer_for_fewer_lines_is_a_disagreement(simple: tuple[Ruleset, Cart]) -> None:
    class Short:
        def match(self, rules: RulesInForce, facts: CartFacts, late: bool) -> list[list[CompiledRule]]:
            return PATIENT.match(rules, facts, late)[1:]

    with pytest.raises(MatcherDisagreement, match="1 answers for 2 lines"):
        evaluate(*simple, DAY, matcher=CheckedMatcher(Short(), INDEXED))


def test_a_missed_deadline_is_a_failure_and_the_next_cart_is_right(simple: tuple[Ruleset, Cart]) -> None:
    ticks = count()
    slow = DurableMatcher(deadline=0.2, clock=lambda: next(ticks) * 0.25)
    with pytest.raises(MatcherFailed, match=r"longer than 0\.2 s"):
        evaluate(*simple, DAY, matcher=slow)
    decision = evaluate(*simple, DAY, matcher=CheckedMatcher(PATIENT, INDEXED))
    assert [charge.code for charge in decision.surcharges] == ["SC1", "SC1", "SC2"]


def broken(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> None:
    """The engine with some of its functions replaced."""
    real = {name: getattr(durable.engine, name) for name in dir(durable.engine) if not name.startswith("__")}
    monkeypatch.setattr(durable, "engine", SimpleNamespace(**{**real, **functions}))


def failing(*arguments: Any) -> Any:
    raise durable.engine.error("error code: 307")


@pytest.mark.parametrize(
    "name", ["create_ruleset", "assert_facts", "start_action_for_state", "complete_and_start_action"]
)
def test_an_error_of_the_engine_is_a_failure_never_an_empty_answer(
    simple: tuple[Ruleset, Cart], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with monkeypatch.context() as patched:
        broken(patched, **{name: failing})
        with pytest.raises(MatcherFailed, match="307") as failed:
            evaluate(*simple, DAY, matcher=checkout_matcher("durable"))
    assert isinstance(failed.value, MatcherError)
    assert evaluate(*simple, DAY, matcher=checkout_matcher("durable")).surcharges


def test_facts_that_the_engine_loses_are_a_failure(
    simple: tuple[Ruleset, Cart], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_facts = durable.engine.assert_facts

    def losing(handle: int, facts: str) -> Any:
        return assert_facts(handle, facts[: facts.rindex(",{")] + "]")

    broken(monkeypatch, assert_facts=losing)
    with pytest.raises(MatcherFailed, match="looked at 1 of 2 facts"):
        evaluate(*simple, DAY, matcher=PATIENT)


def test_an_engine_that_finds_nothing_is_a_failure(
    simple: tuple[Ruleset, Cart], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, start_action_for_state=lambda handle, state: None)
    with pytest.raises(MatcherFailed, match="looked at 0 of 2 facts"):
        evaluate(*simple, DAY, matcher=PATIENT)


def test_an_engine_that_does_not_stop_answering_is_a_failure(
    simple: tuple[Ruleset, Cart], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch, complete_and_start_action=lambda handle, state: '{"r0":[{"m":{"id":"0"}}]}')
    with pytest.raises(MatcherFailed, match="does not stop"):
        evaluate(*simple, DAY, matcher=PATIENT)


def test_a_fact_of_a_wrong_type_is_a_failure() -> None:
    facts: Any = 2.5
    with pytest.raises(MatcherFailed, match=r"product\.cost holds a float"):
        of([rule(1, when("product.cost", "ge", Decimal(1)))], cart(Product("A", cost=facts)))


def test_without_the_engine_the_indexed_matcher_serves_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(checkout_matcher("durable"), CheckedMatcher)
    assert checkout_matcher("indexed") is INDEXED
    monkeypatch.setattr(durable, "engine", None)
    assert not durable_is_available()
    assert checkout_matcher("durable") is INDEXED
    with pytest.raises(ValueError, match='"fast"; allowed are'):
        checkout_matcher("fast")

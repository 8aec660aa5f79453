"""`rules diff`: what changes for whom in sentences, as JSON and as a notice; nobody reads another one's terms."""

import json
import shutil
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from rules import Cart, Customer, Line, Product, Rule, RuleException, Ruleset, load_ruleset
from rules.diff import Differ
from rules.diff_words import LANGUAGES, diff_json, notice, sentences
from rules.past_order import PastOrder
from rules.ruleset import (
    Below,
    CatalogEffect,
    Condition,
    MethodEffect,
    OrderEffect,
    PriceEffect,
    QuantityEffect,
    SurchargeEffect,
    WhenLine,
)
from storefront import cli
from storefront.own_packages import examples_folder
from storefront.replays.diffs import Purchases, diffs, gaps, starts_on

ON = date(2026, 12, 1)
ME = Customer("ME", group="partner", region="JP-27")
PRODUCTS = [Product(f"M{size}", "screws", list_price=Decimal(size * 10)) for size in (3, 4, 5)]
REASON = {"ja": "段取り替えに30分かかります", "en": "Each run needs a 30 minute set-up"}


def rule(code, effect, *when, **more):
    conditions = tuple(WhenLine(fact, (Condition(fact, op, value),)) for fact, op, value in when)
    names = {"ja": f"決まり{code}", "en": f"Rule {code}"}
    return Rule(code, names, effect, f"rules/{code}.toml", when=conditions, **more)


def minimum(count, fee=None, **more):
    below = (
        (Below("surcharge", Decimal(10), amount=Decimal(fee)), Below("block")) if fee else (Below("block"),)
    )
    return rule("QT10", QuantityEffect(minimum=count, below=below), because=REASON, **more)


def said(live, draft, language="en", customer=ME, products=PRODUCTS, bought="year"):
    found = Differ(Ruleset(tuple(live)), Ruleset(tuple(draft)), ON).of(customer, products, bought)
    return sentences(found, language)


def test_a_minimum_is_told_once_for_all_products_it_holds_for():
    assert said([minimum(48)], [minimum(60)]) == [
        "Minimum 48 to 60 for 3 items you bought in the last year: M3, M4, M5 (QT10)."
    ]
    assert said([minimum(48)], [minimum(60)], "ja") == [
        "この1年にご注文いただいた3品の最低注文数が、48個から60個になります: M3、M4、M5(QT10)。"
    ]


def test_items_are_said_to_be_bought_only_where_they_were():
    assert said([], [minimum(60)], bought="") == [
        "Minimum of 60 (none until now) for 3 items: M3, M4, M5 (QT10)."
    ]
    assert said([minimum(60)], [], bought="any") == [
        "No minimum any more (until now 60) for 3 items you have bought: M3, M4, M5 (QT10)."
    ]
    assert said([minimum(60)], [], "ja", products=PRODUCTS[:1], bought="") == [
        "1品の最低注文数がなくなります(いままで60個): M3(QT10)。"
    ]


@pytest.mark.parametrize(
    ("effect", "other", "en", "ja"),
    [
        (
            QuantityEffect(multiple=10),
            QuantityEffect(multiple=20),
            "Lot 10 to 20 for",
            "注文の単位が、10個から20個に",
        ),
        (
            QuantityEffect(maximum=50),
            QuantityEffect(maximum=90),
            "Maximum 50 to 90 for",
            "1回の上限が、50個から90個に",
        ),
        (
            QuantityEffect(allowed=(10, 25)),
            QuantityEffect(allowed=(10, 50)),
            "Quantities 10, 25 to 10, 50 for",
            "ご注文いただける数が、10・25個から10・50個に",
        ),
    ],
)
def test_lots_maxima_and_allowed_quantities_have_their_own_words(effect, other, en, ja):
    live, draft = [rule("QT10", effect)], [rule("QT10", other)]
    assert said(live, draft)[0].startswith(en)
    assert ja in said(live, draft, "ja")[0]


def test_prices_are_told_with_both_values_and_alike_ones_together():
    live = [rule("PR10", PriceEffect("rate", "agreed", Decimal("0.5")))]
    draft = [rule("PR10", PriceEffect("rate", "agreed", Decimal("0.6")))]
    assert said(live, draft) == [
        "Prices up about 20% for 3 items you bought in the last year: "
        "M3 ¥15 to ¥18, M4 ¥20 to ¥24, M5 ¥25 to ¥30 (PR10)."
    ]
    assert said(live, draft, products=PRODUCTS[:1]) == ["Price of M3: ¥15 to ¥18 (PR10)."]
    assert said(draft, live, "ja") == [
        "この1年にご注文いただいた3品の単価が約17%下がります: M3 ¥18から¥15へ、M4 ¥24から¥20へ、M5 ¥30から¥25へ(PR10)。"
    ]


def test_a_break_is_told_from_its_quantity_on():
    from rules.ruleset import Break

    breaks = PriceEffect("breaks", "volume", breaks=(Break(100, "unit", Decimal(25)),))
    assert said([], [rule("PR30", breaks)], products=PRODUCTS[:1]) == [
        "Price of M3: from 100 pieces ¥30 to ¥25 (PR30)."
    ]


def test_fees_are_told_with_amount_and_quantities():
    assert said([minimum(50)], [minimum(50, 800)], products=PRODUCTS[:1]) == [
        "Smallest order 50 to 10 for 1 item you bought in the last year: M3 (QT10).",
        "New fee “Rule QT10” ¥800 (10 to 49 pieces) for 1 item you bought in the last year: M3 (QT10).",
    ]
    assert said([minimum(50, 800)], [minimum(50, 900)], "ja", products=PRODUCTS[:1]) == [
        "この1年にご注文いただいた1品の「決まりQT10」が、¥800(10〜49個)から¥900(10〜49個)になります: M3(QT10)。"
    ]
    set_up = rule("SC10", SurchargeEffect("amount", Decimal(300), label={"ja": "段取り", "en": "Set-up"}))
    assert said([set_up], [], products=PRODUCTS[:1]) == [
        "No fee “Set-up” any more (until now ¥300 (from 1 pieces)) for 1 item you bought in the last year: M3 (SC10)."
    ]


def test_a_fee_of_the_order_its_minimum_and_its_methods_are_terms():
    live = [rule("OR10", OrderEffect(minimum=Decimal(3000), below=(Below("block"),)))]
    draft = [
        rule("OR10", OrderEffect(minimum=Decimal(5000), below=(Below("block"),))),
        rule("PM10", MethodEffect(hide=("net_terms",))),
        rule("SC10", SurchargeEffect("amount", Decimal(300), per="order")),
    ]
    told = said(live, draft)
    assert len(told) == 3
    assert (
        told[0].startswith("Until now: Orders start at 3,000.")
        and "From now on: Orders start at 5,000." in told[0]
    )
    assert told[1].startswith("New: ") and "net_terms" in told[1].lower()
    assert told[2].startswith("New: ") and "300" in told[2]
    assert said(draft, live, "ja")[1].startswith("なくなる決まり: ")


@pytest.mark.parametrize(
    ("effect", "en", "back"),
    [
        (CatalogEffect(hide=True), "No longer offered: M3.", "Newly offered: M3."),
        (CatalogEffect(buy=False), "Can no longer be ordered: M3.", "Can be ordered now: M3."),
        (
            CatalogEffect(price="quotation"),
            "On quotation only: M3.",
            "Can be ordered without a quotation: M3.",
        ),
    ],
)
def test_what_is_hidden_closed_or_on_quotation_is_told_and_nothing_else_of_it(effect, en, back):
    closed = [rule("CA10", effect), minimum(10)]
    assert said([], closed, products=PRODUCTS[:1]) == [en]
    assert said(closed, [], products=PRODUCTS[:1]) == [back]


def test_a_rule_for_others_is_not_told():
    own = rule("PR10", PriceEffect("rate", "agreed", Decimal("0.5")), ("customer.code", "eq", "ACME"))
    cheaper = replace(own, effect=PriceEffect("rate", "agreed", Decimal("0.3")))
    differ = Differ(Ruleset((own,)), Ruleset((cheaper,)), ON)
    assert differ.of(ME, PRODUCTS, "year").changes == ()
    assert len(differ.of(Customer("ACME"), PRODUCTS, "year").changes) == 1
    assert differ.of(replace(ME, code="OTHER"), PRODUCTS, "year").changes == ()


def test_an_exception_is_told_to_its_customer_alone_and_memory_does_not_mix_them():
    exception = RuleException("E1", "QT10", QuantityEffect(minimum=5), customer="ACME")
    differ = Differ(Ruleset((minimum(48),)), Ruleset((minimum(48),), (exception,)), ON)
    for _time in range(2):
        assert differ.of(ME, PRODUCTS, "year").changes == ()
        (change,) = differ.of(replace(ME, code="ACME"), PRODUCTS, "year").changes
        assert (change.kind, change.before, change.after) == ("minimum", 48, 5)


def test_the_same_rules_change_nothing_for_anybody():
    ruleset = load_ruleset(examples_folder() / "neji", run_cases=False)
    catalog = ruleset.catalog
    found = list(diffs(ruleset.parsed, ruleset.parsed, catalog, Purchases(), ON))
    assert len(found) == len(catalog.customers) + 1
    assert all(one.changes == () for one in found)


def test_a_notice_says_from_when_what_and_why_without_codes():
    found = Differ(Ruleset((minimum(48),)), Ruleset((minimum(60),)), ON).of(ME, PRODUCTS, "year")
    subject, body = notice(found, "ja", shop="青柳螺子", name="林工作所", contact="06-0000-0000")
    assert subject == "ご注文条件の変更のお知らせ(2026年12月1日(火)から)"
    assert body.startswith("林工作所 御中\n\nいつもご注文をいただき、ありがとうございます。青柳螺子です。\n")
    assert "・この1年にご注文いただいた3品の最低注文数が、48個から60個になります: M3、M4、M5。\n" in body
    assert "・理由: 段取り替えに30分かかります\n" in body and "QT10" not in body
    assert body.endswith("青柳螺子\n06-0000-0000\n")
    subject, body = notice(found, "en", shop="Aoyagi")
    assert subject == "Changes to your order terms from 1 December 2026"
    assert "Dear ME," in body and "- Reason: Each run needs" in body and "QT10" not in body


def test_a_notice_of_nothing_says_so():
    found = Differ(Ruleset(()), Ruleset(()), ON).of(ME, PRODUCTS, "year")
    for language, words in (("ja", "変わりはございません"), ("en", "stay as they are")):
        assert words in notice(found, language, shop="A")[1]


def test_no_notice_names_another_customer_or_their_terms():
    """Every customer of the demo with every other one's secret in the draft."""
    loaded = load_ruleset(examples_folder() / "neji", run_cases=False)
    codes = sorted(loaded.catalog.customers)
    secret = [
        rule(
            f"PR9{place:02}",
            PriceEffect("unit", "promotion", Decimal(7000 + place)),
            ("customer.code", "eq", code),
        )
        for place, code in enumerate(codes)
    ]
    draft = replace(
        loaded.parsed,
        rules=tuple(sorted((*loaded.parsed.rules, *secret), key=lambda one: one.code)),
        compiled={},
    )
    catalog = replace(loaded.catalog, products=dict(list(loaded.catalog.products.items())[:3]))
    found = {one.customer.code: one for one in diffs(loaded.parsed, draft, catalog, Purchases(), ON)}
    for place, code in enumerate(codes):
        text = "".join("".join(notice(found[code], language, shop="A")) for language in LANGUAGES)
        text += json.dumps(diff_json(found[code]))
        assert f"70{place:02}" in text.replace(",", "")
        for other_place, other in enumerate(codes):
            if other != code:
                assert other not in text and f"70{other_place:02}" not in text.replace(",", "")
    assert found[None].changes == ()


def test_the_draft_begins_when_the_first_of_its_rules_does():
    today = date(2026, 11, 20)
    live = Ruleset((minimum(48),))
    assert starts_on(live, Ruleset((minimum(60),)), today) == today
    later = [
        Ruleset((minimum(48), rule("SC10", SurchargeEffect("amount", Decimal(1)), from_on=day)))
        for day in (date(2026, 12, 1), date(2026, 11, 1))
    ]
    assert [starts_on(live, one, today) for one in later] == [date(2026, 12, 1), today]
    assert starts_on(live, live, today) == today


def test_a_rule_that_its_draft_begins_only_later_leaves_a_gap_that_is_named():
    today = date(2026, 11, 20)
    live, draft = Ruleset((minimum(48),)), Ruleset((minimum(60, from_on=ON),))
    assert (starts_on(live, draft, today), gaps(live, draft, today)) == (ON, ["QT10"])
    assert gaps(live, Ruleset((minimum(60),)), today) == gaps(live, Ruleset(()), today) == []
    assert starts_on(live, Ruleset(()), today) == today


def test_what_somebody_bought_is_gathered_with_the_customer_as_last_known():
    orders = [
        PastOrder("1", ON, Cart((Line("1", PRODUCTS[0], 5),), replace(ME, orders=0)), 0, 0),
        PastOrder("2", ON, Cart((Line("1", PRODUCTS[1], 5),), replace(ME, orders=1)), 0, 0),
        PastOrder("3", ON, Cart((Line("1", PRODUCTS[2], 5),)), 0, 0),
    ]
    found = Purchases.of(orders)
    assert found.customers == {"ME": replace(ME, orders=1)}
    assert list(found.products["ME"]) == ["M3", "M4"]


# --- the command ----------------------------------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(examples_folder() / "starter", folder, ignore=shutil.ignore_patterns("var"))
    (folder / "orders.csv").write_text(
        "order,on,customer,sku,quantity\n1,2026-10-01,SAKURA,BOX-S,50\n2,2026-10-02,MIDORI,TAPE,10\n",
        encoding="utf-8",
    )
    (tmp_path / "QT10.toml").write_text(
        'code = "QT10"\nname = {ja = "箱", en = "Boxes"}\nfrom = 2100-01-01\n[when]\n"product.category" = "boxes"\n'
        "[quantity]\nminimum = 60\nmultiple = 10\n",
        encoding="utf-8",
    )
    return folder


def run(capsys, *words):
    assert cli.main(["rules", "diff", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_the_command_tells_each_customer_over_what_was_bought(bare, capsys):
    call = bare, bare.parent / "QT10.toml", "--orders", "all", "--on", "2100-01-01"
    printed = run(capsys, *call, "--lang", "en")
    assert (
        "SAKURA (1 items bought), from 2100-01-01 on\n  Minimum 50 to 60 for 1 item you have bought: BOX-S"
        in printed
    )
    assert "MIDORI" not in printed
    told = json.loads(run(capsys, *call, "--json"))
    assert [one["customer"] for one in told["customers"]][-1] is None
    assert (
        "箱" not in told["customers"][0]["changes"][0]["ja"]
        and "最低注文数" in told["customers"][0]["changes"][0]["ja"]
    )
    both = run(capsys, *call, "--customer", "SAKURA")
    assert "Minimum 50 to 60" in both and "最低注文数が、50個から60個" in both


def test_the_command_writes_a_notice_with_the_first_day(bare, capsys):
    printed = run(
        capsys, bare, bare.parent / "QT10.toml", "--orders", "all", "--notice", "SAKURA", "--on", "2100-01-01"
    )
    assert "件名: ご注文条件の変更のお知らせ(2100年1月1日(金)から)" in printed
    assert "Subject: Changes to your order terms from 1 January 2100" in printed


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere"], "there is no draft nowhere"),
        (["{draft}", "--customer", "SAKURO"], 'there is no customer "SAKURO". '),
        (["{draft}", "--orders", "last:9x"], "Allowed: all, last:12m"),
        (["{draft}", "--orders", "2020-01-01..2020-01-02"], "no order from 2020-01-01"),
    ],
)
def test_what_the_command_cannot_find_it_names(bare, capsys, words, sentence):
    filled = [word.format(draft=bare.parent / "QT10.toml") for word in words]
    assert cli.main(["rules", "diff", str(bare), *filled]) == 2
    assert sentence in capsys.readouterr().err


def test_without_orders_all_products_are_compared(bare, capsys):
    (bare / "orders.csv").unlink()
    assert cli.main(["rules", "diff", str(bare), str(bare), "--lang", "en"]) == 0
    told = capsys.readouterr()
    assert "all products are compared" in told.err and "0 of 3 customers see a change" in told.out

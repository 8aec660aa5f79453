"""Patterns about fees and the order discount: small lots, set-up, opened cartons, so much off an order.

A fee is always a line of its own on cart, order and invoice.
"""

from __future__ import annotations

from rules.facts import MAX_QUANTITY
from storefront.patterns.kinds import SEEN, Fault, Field, Fixed, Pattern, Probe, Said, Values, shows
from storefront.patterns.parts import (
    BUYERS,
    COMMON,
    PRODUCTS,
    about,
    asides,
    charged,
    count,
    fee_fields,
    label_fields,
    named,
    whom,
)
from storefront.patterns.scenes import MOST, PRICE, Scene

_PER = (
    ("line", Said("1行ごとに", "per line")),
    ("product", Said("品ごとに1回", "once per product")),
    ("batch", Said("同じ段取り(batch)ごとに1回", "once per batch")),
    ("matching", Said("当てはまる行すべてで1回", "once for all matching lines")),
    ("order", Said("注文ごとに1回", "once per order")),
)
_TABLE = ("surcharge",)


# small lots


def _small_lot_probes(values: Values, scene: Scene) -> list[Probe]:
    below, code, facts = values["below"], values["code"], charged(values, scene)
    ja, en = f"{count(below - 1)}個には手数料がかかる", f"{count(below - 1)} pay the fee"
    fee = [{"code": code, "amount": SEEN}]
    found = [
        shows(ja, en, scene.cart(below - 1, **facts), surcharges=fee),
        shows(
            f"{count(below)}個にはかからない",
            f"{count(below)} pay none",
            scene.cart(below, **facts),
            surcharges=[],
        ),
    ]
    return [*found, *asides(scene, values, "SC", below - 1)]


SMALL_LOT_FEE = Pattern(
    "small_lot_fee",
    "SC",
    Said("小ロット手数料", "Small-lot fee"),
    Said("少ない数でも断らずに、手数料で受けます。", "A small lot is not refused: it pays a fee."),
    Said("小ねじは100個未満なら、1行に800円いただきます。", "Machine screws below 100 pay 800 per line."),
    lambda values: named(about(values), "小ロット手数料", "Small-lot fee"),
    (
        *PRODUCTS,
        *BUYERS,
        Field(
            "below",
            "pieces",
            ("when", "line.quantity", "lt"),
            Said("何個未満のとき", "Below how many pieces"),
            required=True,
            least=2,
        ),
        *fee_fields(_TABLE, missing=False),
        *label_fields(_TABLE, "小ロット手数料", "Small-lot fee"),
        *COMMON,
    ),
    _small_lot_probes,
    (Fixed(("surcharge", "per"), "line", comment=Said("1行ごとに1回", "once per line")),),
    accepts=lambda values: True,
)


# set-up


def _setup_probes(values: Values, scene: Scene) -> list[Probe]:
    code, facts, lot = values["code"], charged(values, scene), values.get("lot")
    fee, each = {"code": code, "amount": SEEN}, values["per"] == "line"
    one = {**fee, "lines": ["1"]}
    found = [shows("1個でもかかる", "one piece pays it", scene.cart(1, **facts), surcharges=[one])]
    if lot is not None:
        amount = values["lot_amount"]
        for quantity, times in ((lot, 1), (lot + 1, 2)):
            ja, en = f"{count(quantity)}個なら{times}回分", f"{count(quantity)} pay it {times}x"
            if quantity <= MAX_QUANTITY:
                charge = {"code": code, "amount": amount * times}
                found.append(shows(ja, en, scene.cart(quantity, **facts), surcharges=[charge]))
    lines = [one, {**fee, "lines": ["2"]}] if each else [{**fee, "lines": ["1", "2"]}]
    if each or lot is None or lot > 2:
        ja, en = (
            ("2行なら2回", "two lines pay it twice")
            if each
            else ("2行に分けても1回", "two lines pay it once")
        )
        cart = scene.lines([(scene.it, 1, facts), (scene.it, 1, facts)])
        found.append(shows(ja, en, cart, surcharges=lines))
    return [*found, *asides(scene, values, "SC")]


def _setup_faults(values: Values) -> list[Fault]:
    if ("lot" in values) == ("lot_amount" in values):
        return []
    missing = "lot" if "lot_amount" in values else "lot_amount"
    said = Said(
        "何個ごとかと、その額は、両方入れてください。", "Fill in both: for how many pieces, and the amount."
    )
    return [Fault(missing, said)]


SETUP_CHARGE = Pattern(
    "setup_charge",
    "SC",
    Said("段取り費", "Set-up charge"),
    Said(
        "加工のはじめにかかる費用を、数によらずいただきます。",
        "What a run costs to begin, whatever the quantity.",
    ),
    Said(
        "特注品は、同じ段取りの品をまとめて1回2,500円。",
        "Specials pay 2,500 once for all parts of one set-up.",
    ),
    lambda values: named(about(values), "段取り費", "Set-up charge"),
    (
        *PRODUCTS,
        *BUYERS,
        *fee_fields(_TABLE, missing=False),
        Field(
            "lot_amount",
            "money",
            ("surcharge", "per_lot", "amount"),
            Said("またはロットごとの額", "or for each lot"),
            Said("始まったロットごとに1回。", "For each started lot."),
            one_of="fee",
            above_zero=True,
        ),
        Field("lot", "pieces", ("surcharge", "per_lot", "lot"), Said("1ロットの個数", "Pieces of a lot")),
        Field(
            "per",
            "choice",
            ("surcharge", "per"),
            Said("何ごとに", "How often"),
            choices=_PER,
            default="batch",
            required=True,
        ),
        *label_fields(_TABLE, "段取り費", "Set-up charge"),
        *COMMON,
    ),
    _setup_probes,
    accepts=lambda values: True,
    faults=_setup_faults,
)


# opened cartons


def _carton_probes(values: Values, scene: Scene) -> list[Probe]:
    code, facts = values["code"], {**charged(values, scene), "pieces_per_case": 10}
    fee = [{"code": code, "amount": SEEN}]
    return [
        shows(
            "1箱と1個は箱をあける", "a carton and one piece pay it", scene.cart(11, **facts), surcharges=fee
        ),
        shows(
            "1箱ちょうどならかからない", "a whole carton pays none", scene.cart(10, **facts), surcharges=[]
        ),
        shows(
            "1箱に満たなければかからない",
            "less than a carton pays none",
            scene.cart(9, **facts),
            surcharges=[],
        ),
        *asides(scene, values, "SC", 11, **({"pieces_per_case": 10} if scene.made(made=True) else {})),
    ]


OPENED_CARTON_FEE = Pattern(
    "opened_carton_fee",
    "SC",
    Said("開梱手数料", "Opened-carton fee"),
    Said("箱からはみ出した端数があるときの手数料です。", "For loose pieces beyond whole cartons."),
    Said(
        "ナットは1箱より多く端数があるとき、注文に1回300円。",
        "Nuts with loose pieces beyond a carton: 300 once per order.",
    ),
    lambda values: named(about(values), "開梱手数料", "Opened-carton fee"),
    (
        *PRODUCTS,
        *BUYERS,
        *fee_fields(_TABLE, missing=False),
        Field(
            "per",
            "choice",
            ("surcharge", "per"),
            Said("何ごとに", "How often"),
            choices=_PER,
            default="order",
            required=True,
        ),
        *label_fields(_TABLE, "開梱手数料", "Opened-carton fee"),
        *COMMON,
    ),
    _carton_probes,
    (
        Fixed(("when", "line.cases", "ge"), 1, comment=Said("1箱以上あって", "a carton or more,")),
        Fixed(("when", "line.loose", "ge"), 1, comment=Said("端数もあるとき", "and loose pieces beyond it")),
    ),
    accepts=lambda values: True,
)


# the discount of an order


def _discount_probes(values: Values, scene: Scene) -> list[Probe]:
    code, start, percent = values["code"], values.get("subtotal"), values.get("percent")
    most = values.get("at_most")
    felt = (
        min(int(100 / percent) * 100 + 100, MOST) if percent else PRICE
    )  # so much that the discount is not 0
    large = felt if start is None else max(start, felt)
    off = [{"code": code, "amount": SEEN}]
    found = []
    if large != start:
        ja, en = f"{count(large)}の注文は引く", f"an order of {count(large)} gets it"
        found.append(shows(ja, en, scene.goods(large), discounts=off))
    if most is not None and percent:
        huge = min(int(most * 200 / percent) + large, MOST)
        top = [{"code": code, "amount": most}]
        ja = f"{count(huge)}の注文でも、引くのは{count(most)}まで"
        en = f"an order of {count(huge)} gets no more than {count(most)}"
        found.append(shows(ja, en, scene.goods(huge), discounts=top))
    if start is not None:
        ja, en = f"{count(start)}ちょうどで引く", f"exactly {count(start)} gets it"
        found.append(shows(ja, en, scene.goods(start), discounts=off))
        if start > scene.tick:
            less = start - scene.tick
            ja, en = f"{count(less)}では引かない", f"{count(less)} does not"
            found.append(shows(ja, en, scene.goods(less), discounts=[]))
    if scene.has_stranger:
        cart = scene.goods(large, stranger=True)
        found.append(
            shows("ほかのお客さまには効かない", "other customers are left alone", cart, discounts=[])
        )
    return found


DISCOUNT = Pattern(
    "discount",
    "DC",
    Said("注文の値引き", "Order discount"),
    Said(
        "注文の合計から引きます。いくつか当たれば、いちばん大きい一つだけ。",
        "Taken off an order; of several the largest one applies.",
    ),
    Said("50,000円からは3%引き。ただし5,000円まで。", "From 50,000 there is 3% off, at most 5,000."),
    lambda values: named(whom(values), "値引き", "Discount"),
    (
        *BUYERS,
        Field(
            "subtotal",
            "money",
            ("when", "order.subtotal", "ge"),
            Said("商品の合計がいくらから", "From which goods total"),
            Said("税抜。空なら、いくらからでも。", "Without tax. Empty: from any."),
            above_zero=True,
        ),
        Field(
            "percent",
            "percent",
            ("discount", "percent"),
            Said("%引き", "Percent off"),
            one_of="off",
            above_zero=True,
        ),
        Field(
            "amount",
            "money",
            ("discount", "amount"),
            Said("または引く額", "or amount off"),
            one_of="off",
            above_zero=True,
        ),
        Field("at_most", "money", ("discount", "at_most"), Said("引く額の上限", "At most"), above_zero=True),
        *label_fields(("discount",), "値引き", "Discount"),
        *COMMON,
    ),
    _discount_probes,
    (Fixed(("discount", "per"), "order", comment=Said("注文全体から", "of the whole order")),),
)

PATTERNS = (SMALL_LOT_FEE, SETUP_CHARGE, OPENED_CARTON_FEE, DISCOUNT)

"""Patterns about whole orders: their minimum and maximum, lead times, free shipping, payment of new customers.

Amounts are goods without tax and fees, as rule-semantics 97 counts them.
"""

from __future__ import annotations

from typing import Any

from rules.facts import MAX_QUANTITY
from storefront.patterns.kinds import SEEN, Fault, Field, Fixed, Pattern, Probe, Said, Values, shows
from storefront.patterns.parts import (
    BUYERS,
    COMMON,
    GROUP,
    count,
    fee_fields,
    label_fields,
    named,
    need_one,
    whom,
)
from storefront.patterns.quantities import ABOVE, GO_ON
from storefront.patterns.scenes import NOTHING, Scene

_BELOW = ("order", "below", 0)
_NOTHING = NOTHING["OR"]("")
_QUOTE = 500  # what shipping costs in a case
_STRANGERS = ("ほかのお客さまには効かない", "other customers are left alone")


# the minimum


def _minimum_probes(values: Values, scene: Scene) -> list[Probe]:
    code, minimum, fee_from = values["code"], values["minimum"], values.get("fee_from")
    found, less = [], minimum - scene.tick
    if fee_from is not None:
        fee = [{"code": code, "amount": SEEN}]
        for amount in dict.fromkeys((fee_from, less)):
            if amount > 0:
                ja, en = f"{count(amount)}の注文は手数料で通る", f"an order of {count(amount)} pays the fee"
                found.append(shows(ja, en, scene.goods(amount), surcharges=fee))
        less = fee_from - scene.tick
    if less > 0:
        issue = {"code": code, "outcome": "block", "need": minimum}
        ja, en = f"{count(less)}では止まる", f"{count(less)} is refused"
        found.append(shows(ja, en, scene.goods(less), issues=[issue]))
    ja, en = f"{count(minimum)}ちょうどは通る", f"exactly {count(minimum)} goes through"
    found.append(shows(ja, en, scene.goods(minimum), **_NOTHING))
    if scene.has_stranger:
        found.append(shows(*_STRANGERS, scene.goods(scene.tick, stranger=True), **_NOTHING))
    return found


def _minimum_faults(values: Values) -> list[Fault]:
    minimum, fee_from = values["minimum"], values.get("fee_from")
    if fee_from is not None and fee_from >= minimum:
        ja = f"手数料で受けるのは、最低額 {count(minimum)} より少ない額からです。"
        return [Fault("fee_from", Said(ja, f"The fee begins below the minimum of {count(minimum)}."))]
    if fee_from is None and any(name in values for name in ("amount", "percent")):
        said = Said("いくらから手数料で受けるかも入れてください。", "Say from which amount the fee is taken.")
        return [Fault("fee_from", said)]
    return []


ORDER_MINIMUM = Pattern(
    "order_minimum",
    "OR",
    Said("最低注文額", "Order minimum"),
    Said(
        "注文全体の最低額です。手数料で受ける段も作れます。",
        "The least goods total of an order; a step with a fee may lie below.",
    ),
    Said(
        "注文は3,000円から。1,000円からは手数料500円で。", "Orders from 3,000; from 1,000 with a fee of 500."
    ),
    lambda values: named(whom(values), "最低注文額", "Order minimum"),
    (
        *BUYERS,
        Field(
            "minimum",
            "money",
            ("order", "minimum"),
            Said("最低額", "Minimum"),
            Said("商品の合計、税抜。", "Goods total without tax."),
            required=True,
        ),
        Field(
            "fee_from",
            "money",
            (*_BELOW, "at_least"),
            Said("手数料で受ける額", "With a fee from"),
            Said(
                "この額から最低額までは、手数料をいただきます。0なら、いくらからでも。",
                "From here to the minimum a fee is taken; 0 means any order.",
            ),
        ),
        *fee_fields(_BELOW, missing=False, with_field="fee_from"),
        *label_fields(_BELOW, "小口手数料", "Small-order fee", only_with="fee_from"),
        *COMMON,
    ),
    _minimum_probes,
    (
        Fixed((*_BELOW, "outcome"), "surcharge", "fee_from", Said("手数料で受ける", "taken with a fee")),
        Fixed(
            ("order", "below", 1, "outcome"),
            "block",
            "fee_from",
            Said("それより少なければ断る", "anything less is refused"),
        ),
    ),
    faults=_minimum_faults,
)


# the maximum


def _maximum_probes(values: Values, scene: Scene) -> list[Probe]:
    code, maximum, outcome = values["code"], values["maximum"], values["above"]
    more, goes = maximum + scene.tick, GO_ON[outcome]
    issue = {"code": code, "outcome": outcome, "need": maximum}
    ja, en = f"{count(more)}の注文は{goes.ja}", f"an order of {count(more)} {goes.en}"
    found = [shows(ja, en, scene.goods(more), issues=[issue])]
    ja, en = f"{count(maximum)}ちょうどは通る", f"exactly {count(maximum)} goes through"
    found.append(shows(ja, en, scene.goods(maximum), **_NOTHING))
    if scene.has_stranger:
        found.append(shows(*_STRANGERS, scene.goods(more, stranger=True), **_NOTHING))
    return found


ORDER_MAXIMUM = Pattern(
    "order_maximum",
    "OR",
    Said("大きな注文の確認", "Approval of large orders"),
    Said(
        "金額の大きい注文は、店で確かめてから受けます。",
        "An order above an amount waits until the shop confirms it.",
    ),
    Said("300,000円を超える注文は、店で確かめます。", "An order above 300,000 waits for approval."),
    lambda values: named(whom(values), "上限額", "Order maximum"),
    (
        *BUYERS,
        Field("maximum", "money", ("order", "maximum"), Said("上限額", "Maximum"), required=True),
        Field(
            "above",
            "choice",
            ("order", "above"),
            Said("上限を超えた注文は", "An order above it"),
            choices=ABOVE,
            default="approval",
            required=True,
        ),
        *COMMON,
    ),
    _maximum_probes,
)


# lead times


def _tier_probes(values: Values, scene: Scene) -> list[Probe]:
    found = []
    for row in values["tiers"]:
        code, days = row["code"], row["days"]
        percent = row.get("percent") or 0
        goods = (
            {"list_price": max(100, int(100 / abs(percent)) + 1)} if percent else scene.made(list_price=100)
        )
        expect: dict[str, Any] = {"lead_time": [{"code": code, "offered": True, "days": days}]}
        if percent > 0:
            expect["surcharges"] = [{"code": values["code"], "amount": SEEN}]
        ja, en = f"{code} を選ぶと{count(days)}営業日", f"{code} takes {count(days)} business days"
        found.append(shows(ja, en, {**scene.cart(1, **goods), "lead_time": code}, **expect))
        most = row.get("max_quantity")
        if most is not None and most < MAX_QUANTITY:
            for quantity, offered in ((most, True), (most + 1, False)):
                ja = f"{count(quantity)}個では {code} を{'選べる' if offered else '選べない'}"
                en = f"{code} {'can' if offered else 'cannot'} be chosen for {count(quantity)}"
                tier = {"code": code, "offered": offered, "by": values["code"]}
                found.append(shows(ja, en, scene.cart(quantity, **goods), lead_time=[tier]))
    return found


def _tier_faults(values: Values) -> list[Fault]:
    found, seen = [], set()
    for place, row in enumerate(values["tiers"]):
        if row["code"] in seen:
            ja, en = f"「{row['code']}」が二つあります。", f"There are two tiers called {row['code']}."
            found.append(Fault(f"tiers.{place}.code", Said(ja, en)))
        seen.add(row["code"])
    return found


_TIER = ("lead_time", "tiers", 0)
LEAD_TIMES = Pattern(
    "lead_times",
    "LT",
    Said("納期と特急", "Lead times and rush orders"),
    Said(
        "お客さまが選べる納期です。早いほど割増、遅いほど割引にできます。",
        "What the buyer may choose: faster for more, slower for less.",
    ),
    Said(
        "通常5営業日。特急2営業日は20%増し、12:30まで。",
        "Standard takes 5 business days; express takes 2 for 20% more, until 12:30.",
    ),
    lambda values: named(whom(values), "納期", "Lead times"),
    (
        *BUYERS,
        Field(
            "tiers",
            "rows",
            ("lead_time", "tiers"),
            Said("納期", "Lead time"),
            Said("お客さまが選べる納期", "what the buyer may choose"),
            required=True,
            columns=(
                Field(
                    "code",
                    "text",
                    (*_TIER, "code"),
                    Said("コード", "Code"),
                    Said("standard、express など。", "Such as standard, express."),
                    required=True,
                ),
                Field("days", "count", (*_TIER, "days"), Said("営業日", "Business days"), required=True),
                Field(
                    "percent",
                    "percent",
                    (*_TIER, "percent"),
                    Said("割増%(負は割引)", "Percent, may be negative"),
                ),
                Field("cutoff", "time", (*_TIER, "cutoff"), Said("締め時刻", "Cutoff")),
                Field("max_quantity", "pieces", (*_TIER, "max_quantity"), Said("最大個数", "Most pieces")),
                Field("per_day", "pieces", (*_TIER, "per_day"), Said("1日の件数", "Orders a day")),
                Field("label_ja", "text", (*_TIER, "label", "ja"), Said("名前(日本語)", "Name (Japanese)")),
                Field("label_en", "text", (*_TIER, "label", "en"), Said("名前(英語)", "Name (English)")),
            ),
        ),
        *COMMON,
    ),
    _tier_probes,
    faults=_tier_faults,
)


# free shipping


def _shipping_probes(values: Values, scene: Scene) -> list[Probe]:
    start, methods = values["free_from"], values.get("methods") or ["flat_rate"]
    quotes = {"shipping_quotes": [{"code": code, "amount": _QUOTE} for code in methods]}
    free = [{"code": code, "offered": True, "amount": 0} for code in methods]
    paid = [{"code": code, "amount": _QUOTE} for code in methods]
    start = start or scene.tick
    ja, en = f"{count(start)}ちょうどから送料無料", f"exactly {count(start)} is shipped free"
    found = [shows(ja, en, {**scene.goods(start), **quotes}, shipping=free)]
    if start > scene.tick:
        less = start - scene.tick
        ja, en = f"{count(less)}では送料をいただく", f"{count(less)} pays for shipping"
        found.append(shows(ja, en, {**scene.goods(less), **quotes}, shipping=paid))
    if values.get("methods"):
        other = {"shipping_quotes": [*quotes["shipping_quotes"], {"code": "other", "amount": _QUOTE}]}
        pays = [{"code": "other", "amount": _QUOTE}]
        cart = {**scene.goods(start), **other}
        found.append(shows("ほかの送り方は有料のまま", "other methods are still paid", cart, shipping=pays))
    if scene.has_stranger:
        found.append(shows(*_STRANGERS, {**scene.goods(start, stranger=True), **quotes}, shipping=paid))
    return found


FREE_SHIPPING = Pattern(
    "free_shipping",
    "SH",
    Said("送料無料", "Free shipping"),
    Said("商品の合計がこの額になれば、送料をいただきません。", "From this goods total shipping is free."),
    Said("15,000円から宅配便の送料を無料に。", "From 15,000 the parcel service is free."),
    lambda values: named(whom(values), "送料無料", "Free shipping"),
    (
        *BUYERS,
        Field(
            "free_from",
            "money",
            ("shipping", "free_from"),
            Said("いくらから", "From"),
            Said("商品の合計、税抜。", "Goods total without tax."),
            required=True,
        ),
        Field(
            "methods",
            "method",
            ("shipping", "methods"),
            Said("送り方", "Methods"),
            Said("空なら、すべての送り方。", "Empty means every method."),
            many=True,
        ),
        *COMMON,
    ),
    _shipping_probes,
)


# payment of new customers


def _payment_probes(values: Values, scene: Scene) -> list[Probe]:
    code, hidden, below = values["code"], values["hide"], values.get("orders")
    methods = {"payment_methods": list(dict.fromkeys([*hidden, "bank_transfer"]))}
    refused = [{"code": one, "offered": False, "by": code} for one in hidden]
    offered = [{"code": one, "offered": True} for one in hidden]
    if below is None:
        cart = {**scene.cart(1), **methods}
        found = [shows("この区分のお客さまは選べない", "this group cannot choose it", cart, payment=refused)]
    else:
        cart = {**scene.cart(1, who={"orders": below - 1}), **methods}
        ja, en = f"{count(below - 1)}回目までのお客さまは選べない", f"not after {count(below - 1)} orders"
        cart_after = {**scene.cart(1, who={"orders": below}), **methods}
        found = [
            shows(ja, en, cart, payment=refused),
            shows(
                f"{count(below)}回のあとは選べる",
                f"offered after {count(below)}",
                cart_after,
                payment=offered,
            ),
        ]
    if scene.has_stranger:
        found.append(shows(*_STRANGERS, {**scene.cart(1, stranger=True), **methods}, payment=offered))
    return found


NEW_CUSTOMERS = Pattern(
    "new_customers",
    "PM",
    Said("新しいお客さまの支払い", "Payment of new customers"),
    Said(
        "取引の浅いお客さまには、この支払い方法を出しません。",
        "New customers are not offered these ways to pay.",
    ),
    Said("3回目の注文までは、掛け払いを出しません。", "No account before three orders."),
    lambda values: Said("新しいお客さまの支払い", "Payment of new customers"),
    (
        Field(
            "orders",
            "count",
            ("when", "customer.orders", "lt"),
            Said("注文が何回未満のとき", "Below how many orders"),
            Said("確定した注文の数です。", "Confirmed orders are counted."),
            least=1,
        ),
        GROUP,
        Field(
            "hide",
            "method",
            ("payment", "hide"),
            Said("出さない支払い方法", "Methods not offered"),
            required=True,
            many=True,
        ),
        *COMMON,
    ),
    _payment_probes,
    faults=lambda values: need_one(values, "orders", "group"),
)

PATTERNS = (ORDER_MINIMUM, ORDER_MAXIMUM, LEAD_TIMES, FREE_SHIPPING, NEW_CUSTOMERS)

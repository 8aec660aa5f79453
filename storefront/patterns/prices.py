"""Patterns about prices: a customer's own price, prices by quantity, a price for a season.

Cases compare the rule's own step, so that another lane of the shop may go on from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storefront.patterns.kinds import SEEN, Fault, Field, Pattern, Probe, Said, Values, shows
from storefront.patterns.parts import BUYERS, COMMON, PRODUCTS, about, asides, count, named, need_one, whom
from storefront.patterns.scenes import MOST, NOTHING, PRICE, Scene

_UNIT = Field("unit", "money", ("price", "unit"), Said("単価", "Unit price"), one_of="price")


def _step(sku: str, code: str, unit_price: Any = SEEN) -> dict[str, Any]:
    return {"lines": [{"sku": sku, "steps": [{"code": code, "unit_price": unit_price}]}]}


def _listed(values: Mapping[str, Any], scene: Scene) -> dict[str, Any]:
    """A list price that a rate can be seen on, and that a unit price does not exceed."""
    if "unit" in values:
        return scene.made(list_price=min(max(PRICE, int(values["unit"]) + 1), MOST))
    return {"list_price": PRICE}


def _said(values: Mapping[str, Any]) -> Said:
    """The price as it is called in a case."""
    if "unit" in values:
        return Said(f"単価{count(values['unit'])}", f"{count(values['unit'])} each")
    if "rate" in values:
        return Said(f"定価の{count(values['rate'])}倍", f"{count(values['rate'])} of the list price")
    if "off_percent" in values:
        return Said(f"{count(values['off_percent'])}%引き", f"{count(values['off_percent'])}% off")
    return Said(f"1個{count(values['off_amount'])}引き", f"{count(values['off_amount'])} off a piece")


# a customer's own price


def _customer_probes(values: Values, scene: Scene) -> list[Probe]:
    said, facts, name = _said(values), _listed(values, scene), whom(values)
    step = _step(scene.it, values["code"], values.get("unit", SEEN))
    own = shows(f"{name} は{said.ja}", f"{name}: {said.en}", scene.cart(1, **facts), **step)
    return [own, *asides(scene, values, "PR", **facts)]


def _who_what(values: Values) -> str:
    return " / ".join(word for word in (whom(values), about(values)) if word)


def _customer_faults(values: Values) -> list[Fault]:
    found = need_one(values, "customer", "group")
    if "unit" in values and not about(values):
        ja, en = "単価は、品番か種類を決めて書きます。", "A unit price needs a SKU or a category."
        found.append(Fault("sku", Said(ja, en)))
    return found


CUSTOMER_PRICE = Pattern(
    "customer_price",
    "PR",
    Said("お客さまの値段", "Customer price"),
    Said(
        "1社や1つの区分だけの単価、または掛率です。ほかの人には見えません。",
        "A price or rate of one company or group; nobody else sees it.",
    ),
    Said("山手工業さまには P-15 を118円で。", "Yamate Kogyo pays 118 for P-15."),
    lambda values: named(_who_what(values), "値段", "Price", "of"),
    (
        BUYERS[1],
        BUYERS[0],
        *reversed(PRODUCTS),
        _UNIT,
        Field(
            "rate",
            "number",
            ("price", "rate"),
            Said("または掛率", "or rate"),
            Said("0.65 なら、定価の65%。", "0.65 means 65% of the list price."),
            one_of="price",
        ),
        *COMMON,
    ),
    _customer_probes,
    faults=_customer_faults,
)


# prices by quantity


def _break_probes(values: Values, scene: Scene) -> list[Probe]:
    code, rows = values["code"], sorted(values["breaks"], key=lambda row: row["from"])
    units = [row["unit"] for row in rows if "unit" in row]
    facts = _listed({"unit": max(units)} if len(units) == len(rows) else {}, scene)
    if len(units) not in (0, len(rows)):
        facts = {"list_price": min(max(PRICE, int(max(units)) + 1), MOST)}
    found: list[Probe] = []
    before = None
    for row in rows:
        start, said = row["from"], _said(row)
        if start > 1:
            expect = NOTHING["PR"](scene.it) if before is None else _step(scene.it, code)
            ja = f"{count(start - 1)}個では" + (
                "まだ変わらない" if before is None else f"まだ{_said(before).ja}"
            )
            en = f"{count(start - 1)}: " + (
                "no change yet" if before is None else f"still {_said(before).en}"
            )
            found.append(shows(ja, en, scene.cart(start - 1, **facts), **expect))
        cart = scene.cart(start, **facts)
        found.append(
            shows(
                f"{count(start)}個から{said.ja}",
                f"from {count(start)}: {said.en}",
                cart,
                **_step(scene.it, code),
            )
        )
        before = row
    return [*found, *asides(scene, values, "PR", rows[-1]["from"], **facts)]


def _break_faults(values: Values) -> list[Fault]:
    found, seen = [], set()
    for place, row in enumerate(values["breaks"]):
        if row["from"] in seen:
            ja, en = (
                f"{count(row['from'])} から始まる段が二つあります。",
                f"Two steps begin at {count(row['from'])}.",
            )
            found.append(Fault(f"breaks.{place}.from", Said(ja, en)))
        seen.add(row["from"])
    return found


_BREAK = ("price", "breaks", 0)
VOLUME_BREAKS = Pattern(
    "volume_breaks",
    "PR",
    Said("数量の値段", "Volume prices"),
    Said(
        "多く頼むほど安くなる段です。1段に、単価・掛率・%引きのどれか一つ。",
        "Steps that grow cheaper; each has a price, a rate or a percentage.",
    ),
    Said(
        "旋盤加工品は200個から10%引き、500個から15%引き。",
        "Turned parts: 10% off from 200, 15% off from 500.",
    ),
    lambda values: named(about(values), "数量の値段", "Volume prices", "of"),
    (
        *PRODUCTS,
        *BUYERS,
        Field(
            "breaks",
            "rows",
            ("price", "breaks"),
            Said("段", "Step"),
            Said("この数量から、この値段", "from this quantity, this price"),
            required=True,
            columns=(
                Field("from", "pieces", (*_BREAK, "from"), Said("何個から", "From"), required=True),
                Field("unit", "money", (*_BREAK, "unit"), Said("単価", "Unit price"), one_of="price"),
                Field("rate", "number", (*_BREAK, "rate"), Said("掛率", "Rate"), one_of="price"),
                Field(
                    "off_percent", "percent", (*_BREAK, "off_percent"), Said("%引き", "% off"), one_of="price"
                ),
            ),
        ),
        *COMMON,
    ),
    _break_probes,
    accepts=lambda values: True,
    faults=_break_faults,
)


# a season


def _season_probes(values: Values, scene: Scene) -> list[Probe]:
    said = _said(values)
    cart = scene.cart(1, list_price=min(max(PRICE, int(values.get("off_amount", 0)) * 2), MOST))
    step = _step(scene.it, values["code"])
    return [
        shows(f"1個から{said.ja}", f"from one piece {said.en}", cart, **step),
        *asides(scene, values, "PR"),
    ]


SEASON_PRICE = Pattern(
    "season_price",
    "PR",
    Said("期間の値引き", "Price for a season"),
    Said("決まった日から決まった日までの値引きです。", "Taken off the price from one day to another."),
    Said("つまみねじは2月末まで10%引き。", "Thumb screws: 10% off until the end of February."),
    lambda values: named(about(values), "値引き", "Offer", "on"),
    (
        *PRODUCTS,
        *BUYERS,
        Field(
            "off_percent",
            "percent",
            ("price", "off_percent"),
            Said("%引き", "Percent off"),
            one_of="off",
            above_zero=True,
        ),
        Field(
            "off_amount",
            "money",
            ("price", "off_amount"),
            Said("または1個につき引く額", "or off each piece"),
            one_of="off",
            above_zero=True,
        ),
        *COMMON,
    ),
    _season_probes,
)

PATTERNS = (CUSTOMER_PRICE, VOLUME_BREAKS, SEASON_PRICE)

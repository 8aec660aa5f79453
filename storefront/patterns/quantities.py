"""Patterns about how many: the minimum with its small-lot fee, the lot, the maximum.

Each with the cases that show both sides of every number.
"""

from __future__ import annotations

from dataclasses import replace

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
)
from storefront.patterns.scenes import NOTHING, Scene

ABOVE = (
    ("approval", Said("店で確かめてから受ける", "the shop confirms it first")),
    ("block", Said("受けない", "it is refused")),
    ("quotation", Said("見積りにする", "it becomes a quotation")),
    ("warn", Said("注意を添えて受ける", "it is taken with a warning")),
)
GO_ON = {
    "approval": Said("店の確認を待つ", "waits for approval"),
    "block": Said("止まる", "is refused"),
    "quotation": Said("見積りになる", "becomes a quotation"),
    "warn": Said("注意を添えて通る", "goes through with a warning"),
}
_BELOW = ("quantity", "below", 0)
_NOTHING = NOTHING["QT"]("")
_MAXIMUM = Field("maximum", "pieces", ("quantity", "maximum"), Said("上限", "Maximum"))
_ABOVE = Field(
    "above",
    "choice",
    ("quantity", "above"),
    Said("上限を超えた注文は", "An order above it"),
    choices=ABOVE,
    default="approval",
)


# the minimum


def _minimum_probes(values: Values, scene: Scene) -> list[Probe]:
    code, minimum, lot = values["code"], values["minimum"], values.get("multiple", 1)
    fee_from = values.get("fee_from")
    facts = charged(values, scene)
    found = []
    less = minimum - lot
    if fee_from is not None:
        fee = [{"code": code, "amount": SEEN}]
        cart = scene.cart(fee_from, **facts)
        found.append(
            shows(
                f"{count(fee_from)}個は手数料で通る", f"{count(fee_from)} pay the fee", cart, surcharges=fee
            )
        )
        if less > fee_from:
            cart = scene.cart(less, **facts)
            found.append(
                shows(
                    f"{count(less)}個もまだ手数料", f"{count(less)} still pay the fee", cart, surcharges=fee
                )
            )
        less = fee_from - lot
    if less >= 1:
        ja, en = (
            f"{count(less)}個は止まり、注文できる数を勧める",
            f"{count(less)} are refused, and the ways out named",
        )
        issue = {"code": code, "outcome": "block", "need": minimum, "fixes": SEEN}
        found.append(shows(ja, en, scene.cart(less, **facts), issues=[issue]))
    ja, en = f"{count(minimum)}個はそのまま通る", f"{count(minimum)} go through"
    found.append(shows(ja, en, scene.cart(minimum, **facts), **_NOTHING))
    if lot > 1 and minimum < MAX_QUANTITY:
        ja = f"{count(minimum + 1)}個は{count(lot)}個単位でないので止まる"
        en = f"{count(minimum + 1)} are off the lot of {count(lot)} and refused"
        issue = {"code": code, "outcome": "block", "need": lot, "fixes": SEEN}
        found.append(shows(ja, en, scene.cart(minimum + 1, **facts), issues=[issue]))
    if (most := values.get("maximum")) is not None:
        found += _maximum_cases(values, scene, most, lot)
    return [*found, *asides(scene, values, "QT")]


def _maximum_cases(values: Values, scene: Scene, most: int, step: int = 1) -> list[Probe]:
    """The last quantity that is taken as it is, and the next one."""
    more, outcome = most + step, values["above"]
    found = [
        shows(f"{count(most)}個はそのまま通る", f"{count(most)} go through", scene.cart(most), **_NOTHING)
    ]
    if more <= MAX_QUANTITY:
        issue = {"code": values["code"], "outcome": outcome, "have": more, "need": most}
        ja, en = f"{count(more)}個は{GO_ON[outcome].ja}", f"an order of {count(more)} {GO_ON[outcome].en}"
        found.append(shows(ja, en, scene.cart(more), issues=[issue]))
    return found


def _minimum_faults(values: Values) -> list[Fault]:
    found = []
    minimum, lot, fee_from = values["minimum"], values.get("multiple", 1), values.get("fee_from")
    if minimum % lot:
        found.append(_off_lot("minimum", Said("最低数", "The minimum"), minimum, lot))
    if fee_from is not None and fee_from >= minimum:
        ja = f"手数料で受けるのは、最低数 {count(minimum)} より少ない数からです。"
        found.append(Fault("fee_from", Said(ja, f"The fee begins below the minimum of {count(minimum)}.")))
    elif fee_from is not None and fee_from % lot:
        found.append(
            _off_lot("fee_from", Said("手数料で受ける数", "The first quantity with a fee"), fee_from, lot)
        )
    most = values.get("maximum")
    if most is not None and most < minimum:
        ja = f"上限 {count(most)} が最低数 {count(minimum)} より小さくなっています。"
        found.append(Fault("maximum", Said(ja, f"The maximum is below the minimum of {count(minimum)}.")))
    elif most is not None and most % lot:
        found.append(_off_lot("maximum", Said("上限", "The maximum"), most, lot))
    if fee_from is None and any(name in values for name in ("amount", "percent", "per_missing")):
        said = Said(
            "何個から手数料で受けるかも入れてください。", "Say from how many pieces the fee is taken."
        )
        found.append(Fault("fee_from", said))
    return found


def _off_lot(field: str, what: Said, value: int, lot: int) -> Fault:
    """The number is not on the lot; both neighbours are named."""
    near = " / ".join(count(one) for one in (value // lot * lot, -(-value // lot) * lot) if one)
    ja = f"{what.ja} {count(value)} は {count(lot)}個単位に合いません。近いのは {near} です。"
    return Fault(
        field, Said(ja, f"{what.en} {count(value)} is not in the lot of {count(lot)}; near are {near}.")
    )


MINIMUM = Pattern(
    "minimum",
    "QT",
    Said("最低注文数(MOQ)", "Minimum order quantity (MOQ)"),
    Said(
        "少なすぎる注文を止めます。手数料で受ける段も作れます。",
        "Stops orders that are too small, or takes them with a fee.",
    ),
    Said(
        "ねじは100個から、10個単位。60個からは手数料800円で受けます。",
        "Screws from 100, in tens; from 60 with a fee of 800.",
    ),
    lambda values: named(about(values), "最低注文数", "Minimum order"),
    (
        *PRODUCTS,
        *BUYERS,
        Field(
            "minimum", "pieces", ("quantity", "minimum"), Said("最低数", "Minimum"), required=True, least=2
        ),
        Field(
            "multiple",
            "pieces",
            ("quantity", "multiple"),
            Said("単位(ロット)", "Lot"),
            Said("10なら、10、20、30個… で受けます。", "10 means 10, 20, 30 …"),
            least=2,
        ),
        Field(
            "fee_from",
            "pieces",
            (*_BELOW, "at_least"),
            Said("手数料で受ける数", "With a fee from"),
            Said(
                "この数から最低数までは、断らずに手数料をいただきます。",
                "From here to the minimum a fee is taken instead.",
            ),
            least=1,
        ),
        *fee_fields(_BELOW, with_field="fee_from"),
        *label_fields(_BELOW, "小ロット手数料", "Small-lot fee", only_with="fee_from"),
        _MAXIMUM,
        replace(_ABOVE, only_with="maximum"),
        *COMMON,
    ),
    _minimum_probes,
    (
        Fixed((*_BELOW, "outcome"), "surcharge", "fee_from", Said("手数料で受ける", "taken with a fee")),
        Fixed(
            ("quantity", "below", 1, "outcome"),
            "block",
            "fee_from",
            Said("それより少なければ断る", "anything less is refused"),
        ),
    ),
    accepts=lambda values: "fee_from" in values,
    faults=_minimum_faults,
)


# the lot


def _lot_probes(values: Values, scene: Scene) -> list[Probe]:
    lot, code, outcome = values["multiple"], values["code"], values.get("off_multiple", "block")
    found = []
    for off in (lot - 1, lot + 1):
        if off <= MAX_QUANTITY and off % lot:
            ja = f"{count(off)}個は単位に合わず、{GO_ON[outcome].ja}"
            en = f"an order of {count(off)} is off the lot and {GO_ON[outcome].en}"
            issue = {"code": code, "outcome": outcome, "need": lot, "fixes": SEEN}
            found.append(shows(ja, en, scene.cart(off), issues=[issue]))
    found.append(
        shows(f"{count(lot)}個はそのまま通る", f"{count(lot)} go through", scene.cart(lot), **_NOTHING)
    )
    return [*found, *asides(scene, values, "QT")]


LOT = Pattern(
    "lot",
    "QT",
    Said("注文の単位(ロット)", "Lot"),
    Said("決まった数の倍数で受けます。", "Orders are taken in multiples."),
    Said("ナットは100個の小袋単位で受けます。", "Nuts are sold in bags of 100."),
    lambda values: named(about(values), "単位", "Lot", "of"),
    (
        *PRODUCTS,
        *BUYERS,
        Field(
            "multiple",
            "pieces",
            ("quantity", "multiple"),
            Said("単位(ロット)", "Lot"),
            Said("100なら、100、200、300個… で受けます。", "100 means 100, 200, 300 …"),
            required=True,
            least=2,
        ),
        Field(
            "off_multiple",
            "choice",
            ("quantity", "off_multiple"),
            Said("単位に合わない注文は", "An order off the lot"),
            choices=ABOVE,
            default="block",
        ),
        *COMMON,
    ),
    _lot_probes,
)


# the maximum


def _maximum_probes(values: Values, scene: Scene) -> list[Probe]:
    most = values["maximum"]
    found = _maximum_cases(values, scene, most)
    return [*reversed(found), *asides(scene, values, "QT", min(most + 1, MAX_QUANTITY))]


MAXIMUM = Pattern(
    "maximum",
    "QT",
    Said("数量の上限と確認", "Maximum, with approval"),
    Said(
        "大きすぎる注文は、店で確かめてから受けます。",
        "An order that is too large waits until the shop confirms it.",
    ),
    Said(
        "旋盤加工品は2,000個まで。超えたら店で確かめます。",
        "Turned parts up to 2,000; above it the shop confirms.",
    ),
    lambda values: named(about(values), "上限", "Maximum"),
    (
        *PRODUCTS,
        *BUYERS,
        replace(_MAXIMUM, required=True),
        replace(_ABOVE, required=True),
        *COMMON,
    ),
    _maximum_probes,
)

PATTERNS = (MINIMUM, LOT, MAXIMUM)

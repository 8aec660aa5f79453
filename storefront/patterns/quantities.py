"""Patterns about how many: the minimum with its small-lot fee, the lot, the maximum.

Each with the cases that show both sides of every number.
"""

from __future__ import annotations

from typing import Any

from rules.facts import MAX_QUANTITY
from storefront.patterns.kinds import SEEN, Fault, Field, Fixed, Pattern, Probe, Said, Values
from storefront.patterns.parts import BUYERS, COMMON, PRODUCTS, about, asides, count, fee_fields, label_fields
from storefront.patterns.scenes import Scene

_ABOVE = (
    ("approval", Said("店で確かめてから受ける", "the shop confirms it first")),
    ("block", Said("受けない", "it is refused")),
    ("quotation", Said("見積りにする", "it becomes a quotation")),
    ("warn", Said("注意を添えて受ける", "it is taken with a warning")),
)
_GO_ON = {
    "approval": Said("店の確認を待つ", "wait for approval"),
    "block": Said("止まる", "are refused"),
    "quotation": Said("見積りになる", "become a quotation"),
    "warn": Said("注意を添えて通る", "go through with a warning"),
}


def _nothing(_sku: str) -> dict[str, Any]:
    return {"issues": [], "surcharges": []}


def _pieces(quantity: int, ja: str, en: str) -> Said:
    return Said(f"{count(quantity)}個は{ja}", f"{count(quantity)} {en}")


# the minimum


def _minimum_probes(values: Values, scene: Scene) -> list[Probe]:
    minimum, lot, fee_from = values["minimum"], values.get("multiple", 1), values.get("fee_from")
    code = values["code"]
    found = []
    block = {"issues": [{"code": code, "outcome": "block", "need": minimum, "fixes": SEEN}]}
    fee = {"surcharges": [{"code": code, "amount": SEEN}]}
    less = minimum - lot
    if fee_from:
        found.append(
            Probe(_pieces(fee_from, "手数料で通る", "pay the small-lot fee"), scene.cart(fee_from), fee)
        )
        if less > fee_from:
            found.append(
                Probe(_pieces(less, "まだ手数料がかかる", "still pay the fee"), scene.cart(less), fee)
            )
        less = fee_from - lot
    if less >= 1:
        found.append(
            Probe(
                _pieces(less, "止まり、出口を勧める", "are refused, with the ways out"),
                scene.cart(less),
                block,
            )
        )
    found.append(
        Probe(_pieces(minimum, "そのまま通る", "go through as they are"), scene.cart(minimum), _nothing(""))
    )
    off = minimum + 1
    if lot > 1 and off <= MAX_QUANTITY:
        said = _pieces(
            off, f"{count(lot)}個単位でないので止まる", f"are off the lot of {count(lot)} and refused"
        )
        found.append(
            Probe(
                said,
                scene.cart(off),
                {"issues": [{"code": code, "outcome": "block", "need": lot, "fixes": SEEN}]},
            )
        )
    return [*found, *asides(scene, values, _nothing)]


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
    if fee_from is None:
        given = [name for name in ("amount", "percent", "per_missing") if name in values]
        if given:
            said = Said(
                "何個から手数料で受けるかも入れてください。", "Say from how many pieces the fee is taken."
            )
            found.append(Fault("fee_from", said))
    return found


def _off_lot(field: str, what: Said, value: int, lot: int) -> Fault:
    """The number is not on the lot; both neighbours are named."""
    down, up = value // lot * lot, -(-value // lot) * lot
    near = " / ".join(count(one) for one in (down, up) if one)
    return Fault(
        field,
        Said(
            f"{what.ja} {count(value)} は {count(lot)}個単位に合いません。近いのは {near} です。",
            f"{what.en} {count(value)} is not in the lot of {count(lot)}; the nearest are {near}.",
        ),
    )


_BELOW = ("quantity", "below", 0)
MINIMUM = Pattern(
    "minimum",
    "QT",
    Said("最低注文数(MOQ)", "Minimum order quantity (MOQ)"),
    Said(
        "少なすぎる注文を止め、手数料で受ける段も作れます。",
        "Stops orders that are too small; a step with a fee may lie between.",
    ),
    Said(
        "ねじは100個から、10個単位。60個からは手数料800円で受けます。",
        "Screws from 100, in tens; from 60 with a fee of 800.",
    ),
    lambda values: Said(f"{about(values).ja}の最低注文数", f"Minimum order for {about(values).en}"),
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
                "From here to the minimum the order is not refused but pays a fee.",
            ),
            least=1,
        ),
        *fee_fields(_BELOW, with_field="fee_from"),
        *label_fields(_BELOW, "小ロット手数料", "Small-lot fee", only_with="fee_from"),
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
    found = [Probe(_pieces(lot, "そのまま通る", "go through as they are"), scene.cart(lot), _nothing(""))]
    for off in (lot + 1, lot - 1):
        if off <= MAX_QUANTITY and off % lot:
            goes = _GO_ON[outcome]
            expect = {"issues": [{"code": code, "outcome": outcome, "need": lot, "fixes": SEEN}]}
            found.append(
                Probe(
                    _pieces(off, f"単位に合わないので{goes.ja}", f"are off the lot and {goes.en}"),
                    scene.cart(off),
                    expect,
                )
            )
    return [*found, *asides(scene, values, _nothing)]


LOT = Pattern(
    "lot",
    "QT",
    Said("注文の単位(ロット)", "Lot"),
    Said("決まった数の倍数だけで受けます。", "Orders are taken in multiples only."),
    Said("ナットは100個の小袋単位で受けます。", "Nuts are sold in bags of 100."),
    lambda values: Said(f"{about(values).ja}の単位", f"Lot of {about(values).en}"),
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
            choices=_ABOVE,
            default="block",
        ),
        *COMMON,
    ),
    _lot_probes,
)


# the maximum


def _maximum_probes(values: Values, scene: Scene) -> list[Probe]:
    maximum, code, outcome = values["maximum"], values["code"], values["above"]
    found = []
    if maximum < MAX_QUANTITY:
        goes = _GO_ON[outcome]
        expect = {"issues": [{"code": code, "outcome": outcome, "have": maximum + 1, "need": maximum}]}
        found.append(Probe(_pieces(maximum + 1, goes.ja, goes.en), scene.cart(maximum + 1), expect))
    found.append(
        Probe(_pieces(maximum, "そのまま通る", "go through as they are"), scene.cart(maximum), _nothing(""))
    )
    return [*found, *asides(scene, values, _nothing, min(maximum + 1, MAX_QUANTITY))]


MAXIMUM = Pattern(
    "maximum",
    "QT",
    Said("数量の上限と確認", "Maximum, with approval"),
    Said(
        "大きすぎる注文は、店で確かめてから受けます。",
        "Orders that are too large wait until the shop confirms them.",
    ),
    Said(
        "旋盤加工品は2,000個まで。超えたら店で確かめます。",
        "Turned parts up to 2,000; above it the shop confirms.",
    ),
    lambda values: Said(f"{about(values).ja}の上限", f"Maximum for {about(values).en}"),
    (
        *PRODUCTS,
        *BUYERS,
        Field("maximum", "pieces", ("quantity", "maximum"), Said("上限", "Maximum"), required=True),
        Field(
            "above",
            "choice",
            ("quantity", "above"),
            Said("上限を超えた注文は", "An order above it"),
            choices=_ABOVE,
            default="approval",
            required=True,
        ),
        *COMMON,
    ),
    _maximum_probes,
)

PATTERNS = (MINIMUM, LOT, MAXIMUM)

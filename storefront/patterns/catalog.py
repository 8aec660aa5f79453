"""Patterns about who sees what: products by quotation only, products that are hidden.

Nothing that is denied here can be allowed again by another rule (rule-semantics 68).
"""

from __future__ import annotations

from storefront.patterns.kinds import Field, Fixed, Pattern, Probe, Said, Values, shows
from storefront.patterns.parts import BUYERS, COMMON, PRODUCTS, about, asides, need_one
from storefront.patterns.scenes import Scene


def _quotation_probes(values: Values, scene: Scene) -> list[Probe]:
    issue = {"code": values["code"], "outcome": "quotation"}
    cart = scene.cart(1, **scene.made())
    return [
        shows("値段は出さず、見積りになる", "no price: a quotation", cart, issues=[issue]),
        *asides(scene, values, "CA"),
    ]


QUOTATION_ONLY = Pattern(
    "quotation_only",
    "CA",
    Said("見積りだけの品", "By quotation only"),
    Said("値段を出さず、見積りの依頼を受けます。", "No price is shown; the buyer asks for a quotation."),
    Said("特殊頭の品は見積りでお答えします。", "Special heads come with a quotation."),
    lambda values: Said(f"{about(values)}は見積り", f"{about(values)} by quotation"),
    (*PRODUCTS, *BUYERS, *COMMON),
    _quotation_probes,
    (Fixed(("catalog", "price"), "quotation"),),
    faults=lambda values: need_one(values, "category", "sku", "tag"),
)


def _hide_probes(values: Values, scene: Scene) -> list[Probe]:
    issue = {"code": values["code"], "outcome": "block"}
    found = [shows("見せない、売らない", "neither shown nor sold", scene.cart(1), issues=[issue])]
    if only := values.get("only_for"):
        mine = scene.cart(1, who={"code": only})
        other = scene.cart(1, who={"code": f"{only}-2"})
        found.append(shows(f"{only} には売る", f"sold to {only}", mine, issues=[]))
        found.append(shows("ほかの会社には売らない", "not sold to another company", other, issues=[issue]))
    return [*found, *asides(scene, values, "CA")]


HIDE = Pattern(
    "hide",
    "CA",
    Said("見せない品", "Hidden products"),
    Said(
        "一覧にも検索にも出しません。1社だけに見せることもできます。",
        "Neither listed nor found; one company may be let in.",
    ),
    Said("HK-01 は林工作所さまだけにお見せします。", "HK-01 is shown to Hayashi only."),
    lambda values: Said(f"見せない品({about(values)})", f"Hidden: {about(values)}"),
    (
        *PRODUCTS,
        Field(
            "only_for",
            "customer",
            ("when", "any", 0, "customer.code", "not"),
            Said("この会社だけには見せる", "Except for this company"),
            Said("会社のコード。空なら、だれにも見せません。", "The company's code. Empty: nobody sees it."),
        ),
        *COMMON,
    ),
    _hide_probes,
    (
        Fixed(("when", "any", 1, "customer.code", "known"), False, "only_for"),
        Fixed(("catalog", "hide"), True),
    ),
    faults=lambda values: need_one(values, "category", "sku", "tag"),
)

PATTERNS = (QUOTATION_ONLY, HIDE)

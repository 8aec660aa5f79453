"""Fields that many patterns share: which products, which customers, a fee's label, the reason, the days.

Words for the cases, too. Data and small functions; no pattern stands here.
"""

from __future__ import annotations

from typing import Any

from storefront.patterns.kinds import Fault, Field, Path, Probe, Said, Values, shows
from storefront.patterns.scenes import NOTHING, PRICE, Scene

CATEGORY = Field(
    "category",
    "category",
    ("when", "product.category"),
    Said("種類", "Category"),
    Said(
        "空なら、すべての品。いくつかは「,」で区切ります。下の種類も含みます。",
        "Empty means every product. Separate several with commas; sub-categories are included.",
    ),
    many=True,
)
SKU = Field(
    "sku",
    "sku",
    ("when", "product.sku"),
    Said("品番", "SKU"),
    Said(
        "この品だけにするとき。いくつかは「,」で区切ります。",
        "For these products only; separate several with commas.",
    ),
    many=True,
)
GROUP = Field(
    "group",
    "group",
    ("when", "customer.group"),
    Said("お客さまの区分", "Customer group"),
    Said("空なら、すべてのお客さま。", "Empty means every customer."),
    many=True,
)
CUSTOMER = Field(
    "customer",
    "customer",
    ("when", "customer.code"),
    Said("お客さま", "Customer"),
    Said("会社のコード。この会社だけにするとき。", "The company's code, for this company only."),
    many=True,
)
TAG = Field(
    "tag",
    "tag",
    ("when", "product.tags"),
    Said("品の印(tags)", "Tag"),
    Said(
        "この印のある品。いくつかは「,」で区切ります。",
        "Products with this tag; separate several with commas.",
    ),
    many=True,
)
PRODUCTS = (CATEGORY, SKU, TAG)
BUYERS = (GROUP, CUSTOMER)

_TEXT = (
    Field(
        "name_ja",
        "text",
        ("name", "ja"),
        Said("ルールの名前(日本語)", "Name of the rule (Japanese)"),
        Said("空なら、内容から名づけます。", "Empty: made from what is filled in."),
    ),
    Field(
        "name_en",
        "text",
        ("name", "en"),
        Said("ルールの名前(英語)", "Name of the rule (English)"),
        Said("空なら、内容から名づけます。", "Empty: made from what is filled in."),
    ),
    Field(
        "because_ja",
        "text",
        ("because", "ja"),
        Said("理由(日本語)", "Reason (Japanese)"),
        Said("お客さまが読みます。", "The buyer reads it."),
    ),
    Field(
        "because_en",
        "text",
        ("because", "en"),
        Said("理由(英語)", "Reason (English)"),
        Said("お客さまが読みます。", "The buyer reads it."),
    ),
)
_DAYS = (
    Field(
        "from",
        "date",
        ("from",),
        Said("始まる日", "First day"),
        Said("この日から。空なら、すぐに。", "Included. Empty: at once."),
    ),
    Field(
        "until",
        "date",
        ("until",),
        Said("終わる日", "Last day"),
        Said("この日まで。空なら、ずっと。", "Included. Empty: for good."),
    ),
)
_BEATS = Field(
    "beats",
    "rule",
    ("beats",),
    Said("勝つ相手", "Wins against"),
    Said(
        "同じ強さのルールとぶつかるとき、負けるほうのコード。",
        "The code of a rule of equal strength that has to give way.",
    ),
    many=True,
)
COMMON = (*_TEXT, *_DAYS, _BEATS)


def fee_fields(table: Path, *, missing: bool = True, with_field: str = "") -> tuple[Field, ...]:
    """Amount, percent or a price for each missing piece, exactly one; `with_field` makes them depend on it."""
    word = f"fee:{with_field}" if with_field else "fee"
    kinds = (
        ("amount", "money", Said("手数料の額", "Fee")),
        ("percent", "percent", Said("または商品代の%", "or percent of the goods")),
        ("per_missing", "money", Said("または足りない1個につき", "or for each missing piece")),
    )
    return tuple(
        Field(name, kind, (*table, name), label, one_of=word, above_zero=True)
        for name, kind, label in kinds
        if missing or name != "per_missing"
    )


def label_fields(table: Path, ja: str, en: str, only_with: str = "") -> tuple[Field, ...]:
    """What the fee is called on cart, order and invoice."""
    help_ = Said("カート・注文・請求書での名前。", "How it is called on cart, order and invoice.")
    return (
        Field(
            "label_ja",
            "text",
            (*table, "label", "ja"),
            Said("手数料の名前(日本語)", "Name of the fee (Japanese)"),
            help_,
            default=ja,
            only_with=only_with,
        ),
        Field(
            "label_en",
            "text",
            (*table, "label", "en"),
            Said("手数料の名前(英語)", "Name of the fee (English)"),
            help_,
            default=en,
            only_with=only_with,
        ),
    )


def about(values: Values) -> str:
    """What the rule is about, for its name: screws; M4-10, M4-12; empty for everything."""
    return ", ".join((values.get("sku") or values.get("category") or values.get("tag") or [])[:3])


def whom(values: Values) -> str:
    """Whom it is about; empty for everybody."""
    return ", ".join((values.get("customer") or values.get("group") or [])[:3])


def named(what: str, ja: str, en: str, link: str = "for") -> Said:
    """The name of a rule: the minimum, or the minimum for screws."""
    return Said(f"{what}の{ja}", f"{en} {link} {what}") if what else Said(ja, en)


def asides(scene: Scene, values: Values, group: str, quantity: int = 1, **facts: Any) -> list[Probe]:
    """The cases that show whom and what a rule of the group leaves alone."""
    found = []
    if scene.other is not None and about(values):
        cart = scene.cart(quantity, sku=scene.other, **facts)
        nothing = NOTHING[group](scene.other)
        found.append(shows("ほかの品には効かない", "other products are left alone", cart, **nothing))
    if scene.has_stranger:
        cart = scene.cart(quantity, stranger=True, **facts)
        nothing = NOTHING[group](scene.it)
        found.append(shows("ほかのお客さまには効かない", "other customers are left alone", cart, **nothing))
    return found


def count(value: object) -> str:
    """A number as people read it: 15,000."""
    return f"{value:,}"


def need_one(values: Values, *names: str) -> list[Fault]:
    """One of the fields at least; told at the first."""
    if any(name in values for name in names):
        return []
    return [Fault(names[0], Said("どれか一つは入れてください。", "Fill in at least one of these."))]


def charged(values: Values, scene: Scene) -> dict[str, Any]:
    """Facts of a product on which a fee in percent does not come to nothing."""
    percent = values.get("percent")
    return {"list_price": max(PRICE, int(100 / percent) + 1)} if percent else scene.made(list_price=PRICE)

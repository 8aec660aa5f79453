"""notices: the owner's sentences on the pages they are meant for, from their first day to their last."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from plugins import Block, BlockContext, Link
from plugins.answers import bad_blocks
from plugins.blocks.notices import Settings, template_blocks

HOLIDAYS: dict[str, Any] = {
    "title": {"ja": "年末年始休業", "en": "Closed over the new year"},
    "body": {"ja": "12/28から1/4まで休みます。\n出荷は1/5からです。", "en": "Closed 28 Dec to 4 Jan."},
    "since": date(2026, 12, 1),
    "until": date(2027, 1, 4),
}


def shown(on: date, slot: Any = "product_page", **changes: Any) -> list[Block]:
    settings = Settings(notice=(HOLIDAYS | changes,))  # type: ignore[arg-type]
    blocks = template_blocks(slot, BlockContext(on), settings)
    assert bad_blocks(blocks) is None
    return list(blocks)


def test_a_notice_stands_from_its_first_day_to_its_last() -> None:
    days = [date(2026, 11, 30), date(2026, 12, 1), date(2027, 1, 4), date(2027, 1, 5)]
    assert [len(shown(day)) for day in days] == [0, 1, 1, 0]


def test_a_notice_without_days_always_stands() -> None:
    assert len(shown(date(1999, 1, 1), since=None, until=None)) == 1


def test_a_notice_stands_on_the_pages_it_names() -> None:
    slots = ("product_page", "cart_summary", "order_confirmation")
    found = [len(shown(date(2026, 12, 24), slot, slots=("cart_summary",))) for slot in slots]
    assert found == [0, 1, 0]


def test_a_notice_about_products_stands_where_one_of_them_is() -> None:
    day = date(2026, 12, 24)
    settings = Settings(notice=(HOLIDAYS | {"skus": ("M4-10", "N4-SUS")},))  # type: ignore[arg-type]
    on_page = [
        len(template_blocks("cart_summary", BlockContext(day, skus=skus), settings))
        for skus in ((), ("M5",), ("M5", "N4-SUS"))
    ]
    assert on_page == [0, 0, 1]


def test_a_link_leads_to_a_page_of_the_shop_or_over_https() -> None:
    (block,) = shown(date(2026, 12, 24), link="/products")
    assert block.link == Link({"ja": "詳しくはこちら", "en": "Read more"}, "/products")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"link": "javascript:alert(1)"}, "begins with https://"),
        ({"link": "http://example.com"}, "begins with https://"),
        ({"link": "//example.com"}, "begins with https://"),
        ({"link": "/\\example.com"}, "begins with https://"),
        ({"until": date(2026, 11, 1)}, "until is before since"),
        ({"body": {"fr": "Fermé"}}, "or one of the two"),
        ({"title": {"ja": " "}}, "or one of the two"),
        ({"slots": ("footer",)}, "'product_page', 'cart_summary' or 'order_confirmation'"),
    ],
)
def test_a_notice_that_cannot_be_shown_is_refused_when_the_shop_starts(
    changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValidationError, match=told):
        Settings(notice=(HOLIDAYS | changes,))  # type: ignore[arg-type]


def test_no_more_than_five_notices_stand_on_one_page() -> None:
    settings = Settings(notice=(HOLIDAYS,) * 9)  # type: ignore[arg-type]
    assert len(template_blocks("product_page", BlockContext(date(2026, 12, 24)), settings)) == 5

"""Sentences of the owner's on pages: holidays at the end of the year, a price that changes, a fair.

They stand in shop.toml, for a time and for pages; nothing is read and nobody is asked while a buyer waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from plugins import Block, BlockContext, Config, Link, Slot, hookimpl
from plugins.answers import MOST_BLOCKS, bad_link, bad_texts
from plugins.contract import SLOTS

PLUGIN_API = 1


class Notice(BaseModel):
    """One notice. `since` and `until` are days of the shop, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: dict[str, str]
    body: dict[str, str]
    slots: tuple[Slot, ...] = Field(default=SLOTS, min_length=1)
    since: date | None = None
    until: date | None = None
    skus: tuple[str, ...] = Field(default=(), description="only where one of these stands on the page")
    link: str | None = Field(default=None, description="https://... or a path of the shop, such as /products")
    link_label: dict[str, str] = {"ja": "詳しくはこちら", "en": "Read more"}

    @field_validator("title", "body", "link_label")
    @classmethod
    def texts_are_ja_or_en(cls, texts: dict[str, str]) -> dict[str, str]:
        if bad_texts(texts) or not all(text.strip() for text in texts.values()):
            raise PydanticCustomError("texts", 'write {ja = "...", en = "..."}, or one of the two')
        return texts

    @field_validator("link")
    @classmethod
    def link_is_safe(cls, link: str | None) -> str | None:
        if link is not None and bad_link(Link({"en": "."}, link)):
            raise PydanticCustomError(
                "link", "begins with https:// or is a path of the shop, such as /products"
            )
        return link

    @model_validator(mode="after")
    def ends_after_it_begins(self) -> Notice:
        if self.since and self.until and self.until < self.since:
            raise PydanticCustomError("until", "until is before since")
        return self


class Settings(Config):
    notice: tuple[Notice, ...] = Field(
        default=(),
        max_length=50,
        description="each has title and body as {ja, en}; if wanted slots, since, until, skus, link, link_label",
        json_schema_extra={
            "ja": "お知らせごとに title と body({ja, en})。必要なら slots, since, until, skus, link, link_label"
        },
    )


CONFIG = Settings


@hookimpl
def template_blocks(slot: Slot, ctx: BlockContext, settings: Settings) -> Sequence[Block]:
    """What holds today for this page, in the order of shop.toml; the first few, for a page is no notice board."""
    shown = [each for each in settings.notice if _holds(each, slot, ctx)]
    return [
        Block(each.title, each.body, Link(each.link_label, each.link) if each.link else None)
        for each in shown[:MOST_BLOCKS]
    ]


def _holds(notice: Notice, slot: Slot, ctx: BlockContext) -> bool:
    if slot not in notice.slots or (notice.skus and not set(notice.skus) & set(ctx.skus)):
        return False
    return (notice.since or ctx.on) <= ctx.on <= (notice.until or ctx.on)

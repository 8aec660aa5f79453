"""What plugins have to say in a slot of a page: plain sentences, escaped, each with at most one link.

Without a plugin that fills slots nothing is asked and no query is run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Flask

from plugins.contract import BlockContext, Buyer, Slot
from storefront.access import current_company
from storefront.clock import today
from storefront.language import text
from storefront.page import at
from storefront.shop import current_shop


@dataclass(frozen=True, slots=True)
class ShownBlock:
    """A block in the reader's language; `lines` are those of its body."""

    plugin: str
    title: str
    lines: tuple[str, ...]
    href: str = ""
    link: str = ""
    is_outside: bool = False


def plugin_blocks(slot: Slot, skus: Iterable[str], order_number: str | None = None) -> list[ShownBlock]:
    """The blocks of a slot, in the order of the plugins."""
    plugins = current_shop().plugins
    if not plugins.listeners("template_blocks"):
        return []
    company = current_company()
    buyer = None
    if company is not None:  # neither its terms nor its credit: a block has no business with them
        buyer = Buyer(company.code, company.group, company.country, company.region)
    context = BlockContext(today(), buyer, tuple(skus), order_number)
    shown = []
    for name, block in plugins.blocks(slot, context):
        lines = tuple(text(block.body).splitlines())
        if block.link is None:
            shown.append(ShownBlock(name, text(block.title), lines))
            continue
        is_outside = not block.link.url.startswith("/")
        href = block.link.url if is_outside else at(block.link.url)
        shown.append(ShownBlock(name, text(block.title), lines, href, text(block.link.label), is_outside))
    return shown


def init_app(app: Flask) -> None:
    """Templates ask for the blocks of their slot themselves."""
    app.jinja_env.globals.update(plugin_blocks=plugin_blocks)

"""What a draft would have done to last month's orders, and what a rule did to them, at once; nothing is kept.

The counting is replays.preview's; here stands which two rule sets are compared.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from rules import Ruleset
from rules.comparison import Comparison
from rules.one_rule import with_rule
from storefront.replays.asked import preview
from storefront.shop_folder.files import check_draft

if TYPE_CHECKING:
    from storefront.shop import Shop


@dataclass(frozen=True)
class Preview:
    """`found` is None when the draft has errors."""

    found: Comparison | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ordered in that month."""
        return self.found is not None and not self.found.orders and not self.found.faults


def of_draft(shop: Shop, path: str, text: str, on: date) -> Preview:
    """The rules in force against those with the draft; its own dates and a trial are passed over, so that it counts."""
    draft = check_draft(shop, {path: text}).ruleset
    if draft is None:
        return Preview()
    mine = next((rule for rule in draft.rules if rule.path == path), None)
    if mine is not None:
        mode = "live" if mine.mode == "shadow" else mine.mode
        draft = with_rule(draft, replace(mine, from_on=None, until_on=None, mode=mode))
    return Preview(preview(shop, draft, on))


def of_rule(shop: Shop, code: str, on: date) -> Preview:
    """The rules in force against the same without this one."""
    live: Ruleset = shop.rulebook.current()
    without = replace(live, rules=tuple(one for one in live.rules if one.code != code), compiled={})
    return Preview(preview(shop, without, on))

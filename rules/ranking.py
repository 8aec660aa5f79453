"""Who wins: how specific a rule is, what `beats` settles, and a refusal to guess when two rules tie.

Rule-semantics 37 to 46. Pure comparisons; which rules match is matching.py's business.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from rules.errors import TieError
from rules.ruleset import AnyOf, Rule, WhenLine

# From the left: customer code, group, tag, region or country; sku, batch, category levels, brand, tag.
Rank = tuple[int, int, int, int, int, int, int, int, int]
ANYONE: Rank = (0, 0, 0, 0, 0, 0, 0, 0, 0)
_PLACES = {
    "customer.code": 0, "customer.group": 1, "customer.tags": 2, "customer.region": 3, "customer.country": 3,
    "product.sku": 4, "product.batch": 5, "product.category": 6, "product.brand": 7, "product.tags": 8,
}  # fmt: skip


def specificity(when: Iterable[WhenLine | AnyOf]) -> Rank:
    """The rank of a [when]: only bare values and lists count, `has` too for tags (rule-semantics 37 to 40)."""
    rank = list(ANYONE)
    for entry in when:
        if isinstance(entry, AnyOf) or entry.fact not in _PLACES:
            continue
        place = _PLACES[entry.fact]
        for condition in entry.conditions:
            if condition.op in ("eq", "one_of") or (condition.op == "has" and place in (2, 8)):
                rank[place] = max(rank[place], _levels(condition.value) if place == 6 else 1)
    return (rank[0], rank[1], rank[2], rank[3], rank[4], rank[5], rank[6], rank[7], rank[8])


def _levels(categories: Any) -> int:
    """A list of categories has the depth of its shallowest member (rule-semantics 39)."""
    paths: Sequence[str] = categories if isinstance(categories, tuple | list) else (categories,)
    return min(path.count("/") + 1 for path in paths)


def with_row(rank: Rank, customer: bool, group: bool, sku: bool, levels: int) -> Rank:
    """The rank of a table row: the rule's lines and the row's own cells (rule-semantics 47)."""
    return (
        max(rank[0], customer), max(rank[1], group), rank[2], rank[3],
        max(rank[4], sku), rank[5], max(rank[6], levels), rank[7], rank[8],
    )  # fmt: skip


def beaten_by(rules: Sequence[Rule]) -> Mapping[str, frozenset[str]]:
    """For each code the codes it beats, reaching through (rule-semantics 41)."""
    direct = {rule.code: rule.beats for rule in rules if rule.beats}
    reached: dict[str, frozenset[str]] = {}
    for code in direct:
        seen: set[str] = set()
        waiting = list(direct[code])
        while waiting:
            other = waiting.pop()
            if other not in seen:
                seen.add(other)
                waiting.extend(direct.get(other, ()))
        reached[code] = frozenset(seen)
    return reached


Entry = TypeVar("Entry")


def most_specific(
    entries: Sequence[Entry],
    rank_of: Callable[[Entry], Rank],
    rule_of: Callable[[Entry], Rule],
    says: Callable[[Entry], Any],
    beats: Mapping[str, frozenset[str]],
    line_id: str,
) -> Entry:
    """The entry that decides. `says` is what two entries of equal rank must agree on; else TieError."""
    if len(entries) == 1:
        return entries[0]
    best = max(rank_of(entry) for entry in entries)
    tied = [entry for entry in entries if rank_of(entry) == best]
    if len(tied) > 1 and beats:
        lost = frozenset[str]().union(*(beats.get(rule_of(entry).code, ()) for entry in tied))
        tied = [entry for entry in tied if rule_of(entry).code not in lost]
    tied.sort(key=lambda entry: rule_of(entry).code)
    first = tied[0]
    for other in tied[1:]:
        if says(other) != says(first):
            raise TieError(rule_of(first).path, rule_of(other).path, line_id)
    return first

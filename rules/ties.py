"""Ties: two rules of equal rank that can meet and disagree (rule-semantics 37 to 47), found before a customer does.

Compares only rules of one field and one rank that share a value, so that thousands of rules take seconds.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from rules.meeting import Known, Place, Profile, Shape, can_meet
from rules.names import LANE_NAMES
from rules.ranking import Rank, beaten_by, with_row
from rules.reading import CATEGORY
from rules.report import Source, at_places
from rules.ruleset import (
    AnyOf,
    LeadTimeEffect,
    MethodEffect,
    OrderEffect,
    PriceEffect,
    PriceTable,
    QuantityEffect,
    Rule,
    Ruleset,
    WhenLine,
)
from rules.said import Said, say

MOST_TIES = 50  # more would help nobody
MOST_LOOKUPS = 100_000  # of one rule in one table
# A fact that all rules of one rank name, the one with most values first; tags and regions cannot be shelved by.
_SHELVES = ((4, "product.sku"), (0, "customer.code"), (5, "product.batch"), (6, CATEGORY), (1, "customer.group"),
            (7, "product.brand"))  # fmt: skip
_CELLS = ("customer.code", "customer.group", "product.sku", CATEGORY)
_FREE_FROM = say("field.free_from")
_ORDER_LEVEL = ("OR", "LT", "SH", "PM")  # their rules apply when any line satisfies them (rule-semantics 25)


def fields_of(effect: Any, price_choice: str = "specific") -> dict[Said, Any]:
    """The fields on which a rule can tie, each with what it says there; equal sayings agree (rule-semantics 42, 44)."""
    if isinstance(effect, PriceEffect):
        if effect.lane == "agreed" and price_choice == "lowest":
            return {}
        table = effect.table.path if effect.table else None
        return {say("field.price", lane=LANE_NAMES[effect.lane]): (replace(effect, table=None), table)}
    if isinstance(effect, QuantityEffect):
        return _quantity_fields(effect)
    if isinstance(effect, OrderEffect):
        said = {
            say("field.order-minimum"): effect.minimum and (effect.minimum, effect.below),
            say("field.order-maximum"): effect.maximum and (effect.maximum, effect.above),
            say("field.credit"): effect.credit,
        }
        return {field: value for field, value in said.items() if value is not None}
    if isinstance(effect, LeadTimeEffect):
        return {say("field.tiers"): effect.tiers}
    if isinstance(effect, MethodEffect):
        found: dict[Said, Any] = {}
        if effect.free_from is not None:  # that of other methods is another matter: see _concern_others
            found[_FREE_FROM] = effect.free_from
        if effect.terms is not None:
            found[say("field.terms")] = tuple(sorted(effect.terms.items()))
        return found
    return {}


def _quantity_fields(effect: QuantityEffect) -> dict[Said, Any]:
    found: dict[Said, Any] = {}
    if effect.minimum is not None:
        found[say("field.minimum")] = (effect.minimum, effect.below, effect.counts)
    if effect.maximum is not None:
        found[say("field.maximum")] = (effect.maximum, effect.above, effect.counts)
    if effect.multiple is not None:
        start = effect.minimum if effect.multiple_from == "minimum" else None
        found[say("field.multiple")] = (
            effect.multiple,
            effect.multiple_from,
            start,
            effect.off_multiple,
            effect.counts,
        )
    if effect.allowed is not None:
        found[say("field.allowed")] = (effect.allowed, effect.off_multiple, effect.counts)
    return found


class Ties:
    """All ties of one rule set; `report` is called with (check, field, first, second, place) of each."""

    def __init__(
        self, ruleset: Ruleset, known: Known, report: Callable[[str, Said, Profile, Profile, Place], None]
    ) -> None:
        self.ruleset, self.known, self.report = ruleset, known, report
        self.beats = beaten_by(ruleset.rules)
        self.count = 0
        self.told: set[tuple[str, str]] = set()

    def find(self, profiles: Iterable[Profile]) -> None:
        plain: dict[tuple[str, Said, Rank], list[tuple[Profile, Any]]] = {}
        tabled: dict[Said, list[tuple[Profile, PriceTable, Any]]] = {}
        for profile in profiles:
            effect = profile.rule.effect
            for name, said in fields_of(effect, self.ruleset.policy.price_choice).items():
                if isinstance(effect, PriceEffect) and effect.table is not None:
                    tabled.setdefault(name, []).append((profile, effect.table, said))
                else:
                    plain.setdefault((profile.rule.group, name, profile.rank), []).append((profile, said))
        for (group, name, rank), entries in plain.items():
            self._among(name, rank, entries)
            if group in _ORDER_LEVEL:
                self._across_lines(name, entries)
        for name, tables in tabled.items():
            for place, (profile, table, said) in enumerate(tables):
                for shape in table.shapes:
                    rank = with_row(profile.rank, *shape)
                    for other, _ in plain.get(("PR", name, rank), ()):
                        self._against_rule(name, other, profile, table, shape)
                for other, other_table, other_said in tables[place + 1 :]:
                    if said != other_said:
                        self._tables(name, (profile, table), (other, other_table))

    @property
    def is_full(self) -> bool:
        return self.count >= MOST_TIES

    def _among(self, name: Said, rank: Rank, entries: list[tuple[Profile, Any]]) -> None:
        """Pairs of rules of one field and rank; only those that share a value of the shelf."""
        for shelf in _shelved(rank, entries):
            for place, (one, said) in enumerate(shelf):
                for other, other_said in shelf[place + 1 :]:
                    if said != other_said and one.rule.code != other.rule.code:
                        self._pair(name, one, other)
                if self.is_full:
                    return

    def _pair(self, name: Said, one: Profile, other: Profile, check: str = "tie") -> bool:
        first, second = sorted((one, other), key=lambda profile: profile.rule.code)
        codes = (first.rule.code, second.rule.code)
        if codes in self.told or self._is_settled(*codes) or _concern_others(name, first.rule, second.rule):
            return False
        if not can_meet(first, second) or (place := self.known.common(first, second)) is None:
            return False
        self.told.add(codes)
        self.count += 1
        self.report(check, name, first, second, place)
        return True

    def _across_lines(self, name: Said, entries: list[tuple[Profile, Any]]) -> None:
        """Rules about whole orders that no one line brings together, but two lines of one order do."""
        if len(entries) ** 2 > MOST_LOOKUPS * 2:
            return
        of_order = [(Profile.of(one.rule, only=_of_order(one.rule)), said) for one, said in entries]
        for place, (one, said) in enumerate(of_order):
            for other, other_said in of_order[place + 1 :]:
                if said != other_said and not self.is_full:
                    self._pair(name, one, other, "order-tie")

    def _is_settled(self, first: str, second: str) -> bool:
        return second in self.beats.get(first, ()) or first in self.beats.get(second, ())

    def _against_rule(
        self, name: Said, rule: Profile, table_rule: Profile, table: PriceTable, shape: Shape
    ) -> None:
        if rule.rule.code == table_rule.rule.code or not can_meet(rule, table_rule):
            return
        for row in _rows(table, shape, table_rule, rule.sets):
            if self._pair(name, rule, row) or self.is_full:
                return

    def _tables(self, name: Said, one: tuple[Profile, PriceTable], other: tuple[Profile, PriceTable]) -> None:
        """Rows of the smaller table against the rows of the larger that they can meet."""
        (mine, small), (theirs, large) = sorted((one, other), key=lambda entry: len(entry[1].rows))
        if self._is_settled(mine.rule.code, theirs.rule.code) or not can_meet(mine, theirs):
            return
        for shape in small.shapes:
            for other_shape in large.shapes:
                if with_row(mine.rank, *shape) != with_row(theirs.rank, *other_shape):
                    continue
                for key in small.rows:
                    if _shape(key) != shape:
                        continue
                    cells = {fact: frozenset((cell,)) for fact, cell in zip(_CELLS, key, strict=True) if cell}
                    for found in _lookups(large, other_shape, {**mine.sets, **cells}):
                        for row in _as_profiles(small, key, mine):
                            if any(self._pair(name, row, its) for its in _as_profiles(large, found, theirs)):
                                return


def _shelved(rank: Rank, entries: list[tuple[Profile, Any]]) -> Iterator[list[tuple[Profile, Any]]]:
    for place, fact in _SHELVES:
        if rank[place] and all(fact in profile.sets for profile, _ in entries):
            shelves: dict[Any, list[tuple[Profile, Any]]] = {}
            for entry in entries:
                values = entry[0].sets[fact]
                for value in {_cut(one, rank[6]) for one in values} if fact == CATEGORY else values:
                    shelves.setdefault(value, []).append(entry)
            yield from (shelf for shelf in shelves.values() if len(shelf) > 1)
            return
    yield entries


def _cut(category: str, levels: int) -> str:
    return "/".join(category.split("/")[:levels])


def _of_order(rule: Rule) -> tuple[WhenLine | AnyOf, ...]:
    """The lines of [when] that hold for a whole order; what differs from line to line is left out."""
    return tuple(
        entry
        for entry in rule.when
        if not isinstance(entry, AnyOf) and entry.fact.startswith(("customer.", "order."))
    )


def _concern_others(name: Said, first: Rule, second: Rule) -> bool:
    """free_from of rules that concern different methods never meets."""
    if name != _FREE_FROM:
        return False
    mine, theirs = getattr(first.effect, "methods", None), getattr(second.effect, "methods", None)
    return mine is not None and theirs is not None and set(mine).isdisjoint(theirs)


def _shape(key: tuple[str | None, ...]) -> Shape:
    category = key[3]
    return (
        key[0] is not None,
        key[1] is not None,
        key[2] is not None,
        category.count("/") + 1 if category else 0,
    )


def _lookups(
    table: PriceTable, shape: Shape, sets: dict[str, frozenset[Any]]
) -> Iterator[tuple[str | None, ...]]:
    """Keys of the table, of that shape, whose filled cells are among the values of `sets`."""
    choices: list[list[str | None]] = []
    for fact, filled in zip(_CELLS, shape, strict=True):
        if not filled:
            choices.append([None])
        elif fact == CATEGORY:
            choices.append([*sorted({_cut(one, int(filled)) for one in sets.get(fact, ())})])
        else:
            choices.append([*sorted(sets.get(fact, ()))])
    combinations = 1
    for choice in choices:
        combinations *= len(choice)
    if combinations > MOST_LOOKUPS:
        return
    for key in product(*choices):
        if key in table.rows and _shape(key) == shape:
            yield key


def _rows(
    table: PriceTable, shape: Shape, owner: Profile, sets: dict[str, frozenset[Any]]
) -> Iterator[Profile]:
    for key in _lookups(table, shape, sets):
        yield from _as_profiles(table, key, owner)


def _as_profiles(table: PriceTable, key: tuple[str | None, ...], owner: Profile) -> Iterator[Profile]:
    cells = {fact: cell for fact, cell in zip(_CELLS, key, strict=True) if cell is not None}
    periods = {(row.valid_from, row.valid_until) for row in table.rows[key]}  # type: ignore[index]
    for first, last in sorted(periods, key=str):
        yield owner.with_row(table, _shape(key), cells, first, last)


def tie_message(
    source: Source, check: str, name: Said, first: Profile, second: Profile, place: Place
) -> None:
    """One finding that names both files, and a product and a customer where they meet."""
    product, customer = place
    where = []
    if check == "order-tie":
        where.append(say("where.both-lines"))
    elif product is not None:
        where.append(say("where.product", sku=product.sku))
    if customer is not None:
        named = say("where.customer", code=customer.code) if customer.known else say("where.visitor")
        where.append(named)
    one, other = first.rule, second.rule
    said = say("tie.found", first=one.path, second=other.path, where=at_places(where), field=name)
    source.problem(check, "", said, say("tie.hint", code=one.code, path=other.path))

"""Quantities where several rules meet: for each sort of product and customer the fields that win, and what they leave.

Exact for rules that read only products and customers; a rule that reads more may or may not hold, and where it would
decide a field, nothing is said. What two rules leave is quantity_checks.py.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from rules.meeting import Known, Place, Profile
from rules.quantities import FIELDS, SAYS, missed
from rules.ranking import beaten_by
from rules.report import Report, Source, at_places
from rules.ruleset import QuantityEffect, Rule
from rules.said import Said, joined, say

MOST_MARKS = 1_000_000  # products and customers of all rules, counted
MOST_SORTS = 100_000  # sorts of products times sorts of customers
MOST_MEETINGS = 20_000  # different sets of rules that meet
_CHANGING = ("customer.orders", "customer.since_days", "customer.credit_left")
Winners = dict[str, Rule]  # field to the rule that decides it
Entry = tuple[str, str, int]  # code, "allowed" or "below", the quantity or the place of the entry


def check_meetings(
    report: Report,
    profiles: Sequence[Profile],
    known: Known,
    today: date | None,
    told: Collection[frozenset[str]],
) -> None:
    """Adds no-quantity, except for the pairs already `told`, and unreachable-quantity."""
    found = [
        one for one in profiles if isinstance(one.rule.effect, QuantityEffect) and one.rule.mode == "live"
    ]
    meetings = _Meetings(report, found, known, today, set(told))
    if not found:
        return
    if not meetings.look():
        report.skipped.append(say("skipped.places"))
        return
    meetings.tell()


class _Meetings:
    """All sets of rules that meet somewhere, each looked at once."""

    def __init__(
        self,
        report: Report,
        profiles: Sequence[Profile],
        known: Known,
        today: date | None,
        told: set[frozenset[str]],
    ) -> None:
        self.report, self.profiles, self.known = report, profiles, known
        self.today = today or date.min
        self.told = told
        self.sure = {place for place, one in enumerate(profiles) if _is_sure(one, known)}
        self.beats = beaten_by([one.rule for one in profiles])
        self.reached: set[Entry] = set()
        self.blocked: dict[Entry, Said] = {}

    def look(self) -> bool:
        """Looks everywhere; False when there are too many places."""
        products = _sorts(
            [[box[0] for box in self.known.boxes(one)] for one in self.profiles], len(self.known.products)
        )
        customers = _sorts(
            [[box[1] for box in self.known.boxes(one)] for one in self.profiles], len(self.known.customers)
        )
        if products is None or customers is None or len(products) * len(customers) > MOST_SORTS:
            return False
        seen: set[frozenset[int]] = set()
        for whats, product in products.items():
            for whos, customer in customers.items():
                met = whats & whos
                if not met or met in seen:
                    continue
                seen.add(met)
                if len(seen) > MOST_MEETINGS:
                    return False
                place = (
                    self.known.products[product] if self.known.products else None,
                    self.known.customers[customer] if self.known.customers else None,
                )
                self._meeting([self.profiles[one] for one in sorted(met)], met, place)
        return True

    def _meeting(self, profiles: Sequence[Profile], met: frozenset[int], place: Place) -> None:
        sure = [self.profiles[one] for one in sorted(met & self.sure)]
        doubtful = [self.profiles[one] for one in sorted(met - self.sure)]
        for day in sorted({max(one.first, self.today) for one in sure}):
            in_force = [one for one in sure if one.first <= day <= one.last]
            others = [one for one in doubtful if one.first <= day <= one.last]
            if in_force:
                self._judge(in_force, others, place)

    def _judge(self, sure: Sequence[Profile], doubtful: Sequence[Profile], place: Place) -> None:
        certain, own = self._winners(sure, doubtful)
        for counts in sorted({_effect(rule).counts for rule in certain.values()} - {"matching"}):
            winners = {field: rule for field, rule in certain.items() if _effect(rule).counts == counts}
            if not _some_quantity(winners, 1, None):
                self._tell_leftover(winners, place)
                return  # that is told; of its entries nothing more need be said here
        for field, rule in own.items():
            effect = _effect(rule)
            others = {
                name: other
                for name, other in certain.items()
                if name != field and (other is rule or (_effect(other).counts == effect.counts != "matching"))
            }
            if field == "allowed" and effect.off_multiple == "block":
                self._check_allowed(rule, effect, others)
            elif field == "minimum":
                self._check_below(rule, effect, others)

    def _winners(self, sure: Sequence[Profile], doubtful: Sequence[Profile]) -> tuple[Winners, Winners]:
        """Fields nobody else can decide here, and fields that are decided so unless a doubtful rule holds."""
        certain, own = {}, {}
        for field in FIELDS:
            says = SAYS[field]
            saying = [one for one in sure if getattr(one.rule.effect, field) is not None]
            if not saying:
                continue
            best = max(one.rank for one in saying)
            tied = [one.rule for one in saying if one.rank == best]
            lost = frozenset[str]().union(*(self.beats.get(rule.code, ()) for rule in tied))
            tied = [rule for rule in tied if rule.code not in lost]
            if not tied or any(says(_effect(rule)) != says(_effect(tied[0])) for rule in tied):
                continue
            own[field] = tied[0]
            if not any(getattr(one.rule.effect, field) is not None and one.rank >= best for one in doubtful):
                certain[field] = tied[0]
        return certain, own

    # nothing to order

    def _tell_leftover(self, winners: Winners, place: Place) -> None:
        needed = dict(winners)
        for field in winners:  # whoever is not needed for it is not named
            rest = {name: rule for name, rule in needed.items() if name != field}
            if not _some_quantity(rest, 1, None):
                needed = rest
        codes = frozenset(rule.code for rule in needed.values())
        if len(codes) < 2 or codes in self.told:
            return
        self.told.add(codes)
        product, customer = place
        where = [say("where.product", sku=product.sku)] if product is not None else []
        if customer is not None and customer.known:
            where.append(say("where.customer", code=customer.code))
        field = next(name for name in ("allowed", "maximum", "multiple", "minimum") if name in needed)
        said = say("quantity.none-together", rules=_named(needed.values()), where=at_places(where))
        _source(self.report, needed[field]).problem("no-quantity", f"quantity.{field}", said)

    # entries that nobody can order

    def _check_allowed(self, rule: Rule, effect: QuantityEffect, others: Winners) -> None:
        for quantity in effect.allowed or ():
            entry = (rule.code, "allowed", quantity)
            if entry in self.reached:
                continue
            by = next((name for name, other in others.items() if _blocks(name, other, quantity)), None)
            if by is None:
                self.reached.add(entry)
            elif entry not in self.blocked:
                other = others[by]
                self.blocked[entry] = say(
                    "unreachable.allowed",
                    quantity=quantity,
                    why=_why(by, _effect(other)),
                    code=other.code,
                    path=other.path,
                )

    def _check_below(self, rule: Rule, effect: QuantityEffect, others: Winners) -> None:
        end = effect.minimum or 1
        for place, step in enumerate(effect.below):
            start = max(1, int(step.at_least or 0))
            entry = (rule.code, "below", place)
            if step.outcome == "block" or entry in self.reached or start >= end:
                end = start
                continue
            if _some_quantity(others, start, end - 1):
                self.reached.add(entry)
            elif entry not in self.blocked:
                said = say("unreachable.below", start=start, end=end - 1, rules=_named(others.values()))
                self.blocked[entry] = said
            end = start

    def tell(self) -> None:
        rules = {one.rule.code: one.rule for one in self.profiles}
        for entry, said in self.blocked.items():
            if entry not in self.reached:
                code, field, number = entry
                path = "quantity.allowed" if field == "allowed" else f"quantity.below.{number}"
                hint = say("hint.accept", check="unreachable-quantity")
                _source(self.report, rules[code]).problem("unreachable-quantity", path, said, hint)


def _source(report: Report, rule: Rule) -> Source:
    return Source(report, rule.path, rule.lines, rule.code)


def _effect(rule: Rule) -> QuantityEffect:
    assert isinstance(rule.effect, QuantityEffect)
    return rule.effect


def _is_sure(profile: Profile, known: Known) -> bool:
    """Whether the rule holds wherever its products and customers are, as far as those are known."""
    if len(profile.facts) != 1:
        return False
    if profile.rule.scope is not None and not known.customers:
        return False
    for fact in profile.facts[0]:
        if fact in _CHANGING or fact.endswith((".quantity", ".amount")):
            return False
        if not (fact.startswith("product.") and known.products) and not (
            fact.startswith("customer.") and known.customers
        ):
            return False
    return True


def _sorts(bits: Sequence[Sequence[int]], size: int) -> dict[frozenset[int], int] | None:
    """Each set of rules that admit one same record, with the first such record; None when there are too many."""
    if size == 0:
        return {frozenset(range(len(bits))): 0}
    everywhere = {place for place, boxes in enumerate(bits) if any(box == -1 for box in boxes)}
    marks: list[list[int]] = [[] for _ in range(size)]
    count = 0
    whole = (1 << size) - 1
    for place, boxes in enumerate(bits):
        if place in everywhere:
            continue
        union = 0
        for box in boxes:
            union |= box
        union &= whole
        count += union.bit_count()
        if count > MOST_MARKS:
            return None
        for record in _set_places(union):
            marks[record].append(place)
    found: dict[tuple[int, ...], int] = {}
    for record, places in enumerate(marks):
        found.setdefault(tuple(places), record)
    return {frozenset((*places, *everywhere)): record for places, record in found.items()}


def _set_places(bits: int) -> Iterator[int]:
    """Places of the set bits, quick for large integers too."""
    text = bin(bits)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)


def _blocks(field: str, rule: Rule, quantity: int) -> bool:
    miss = missed(field, _effect(rule), quantity)
    return miss is not None and miss.outcome == "block"


def _some_quantity(winners: Winners, low: int, high: int | None) -> bool:
    """Whether some quantity from `low` to `high` is blocked by no field.

    Outcomes change only where a field names a number; behind each of them the first quantity on the lot is enough.
    """
    numbers = {low}
    for field, rule in winners.items():
        numbers.update(_thresholds(field, _effect(rule)))
    numbers = {one for one in numbers if one >= low and (high is None or one <= high)}
    candidates = set(numbers)
    if "multiple" in winners:
        effect = _effect(winners["multiple"])
        start = effect.minimum or 0 if effect.multiple_from == "minimum" else 0
        lot = effect.multiple or 1
        for number in numbers:
            candidates.add(start + -(-max(0, number - start) // lot) * lot)
    return any(
        one >= low
        and (high is None or one <= high)
        and not any(_blocks(field, rule, one) for field, rule in winners.items())
        for one in candidates
    )


def _thresholds(field: str, effect: QuantityEffect) -> Iterator[int]:
    if field == "minimum" and effect.minimum is not None:
        yield effect.minimum
        yield from (max(1, int(step.at_least or 0)) for step in effect.below)
    elif field == "maximum" and effect.maximum is not None:
        yield effect.maximum + 1
    elif field == "allowed":
        yield from effect.allowed or ()
        if effect.off_multiple != "block":
            yield (effect.allowed or (0,))[-1] + 1
    elif field == "multiple":
        yield effect.minimum if effect.multiple_from == "minimum" and effect.minimum else 1


def _why(field: str, effect: QuantityEffect) -> Said:
    if field == "minimum":
        return say("break.below-minimum", minimum=effect.minimum)
    if field == "maximum":
        return say("break.above-maximum", maximum=effect.maximum)
    return say("break.off-multiple", lot=effect.multiple)


def _named(rules: Iterable[Rule]) -> Said:
    by_code: dict[str, Any] = {rule.code: rule for rule in rules}
    pieces = [say("quantity.rule", code=code, path=by_code[code].path) for code in sorted(by_code)]
    return joined("join.and", pieces)

"""The rules once more, written from rule-semantics.md alone: slow, plain loops, no code shared with rules/.

`decide` takes the loaded records and gives the decision as plain JSON values; tests compare it with evaluate.
Texts (message, label, why) are not part of it, nor is what a cart is refused for.
"""

from __future__ import annotations

import hashlib
import math
import unicodedata
from fractions import Fraction
from typing import Any

GRADE = {"ok": 0, "warn": 1, "surcharge": 2, "approval": 3, "quotation": 4, "block": 5}
LANES = ("list", "agreed", "volume", "promotion")
FIELDS = ("minimum", "maximum", "multiple", "allowed")
ORDER_LEVEL = ("OR", "LT", "SH", "PM")
DECIMALS = {"JPY": 0, "GBP": 2, "USD": 2, "KWD": 3}


def severity(outcome: str) -> int:
    """82: a surcharge counts as ok, except for fixes."""
    return 0 if outcome == "surcharge" else GRADE[outcome]


class Tie(Exception):
    """Two rules of equal rank disagree (43)."""


# ---------------------------------------------------------------- numbers


def rounded(value: Fraction, step: Fraction, mode: str) -> Fraction:
    """51: the multiple of `step`; half_up is away from zero at the half."""
    units = value / step
    low = units.numerator // units.denominator
    rest = units - low
    if mode == "floor" or rest == 0:
        pick = low
    elif mode == "ceil":
        pick = low + 1
    elif rest != Fraction(1, 2):
        pick = low + (rest > Fraction(1, 2))
    elif mode == "half_even":
        pick = low + (low % 2)
    else:
        pick = low + (units > 0)
    return pick * step


def number_text(value: Fraction, least: int = 0, trim: bool = True) -> str:
    """113: plain digits; all prices have at most a handful of decimals, so the loop ends."""
    places = least
    while (value * 10**places).denominator != 1:
        places += 1
    digits = str(abs(int(value * 10**places))).rjust(places + 1, "0")
    text = digits if not places else digits[:-places] + "." + digits[-places:]
    if trim and not least and "." in text:
        text = text.rstrip("0").rstrip(".")
    return ("-" if value < 0 else "") + text


def shared(total: int, weights: list[int], names: list[str]) -> list[int]:
    """112: floors first, then one by one to the largest remainder, the larger base, the name."""
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    exact = [Fraction(total * weight, whole) for weight in weights]
    out = [math.floor(part) for part in exact]
    rest = [part - low for part, low in zip(exact, out, strict=True)]
    order = sorted(range(len(weights)), key=lambda i: (-rest[i], -weights[i], names[i]))
    for i in order[: total - sum(out)]:
        out[i] += 1
    return out


# ---------------------------------------------------------------- facts and conditions


def nfc(value: Any) -> Any:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "date" if hasattr(value, "year") else "number"


def one_holds(fact: str, op: str, have: Any, want: Any) -> bool:
    if op == "known":
        return (have is not None) is want
    if have is None:
        return False
    if isinstance(have, (tuple, list)):
        mine = [nfc(one) for one in have]
        if op in ("eq", "has", "one_of"):
            return any(one in mine for one in (want if isinstance(want, tuple) else (want,)))
        return not any(one in mine for one in (want if isinstance(want, tuple) else (want,)))
    have = nfc(have)
    if op in ("eq", "one_of", "not", "not_in"):
        wants = want if isinstance(want, tuple) else (want,)
        same = [kind_of(one) == kind_of(have) for one in wants]
        if op in ("not", "not_in") and not any(same):
            return False

        def equal(one: Any) -> bool:
            if kind_of(one) != kind_of(have):
                return False
            if fact == "product.category":
                return have == one or have.startswith(one + "/")
            return bool(have == one)

        return any(map(equal, wants)) is (op in ("eq", "one_of"))
    if op == "starts_with":
        return kind_of(have) == "text" and have.startswith(want)
    if op == "between":
        return kind_of(have) == kind_of(want[0]) == kind_of(want[1]) and want[0] <= have <= want[1]
    if kind_of(have) != kind_of(want) or kind_of(have) in ("bool", "text"):
        return False
    return bool({"lt": have < want, "le": have <= want, "gt": have > want, "ge": have >= want}[op])


def when_holds(when: Any, facts: dict[str, Any]) -> bool:
    if hasattr(when, "tables"):
        return any(all(when_holds(line, facts) for line in table) for table in when.tables)
    have = facts.get(when.fact)
    return all(one_holds(when.fact, one.op, have, one.value) for one in when.conditions)


def reads_matching(when: Any) -> bool:
    if hasattr(when, "tables"):
        return any(reads_matching(line) for table in when.tables for line in table)
    return bool(when.fact.startswith("matching."))


def rank_of(when: Any) -> list[int]:
    """37 to 40: code, group, tag, region or country; SKU, batch, category depth, brand, tag."""
    rank = [0] * 9
    places = {
        "customer.code": 0, "customer.group": 1, "customer.tags": 2, "customer.region": 3, "customer.country": 3,
        "product.sku": 4, "product.batch": 5, "product.category": 6, "product.brand": 7, "product.tags": 8,
    }  # fmt: skip
    for line in when:
        if hasattr(line, "tables") or line.fact not in places:
            continue
        counted = ("eq", "one_of") + (("has",) if line.fact.endswith(".tags") else ())
        for one in line.conditions:
            if one.op not in counted:
                continue
            depth = 1
            if line.fact == "product.category":
                values = one.value if isinstance(one.value, tuple) else (one.value,)
                depth = min(len(value.split("/")) for value in values)
            rank[places[line.fact]] = max(rank[places[line.fact]], depth)
    return rank


class World:
    """One evaluation of a cart under these rules; `cart` is a list of [id, product, quantity, attributes]."""

    def __init__(self, ruleset: Any, cart: Any, on: Any, rules: list[Any], lines: list[Any]) -> None:
        self.ruleset, self.cart, self.on, self.rules, self.lines = ruleset, cart, on, rules, lines
        self.places = range(len(lines))
        self.amounts: list[int | None] | None = None  # known from the surcharge stage
        self.issues: list[dict[str, Any]] = []
        self.charges: list[dict[str, Any]] = []
        self.exceptions: set[str] = set()
        self.hidden: set[int] = set()
        self.outranked: dict[tuple[str, int | None], str] = {}
        self.applied: set[tuple[str, int | None]] = set()
        self.one = Fraction(1, 10 ** DECIMALS[ruleset.policy.currency])

    # -- facts

    def batch(self, i: int) -> tuple[str, str]:
        product = self.lines[i].product
        return ("batch", nfc(product.batch)) if product.batch else ("sku", nfc(product.sku))

    def same(self, i: int, counts: str) -> list[int]:
        """The lines counted together with line i, whether a rule matches them or not (27)."""
        if counts == "line":
            return [i]
        if counts == "product":
            sku = nfc(self.lines[i].product.sku)
            return [j for j in self.places if nfc(self.lines[j].product.sku) == sku]
        if counts == "batch":
            return [j for j in self.places if self.batch(j) == self.batch(i)]
        return list(self.places)

    def pieces(self, places: Any) -> int:
        return sum(self.lines[j].quantity for j in places)

    def money(self, places: Any) -> int:
        assert self.amounts is not None
        return sum(self.amounts[j] or 0 for j in places)

    def major(self, minor: int) -> Fraction:
        return minor * self.one

    def facts(self, i: int) -> dict[str, Any]:
        line, cart, who = self.lines[i], self.cart, self.cart.customer
        product = line.product
        out: dict[str, Any] = {"customer.known": who.known}
        for name in "code group tags country region orders since_days credit_limit credit_left".split():
            out[f"customer.{name}"] = getattr(who, name)
        for name in "sku category brand tags batch list_price cost weight_g tax cadence setup_key".split():
            out[f"product.{name}"] = getattr(product, name)
        for name, value in product.attributes.items():
            out[f"product.attributes.{name}"] = value
        for name, value in line.attributes.items():
            out[f"line.attributes.{name}"] = value
        out["line.quantity"] = line.quantity
        if product.pieces_per_case:
            out["line.cases"], out["line.loose"] = divmod(line.quantity, product.pieces_per_case)
        for name, counts in (("product", "product"), ("batch", "batch"), ("order", "order")):
            out[f"{name}.quantity"] = self.pieces(self.same(i, counts))
        out["batch.lines"] = len(self.same(i, "batch"))
        out["order.lines"] = len(self.lines)
        weights = [one.product.weight_g for one in self.lines]
        if None not in weights:
            out["order.weight_g"] = sum(w * x.quantity for w, x in zip(weights, self.lines, strict=True))
        if self.amounts is not None:
            out["line.amount"] = self.major(self.amounts[i] or 0)
            out["product.amount"] = self.major(self.money(self.same(i, "product")))
            out["batch.amount"] = self.major(self.money(self.same(i, "batch")))
            out["order.subtotal"] = self.major(self.money(self.places))
        out |= {
            "order.channel": cart.channel,
            "order.purpose": cart.purpose,
            "order.currency": cart.currency or self.ruleset.policy.currency,
            "order.on": self.on,
            "order.weekday": ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[self.on.weekday()],
            "order.delivery": cart.delivery,
            "order.payment": cart.payment,
            "order.shipping": cart.shipping,
            "order.ship_to.country": cart.ship_to.country,
            "order.ship_to.region": cart.ship_to.region,
            "order.ship_to.postcode": cart.ship_to.postcode,
        }
        return {name: (None if value == "" else value) for name, value in out.items()}

    def matching_set(self, rule: Any) -> list[int]:
        """26: the lines that satisfy every line of [when] that does not look at matching.*."""
        first = [one for one in rule.when if not reads_matching(one)]
        return [i for i in self.places if all(when_holds(one, self.facts(i)) for one in first)]

    def facts_for(self, rule: Any, i: int) -> dict[str, Any]:
        facts = self.facts(i)
        some = self.matching_set(rule)
        facts["matching.quantity"] = self.pieces(some)
        if self.amounts is not None:
            facts["matching.amount"] = self.major(self.money(some))
        return facts

    def matched(self, rule: Any) -> list[int]:
        return [
            i
            for i in self.matching_set(rule)
            if all(when_holds(one, self.facts_for(rule, i)) for one in rule.when)
        ]

    # -- exceptions (10, 11)

    def exception(self, rule: Any, i: int) -> Any:
        sku = nfc(self.lines[i].product.sku)
        who = nfc(self.cart.customer.code)

        def fits(one: Any) -> bool:
            if one.rule != rule.code or not one.is_in_force(self.on):
                return False
            if one.customer is not None and nfc(one.customer) != who:
                return False
            return one.sku is None or nfc(one.sku) == sku

        for some in (self.cart.exceptions, self.ruleset.exceptions):
            fitting = [one for one in some if fits(one)]
            if fitting:
                return max(fitting, key=lambda one: (one.customer is not None, one.sku is not None))
        return None

    def of_order(self, rule: Any) -> Any:
        """The exception of a rule for the whole order: the one that every line it matches is under."""
        some = [self.exception(rule, i) for i in self.matched(rule)]
        return some[0] if some and all(one is some[0] for one in some) else None

    def effect(self, rule: Any, i: int | None) -> Any:
        one = self.of_order(rule) if i is None else self.exception(rule, i)
        return rule.effect if one is None else one.effect

    def exception_id(self, rule: Any, i: int | None) -> str | None:
        one = self.of_order(rule) if i is None else self.exception(rule, i)
        return None if one is None else one.id

    # -- who wins (41, 42)

    def beats(self, one: Any, other: Any) -> bool:
        by_code = {rule.code: rule for rule in self.ruleset.rules}
        seen: set[str] = set()
        ahead = list(one.beats)
        while ahead:
            code = ahead.pop()
            if code not in seen:
                seen.add(code)
                ahead += by_code[code].beats if code in by_code else ()
        return other.code in seen

    def winner(self, candidates: list[tuple[list[int], Any, Any]], i: int | None) -> Any:
        """Of (rank, rule, what it says): the rule that decides; None without candidates."""
        if not candidates:
            return None
        top = max(rank for rank, _, _ in candidates)
        best = [(rule, says) for rank, rule, says in candidates if rank == top]
        left = [one for one in best if not any(self.beats(other[0], one[0]) for other in best)]
        for one in left:
            if one[1] != left[0][1]:
                raise Tie(one[0].code, left[0][0].code)
        won = min((rule for rule, _ in left), key=lambda rule: rule.code)
        for _, rule, _ in candidates:
            if rule.code != won.code:
                self.outranked.setdefault((rule.code, i), won.code)
        self.applied.add((won.code, i))
        return won

    # -- what is recorded

    def issue(self, code: str, outcome: str, places: Any, have: Any = None, need: Any = None, by: Any = None,
              field: str = "") -> None:  # fmt: skip
        self.issues.append({"code": code, "outcome": outcome, "places": list(places), "have": have, "need": need,
                            "exception": by, "field": field})  # fmt: skip

    def charge(self, code: str, amount: Fraction, tax: str | None, places: Any, by: Any = None) -> None:
        minor = int(rounded(amount / self.one, Fraction(1), self.ruleset.policy.amount_rounding))
        if minor:
            self.charges.append({"code": code, "amount": minor, "tax": tax or self.ruleset.policy.tax_default,
                                 "places": list(places), "exception": by})  # fmt: skip

    def group(self, letters: str) -> list[Any]:
        return sorted((rule for rule in self.rules if rule.code[:2] == letters), key=lambda rule: rule.code)

    def groups(self, rule: Any, places: list[int], counts: str) -> list[list[int]]:
        """`places` in groups of `counts`; lines under different exceptions are never together (11)."""
        out: dict[Any, list[int]] = {}
        for i in places:
            key: Any = None
            if counts in ("line", "product", "batch"):
                key = min(self.same(i, counts))
            out.setdefault((key, self.exception_id(rule, i)), []).append(i)
        return list(out.values())

    def counted(self, rule: Any, i: int, counts: str) -> int:
        together = self.matched(rule) if counts == "matching" else self.same(i, counts)
        mine = self.exception_id(rule, i)
        return self.pieces(j for j in together if self.exception_id(rule, j) == mine)


# ---------------------------------------------------------------- catalog


def catalog(world: World) -> set[int]:
    """68, 69: the issues, and the places that show no price."""
    hidden: set[int] = set()
    for rule in world.group("CA"):
        for i in world.matched(rule):
            effect = world.effect(rule, i)
            outcomes = []
            if effect.hide or not effect.buy:
                outcomes.append("block")
            if effect.price == "quotation":
                outcomes.append("quotation")
                hidden.add(i)
            if effect.price == "login" and not world.cart.customer.known:
                outcomes.append("block")
                hidden.add(i)
            world.applied.add((rule.code, i))
            by = world.exception_id(rule, i)
            if by:
                world.exceptions.add(by)
            if outcomes:
                world.issue(rule.code, max(outcomes, key=GRADE.__getitem__), [i], by=by)
    return hidden


# ---------------------------------------------------------------- price

# A price is a list of parts (pieces, unit price, per); None without one. `Parts` are those of a graduated price.


class Parts(list[Any]):
    """A graduated price, also when it happens to have one part."""


def row_fits(world: World, row_key: Any, i: int) -> bool:
    customer, group, sku, category = row_key
    who, product = world.cart.customer, world.lines[i].product
    if customer is not None and nfc(who.code) != nfc(customer):
        return False
    if group is not None and nfc(who.group) != nfc(group):
        return False
    if sku is not None and nfc(product.sku) != nfc(sku):
        return False
    have = product.category
    return category is None or (have is not None and (have == category or have.startswith(category + "/")))


def best_row(world: World, rule: Any, effect: Any, i: int) -> Any:
    """60: (rank of the cells, row); None when no row fits."""
    count = world.counted(rule, i, effect.counts)
    fitting = []
    for cells, rows in effect.table.rows.items():
        if not row_fits(world, cells, i):
            continue
        depth = len(cells[3].split("/")) if cells[3] else 0
        rank = [int(cells[0] is not None), int(cells[1] is not None), int(cells[2] is not None), depth]
        for row in rows:
            if row.start > count:
                continue
            if row.valid_from is not None and row.valid_from > world.on:
                continue
            if row.valid_until is not None and row.valid_until < world.on:
                continue
            fitting.append((rank, row.start, row))
    return max(fitting, key=lambda one: one[:2]) if fitting else None


def price_candidate(world: World, rule: Any, i: int, base: Any, now: Any) -> Any:
    """(rank, effect, row) of a rule that takes part in its lane (47, 55)."""
    effect, rank, row = world.effect(rule, i), rank_of(rule.when), None
    if effect.kind == "table":
        found = best_row(world, rule, effect, i)
        if found is None:
            return None
        cells, _, row = found
        for place, cell in zip((0, 1, 4, 6), cells, strict=True):
            rank[place] = max(rank[place], cell)
    if effect.kind == "breaks" and world.counted(rule, i, effect.counts) < effect.breaks[0].start:
        return None
    if applied_price(world, rule, effect, row, i, base, now) is None:
        return None  # nothing to compute from: it names no price, so it takes no part
    return rank, effect, row


def applied_price(world: World, rule: Any, effect: Any, row: Any, i: int, base: Any, now: Any) -> Any:
    """The parts after one lane. `base` is the list price, `now` the price so far; None where there is none."""
    quantity = world.lines[i].quantity

    def cut(start: int, end: int, parts: Any) -> list[Any]:
        out, place = [], 0
        for pieces, price, per in parts or []:
            low, high = max(start, place), min(end, place + pieces)
            if high > low:
                out.append((high - low, price, per))
            place += pieces
        return out

    def said(kind: str, value: Any, per: Any, start: int, end: int) -> Any:
        """Pieces start to end (from 0) under one price kind."""
        value = Fraction(value)
        if kind == "unit":
            return [(end - start, value, per or 1, True)]
        if kind == "rate":
            if base is None:
                return None
            return [(n, p * value, of, False) for n, p, of in cut(start, end, base)]
        if now is None:
            return None
        if kind == "off_percent":
            return [(n, p * (1 - value / 100), of, False) for n, p, of in cut(start, end, now)]
        return [
            (n, max(Fraction(0), p - value * of / (effect.per or 1)), of, False)
            for n, p, of in cut(start, end, now)
        ]

    if effect.kind == "breaks" and effect.tiers == "graduated":
        parts: list[Any] = []
        starts = [one.start - 1 for one in effect.breaks]
        if starts[0] > 0:
            if now is None:
                return None
            parts += [(n, p, of, None) for n, p, of in cut(0, min(starts[0], quantity), now)]
        for one, start, end in zip(effect.breaks, starts, [*starts[1:], quantity], strict=True):
            if start < quantity:
                more = said(one.kind, one.value, effect.per, start, min(end, quantity))
                if more is None:
                    return None
                parts += more
    else:
        if effect.kind == "table":
            kind, value, per = row.kind, row.value, row.per or effect.per
        elif effect.kind == "breaks":
            count = world.counted(rule, i, effect.counts)
            last = [one for one in effect.breaks if one.start <= count][-1]
            kind, value, per = last.kind, last.value, effect.per
        else:
            kind, value, per = effect.kind, effect.value, effect.per
        parts = said(kind, value, per, 0, quantity)
        if parts is None:
            return None
    out = []
    for pieces, price, per, typed in parts:
        if typed is None:
            pass  # pieces before the first break keep the price so far
        elif effect.round is not None:
            price = rounded(price, Fraction(effect.round.to), effect.round.mode)
        elif not typed:
            price = rounded(price, Fraction(1, 10000), "half_up")
        out.append((pieces, price, per))
    graduated = effect.kind == "breaks" and effect.tiers == "graduated"
    keeps = isinstance(now, Parts) and (
        kind_after(effect, row, world, rule, i) in ("off_percent", "off_amount")
    )
    return Parts(out) if graduated or keeps else out


def kind_after(effect: Any, row: Any, world: World, rule: Any, i: int) -> str:
    if effect.kind == "breaks":
        count = world.counted(rule, i, effect.counts)
        return str([one for one in effect.breaks if one.start <= count][-1].kind)
    return str(row.kind if row is not None else effect.kind)


def cost(parts: Any) -> Fraction:
    return sum((pieces * price / per for pieces, price, per in parts), Fraction(0))


def shown(parts: Any) -> tuple[str | None, int]:
    """(unit price as printed, per); a graduated price shows its average to 4 decimals (59)."""
    if parts is None:
        return None, 1
    price, per = flat(parts)[0][1:]
    return number_text(price), per


def flat(parts: Any) -> Any:
    """The price as it is printed: one part."""
    if not isinstance(parts, Parts):
        return parts
    pieces, per = sum(one[0] for one in parts), parts[-1][2]
    return [(pieces, rounded(cost(parts) * per / pieces, Fraction(1, 10000), "half_up"), per)]


def price(world: World, i: int) -> dict[str, Any]:
    own = world.lines[i].product.list_price
    now: Any = None if own is None else [(world.lines[i].quantity, Fraction(own), 1)]
    base, steps = now, []
    if now is not None:
        steps.append({"lane": "list", "unit_price": shown(now)[0]})
    for lane in LANES:
        found = {}
        for rule in world.group("PR"):
            if world.effect(rule, i).lane == lane and i in world.matched(rule):
                candidate = price_candidate(world, rule, i, base, now)
                if candidate is not None:
                    found[rule.code] = (rule, *candidate)
        if lane == "agreed" and world.ruleset.policy.price_choice == "lowest":
            best: list[Any] = []
            for rule, rank, effect, row in found.values():
                after = applied_price(world, rule, effect, row, i, base, now)
                if after is not None:
                    best.append((cost(after), [-one for one in rank], rule.code))
            won = found[min(best)[2]][0] if best else None
            if won is not None:
                world.applied.add((won.code, i))
                for code in found:
                    if code != won.code:
                        world.outranked.setdefault((code, i), won.code)
        else:
            won = world.winner([(rank, rule, effect) for rule, rank, effect, _ in found.values()], i)
        if won is not None:
            rule, _, effect, row = found[won.code]
            now = applied_price(world, rule, effect, row, i, base, now)
            if now is not None:
                text, per = shown(now)
                step: dict[str, Any] = {"lane": lane, "code": rule.code, "unit_price": text}
                if per != 1:
                    step["per"] = per
                if by := world.exception_id(rule, i):
                    step["exception"] = by
                    world.exceptions.add(by)
                steps.append(step)
        if lane == "list":
            base = flat(now)  # a rate is of the list price that the decision shows (48)
    amount = None
    if now is not None:
        amount = int(rounded(cost(now) / world.one, Fraction(1), world.ruleset.policy.amount_rounding))
    unit_price, per = shown(now)
    return {
        "list_price": shown(base)[0],
        "unit_price": unit_price,
        "per": per,
        "amount": amount,
        "steps": steps,
    }


# ---------------------------------------------------------------- quantity


def field_says(effect: Any, field: str) -> Any:
    """44: everything that comes from the file whose field wins; None when the rule does not set the field."""
    value = getattr(effect, field)
    if value is None:
        return None
    if field == "minimum":
        return (value, effect.counts, effect.below)
    if field == "maximum":
        return (value, effect.counts, effect.above)
    if field == "allowed":
        return (value, effect.counts, effect.off_multiple)
    start = effect.minimum if effect.multiple_from == "minimum" else None
    return (value, effect.counts, effect.multiple_from, effect.off_multiple, start)


def missed(effect: Any, field: str, count: int) -> Any:
    """(outcome, need, below entry) when the counted quantity misses the field."""
    value = getattr(effect, field)
    if field == "minimum":
        if count >= value:
            return None
        for entry in effect.below:
            if entry.at_least is None or entry.at_least <= count:
                return entry.outcome, value, entry
        return "block", value, None
    if field == "maximum":
        return (effect.above, value, None) if count > value else None
    if field == "multiple":
        start = effect.minimum if effect.multiple_from == "minimum" else 0
        if count < start or (count - start) % value == 0:
            return None
        return effect.off_multiple, value, None
    if count in value:
        return None
    above = [one for one in value if one > count]
    return effect.off_multiple, min(above) if above else max(value), None


def quantity_findings(world: World) -> list[dict[str, Any]]:
    """Every missed field of every group: before 77 chooses one per rule and group."""
    decided: dict[tuple[str, int], list[str]] = {}
    rules = {rule.code: rule for rule in world.group("QT")}
    for i in world.places:
        matching = [rule for rule in rules.values() if i in world.matched(rule)]
        for field in FIELDS:
            candidates = []
            for rule in matching:
                says = field_says(world.effect(rule, i), field)
                if says is not None:
                    candidates.append((rank_of(rule.when), rule, says))
            won = world.winner(candidates, i)
            if won is not None:
                decided.setdefault((won.code, i), []).append(field)
                if by := world.exception_id(won, i):
                    world.exceptions.add(by)
    out = []
    for code, rule in rules.items():
        mine = [i for i in world.places if (code, i) in decided]
        by_counts: dict[str, list[int]] = {}
        for i in mine:
            by_counts.setdefault(world.effect(rule, i).counts, []).append(i)
        for counts, places in by_counts.items():
            for some in world.groups(rule, places, counts):
                effect = world.effect(rule, some[0])
                count = world.counted(rule, some[0], counts)
                misses = []
                for field in FIELDS:
                    named = [i for i in some if field in decided[code, i]]
                    miss = missed(effect, field, count) if named else None
                    if miss is not None:
                        misses.append((field, *miss, named))
                if misses:
                    out.append(
                        {"rule": rule, "places": some, "count": count, "misses": misses, "effect": effect}
                    )
    return out


def quantities(world: World, findings: list[dict[str, Any]]) -> None:
    for found in findings:
        rule, misses = found["rule"], found["misses"]
        worst = max(misses, key=lambda one: severity(one[1]))  # the first of equal ones
        field, outcome, need, _, named = worst
        by = world.exception_id(rule, found["places"][0])
        world.issue(rule.code, outcome, named, str(found["count"]), str(need), by, field)
        for _, outcome, need, entry, named in misses:
            if outcome == "surcharge":
                if entry.amount is not None:
                    amount = Fraction(entry.amount)
                elif entry.percent is not None:
                    amount = world.major(world.money(named)) * Fraction(entry.percent) / 100
                else:
                    amount = Fraction(entry.per_missing) * (need - found["count"])
                world.charge(rule.code, amount, entry.tax, named, by)


def line_grade(world: World, i: int) -> int:
    """The worst quantity outcome on one line, a surcharge being a grade of its own (82)."""
    grade = 0
    for found in quantity_findings(world):
        for _, outcome, _, _, named in found["misses"]:
            if i in named:
                grade = max(grade, GRADE[outcome])
    return grade


def named_quantities(world: World, i: int) -> tuple[int, int]:
    """(the largest quantity, the least common multiple) named by the quantity rules that bear on a line (85)."""
    largest, lcm = 0, 1
    for rule in world.group("QT"):
        steady = [one for one in rule.when if not any(map(moves, facts_in(one)))]
        if not all(when_holds(one, world.facts(i)) for one in steady):
            continue
        if len(steady) == len(rule.when) and i not in world.matched(rule):
            continue
        effect = world.effect(rule, i)
        numbers = [effect.minimum or 0, effect.maximum or 0, effect.multiple or 0, *(effect.allowed or ())]
        numbers += [int(entry.at_least or 0) for entry in effect.below]
        for line in rule.when:
            for each in (
                [one for table in line.tables for one in table] if hasattr(line, "tables") else [line]
            ):
                if each.fact.endswith(".quantity"):
                    for one in each.conditions:
                        values = one.value if isinstance(one.value, tuple) else (one.value,)
                        numbers += [int(value) for value in values if not isinstance(value, bool)]
        largest = max(largest, *numbers)
        lcm = math.lcm(lcm, effect.multiple or 1)
    return largest, lcm


def facts_in(when: Any) -> list[str]:
    if hasattr(when, "tables"):
        return [line.fact for table in when.tables for line in table]
    return [when.fact]


def moves(fact: str) -> bool:
    """Whether another quantity of a line may change the fact."""
    return fact.startswith(("matching.", "batch.", "line.quantity", "line.cases", "line.loose")) or fact in (
        "product.quantity", "order.quantity", "order.weight_g", "order.lines",
    )  # fmt: skip


def changed(lines: list[Any], i: int, quantity: int) -> list[Any]:
    line = lines[i]
    return [*lines[:i], type(line)(line.id, line.product, quantity, line.attributes), *lines[i + 1 :]]


def fixes(
    ruleset: Any, cart: Any, on: Any, rules: list[Any], lines: list[Any], i: int, subtotal: int
) -> list[Any]:
    """83 to 86, by trying every quantity."""
    largest, lcm = named_quantities(World(ruleset, cart, on, rules, lines), i)
    end = max(lines[i].quantity, largest) + lcm
    now = line_grade(World(ruleset, cart, on, rules, lines), i)
    out = []
    for way in (range(lines[i].quantity - 1, 0, -1), range(lines[i].quantity + 1, end + 1)):
        best = now
        for quantity in way:
            if best == 0:
                break
            try:
                grade = line_grade(World(ruleset, cart, on, rules, changed(lines, i, quantity)), i)
            except Tie:
                continue
            if grade < best:
                best = grade
                try:
                    after = run(ruleset, cart, on, rules, changed(lines, i, quantity), with_fixes=False)
                except Tie:
                    continue
                out.append((i, quantity, after["subtotal_minor"] - subtotal))
    return sorted(out)


# ---------------------------------------------------------------- surcharge, discount, order


def surcharges(world: World) -> None:
    for rule in world.group("SC"):
        places = world.matched(rule)
        by_per: dict[str, list[int]] = {}
        for i in places:
            by_per.setdefault(world.effect(rule, i).per, []).append(i)
            world.applied.add((rule.code, i))
        for per, mine in by_per.items():
            for some in world.groups(rule, mine, per):
                effect, by = world.effect(rule, some[0]), world.exception_id(rule, some[0])
                if per == "order":
                    some = [j for j in world.places if world.exception_id(rule, j) == by]
                value = Fraction(effect.value)
                if effect.kind == "amount":
                    amount = value
                elif effect.kind == "percent":
                    amount = world.major(world.money(some)) * value / 100
                elif effect.kind == "per_unit":
                    amount = world.pieces(some) * value
                else:
                    amount = -(-world.pieces(some) // effect.lot) * value
                if effect.at_least is not None:
                    amount = max(amount, Fraction(effect.at_least))
                if effect.at_most is not None:
                    amount = min(amount, Fraction(effect.at_most))
                world.charge(rule.code, amount, effect.tax, some, by)
                if by:
                    world.exceptions.add(by)


def discounts(world: World, taxes: list[str]) -> list[dict[str, Any]]:
    """138: the one that takes most off."""
    best = None
    for rule in world.group("DC"):
        places = world.matched(rule)
        for some in world.groups(rule, places, "matching"):
            effect, by = world.effect(rule, some[0]), world.exception_id(rule, some[0])
            if effect.per == "order":
                some = [j for j in world.places if world.exception_id(rule, j) == by]
            base = world.money(some)
            amount = Fraction(effect.value)
            if effect.kind == "percent":
                amount = world.major(base) * amount / 100
            if effect.at_most is not None:
                amount = min(amount, Fraction(effect.at_most))
            minor = int(rounded(amount / world.one, Fraction(1), world.ruleset.policy.amount_rounding))
            minor = min(minor, base)
            if minor > 0 and (best is None or minor > best[0]):
                best = (minor, rule, some, by)
    if best is None:
        return []
    for other in world.group("DC"):
        for i in world.matched(other):
            if i in best[2]:
                world.outranked[other.code, i] = best[1].code
    for i in best[2]:
        world.applied.add((best[1].code, i))
    minor, rule, some, by = best
    if by:
        world.exceptions.add(by)
    assert world.amounts is not None
    parts = shared(minor, [world.amounts[i] or 0 for i in some], [world.lines[i].id for i in some])
    tax: dict[str, int] = {}
    for i, part in zip(some, parts, strict=True):
        tax[taxes[i]] = tax.get(taxes[i], 0) + part
    return [{"code": rule.code, "amount": minor, "places": some, "tax": tax}]


def order_rules(world: World, letters: str, field: str, keep: Any = None) -> Any:
    """45: the rule that decides one field of an order-level group, and its effect."""
    candidates = []
    for rule in world.group(letters):
        says = getattr(world.effect(rule, None), field)
        if says is not None and says != () and world.matched(rule) and (keep is None or keep(rule)):
            effect = world.effect(rule, None)
            if field == "minimum":
                says = (says, effect.below)
            if field == "maximum":
                says = (says, effect.above)
            if field in ("free_from", "terms"):
                says = dict(says) if field == "terms" else says
            candidates.append((rank_of(rule.when), rule, says))
    won = world.winner(candidates, None)
    if won is not None and (by := world.exception_id(won, None)):
        world.exceptions.add(by)
    return won


def order_limits(world: World) -> None:
    goods = world.major(world.money(world.places))
    places = DECIMALS[world.ruleset.policy.currency]
    for field in ("minimum", "maximum"):
        rule = order_rules(world, "OR", field)
        if rule is None:
            continue
        effect, by = world.effect(rule, None), world.exception_id(rule, None)
        limit = Fraction(getattr(effect, field))
        outcome, entry = None, None
        if field == "minimum" and goods < limit:
            outcome = "block"
            for one in effect.below:
                if one.at_least is None or one.at_least <= goods:
                    outcome, entry = one.outcome, one
                    break
        if field == "maximum" and goods > limit:
            outcome = effect.above
        if outcome is None:
            continue
        have, need = number_text(goods, places, False), number_text(limit, places, False)
        world.issue(rule.code, outcome, [], have, need, by, field)
        if outcome == "surcharge":
            if entry.amount is not None:
                amount = Fraction(entry.amount)
            elif entry.percent is not None:
                amount = goods * Fraction(entry.percent) / 100
            else:
                amount = Fraction(entry.per_missing) * (limit - goods)
            world.charge(rule.code, amount, entry.tax, world.places, by)


def lead_time(world: World) -> list[dict[str, Any]]:
    rule = order_rules(world, "LT", "tiers")
    if rule is None:
        return []
    out = []
    goods = world.major(world.money(world.places))
    by = world.exception_id(rule, None)
    for tier in world.effect(rule, None).tiers:
        offered = tier.max_quantity is None or world.pieces(world.places) <= tier.max_quantity
        exact = goods * Fraction(tier.percent) / 100
        minor = int(rounded(exact / world.one, Fraction(1), world.ruleset.policy.amount_rounding))
        entry = {"code": tier.code, "days": tier.days, "percent": number_text(Fraction(tier.percent)),
                 "offered": offered, "amount": minor, "by": rule.code}  # fmt: skip
        for name in ("cutoff", "max_quantity", "per_day"):
            if getattr(tier, name) is not None:
                entry[name] = getattr(tier, name)
        out.append(entry)
        if world.cart.lead_time == tier.code and offered:
            world.charge(rule.code, exact, None, world.places, by)
    named = [one["code"] for one in out if one["offered"]]
    if world.cart.lead_time is not None and world.cart.lead_time not in named:
        world.issue(rule.code, "block", [], by=by)
    return out


# ---------------------------------------------------------------- methods, tax


def methods(
    world: World, letters: str, given: Any, chosen: str | None, nothing: str
) -> tuple[list[Any], list[Any]]:
    """102 to 108: the methods as printed, and [(tax category, minor)] of the chosen one."""
    out: list[dict[str, Any]] = []
    paid: list[tuple[str, int]] = []
    rules = [rule for rule in world.group(letters) if world.matched(rule)]
    effects = {rule.code: world.effect(rule, None) for rule in rules}
    world.exceptions |= {by for rule in rules if (by := world.exception_id(rule, None))}
    goods = world.major(world.money(world.places))
    for method in given or ():
        concerns = {
            code
            for code, effect in effects.items()
            if effect.methods is None or method.code in effect.methods
        }
        deny = denying(effects, method.code)
        if deny:
            out.append({"code": method.code, "offered": False, "by": min(deny)})
            continue
        amount = Fraction(method.amount or 0)
        free = order_rules(world, letters, "free_from", lambda rule, some=concerns: rule.code in some)
        if free is not None and goods >= Fraction(effects[free.code].free_from):
            amount = Fraction(0)
        adds = [effects[code].add for code in concerns if effects[code].add is not None]
        amount += sum((Fraction(one) for one in adds), Fraction(0))
        entry = {"code": method.code, "offered": True, "amount": int(max(Fraction(0), amount) / world.one)}
        out.append(entry)
        if method.code == chosen:
            paid.append((method.tax or world.ruleset.policy.tax_default, entry["amount"]))
    if chosen is not None and not any(one["code"] == chosen and one["offered"] for one in out):
        deny = denying(effects, chosen)
        if deny or given is not None:
            world.issue(min(deny) if deny else nothing, "block", [])
    if given is not None and world.cart.placing and not any(one["offered"] for one in out):
        world.issue(nothing, "block", [])
    return out, paid


def denying(effects: dict[str, Any], method: str) -> list[str]:
    """103: the rules that deny a method."""
    return [
        code
        for code, effect in effects.items()
        if (effect.only is not None and method not in effect.only) or method in effect.hide
    ]


def taxes_of(world: World, bases: dict[str, int]) -> list[dict[str, Any]]:
    """109 to 112, 144."""
    rates: dict[str, Fraction] = {}
    for category in bases:
        rows = [
            row
            for row in world.ruleset.policy.tax_rates
            if row.category == category and (row.from_on is None or row.from_on <= world.on)
        ]
        dated = [row for row in rows if row.from_on is not None]
        row = max(dated, key=lambda one: one.from_on) if dated else rows[0]
        rates[category] = Fraction(row.rate)
    out = []
    for rate in set(rates.values()):
        some = sorted(category for category in bases if rates[category] == rate)
        base = sum(bases[category] for category in some)
        size = int(rounded(abs(base) * rate, Fraction(1), world.ruleset.policy.tax_rounding))
        sign = -1 if base < 0 else 1
        parts = shared(size, [sign * bases[category] for category in some], some)
        for category, part in zip(some, parts, strict=True):
            out.append({"category": category, "rate": rate, "base": bases[category], "amount": sign * part})
    return sorted(out, key=lambda row: (-row["rate"], row["category"]))


# ---------------------------------------------------------------- the decision


def run(ruleset: Any, cart: Any, on: Any, rules: list[Any], lines: list[Any], with_fixes: bool = True) -> Any:
    world = World(ruleset, cart, on, rules, lines)
    hidden = world.hidden = catalog(world)
    priced = []
    for i in world.places:
        if i not in hidden:
            one = price(world, i)
        else:
            one = {"list_price": None, "unit_price": None, "per": 1, "amount": None, "steps": []}
        if one["amount"] is None and i not in hidden:
            world.issue("no_price", "quotation", [i])
        priced.append(one)
    findings = quantity_findings(world)
    world.amounts = [one["amount"] for one in priced]
    quantities(world, findings)
    surcharges(world)
    taxes = [line.product.tax or ruleset.policy.tax_default for line in lines]
    off = discounts(world, taxes)
    order_limits(world)
    tiers = lead_time(world)
    shipping, ship_paid = methods(world, "SH", cart.shipping_quotes, cart.shipping, "no_shipping")
    payment, pay_paid = methods(world, "PM", cart.payment_methods, cart.payment, "no_payment")
    terms = order_rules(world, "PM", "terms")
    goods = world.money(world.places)
    subtotal = goods + sum(one["amount"] for one in world.charges) - sum(one["amount"] for one in off)
    bases: dict[str, int] = {}
    for i in world.places:
        bases[taxes[i]] = bases.get(taxes[i], 0) + (priced[i]["amount"] or 0)
    for charge in world.charges:
        bases[charge["tax"]] = bases.get(charge["tax"], 0) + charge["amount"]
    for category, amount in (*ship_paid, *pay_paid):
        bases[category] = bases.get(category, 0) + amount
    for one in off:
        for category, amount in one["tax"].items():
            bases[category] -= amount
    tax = taxes_of(world, bases)
    total = (
        subtotal + sum(amount for _, amount in (*ship_paid, *pay_paid)) + sum(row["amount"] for row in tax)
    )
    credit = order_rules(world, "OR", "credit")
    places = DECIMALS[ruleset.policy.currency]

    def money(minor: int) -> str:
        return number_text(minor * world.one, places, False)

    left = cart.customer.credit_left
    if credit is not None and left is not None and total * world.one > Fraction(left):
        outcome = world.effect(credit, None).credit
        need = number_text(Fraction(left), places, False)
        world.issue(credit.code, outcome, [], money(total), need, world.exception_id(credit, None), "credit")
    quantity_codes = {rule.code for rule in world.group("QT")}
    fix_cache: dict[int, list[Any]] = {}
    for issue in world.issues:
        issue["fixes"] = []
        if with_fixes and issue["code"] in quantity_codes:
            for i in issue["places"]:
                if i not in fix_cache:
                    fix_cache[i] = fixes(ruleset, cart, on, rules, lines, i, subtotal)
                issue["fixes"] += fix_cache[i]
        if issue["exception"]:
            world.exceptions.add(issue["exception"])

    def ids(some: Any) -> list[str]:
        return [lines[i].id for i in sorted(some)]

    def marked(out: dict[str, Any], by: Any) -> dict[str, Any]:
        return out | {"exception": by} if by else out

    def worst(some: list[str]) -> str:
        grades = ["ok" if one == "surcharge" else one for one in some]
        return max(grades, key=GRADE.__getitem__, default="ok")

    def change(minor: int) -> str:
        return "0" if minor == 0 else ("+" if minor > 0 else "") + money(minor)

    return {
        "ruleset": ruleset.hash,
        "on": on.isoformat(),
        "currency": ruleset.policy.currency,
        "outcome": worst([one["outcome"] for one in world.issues]),
        "lines": [
            {
                "id": line.id,
                "sku": line.product.sku,
                "quantity": line.quantity,
                "list_price": priced[i]["list_price"],
                "unit_price": priced[i]["unit_price"],
                "per": priced[i]["per"],
                "amount": None if priced[i]["amount"] is None else money(priced[i]["amount"]),
                "tax": taxes[i],
                "outcome": worst([one["outcome"] for one in world.issues if i in one["places"]]),
                "steps": priced[i]["steps"],
            }
            for i, line in enumerate(lines)
        ],
        "surcharges": [
            marked(
                {
                    "code": one["code"],
                    "amount": money(one["amount"]),
                    "tax": one["tax"],
                    "lines": ids(one["places"]),
                },
                one["exception"],
            )
            for one in sorted(world.charges, key=lambda one: (one["code"], sorted(one["places"])))
        ],
        "issues": [
            marked(
                {
                    "code": one["code"],
                    "outcome": one["outcome"],
                    "lines": ids(one["places"]),
                    "have": one["have"],
                    "need": one["need"],
                    "fixes": [
                        {"line": lines[i].id, "quantity": quantity, "change": change(by)}
                        for i, quantity, by in one["fixes"]
                    ],
                },
                one["exception"],
            )
            for one in sorted(world.issues, key=lambda one: (one["code"], sorted(one["places"])))
        ],
        "shipping": [one | ({"amount": money(one["amount"])} if "amount" in one else {}) for one in shipping],
        "payment": [one | ({"amount": money(one["amount"])} if "amount" in one else {}) for one in payment],
        "goods": money(goods),
        "discounts": [
            {
                "code": one["code"],
                "amount": money(one["amount"]),
                "lines": ids(one["places"]),
                "tax": [
                    {"category": name, "amount": money(part)}
                    for name, part in sorted(one["tax"].items())
                    if part
                ],
            }
            for one in off
        ],
        "subtotal": money(subtotal),
        "terms": None if terms is None else {"code": terms.code, **world.effect(terms, None).terms},
        "lead_time": [one | {"amount": money(one["amount"])} for one in tiers],
        "exceptions": sorted(world.exceptions),
        "tax": [
            {
                "category": row["category"],
                "rate": number_text(row["rate"], 2),
                "base": money(row["base"]),
                "amount": money(row["amount"]),
            }
            for row in tax
        ],
        "total": money(total),
        "subtotal_minor": subtotal,
        "world": world,
    }


def in_scope(rule: Any, customer: Any) -> bool:
    """33 to 36."""
    scope = rule.scope
    if scope is None:
        return True
    if customer.code is not None and nfc(customer.code) in [nfc(one) for one in scope.customers]:
        return True
    if scope.regions is None and scope.percent is None:
        return False
    if scope.regions is not None and customer.region not in scope.regions:
        return False
    if scope.percent is not None:
        if customer.code is None:
            return False
        eight = hashlib.sha256(customer.code.encode()).digest()[:8]
        return bool(int.from_bytes(eight, "big") % 10000 < scope.percent * 100)
    return True


def considered(ruleset: Any, world: World, on: Any) -> list[Any]:
    """117: (code, line, status) of every live rule, by code, then line."""
    out: list[Any] = []
    for rule in sorted(ruleset.rules, key=lambda one: one.code):
        if rule.mode != "live" or rule.code[:2] == "FU":
            continue
        if not rule.is_in_force(on):
            out.append((rule.code, None, "outside_dates"))
        elif not in_scope(rule, world.cart.customer):
            out.append((rule.code, None, "out_of_scope"))
        elif rule.code[:2] in ORDER_LEVEL:
            out.append(
                (rule.code, None, status_of(world, rule, None) if world.matched(rule) else "not_matched")
            )
        else:
            there = world.matched(rule)
            for i, line in enumerate(world.lines):
                out.append((rule.code, line.id, status_of(world, rule, i) if i in there else "not_matched"))
    return out


def status_of(world: World, rule: Any, i: int | None) -> str:
    effect = world.effect(rule, i)
    denies = rule.code[:2] in ("SH", "PM") and (
        effect.only is not None or effect.hide or effect.add is not None
    )
    if denies or (rule.code, i) in world.applied:
        return "applied"
    if (rule.code, i) in world.outranked:
        return "outranked_by"
    if rule.code[:2] != "PR":
        return "applied"
    return "outranked_by" if i in world.hidden else "not_matched"


def decide(ruleset: Any, cart: Any, on: Any) -> dict[str, Any]:
    """The decision as JSON values without texts and without `considered`; Tie when two rules disagree."""
    there = [rule for rule in ruleset.rules if rule.is_in_force(on) and in_scope(rule, cart.customer)]
    live = [rule for rule in there if rule.mode == "live" and rule.code[:2] != "FU"]
    lines = list(cart.lines)
    out = run(ruleset, cart, on, live, lines)
    world = out.pop("world")
    out.pop("subtotal_minor")
    out["considered"] = considered(ruleset, world, on)
    out["shadow"] = []
    for rule in sorted((one for one in there if one.mode == "shadow"), key=lambda one: one.code):
        matched = world.matched(rule)
        if matched:
            try:
                would = run(ruleset, cart, on, [*live, rule], lines, with_fixes=False)
            except Tie:
                continue
            places = {"code": rule.code, "lines": [lines[i].id for i in matched]}
            out["shadow"].append(places | {key: would[key] for key in ("outcome", "subtotal", "total")})
    return out

"""Builds the effect of a rule, or of an exception merged into its rule, from the table of the file.

Reads, cross-checks the keys of one table, and freezes; what an effect does to a cart is evaluate.py.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, cast

from rules.keys import TABLES, kinds_of
from rules.orderable import first_orderable
from rules.report import Source
from rules.ruleset import (
    Below,
    Break,
    CatalogEffect,
    DiscountEffect,
    Effect,
    FollowUpEffect,
    LeadTimeEffect,
    MethodEffect,
    OrderEffect,
    PriceEffect,
    PriceTable,
    QuantityEffect,
    Rounding,
    SurchargeEffect,
    TierEffect,
)
from rules.said import Said, joined, say
from rules.values import read_table

LANE_OF_KIND = {
    "rate": "agreed",
    "unit": "agreed",
    "table": "agreed",
    "breaks": "volume",
    "off_percent": "promotion",
    "off_amount": "promotion",
}
# Keys that say something about a kind and go with it when an exception replaces the kind.
_OF_KIND = {"tiers", "counts"}
_BREAK_KINDS = ("unit", "rate", "off_percent")
_CHARGES = ("amount", "percent", "per_missing")
Tables = Callable[[Source, str, str], PriceTable | None]  # source, path inside the shop, key path -> table


def read_effect(
    source: Source, name: str, data: Any, tables: Tables, lane: str | None = None
) -> Effect | None:
    """The effect of the table called `name`; None when nothing usable is left. `lane` overrides the default lane."""
    if name == "follow_up":
        return FollowUpEffect(dict(data)) if isinstance(data, Mapping) else None
    before = source.report.errors
    values = read_table(source, name, data, name)
    if values is None:
        return None
    effect: Effect | None
    if name == "price":
        effect = _price(source, data, values, tables, lane)
    else:
        effect = _BUILDERS[name](source, data, values)
    return effect if source.report.errors == before else None


def merged(name: str, raw: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """The rule's effect table with the changed keys replaced; a new kind replaces the old (rule-semantics 11)."""
    kinds = kinds_of(name) if name in ("price", "surcharge", "discount") else ()
    new_kinds = [word for word in kinds if word in change]
    kept = {word: value for word, value in raw.items() if not new_kinds or word not in kinds}
    if new_kinds and new_kinds[0] not in ("breaks", "table"):
        kept = {word: value for word, value in kept.items() if word not in _OF_KIND or name != "price"}
    return {**kept, **change}


def _one_kind(source: Source, name: str, data: Mapping[str, Any]) -> str | None:
    kinds = kinds_of(name)
    given = [word for word in kinds if word in data]
    if not given and _spelled_right(name, data):
        source.problem(
            "missing-key", name, say("effect.one-of", table=name, kinds=joined("join.comma", kinds))
        )
    return given[0] if given else None


def _spelled_right(name: str, data: Mapping[str, Any]) -> bool:
    """No unknown key was told already, which probably is the one that seems to be missing."""
    return all(word in TABLES[name] for word in data)


def _without_effect(source: Source, path: str, why: Said) -> None:
    source.problem("key-without-effect", path, say("effect.without", path=path, why=why))


def _price(
    source: Source, data: Mapping[str, Any], values: dict[str, Any], tables: Tables, lane: str | None
) -> PriceEffect | None:
    kind = _one_kind(source, "price", data)
    if kind is None or kind not in values:
        return None
    is_stepped = kind in ("breaks", "table")
    if "counts" in values and not is_stepped:
        _without_effect(source, "price.counts", say("why.no-breaks"))
    if values.get("tiers") == "graduated":
        if kind != "breaks":
            source.problem("conflicting-keys", "price.tiers", say("effect.tiers-breaks"))
        elif values.get("counts", "line") != "line":
            source.problem("wrong-value", "price.counts", say("effect.tiers-counts"))
    if "per" in values and (kind in ("rate", "off_percent")):
        _without_effect(source, "price.per", say("why.computed"))
    breaks = _breaks(source, values["breaks"], _written(data, "breaks")) if kind == "breaks" else ()
    table = tables(source, values["table"], "price.table") if kind == "table" else None
    if kind == "table" and table is None:
        return None
    rounding = values.get("round")
    return PriceEffect(
        kind=kind,
        lane=values.get("lane") or lane or LANE_OF_KIND[kind],
        value=None if is_stepped else values[kind],
        table=table,
        breaks=breaks,
        per=values.get("per"),
        tiers=values.get("tiers", "all_units"),
        counts=values.get("counts", "line"),
        round=Rounding(**rounding) if rounding and "to" in rounding else None,
    )


def _written(data: Mapping[str, Any], word: str) -> list[Mapping[str, Any]]:
    """The entries as they stand in the file: a key whose value was refused is there, and not missing."""
    entries = data.get(word)
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def _breaks(
    source: Source, entries: list[dict[str, Any]], written: list[Mapping[str, Any]]
) -> tuple[Break, ...]:
    found: list[Break] = []
    seen: set[int] = set()
    for place, entry in enumerate(entries):
        path = f"price.breaks.{place}"
        kinds = [word for word in _BREAK_KINDS if word in entry]
        if "from" not in entry:
            continue
        if not kinds and any(word in written[place] for word in _BREAK_KINDS):
            continue
        if not kinds:
            wanted = joined("join.comma", _BREAK_KINDS)
            source.problem("missing-key", path, say("effect.break-one-of", path=path, kinds=wanted))
            continue
        if entry["from"] in seen:
            source.problem("repeated-break", f"{path}.from", say("effect.break-twice", start=entry["from"]))
        seen.add(entry["from"])
        found.append(Break(entry["from"], kinds[0], entry[kinds[0]]))
    return tuple(sorted(found, key=lambda one: one.start))


def _below(
    source: Source, name: str, entries: list[dict[str, Any]] | None, written: list[Mapping[str, Any]]
) -> tuple[Below, ...]:
    found: list[Below] = []
    last: Decimal | None = None
    for place, entry in enumerate(entries or ()):
        path = f"{name}.below.{place}"
        _check_charge(source, path, entry, written[place])
        at_least = None if entry.get("at_least") is None else Decimal(entry["at_least"])
        if place and (last is None or (at_least is not None and at_least >= last)):
            source.problem("wrong-value", f"{path}.at_least", say("effect.below-falls"))
        last = at_least
        if "outcome" in entry:
            found.append(Below(**{**entry, "at_least": at_least}))
    return tuple(found)


def _check_charge(source: Source, path: str, entry: Mapping[str, Any], written: Mapping[str, Any]) -> None:
    """A surcharge outcome needs exactly one charge, another outcome none (rule-semantics 76)."""
    charges = [word for word in _CHARGES if word in written]
    if entry.get("outcome") == "surcharge" and not charges:
        wanted = joined("join.comma", _CHARGES)
        source.problem("missing-key", path, say("effect.charge-one-of", kinds=wanted))
    if "outcome" in entry and entry["outcome"] != "surcharge":
        for word in (*charges, *(key for key in ("label", "tax") if key in entry)):
            source.problem(
                "conflicting-keys",
                f"{path}.{word}",
                say("effect.charge-only", word=word, outcome=entry["outcome"]),
            )


def _quantity(source: Source, data: Mapping[str, Any], values: dict[str, Any]) -> QuantityEffect:
    fields = [word for word in ("minimum", "multiple", "maximum", "allowed") if word in data]
    if not fields and _spelled_right("quantity", data):
        source.problem("missing-key", "quantity", say("quantity.needs"))
    if values.get("multiple_from") == "minimum" and "minimum" not in data:
        source.problem("missing-key", "quantity.multiple_from", say("quantity.from-minimum"))
    needs = {
        "below": ("minimum",),
        "above": ("maximum",),
        "multiple_from": ("multiple",),
        "off_multiple": ("multiple", "allowed"),
    }
    for word, fields_needed in needs.items() if _spelled_right("quantity", data) else ():
        if word in data and not any(field in data for field in fields_needed):
            why = say("why.no-key", keys=joined("join.or", fields_needed))
            _without_effect(source, f"quantity.{word}", why)
    below = _below(source, "quantity", values.pop("below", None), _written(data, "below"))
    effect = QuantityEffect(**values, below=below)
    _check_quantity(source, effect)
    return effect


def _check_quantity(source: Source, effect: QuantityEffect) -> None:
    low, high, lot = effect.minimum, effect.maximum, effect.multiple
    if low is not None and high is not None and high < low:
        source.problem(
            "maximum-below-minimum", "quantity.maximum", say("quantity.maximum-below", high=high, low=low)
        )
        return
    if first_orderable(effect) is None:
        source.problem("no-quantity", "quantity", say("quantity.none"))
        return
    if lot is None:
        return
    base = low if low is not None and effect.multiple_from == "minimum" else 0
    if low is not None and (low - base) % lot:
        first = -(-low // lot) * lot
        source.problem(
            "minimum-off-multiple",
            "quantity.minimum",
            say("quantity.minimum-off", low=low, lot=lot, first=first),
        )
    if high is not None and (high - base) % lot:
        last = high - (high - base) % lot
        source.problem(
            "minimum-off-multiple",
            "quantity.maximum",
            say("quantity.maximum-off", high=high, lot=lot, last=last),
        )


def _surcharge(source: Source, data: Mapping[str, Any], values: dict[str, Any]) -> SurchargeEffect | None:
    kind = _one_kind(source, "surcharge", data)
    _check_bounds(source, "surcharge", values)
    if kind is None or kind not in values:
        return None
    lot = None
    value = values.pop(kind)
    if kind == "per_lot":
        if "lot" not in value or "amount" not in value:
            return None
        lot, value = value["lot"], value["amount"]
    for other in kinds_of("surcharge"):
        values.pop(other, None)
    return SurchargeEffect(kind=kind, value=value, lot=lot, **values)


def _check_bounds(source: Source, name: str, values: Mapping[str, Any]) -> None:
    low, high = values.get("at_least"), values.get("at_most")
    if low is not None and high is not None and high < low:
        said = say("surcharge.most-below-least", high=high, low=low)
        source.problem("maximum-below-minimum", f"{name}.at_most", said)


def _discount(source: Source, data: Mapping[str, Any], values: dict[str, Any]) -> DiscountEffect | None:
    kind = _one_kind(source, "discount", data)
    if kind is None or kind not in values:
        return None
    value = values.pop(kind)
    for other in kinds_of("discount"):
        values.pop(other, None)
    return DiscountEffect(kind=kind, value=value, **values)


def _order(source: Source, data: Mapping[str, Any], values: dict[str, Any]) -> OrderEffect:
    if not any(word in data for word in ("minimum", "maximum", "credit")) and _spelled_right("order", data):
        source.problem("missing-key", "order", say("order.needs"))
    for word, needed in (("below", "minimum"), ("above", "maximum")):
        if word in data and needed not in data and _spelled_right("order", data):
            _without_effect(source, f"order.{word}", say("why.no-key", keys=needed))
    low, high = values.get("minimum"), values.get("maximum")
    if low is not None and high is not None and high < low:
        source.problem(
            "maximum-below-minimum", "order.maximum", say("quantity.maximum-below", high=high, low=low)
        )
    below = _below(source, "order", values.pop("below", None), _written(data, "below"))
    return OrderEffect(**values, below=below)


def _lead_time(source: Source, data: Mapping[str, Any], values: dict[str, Any]) -> LeadTimeEffect:
    seen: set[str] = set()
    tiers: list[TierEffect] = []
    for place, entry in enumerate(values.get("tiers") or ()):
        if "code" not in entry or "days" not in entry:
            continue
        if entry["code"] in seen:
            said = say("lead-time.twice", code=entry["code"])
            source.problem("wrong-value", f"lead_time.tiers.{place}.code", said)
        seen.add(entry["code"])
        tiers.append(TierEffect(**entry))
    return LeadTimeEffect(tuple(tiers))


def _methods(source: Source, data: Mapping[str, Any], values: dict[str, Any]) -> MethodEffect:
    name = source.stage
    named = any(word in data for word in ("only", "hide", "free_from", "add", "terms"))
    if not named and _spelled_right(name, data):
        is_payment = name == "payment"
        said = say("methods.needs-terms", table=name) if is_payment else say("methods.needs", table=name)
        source.problem("missing-key", name, said)
    if "methods" in data and not ("free_from" in data or "add" in data):
        _without_effect(source, f"{name}.methods", say("why.no-free-or-add"))
    if "terms" in values:
        check_terms(source, values["terms"], f"{name}.terms")
    return MethodEffect(**values)


def check_terms(source: Source, terms: Mapping[str, Any], path: str) -> None:
    """Either the closing day with its payment day, or net_days (rule-semantics 131)."""
    closing = [word for word in ("closing_day", "pay_month", "pay_day") if word in terms]
    if not terms:
        source.problem("empty-value", path, say("terms.empty", path=path))
    elif "net_days" in terms and closing:
        source.problem("conflicting-keys", path, say("terms.both", path=path))
    elif "net_days" not in terms and len(closing) < 3:
        missing = [word for word in ("closing_day", "pay_month", "pay_day") if word not in terms]
        said = say("terms.missing", path=path, missing=joined("join.comma", missing))
        source.problem("missing-key", path, said)
    if terms.get("closing_day") in (29, 30):
        said = say("terms.closing-day", day=terms["closing_day"])
        source.problem("wrong-value", f"{path}.closing_day", said)


def _catalog(source: Source, data: Mapping[str, Any], values: dict[str, Any]) -> CatalogEffect:
    if not any(word in data for word in ("hide", "buy", "price")) and _spelled_right("catalog", data):
        source.problem("missing-key", "catalog", say("catalog.needs"))
    return CatalogEffect(**values)


_BUILDERS = cast(
    "dict[str, Callable[[Source, Mapping[str, Any], dict[str, Any]], Effect | None]]",
    {
        "catalog": _catalog,
        "quantity": _quantity,
        "surcharge": _surcharge,
        "discount": _discount,
        "order": _order,
        "lead_time": _lead_time,
        "shipping": _methods,
        "payment": _methods,
    },
)

"""Writes a fee below the minimum into the text of a rule, comments and order kept. Pure: no Flask, no database."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

LONGEST = 100_000  # characters that tomlkit reads while somebody waits
LABELS = {
    "quantity": {"ja": "小ロット手数料", "en": "Small-lot fee"},
    "order": {"ja": "小口手数料", "en": "Small-order fee"},
}


def with_fee(
    text: str, *, at: int | Decimal, fee: Decimal, sku: str = "", is_proven: bool = True
) -> str | None:
    """The rule with a fee from `at` on, pieces or money, and a case for `sku` where one can be made.

    An entry of the same `at_least` is changed, others stay. None: no readable rule with a minimum above `at`.
    """
    try:
        document = tomlkit.parse(text) if len(text) <= LONGEST else None
        if document is None:
            return None
        table = next((name for name in LABELS if name in document), None)
        effect: Any = document[table] if table is not None else None
        if table is None or "minimum" not in effect or not 0 < at < effect["minimum"]:
            return None
        entry = _entry(effect, at)
        entry["outcome"] = "surcharge"
        for name in ("percent", "per_missing"):
            entry.pop(name, None)
        entry["amount"] = _number(fee)
        if "label" not in entry:
            label = tomlkit.inline_table()
            label.update(LABELS[table])
            entry["label"] = label
            entry.add(tomlkit.nl())
        case = (
            _case(document, effect, int(at), fee, sku) if table == "quantity" and sku and is_proven else None
        )
        if case is not None:
            cases = document.setdefault("case", tomlkit.aot())
            if len(cases):
                cases[-1].add(tomlkit.nl())
            cases.append(case)
        return tomlkit.dumps(document).rstrip("\n") + "\n"
    except (TOMLKitError, AttributeError, TypeError, KeyError):
        return None  # a key that is no table, or a list written inline: a person must look


def _entry(effect: Any, at: int | Decimal) -> Any:
    """The [[...below]] entry of that quantity, made in its place when there is none: they are read from above."""
    if "below" not in effect:
        effect.append("below", tomlkit.aot())
        blocked = tomlkit.table()
        blocked["outcome"] = "block"
        blocked.add(tomlkit.nl())
        effect["below"].append(blocked)
    entries = effect["below"]
    place = 0
    for place, known in enumerate(entries):  # noqa: B007  (the place is what is sought)
        if known.get("at_least") == at:
            return known
        if "at_least" not in known or known["at_least"] < at:
            break
    else:
        place = len(entries)
    entry = tomlkit.table()
    entry["at_least"] = _number(at)
    entries.insert(place, entry)
    return entries[place]


def _case(document: Any, effect: Any, at: int, fee: Decimal, sku: str) -> Any:
    """What the fee is for: the smallest quantity on the lot, for the customer of the rule's other cases."""
    lot = int(effect.get("multiple", 1))
    start = int(effect["minimum"]) if effect.get("multiple_from") == "minimum" else 0
    pieces = at if start else at + -at % lot
    if not 0 < pieces < effect["minimum"]:
        return None
    case = tomlkit.table()
    case["name"] = f"{pieces}個は手数料で通る"
    known: list[Mapping[str, Any]] = [one for one in document.get("case", ()) if "customer" in one]
    if known:
        case["customer"] = _inline(known[0]["customer"])
    case["cart"] = _list({"sku": sku, "quantity": pieces})
    expect = tomlkit.inline_table()
    expect.update(
        {"outcome": "ok", "surcharges": _list({"code": str(document["code"]), "amount": _number(fee)})}
    )
    case["expect"] = expect
    return case


def _inline(values: Mapping[str, Any]) -> Any:
    table = tomlkit.inline_table()
    table.update(
        {key: getattr(value, "unwrap", lambda value=value: value)() for key, value in values.items()}
    )
    return table


def _list(*entries: Mapping[str, Any]) -> Any:
    found = tomlkit.array()
    for entry in entries:
        found.append(_inline(entry))
    return found


def _number(value: int | Decimal) -> Any:
    """As a person writes it: 600, or 6.50 where the money has decimals."""
    exact = Decimal(value)
    return int(exact) if exact == exact.to_integral_value() else tomlkit.value(f"{exact:f}")

"""Reads [policy] and [tax] of shop.toml (rule-semantics 3); everything else there belongs to the storefront."""

import json
from datetime import date
from hashlib import sha256
from typing import Any

from rules.folder import ShopFolder
from rules.report import Source, nearest
from rules.ruleset import Policy, TaxRate
from rules.said import say
from rules.values import read_table


def read_policy(folder: ShopFolder) -> tuple[Policy, str | None, bytes]:
    """The policy, the currency (None when it could not be read), and the bytes that the hash covers."""
    if not folder.exists("shop.toml"):
        return Policy(), Policy().currency, _hashed({})
    file = folder.toml("shop.toml")
    if file is None:
        return Policy(), None, _hashed({})
    source = Source(folder.report, "shop.toml", file.lines)
    policy = read_table(source, "policy", file.data.get("policy", {}), "policy") or {}
    tax = read_table(source, "tax", file.data.get("tax", {}), "tax") or {}
    rates = _rates(source, tax.get("rates"))
    currency_is_known = "currency" in policy or "currency" not in (file.data.get("policy") or {})
    read = Policy(
        currency=policy.get("currency", "JPY"),
        timezone=policy.get("timezone", "Asia/Tokyo"),
        price_choice=policy.get("price_choice", "specific"),
        amount_rounding=policy.get("amount_rounding", "half_up"),
        tax_default=tax.get("default", "standard"),
        tax_rounding=tax.get("rounding", "floor"),
        tax_rates=rates or Policy().tax_rates,
    )
    known = {row.category for row in read.tax_rates}
    if "default" in tax and read.tax_default not in known and (rates or "rates" not in tax):
        source.problem(
            "unknown-tax",
            "tax.default",
            say("tax.no-rate", category=read.tax_default),
            nearest(read.tax_default, known),
        )
    return read, read.currency if currency_is_known else None, _hashed(file.data)


def _rates(source: Source, entries: list[dict[str, Any]] | None) -> tuple[TaxRate, ...]:
    rates: list[TaxRate] = []
    seen: set[tuple[str, date | None]] = set()
    for place, entry in enumerate(entries or ()):
        if "category" not in entry or "rate" not in entry:
            continue
        key = (entry["category"], entry.get("from"))
        if key in seen:
            source.problem(
                "wrong-value",
                f"tax.rates.{place}",
                say("tax.same-day", category=entry["category"]),
            )
        seen.add(key)
        rates.append(TaxRate(entry["category"], entry["rate"], entry.get("from")))
    return tuple(rates)


def _hashed(data: dict[str, Any]) -> bytes:
    """The JSON of [policy] and [tax]: sorted keys, no blanks, decimals as strings (rule-semantics 9)."""
    part = {name: data.get(name, {}) for name in ("policy", "tax")}
    return json.dumps(part, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()


def ruleset_hash(contents: dict[str, bytes], shop: bytes) -> str:
    """sha256 over `path NUL hex LF`, sorted by path; `contents` are digests of rule, table and exception files."""
    lines = {path: digest.hex() for path, digest in contents.items()}
    lines["shop.toml"] = sha256(shop).hexdigest()
    whole = "".join(f"{path}\0{lines[path]}\n" for path in sorted(lines))
    return "sha256:" + sha256(whole.encode()).hexdigest()

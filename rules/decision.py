"""What comes back: a frozen Decision and its parts. Amounts are int minor units, unit prices Decimals.

`as_json` is the one JSON form that command line, API and stored orders share (rule-semantics 113 to 120).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from rules.money import amount_text, plain, rate_text

OUTCOMES = ("ok", "warn", "approval", "quotation", "block")
GRADES = ("ok", "warn", "surcharge", "approval", "quotation", "block")  # for fixes only (rule-semantics 82)
Texts = Mapping[str, str]  # language to text


@dataclass(frozen=True, slots=True)
class Step:
    lane: str
    unit_price: Decimal
    code: str | None = None
    why: Texts | None = None
    per: int = 1
    exception: str | None = None
    kind: str | None = (
        None  # rate, unit, table, breaks, off_percent, off_amount; for explanations, not in the JSON
    )
    value: Decimal | None = None  # the factor, percent or price of that kind
    reached: int | None = None  # the break or row `from` that was reached


@dataclass(frozen=True, slots=True)
class LineDecision:
    id: str
    sku: str
    quantity: int
    list_price: Decimal | None
    unit_price: Decimal | None
    per: int
    amount: int | None
    tax: str
    outcome: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Surcharge:
    code: str
    label: Texts
    amount: int
    tax: str
    lines: tuple[str, ...]
    exception: str | None = None
    why: Texts | None = None  # the rule's reason, for explanations, not in the JSON


@dataclass(frozen=True, slots=True)
class Fix:
    line: str
    quantity: int
    change: int  # difference in subtotal, minor units
    outcome: str = "ok"  # what the line's worst quantity outcome would be; not in the JSON


@dataclass(frozen=True, slots=True)
class Issue:
    code: str
    outcome: str  # ok-to-block, or surcharge
    lines: tuple[str, ...]
    message: Texts
    have: str | None = None
    need: str | None = None
    fixes: tuple[Fix, ...] = ()
    exception: str | None = None
    field: str | None = None  # minimum, maximum, multiple, allowed, ...; not in the JSON


@dataclass(frozen=True, slots=True)
class Offered:
    """A shipping or payment method as the rules leave it; `by` is the smallest code that denies it."""

    code: str
    offered: bool
    amount: int | None = None
    tax: str | None = None
    by: str | None = None
    free_by: str | None = None  # the rule that made it free; not in the JSON


@dataclass(frozen=True, slots=True)
class Tier:
    code: str
    days: int
    percent: Decimal
    offered: bool
    amount: int
    by: str
    cutoff: str | None = None
    max_quantity: int | None = None
    per_day: int | None = None
    chosen: bool = False
    label: Texts | None = None  # as the rule words it; not in the JSON


@dataclass(frozen=True, slots=True)
class Discount:
    code: str
    label: Texts
    amount: int  # positive
    lines: tuple[str, ...]
    tax: tuple[tuple[str, int], ...]  # category, amount
    why: Texts | None = None  # the rule's reason; not in the JSON


@dataclass(frozen=True, slots=True)
class TaxLine:
    category: str
    rate: Decimal
    base: int
    amount: int


@dataclass(frozen=True, slots=True)
class Terms:
    code: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    ruleset: str
    on: date
    currency: str
    outcome: str
    lines: tuple[LineDecision, ...]
    surcharges: tuple[Surcharge, ...]
    issues: tuple[Issue, ...]
    goods: int
    subtotal: int
    total: int
    tax: tuple[TaxLine, ...]
    shipping: tuple[Offered, ...] = ()
    payment: tuple[Offered, ...] = ()
    discounts: tuple[Discount, ...] = ()
    terms: Terms | None = None
    lead_time: tuple[Tier, ...] = ()
    exceptions: tuple[str, ...] = ()
    shadow: tuple[Mapping[str, Any], ...] = ()
    considered: tuple[Mapping[str, Any], ...] = field(default=())
    free_shipping: tuple[str, int] | None = (
        None  # rule and goods in minor units from which it is free; not in the JSON
    )

    def line(self, line_id: str) -> LineDecision:
        """The decision of one line; KeyError when the cart had no such line."""
        for line in self.lines:
            if line.id == line_id:
                return line
        raise KeyError(line_id)

    def as_json(self) -> dict[str, Any]:
        """The decision as plain JSON values, keys in the order of rule-language.md."""
        return {
            "ruleset": self.ruleset,
            "on": self.on.isoformat(),
            "currency": self.currency,
            "outcome": self.outcome,
            "lines": [_line(line, self.currency) for line in self.lines],
            "surcharges": [_surcharge(charge, self.currency) for charge in self.surcharges],
            "issues": [_issue(issue, self.currency) for issue in self.issues],
            "shipping": [_offered(method, self.currency) for method in self.shipping],
            "payment": [_offered(method, self.currency) for method in self.payment],
            "goods": amount_text(self.goods, self.currency),
            "discounts": [_discount(discount, self.currency) for discount in self.discounts],
            "subtotal": amount_text(self.subtotal, self.currency),
            "terms": {"code": self.terms.code, **self.terms.values} if self.terms else None,
            "lead_time": [_tier(tier, self.currency) for tier in self.lead_time],
            "exceptions": list(self.exceptions),
            "tax": [_tax(row, self.currency) for row in self.tax],
            "total": amount_text(self.total, self.currency),
            "shadow": [dict(entry) for entry in self.shadow],
            "considered": [dict(entry) for entry in self.considered],
        }

    def to_bytes(self) -> bytes:
        """UTF-8, no blanks, no escapes beyond those JSON requires (rule-semantics 120)."""
        return json.dumps(self.as_json(), ensure_ascii=False, separators=(",", ":")).encode()


def signed(minor: int, currency: str) -> str:
    """ "+7410", "-300", "0"; a change always shows its direction."""
    return ("+" if minor > 0 else "") + (amount_text(minor, currency) if minor else "0")


def _line(line: LineDecision, currency: str) -> dict[str, Any]:
    return {
        "id": line.id,
        "sku": line.sku,
        "quantity": line.quantity,
        "list_price": None if line.list_price is None else plain(line.list_price),
        "unit_price": None if line.unit_price is None else plain(line.unit_price),
        "per": line.per,
        "amount": None if line.amount is None else amount_text(line.amount, currency),
        "tax": line.tax,
        "outcome": line.outcome,
        "steps": [_step(step) for step in line.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    out: dict[str, Any] = {"lane": step.lane}
    if step.code is not None:
        out["code"] = step.code
    out["unit_price"] = plain(step.unit_price)
    if step.per != 1:
        out["per"] = step.per
    if step.why is not None:
        out["why"] = dict(step.why)
    return _with_exception(out, step.exception)


def _with_exception(out: dict[str, Any], exception: str | None) -> dict[str, Any]:
    if exception is not None:
        out["exception"] = exception
    return out


def _surcharge(charge: Surcharge, currency: str) -> dict[str, Any]:
    out: dict[str, Any] = {
        "code": charge.code,
        "label": dict(charge.label),
        "amount": amount_text(charge.amount, currency),
        "tax": charge.tax,
        "lines": list(charge.lines),
    }
    return _with_exception(out, charge.exception)


def _issue(issue: Issue, currency: str) -> dict[str, Any]:
    out: dict[str, Any] = {
        "code": issue.code,
        "outcome": issue.outcome,
        "lines": list(issue.lines),
        "message": dict(issue.message),
        "have": issue.have,
        "need": issue.need,
        "fixes": [
            {"line": fix.line, "quantity": fix.quantity, "change": signed(fix.change, currency)}
            for fix in issue.fixes
        ],
    }
    return _with_exception(out, issue.exception)


def _offered(method: Offered, currency: str) -> dict[str, Any]:
    out: dict[str, Any] = {"code": method.code, "offered": method.offered}
    if method.amount is not None:
        out["amount"] = amount_text(method.amount, currency)
    if method.by is not None:
        out["by"] = method.by
    return out


def _tier(tier: Tier, currency: str) -> dict[str, Any]:
    out: dict[str, Any] = {
        "code": tier.code,
        "days": tier.days,
        "percent": plain(tier.percent),
        "offered": tier.offered,
        "amount": amount_text(tier.amount, currency),
        "by": tier.by,
    }
    for key in ("cutoff", "max_quantity", "per_day"):
        if (value := getattr(tier, key)) is not None:
            out[key] = value
    return out


def _discount(discount: Discount, currency: str) -> dict[str, Any]:
    return {
        "code": discount.code,
        "label": dict(discount.label),
        "amount": amount_text(discount.amount, currency),
        "lines": list(discount.lines),
        "tax": [
            {"category": category, "amount": amount_text(amount, currency)}
            for category, amount in discount.tax
        ],
    }


def _tax(row: TaxLine, currency: str) -> dict[str, Any]:
    return {
        "category": row.category,
        "rate": rate_text(row.rate),
        "base": amount_text(row.base, currency),
        "amount": amount_text(row.amount, currency),
    }

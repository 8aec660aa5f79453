"""Payment on account (掛け払い): closing day and payment day, or net days, as agreed with the company.

Whether the credit limit is kept is decided by the shop under its own lock; here it is only shown.
"""

import calendar
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal

from pydantic import Field

from plugins import (
    Availability,
    Available,
    Capability,
    CheckoutContext,
    Config,
    Hidden,
    Money,
    PaymentProvider,
    PaymentView,
    RawRequest,
    Result,
    TaxedMoney,
    WebhookEvent,
    hookimpl,
)

PLUGIN_API = 1


def _month_day(year: int, month: int, day: int) -> date:
    """That day, or the last of the month; months beyond 12 run on."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def closing_on(terms: Mapping[str, Any], on: date) -> date | None:
    """The closing date an order of `on` falls under; None for net days. Day 31 is the end of the month."""
    day = terms.get("closing_day")
    if day is None:
        return None
    closing = _month_day(on.year, on.month, int(day))
    return closing if on <= closing else _month_day(on.year, on.month + 1, int(day))


def due_on(terms: Mapping[str, Any], on: date) -> date:
    """When an order of `on` is to be paid, before `shifted`."""
    closing = closing_on(terms, on)
    if closing is not None:
        return _month_day(
            closing.year, closing.month + int(terms.get("pay_month", 1)), int(terms.get("pay_day", 31))
        )
    due = on + timedelta(days=int(terms.get("net_days", 30)))
    return _month_day(due.year, due.month, 31) if terms.get("end_of_month") else due


Shift = Literal["none", "previous", "next"]
_NEW_YEAR = ((12, 31), (1, 1), (1, 2), (1, 3))  # when Japanese banks are closed besides public holidays


@lru_cache(maxsize=16)
def _public_holidays(year: int) -> Collection[date]:
    import holidays  # when first asked: most shops do not shift

    return frozenset(holidays.country_holidays("JP", years=year, expand=False))


def is_bank_day(day: date) -> bool:
    """Whether Japanese banks move money on that day."""
    return (
        day.weekday() < 5 and (day.month, day.day) not in _NEW_YEAR and day not in _public_holidays(day.year)
    )


def shifted(due: date, shift: Shift) -> date:
    """The due date, or the bank day before or after it; the day before may lie in the month before."""
    step = {"none": 0, "previous": -1, "next": 1}[shift]
    while step and not is_bank_day(due):
        due += timedelta(days=step)
    return due


class Settings(Config):
    holiday_shift: Shift = Field(
        default="none",
        description="a due date on which banks are closed moves to the bank day before or after",
        json_schema_extra={"ja": "支払期日が銀行の休みに当たるとき、前か後の営業日に移します"},
    )


class NetTerms:
    id = "net_terms"
    label = {"ja": "掛け払い(請求書)", "en": "On account (invoice)"}
    capabilities = Capability.OFFLINE | Capability.AUTHORIZE | Capability.CAPTURE | Capability.VOID
    config = Settings

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def availability(self, ctx: CheckoutContext) -> Availability:
        """Hidden for visitors and for companies without agreed terms or a credit limit."""
        if ctx.buyer is None or not ctx.buyer.terms or ctx.buyer.credit_limit is None:
            return Hidden()
        due = self._due_on(ctx.buyer.terms, ctx.on)
        closing = closing_on(ctx.buyer.terms, ctx.on)
        if closing is None:
            return Available({"ja": f"{_ja(due)}お支払い", "en": f"Due {due:%a %-d %b}"})
        return Available(
            {
                "ja": f"{_ja(closing)}締め、{_ja(due)}お支払い",
                "en": f"Closes {closing:%a %-d %b}, due {due:%a %-d %b}",
            }
        )

    def _due_on(self, terms: Mapping[str, Any], on: date) -> date:
        return shifted(due_on(terms, on), self.settings.holiday_shift)

    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return None

    def start(self, payment: PaymentView, *, key: str, return_url: str) -> Result:
        """Authorized: the company owes the amount. Failed without terms, which availability hides."""
        terms = payment.buyer.terms if payment.buyer else None
        if not terms:
            reason = {
                "ja": "掛け払いのお取り決めがありません",
                "en": "There is no agreement to pay on account",
            }
            return Result("failed", None, payment.amount, key, buyer_message=reason, code="no_terms")
        closing = closing_on(terms, payment.on)
        due = {"closing_on": closing.isoformat()} if closing is not None else {}
        due["due_on"] = self._due_on(terms, payment.on).isoformat()
        return Result("authorized", _reference(payment), payment.amount, key, instructions=due)

    def fetch(self, payment: PaymentView) -> Result:
        return Result("authorized", _reference(payment), payment.amount, "")

    def capture(self, payment: PaymentView, amount: Money, *, key: str) -> Result:
        return Result("captured", _reference(payment), amount, key)

    def void(self, payment: PaymentView, *, key: str) -> Result:
        return Result("canceled", _reference(payment), payment.amount, key)

    def refund(self, payment: PaymentView, amount: Money, *, key: str, reason: str | None) -> Result:
        """Nothing was paid here: a credit note does this, so it is refused."""
        text = {"ja": "掛け払いの返金は返還請求書で行います", "en": "Use a credit note for orders on account"}
        return Result("failed", _reference(payment), amount, key, buyer_message=text, code="not_supported")

    def parse_webhook(self, raw: RawRequest) -> list[WebhookEvent]:
        return []


def _ja(day: date) -> str:
    return f"{day.month}月{day.day}日({'月火水木金土日'[day.weekday()]})"


def _reference(payment: PaymentView) -> str:
    return payment.provider_ref or f"NT-{payment.order_number}"


@hookimpl
def register_payment_providers() -> Sequence[type[PaymentProvider]]:
    return [NetTerms]

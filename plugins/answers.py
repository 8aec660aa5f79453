"""Checks what a plugin answered; each function returns what is wrong with it, or None."""

from collections.abc import Mapping
from decimal import Decimal

from plugins.contract import (
    STATUSES,
    Available,
    Disabled,
    Hidden,
    Money,
    NeedsQuotation,
    Rate,
    Result,
    TaxedMoney,
    Unavailable,
    WebhookEvent,
)


def bad_texts(texts: object) -> bool:
    return not (
        isinstance(texts, Mapping)
        and texts
        and all(language in ("ja", "en") and isinstance(text, str) for language, text in texts.items())
    )


def bad_availability(answer: object) -> str | None:
    if isinstance(answer, Disabled):
        return "Disabled without a reason in ja or en" if bad_texts(answer.reason) else None
    if isinstance(answer, Available):
        return "Available with a note that is no text" if answer.note and bad_texts(answer.note) else None
    return (
        None if isinstance(answer, Hidden) else f"returned {answer!r:.80}, not Available, Hidden or Disabled"
    )


def bad_money(money: object, currency: str) -> str | None:
    if not isinstance(money, Money):
        return f"{money!r:.80} is not Money"
    if money.currency != currency:
        return f"answered in {money.currency}, asked in {currency}"
    return f"a price of {money.minor} is below zero" if money.minor < 0 else None


def bad_rate(rate: object) -> str | None:
    if rate is None or (isinstance(rate, Decimal) and 0 <= rate <= 1):
        return None
    return f"{rate!r:.40} is not a tax rate from 0 to 1"


def bad_fee(fee: object, currency: str) -> str | None:
    if fee is None:
        return None
    if not isinstance(fee, TaxedMoney):
        return f"returned {fee!r:.80}, not TaxedMoney or None"
    return bad_money(fee.amount, currency) or bad_rate(fee.tax_rate)


def bad_quote(quoted: object, currency: str) -> str | None:
    if isinstance(quoted, NeedsQuotation | Unavailable):
        return "a refusal without a reason in ja or en" if bad_texts(quoted.reason) else None
    if not isinstance(quoted, list) or not quoted:
        return f"returned {quoted!r:.80}, not a list of rates, NeedsQuotation or Unavailable"
    for rate in quoted:
        if not isinstance(rate, Rate):
            return f"{rate!r:.80} is not a Rate"
        if wrong := bad_money(rate.price, currency) or bad_rate(rate.tax_rate):
            return wrong
        if not isinstance(rate.code, str) or bad_texts(rate.label):
            return "a rate without a code or a label in ja or en"
    return None


def bad_result(result: object, key: str | None = None) -> str | None:
    if not isinstance(result, Result):
        return f"returned {result!r:.80}, not a Result"
    if result.status not in STATUSES:
        return f"{result.status!r:.40} is not a status: {', '.join(STATUSES)}"
    if not isinstance(result.amount, Money):
        return f"{result.amount!r:.80} is not Money"
    if key is not None and result.attempt_key != key:
        return "answered for another attempt"
    if result.redirect_url is not None and not str(result.redirect_url).startswith("https://"):
        return "a redirect that is not https"
    return None


def bad_events(events: object) -> str | None:
    """What is wrong with the answer of parse_webhook. An event without an id could not be told from its repetition."""
    if not isinstance(events, list):
        return f"returned {events!r:.80}, not a list of WebhookEvent"
    for event in events:
        if not isinstance(event, WebhookEvent):
            return f"{event!r:.80} is not a WebhookEvent"
        if not all(isinstance(part, str) for part in (event.event_id, event.provider_ref, event.kind)):
            return "an event whose event_id, provider_ref or kind is no text"
        if not event.event_id:
            return "an event without an event_id"
    return None

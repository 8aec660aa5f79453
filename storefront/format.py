"""Numbers and dates as the shop writes them: ¥6,800, ¥97.50/個, 11月30日(月). Formats only; rounding is done before.

Minus is U+2212, added money has a plus, a unit price shows its decimals, and a date its weekday.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask, g
from markupsafe import Markup

from rules.money import CURRENCIES, symbol
from storefront.clock import in_shop_zone
from storefront.language import language, text

MINUS = "−"
_WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


_globals: Callable[[], Any] = g._get_current_object


def _shop_currency() -> str:
    from storefront.shop import current_shop

    here = _globals()
    known: str | None = here.get("koguchi_currency")
    if known is None:
        known = here.koguchi_currency = current_shop().settings.currency
    return known


def money(minor: int | None, currency: str | None = None, *, sign: bool = False) -> str:
    """Int minor units: ¥6,800, −¥300, with `sign` +¥800 and ±¥0. None is a dash."""
    if minor is None:
        return "—"
    currency = currency or _shop_currency()
    digits = CURRENCIES[currency]
    whole, rest = divmod(abs(minor), 10**digits)
    number = f"{whole:,}.{rest:0{digits}d}" if digits else f"{whole:,}"
    front = MINUS if minor < 0 else ("" if not sign else ("+" if minor > 0 else "±"))
    return f"{front}{symbol(currency)}{number}"


def price(amount: Decimal | None, currency: str | None = None, decimals: int | None = None) -> str:
    """A Decimal in major units with all its decimals, at least `decimals` (default two): ¥97.50."""
    if amount is None:
        return "—"
    currency = currency or _shop_currency()
    least = 2 if decimals is None else decimals
    places = max(-int(amount.normalize().as_tuple().exponent), least, 0)
    return f"{MINUS if amount < 0 else ''}{symbol(currency)}{abs(amount):,.{places}f}"


def unit_price(amount: Decimal | None, per: int = 1, unit: Any = None, currency: str | None = None) -> str:
    """A price per piece or per lot: ¥97.50/個, ¥1,170/100個; in English ¥97.50 per pc, ¥1,170 per 100 pcs.

    Per piece at least two decimals stand; per 100 or 1,000 a whole amount stands bare, as on a price sheet.
    """
    if amount is None:
        return "—"
    lot = price(amount, currency, decimals=0 if per > 1 and amount == amount.to_integral_value() else 2)
    name = unit_name(unit, per)
    if language() == "ja":
        return f"{lot}/{per:,}{name}" if per > 1 else f"{lot}/{name}"
    return f"{lot} per {per:,} {name}" if per > 1 else f"{lot} per {name}"


_SINGULAR = {
    "pcs": "pc",
    "bags": "bag",
    "boxes": "box",
    "sets": "set",
    "rolls": "roll",
    "sheets": "sheet",
    "packs": "pack",
}


def unit_name(unit: Any = None, count: int = 2) -> str:
    """個, or pc and pcs: a sales unit's name in the reader's language."""
    name = text(unit) if unit else {"ja": "個", "en": "pcs"}[language()]
    return _SINGULAR.get(name, name) if count == 1 and language() == "en" else name


def quantity(count: int | None, unit: Any = None) -> str:
    """1,200個; in English 1,200 pcs, 1 pc."""
    if count is None:
        return "—"
    gap = "" if language() == "ja" else "\u00a0"
    return f"{count:,}{gap}{unit_name(unit, abs(count))}"


def number(value: int | Decimal | None) -> str:
    """Thousands with commas, U+2212 for minus, no trailing zeros and no exponent."""
    if value is None:
        return "—"
    places = max(-int(Decimal(value).normalize().as_tuple().exponent), 0) if isinstance(value, Decimal) else 0
    return f"{MINUS if value < 0 else ''}{abs(value):,.{places}f}"


def percent(rate: Decimal | None) -> str:
    """A factor as a percentage: Decimal("0.1") is 10%, Decimal("0.085") 8.5%."""
    return "—" if rate is None else f"{number(rate * 100)}%"


def day_text(day: date | datetime, *, year: bool = False) -> str:
    """11月30日(月) or Mon 30 Nov; with `year` 2026年11月30日(月) or Mon 30 Nov 2026. A time becomes the shop's date."""
    if isinstance(day, datetime):
        day = in_shop_zone(day).date()
    if language() == "ja":
        return f"{f'{day.year}年' if year else ''}{day.month}月{day.day}日({_WEEKDAYS['ja'][day.weekday()]})"
    return (
        f"{_WEEKDAYS['en'][day.weekday()]} {day.day} {_MONTHS[day.month - 1]}{f' {day.year}' if year else ''}"
    )


def day(value: date | datetime | None, *, year: bool = False) -> Markup:
    """A date in <time>, with its weekday."""
    if value is None:
        return Markup("—")
    iso = (in_shop_zone(value).date() if isinstance(value, datetime) else value).isoformat()
    return Markup('<time datetime="{}">{}</time>').format(iso, day_text(value, year=year))


def moment(value: datetime | None, *, year: bool = False) -> Markup:
    """A time of day after its date: 11月20日(金) 10:20, in the shop's time zone."""
    if value is None:
        return Markup("—")
    local = in_shop_zone(value)
    return Markup('<time datetime="{}">{} {}:{:02d}</time>').format(
        local.isoformat(timespec="minutes"), day_text(value, year=year), local.hour, local.minute
    )


def init_app(app: Flask) -> None:
    """Offer these as template filters."""
    filters = (money, price, unit_price, unit_name, quantity, number, percent, day, day_text, moment)
    app.jinja_env.filters.update({one.__name__: one for one in filters})

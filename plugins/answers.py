"""Checks what a plugin answered; each function returns what is wrong with it, or None."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from plugins.contract import (
    STATUSES,
    AdminPage,
    Available,
    Block,
    Disabled,
    Health,
    Hidden,
    Link,
    Money,
    NeedsQuotation,
    PageView,
    Rate,
    Result,
    TableView,
    TaxedMoney,
    Unavailable,
    WebhookEvent,
)

MOST_MINOR = 10**15  # more than any order, and less than a column of the database holds
LONGEST_REFERENCE, LONGEST_PAGE, LONGEST_CODE = 255, 2_000, 64  # characters that are kept
MOST_RATES, MOST_SLOTS = 100, 100
LONGEST_SLOT = 40  # as a form sends it back and an order keeps it
MOST_BLOCKS, LONGEST_BLOCK = 5, 2_000  # of one plugin in one slot; characters
MOST_PAGES, MOST_TABLES, MOST_ROWS = 20, 20, 1_000
_PAGE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_CELL = (str, int, Decimal, Money, date)  # a moment is a date, and so is True an int


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
    if money.minor > MOST_MINOR:
        return f"a price of {len(str(money.minor))} digits"
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
    if len(quoted) > MOST_RATES:
        return f"returned {len(quoted)} rates, at most {MOST_RATES}"
    for rate in quoted:
        if not isinstance(rate, Rate):
            return f"{rate!r:.80} is not a Rate"
        if wrong := _bad_days(rate):
            return wrong
        if wrong := bad_money(rate.price, currency) or bad_rate(rate.tax_rate):
            return wrong
        if not isinstance(rate.code, str) or bad_texts(rate.label):
            return "a rate without a code or a label in ja or en"
    return None


def _bad_days(rate: Rate) -> str | None:
    for name in ("earliest", "latest"):
        day = getattr(rate, name)
        if day is not None and (not isinstance(day, date) or isinstance(day, datetime)):
            return f"{name} is {day!r:.60}, not a date"
    if not isinstance(rate.slots, tuple) or not all(isinstance(slot, str) for slot in rate.slots):
        return f"slots is {rate.slots!r:.60}, not a tuple of texts"
    odd = next((slot for slot in rate.slots if not _is_slot(slot)), None)
    if odd is not None:
        return f"the slot {odd!r:.60} is no text of 1 to {LONGEST_SLOT} characters with single blanks"
    if len(rate.slots) > MOST_SLOTS:
        return f"{len(rate.slots)} slots, at most {MOST_SLOTS}"
    for name in ("cutoff", "carrier"):
        told = getattr(rate, name)
        if told is not None and not isinstance(told, str):
            return f"{name} is {told!r:.60}, not a text"
    return None


def _is_slot(slot: str) -> bool:
    """Whether a form sends the text back as it is: short, printable, with single blanks."""
    return 0 < len(slot) <= LONGEST_SLOT and slot.isprintable() and " ".join(slot.split()) == slot


def bad_result(result: object, key: str | None = None) -> str | None:
    if not isinstance(result, Result):
        return f"returned {result!r:.80}, not a Result"
    if result.status not in STATUSES:
        return f"{result.status!r:.40} is not a status: {', '.join(STATUSES)}"
    if not isinstance(result.amount, Money):
        return f"{result.amount!r:.80} is not Money"
    if key is not None and result.attempt_key != key:
        return "answered for another attempt"
    if abs(result.amount.minor) > MOST_MINOR:
        return f"an amount of {len(str(result.amount.minor))} digits"
    return _bad_words(result) or _bad_details(result)


def _bad_words(result: Result) -> str | None:
    for name, longest in (
        ("provider_ref", LONGEST_REFERENCE),
        ("code", LONGEST_CODE),
        ("redirect_url", LONGEST_PAGE),
    ):
        told = getattr(result, name)
        if told is None:
            continue
        if not isinstance(told, str) or len(told) > longest:
            return f"{name} is {told!r:.60}, not a text of at most {longest} characters"
    if result.redirect_url is not None and not result.redirect_url.startswith("https://"):
        return "a redirect that is not https"
    return None


def _bad_details(result: Result) -> str | None:
    for name in ("buyer_message", "notice"):
        texts = getattr(result, name)
        if texts is not None and bad_texts(texts):
            return f"{name} is {texts!r:.80}, not a table with ja or en"
    until = result.expires_at
    if until is not None and (not isinstance(until, datetime) or until.utcoffset() is None):
        return f"expires_at is {until!r:.60}, not a datetime with its zone"
    given = result.instructions
    if given is not None and not (
        isinstance(given, Mapping) and all(isinstance(part, str) for pair in given.items() for part in pair)
    ):
        return f"instructions is {given!r:.80}, not a table of text to text"
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
        if not event.event_id or len(event.event_id) > LONGEST_REFERENCE:
            return f"an event without an event_id of 1 to {LONGEST_REFERENCE} characters"
    return None


# ---- hooks


def bad_return(nothing: object) -> str | None:
    """An event hook says that it failed by raising; any answer might mean that it did."""
    if nothing is None:
        return None
    return f"returned {nothing!r:.80}, an event hook returns None: raise to be told again"


def bad_health(health: object) -> str | None:
    if not isinstance(health, Health) or type(health.is_well) is not bool:
        return f"returned {health!r:.80}, not Health(is_well, said)"
    return "Health with said that is no text" if health.said is not None and bad_texts(health.said) else None


def bad_blocks(blocks: object) -> str | None:
    if not isinstance(blocks, list | tuple):
        return f"returned {blocks!r:.80}, not a list of Block"
    if len(blocks) > MOST_BLOCKS:
        return f"returned {len(blocks)} blocks, at most {MOST_BLOCKS} fit"
    for block in blocks:
        if not isinstance(block, Block):
            return f"{block!r:.80} is not a Block"
        if bad_texts(block.title) or bad_texts(block.body):
            return "a Block without title or body in ja or en"
        if any(len(text) > LONGEST_BLOCK for text in (*block.title.values(), *block.body.values())):
            return f"a Block with more than {LONGEST_BLOCK:,} characters"
        if block.link is not None and (wrong := bad_link(block.link)):
            return wrong
    return None


def bad_link(link: object) -> str | None:
    if not isinstance(link, Link) or bad_texts(link.label) or not isinstance(link.url, str):
        return f"{link!r:.80} is not a Link with a label in ja or en"
    url = link.url
    is_ours = url.startswith("/") and not url.startswith("//")
    is_plain = url.isprintable() and "\\" not in url and " " not in url and len(url) <= LONGEST_BLOCK
    if is_plain and (is_ours or re.match(r"https://[^/?#]", url)):
        return None
    return f"a link to {url!r:.80}: it must begin with https:// or be a path of the shop, such as /products"


def bad_pages(pages: object) -> str | None:
    if not isinstance(pages, list | tuple) or len(pages) > MOST_PAGES:
        return f"returned {pages!r:.80}, not a list of at most {MOST_PAGES} AdminPage"
    for page in pages:
        if not isinstance(page, AdminPage) or bad_texts(page.title) or not callable(page.show):
            return f"{page!r:.80} is not an AdminPage with a title in ja or en and a function show"
        if not isinstance(page.id, str) or not _PAGE_ID.fullmatch(page.id):
            return f"{page.id!r:.80} is no id of a page: small letters, digits and hyphens"
    if len({page.id for page in pages}) < len(pages):
        return "two pages with one id"
    return None


def bad_view(view: object) -> str | None:
    """What is wrong with what a page shows."""
    if not isinstance(view, PageView) or not isinstance(view.texts, list | tuple):
        return f"returned {view!r:.80}, not a PageView"
    if any(bad_texts(text) for text in view.texts):
        return "a text that is not in ja or en"
    if not isinstance(view.tables, list | tuple) or len(view.tables) > MOST_TABLES:
        return f"tables that are no list of at most {MOST_TABLES}"
    return next((wrong for table in view.tables if (wrong := _bad_table(table))), None)


def _bad_table(table: object) -> str | None:
    if not isinstance(table, TableView) or bad_texts(table.title):
        return f"{table!r:.80} is not a TableView with a title in ja or en"
    if not isinstance(table.columns, list | tuple) or any(bad_texts(each) for each in table.columns):
        return "a column without a title in ja or en"
    if not isinstance(table.rows, list | tuple) or len(table.rows) > MOST_ROWS:
        return f"rows that are no list of at most {MOST_ROWS:,}"
    for row in table.rows:
        if not isinstance(row, list | tuple) or len(row) != len(table.columns):
            return f"a row {row!r:.80} that does not fit its {len(table.columns)} columns"
        for cell in row:
            if isinstance(cell, Mapping) and not bad_texts(cell):
                continue
            if cell is not None and (not isinstance(cell, _CELL) or isinstance(cell, bool)):
                return f"a cell {cell!r:.80}: texts, numbers, Money, dates and moments are shown"
    return None

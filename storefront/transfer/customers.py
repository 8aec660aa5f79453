"""customers.csv: companies in and out. The columns are those of a shop folder's customers.csv.

Never makes users or sends anything: an account for a person is the accounts' business. Credit is audited.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from rules.money import CURRENCIES, to_major, to_minor
from storefront import audit
from storefront.accounts import COMPANY_STATES, Company, User
from storefront.database import locked
from storefront.transfer import columns, sheet
from storefront.transfer.cells import (
    CellError,
    Parser,
    flag,
    one_of,
    pattern,
    price,
    text,
    whole,
    word,
    words,
)
from storefront.transfer.columns import Column, Kind, plain_column
from storefront.transfer.records import (
    CHANGED,
    NEW,
    SAME,
    Limits,
    Plan,
    PlanRefusedError,
    Record,
    RowError,
    Rows,
    ShopFacts,
)

LIMITS = Limits()
SHOP = ShopFacts()
KEY = "code"
VERBS = {NEW: "add", CHANGED: "change"}
TERMS = ("closing_day", "pay_month", "pay_day", "net_days", "end_of_month")
_CLOSING = ("closing_day", "pay_month", "pay_day")
# Facts of rules that the shop computes from its own orders; a file may carry them and they change nothing.
COMPUTED = frozenset({"orders", "since_days", "credit_left", "known"})


def _terms_column(name: str, parse: Parser) -> Column:
    """One part of the payment terms; `faults` sees to it that the set is whole."""

    def put(row: Any, value: int | bool | None) -> None:
        rest = {key: old for key, old in (row.terms or {}).items() if key != name}
        if value is not None and value is not False:
            rest[name] = value
        row.terms = rest or None

    return Column(name, parse, lambda row: (row.terms or {}).get(name), put)


def _note_column(name: str, limit: int) -> Column:
    return plain_column(name, text(limit, lines=True), empty="")


def kind(currency: str = "JPY") -> Kind:
    """The columns; credit limits are major units of `currency` in the file and minor ones in the database."""

    def get_limit(row: Any) -> Decimal | None:
        return None if row.credit_limit_minor is None else to_major(row.credit_limit_minor, currency)

    def put_limit(row: Any, value: Decimal | None) -> None:
        row.credit_limit_minor = None if value is None else to_minor(value, currency)

    every = (
        plain_column("code", word(64, forbidden="/\\?#% "), required=True),
        plain_column("name", text(200), required=True),
        plain_column("name_kana", text(200), empty=""),
        plain_column("group", word(64, forbidden=" ")),
        plain_column("tags", words(64), empty=[]),
        plain_column("country", pattern("[A-Z]{2}", "JP"), empty="JP"),
        plain_column("region", pattern("[A-Z]{2}-[A-Z0-9]{1,3}", "JP-27")),
        Column("credit_limit", price, get_limit, put_limit),
        plain_column("language", one_of(("ja", "en")), empty="ja"),
        _terms_column("closing_day", whole(1, 31)),
        _terms_column("pay_month", whole(0, 12)),
        _terms_column("pay_day", whole(1, 31)),
        _terms_column("net_days", whole(0, 365)),
        _terms_column("end_of_month", flag),
        _note_column("payment_notes", 1000),
        _note_column("note", 2000),
        plain_column("status", one_of(COMPANY_STATES), empty="active"),
    )
    return Kind("customers", KEY, {column.name: column for column in every}, COMPUTED)


KIND = kind()


def terms_fault(terms: dict[str, Any]) -> CellError | None:
    """Why these parts are no payment terms (rule-semantics 131), or None. Not all months have a 30th."""
    given = [name for name in TERMS if terms.get(name) is not None and terms[name] is not False]
    if not given:
        return None
    if given == ["end_of_month"]:
        return CellError("terms_part", column="end_of_month", missing="net_days")
    if "net_days" in given and any(name in given for name in _CLOSING):
        return CellError("terms_both", column="net_days")
    missing = [name for name in _CLOSING if name not in given]
    if "net_days" not in given and missing:
        return CellError("terms_part", column=missing[0], missing=", ".join(missing))
    for name in ("closing_day", "pay_day"):
        if terms.get(name) in (29, 30):
            return CellError("closing_day", column=name, value=terms[name])
    return None


def read(data: bytes, limits: Limits = LIMITS) -> Rows:
    """The rows of a customers.csv, typed, with every error. Pure."""
    return columns.read(data, KIND, limits)


def plan(session: Session, rows: Rows, shop: ShopFacts = SHOP) -> Plan:
    """What these rows would change, and why they may not. Writes nothing."""
    return _plan(session, rows, shop, lock=False)


def _plan(session: Session, rows: Rows, shop: ShopFacts, *, lock: bool) -> Plan:
    chosen = kind(shop.currency)
    found = _companies(session, [record.values[KEY] for record in rows.records], lock=lock)
    errors = list(rows.errors)
    changes = []
    for record in rows.records:
        company = found.get(record.values[KEY])
        errors += faults(record, company, shop.currency)
        changes.append(columns.compare(record, company, chosen, rows.encoding))
    return Plan("customers", rows, tuple(changes), tuple(sorted(errors, key=lambda one: one.line)))


def faults(record: Record, company: Company | None, currency: str) -> list[RowError]:
    """What is wrong with the facts of a row taken together, and with what the company has."""
    values, found = record.values, []
    if company is None and not values.get("name"):
        found.append(RowError(record.line, "name", "required"))
    limit = values.get("credit_limit")
    if limit is not None and limit != round(limit, CURRENCIES[currency]):
        found.append(RowError(record.line, "credit_limit", "minor", {"value": limit, "currency": currency}))
    region, country = (values.get(name, getattr(company, name, None)) for name in ("region", "country"))
    if (
        region
        and not region.startswith(f"{country or 'JP'}-")
        and ("region" in values or "country" in values)
    ):
        found.append(
            RowError(record.line, "region", "region_country", {"value": region, "country": country or "JP"})
        )
    old = (company.terms or {}) if company is not None else {}
    fault = terms_fault({name: values.get(name, old.get(name)) for name in TERMS})
    if fault is not None and any(name in values for name in TERMS):
        found.append(RowError(record.line, fault.values["column"], fault.problem, fault.values))
    return found


def apply(session: Session, plan: Plan, actor: User | None, shop: ShopFacts = SHOP) -> dict[str, int]:
    """Write the plan inside the caller's write transaction: all of it, or PlanRefusedError and nothing.

    Looks again under lock: when a company has changed since then, the new plan is in the refusal.
    Returns how many rows were new, changed and same.
    """
    fresh = _plan(session, plan.rows, shop, lock=True)
    if not fresh.is_ok or fresh.fingerprint != plan.fingerprint:
        raise PlanRefusedError(fresh)
    chosen = kind(shop.currency)
    found = _companies(session, [record.values[KEY] for record in plan.rows.records])
    for record, change in zip(plan.rows.records, fresh.changes, strict=True):
        if change.state == SAME:
            continue
        company = found.get(change.key) or _new(session, change.key)
        columns.put(record, change, company, chosen)
        before = {part.column: part.old for part in change.fields if change.state != NEW}
        after = {part.column: part.new for part in change.fields}
        audit.record(session, actor, VERBS[change.state], f"company:{change.key}", before, after)
    session.flush()
    return fresh.counts


def _new(session: Session, code: str) -> Company:
    company = Company(code=code, name=code, tags=[])
    session.add(company)
    return company


def _companies(session: Session, codes: Sequence[str], *, lock: bool = False) -> dict[str, Company]:
    found: dict[str, Company] = {}
    ordered = sorted(codes)
    for start in range(0, len(ordered), 500):
        query = select(Company).where(Company.code.in_(ordered[start : start + 500])).order_by(Company.code)
        found |= {company.code: company for company in session.scalars(locked(query) if lock else query)}
    return found


def export(session: Session, encoding: str = "utf-8", shop: ShopFacts = SHOP) -> bytes:
    """Every company as customers.csv, by code. Raises sheet.UncodableError when CP932 cannot hold it."""
    chosen = kind(shop.currency)
    names = list(chosen.columns)
    companies = session.scalars(select(Company).order_by(Company.code))
    return sheet.write(names, columns.table(companies, names, chosen), encoding)

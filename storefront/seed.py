"""Puts a shop folder's own files into its database: categories, products, customers, addresses, people, stock.

Adds what is not there and never changes what is: a second seed changes nothing, and nothing the desk changed is lost.
"""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.accounts import Address, Application, Company, User
from storefront.catalog import Category, Product
from storefront.clock import today
from storefront.database import write
from storefront.shop import current_shop
from storefront.stock import StockItem, adjust
from storefront.transfer import PlanRefusedError, ShopFacts, customers, messages, products

ACTOR = "seed"


class SeedError(Exception):
    """A file of the shop folder cannot be taken; the message names file, line and reason."""


def seed_shop(app: Flask) -> Counter[str]:
    """Make the tables and add what is missing, in one transaction; what was added, by kind."""
    make_tables(app)
    added: Counter[str] = Counter()
    with app.app_context(), write() as session:
        folder = current_shop().settings.folder
        for kind, step in _STEPS:
            added[kind] = step(session, folder)
    return added


def make_tables(app: Flask) -> None:
    """Bring the database to the newest revision."""
    from storefront import schema

    schema.upgrade(app.extensions["koguchi"].engine)


def _categories(session: Session, folder: Path) -> int:
    known = set(session.scalars(select(Category.path)))
    fresh = [
        Category(
            path=row["path"],
            name={"ja": row["name_ja"], "en": row["name_en"]},
            position=int(row["position"] or 0),
        )
        for row in _rows(folder / "categories.csv")
        if row["path"] not in known
    ]
    session.add_all(fresh)
    session.flush()
    return len(fresh)


def _products(session: Session, folder: Path) -> int:
    return _transfer(products, session, folder / "products.csv", set(session.scalars(select(Product.sku))))


def _customers(session: Session, folder: Path) -> int:
    return _transfer(customers, session, folder / "customers.csv", set(session.scalars(select(Company.code))))


def _transfer(kind: Any, session: Session, path: Path, known: set[str]) -> int:
    """Import the rows whose key the database does not have, with the checks of any other import."""
    if not path.is_file():
        return 0
    rows = kind.read(path.read_bytes())
    if not rows.errors:
        fresh = tuple(record for record in rows.records if record.values[kind.KEY] not in known)
        if not fresh:
            return 0
        rows = replace(rows, records=fresh)
    facts = _shop_facts()
    plan = kind.plan(session, rows, facts)
    try:
        kind.apply(session, plan, None, facts)
    except PlanRefusedError as refused:
        told = "\n".join(f"{path}: {messages.place(one)}: {messages.say(one)}" for one in refused.plan.errors)
        raise SeedError(told) from None
    return len(rows.records)


def _shop_facts() -> ShopFacts:
    settings = current_shop().settings
    with (settings.folder / "shop.toml").open("rb") as file:
        rates = tomllib.load(file).get("tax", {}).get("rates", [])
    known = tuple(dict.fromkeys(rate["category"] for rate in rates))
    return ShopFacts(settings.currency, known) if known else ShopFacts(settings.currency)


def _addresses(session: Session, folder: Path) -> int:
    """addresses.csv: the first of a company is its default one."""
    companies = {company.code: company.id for company in session.scalars(select(Company))}
    known = {(one.company_id, one.label) for one in session.scalars(select(Address))}
    have_default = {company_id for company_id, _label in known}
    added = 0
    for number, row in enumerate(_rows(folder / "addresses.csv"), start=2):
        code = row.pop("company")
        if code not in companies:
            raise SeedError(f"{folder / 'addresses.csv'}: Line {number}: there is no customer {code}")
        company_id = companies[code]
        if (company_id, row["label"]) not in known:
            session.add(Address(company_id=company_id, is_default=company_id not in have_default, **row))
            have_default.add(company_id)
            added += 1
    session.flush()
    return added


def _people(session: Session, folder: Path) -> int:
    """people.toml: demo logins, all with the one password that stands in it."""
    from flask_security import hash_password

    password, people = demo_people(folder)
    companies = {company.code: company.id for company in session.scalars(select(Company))}
    known = set(session.scalars(select(User.email)))
    fresh = [person for person in people if person["email"] not in known]
    for person in fresh:
        code = person.get("company")
        if code is not None and code not in companies:
            raise SeedError(f"{folder / 'people.toml'}: {person['email']}: there is no customer {code}")
        session.add(
            User(
                email=person["email"],
                name=person["name"],
                role=person["role"],
                language=person.get("language", "ja"),
                company_id=companies[code] if code is not None else None,
                order_limit_minor=person.get("order_limit"),
                password=hash_password(password),
            )
        )
    session.flush()
    return len(fresh)


def _applications(session: Session, folder: Path) -> int:
    """people.toml: firms that wait for the owner's answer."""
    known = set(session.scalars(select(Application.email)))
    fresh = [entry for entry in _people_toml(folder).get("applications", ()) if entry["email"] not in known]
    session.add_all(Application(**entry) for entry in fresh)
    session.flush()
    return len(fresh)


def demo_people(folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """The password and the people of people.toml; nobody when there is no such file."""
    table = _people_toml(folder)
    return table.get("password", ""), table.get("people", [])


def _people_toml(folder: Path) -> dict[str, Any]:
    path = folder / "people.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _stock(session: Session, folder: Path) -> int:
    """stock.csv: buffer, backorder and next arrival of products that have no such things yet."""
    ids: dict[str, int] = dict(session.execute(select(Product.sku, Product.id)).all())
    changed = 0
    for row in _rows(folder / "stock.csv"):
        item = session.get(StockItem, ids[row["sku"]])
        if item is None:
            adjust(session, ids[row["sku"]], 0, actor=ACTOR, reason="seed")
            session.flush()
            item = session.get_one(StockItem, ids[row["sku"]])
        if item.buffer or item.backorder_limit or item.next_arrival_on:
            continue
        days = int(row["arrives_in_days"] or 0)
        item.buffer, item.backorder_limit = int(row["buffer"] or 0), int(row["backorder_limit"] or 0)
        item.next_arrival_on = today() + timedelta(days=days) if days else None
        changed += 1
    return changed


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)


_STEPS: tuple[tuple[str, Callable[[Session, Path], int]], ...] = (
    ("categories", _categories),
    ("products", _products),
    ("customers", _customers),
    ("addresses", _addresses),
    ("people", _people),
    ("applications", _applications),
    ("stock notes", _stock),
)

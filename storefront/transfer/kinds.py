"""The three kinds of files through one door, bound to the shop at work: what the desk and the CLI call."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from storefront.accounts import User
from storefront.rulebook import NoRulesError
from storefront.shop import Shop, current_shop
from storefront.transfer import customers, price_tables, products
from storefront.transfer.price_tables import TablePlan
from storefront.transfer.records import Plan, Rows, ShopFacts

KINDS = ("products", "customers", "price-table")


class Transfer:
    """One kind of file for one shop. `table` is the name of a price table and means nothing for other kinds."""

    def __init__(self, kind: str, table: str = "", shop: Shop | None = None) -> None:
        if kind not in KINDS:
            raise KeyError(kind)
        self.kind, self.table = kind, table
        self.shop = shop or current_shop()

    @property
    def folder(self) -> Path:
        return self.shop.settings.folder

    @property
    def facts(self) -> ShopFacts:
        """What cells may hold, from the rules in force and the settings; the usual tax categories without rules."""
        try:
            policy = self.shop.rulebook.current().policy
        except NoRulesError:
            return ShopFacts(self.shop.settings.currency)
        return ShopFacts(
            self.shop.settings.currency, tuple(sorted({rate.category for rate in policy.tax_rates}))
        )

    def read(self, data: bytes) -> Rows:
        """The rows of the file, typed, with every error."""
        if self.kind == "products":
            return products.read(data)
        return customers.read(data) if self.kind == "customers" else price_tables.read(data)

    def plan(self, session: Session, rows: Rows) -> Plan:
        """What applying would change, and why it may not be done."""
        if self.kind == "products":
            return products.plan(session, rows, self.facts)
        if self.kind == "customers":
            return customers.plan(session, rows, self.facts)
        return price_tables.plan(self.folder, self.table, rows, self.shop.rulebook.catalog())

    def apply(self, session: Session, plan: Plan, actor: User | None) -> dict[str, int]:
        """Write it inside the caller's write transaction; PlanRefusedError, and nothing, when it may not be."""
        if self.kind == "products":
            return products.apply(session, plan, actor, self.facts)
        if self.kind == "customers":
            return customers.apply(session, plan, actor, self.facts)
        if not isinstance(plan, TablePlan):
            raise TypeError("a price table needs its own plan")
        return price_tables.apply(session, plan, actor, self.folder)

    def export(self, session: Session, encoding: str) -> bytes | None:
        """The file as it would be taken back; None when there is no such price table."""
        if self.kind == "products":
            return products.export(session, encoding)
        if self.kind == "customers":
            return customers.export(session, encoding, self.facts)
        return price_tables.export(self.folder, self.table, encoding)

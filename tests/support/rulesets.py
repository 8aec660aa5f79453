"""Small shop folders for tests of the rules: texts in, a loaded rule set out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from rules import Catalog, Decision, Ruleset, evaluate, load_ruleset, read_cart
from rules.facts import Customer, Product

ON = date(2026, 12, 1)
PRODUCTS = {
    "M4-10": Product(
        "M4-10", category="screws/pan", list_price=Decimal(120), batch="m4", weight_g=Decimal("1.6")
    ),
    "M4-20": Product(
        "M4-20", category="screws/pan", list_price=Decimal(150), batch="m4", weight_g=Decimal(2)
    ),
    "N4": Product("N4", category="nuts", list_price=Decimal("11.7"), tags=("steel",), brand="Aoyagi"),
    "SALT": Product("SALT", category="food", list_price=Decimal(680), tax="reduced"),
    "BOX": Product("BOX", category="boxes", list_price=Decimal(10), pieces_per_case=12),
    "WIRE": Product("WIRE", category="wire", list_price=Decimal("0.5"), unit="m", pieces_per_unit=100),
    "ODD": Product("ODD", category="odd"),
}
CUSTOMERS = {
    "ACME": Customer("ACME", group="standard", tags=("loyal",), country="JP", region="JP-27"),
    "BETA": Customer("BETA", group="trial", country="JP", region="JP-13"),
    "GOLD": Customer("GOLD", group="gold", country="JP", region="JP-27"),
}
CATALOG = Catalog(PRODUCTS, CUSTOMERS)
METHODS = frozenset({"flat_rate", "table_rate", "pickup", "bank_transfer", "net_terms", "cash_on_delivery"})


def folder(tmp_path: Path, files: dict[str, str]) -> Path:
    """Write `files`; a rule may be called by its code alone."""
    for name, text in files.items():
        path = tmp_path / (name if "." in name else f"rules/{name}.toml")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent.name == "rules" and not text.startswith("code ="):
            text = f'code = "{path.stem}"\nname = "{path.stem}"\n{text}'
        path.write_text(text, encoding="utf-8")
    return tmp_path


def load(tmp_path: Path, **files: str) -> Ruleset:
    """A rule set of these rules (by code), which must be free of errors."""
    return load_files(tmp_path, files)


def load_files(tmp_path: Path, files: dict[str, str]) -> Ruleset:
    loaded = load_ruleset(folder(tmp_path, files), CATALOG, METHODS, ON)
    assert loaded.ruleset is not None, "\n".join(str(finding) for finding in loaded.findings)
    return loaded.ruleset


def decide(ruleset: Ruleset, *wanted: tuple[str, int], explain: bool = False, **cart: Any) -> Decision:
    """Decide a cart of (sku, quantity) lines; further keys are those of the cart's JSON."""
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in wanted]
    read, on = read_cart({"lines": lines, **cart}, ruleset, CATALOG)
    return evaluate(ruleset, read, on or ON, explain=explain)

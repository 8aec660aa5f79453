"""Random shop folders and carts in a small world, where rules meet, tie, count together and contradict each other.

Everything is drawn from one random source, so a seed is a case. Texts only; the rules' own loader reads them.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from rules import Catalog
from rules.facts import Customer, Product

PRODUCTS = {
    "A1": Product(
        "A1", category="screws/pan", brand="aoyagi", tags=("steel", "long"), batch="m4", list_price=Decimal(120),
        weight_g=Decimal("1.6"), attributes={"size": 4, "finish": "zinc", "rohs": True},
    ),
    "A2": Product(
        "A2", category="screws/pan", brand="aoyagi", tags=("steel",), batch="m4", list_price=Decimal("97.5"),
        weight_g=Decimal(2), cost=Decimal(40), attributes={"size": Decimal("4.0"), "finish": "brass"},
    ),
    "B1": Product("B1", category="screws", tags=(), list_price=Decimal("11.7654"), tax="reduced", weight_g=Decimal(5)),
    "C1": Product("C1", category="nuts", brand="sato", tags=("brass",), attributes={"size": "4"}, cadence="weekly"),
    "D1": Product("D1", category="boxes", list_price=Decimal(10), pieces_per_case=12, tax="exempt", setup_key="box"),
    "E1": Product("E1", list_price=Decimal("0.005"), batch="wire", unit="m", pieces_per_unit=100),
}  # fmt: skip
CUSTOMERS = {
    "ACME": Customer("ACME", group="standard", tags=("loyal", "vip"), country="JP", region="JP-27", orders=3,
                     since_days=100, credit_limit=Decimal(5000), credit_left=Decimal(3000)),
    "BETA": Customer("BETA", group="trial", tags=(), country="JP", region="JP-13", orders=0),
    "GAMMA": Customer("GAMMA", country="GB", region="GB-LND", credit_left=Decimal(0)),
}  # fmt: skip
CATALOG = Catalog(PRODUCTS, CUSTOMERS)
METHODS = ("flat_rate", "table_rate", "pickup", "bank_transfer", "net_terms")
GROUPS = {
    "CA": "catalog", "PR": "price", "QT": "quantity", "SC": "surcharge", "DC": "discount", "OR": "order",
    "LT": "lead_time", "SH": "shipping", "PM": "payment",
}  # fmt: skip
_QUANTITIES = (1, 2, 3, 5, 6, 9, 10, 11, 12, 13, 20, 24, 25, 30)


class Shop:
    """One random shop: `files` is path to text, made by `draw`."""

    def __init__(self, draw: Random) -> None:
        self.draw = draw
        self.files: dict[str, str] = {}
        self.currency = draw.choice(("JPY", "JPY", "GBP"))
        self.codes: list[str] = []
        self.kinds: dict[str, dict[str, Any]] = {}
        only = draw.choice(
            (None, None, None, ("PR",), ("QT",), ("QT", "SC"), ("PR", "QT"), ("OR", "SH", "PM", "SC"))
        )
        weights = {"PR": 5, "QT": 5, "SC": 3}
        letters = [one for one in only or GROUPS for _ in range(weights.get(one, 1))]
        for number in range(1, draw.randint(1, 9) + 1):
            self.codes.append(f"{draw.choice(letters)}{number}")
        self.shop_toml()
        for code in self.codes:
            self.rule(code)
        for number in range(draw.choice((0, 0, 0, 1, 2))):
            self.exception(f"e{number}")

    # ---- values

    def amount(self, most: int = 500) -> Any:
        whole = self.draw.choice((0, 1, 7, 50, 100, 333, self.draw.randint(0, most)))
        if self.currency == "GBP" and self.draw.random() < 0.4:
            return Decimal(whole) + Decimal(self.draw.randint(0, 99)) / 100
        return whole

    def unit_price(self) -> Any:
        return self.draw.choice((0, 1, 98, 120, Decimal("97.5"), Decimal("0.333333"), Decimal("11.70"), 1170))

    def percent(self) -> Any:
        return self.draw.choice((0, 1, 5, 10, Decimal("12.5"), Decimal("33.333333"), 100))

    def some(self, values: Any, least: int = 1) -> list[Any]:
        values = list(values)
        return self.draw.sample(values, self.draw.randint(least, len(values)))

    def sometimes(self, chance: float) -> bool:
        return self.draw.random() < chance

    # ---- files

    def shop_toml(self) -> None:
        policy: dict[str, Any] = {"currency": self.currency}
        if self.sometimes(0.3):
            policy["price_choice"] = "lowest"
        if self.sometimes(0.5):
            policy["amount_rounding"] = self.draw.choice(("half_up", "floor", "ceil"))
        text = table("policy", policy)
        if self.sometimes(0.6):
            tax: dict[str, Any] = {"rounding": self.draw.choice(("floor", "half_up", "ceil"))}
            if self.sometimes(0.5):
                tax["default"] = self.draw.choice(("standard", "reduced"))
            if self.sometimes(0.5):
                rates: list[dict[str, Any]] = [
                    {"category": "standard", "rate": Decimal("0.10")},
                    {"category": "reduced", "rate": self.draw.choice((Decimal("0.08"), Decimal("0.10")))},
                    {"category": "exempt", "rate": self.draw.choice((0, Decimal("0.0825")))},
                    {"category": "reduced", "rate": Decimal("0.12"), "from": Day("2026-12-02")},
                ]
                tax["rates"] = rates
            text += table("tax", tax)
        self.files["shop.toml"] = text

    def rule(self, code: str) -> None:
        draw = self.draw
        head: dict[str, Any] = {"code": code, "name": code}
        if self.sometimes(0.3):
            head["because"] = {"ja": f"理由{code}"}
        if self.sometimes(0.15):
            head["from"] = Day(draw.choice(("2026-11-30", "2026-12-01", "2026-12-02")))
        if self.sometimes(0.15):
            head["until"] = Day(draw.choice(("2026-12-02", "2026-12-03", "2027-01-01")))
        if self.sometimes(0.15):
            head["mode"] = draw.choice(("shadow", "shadow", "off"))
        later = [
            one
            for one in self.codes
            if one[:2] == code[:2] and self.codes.index(one) > self.codes.index(code)
        ]
        if later and code[:2] in ("PR", "QT", "OR", "LT") and self.sometimes(0.85):
            head["beats"] = later
        text = "".join(f"{key} = {inline(value)}\n" for key, value in head.items())
        if self.sometimes(0.15):
            scope: dict[str, Any] = {}
            if self.sometimes(0.5):
                scope["regions"] = self.some(("JP-27", "JP-13"))
            if self.sometimes(0.3):
                scope["customers"] = self.some(CUSTOMERS)
            if self.sometimes(0.6) or not scope:
                scope["percent"] = draw.choice((0, 20, Decimal("62.5"), 100))
            text += table("scope", scope)
        name = GROUPS[code[:2]]
        when = self.when(name)
        effect = getattr(self, name)()
        facts = [*when, *(fact for one in when.get("any", ()) for fact in one)]
        if name == "surcharge" and all(fact.split(".")[0] in ("order", "customer", "any") for fact in facts):
            effect.setdefault("per", "order")
        if name == "discount":
            effect.setdefault("per", draw.choice(("order", "matching")))
        if when:
            text += table("when", when)
        self.kinds[code] = effect
        self.files[f"rules/{code}.toml"] = text + table(name, effect)

    def exception(self, name: str) -> None:
        code = self.draw.choice(self.codes)
        self.files[f"exceptions/{name}.toml"] = text_of_exception(self.exception_of(code))

    def exception_of(self, code: str) -> dict[str, Any]:
        effect = getattr(self, GROUPS[code[:2]])()
        effect.pop("lane", None)
        change = {key: effect[key] for key in self.some(effect)}
        if code[:2] == "PR":
            change = (
                {"rate": self.draw.choice((Decimal("0.5"), 1))}
                if self.sometimes(0.5)
                else {"unit": self.unit_price()}
            )
        out: dict[str, Any] = {
            "rule": code,
            "reason": "agreed",
            "approved_by": "sato",
            "until": Day("2026-12-31"),
        }
        which = self.draw.choice(("customer", "sku", "both"))
        if which != "sku":
            out["customer"] = self.draw.choice(("ACME", "BETA"))
        if which != "customer":
            out["sku"] = self.draw.choice(list(PRODUCTS))
        return out | {"change": change}

    # ---- conditions

    def when(self, name: str) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for _ in range(self.draw.choice((0, 1, 1, 2, 3))):
            fact, value = self.condition(name)
            out[fact] = value
        if self.sometimes(0.12):
            tables = []
            for _ in range(self.draw.randint(1, 2)):
                tables.append(dict(self.condition(name) for _ in range(self.draw.randint(1, 2))))
            out["any"] = tables
        return out

    def condition(self, name: str) -> tuple[str, Any]:
        draw = self.draw
        late = name not in ("catalog", "price", "quantity")
        fact = draw.choice((
            "product.category", "product.category", "product.sku", "product.batch", "product.brand", "product.tags",
            "customer.code", "customer.group", "customer.tags", "customer.region", "customer.country", "customer.known",
            "customer.orders", "product.list_price", "product.tax", "product.attributes.size",
            "product.attributes.finish", "product.attributes.rohs", "line.attributes.cut", "line.quantity",
            "line.cases", "line.loose", "product.quantity", "batch.quantity", "batch.lines", "matching.quantity",
            "order.quantity", "order.lines", "order.weight_g", "order.channel", "order.purpose", "order.weekday",
            "order.on", "order.delivery", "order.ship_to.region", "order.ship_to.postcode", "order.payment",
            *(("line.amount", "product.amount", "batch.amount", "matching.amount", "order.subtotal") if late else ()),
        ))  # fmt: skip
        texts = {
            "product.category": ("screws", "screws/pan", "nuts", "boxes"), "product.sku": tuple(PRODUCTS),
            "product.batch": ("m4", "wire"), "product.brand": ("aoyagi", "sato"),
            "product.tags": ("steel", "long", "brass"), "customer.code": tuple(CUSTOMERS),
            "customer.group": ("standard", "trial"), "customer.tags": ("loyal", "vip"),
            "customer.region": ("JP-27", "JP-13"), "customer.country": ("JP", "GB"),
            "product.tax": ("reduced", "exempt"),
            "product.attributes.finish": ("zinc", "brass"), "order.channel": ("web", "fax", "api"),
            "order.purpose": ("normal", "prototype"), "order.weekday": ("tue", "wed"),
            "order.ship_to.region": ("JP-27", "JP-13"), "order.ship_to.postcode": ("5300001", "1000001"),
            "order.payment": ("bank_transfer", "net_terms"), "line.attributes.cut": ("long", "short"),
        }  # fmt: skip
        if fact in texts:
            return fact, self.text_condition(fact, texts[fact])
        if fact in ("customer.known", "product.attributes.rohs"):
            return fact, draw.choice((True, False))
        if fact in ("order.on", "order.delivery"):
            day = Day(draw.choice(("2026-12-01", "2026-12-02")))
            return fact, {draw.choice(("lt", "le", "gt", "ge", "not")): day} if self.sometimes(0.7) else day
        numbers: tuple[Any, ...] = _QUANTITIES
        if fact == "batch.lines" or fact == "order.lines":
            numbers = (1, 2, 3)
        elif fact.endswith((".amount", ".subtotal")):
            numbers = (0, 100, 1000, 2500)
        elif fact == "product.list_price":
            numbers = (10, Decimal("97.5"), 120)
        elif fact == "product.attributes.size":
            numbers = (4, Decimal("4.5"), "4")
            return fact, draw.choice(
                (4, "4", [4, "5"], {"not": 4}, {"not_in": ["4", 7]}, {"ge": 4}, {"known": False})
            )
        elif fact in ("line.loose", "line.cases", "customer.orders"):
            numbers = (0, 1, 2, 3)
        low, high = sorted((draw.choice(numbers), draw.choice(numbers)))
        return fact, draw.choice((
            {"ge": low}, {"ge": low}, {"lt": high}, {"gt": low}, {"le": high}, {"between": [low, high]}, low,
            {"not": low}, {"known": self.sometimes(0.7)},
            [low] if low == high else [low, high], {"ge": low, "lt": high},
            {"not_in": [low]},
        ))  # fmt: skip

    def text_condition(self, fact: str, values: Any) -> Any:
        one, some = self.draw.choice(values), self.some(values)
        kinds: list[Any] = [
            one,
            one,
            one,
            some,
            some,
            {"not": one},
            {"not_in": some},
            {"known": self.sometimes(0.5)},
        ]
        kinds += [{"has": one}, {"has": some}] if fact.endswith(".tags") else [{"starts_with": one[:2]}]
        return self.draw.choice(kinds)

    # ---- effects

    def catalog(self) -> dict[str, Any]:
        return dict(
            self.some((("hide", True), ("buy", False), ("price", self.draw.choice(("login", "quotation")))))
        )

    def price_effect(self, kind: str) -> dict[str, Any]:
        draw = self.draw
        if kind == "rate":
            return {"rate": draw.choice((Decimal("0.65"), 0, 1, Decimal("0.333333"), 2))}
        if kind == "unit":
            return {"unit": self.unit_price()} | (
                {"per": draw.choice((1, 7, 100))} if self.sometimes(0.4) else {}
            )
        if kind == "table":
            return {"table": self.table(), "counts": draw.choice(("line", "product", "order", "matching"))}
        if kind == "breaks":
            out: dict[str, Any] = {"breaks": self.breaks()}
            if self.sometimes(0.4):
                out["tiers"] = "graduated"
            elif self.sometimes(0.5):
                out["counts"] = draw.choice(("line", "product", "batch", "matching", "order"))
            if self.sometimes(0.3):
                out["per"] = draw.choice((1, 10, 100))
            return out
        if kind == "off_percent":
            return {"off_percent": self.percent()}
        return {"off_amount": self.unit_price()} | (
            {"per": draw.choice((1, 7, 100))} if self.sometimes(0.4) else {}
        )

    def breaks(self) -> list[dict[str, Any]]:
        out = []
        for start in sorted(self.draw.sample(_QUANTITIES, self.draw.randint(1, 3))):
            kind = self.draw.choice(("unit", "unit", "rate", "off_percent"))
            value = {"unit": self.unit_price(), "rate": Decimal("0.7"), "off_percent": self.percent()}[kind]
            out.append({"from": start, kind: value})
        return out

    def table(self) -> str:
        path = f"prices/t{sum(name.startswith('prices/') for name in self.files)}.csv"
        lines, seen = (
            ["customer,group,sku,category,from,unit,rate,per,valid_from,valid_until,currency"],
            set(),
        )
        for _ in range(self.draw.randint(1, 6)):
            cells = (
                self.draw.choice(("", "", "ACME", "BETA")), self.draw.choice(("", "", "standard", "trial")),
                self.draw.choice(("", "", *PRODUCTS)), self.draw.choice(("", "", "screws", "screws/pan")),
                self.draw.choice(("", "1", "5", "10")),
            )  # fmt: skip
            key = (*cells[:4], cells[4] or "1")
            if key in seen:
                continue
            seen.add(key)
            value = self.draw.choice(("12.5,,", "98,,", "0,,", "1170,,100", ",0.65,", ",0.5,10"))
            days = self.draw.choice((",", ",", ",", "2026-12-02,", ",2026-12-01"))
            lines.append(",".join((*cells, value, days, self.draw.choice(("", "", self.currency, "EUR")))))
        self.files[path] = "\n".join(lines) + "\n"
        return path

    def price(self) -> dict[str, Any]:
        out = self.price_effect(
            self.draw.choice(("rate", "unit", "table", "breaks", "breaks", "off_percent", "off_amount"))
        )
        if self.sometimes(0.25):
            out["lane"] = self.draw.choice(("list", "agreed", "volume", "promotion"))
        if self.sometimes(0.3):
            out["round"] = {
                "to": self.draw.choice((1, 5, Decimal("0.01"), Decimal("0.3"), 10)),
                "mode": self.draw.choice(("half_up", "half_even", "floor", "ceil")),
            }
        return out

    def below(self, counts: Any) -> list[dict[str, Any]]:
        steps = sorted(self.draw.sample(counts, self.draw.randint(1, 3)), reverse=True)
        out = []
        for place, start in enumerate(steps):
            entry: dict[str, Any] = {"at_least": start}
            if place == len(steps) - 1 and self.sometimes(0.5):
                entry = {}
            entry["outcome"] = self.draw.choice(
                ("block", "surcharge", "surcharge", "approval", "warn", "quotation")
            )
            if entry["outcome"] == "surcharge":
                kind = self.draw.choice(("amount", "percent", "per_missing"))
                value = {
                    "amount": self.amount(),
                    "percent": self.percent(),
                    "per_missing": self.unit_price(),
                }[kind]
                entry[kind] = value
                if self.sometimes(0.3):
                    entry["tax"] = self.draw.choice(("reduced", "exempt"))
            out.append(entry)
        return out

    def quantity(self) -> dict[str, Any]:
        draw = self.draw
        out: dict[str, Any] = {}
        for key in self.some(("minimum", "multiple", "maximum", "allowed")):
            if key == "minimum":
                out["minimum"] = draw.choice((3, 5, 10, 12, 20))
                if self.sometimes(0.7):
                    out["below"] = self.below((1, 2, 3, 5, 8, 10))
            elif key == "multiple":
                out["multiple"] = draw.choice((2, 3, 5, 10))
            elif key == "maximum":
                out["maximum"] = draw.choice((20, 24, 30))
                if self.sometimes(0.7):
                    out["above"] = draw.choice(("block", "quotation", "approval", "warn"))
            else:
                out["allowed"] = sorted(draw.sample(_QUANTITIES, draw.randint(1, 4)))
        if "multiple" in out and "minimum" in out and self.sometimes(0.4):
            out["multiple_from"] = "minimum"
        if ("multiple" in out or "allowed" in out) and self.sometimes(0.6):
            out["off_multiple"] = draw.choice(("block", "quotation", "approval", "warn"))
        if self.sometimes(0.5):
            out["counts"] = draw.choice(("line", "product", "batch", "matching", "order"))
        return out

    def surcharge(self) -> dict[str, Any]:
        draw = self.draw
        kind = draw.choice(("amount", "percent", "per_unit", "per_lot"))
        value: Any = {"amount": self.amount(), "percent": self.percent(), "per_unit": self.unit_price()}.get(
            kind
        )
        if kind == "per_lot":
            value = {"lot": draw.choice((5, 7, 12)), "amount": self.amount()}
        out: dict[str, Any] = {kind: value}
        if self.sometimes(0.7):
            out["per"] = draw.choice(("line", "product", "batch", "matching", "order"))
        if self.sometimes(0.2):
            out["at_least"] = draw.choice((0, 20, 50))
        if self.sometimes(0.2):
            out["at_most"] = draw.choice((50, 200))
        if self.sometimes(0.2):
            out["tax"] = draw.choice(("reduced", "exempt", "standard"))
        return out

    def discount(self) -> dict[str, Any]:
        out = {"percent": self.percent()} if self.sometimes(0.5) else {"amount": self.amount()}
        if self.sometimes(0.3):
            out["at_most"] = self.draw.choice((10, 100))
        return out

    def order(self) -> dict[str, Any]:
        draw = self.draw
        out: dict[str, Any] = {}
        for key in self.some(("minimum", "maximum", "credit")):
            if key == "minimum":
                out["minimum"] = draw.choice((100, 1000, 3000))
                if self.sometimes(0.7):
                    out["below"] = self.below((0, 50, 500, 900))
            elif key == "maximum":
                out["maximum"] = draw.choice((3000, 5000))
                out["above"] = draw.choice(("block", "quotation", "approval", "warn"))
            else:
                out["credit"] = draw.choice(("approval", "block"))
        return out

    def lead_time(self) -> dict[str, Any]:
        tiers: list[dict[str, Any]] = [{"code": "standard", "days": 5}]
        express: dict[str, Any] = {
            "code": "express",
            "days": 1,
            "percent": self.draw.choice((20, Decimal("-12.5"))),
        }
        if self.sometimes(0.5):
            express["max_quantity"] = self.draw.choice((10, 30))
        if self.sometimes(0.3):
            express["cutoff"] = "12:30"
        return {"tiers": [*tiers, express]}

    def shipping(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key in self.some(("only", "hide", "free_from", "add")):
            if key in ("only", "hide"):
                if self.sometimes(0.4):
                    out[key] = self.some(METHODS)
            elif key == "free_from":
                out[key] = self.draw.choice((0, 500, 2000))
            else:
                out[key] = self.draw.choice((-500, 100, 330))
        if not out:
            out["add"] = 55
        if ("free_from" in out or "add" in out) and self.sometimes(0.4):
            out["methods"] = self.some(METHODS)
        return out

    def payment(self) -> dict[str, Any]:
        out = self.shipping()
        if self.sometimes(0.4):
            out["terms"] = self.draw.choice(
                ({"net_days": 30}, {"closing_day": 31, "pay_month": 1, "pay_day": 31})
            )
        return out


def inline(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Day):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {inline(inner)}' for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


class Day(str):
    """A date in TOML: bare, without quotes."""


def table(name: str, values: dict[str, Any]) -> str:
    return f"\n[{name}]\n" + "".join(f'"{key}" = {inline(value)}\n' for key, value in values.items())


def text_of_exception(data: dict[str, Any]) -> str:
    plain = {key: value for key, value in data.items() if key != "change"}
    return "".join(f"{key} = {inline(value)}\n" for key, value in plain.items()) + table(
        "change", data["change"]
    )


def random_cart(draw: Random, shop: Shop) -> dict[str, Any]:
    """A cart as JSON values."""
    lines = []
    for number in range(draw.choice((1, 1, 2, 2, 3, 4))):
        line: dict[str, Any] = {
            "sku": draw.choice(list(PRODUCTS)),
            "quantity": draw.choice((*_QUANTITIES, 4, 7, 100)),
        }
        if draw.random() < 0.15:
            line["attributes"] = {"cut": draw.choice(("long", "short", 7))}
        if draw.random() < 0.2:
            line["id"] = "zyxw"[number]
        lines.append(line)
    cart: dict[str, Any] = {
        "lines": lines,
        "on": draw.choice(("2026-12-01", "2026-12-01", "2026-12-02", "2026-12-31")),
    }
    who = draw.choice((None, "ACME", "ACME", "BETA", "GAMMA"))
    if who is not None:
        cart["customer"] = {"code": who}
    if draw.random() < 0.1:
        cart["customer"] = {"group": "trial"}
    for key, values in {
        "channel": ("web", "fax"), "purpose": ("normal", "prototype"), "delivery": ("2026-12-01", "2026-12-24"),
        "lead_time": ("standard", "express", "night"), "shipping": METHODS, "payment": METHODS,
    }.items():  # fmt: skip
        if draw.random() < 0.3:
            cart[key] = draw.choice(values)
    if draw.random() < 0.4:
        cart["ship_to"] = {"region": draw.choice(("JP-27", "JP-13")), "postcode": "5300001"}
    for key in ("shipping_quotes", "payment_methods"):
        if draw.random() < 0.6:
            quotes: list[Any] = []
            for code in draw.sample(METHODS, draw.randint(0, 3)):
                quote: dict[str, Any] = {"code": code, "amount": draw.choice(("0", "770", "1100"))}
                if draw.random() < 0.3:
                    quote["tax"] = draw.choice(("reduced", "exempt"))
                quotes.append(code if key == "payment_methods" and draw.random() < 0.5 else quote)
            cart[key] = quotes
    if draw.random() < 0.3:
        cart["placing"] = True
    if shop.codes and draw.random() < 0.12:
        one = shop.exception_of(draw.choice(shop.codes))
        cart["exceptions"] = [plain_json(one) | {"id": "own"}]
    return cart


def plain_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain_json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain_json(inner) for inner in value]
    return str(value) if isinstance(value, Day) else value

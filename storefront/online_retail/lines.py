"""The Online Retail lines (UCI, CC BY 4.0) cleaned into products, customers and orders; pure, no database.

Every line of the file is either taken or told with its reason; nothing is dropped in silence.
"""

import csv
import lzma
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, NamedTuple

SOURCE = (
    "Online Retail, UCI Machine Learning Repository, Daqing Chen, London South Bank University, CC BY 4.0"
)
COLUMNS = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
]
CASH = "CASH"  # the company of all lines that name no customer

# Why a line is not taken, in the order of asking; each line has the first reason that fits.
REASONS = {
    "unreadable": "not eight columns, or a quantity, price or date that cannot be read",
    "cancellation": "the invoice number begins with C",
    "adjustment": "the invoice number begins with another letter: bad debt, not goods",
    "service": "the code is postage, a fee, a discount, a sample or a correction, not goods",
    "voucher": "a gift voucher, not goods",
    "write_off": "the quantity is not positive outside a cancellation: damage, loss, a count",
    "no_price": "the price is not positive",
}
SERVICES = frozenset("POST DOT C2 M D S B CRUK PADS AMAZONFEE".split()) | {"BANK CHARGES"}

# The first word found in a description names the shelf; the order decides between two.
SHELVES = (
    ("christmas", "Christmas", ("CHRISTMAS", "XMAS", "ADVENT", "SANTA", "REINDEER")),
    ("bags", "Bags", ("BAG", "SHOPPER", "PURSE", "WASHBAG")),
    ("lights", "Candles and lights", ("T-LIGHT", "CANDLE", "LANTERN", "LIGHT", "LAMP")),
    ("kitchen", "Kitchen and table", ("MUG", "CUP", "TEA", "PLATE", "BOWL", "CAKE", "LUNCH", "KITCHEN", "JAM", "SPOON",
                                      "GLASS", "TEACUP", "NAPKINS", "COFFEE", "JUG", "APRON", "BAKING", "DISH")),
    ("paper", "Paper and cards", ("CARD", "WRAP", "PAPER", "TISSUE", "NOTEBOOK", "STICKER", "STICKERS", "RIBBON",
                                  "RIBBONS", "PENCIL", "PENCILS", "PEN")),
    ("jewellery", "Jewellery", ("NECKLACE", "BRACELET", "EARRINGS", "RING", "BEADS", "BROOCH", "HAIR")),
    ("toys", "Toys and games", ("TOY", "GAME", "DOLL", "CHILDRENS", "CHILDREN'S", "DOMINOES", "SOLDIER", "SKITTLES",
                                "BALLOONS", "PLAYING", "JIGSAW", "KNITTING", "DOLLY")),
    ("garden", "Garden", ("GARDEN", "PLANT", "FLOWER", "BIRD", "WATERING", "HERB", "SEEDS")),
    ("storage", "Boxes and storage", ("BOX", "TIN", "TINS", "STORAGE", "BASKET", "DRAWER", "CABINET", "HOOK", "RACK")),
    ("home", "Home", ("CUSHION", "CLOCK", "FRAME", "SIGN", "MIRROR", "DOORMAT", "WALL", "HEART", "HANGING", "WATER",
                      "METAL", "WOODEN", "BUNTING", "DECORATION")),
)  # fmt: skip
OTHER = ("other", "Other")

COUNTRIES = {
    "United Kingdom": "GB", "Germany": "DE", "EIRE": "IE", "France": "FR", "Spain": "ES", "Netherlands": "NL",
    "Belgium": "BE", "Switzerland": "CH", "Australia": "AU", "Portugal": "PT", "Norway": "NO", "Channel Islands": "JE",
    "Finland": "FI", "Italy": "IT", "Cyprus": "CY", "Sweden": "SE", "Japan": "JP", "Austria": "AT", "Poland": "PL",
    "Denmark": "DK", "Israel": "IL", "Hong Kong": "HK", "Singapore": "SG", "Canada": "CA", "Iceland": "IS",
    "Greece": "GR", "Malta": "MT", "United Arab Emirates": "AE", "Lebanon": "LB", "Lithuania": "LT", "Brazil": "BR",
    "USA": "US", "Bahrain": "BH", "Czech Republic": "CZ", "Saudi Arabia": "SA", "RSA": "ZA",
}  # fmt: skip


class Line(NamedTuple):
    """A line that is taken; `at` is in the shop's local time."""

    invoice: str
    sku: str
    quantity: int
    at: datetime
    price: Decimal
    customer: str
    country: str


class NotTaken(NamedTuple):
    line: int  # in the file; the header is line 1
    reason: str
    row: list[str]


class Item(NamedTuple):
    """One product: latest description, the price most lines were sold at, a shelf, a stock to begin with."""

    sku: str
    name: str
    category: str
    list_price: Decimal
    on_hand: int


class Buyer(NamedTuple):
    code: str
    country: str | None
    group: str
    revenue: Decimal


@dataclass
class Retail:
    """What the file holds after cleaning. `total` = len(lines) + len(not_taken)."""

    lines: list[Line] = field(default_factory=list)
    not_taken: list[NotTaken] = field(default_factory=list)
    total: int = 0
    merged_codes: int = 0  # codes that differed from another in case or blanks only
    changed_names: int = 0  # products with more than one description
    items: list[Item] = field(default_factory=list)
    buyers: list[Buyer] = field(default_factory=list)

    def reasons(self) -> dict[str, int]:
        """Reason to number of lines, every reason named, in the order of asking."""
        counted = Counter(each.reason for each in self.not_taken)
        return {reason: counted[reason] for reason in REASONS}

    def orders(self) -> dict[str, list[Line]]:
        """Invoice number to its lines, in the order of the file."""
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.invoice, []).append(line)
        return found


def open_text(path: Path) -> IO[str]:
    """The file as text, unpacked when its name ends in .xz."""
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def read(path: Path, progress: Callable[[int], None] = lambda lines: None) -> Retail:
    """Reads and cleans the whole file. Raises ValueError when it is no Online Retail file."""
    with open_text(path) as file:
        rows = csv.reader(file)
        header = next(rows, [])
        if [name.strip() for name in header] != COLUMNS:
            raise ValueError(f"{path.name}: the first line must be {','.join(COLUMNS)}")
        return clean(rows, progress)


def clean(rows: Iterable[list[str]], progress: Callable[[int], None] = lambda lines: None) -> Retail:
    """Sorts every row into taken or not taken, then derives products and customers from what is taken."""
    retail = Retail()
    parsed = _Parsed()
    for number, row in enumerate(rows, start=2):
        retail.total += 1
        reason, line = parsed.judge(row)
        if line is None:
            retail.not_taken.append(NotTaken(number, reason, row))
        else:
            retail.lines.append(line)
        if not number % 20_000:
            progress(retail.total)
    retail.merged_codes = sum(len(spellings) - 1 for spellings in parsed.spellings.values())
    retail.changed_names = sum(len(names) > 1 for names in parsed.names.values())
    retail.items = list(_items(retail.lines, parsed.latest_name))
    retail.buyers = list(_buyers(retail.lines))
    return retail


class _Parsed:
    """Judges rows; remembers what repeats, because a file of 370,000 lines has 24,000 different values."""

    def __init__(self) -> None:
        self.spellings: dict[str, set[str]] = {}
        self.names: dict[str, set[str]] = {}
        self.latest_name: dict[str, tuple[datetime, str]] = {}
        self._times: dict[str, datetime] = {}
        self._prices: dict[str, Decimal] = {}

    def judge(self, row: list[str]) -> tuple[str, Line | None]:
        """("", line) when the row is taken, else (reason, None)."""
        try:
            invoice, code, name, quantity_text, time_text, price_text, customer, country = row
            quantity = int(quantity_text)
            at = self._times.get(time_text) or self._time(time_text)
            price = self._prices.get(price_text) or self._price(price_text)
        except (ValueError, InvalidOperation):
            return "unreadable", None
        invoice, sku = invoice.strip(), code.strip().upper()
        reason = _reason(invoice, sku, quantity, price)
        if reason:
            return reason, None
        self.spellings.setdefault(sku, set()).add(code)
        name = " ".join(name.split())
        if name:
            self.names.setdefault(sku, set()).add(name)
            if sku not in self.latest_name or at >= self.latest_name[sku][0]:
                self.latest_name[sku] = (at, name)
        return "", Line(
            invoice, sku, quantity, at, price, customer.strip().removesuffix(".0") or CASH, country
        )

    def _time(self, text: str) -> datetime:
        return self._times.setdefault(text, datetime.fromisoformat(text))

    def _price(self, text: str) -> Decimal:
        price = Decimal(text)
        if not price.is_finite():
            raise ValueError(text)
        return self._prices.setdefault(text, price)


def _reason(invoice: str, sku: str, quantity: int, price: Decimal) -> str:
    if not invoice[:1].isdigit():
        if not invoice or not sku:
            return "unreadable"
        return "cancellation" if invoice[0] in "Cc" else "adjustment"
    if sku in SERVICES:
        return "service"
    if sku.startswith("GIFT_"):
        return "voucher"
    if quantity <= 0:
        return "write_off"
    return "no_price" if price <= 0 else ""


def _items(lines: list[Line], names: dict[str, tuple[datetime, str]]) -> Iterator[Item]:
    """Products by code. The stock is invented: what was sold in the last four weeks of the file, at least 10."""
    if not lines:
        return
    prices: dict[str, Counter[Decimal]] = {}
    sold: Counter[str] = Counter()
    last_weeks = last_day(lines) - timedelta(days=28)
    recently: dict[datetime, bool] = {}
    for line in lines:
        prices.setdefault(line.sku, Counter())[line.price] += 1
        if recently.setdefault(line.at, line.at.date() > last_weeks):
            sold[line.sku] += line.quantity
    for sku in sorted(prices):
        name = names[sku][1] if sku in names else sku
        often = max(prices[sku].items(), key=lambda each: (each[1], each[0]))[0]
        yield Item(sku, name, shelf_of(name), often, max(10, sold[sku]))


def shelf_of(name: str) -> str:
    """The shelf a description belongs on."""
    words = set(name.upper().replace(",", " ").split())
    return next((path for path, _title, known in SHELVES if not words.isdisjoint(known)), OTHER[0])


def _buyers(lines: list[Line]) -> Iterator[Buyer]:
    """Customers by code with their latest country, grouped by how much they bought: the first 5 % are large,
    the next 25 % medium, the rest small."""
    revenue: dict[str, Decimal] = {}
    country: dict[str, str] = {}
    for line in lines:
        revenue[line.customer] = revenue.get(line.customer, Decimal(0)) + line.quantity * line.price
        country[line.customer] = line.country
    cash = revenue.pop(CASH, None)
    order = sorted(revenue, key=lambda code: (-revenue[code], code))
    place = {code: number for number, code in enumerate(order)}
    for code in sorted(revenue):
        share = place[code] / len(order)
        group = "large" if share < 0.05 else "medium" if share < 0.30 else "small"
        yield Buyer(code, COUNTRIES.get(country[code]), group, revenue[code])
    if cash is not None:
        yield Buyer(CASH, None, "cash", cash)


def last_day(lines: list[Line]) -> date:
    return max(line.at for line in lines).date()

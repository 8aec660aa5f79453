"""Price tables: CSV in, rows by customer, group, SKU and category out; a million rows in seconds.

One pass with cached cells; rows stay as columns and become Row records only when they are asked for.
"""

import gc
from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from hashlib import sha256

from rules.csv_files import CsvFile
from rules.facts import MAX_QUANTITY
from rules.folder import MOST_TABLE_BYTES, ShopFolder
from rules.keys import TABLE_COLUMNS
from rules.money import CURRENCIES
from rules.names import NAMES, Names, unknown_name
from rules.report import Report, nearest, shown, suggestion
from rules.ruleset import PriceRows, PriceTable, Row, RowKey
from rules.said import Said, say
from rules.values import clean

_CELLS = ("customer", "group", "sku", "category")


class TableRows(PriceRows):
    """Rows by key. A key points to one row number or a list of them; Row records are made on demand."""

    def __init__(self) -> None:
        self.places: dict[RowKey, int | list[int]] = {}
        self.starts = array("q")
        self.lines = array("q")
        self.prices: list[tuple[str, Decimal]] = []  # kind and value, shared between equal cells
        self.pers: dict[int, int] = {}
        self.periods: dict[int, tuple[date | None, date | None]] = {}

    def add(self, key: RowKey, start: int, price: tuple[str, Decimal], line: int) -> int:
        place = len(self.prices)
        self.starts.append(start)
        self.lines.append(line)
        self.prices.append(price)
        there = self.places.setdefault(key, place)
        if there is not place and there != place:
            if isinstance(there, list):
                there.append(place)
            else:
                self.places[key] = [there, place]
        return place

    def _row(self, place: int) -> Row:
        kind, value = self.prices[place]
        valid_from, valid_until = self.periods.get(place, (None, None))
        return Row(
            self.starts[place], kind, value, self.pers.get(place), valid_from, valid_until, self.lines[place]
        )

    def __getitem__(self, key: RowKey) -> tuple[Row, ...]:
        if key not in self.places:
            raise KeyError(key)
        return tuple(self._row(place) for place in self._places_of(key))

    def reached(self, key: RowKey, on: date, quantity: int) -> Row | None:
        best = None
        for place in self._places_of(key):
            if self.starts[place] > quantity:
                break
            first, last = self.periods.get(place, (None, None))
            if (first is None or first <= on) and (last is None or on <= last):
                best = place
        return None if best is None else self._row(best)

    def starts_of(self, key: RowKey) -> Iterable[int]:
        return [self.starts[place] for place in self._places_of(key)]

    def _places_of(self, key: RowKey) -> Sequence[int]:
        there = self.places.get(key, ())
        return (there,) if isinstance(there, int) else there

    def __contains__(self, key: object) -> bool:
        return key in self.places

    def __iter__(self) -> Iterator[RowKey]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def finish(self, report: Report, path: str) -> None:
        """Sorts the rows of each key by start and first day, and finds the ones that overlap (rule-semantics 63)."""
        starts, periods = self.starts, self.periods

        def order(place: int) -> tuple[int, date]:
            return starts[place], periods.get(place, (None, None))[0] or date.min

        for there in self.places.values():
            if isinstance(there, int):
                continue
            there.sort(key=order)
            open_until: tuple[int, date, int] | None = (
                None  # start, last day and place of the row that lasts longest
            )
            for place in there:
                first, last = periods.get(place, (None, None))
                if open_until and open_until[0] == starts[place] and (first or date.min) <= open_until[1]:
                    said = say("table.overlap", line=self.lines[open_until[2]])
                    report.add("repeated-row", path, self.lines[place], said)
                if not open_until or open_until[0] != starts[place] or (last or date.max) > open_until[1]:
                    open_until = (starts[place], last or date.max, place)


def read_price_table(
    shop: ShopFolder, path: str, currency: str | None, names: Names
) -> tuple[PriceTable | None, bytes]:
    """The table and the digest of its bytes; None when the file cannot be used. Wrong rows are findings."""
    report = shop.report
    content = shop.read(path, MOST_TABLE_BYTES)
    if content is None:
        return None, b""
    digest = sha256(content).digest()
    file = CsvFile(report, path, content)
    if not file.is_readable or not _header_is_right(report, path, file.header):
        return None, digest
    was_enabled = gc.isenabled()
    gc.disable()  # a million tuples without a cycle: the collector would walk them again and again
    try:
        rows, others, shapes = _Reader(report, path, file, currency, names).read()
        for part in (rows, *others):
            part.finish(report, path)
    finally:
        if was_enabled:
            gc.enable()
    return PriceTable(path, rows, tuple(sorted(shapes, reverse=True))), digest


def _header_is_right(report: Report, path: str, header: list[str]) -> bool:
    if len(header) == 1 and (sign := next((one for one in ";\t" if one in header[0]), "")):
        said = say("table.separator", sign=say("table.tab") if sign == "\t" else f'"{sign}"')
        report.add("table-row", path, 1, said, say("table.save-with-commas"))
        return False
    unknown = [name for name in header if name not in TABLE_COLUMNS]
    for name in unknown:
        said = say("table.no-column", name=shown(name))
        report.add("table-row", path, 1, said, suggestion(name, TABLE_COLUMNS))
    if "unit" not in header and "rate" not in header:
        report.add("table-row", path, 1, say("table.no-price"))
        return False
    return not unknown


class _Reader:
    """One pass over the rows. Caches turn repeated cells into the same object, and check each only once."""

    def __init__(self, report: Report, path: str, file: CsvFile, currency: str | None, known: Names) -> None:
        self.report, self.path, self.file = report, path, file
        self.currency, self.known = currency, known
        self.line = 0
        self.is_good = True
        self.names: dict[str, dict[str, str | None]] = {name: {"": None} for name in _CELLS}
        self.starts: dict[str, int] = {"": 1}
        self.pers: dict[str, int | None] = {"": None}
        self.days: dict[str, date | None] = {"": None}
        self.prices: dict[tuple[str, str], tuple[str, Decimal]] = {}

    def problem(self, said: Said, hint: Said | None = None, check: str = "table-row") -> None:
        self.is_good = False
        self.report.add(check, self.path, self.line, said, hint)

    def read(self) -> tuple[TableRows, list[TableRows], set[tuple[bool, bool, bool, int]]]:
        header = self.file.header
        width = len(header)
        at = {name: header.index(name) for name in TABLE_COLUMNS if name in header}
        # An absent column reads the blank cell that is added behind every row.
        (
            customer_at,
            group_at,
            sku_at,
            category_at,
            from_at,
            unit_at,
            rate_at,
            per_at,
            first_at,
            last_at,
            money_at,
        ) = (at.get(name, width) for name in TABLE_COLUMNS)
        customers, groups, skus, categories = (self.names[name] for name in _CELLS)
        starts, prices = self.starts, self.prices
        is_plain = per_at == first_at == last_at == money_at == width
        rows = TableRows()
        add, places = rows.add, rows.places
        others: dict[str, TableRows] = {}
        shapes: set[tuple[bool, bool, bool, int]] = set()
        for line, cells in self.file:
            if len(cells) != width:
                self.line = line
                self.problem(say("table.cells", cells=len(cells), width=width))
                if self.report.is_full:
                    break
                continue
            cells.append("")
            try:  # every cell seen before: no validation needed again
                key = (
                    customers[cells[customer_at]], groups[cells[group_at]],
                    skus[cells[sku_at]], categories[cells[category_at]],
                )  # fmt: skip
                start = starts[cells[from_at]]
                price = prices[cells[unit_at], cells[rate_at]]
            except KeyError:
                self.line, self.is_good = line, True
                key = (
                    self.name("customer", cells[customer_at]), self.name("group", cells[group_at]),
                    self.name("sku", cells[sku_at]), self.name("category", cells[category_at]),
                )  # fmt: skip
                start = self.start(cells[from_at])
                found = self.price(cells[unit_at], cells[rate_at])
                if not self.is_good or found is None:
                    if self.report.is_full:
                        break
                    continue
                price = found
            if is_plain:
                if key not in places:
                    shapes.add((key[0] is not None, key[1] is not None, key[2] is not None, _depth(key[3])))
                add(key, start, price, line)
                continue
            self.line, self.is_good = line, True
            self._add_dated(
                rows, others, shapes, key, start, price,
                cells[per_at], cells[first_at], cells[last_at], cells[money_at],
            )  # fmt: skip
        return rows, list(others.values()), shapes

    def _add_dated(
        self,
        rows: TableRows,
        others: dict[str, TableRows],
        shapes: set[tuple[bool, bool, bool, int]],
        key: RowKey,
        start: int,
        price: tuple[str, Decimal],
        per_cell: str,
        first_cell: str,
        last_cell: str,
        money_cell: str,
    ) -> None:
        per = self.per(per_cell)
        first, last = self.day("valid_from", first_cell), self.day("valid_until", last_cell)
        if first is not None and last is not None and last < first:
            self.problem(say("table.reversed", until=last, start=first), check="reversed-dates")
        money = money_cell.strip()
        if money and money not in CURRENCIES:
            self.problem(say("table.currency", code=shown(money)), nearest(money, CURRENCIES))
        if not self.is_good:
            return
        part = rows
        if money and money != self.currency:
            part = others.setdefault(money, TableRows())
        else:
            shapes.add((key[0] is not None, key[1] is not None, key[2] is not None, _depth(key[3])))
        place = part.add(key, start, price, self.line)
        if per is not None:
            part.pers[place] = per
        if first is not None or last is not None:
            part.periods[place] = (first, last)

    def name(self, kind: str, cell: str) -> str | None:
        cache = self.names[kind]
        if cell in cache:
            return cache[cell]
        name = clean(cell.strip()) or None
        if name is not None and kind == "category" and "" in name.split("/"):
            self.problem(say("table.category", name=shown(name)))
        elif name is not None and not self.known.is_known(kind, name):
            hint = self.known.nearest(kind, name)
            self.problem(unknown_name(NAMES[kind], name), hint, f"unknown-{kind}")
        cache[cell] = name
        return name

    def start(self, cell: str) -> int:
        if cell not in self.starts:
            number = self._whole("from", cell)
            if number is None:
                return 1
            self.starts[cell] = number
        return self.starts[cell]

    def per(self, cell: str) -> int | None:
        if cell not in self.pers:
            self.pers[cell] = self._whole("per", cell) if cell.strip() else None
        return self.pers[cell]

    def _whole(self, column: str, cell: str) -> int | None:
        text = cell.strip()
        if not text:
            return 1
        if not (text.isascii() and text.isdigit()) or text[0] == "0" or len(text) > 9:
            self.problem(say("table.whole", column=column, most=MAX_QUANTITY, text=shown(text)))
            return None
        return int(text)

    def day(self, column: str, cell: str) -> date | None:
        if cell in self.days:
            return self.days[cell]
        text = cell.strip()
        try:
            if text and (len(text) != 10 or not text.isascii()):
                raise ValueError
            found = date.fromisoformat(text) if text else None
        except ValueError:
            self.problem(say("table.date", column=column, text=shown(text)))
            return None
        self.days[cell] = found
        return found

    def price(self, unit_cell: str, rate_cell: str) -> tuple[str, Decimal] | None:
        both = (unit_cell, rate_cell)
        if both in self.prices:
            return self.prices[both]
        unit, rate = unit_cell.strip(), rate_cell.strip()
        if bool(unit) == bool(rate):
            self.problem(say("table.one-price"))
            return None
        column, text = ("unit", unit) if unit else ("rate", rate)
        whole, point, fraction = text.partition(".")
        plain = whole + (fraction if point else "0")
        if not (plain.isascii() and plain.isdigit() and whole) or (point and not fraction):
            self.problem(say("table.plain-number", column=column, text=shown(text)))
            return None
        if len(whole) > 1 and whole[0] == "0":
            self.problem(say("table.needless-zero", column=column, text=shown(text)))
            return None
        if len(whole) > 12 or len(fraction.rstrip("0")) > 6:
            self.problem(say("table.digits", column=column, text=shown(text)), check="too-many-decimals")
            return None
        value = Decimal(f"{whole}.{fraction[:6]}" if fraction else whole)
        if column == "rate" and value > 10:
            said = say("table.rate", text=shown(text))
            self.problem(said, say("table.rate-example"), "wrong-value")
            return None
        self.prices[both] = (column, value)
        return self.prices[both]


def _depth(category: str | None) -> int:
    return 0 if category is None else category.count("/") + 1

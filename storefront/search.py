"""Finding products: folded bigrams in SQLite FTS5 or a PostgreSQL tsvector, SKU prefixes, nearest SKUs.

Never puts what was typed into SQL or into a search expression: every bigram travels as eight plain letters.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Table,
    column,
    event,
    func,
    literal_column,
    or_,
    select,
    table,
)

LONGEST_QUERY = 100
MOST_WORDS = 8
LONGEST_TEXT = 2_000  # characters of one field that are indexed

_KATAKANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}  # to hiragana
_DASHES = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212), "-")
_SIGNS = {ord("×"): "x", ord("✕"): "x", ord("ø"): "φ", ord("⌀"): "φ"}
_FOLDS: dict[int, int | str] = {**_KATAKANA, **_DASHES, **_SIGNS}
_LONG_MARK_AS_DASH = re.compile(r"(?<=[0-9a-z])ー(?=[0-9a-z])")  # M4ー10, as Japanese keyboards write it
_LATIN = "0-9a-zß-ɏα-ω"  # a run ends where the script changes: M4ナット is M4 and ナット
_RUNS = re.compile(rf"[{_LATIN}]+(?:[-./][{_LATIN}]+)*|(?:[^\W_](?<![{_LATIN}]))+")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

FTS_TABLE = "product_search"  # the names of everything this file adds to the database begin so
# Statements of fixed names only; nothing of a reader comes near them.
_SQLITE = (
    "CREATE VIRTUAL TABLE product_search USING fts5"
    "(search, content='products', content_rowid='id', tokenize='ascii')",
    """CREATE TRIGGER product_search_added AFTER INSERT ON products BEGIN
        INSERT INTO product_search(rowid, search) VALUES (new.id, new.search); END""",
    """CREATE TRIGGER product_search_gone AFTER DELETE ON products BEGIN
        INSERT INTO product_search(product_search, rowid, search) VALUES ('delete', old.id, old.search); END""",
    """CREATE TRIGGER product_search_changed AFTER UPDATE OF search ON products BEGIN
        INSERT INTO product_search(product_search, rowid, search) VALUES ('delete', old.id, old.search);
        INSERT INTO product_search(rowid, search) VALUES (new.id, new.search); END""",
    "INSERT INTO product_search(product_search) VALUES ('rebuild')",
)
_POSTGRESQL = ("CREATE INDEX product_search_words ON products USING gin (to_tsvector('simple', search))",)


def create_search_index(connection: Connection) -> None:
    """Add the search index to an existing `products` table; the database keeps it in step from then on."""
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(statement)


def drop_search_index(connection: Connection) -> None:
    """Remove what create_search_index added, for a migration that rebuilds `products`."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {FTS_TABLE}_words")
        return
    for name in ("added", "gone", "changed"):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {FTS_TABLE}_{name}")
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {FTS_TABLE}")


def index_with(products: Table) -> None:
    """Let `metadata.create_all` make the search index too, as the migrations do."""

    @event.listens_for(products, "after_create")
    def _create(target: Table, connection: Connection, **_options: Any) -> None:
        create_search_index(connection)

    @event.listens_for(products, "before_drop")
    def _drop(target: Table, connection: Connection, **_options: Any) -> None:
        drop_search_index(connection)


def fold(text: str) -> str:
    """One spelling for all that look alike: half and full width, case, kana, dashes, × and x."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_FOLDS)
    return _LONG_MARK_AS_DASH.sub("-", folded)


def sku_key(sku: str) -> str:
    """How a SKU is compared: folded and without blanks."""
    return unicodedata.normalize("NFC", "".join(fold(sku).split()))


def natural(key: str) -> str:
    """A key whose numbers sort by their value: m4-8 before m4-10."""
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(8), key)


def search_text(texts: Iterable[str | None]) -> str:
    """What is stored for a product: the bigrams of its texts, each run of letters ending in a single one."""
    return " ".join(
        token
        for text in texts
        if text
        for run in _RUNS.findall(fold(text[:LONGEST_TEXT]))
        for token in _tokens(run)
    )


def compact(sku: str) -> str:
    """A SKU without its dashes and dots, so that M410 finds M4-10."""
    return "".join(char for char in sku_key(sku) if char.isalnum())


def _tokens(run: str) -> list[str]:
    codes = [_code(char) for char in run]
    return [first + second for first, second in pairwise(codes)] + codes[-1:]


def _code(char: str) -> str:
    """Four letters for a character: the tokenizers of both databases leave plain letters alone."""
    number = ord(char)
    letters = ""
    for _place in range(4):
        number, rest = divmod(number, 26)
        letters = _LETTERS[rest] + letters
    return letters


def words(query: str) -> list[str]:
    """The folded words of a query, at most eight; empty when it holds no letter or digit."""
    return [run for part in fold(query[:LONGEST_QUERY]).split() for run in _RUNS.findall(part)][:MOST_WORDS]


def matches(query: str, products: FromClause, dialect: str) -> ColumnElement[bool] | None:
    """The condition on `products` that every word of the query occurs; None when there is nothing to look for."""
    found = words(query)
    if not found:
        return None
    if dialect == "sqlite":
        fts = table(FTS_TABLE, column("rowid"))
        expression = " AND ".join(_fts_word(word) for word in found)
        hits = select(fts.c.rowid).where(literal_column(FTS_TABLE).op("MATCH")(expression))
        return products.c.id.in_(hits)
    vector = func.to_tsvector(literal_column("'simple'"), products.c.search)
    expression = " & ".join(f"({_tsquery_word(word)})" for word in found)
    return vector.op("@@")(func.to_tsquery(literal_column("'simple'"), expression))


def _fts_word(word: str) -> str:
    bigrams = _tokens(word)[:-1]
    return f'"{" ".join(bigrams)}"' if bigrams else f'"{_code(word)}"*'


def _tsquery_word(word: str) -> str:
    bigrams = _tokens(word)[:-1]
    return " <-> ".join(bigrams) if bigrams else f"{_code(word)}:*"


def starts_with(key: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    """`key` begins with `prefix`, as a range, so that an index serves it and no wildcard is read as one."""
    return key.between(prefix, prefix + "\U0010ffff")


def near_condition(key: ColumnElement[str], wanted: Sequence[str]) -> ColumnElement[bool] | None:
    """The rows worth comparing with SKUs nobody has: those that begin alike. One condition for many SKUs."""
    starts = sorted({sku_key(sku)[:2] for sku in wanted} - {""})[:40]
    return or_(*(starts_with(key, start) for start in starts)) if starts else None


def nearest(wanted: str, keys: Iterable[str], most: int = 3) -> list[str]:
    """Of `keys` (folded SKUs) the ones closest to what was typed, best first; those too far off are left out."""
    key = sku_key(wanted)[:64]
    allowed = max(2, len(key) // 3)
    ranked = sorted(
        (distance(key, other), other) for other in set(keys) if key and abs(len(other) - len(key)) <= allowed
    )
    return [other for far, other in ranked if far <= allowed][:most]


def distance(first: str, second: str) -> int:
    """Edits from one text to the other; swapping two neighbours is one edit (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, char in enumerate(first, 1):
        before, above, row = row, before, [i]
        for j, other in enumerate(second, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (char != other))
            if i > 1 and j > 1 and char == second[j - 2] and first[i - 2] == other:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]


def holds(search: str, query: str) -> bool:
    """Whether a product's stored search text holds every word of a query: the same answer as `matches`."""
    tokens = f" {search} "
    for word in words(query):
        bigrams = _tokens(word)[:-1]
        wanted = f" {' '.join(bigrams)} " if bigrams else f" {_code(word)}"
        if wanted not in tokens:
            return False
    return True

"""Search on both databases: two-character Japanese words, widths, cases, metacharacters, nearest SKUs."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

from storefront import search
from storefront.catalog import Product, index_product, search_columns
from storefront.database import Base, open_databases
from support.templates import Prepare

SHELF = {
    "M4-10": ("六角穴付ボルト M4×10", "Socket head cap screw M4×10", "ステンレス SUS304"),
    "M4-8": ("六角穴付ボルト M4×8", "Socket head cap screw M4×8", "ステンレス SUS304"),
    "N4-SUS": ("六角ナット M4", "Hex nut M4", "ステンレス"),
    "P-12": ("スペーサー φ12×8 M4用", "Spacer φ12×8 for M4", "快削真鍮 C3604"),
    "SALT-500": ("塩分タブレット 500 g", "Salt tablets 500 g", None),
    "100%_OFF": ("割引の品", "Bargain", None),
}


def product(sku: str) -> Product:
    ja, en, spec = SHELF[sku]
    return Product(sku=sku, name={"ja": ja, "en": en}, spec={"ja": spec} if spec else None)


def filled(database_url: str) -> None:
    databases = open_databases(database_url)
    Base.metadata.create_all(databases.writing, tables=[Base.metadata.tables["products"]])
    with Session(databases.writing) as session, session.begin():
        session.add_all(product(sku) for sku in SHELF)
    databases.writing.dispose()


@pytest.fixture
def engine(prepared_database: Callable[[Prepare], str]) -> Iterator[Engine]:
    databases = open_databases(prepared_database(filled))
    yield databases.writing
    databases.writing.dispose()


def found(engine: Engine, query: str) -> list[str]:
    condition = search.matches(query, Product.__table__, engine.dialect.name)
    if condition is None:
        return []
    with engine.connect() as connection:
        return list(connection.scalars(select(Product.sku).where(condition).order_by(Product.sku_key)))


@pytest.mark.parametrize(
    ("query", "skus"),
    [
        ("真鍮", ["P-12"]),
        ("塩分", ["SALT-500"]),
        ("六角", ["M4-10", "M4-8", "N4-SUS"]),
        ("ナット", ["N4-SUS"]),
        ("ﾅｯﾄ", ["N4-SUS"]),
        ("なっと", ["N4-SUS"]),
        ("六角 ナット", ["N4-SUS"]),
        ("m4ナット", ["N4-SUS"]),
        ("穴", ["M4-10", "M4-8"]),
        ("鍮", ["P-12"]),
        ("M4-10", ["M4-10"]),
        ("ｍ４－１０", ["M4-10"]),
        ("m4ー10", ["M4-10"]),
        ("M410", ["M4-10"]),
        ("m4x10", ["M4-10"]),
        ("Ｍ４×１０", ["M4-10"]),
        ("φ12", ["P-12"]),
        ("SOCKET head", ["M4-10", "M4-8"]),
        ("sus304", ["M4-10", "M4-8"]),
        ("500 g", ["SALT-500"]),
        ("ボルト ナット", []),
        ("角六", []),
    ],
)
def test_words_are_found_in_every_spelling(engine: Engine, query: str, skus: list[str]) -> None:
    assert found(engine, query) == skus


@pytest.mark.parametrize(
    "query",
    [
        "%",
        "_",
        "*",
        '"',
        "'",
        "';--",
        '" OR "a',
        "a* NEAR b",
        "NOT",
        "\\",
        "%%%%",
        "(",
        "|",
        "&",
        "!",
        ":*",
        "\x00",
        "' OR 1=1 --",
        "<->",
        "🔩",
        "﷽",
        "ß" * 300,
        "a " * 400,
    ],
)
def test_metacharacters_are_plain_text_and_find_nothing_extra(engine: Engine, query: str) -> None:
    assert len(found(engine, query)) <= len([sku for sku in SHELF if any(c.isalnum() for c in query)])
    assert found(engine, "%") == [] == found(engine, "_")


def test_a_changed_name_is_found_in_the_same_transaction_and_the_old_one_no_more(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        nut = session.scalars(select(Product).where(Product.sku == "N4-SUS")).one()
        nut.name = {"ja": "蝶ナット", "en": "Wing nut"}
        session.flush()
        condition = search.matches("蝶ナット", Product.__table__, engine.dialect.name)
        assert condition is not None
        assert session.scalars(select(Product.sku).where(condition)).all() == ["N4-SUS"]
    assert found(engine, "六角") == ["M4-10", "M4-8"]
    with Session(engine) as session, session.begin():
        session.delete(session.scalars(select(Product).where(Product.sku == "N4-SUS")).one())
    assert found(engine, "蝶") == []


def test_a_rolled_back_product_is_not_found(engine: Engine) -> None:
    with Session(engine) as session:
        session.add(Product(sku="X1", name={"ja": "座金"}))
        session.flush()
        session.rollback()
    assert found(engine, "座金") == []


def test_bulk_inserts_are_found_too(engine: Engine) -> None:
    row = {"sku": "W4", "name": {"ja": "平座金"}, "spec": None, "description": None, "brand": None}
    with Session(engine) as session, session.begin():
        session.execute(insert(Product), [{**row, **search_columns(row)}])
    assert found(engine, "座金") == ["W4"]


def test_indexing_by_hand_changes_nothing_that_is_up_to_date(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        bolt = session.scalars(select(Product).where(Product.sku == "M4-10")).one()
        index_product(session, bolt)
        assert not session.dirty


@pytest.mark.parametrize(
    ("prefix", "skus"),
    [
        ("m4-", ["M4-10", "M4-8"]),
        ("M4", ["M4-10", "M4-8"]),
        ("ｎ４", ["N4-SUS"]),
        ("100%", ["100%_OFF"]),
        ("%", []),
        ("_", []),
    ],
)
def test_sku_prefixes_take_wildcards_literally(engine: Engine, prefix: str, skus: list[str]) -> None:
    condition = search.starts_with(Product.__table__.c.sku_key, search.sku_key(prefix))
    with engine.connect() as connection:
        assert (
            list(connection.scalars(select(Product.sku).where(condition).order_by(Product.sku_key))) == skus
        )


def test_the_nearest_skus_come_best_first() -> None:
    keys = ["m4-10", "m4-16", "m4-8", "m5-10", "n4-sus", "salt-500"]
    assert search.nearest("M4-01", keys)[0] == "m4-10"
    assert search.nearest("SALT500", keys) == ["salt-500"]
    assert search.nearest("zzz-zzz", keys) == []
    assert search.nearest("", keys) == []


def test_swapped_neighbours_are_one_edit() -> None:
    assert search.distance("m4-01", "m4-10") == 1
    assert search.distance("", "abc") == 3
    assert search.distance("kitten", "sitting") == 3


@given(st.text(max_size=120))
def test_search_expressions_hold_nothing_but_letters_and_our_own_marks(query: str) -> None:
    for word in search.words(query):
        assert set(search._fts_word(word)) <= set('abcdefghijklmnopqrstuvwxyz "*')
        assert set(search._tsquery_word(word)) <= set("abcdefghijklmnopqrstuvwxyz <->:*")


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert search.sku_key(search.sku_key(text)) == search.sku_key(text)

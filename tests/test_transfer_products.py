"""products.csv in and out, on both databases: columns, stock with its moves, categories, all or nothing."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.audit import AuditEntry
from storefront.catalog import Category, Product
from storefront.database import open_databases
from storefront.pricing import product_facts
from storefront.stock import StockItem, StockMove
from storefront.transfer import Limits, PlanRefusedError, products
from support.shop import empty
from support.templates import Prepare

HEADER = "sku,name_ja,name_en,category,tags,list_price,cost,made_to_order,attributes.size,on_hand\n"
BOLT = "M4-10,六角穴付ボルト,Socket screw,fasteners/screws,sus new,120,55.5,,M4,1000\n"
SPACER = "P-12,スペーサー,Spacer,turned,,150,,true,,\n"


@pytest.fixture
def session(prepared_database: Callable[[Prepare], str]) -> Iterator[Session]:
    databases = open_databases(prepared_database(empty))
    with Session(databases.writing, expire_on_commit=False) as session:
        yield session
    databases.reading.dispose()


def take(session: Session, text: str) -> dict[str, int]:
    plan = products.plan(session, products.read(text.encode()))
    counts = products.apply(session, plan, None)
    session.commit()
    return counts


def problems(session: Session, text: str) -> list[tuple[int, str | None, str]]:
    plan = products.plan(session, products.read(text.encode()))
    return [(error.line, error.column, error.problem) for error in plan.errors]


def one(session: Session, sku: str) -> Product:
    return session.scalars(select(Product).where(Product.sku == sku)).one()


def on_hand(session: Session, sku: str) -> int | None:
    query = (
        select(StockItem.on_hand).join(Product, Product.id == StockItem.product_id).where(Product.sku == sku)
    )
    return session.scalar(query)


def test_new_products_are_taken_with_texts_prices_attributes_and_stock(session: Session) -> None:
    assert take(session, HEADER + BOLT + SPACER)["new"] == 2
    bolt = one(session, "M4-10")
    assert bolt.name == {"ja": "六角穴付ボルト", "en": "Socket screw"}
    assert (bolt.list_price, bolt.cost, bolt.tags, bolt.attributes) == (
        Decimal(120),
        Decimal("55.5"),
        ["sus", "new"],
        {"size": "M4"},
    )
    assert (on_hand(session, "M4-10"), on_hand(session, "P-12")) == (1000, None)
    assert one(session, "P-12").made_to_order is True


def test_categories_are_made_with_those_above_them_and_announced(session: Session) -> None:
    plan = products.plan(session, products.read((HEADER + BOLT).encode()))
    assert [notice.values["value"] for notice in plan.notices] == ["fasteners/screws"]
    take(session, HEADER + BOLT)
    assert set(session.scalars(select(Category.path))) == {"fasteners", "fasteners/screws"}


def test_the_same_file_twice_changes_nothing_the_second_time(session: Session) -> None:
    take(session, HEADER + BOLT + SPACER)
    entries = len(session.scalars(select(AuditEntry)).all())
    assert take(session, HEADER + BOLT + SPACER)["same"] == 2
    assert len(session.scalars(select(AuditEntry)).all()) == entries
    assert len(session.scalars(select(StockMove)).all()) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_an_export_taken_back_changes_nothing(session: Session, encoding: str) -> None:
    take(session, HEADER + BOLT + SPACER)
    take(
        session,
        "sku,name_ja,description_ja,spec_en,attributes.depth,attributes.coated,attributes.lot\n"
        'ODD,＝合計〜①,"一行目\n二行目, ""引用""",-M4,1.5,true,12\n',
    )
    plan = products.plan(session, products.read(products.export(session, encoding)))
    assert (plan.errors, plan.counts["same"], plan.counts["changed"]) == ((), 3, 0)


def test_attributes_keep_their_types_through_the_database(session: Session) -> None:
    take(session, "sku,name_ja,attributes.depth,attributes.coated,attributes.lot\nA,x,1.5,true,12\n")
    session.expire_all()
    text = products.export(session).decode("utf-8-sig")
    assert "1.5" in text
    assert one(session, "A").attributes == {"depth": 1.5, "coated": True, "lot": 12}


def test_stock_is_counted_anew_with_a_move_and_never_below_what_is_reserved(session: Session) -> None:
    take(session, HEADER + BOLT)
    session.scalars(select(StockItem)).one().reserved = 300
    session.commit()
    assert problems(session, "sku,on_hand\nM4-10,200\n") == [(2, "on_hand", "below_reserved")]
    take(session, "sku,on_hand\nM4-10,400\n")
    assert on_hand(session, "M4-10") == 400
    assert [move.quantity for move in session.scalars(select(StockMove).order_by(StockMove.id))] == [
        1000,
        -600,
    ]


def test_an_empty_stock_cell_leaves_stock_alone(session: Session) -> None:
    take(session, HEADER + BOLT)
    assert take(session, "sku,on_hand\nM4-10,\n")["same"] == 1
    assert on_hand(session, "M4-10") == 1000


def test_one_bad_row_in_the_middle_takes_none(session: Session) -> None:
    plan = products.plan(session, products.read((HEADER + BOLT + "BAD,x,,,,minus,,,,\n" + SPACER).encode()))
    assert [(error.line, error.column, error.problem) for error in plan.errors] == [
        (3, "list_price", "price")
    ]
    with pytest.raises(PlanRefusedError):
        products.apply(session, plan, None)
    assert session.scalars(select(Product)).all() == []


def test_a_price_changed_since_the_preview_is_not_overwritten(session: Session) -> None:
    take(session, HEADER + BOLT)
    plan = products.plan(session, products.read(b"sku,list_price\nM4-10,130\n"))
    one(session, "M4-10").list_price = Decimal(125)
    session.commit()
    with pytest.raises(PlanRefusedError) as refused:
        products.apply(session, plan, None)
    session.rollback()
    assert refused.value.plan.changes[0].fields[0].old == "125"
    assert one(session, "M4-10").list_price == Decimal(125)


def test_old_and_new_price_stand_in_the_audit(session: Session) -> None:
    take(session, HEADER + BOLT)
    take(session, "sku,list_price,cost\nM4-10,130,60\n")
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.subject) == ("change", "product:M4-10")
    assert (entry.before, entry.after) == (
        {"list_price": "120", "cost": "55.5"},
        {"list_price": "130", "cost": "60"},
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sku,minumum\nA,1\n", [(1, "minumum", "unknown_column")]),
        ("sku,list_prise\nA,1\n", [(1, "list_prise", "unknown_column_near")]),
        ("sku,name_ja,name_en\nA,,\n", [(2, "name_ja", "name_missing")]),
        ("sku,list_price\nA,1\n", [(2, None, "name_missing")]),
        ("sku,name_ja,unit,pieces_per_unit\nA,x,m,\n", [(2, "pieces_per_unit", "unit_pair")]),
        ("sku,name_ja,tax\nA,x,luxury\n", [(2, "tax", "one_of")]),
        ("sku,name_ja,category\nA,x,a//b\n", [(2, "category", "category")]),
        ("sku,name_ja,drawing\nA,x,../secret.svg\n", [(2, "drawing", "pattern")]),
        ("sku,name_ja,pieces_per_case\nA,x,0\n", [(2, "pieces_per_case", "whole")]),
        ("sku,name_ja,made_to_order\nA,x,maybe\n", [(2, "made_to_order", "flag")]),
        ("sku,name_ja\nA,x\n\nA,y\n", [(4, "sku", "repeated")]),
        ("sku,name_ja\n" + "B" * 65 + ",x\n", [(2, "sku", "too_long")]),
        ("sku,name_ja\na/b,x\n", [(2, "sku", "forbidden")]),
    ],
)
def test_each_fault_is_named_with_line_and_column(
    session: Session, text: str, expected: list[tuple[int, str, str]]
) -> None:
    assert problems(session, text) == expected


def test_errors_are_listed_up_to_a_bound_and_the_rest_announced() -> None:
    data = ("sku,name_ja,list_price\n" + "".join(f"S{i},x,bad\n" for i in range(1000))).encode()
    errors = products.read(data, Limits(errors=5)).errors
    assert [error.problem for error in errors] == ["price"] * 5 + ["more_errors"]


def test_names_with_markup_and_rare_characters_come_through_intact(session: Session) -> None:
    name = "<script>alert(1)</script> & ‮髙橋 﨑 𠮷 😀 {{7*7}}"
    take(session, f"sku,name_ja\nA,{name}\n")
    assert one(session, "A").name == {"ja": name}


def test_queries_of_a_plan_do_not_grow_with_its_rows(session: Session) -> None:
    from sqlalchemy import event

    asked: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *args: asked.append(args[2]))
    counts = []
    for rows in (2, 2, 200):  # the first also begins the transaction
        asked.clear()
        text = "sku,name_ja,on_hand\n" + "".join(f"S{i},x,5\n" for i in range(rows))
        products.plan(session, products.read(text.encode()))
        counts.append(len(asked))
    assert counts[1] == counts[2]


def test_a_decimal_attribute_is_an_exact_number_for_the_rules(session: Session) -> None:
    take(session, "sku,name_ja,attributes.depth\nA,x,1.1\n")
    session.expire_all()
    assert product_facts(one(session, "A")).attributes == {"depth": Decimal("1.1")}


def test_a_repeated_key_is_named_even_when_the_first_row_has_another_fault(session: Session) -> None:
    assert problems(session, "sku,name_ja,list_price\nA,x,bad\nA,x,1\n") == [
        (2, "list_price", "price"),
        (3, "sku", "repeated"),
    ]

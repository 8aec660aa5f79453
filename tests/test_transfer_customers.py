"""customers.csv in and out, on both databases: preview, all or nothing, the same file twice, nothing lost."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from storefront.accounts import Company
from storefront.audit import AuditEntry
from storefront.database import open_databases
from storefront.transfer import PlanRefusedError, ShopFacts, customers, messages
from support.shop import empty
from support.templates import Prepare

HEADER = "code,name,name_kana,group,tags,country,region,credit_limit,language,closing_day,pay_month,pay_day,net_days\n"
HAYASHI = "HAYASHI,林工作所,ハヤシ,machining,kansai vip,JP,JP-27,200000,ja,31,1,31,\n"
ACME = 'ACME,"A & B <Ltd>, ""Tools""",,standard,,GB,GB-LND,,en,,,,30\n'


@pytest.fixture
def session(prepared_database: Callable[[Prepare], str]) -> Iterator[Session]:
    databases = open_databases(prepared_database(empty))
    with Session(databases.writing, expire_on_commit=False) as session:
        yield session
    databases.reading.dispose()


def take(session: Session, text: str) -> dict[str, int]:
    plan = customers.plan(session, customers.read(text.encode()))
    counts = customers.apply(session, plan, None)
    session.commit()
    return counts


def problems(text: str) -> list[tuple[int, str | None, str]]:
    return [(error.line, error.column, error.problem) for error in customers.read(text.encode()).errors]


def test_new_customers_are_taken_with_all_their_facts(session: Session) -> None:
    assert take(session, HEADER + HAYASHI + ACME)["new"] == 2
    hayashi = session.scalars(select(Company).where(Company.code == "HAYASHI")).one()
    assert (hayashi.name, hayashi.group, hayashi.tags, hayashi.region) == (
        "林工作所",
        "machining",
        ["kansai", "vip"],
        "JP-27",
    )
    assert hayashi.credit_limit_minor == 200_000
    assert hayashi.terms == {"closing_day": 31, "pay_month": 1, "pay_day": 31}
    acme = session.scalars(select(Company).where(Company.code == "ACME")).one()
    assert (acme.name, acme.terms, acme.language) == ('A & B <Ltd>, "Tools"', {"net_days": 30}, "en")


def test_the_same_file_twice_changes_nothing_the_second_time(session: Session) -> None:
    take(session, HEADER + HAYASHI + ACME)
    entries = len(session.scalars(select(AuditEntry)).all())
    assert take(session, HEADER + HAYASHI + ACME) == {"new": 0, "changed": 0, "same": 2, "removed": 0}
    assert len(session.scalars(select(AuditEntry)).all()) == entries


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_an_export_taken_back_changes_nothing(session: Session, encoding: str) -> None:
    take(session, HEADER + HAYASHI + ACME)
    take(session, "code,name,note\nODD,=cmd|' /C calc'!A0,〜wave and −minus\n")
    data = customers.export(session, encoding)
    plan = customers.plan(session, customers.read(data))
    assert plan.errors == ()
    assert plan.counts == {"new": 0, "changed": 0, "same": 3, "removed": 0}
    assert "'=cmd" in data.decode("utf-8-sig" if encoding == "utf-8" else "cp932")


def test_the_preview_shows_old_and_new_and_writes_nothing(session: Session) -> None:
    take(session, HEADER + HAYASHI)
    plan = customers.plan(
        session, customers.read(b"code,group,credit_limit\nHAYASHI,wholesale,300000\nNEW,,\n")
    )
    change = plan.changes[0]
    assert [(part.column, part.old, part.new) for part in change.fields] == [
        ("group", "machining", "wholesale"),
        ("credit_limit", "200000", "300000"),
    ]
    assert [(error.line, error.column, error.problem) for error in plan.errors] == [(3, "name", "required")]
    assert session.scalars(select(Company.group)).all() == ["machining"]


def test_columns_the_file_lacks_are_left_alone_and_empty_cells_empty(session: Session) -> None:
    take(session, HEADER + HAYASHI)
    take(session, "code,tags,credit_limit\nHAYASHI,,\n")
    hayashi = session.scalars(select(Company)).one()
    assert (hayashi.name, hayashi.group, hayashi.tags, hayashi.credit_limit_minor) == (
        "林工作所",
        "machining",
        [],
        None,
    )


def test_one_bad_row_in_the_middle_takes_none(session: Session) -> None:
    plan = customers.plan(session, customers.read((HEADER + HAYASHI + "BAD,,,,,,,x,,,,,\n" + ACME).encode()))
    assert [(error.line, error.column) for error in plan.errors] == [(3, "name"), (3, "credit_limit")]
    with pytest.raises(PlanRefusedError):
        customers.apply(session, plan, None)
    assert session.scalars(select(Company)).all() == []


def test_a_customer_changed_since_the_preview_is_shown_again_and_not_overwritten(session: Session) -> None:
    take(session, HEADER + HAYASHI)
    plan = customers.plan(session, customers.read(b"code,group\nHAYASHI,wholesale\n"))
    session.scalars(select(Company)).one().group = "standard"
    session.commit()
    with pytest.raises(PlanRefusedError) as refused:
        customers.apply(session, plan, None)
    session.rollback()
    assert refused.value.plan.changes[0].fields[0].old == "standard"
    assert session.scalars(select(Company.group)).all() == ["standard"]


def test_what_credit_was_and_is_stands_in_the_audit(session: Session) -> None:
    take(session, HEADER + HAYASHI)
    take(session, "code,credit_limit\nHAYASHI,50000\n")
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.subject, entry.before, entry.after) == (
        "change",
        "company:HAYASHI",
        {"credit_limit": "200000"},
        {"credit_limit": "50000"},
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name\nx\n", [(1, None, "key_missing")]),
        ("code,nmae\nA,x\n", [(1, "nmae", "unknown_column_near")]),
        ("code;name\nA;x\n", [(1, None, "separator")]),
        ("code,code\nA,A\n", [(1, "code", "column_twice")]),
        ("code,name\nA,x\nB,y\nA,z\n", [(4, "code", "repeated")]),
        ("code,name\n,x\n", [(2, "code", "required")]),
        ("code,name,language\nA,x,de\n", [(2, "language", "one_of")]),
        ("code,name,status\nA,x,gone\n", [(2, "status", "one_of")]),
        ("code,name,region\nA,x,Osaka\n", [(2, "region", "pattern")]),
        ("code,name\nA/B,x\n", [(2, "code", "forbidden")]),
        ('code,name\nA,"x\ny"\n', [(2, "name", "line_break")]),
    ],
)
def test_each_fault_is_named_with_line_and_column(text: str, expected: list[tuple[int, str, str]]) -> None:
    assert problems(text) == expected


@pytest.mark.parametrize(
    ("cells", "problem"),
    [("31,1,31,30", "terms_both"), ("31,,,", "terms_part"), ("30,1,31,", "closing_day"), (",,,366", None)],
)
def test_payment_terms_are_whole_or_refused(session: Session, cells: str, problem: str | None) -> None:
    text = f"code,name,closing_day,pay_month,pay_day,net_days\nA,x,{cells}\n"
    plan = customers.plan(session, customers.read(text.encode()))
    assert [error.problem for error in plan.errors] == [problem or "whole"]


def test_a_region_of_another_country_is_refused(session: Session) -> None:
    plan = customers.plan(session, customers.read(b"code,name,region,country\nA,x,JP-27,GB\nB,y,GB-LND,\n"))
    assert [(error.line, error.problem) for error in plan.errors] == [
        (2, "region_country"),
        (3, "region_country"),
    ]


def test_a_limit_finer_than_the_currency_is_refused(session: Session) -> None:
    rows = customers.read(b"code,name,credit_limit\nA,x,100.5\n")
    assert [error.problem for error in customers.plan(session, rows).errors] == ["minor"]
    assert customers.plan(session, rows, ShopFacts(currency="GBP")).is_ok


def test_facts_the_shop_computes_itself_are_accepted_and_ignored(session: Session) -> None:
    rows = customers.read(b"code,name,orders,since_days,credit_left\nA,x,5,100,2000\n")
    assert (rows.ignored, customers.plan(session, rows).is_ok) == (
        ("orders", "since_days", "credit_left"),
        True,
    )


def test_every_problem_has_a_sentence_without_gaps() -> None:
    rows = customers.read(("code,name,language,status\nA,x,de,gone\nA,,ja,\n" + "A/,x,ja,\n").encode())
    said = [f"{messages.place(error)}: {messages.say(error)}" for error in rows.errors]
    assert said[0] == "Line 2, column language: “de” is not allowed. Allowed are: ja, en."
    assert all("%(" not in sentence for sentence in said)

"""Price tables in and out: checked by the rules before a byte is written, replaced at once, never outside prices/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from storefront.audit import AuditEntry
from storefront.database import get_session, write
from storefront.transfer import PlanRefusedError, messages, price_tables
from storefront.transfer.price_tables import TablePlan
from support.shop import write_shop

RULE = """
code = "PR40"
name = {ja = "お約束の価格", en = "Agreed prices"}
[price]
table = "prices/agreed.csv"

[[case]]
name = "HAYASHI pays 98 from 100"
customer = {code = "HAYASHI"}
cart = [{sku = "M4-10", quantity = 100}]
expect = {lines = [{unit_price = "98"}]}
"""
HEADER = "customer,sku,from,unit\n"
GOOD = HEADER + "HAYASHI,M4-10,1,110\nHAYASHI,M4-10,100,98\n"
PRODUCTS = "sku,category,list_price\nM4-10,fasteners/screws,120\n"
CUSTOMERS = "code,group\nHAYASHI,standard\n"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    shop = write_shop(tmp_path / "shop", rules={"PR40_agreed.toml": RULE})
    (shop / "prices").mkdir()
    (shop / "prices" / "agreed.csv").write_text(GOOD)
    (shop / "products.csv").write_text(PRODUCTS)
    (shop / "customers.csv").write_text(CUSTOMERS)
    return shop


def plan(folder: Path, text: str | bytes, name: str = "agreed.csv") -> TablePlan:
    return price_tables.plan(
        folder, name, price_tables.read(text.encode() if isinstance(text, str) else text)
    )


def take(app: Flask, folder: Path, found: TablePlan) -> dict[str, int]:
    with app.app_context(), write() as session:
        return price_tables.apply(session, found, None, folder)


def test_the_plan_names_new_changed_same_and_removed_rows(folder: Path) -> None:
    found = plan(folder, HEADER + "HAYASHI,M4-10,100,98\nHAYASHI,M4-10,500,90\nHAYASHI,M4-10,1,105\n")
    assert found.errors == ()
    assert found.counts == {"new": 1, "changed": 1, "same": 1, "removed": 0}
    changed = next(change for change in found.changes if change.state == "changed")
    assert [(part.column, part.old, part.new) for part in changed.fields] == [("unit", "110", "105")]
    shorter = plan(folder, HEADER + "HAYASHI,M4-10,100,98\n")
    assert shorter.counts["removed"] == 1


def test_the_file_is_replaced_whole_and_the_rules_see_it(app: Flask, folder: Path) -> None:
    take(app, folder, plan(folder, GOOD + "HAYASHI,M4-10,500,90\n"))
    assert (folder / "prices" / "agreed.csv").read_text().splitlines()[-1] == "HAYASHI,M4-10,500,90"
    assert [file.name for file in (folder / "prices").iterdir()] == ["agreed.csv"]
    with app.app_context():
        entry = get_session().scalars(select(AuditEntry)).one()
        assert entry.subject == "price_table:prices/agreed.csv"
        assert (entry.before or {})["sha256"] != (entry.after or {})["sha256"]


def test_the_same_file_twice_changes_nothing(app: Flask, folder: Path) -> None:
    before = (folder / "prices" / "agreed.csv").stat().st_mtime_ns
    assert take(app, folder, plan(folder, GOOD))["same"] == 2
    assert (folder / "prices" / "agreed.csv").stat().st_mtime_ns == before


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_an_export_taken_back_changes_nothing(folder: Path, encoding: str) -> None:
    data = price_tables.export(folder, "agreed.csv", encoding)
    assert data is not None
    found = plan(folder, data)
    assert (found.errors, found.counts["same"], found.counts["changed"]) == ((), 2, 0)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEADER + "HAYASHI,M4-10,1,minus\n", 2),
        (HEADER + "HAYASHI,M4-10,1,110\nHAYASHI,M4-10,1,111\n", 3),
        (HEADER + "HAYASHI,M4-10,1,110\n\nHAYASHI,M4-11,1,110\n", 4),
        (HEADER + "HAYASHI,M4-10,0,110\n", 2),
        (HEADER + "NOBODY,M4-10,1,110\n", 2),
        ("customer,sku,frm,unit\nHAYASHI,M4-10,1,110\n", 1),
        (GOOD + "HAYASHI,M4-10\n", 4),
    ],
)
def test_what_the_rules_refuse_is_named_with_its_line_and_nothing_is_written(
    app: Flask, folder: Path, text: str, line: int
) -> None:
    found = plan(folder, text)
    assert line in {error.line for error in found.errors}, [messages.say(error) for error in found.errors]
    with pytest.raises(PlanRefusedError):
        take(app, folder, found)
    assert (folder / "prices" / "agreed.csv").read_text() == GOOD


def test_a_table_that_breaks_a_case_is_refused_with_the_case(folder: Path) -> None:
    found = plan(folder, HEADER + "HAYASHI,M4-10,1,110\nHAYASHI,M4-10,100,99\n")
    said = " ".join(messages.say(error) for error in found.errors)
    assert "HAYASHI pays 98 from 100" in said


def test_errors_the_folder_has_already_do_not_stop_a_table(folder: Path) -> None:
    (folder / "rules" / "QT10_broken.toml").write_text("code = 'QT10'\nnonsense")
    assert plan(folder, GOOD + "HAYASHI,M4-10,500,90\n").errors == ()


@pytest.mark.parametrize(
    "name",
    [
        "../shop.toml",
        "../../etc/passwd.csv",
        "a/b.csv",
        ".hidden.csv",
        "agreed.toml",
        "",
        "x\0.csv",
        "/tmp/x.csv",
    ],
)
def test_no_name_leads_out_of_the_prices_folder(app: Flask, folder: Path, name: str) -> None:
    found = plan(folder, GOOD, name)
    assert [error.problem for error in found.errors] == ["table_name"]
    with pytest.raises(PlanRefusedError):
        take(app, folder, found)
    assert price_tables.export(folder, name) is None


def test_a_symbolic_link_in_the_prices_folder_is_neither_read_nor_written(
    folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD)
    (folder / "prices" / "link.csv").symlink_to(secret)
    assert price_tables.export(folder, "link.csv") is None
    assert not plan(folder, GOOD, "link.csv").is_ok


def test_a_file_changed_since_the_preview_is_not_overwritten(app: Flask, folder: Path) -> None:
    found = plan(folder, GOOD + "HAYASHI,M4-10,500,90\n")
    (folder / "prices" / "agreed.csv").write_text(GOOD + "HAYASHI,M4-10,1000,80\n")
    with pytest.raises(PlanRefusedError):
        take(app, folder, found)
    assert "1000,80" in (folder / "prices" / "agreed.csv").read_text()


def test_a_write_that_fails_half_way_leaves_the_old_file_and_no_rest(folder: Path) -> None:
    def full_disk(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    file = folder / "prices" / "agreed.csv"
    with pytest.raises(OSError, match="No space"):
        price_tables.replace_file(file, b"half", sync=full_disk)
    assert file.read_text() == GOOD
    assert [one.name for one in file.parent.iterdir()] == ["agreed.csv"]


def test_a_new_table_may_be_added_under_a_name_of_its_own(app: Flask, folder: Path) -> None:
    assert take(app, folder, plan(folder, GOOD, "spring_2027.csv"))["new"] == 2
    assert price_tables.names(folder) == ["agreed.csv", "spring_2027.csv"]

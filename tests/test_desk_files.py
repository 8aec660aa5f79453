"""CSV at the desk: upload, preview, apply, discard, export; and the same through the command line."""

from __future__ import annotations

import io
import re
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from storefront.accounts import Company
from storefront.catalog import Product
from storefront.cli import main
from storefront.database import get_session, write
from storefront.transfer.uploads import Upload
from support.shop import sign_in

FILE = "sku,list_price,on_hand\nM4-10,130,900\nN4-SUS,18,1000\n"


def upload(
    client: FlaskClient, text: str | bytes, kind: str = "products", name: str = "商品.csv", **more: str
) -> TestResponse:
    data = text.encode() if isinstance(text, str) else text
    return client.post("/admin/files", data={"kind": kind, "file": (io.BytesIO(data), name), **more})


def preview(client: FlaskClient, text: str | bytes, **options: str) -> tuple[str, str]:
    """The preview's address and its page."""
    address = upload(client, text, **options).headers["Location"]
    return address, client.get(address).get_data(as_text=True)


def fingerprint(page: str) -> str:
    found = re.search(r'name="fingerprint" value="(\w+)"', page)
    assert found, page
    return found[1]


def price(app: Flask, sku: str = "M4-10") -> Decimal | None:
    with app.app_context():
        return get_session().scalars(select(Product.list_price).where(Product.sku == sku)).one()


def test_a_file_is_previewed_then_taken_whole(app: Flask, database_url: str, client: FlaskClient) -> None:
    sign_in(client, "owner")
    address, page = preview(client, FILE)
    assert "120 → 130" in page
    assert price(app) == 120
    done = client.post(f"{address}/apply", data={"fingerprint": fingerprint(page)}, follow_redirects=True)
    assert "取り込みました。新規 0件、変更 1件、同じもの 1件。" in done.get_data(as_text=True)
    assert price(app) == 130
    with app.app_context():
        kept = get_session().scalars(select(Upload)).one()
        assert (kept.state, kept.data, kept.filename) == ("applied", None, "商品.csv")


def test_errors_are_shown_with_line_and_column_and_nothing_can_be_taken(
    app: Flask, client: FlaskClient
) -> None:
    sign_in(client, "owner")
    address, page = preview(client, "sku,list_price\nM4-10,130\nN4-SUS,eighteen\n")
    assert "3行目、列 list_price" in page
    assert "「eighteen」は使えません" in page
    assert "fingerprint" not in page
    assert client.post(f"{address}/apply", data={"fingerprint": "x"}).status_code == 409
    assert price(app) == 120


def test_a_shop_that_changed_since_the_preview_is_shown_again(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    address, page = preview(client, FILE)
    with app.app_context(), write() as session:
        session.scalars(select(Product).where(Product.sku == "M4-10")).one().list_price = Decimal(125)
    answer = client.post(f"{address}/apply", data={"fingerprint": fingerprint(page)})
    assert answer.status_code == 409
    assert "125 → 130" in answer.get_data(as_text=True)
    assert price(app) == 125


def test_a_file_is_taken_once_and_a_discarded_one_never(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    address, page = preview(client, FILE)
    client.post(f"{address}/apply", data={"fingerprint": fingerprint(page)})
    again = client.post(f"{address}/apply", data={"fingerprint": fingerprint(page)}, follow_redirects=True)
    assert "処理が終わっています" in again.get_data(as_text=True)
    address, page = preview(client, FILE.replace("130", "140"))
    client.post(f"{address}/discard")
    client.post(f"{address}/apply", data={"fingerprint": fingerprint(page)})
    assert price(app) == 130


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x01",
        b"PK\x03\x04 zip",
        b"\xff\xfe\x00",
        b'"',
        "sku\n" + "x" * 300_000,
        b"\xef\xbb\xbf",
        "a,b,c\n1,2\n",
    ],
)
def test_whatever_is_uploaded_is_answered_with_a_sentence(client: FlaskClient, content: str | bytes) -> None:
    sign_in(client, "owner")
    for kind in ("products", "customers", "price-table"):
        answer = upload(client, content, kind=kind, name="x.csv")
        assert answer.status_code == 302
        page = client.get(answer.headers["Location"])
        assert page.status_code == 200
        assert "何も書き込みません" in page.get_data(as_text=True)


def test_an_empty_or_missing_file_is_asked_for_again(client: FlaskClient) -> None:
    sign_in(client, "owner")
    assert upload(client, "").status_code == 422
    assert client.post("/admin/files", data={"kind": "products"}).status_code == 422
    assert client.post("/admin/files", data={"kind": "secrets"}).status_code == 400


def test_the_name_a_browser_sent_is_only_shown(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    for name in ("../../etc/passwd", "C:\\Users\\x\\<b>price</b>.csv", "\u202efdp.csv"):
        page = preview(client, FILE, name=name)[1]
        assert "<b>price" not in page
    assert upload(client, "x", kind="price-table", name="../../evil.toml").status_code == 422
    assert upload(client, "x", kind="price-table", name="a.csv", table="../shop.csv").status_code == 422


def test_somebody_elses_guess_finds_no_upload(client: FlaskClient) -> None:
    sign_in(client, "owner")
    for path in ("x", "'; drop table uploads", "../" * 3):
        assert client.get(f"/admin/files/{path}").status_code == 404


def test_a_price_table_is_previewed_and_replaces_its_file(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "owner")
    table = "customer,sku,from,unit\nHAYASHI,M4-10,1,110\n"
    address, page = preview(client, table, kind="price-table", name="agreed.csv")
    assert "prices/agreed.csv" in page
    client.post(f"{address}/apply", data={"fingerprint": fingerprint(page)})
    folder = app.extensions["koguchi"].settings.folder
    assert (folder / "prices" / "agreed.csv").read_text() == table
    answer = client.get("/admin/files/export/price-table.csv?table=agreed.csv")
    assert answer.data.decode("utf-8-sig").split() == table.split()
    assert client.get("/admin/files/export/price-table.csv?table=../shop.toml").status_code == 404


@pytest.mark.parametrize("encoding", ["utf-8", "cp932"])
def test_an_export_is_a_harmless_download_that_comes_back_unchanged(
    app: Flask, client: FlaskClient, encoding: str
) -> None:
    with app.app_context(), write() as session:
        session.scalars(select(Company).where(Company.code == "HAYASHI")).one().note = "=cmd|' /C calc'!A0"
    sign_in(client, "owner")
    answer = client.get(f"/admin/files/export/customers.csv?encoding={encoding}")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "'=cmd" in answer.data.decode(encoding)
    page = preview(client, answer.data, kind="customers")[1]
    assert "書き込むものはありません" in page


def test_shift_jis_says_which_characters_it_cannot_write(app: Flask, client: FlaskClient) -> None:
    with app.app_context(), write() as session:
        session.scalars(select(Company).where(Company.code == "HAYASHI")).one().name = "𠮷野家😀"
    sign_in(client, "owner")
    page = client.get("/admin/files/export/customers.csv?encoding=cp932", follow_redirects=True).get_data(
        as_text=True
    )
    assert "𠮷" in page
    assert "😀" in page
    assert client.get("/admin/files/export/customers.csv?encoding=utf-7").status_code == 400


def test_the_command_line_does_the_same(
    app: Flask, tmp_path: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = app.extensions["koguchi"].settings
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    file = settings.folder / "new.csv"
    file.write_text(FILE)
    shop = ["--shop", str(settings.folder)]
    assert main(["import", "products", str(file), *shop, "--dry-run"]) == 0
    assert "changed M4-10: list_price 120 -> 130" in capsys.readouterr().out
    assert price(app) == 120
    assert main(["import", "products", str(file), *shop]) == 0
    assert price(app) == 130
    file.write_text("sku,list_price\nM4-10,bad\n")
    assert main(["import", "products", str(file), *shop]) == 1
    assert "Line 2, column list_price" in capsys.readouterr().err
    assert main(["export", "products", str(settings.folder / "out.csv"), *shop]) == 0
    assert "M4-10" in (settings.folder / "out.csv").read_text("utf-8-sig")
    assert main(["import", "products", str(settings.folder / "missing.csv"), *shop]) == 1

"""Delivery addresses belong to one company; a foreign one does not exist."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.accounts import Address, Company
from storefront.accounts.addresses import addresses_of
from storefront.database import get_session
from support.shop import sign_in

WORKS = {
    "label": "本社工場",
    "recipient": "林 美咲",
    "postcode": "577-0011",
    "region": "JP-27",
    "city": "東大阪市",
    "street": "荒本北 1-2-3",
    "phone": "06-0000-1111",
}


def kept(app: Flask, code: str = "HAYASHI") -> list[Address]:
    with app.app_context():
        company = get_session().scalars(select(Company).where(Company.code == code)).one()
        return addresses_of(get_session(), company.id)


@pytest.mark.usefixtures("database_url")
def test_an_address_is_added_changed_and_removed(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    client.post("/account/addresses", data=WORKS)
    (address,) = kept(app)
    assert (address.label, address.postcode, address.is_default) == ("本社工場", "5770011", True)
    assert "577-0011" in client.get(f"/account/addresses/{address.id}").get_data(as_text=True)
    client.post(f"/account/addresses/{address.id}", data=WORKS | {"label": "", "city": "八尾市"})
    (address,) = kept(app)
    assert (address.label, address.city) == ("林 美咲", "八尾市")
    client.post(f"/account/addresses/{address.id}/delete")
    assert kept(app) == []


def test_there_is_always_one_default(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    for label in ("一", "二", "三"):
        client.post(
            "/account/addresses",
            data=WORKS | {"label": label} | ({"is_default": "1"} if label == "三" else {}),
        )
    assert [(one.label, one.is_default) for one in kept(app)] == [("三", True), ("一", False), ("二", False)]
    client.post(f"/account/addresses/{kept(app)[0].id}/delete")
    assert [(one.label, one.is_default) for one in kept(app)] == [("一", True), ("二", False)]


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("recipient", ""),
        ("postcode", "１２３"),
        ("postcode", "ABCDEFG"),
        ("region", "27"),
        ("city", ""),
        ("street", "x" * 201),
        ("phone", "1"),
    ],
)
def test_an_address_that_does_not_fit_is_refused_and_what_was_typed_is_kept(
    app: Flask, client: FlaskClient, field: str, typed: str
) -> None:
    sign_in(client, "hayashi")
    answer = client.post("/account/addresses", data=WORKS | {field: typed})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert f'id="{field}-err"' in page
    assert "06-0000-1111" in page or field == "phone"
    assert kept(app) == []


@pytest.mark.usefixtures("database_url")
def test_an_address_of_another_company_is_not_found_in_any_way(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "kitahama")
    client.post("/account/addresses", data=WORKS | {"label": "北浜の工場"})
    (foreign,) = kept(app, "KITAHAMA")
    sign_in(client, "hayashi")
    assert client.get(f"/account/addresses/{foreign.id}").status_code == 404
    assert client.post(f"/account/addresses/{foreign.id}", data=WORKS).status_code == 404
    assert client.post(f"/account/addresses/{foreign.id}/delete").status_code == 404
    assert "北浜" not in client.get("/account/addresses").get_data(as_text=True)
    assert kept(app, "KITAHAMA")[0].label == "北浜の工場"


def test_control_the_own_address_is_found(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    client.post("/account/addresses", data=WORKS)
    assert client.get(f"/account/addresses/{kept(app)[0].id}").status_code == 200


def test_a_foreign_company_in_the_form_is_ignored(app: Flask, client: FlaskClient) -> None:
    sign_in(client, "hayashi")
    client.post("/account/addresses", data=WORKS | {"company_id": "2", "id": "99"})
    assert len(kept(app)) == 1
    assert kept(app, "KITAHAMA") == []

"""Addresses and questions that no honest browser sends: never a fault of ours, on either database."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from support.shop import sign_in

ODD = ["%00", "%ff%fe", "999999999999999999999", "..%2F..", "a" * 3000]
NAMES = ("q", "state", "since", "page", "category", "sort", "next", "brand", "tag", "lang")


@pytest.mark.parametrize("odd", ODD)
def test_a_buyer_meets_no_fault_of_ours(app: Flask, database_url: str, client: FlaskClient, odd: str) -> None:
    sign_in(client, "hayashi-admin")
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?\w+>", lambda _match: odd, rule.rule)
        for method in sorted((rule.methods or set()) & {"GET", "POST"}) if rule.arguments else ():
            assert client.open(path, method=method).status_code < 500, (method, path[:80])
    query = "&".join(f"{name}={odd}" for name in NAMES)
    for path in ("/", "/products", "/orders", "/quick-order", "/cart", "/account"):
        assert client.get(f"{path}?{query}").status_code < 500, path

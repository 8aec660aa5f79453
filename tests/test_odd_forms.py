"""Every form of the shop and the desk, filled with odd values: an answer with a sentence, never a 500."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

import storefront
from support.shop import sign_in

ODD = (
    "",
    "0",
    "-1",
    "1.5",
    "1e309",
    "NaN",
    "9" * 400,
    "2147483648",
    "9223372036854775808",
    "12",
    "٣",
    "²",
    "1\u200b0",
    "a\x00b",
    "\r\nBcc: x@example.com",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "' OR 1=1 --",
    "../../etc/passwd",
    "\ud7ff\ufffe",
    "=1+1",
    "💣" * 300,
)
# Signing out ends the session that the rest of the walk needs.
LEFT_OUT = {"/logout"}


def field_names() -> list[str]:
    """Every name that some template's form sends, and the names that are made of a SKU."""
    templates = Path(storefront.__file__).parent / "templates"
    names = set()
    for path in templates.rglob("*.html"):
        names.update(re.findall(r'\bname="([^"{]+)"', path.read_text(encoding="utf-8")))
        names.update(
            re.findall(r'part\.(?:field|area|choose|tick)\("([^"]+)"', path.read_text(encoding="utf-8"))
        )
    return [*sorted(names - {"viewport", "color-scheme", "csrf_token"}), "q-M4-10", "q-0", "sku-0"]


def posting_addresses(app: Flask) -> list[str]:
    """Every address that takes a post, with real and odd things in its place."""
    found = []
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and rule.rule not in LEFT_OUT:
            for filling in ("M4-10", "HAYASHI", "1"):
                address = re.sub(r"<(?:int:)?[^>]+>", filling, rule.rule)
                if address not in found and not ("<int:" in rule.rule and not filling.isdigit()):
                    found.append(address)
    return found


@pytest.mark.parametrize("who", ["hayashi", "hayashi-admin", "owner", None])
def test_no_form_answers_odd_values_with_an_error_of_ours(
    app: Flask, client: FlaskClient, who: str | None
) -> None:
    if who:
        sign_in(client, who)
    names = field_names()
    # written once: the same 300 fields go to each of the addresses
    bodies = {odd: urlencode(dict.fromkeys(names, odd)) for odd in ODD}
    failed = []
    for address in posting_addresses(app):
        for odd, body in bodies.items():
            answer = client.post(address, data=body, content_type="application/x-www-form-urlencoded")
            if answer.status_code >= 500:
                failed.append(f"{address} with {odd[:20]!r}: {answer.status_code}")
            if answer.status_code in (302, 303) and who and "/login" in answer.headers["Location"]:
                sign_in(client, who)  # a form of the account may have ended the session
    assert not failed, "\n".join(failed[:40])


def test_the_walk_sees_an_error_of_ours(app: Flask, client: FlaskClient) -> None:
    """The control: a view that breaks is found."""
    app.view_functions["cart.change"].__access__ = "public"
    broken = lambda: 1 / 0  # noqa: E731
    broken.__access__ = "public"  # type: ignore[attr-defined]
    app.view_functions["cart.change"] = broken
    assert client.post("/cart", data={"do": "update"}).status_code == 500

"""A stand-in of Stripe's hosted page for browser tests, over the fake Stripe: a card, a convenience store, a way back.

Served with a certificate made on the spot, because the shop sends its buyers to https alone.
"""

from __future__ import annotations

import contextlib
import threading
import urllib.request
from collections.abc import Iterator
from html import escape

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.serving import make_server

from storefront.jobs import run_in
from support.fake_stripe import FakeStripe

DECLINED, GOOD = "4000000000000002", "4242424242424242"
_PAGE = """<!doctype html><html lang="{locale}"><meta charset="utf-8"><title>Stripe (stand-in)</title>
<h1>{name}</h1><p id="amount">{amount} {currency}</p>{alert}
<form method="post"><p><label>Card <input name="number" inputmode="numeric"></label>
<button name="with" value="card">Pay</button></p>{konbini}</form><p><a href="{back}">Back</a></p></html>"""
_KONBINI = '<p><button name="with" value="konbini">Konbini</button></p>'


def page_app(fake: FakeStripe) -> Flask:
    """The page of one account."""
    app = Flask("stripe_page")

    @app.get("/c/pay/<name>")
    def show(name: str, said: str = "") -> ResponseReturnValue:
        session = fake.sessions.get(name)
        if session is None or session["status"] != "open":
            return "This session has ended.", 410
        return _PAGE.format(
            locale=escape(session["locale"]),
            name=escape(session["_intent"].get("description", "")),
            amount=session["amount_total"],
            currency=session["currency"].upper(),
            alert=f'<p role="alert">{escape(said)}</p>' if said else "",
            konbini=_KONBINI if "konbini" in session["payment_method_types"] else "",
            back=escape(session["cancel_url"]),
        )

    @app.post("/c/pay/<name>")
    def pay(name: str) -> ResponseReturnValue:
        session = fake.sessions[name]
        if session["status"] != "open":
            return "This session has ended.", 410
        if request.form["with"] == "konbini":
            fake.order_at_konbini(name)
        elif request.form["number"] == DECLINED:
            fake.pay(name, decline="insufficient_funds")
            return show(name, "Your card has insufficient funds.")
        else:
            fake.pay(name)
        return redirect(session["success_url"], 303)

    return app


@contextlib.contextmanager
def hosted(fake: FakeStripe) -> Iterator[str]:
    """The page on a free port of this machine; the sessions of `fake` lead there."""
    server = make_server("127.0.0.1", 0, page_app(fake), threaded=True, ssl_context="adhoc")
    fake.page = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake.page
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def deliver(app: Flask, address: str, fake: FakeStripe) -> None:
    """Post every event that was not posted yet, over HTTP, and let the worker follow them."""
    waiting, fake.events = fake.events, []
    for event in waiting:
        headers, body = fake.signed(event)
        asked = urllib.request.Request(f"{address}/webhooks/stripe_checkout", body, headers)
        with urllib.request.urlopen(asked) as answer:
            assert answer.status == 204
    run_in(app)

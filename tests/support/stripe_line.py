"""The fake Stripe behind a real line: a server on this machine, which several processes of a shop ask over HTTP.

What one process has asked for stays there when that process is killed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import stripe
from flask import Flask, Response, request

from plugins.payments.stripe_checkout import StripeCheckout
from support.fake_stripe import FakeStripe
from support.live_server import serving

STRIPE = "https://api.stripe.com"
PATIENCE = 30.0  # seconds to wait for an answer, on a busy machine; where silence is tried, less


class Account:
    """The account that is asked at the moment; another for each test, at one address."""

    def __init__(self) -> None:
        self.fake = FakeStripe()
        self.over = threading.Event()

    def renew(self, fake: FakeStripe) -> None:
        """Whoever still waits for an answer of the last one has it now."""
        self.over.set()
        self.fake, self.over = fake, threading.Event()


@contextlib.contextmanager
def served(account: Account) -> Iterator[str]:
    """Its address. The fault "hangs" keeps the line silent until the account is another."""
    app = Flask("stripe_line")

    @app.route("/v1/<path:_path>", methods=["GET", "POST"])
    def answer(_path: str) -> Response:
        fake = account.fake
        if fake.faults and fake.faults[0] == "hangs":
            fake.faults.popleft()
            account.over.wait()
        try:
            body, status, headers = fake.request(
                request.method.lower(), request.url, dict(request.headers), request.get_data(as_text=True)
            )
        except stripe.APIConnectionError:  # what is in front of Stripe says so
            return Response("<html>504 Gateway Timeout</html>", 504, {"stripe-should-retry": "true"})
        return Response(body, status, headers)

    with serving(app) as address:
        try:
            yield address
        finally:
            account.over.set()


class Line(stripe.RequestsClient):
    """Stripe's own client with another address, and no pause between its tries."""

    def __init__(self, address: str, patience: float) -> None:
        super().__init__(timeout=(patience, patience))
        self.address = address

    def _sleep_time_seconds(self, *_: Any, **__: Any) -> float:
        return 0.0

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[Any, int, Mapping[str, str]]:
        answer: tuple[Any, int, Mapping[str, str]] = super().request(
            method, url.replace(STRIPE, self.address), headers, post_data
        )
        return answer


def connect(app: Flask, address: str, patience: float = PATIENCE) -> None:
    """Let the shop's plugin ask that Stripe, by the shop's clock."""
    shop = app.extensions["koguchi"]
    settings = shop.plugins.payments["stripe_checkout"].settings
    shop.plugins.payments["stripe_checkout"] = StripeCheckout(
        settings, http_client=Line(address, patience), now=lambda: shop.clock()
    )

"""The shop's own providers as the contract kit is told of them: --provider support.kit_built_in:BANK_TRANSFER."""

from __future__ import annotations

import atexit
import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any

from plugins import PaymentView, RawRequest
from plugins.payments.bank_transfer import BankTransfer
from plugins.payments.cash_on_delivery import CashOnDelivery
from plugins.payments.dummy import Dummy, _signature
from plugins.payments.net_terms import NetTerms
from plugins.shipping.carrier_callback import CarrierCallback
from plugins.shipping.flat_rate import FlatRate
from plugins.shipping.pickup import Pickup
from plugins.shipping.table_rate import SAMPLE, TableRate
from plugins.testing import Carrier, Subject
from support.carrier_server import carrier_server
from support.stripe_shop import KIT as STRIPE_CHECKOUT
from support.stripe_shop import KIT_MANUAL as STRIPE_CHECKOUT_MANUAL

SECRET = "whsec-of-the-dummy"


def _next(outcome: str) -> Any:
    """Lets the dummy do this once."""

    def tell(provider: Any) -> None:
        usual, real = provider.settings, provider.start

        def start(*given: Any, **named: Any) -> Any:
            provider.start = real
            provider.settings = usual.model_copy(update={"outcome": outcome})
            try:
                return real(*given, **named)
            finally:
                provider.settings = usual

        provider.start = start

    return tell


def _webhook(provider: Any, view: PaymentView, at: datetime, kind: str) -> RawRequest:
    stamp = str(int(at.timestamp()))
    told: dict[str, Any] = {"events": [{"id": f"evt-{view.provider_ref}", "ref": view.provider_ref}]}
    body = (
        b"no { json 1" if kind == "no_json" else json.dumps(told if kind == "known" else {"odd": 1}).encode()
    )
    signature = _signature(provider.settings.webhook_secret, stamp, body)
    return RawRequest("POST", {"dummy-signature": f"t={stamp},v1={signature}"}, body, at)


DUMMY = Subject(
    Dummy,
    {"outcome": "requires_action", "webhook_secret": SECRET},
    currencies=("JPY", "USD", "KWD"),
    smallest=1,
    decline=_next("declined"),
    lose_answer=_next("timeout_after_commit"),
    pay=lambda provider, view: provider.settle(view.id, "captured"),
    fail_late=lambda provider, view: None,
    webhook=_webhook,
    wrong_settings={"outcome": "perhaps", "fee_minor": -1},
)
DUMMY_AT_ONCE = replace(DUMMY, settings={**DUMMY.settings, "outcome": "captured"}, pay=None, fail_late=None)
DUMMY_AUTHORIZED = replace(
    DUMMY, settings={**DUMMY.settings, "outcome": "authorized"}, pay=None, fail_late=None
)
BANK_TRANSFER = Subject(
    BankTransfer,
    {"bank": "東大阪銀行", "branch": "本町", "account": "1234567", "holder": "カ)アオヤギ"},
    wrong_settings={"pay_within_days": 0, "bank": ""},
)
CASH_ON_DELIVERY = Subject(CashOnDelivery, wrong_settings={"fees": [{"up_to_minor": 0, "fee_minor": 1}]})
NET_TERMS = Subject(NetTerms)
PAYMENTS = {
    "STRIPE_CHECKOUT": STRIPE_CHECKOUT,
    "STRIPE_CHECKOUT_MANUAL": STRIPE_CHECKOUT_MANUAL,
    "DUMMY": DUMMY,
    "DUMMY_AT_ONCE": DUMMY_AT_ONCE,
    "DUMMY_AUTHORIZED": DUMMY_AUTHORIZED,
    "BANK_TRANSFER": BANK_TRANSFER,
    "CASH_ON_DELIVERY": CASH_ON_DELIVERY,
    "NET_TERMS": NET_TERMS,
}

ONE_OF_EACH = ("BANK_TRANSFER", "CASH_ON_DELIVERY", "DUMMY", "NET_TERMS", "STRIPE_CHECKOUT")

FLAT_RATE = Carrier(FlatRate, {"price_minor": 770}, wrong_settings={"price_minor": -1})
PICKUP = Carrier(Pickup, wrong_settings={"days": 91})
TABLE_RATE = Carrier(TableRate)
SHIPPING = ("FLAT_RATE", "PICKUP", "TABLE_RATE", "CARRIER_CALLBACK")
_open = ExitStack()
atexit.register(_open.close)


def __getattr__(name: str) -> Any:
    """CARRIER_CALLBACK asks a server, which is started when somebody wants it and ends with the process."""
    if name != "CARRIER_CALLBACK":
        raise AttributeError(name)
    server = _open.enter_context(carrier_server())

    def well() -> CarrierCallback:
        server.status, server.body = 200, None
        return CarrierCallback(CarrierCallback.config(**settings))

    settings = {"url": server.url, "allow_insecure": True, "fallback": SAMPLE, "token": "s3cret-token"}
    whom = Carrier(
        CarrierCallback,
        settings,
        make=well,
        fail=(lambda _: setattr(server, "status", 500), lambda _: setattr(server, "body", b"nonsense")),
        wrong_settings={"url": "ftp://rates.example.com/", "timeout_seconds": 30},
    )
    globals()[name] = whom
    return whom

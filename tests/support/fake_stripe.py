"""Stripe's HTTP API inside this process: enough of it for Checkout, with its state, its refusals and its accidents.

It stands where the network would, as a stripe.HTTPClient. Amounts stay as they came over the wire.
"""

import copy
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import stripe
from stripe import params as stripe_params

from plugins import RawRequest
from support.stripe_params import Refused, check, decoded

KEY, SECRET = "sk_test_of_the_tests", "whsec_of_the_tests"
Params = Mapping[str, Any]
MIN_YEN, KONBINI = 50, (120, 300_000)
_THREE_DECIMALS = ("bhd", "jod", "kwd", "omr", "tnd")
_PARAMS: dict[str, type] = {
    "sessions.create": stripe_params.checkout.SessionCreateParams,
    "sessions.list": stripe_params.checkout.SessionListParams,
    "sessions.retrieve": stripe_params.checkout.SessionRetrieveParams,
    "sessions.expire": stripe_params.checkout.SessionExpireParams,
    "intents.capture": stripe_params.PaymentIntentCaptureParams,
    "intents.cancel": stripe_params.PaymentIntentCancelParams,
    "customers.create": stripe_params.CustomerCreateParams,
    "customers.search": stripe_params.CustomerSearchParams,
    "refunds.create": stripe_params.RefundCreateParams,
    "refunds.list": stripe_params.RefundListParams,
    "disputes.list": stripe_params.DisputeListParams,
}


class FakeStripe(stripe.HTTPClient):
    """One account. `faults` are what happens to the next requests: "timeout", "lost", "html", a status, or a decline.

    "timeout" is before anything happens, "lost" after it: the answer never arrives.
    """

    name = "fake"

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self.now, self.page = now, "https://checkout.stripe.test"
        self.writes_the_rest_down = True  # of a capture in part, as a refund of the charge
        self.active = {"card", "konbini", "customer_balance"}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.charges: dict[str, dict[str, Any]] = {}
        self.customers: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.disputes: dict[str, dict[str, Any]] = {}
        self.cash: dict[str, int] = {}
        self.faults: deque[str | int] = deque()
        self.calls: list[tuple[str, str, Params, Mapping[str, str]]] = []
        self.events: list[dict[str, Any]] = []
        self._stored: dict[str, tuple[tuple[str, str, str], int, str]] = {}
        self._lock, self._numbers = threading.RLock(), count(1)

    # --- the wire

    def _sleep_time_seconds(self, num_retries: int) -> float:
        return 0.0

    def close(self) -> None:
        pass

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[str, int, Mapping[str, str]]:
        given = {name.lower(): value for name, value in (headers or {}).items()}
        parts = urlsplit(url)
        text = (post_data or "") if method == "post" else parts.query
        with self._lock:
            self.calls.append((method, parts.path, decoded(text), given))
            fault = self.faults.popleft() if self.faults else None
            if fault == "timeout":
                raise stripe.APIConnectionError("no answer", should_retry=True)
            if fault == "html":
                return "<html>Bad gateway</html>", 404, {"request-id": "req_html"}
            if isinstance(fault, int):
                kind = {429: "rate_limit_error", 401: "authentication_error"}.get(fault, "api_error")
                return self._answer(fault, {"error": {"type": kind, "message": f"status {fault}"}})
            body, status = self._once(method, parts.path, text, given, fault)
            if fault == "lost":
                raise stripe.APIConnectionError("the answer was lost", should_retry=True)
            return body, status, {"request-id": f"req_{len(self.calls)}"}

    def _answer(self, status: int, body: Params) -> tuple[str, int, Mapping[str, str]]:
        return json.dumps(body), status, {"request-id": f"req_{len(self.calls)}"}

    def _once(
        self, method: str, path: str, text: str, headers: Mapping[str, str], fault: str | None
    ) -> tuple[str, int]:
        """The stored answer for a key that was here before; an error for a key that came with other parameters."""
        if headers.get("authorization") != f"Bearer {KEY}":
            error = {"type": "invalid_request_error", "message": "Invalid API Key provided: sk_test_****ests"}
            return json.dumps({"error": error}), 401
        assert headers.get("stripe-version") == "2026-10-28.endive", headers
        key = headers.get("idempotency-key") if method == "post" else None
        if key and key in self._stored:
            asked, status, body = self._stored[key]
            if asked != (method, path, text):
                message = "Keys for idempotent requests can only be used with the same parameters"
                return json.dumps({"error": {"type": "idempotency_error", "message": message}}), 400
            return body, status
        try:
            if fault and fault.startswith("decline"):
                code = fault.partition(":")[2] or "generic_decline"
                raise Refused("card_declined", "Your card was declined.", status=402, decline_code=code)
            status, body = 200, json.dumps(self._route(method, path, decoded(text)))
        except Refused as refused:
            status, body = refused.status, json.dumps({"error": refused.error})
            if refused.status == 400 and str(refused.error["code"]).startswith("parameter_"):
                return body, status  # a request that never began is not remembered
        if key:
            self._stored[key] = ((method, path, text), status, body)
        return body, status

    def _route(self, method: str, path: str, given: dict[str, Any]) -> dict[str, Any]:
        match [method, *path.removeprefix("/v1/").split("/")]:
            case ["post", "checkout", "sessions"]:
                return self._create_session(self._checked("sessions.create", given))
            case ["get", "checkout", "sessions"]:
                return self._list_sessions(self._checked("sessions.list", given))
            case ["get", "checkout", "sessions", name]:
                return self._session(name, self._checked("sessions.retrieve", given))
            case ["post", "checkout", "sessions", name, "expire"]:
                return self._expire_session(name, self._checked("sessions.expire", given))
            case ["post", "payment_intents", name, "capture"]:
                return self._capture(name, self._checked("intents.capture", given))
            case ["post", "payment_intents", name, "cancel"]:
                return self._cancel(name, self._checked("intents.cancel", given))
            case ["post", "customers"]:
                return self._create_customer(self._checked("customers.create", given))
            case ["get", "customers", "search"]:
                wanted = self._checked("customers.search", given)["query"]
                said = [
                    (f"metadata['{k}']:'{v}'", c)
                    for c in self.customers.values()
                    for k, v in c["metadata"].items()
                ]
                return _page([customer for query, customer in said if query == wanted], "search_result")
            case ["post", "refunds"]:
                return self._create_refund(self._checked("refunds.create", given))
            case ["get", "refunds"]:
                intent = self._checked("refunds.list", given)["payment_intent"]
                return _page([each for each in self.refunds.values() if each["payment_intent"] == intent])
            case ["get", "disputes"]:
                charge = self._checked("disputes.list", given)["charge"]
                return _page([each for each in self.disputes.values() if each["charge"] == charge])
        raise Refused("resource_missing", f"Unrecognized request URL ({method}: {path})", status=404)

    def _checked(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        check(given, _PARAMS[what])
        return given

    def _new(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers)}"

    def _at(self) -> int:
        return int(self.now().timestamp())

    # --- sessions

    def _create_session(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("allowed_payment_method_types") and given.get("excluded_payment_method_types"):
            raise Refused("parameter_invalid", "Only one of allowed and excluded may be given")
        ends, at = int(given["expires_at"]), self._at()
        if not at + 30 * 60 <= ends <= at + 24 * 3600:
            raise Refused(
                "parameter_invalid", "expires_at must be 30 minutes to 24 hours away", param="expires_at"
            )
        (line,) = given["line_items"]
        price = line["price_data"]
        total, currency = int(price["unit_amount"]) * int(line["quantity"]), price["currency"]
        if currency in _THREE_DECIMALS and total % 10:
            raise Refused("parameter_invalid", "The last digit of a three-decimal amount must be 0")
        if currency == "jpy" and total < MIN_YEN:
            raise Refused("amount_too_small", "The amount must be at least 50 yen")
        if total > 99_999_999:
            raise Refused("amount_too_large", "The amount has more than eight digits")
        allowed = self._compatible(given, total, currency)
        if not allowed:
            raise Refused("invalid_request", "No valid payment method types for this Checkout Session")
        name = self._new("cs_test")
        self.sessions[name] = {
            "id": name,
            "object": "checkout.session",
            "amount_total": total,
            "currency": currency,
            "cancel_url": given["cancel_url"],
            "client_reference_id": given.get("client_reference_id"),
            "created": at,
            "customer": given.get("customer"),
            "customer_details": None,
            "expires_at": ends,
            "livemode": False,
            "locale": given.get("locale"),
            "metadata": given.get("metadata", {}),
            "mode": given["mode"],
            "payment_intent": None,
            "payment_method_types": allowed,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": given["success_url"],
            "url": f"{self.page}/c/pay/{name}",
        }
        self._given(name, given)
        return self._session(name, {"expand": given.get("expand", [])})

    def _given(self, name: str, given: dict[str, Any]) -> None:
        options = given.get("payment_method_options", {})
        self.sessions[name]["_intent"] = {
            **given.get("payment_intent_data", {}),
            "capture": options.get("card", {}).get("capture_method", "automatic"),
            "konbini_days": int(options.get("konbini", {}).get("expires_after_days", 3)),
        }

    def _compatible(self, given: dict[str, Any], total: int, currency: str) -> list[str]:
        """Silently fewer than were asked for, as at Stripe."""
        transfer = given.get("payment_method_options", {}).get("customer_balance", {}).get("bank_transfer")
        fits = {
            "card": True,
            "konbini": currency == "jpy" and KONBINI[0] <= total <= KONBINI[1],
            "customer_balance": currency == "jpy" and bool(given.get("customer")) and bool(transfer),
        }
        asked = given.get("allowed_payment_method_types", ["card"])
        return [each for each in asked if each in self.active and fits.get(each, False)]

    def _session(self, name: str, given: Params) -> dict[str, Any]:
        if name not in self.sessions:
            raise Refused("resource_missing", f"No such checkout.session: '{name}'", status=404)
        shown = {key: value for key, value in self.sessions[name].items() if not key.startswith("_")}
        if shown["status"] != "open":
            shown["url"] = None
        if "payment_intent.latest_charge" in given.get("expand", []) and shown["payment_intent"]:
            intent = dict(self.intents[shown["payment_intent"]])
            if intent["latest_charge"]:
                charge = self.charges[intent["latest_charge"]]
                intent["latest_charge"] = {k: v for k, v in charge.items() if not k.startswith("_")}
            shown["payment_intent"] = intent
        return copy.deepcopy(shown)

    def _list_sessions(self, given: dict[str, Any]) -> dict[str, Any]:
        since = int(given.get("created", {}).get("gte", 0))
        names = [
            each["id"]
            for each in reversed(self.sessions.values())
            if each["created"] >= since and given.get("payment_intent") in (None, each["payment_intent"])
        ]
        if given.get("starting_after"):
            names = names[names.index(given["starting_after"]) + 1 :]
        limit = int(given.get("limit", 10))
        page = _page([self._session(each, {}) for each in names[:limit]], url="/v1/checkout/sessions")
        return page | {"has_more": len(names) > limit}

    def _expire_session(self, name: str, given: Params) -> dict[str, Any]:
        if self._session(name, {})["status"] != "open":
            raise Refused(
                "resource_already_complete", "Only Checkout Sessions with a status of open can be expired"
            )
        self.expire(name)
        return self._session(name, given)

    # --- intents, refunds, customers

    def _capture(self, name: str, given: Params) -> dict[str, Any]:
        intent = self.intents[name]
        amount = int(given.get("amount_to_capture", intent["amount_capturable"]))
        if intent["status"] != "requires_capture":
            raise Refused("payment_intent_unexpected_state", f"This PaymentIntent is {intent['status']}")
        if amount > intent["amount_capturable"]:
            raise Refused("amount_too_large", "The amount to capture is greater than what was authorized")
        if amount <= 0 or (intent["currency"] == "jpy" and amount < MIN_YEN):
            raise Refused("amount_too_small", "The amount to capture is below the minimum")
        self._succeed(intent, amount)
        return copy.deepcopy(intent)

    def _cancel(self, name: str, given: Params) -> dict[str, Any]:
        intent = self.intents[name]
        if (
            intent["status"] != "requires_capture"
        ):  # the only state in which Checkout's intents can be canceled
            raise Refused("payment_intent_unexpected_state", "You must expire the Checkout Session instead")
        intent |= {
            "status": "canceled",
            "amount_capturable": 0,
            "cancellation_reason": "requested_by_customer",
        }
        self.emit("payment_intent.canceled", intent)
        return copy.deepcopy(intent)

    def _create_customer(self, given: Params) -> dict[str, Any]:
        name = self._new("cus")
        self.customers[name] = {"id": name, "object": "customer", "metadata": given.get("metadata", {})}
        return copy.deepcopy(self.customers[name])

    def _create_refund(self, given: Params) -> dict[str, Any]:
        intent = self.intents.get(given["payment_intent"])
        charge = self.charges.get((intent or {}).get("latest_charge") or "")
        if intent is None or charge is None or intent["status"] != "succeeded":
            raise Refused(
                "charge_not_found", "This PaymentIntent does not have a successful charge to refund."
            )
        left = charge["amount_captured"] - _refunded(charge)
        amount = int(given.get("amount", left))
        if not left:
            raise Refused("charge_already_refunded", "The charge has already been refunded.")
        if amount > left:
            raise Refused(
                "amount_too_large", f"Refund amount ({amount}) is greater than unrefunded amount ({left})"
            )
        kind = charge["payment_method_details"]["type"]
        if kind == "konbini" and not given.get("instructions_email"):
            raise Refused("parameter_missing", "instructions_email is required", param="instructions_email")
        name = self._new("re")
        self.refunds[name] = {
            "id": name,
            "object": "refund",
            "amount": amount,
            "charge": charge["id"],
            "created": self._at(),
            "currency": charge["currency"],
            "metadata": given.get("metadata", {}),
            "payment_intent": intent["id"],
            "status": "succeeded" if kind == "card" else "requires_action",
        }
        charge["amount_refunded"] += amount
        charge["refunded"] = _refunded(charge) == charge["amount_captured"]
        self.emit("charge.refunded", charge)
        return copy.deepcopy(self.refunds[name])

    # --- what buyers, banks and the owner do outside the API

    def pay(self, session: str, *, decline: str | None = None, email: str = "buyer@example.com") -> None:
        """A card is entered on Stripe's page; declined, the page stays open for another one."""
        with self._lock:
            intent = self._begun(session, email, "card")
            if decline is not None:
                error = {
                    "type": "card_error",
                    "code": "card_declined",
                    "decline_code": decline,
                    "message": "Declined.",
                }
                intent |= {"status": "requires_payment_method", "last_payment_error": error}
                self.emit("payment_intent.payment_failed", intent)
                return
            self.sessions[session]["status"] = "complete"
            if self.sessions[session]["_intent"]["capture"] == "manual":
                intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
                self.emit("payment_intent.amount_capturable_updated", intent)
            else:
                self._succeed(intent, intent["amount"])
            self._done(session)

    def order_at_konbini(self, session: str, *, email: str = "buyer@example.com") -> None:
        """The buyer takes a payment code and will pay in a shop."""
        with self._lock:
            intent = self._begun(session, email, "konbini")
            days = self.sessions[session]["_intent"]["konbini_days"]
            codes = {"payment_code": "123456", "confirmation_number": "1234567890"}
            stores = dict.fromkeys(("familymart", "lawson", "ministop", "seicomart"), codes)
            intent["next_action"] = {
                "type": "konbini_display_details",
                "konbini_display_details": {
                    "expires_at": (self._at() + 9 * 3600) // 86_400 * 86_400
                    + (days + 1) * 86_400
                    - 9 * 3600
                    - 1,
                    "hosted_voucher_url": f"{self.page}/voucher/{session}",
                    "stores": stores,
                },
            }
            intent["status"], self.sessions[session]["status"] = "requires_action", "complete"
            self._done(session)

    def order_transfer(self, session: str, *, email: str = "buyer@example.com") -> None:
        """The buyer takes the number of an account and will send the money."""
        with self._lock:
            intent = self._begun(session, email, "customer_balance")
            address = {
                "type": "zengin",
                "zengin": {
                    "account_holder_name": "ストライプジャパン(カ",
                    "account_number": f"{7_000_000 + len(self.customers)}",
                    "account_type": "futsu",
                    "bank_code": "0009",
                    "bank_name": "三井住友銀行",
                    "branch_code": "950",
                    "branch_name": "東京第二",
                },
            }
            intent["next_action"] = {
                "type": "display_bank_transfer_instructions",
                "display_bank_transfer_instructions": {
                    "amount_remaining": intent["amount"],
                    "currency": "jpy",
                    "financial_addresses": [address],
                    "hosted_instructions_url": f"{self.page}/transfer/{session}",
                    "reference": None,
                    "type": "jp_bank_transfer",
                },
            }
            intent["status"], self.sessions[session]["status"] = "requires_action", "complete"
            self._done(session)

    def pay_at_konbini(self, session: str) -> None:
        with self._lock:
            intent = self.intents[self.sessions[session]["payment_intent"]]
            self._succeed(intent, intent["amount"])
            self._done(session, "checkout.session.async_payment_succeeded")

    def let_voucher_lapse(self, session: str) -> None:
        with self._lock:
            intent = self.intents[self.sessions[session]["payment_intent"]]
            error = {
                "type": "invalid_request_error",
                "code": "payment_intent_payment_attempt_expired",
                "message": "Late",
            }
            intent |= {"status": "requires_payment_method", "last_payment_error": error, "next_action": None}
            self._done(session, "checkout.session.async_payment_failed")

    def fund(self, customer: str, yen: int) -> None:
        """Money arrives in the buyer's account; it pays what waits as soon as it is enough."""
        with self._lock:
            self.cash[customer] = self.cash.get(customer, 0) + yen
            for session in self.sessions.values():
                intent = self.intents.get(session["payment_intent"] or "")
                if session["customer"] != customer or intent is None or intent["status"] != "requires_action":
                    continue
                if self.cash[customer] < intent["amount"]:
                    self.emit("payment_intent.partially_funded", intent)
                    continue
                self.cash[customer] -= intent["amount"]
                self._succeed(intent, intent["amount"])
                self._done(session["id"], "checkout.session.async_payment_succeeded")

    def expire(self, session: str) -> None:
        with self._lock:
            self.sessions[session]["status"] = "expired"
            self.emit("checkout.session.expired", self._session(session, {}))

    def lapse(self, session: str) -> None:
        """An authorization that nobody captured ends after seven days."""
        intent = self.intents[self.sessions[session]["payment_intent"]]
        intent |= {"status": "canceled", "amount_capturable": 0, "cancellation_reason": "automatic"}
        self.emit("payment_intent.canceled", intent)

    def settle_refund(self, refund: str, *, well: bool = True) -> None:
        """The buyer named an account, or the bank sent the money back."""
        found = self.refunds[refund]
        found["status"] = "succeeded" if well else "failed"
        if not well:
            self.charges[found["charge"]]["amount_refunded"] -= found["amount"]
            self.charges[found["charge"]]["refunded"] = False
        self.emit("refund.updated" if well else "refund.failed", found)

    def refund_in_dashboard(self, session: str, amount: int) -> None:
        self._create_refund(
            {"payment_intent": self.sessions[session]["payment_intent"], "amount": str(amount)}
        )

    def dispute(self, session: str) -> dict[str, Any]:
        """The buyer's bank takes the money back; its status may then be set to won or lost."""
        charge = self.charges[self.intents[self.sessions[session]["payment_intent"]]["latest_charge"]]
        charge["disputed"] = True
        name = self._new("du")
        made = {"id": name, "object": "dispute", "charge": charge["id"], "status": "needs_response"}
        self.disputes[name] = made | {"payment_intent": charge["payment_intent"]}
        self.emit("charge.dispute.created", self.disputes[name])
        return self.disputes[name]

    def _begun(self, session: str, email: str, kind: str) -> dict[str, Any]:
        found = self.sessions[session]
        assert found["status"] == "open", found["status"]
        assert kind in found["payment_method_types"], found["payment_method_types"]
        found["customer_details"] = {"email": email}
        if found["payment_intent"] is None:
            name = found["payment_intent"] = self._new("pi")
            self.intents[name] = {
                "id": name,
                "object": "payment_intent",
                "amount": found["amount_total"],
                "amount_capturable": 0,
                "amount_received": 0,
                "cancellation_reason": None,
                "currency": found["currency"],
                "last_payment_error": None,
                "latest_charge": None,
                "metadata": found["_intent"].get("metadata", {}),
                "next_action": None,
            }
        intent = self.intents[found["payment_intent"]]
        intent["_kind"] = kind
        return intent

    def _succeed(self, intent: dict[str, Any], amount: int) -> None:
        """Money is taken. What was authorized and is not becomes a refund of the charge, as at Stripe."""
        name, rest = self._new("ch"), intent["amount"] - amount
        self.charges[name] = {
            "id": name,
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": amount,
            "amount_refunded": 0,
            "captured": True,
            "currency": intent["currency"],
            "disputed": False,
            "metadata": intent["metadata"],
            "payment_intent": intent["id"],
            "payment_method_details": {"type": intent["_kind"]},
            "refunded": False,
        }
        if rest and self.writes_the_rest_down:
            self.charges[name] |= {"amount_refunded": rest, "_rest": rest}
            refund = self._new("re")
            self.refunds[refund] = {
                "id": refund,
                "object": "refund",
                "amount": rest,
                "charge": name,
                "created": self._at(),
                "currency": intent["currency"],
                "metadata": {},
                "payment_intent": intent["id"],
                "status": "succeeded",
            }
        intent |= {
            "status": "succeeded",
            "amount_received": amount,
            "amount_capturable": 0,
            "latest_charge": name,
        }
        intent |= {"next_action": None, "last_payment_error": None}
        self.emit("payment_intent.succeeded", intent)

    def _done(self, session: str, kind: str = "checkout.session.completed") -> None:
        found = self.sessions[session]
        paid = self.intents[found["payment_intent"]]["status"] == "succeeded"
        found["payment_status"] = "paid" if paid else "unpaid"
        self.emit(kind, self._session(session, {}))

    # --- webhooks

    def emit(self, kind: str, about: Params) -> dict[str, Any]:
        """Write an event down; who wants it delivered, twice or in another order, says so."""
        shown = {key: value for key, value in about.items() if not key.startswith("_")}
        event = {
            "id": self._new("evt"),
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": self._at(),
            "data": {"object": copy.deepcopy(shown)},
            "livemode": False,
            "type": kind,
        }
        self.events.append(event)
        return event

    def signed(
        self, event: Params | str, *, at: datetime | None = None, secret: str = SECRET
    ) -> tuple[dict[str, str], bytes]:
        """The headers and the body of a webhook as Stripe posts it; a text is posted as it stands."""
        body = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
        when = int((at or self.now()).timestamp())
        header = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=when)
        return {"Stripe-Signature": header, "Content-Type": "application/json"}, body.encode()

    def raw(self, event: Params | str, *, at: datetime | None = None, secret: str = SECRET) -> RawRequest:
        """The same as a plugin gets it, received now."""
        headers, body = self.signed(event, at=at, secret=secret)
        return RawRequest("POST", {name.lower(): value for name, value in headers.items()}, body, self.now())


def _refunded(charge: Params) -> int:
    """What went back of what was captured."""
    return int(charge["amount_refunded"]) - int(charge.get("_rest", 0))


def _page(data: list[dict[str, Any]], kind: str = "list", url: str = "/v1/list") -> dict[str, Any]:
    return {"object": kind, "data": copy.deepcopy(data), "has_more": False, "url": url}

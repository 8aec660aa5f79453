"""Providers that break a promise about availability and fee."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

from plugins import (
    Availability,
    Available,
    CheckoutContext,
    Disabled,
    Money,
    TaxedMoney,
)
from support.kit_broken.noting import breaks
from support.kit_subjects import Good


@breaks("test_availability_and_fee_compute_and_ask_nobody")
class AsksTheNetworkFirst(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        with socket.socket() as probe:
            probe.connect(("127.0.0.1", 9))
        return Available()


@breaks("test_availability_and_fee_compute_and_ask_nobody")
class AsksAndSwallows(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        with suppress(OSError):
            socket.getaddrinfo("status.pay.example", 443)
        return Available()


@breaks("test_availability_and_fee_compute_and_ask_nobody")
class ReadsAFileEachTime(Good):
    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        Path(__file__).read_bytes()
        return None


@breaks("test_availability_and_fee_compute_and_ask_nobody")
class AnswersAtRandom(Good):
    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return TaxedMoney(Money(random.randrange(10**6), ctx.total.currency))


@breaks("test_availability_answers_a_visitor_and_any_amount")
class NeedsABuyer(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        return Available() if ctx.buyer.group else Disabled({"ja": "不可", "en": "no"})  # type: ignore[union-attr]


@breaks("test_availability_answers_a_visitor_and_any_amount")
class SaysTrue(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        return True  # type: ignore[return-value]


@breaks("test_availability_answers_a_visitor_and_any_amount")
class ReasonInEnglishOnly(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        return Available() if ctx.buyer else Disabled({"en": "Sign in"})


@breaks("test_availability_answers_a_visitor_and_any_amount")
class FeeInYenAlways(Good):
    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return TaxedMoney(Money(330, "JPY"))


@breaks("test_availability_answers_a_visitor_and_any_amount")
class FeeOfFloats(Good):
    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return TaxedMoney(Money(330, ctx.total.currency), 0.1)  # type: ignore[arg-type]


@breaks("test_availability_answers_a_visitor_and_any_amount")
class FeeBelowZero(Good):
    def fee(self, ctx: CheckoutContext) -> TaxedMoney | None:
        return TaxedMoney(Money(100 - ctx.total.minor, ctx.total.currency))


@breaks("test_availability_and_fee_change_nothing_that_they_are_given")
class ChangesTheTerms(Good):
    def availability(self, ctx: CheckoutContext) -> Availability:
        if ctx.buyer is not None and isinstance(ctx.buyer.terms, dict):
            ctx.buyer.terms["closing_day"] = 31
        return Available()
